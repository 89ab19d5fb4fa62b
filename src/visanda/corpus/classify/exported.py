"""Exported: a folder with a model that opens anywhere, and all that somebody else must know of it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from visanda.codebook import variable as in_codebook
from visanda.corpus.classify.model_card import readme
from visanda.errors import CorpusError, InputError
from visanda.learn.frozen import Frozen, times_looked
from visanda.learn.merged import NETWORK, SIDE, merged
from visanda.learn.trained import Trained, digest
from visanda.models import MODELS, alone
from visanda.models.own import Own
from visanda.models.squares import held_side
from visanda.store import Store

SUMS = "SHA256SUMS.json"
EXAMPLES = 4  # squares of made-up pixels: pictures of a study are not for strangers
INSIDE = "embed"  # the measure whose network can be put before a head
USE = (
    "Coding pictures like those it was trained on, for the study that it was trained for; elsewhere, only after codes "
    "of your own have told how good it is there. It is not for decisions about single persons."
)
LIMITS = (
    "It was trained and tested on pictures of one study only. Its probabilities are calibrated for the shares of "
    "values there. Its errors may differ between groups of pictures: see the test by subgroups, where there is one."
)


def export(store: Store, trained: Trained, folder: Path) -> list[Path]:
    """Write a model into a folder of its own, whole or not at all.

    Args:
        store: the corpus.
        trained: the model.
        folder: where; an earlier export there is replaced.

    Returns:
        The files.

    Raises:
        InputError: the folder holds something else, or the model rests on vectors that visanda cannot make.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / SUMS).exists():
        raise InputError(f"{folder} holds something else: name a new folder")
    model, features = _whole(trained)
    card = _card(trained, features, model)
    files: dict[str, bytes] = {
        "model.onnx": model,
        "card.json": _json(card),
        "labels.json": _json({"scale": trained.target.scale, "values": list(trained.target.classes)}),
        "preprocessing.json": _json(features | {"held": held_side(features["pixels"], features["crop"])}),
        "split.csv": _split(trained).to_csv(index=False, lineterminator="\n").encode(),
        "example.npz": _example(model),
        "predict.py": Path(alone.__file__).read_bytes(),
        "README.md": _readme(store, trained, card).encode(),
    }
    files[SUMS] = _json({name: digest(data) for name, data in files.items()})
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for name, data in files.items():
            (aside / name).write_bytes(data)
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from error
    return [folder / name for name in files]


def _split(trained: Trained) -> pd.DataFrame:
    """What it was trained and tested on: id and set; of a test set that was frozen later, only what it had not seen."""
    learnt = trained.rows[["id", "set"]] if len(trained.rows) else pd.DataFrame({"id": [], "set": []}, dtype=str)
    test = trained.split.of("test")[["id", "set"]]
    both = pd.concat([learnt, test[~test["id"].isin(learnt["id"])]])
    return both.sort_values("id", ignore_index=True)


def _json(what: object) -> bytes:
    return (json.dumps(what, indent=2, ensure_ascii=False, default=str) + "\n").encode()


def _whole(trained: Trained) -> tuple[bytes, dict[str, Any]]:
    """The model from pixels on, and how pixels are made."""
    features = dict(trained.card["features"])
    if "pixels" in features:
        return trained.model, features
    embedding = trained.card.get("embedding") or {}
    if embedding.get("name") != INSIDE or features.get("column") != "embedding":
        raise InputError(
            f"the model {trained.name!r} rests on the table {features.get('table')!r}, whose network visanda cannot "
            "put into a file: train a head on embed, or a network with --model finetune --layers frozen --backbone NAME"
        )
    return merged(trained.model), {"pixels": SIDE, "crop": "square"}


def _card(trained: Trained, features: Mapping[str, Any], model: bytes) -> dict[str, Any]:
    backbone = trained.card["settings"].get("backbone", {}) if trained.card["kind"] == "finetune" else {}
    card = MODELS[NETWORK]
    licence = f"The network: {backbone.get('licence') or card.licence} ({backbone.get('source') or card.source}). "
    return dict(trained.card) | {
        "features": dict(features),
        "folds": 0,
        "files": {"model.onnx": digest(model)},
        "licence": licence + "What was trained on it: as its makers say.",
        "intended_use": USE,
        "known_limits": LIMITS,
    }


def _example(model: bytes) -> bytes:
    """Made-up squares, and the scores that belong to them."""
    run = Own(model)
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, (EXAMPLES, 8, 8, 3), dtype=np.uint8)
    times = -(-run.width // 8)
    pixels = coarse.repeat(times, axis=1).repeat(times, axis=2)[:, : run.width, : run.width]
    scores = np.concatenate([run(square[None]) for square in pixels])
    buffer = BytesIO()
    np.savez_compressed(buffer, pixels=pixels, scores=scores)
    return buffer.getvalue()


def _readme(store: Store, trained: Trained, card: Mapping[str, Any]) -> str:
    variable = str(card["variable"])
    said: list[str] = []
    path = store.results / f"{variable}-reliability.json"
    if path.exists():
        said = json.loads(path.read_text("utf-8"))["words"]
    return readme(
        card,
        in_codebook(store.folder, variable),
        reliability=said,
        validity=pd.DataFrame(card["validity"]) if card.get("validity") else None,
        looks=times_looked(store.models / variable),
    )


def imported(folder: Path) -> Trained:
    """A model that somebody exported, after its files were checked.

    Raises:
        InputError: the folder holds no such model.
        CorpusError: a file is damaged, or its labels are not what the model gives out.
    """
    if not (folder / SUMS).is_file():
        raise InputError(f"{folder} holds no exported model (no {SUMS}): 'visanda models export' makes one")
    try:
        sums = json.loads((folder / SUMS).read_text("utf-8"))
        missing = {"model.onnx", "card.json", "labels.json", "preprocessing.json", "split.csv"} - set(sums)
        if missing:
            raise CorpusError(f"{folder / SUMS} does not name {', '.join(sorted(missing))}: get the model again")
        changed = [name for name, sha256 in sums.items() if digest((folder / name).read_bytes()) != sha256]
        card = json.loads((folder / "card.json").read_text("utf-8"))
        labels = json.loads((folder / "labels.json").read_text("utf-8"))
        model = (folder / "model.onnx").read_bytes()
        sets = pd.read_csv(folder / "split.csv", dtype=str, keep_default_na=False)[["id", "set"]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorpusError(f"the model in {folder} is damaged ({error}): get it again") from error
    if changed:
        raise CorpusError(f"{folder / changed[0]} is damaged: it is not the file that was exported. Get it again")
    split = Frozen(sets.assign(group=sets["id"]), card["split"])
    trained = Trained(card, model, rows=split.of("train", "validation"), split=split)
    _check(trained, labels, folder)
    return trained


def _check(trained: Trained, labels: Mapping[str, Any], folder: Path) -> None:
    """See that card, labels and model speak of the same values."""
    target = trained.target
    if labels.get("scale") != target.scale or list(labels.get("values", [])) != list(target.classes):
        raise CorpusError(f"labels.json and card.json in {folder} name different values: get the model again")
    run = Own(trained.model)
    if run.input != "pixels" or run.width != trained.card["features"]["pixels"]:
        raise CorpusError(f"{folder / 'model.onnx'} does not take the pixels that card.json describes")
    outputs = run(np.zeros((1, run.width, run.width, 3), np.uint8)).shape[1]
    if outputs != target.outputs:
        raise CorpusError(
            f"{folder / 'model.onnx'} gives {outputs} scores, and labels.json names {target.outputs} values"
        )
