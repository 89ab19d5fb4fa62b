"""A trained model on the disk: ONNX, a card, and what it learnt from; nothing that needs this package to be read.

``models/<variable>/<name>/`` holds ``model.onnx``, ``fold0.onnx`` and so on (cross-fitted heads; none for fine-tuned
models), ``card.json`` and ``rows.csv``. A model is put in place as a whole: while one is trained again, and if that is
killed, the old one is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from visanda.errors import CorpusError, InputError
from visanda.learn.frozen import Frozen, earlier_version, read_split
from visanda.learn.target import Target
from visanda.parts import write_bytes

APPLIED = "applied.json"  # in models/<variable>: which model made the predictions
NEW = ".new"  # ends the name of a folder that is whole and takes the place of the one before the dot


@dataclass(frozen=True)
class Trained:
    """A model of one variable.

    Attributes:
        card: what it is, how it was made, how it did.
        model: ONNX; what ``evaluate`` tests and ``apply`` uses.
        folds: ONNX, one a fold, trained without that fold; what corrected estimates need, because none of them has
            seen the codes of the units that it predicts. Empty where the model was trained once.
        rows: a row a unit that it learnt from: id, value, group, set, fold, and ``p_0``, ``p_1``, ... its outputs by
            a model that had not seen the row (empty where there are none).
        split: the frozen split of the variable.
    """

    card: dict[str, Any]
    model: bytes
    folds: tuple[bytes, ...] = ()
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    split: Frozen = field(default_factory=lambda: Frozen(pd.DataFrame({"id": [], "set": [], "group": []}, dtype=str)))

    @property
    def name(self) -> str:
        """Of the model, among those of its variable."""
        return str(self.card["name"])

    @property
    def target(self) -> Target:
        """What it predicts."""
        described = self.card["target"]
        return Target(described["scale"], tuple(described["classes"]), described["low"], described["high"])

    @property
    def out_of_fold(self) -> np.ndarray | None:
        """Outputs (n, k) for its rows by models that had not seen them; ``None`` where there are none."""
        columns = [f"p_{number}" for number in range(self.target.outputs)]
        if not set(columns) <= set(self.rows) or self.rows[columns].isna().all(axis=None):
            return None
        return self.rows[columns].to_numpy(float)

    @property
    def learnt_of_test(self) -> int:
        """How many units of the present test set it learnt from: not 0 where it was trained on an earlier split."""
        return len(set(self.rows["id"]) & set(self.split.of("test")["id"]))

    def save(self, folder: Path) -> None:
        """Put the model in place in ``models/<variable>``, whole or not at all; the split is not written.

        Args:
            folder: of the variable.
        """
        aside = folder / f".{self.name}.{os.getpid()}"
        for left in folder.glob(f".{self.name}.*"):
            if re.fullmatch(r"\d+", left.suffix[1:]):  # what a kill left half written
                shutil.rmtree(left, ignore_errors=True)
        aside.mkdir(parents=True)
        files = {"model.onnx": self.model} | {f"fold{n}.onnx": fold for n, fold in enumerate(self.folds)}
        files["rows.csv"] = self.rows.to_csv(index=False, lineterminator="\n").encode()
        card = self.card | {"folds": len(self.folds), "files": {name: digest(data) for name, data in files.items()}}
        for name, data in files.items():
            write_bytes(aside / name, data)
        save_card(aside, card)
        _take_place(folder)
        aside.rename(folder / f".{self.name}{NEW}")  # from here on, it is the model
        _take_place(folder)
        for old in ("heads.npz", "card.json"):  # of visanda 0.1
            (folder / old).unlink(missing_ok=True)


def described(target: Target) -> dict[str, Any]:
    """A target as a card has it."""
    return asdict(target) | {"classes": list(target.classes)}


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def save_card(folder: Path, card: dict[str, Any]) -> None:
    """Write a card alone.

    Args:
        folder: of the model.
        card: of the model.
    """
    write_bytes(folder / "card.json", json.dumps(card, indent=2, ensure_ascii=False, default=_plain).encode())


def _plain(value: object) -> object:
    """Numbers of numpy as JSON has them."""
    return value.item() if isinstance(value, np.generic) else str(value)


def place(folder: Path, name: str) -> Path:
    """Where a model is, of ``models/<variable>``."""
    new = folder / f".{name}{NEW}"
    return new if new.exists() else folder / name


def names(folder: Path) -> list[str]:
    """The trained models in ``models/<variable>``, the one trained last first."""
    found = {_name(path.parent) for path in [*folder.glob("*/card.json"), *folder.glob(f".*{NEW}/card.json")]}
    return sorted((name for name in found if name), key=lambda name: (_when(place(folder, name)), name), reverse=True)


def _name(folder: Path) -> str:
    """The model that a folder holds; empty where it holds one that is not whole."""
    if not folder.name.startswith("."):
        return folder.name
    return folder.name[1 : -len(NEW)] if folder.name.endswith(NEW) else ""


def _when(folder: Path) -> str:
    try:
        return str(json.loads((folder / "card.json").read_text("utf-8")).get("trained", ""))
    except (OSError, ValueError):
        return ""


def load(folder: Path, name: str | None = None) -> Trained:
    """Read a trained model.

    Args:
        folder: ``models/<variable>``.
        name: of the model; the one trained last by default.

    Raises:
        InputError: there is none, or none of that name.
        CorpusError: its files are damaged, or an earlier version made them.
    """
    there = names(folder)
    if not there:
        if (folder / "heads.npz").exists():
            raise earlier_version(folder)
        raise InputError(f"nothing is trained for {folder.name!r} yet: 'visanda train {folder.name}'")
    if name is not None and name not in there:
        raise InputError(f"there is no model {name!r} of {folder.name!r}; there are: {', '.join(sorted(there))}")
    whole = place(folder, name or there[0])
    card, model, folds, rows = read_model(whole)
    split = read_split(folder)
    return Trained(card, model, folds, rows, split or Frozen(rows[["id", "set", "group"]]))


def read_model(folder: Path) -> tuple[dict[str, Any], bytes, tuple[bytes, ...], pd.DataFrame]:
    """A model's card, its ONNX, those of its folds, and its rows, which are the files that the card describes.

    Raises:
        CorpusError: one is missing, or is not the file that the card describes.
    """
    try:
        card = json.loads((folder / "card.json").read_text("utf-8"))
        data = {name: (folder / name).read_bytes() for name in card["files"]}
        changed = [name for name, sha256 in card["files"].items() if digest(data[name]) != sha256]
        folds = tuple(data[f"fold{number}.onnx"] for number in range(card["folds"]))
        model = data["model.onnx"]
        rows = pd.read_csv(folder / "rows.csv", keep_default_na=False, na_values=[""], dtype=_TEXT)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(f"{folder} is damaged ({error}): train again") from error
    if changed:
        raise CorpusError(f"{folder / changed[0]} is damaged: it is not the file that card.json describes; train again")
    return card, model, folds, rows


_TEXT = dict.fromkeys(("id", "group", "set", "value"), str)


def _take_place(folder: Path) -> None:
    """Let whole new models take the place of old ones."""
    for new in folder.glob(f".*{NEW}"):
        shutil.rmtree(folder / _name(new), ignore_errors=True)
        new.rename(folder / _name(new))
