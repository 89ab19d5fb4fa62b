"""Trained models, as a copy has them: weights and cards, with rows and splits by pseudonyms."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from visanda.corpus.classify.applied import APPLIED
from visanda.corpus.classify.exported import imported
from visanda.corpus.share.writing import DESCRIBED, LEFT_OUT, Removed, Writing
from visanda.errors import CorpusError, InputError
from visanda.learn.frozen import Frozen, read_looks, read_split, write_split
from visanda.learn.trained import Trained, load, names

PATH = re.compile(r"^(/|~|\.\.?/|[A-Za-z]:\\|\\\\)|://")
HOLDS = "holds the vectors of the pictures that it learnt from; kept with --vectors"
NETWORKS = (
    "A fine-tuned network is in ({}): whoever has a picture may be able to tell whether it learnt from it (Shokri et "
    "al. 2017)."
)
DAMAGED = "is damaged, or not there any more"
TABLE = "part-00000"  # the only part of each table of a copy


def write_models(to: Writing, variable: str) -> None:
    """Write the models of a variable, its split, and how often anybody looked at the test set."""
    home, target = to.store.models / variable, to.out / "models" / variable
    if not home.is_dir():
        return
    try:
        split = read_split(home)
    except CorpusError:
        to.removed.append(Removed(f"models of {variable}", 1, DAMAGED))
        return
    if split is not None:
        settings = split.settings | {"frozen": str(split.settings.get("frozen", ""))[:10]}
        write_split(target, Frozen(_rows(to, split.sets), settings))
    if len(looks := read_looks(home)):
        looks = looks.assign(time=looks["time"].str[:10])
        to.text(f"models/{variable}/looks.csv", looks.to_csv(index=False, lineterminator="\n"))
    if (trials := home / "trials.csv").exists():
        to.bytes(f"models/{variable}/trials.csv", trials.read_bytes())
    for name in sorted(names(home)):
        try:
            _write_model(to, load(home, name), target)
        except (CorpusError, InputError):
            to.removed.append(Removed(f"model {name} of {variable}", 1, DAMAGED))
    _write_applied(to, variable, home, target)


def _write_model(to: Writing, trained: Trained, target: Path) -> bool:
    """Write a model; whether it may leave."""
    card = dict(trained.card)
    if card["kind"] == "knn" and not to.wanted.vectors:
        to.removed.append(Removed(f"model {trained.name} of {card['variable']}", len(trained.rows), HOLDS))
        return False
    if card["kind"] == "finetune":
        to.warnings.append(NETWORKS.format(f"{trained.name} of {card['variable']}"))
    card["coders"] = sorted(to.coder(name) for name in card.get("coders", []))
    card["arguments"] = to.arguments(card["arguments"])
    card["settings"] = _plain(card.get("settings", {}))
    embedding = card.get("embedding") or {}
    card["embedding"] = {key: value for key, value in embedding.items() if key in DESCRIBED} or None
    replace(trained, card=card, rows=_rows(to, trained.rows)).save(target)
    return True


def _rows(to: Writing, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a split, or of what a model learnt from, by pseudonyms."""
    if rows.empty:
        return rows
    groups = [to.pseudonyms.value("group", str(group)) for group in rows["group"]]
    rows = rows.assign(id=rows["id"].map(to.pseudonyms.unit), group=groups)
    return rows.sort_values("id", kind="stable", ignore_index=True)


def _write_applied(to: Writing, variable: str, home: Path, target: Path) -> None:
    """Write which model made the predictions; one that somebody exported comes in among the others."""
    if variable not in to.store.tables() or not (home / APPLIED).exists():
        return
    said = json.loads((home / APPLIED).read_text("utf-8"))
    parts = [path.name for path in to.store.parts(variable).files()]
    if not any(said["run"] in name for name in parts):
        return  # it is of a run that was killed
    applied = {"model": said["model"], "trained": said["trained"], "on": said["on"], "run": TABLE}
    if "from" in said:
        try:
            trained = imported(Path(said["from"]))
        except (CorpusError, InputError):
            to.removed.append(Removed(f"model from elsewhere, of {variable}", 1, DAMAGED))
            return
        there = set(names(target))
        applied["model"] = next(name for name in _called(trained.name) if name not in there)
        if not _write_model(to, replace(trained, card=trained.card | {"name": applied["model"]}), target):
            return
    to.json(f"models/{variable}/{APPLIED}", applied)


def _called(name: str) -> list[str]:
    """Names that a model from elsewhere may have among others."""
    return [name, f"{name}_from_elsewhere", *(f"{name}_from_elsewhere{number}" for number in range(2, 100))]


def _plain(given: Any) -> Any:
    """Settings without paths and addresses."""
    if isinstance(given, dict):
        return {name: _plain(value) for name, value in given.items()}
    if isinstance(given, (list, tuple)):
        return [_plain(value) for value in given]
    return LEFT_OUT if isinstance(given, str) and PATH.search(given) else given
