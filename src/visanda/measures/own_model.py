"""Your own model: what a network that you, or somebody else, trained and exported says of pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np

from visanda.errors import InputError
from visanda.measure import measure
from visanda.media import Image
from visanda.models import Model
from visanda.models.own import Own
from visanda.models.squares import Crop, held_side, squared

EXAMPLE = Path(__file__).parents[1] / "sample" / "own_model"


class _Opened:
    """A model in a folder, checked and loaded."""

    def __init__(self, folder: Path) -> None:
        try:
            card = json.loads((folder / "card.json").read_text("utf-8"))
            data = (folder / "model.onnx").read_bytes()
            self.crop: Crop = card["features"]["crop"]
            self.side = int(card["features"]["pixels"])
            self.sha256 = hashlib.sha256(data).hexdigest()
            said = card["files"]["model.onnx"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"own_model: {folder} holds no model that eats pictures ({type(error).__name__}: {error}): give a "
                "folder that 'visanda models export' wrote"
            ) from error
        if said != self.sha256:
            raise InputError(
                f"own_model: {folder / 'model.onnx'} is damaged: it is not the file that card.json describes"
            )
        self.run = Own(data)
        if self.run.input != "pixels" or self.run.width != self.side:
            raise InputError(f"own_model: {folder / 'model.onnx'} does not take pixels of {self.side} × {self.side}")
        self.card = Model(
            name=f"{card['variable']} ({card['name']})",
            task=f"{card['variable']}: {', '.join(card['target']['classes']) or 'a number'}",
            file="model.onnx",
            sha256=self.sha256,
            licence=str(card.get("licence", "")),
            source=str(card.get("model", "")),
            trained_on=f"{sum(card.get('train', {}).values())} coded pictures",
            intended_use=str(card.get("intended_use", "the study that it was trained for")),
            known_limits=str(card.get("known_limits", "It was tested on pictures of that study only.")),
        )


@lru_cache(maxsize=4)
def _kept(folder: Path, when: tuple[int, int]) -> _Opened:
    return _Opened(folder)


def _opened(model: str) -> _Opened:
    """The model, loaded once a process for as long as its files are the same."""
    folder = Path(model).expanduser()
    if not (folder / "card.json").is_file() or not (folder / "model.onnx").is_file():
        raise InputError(f"own_model: {model} is no folder with a model: it needs model.onnx and card.json")
    return _kept(folder, ((folder / "card.json").stat().st_mtime_ns, (folder / "model.onnx").stat().st_mtime_ns))


def _size(model: str) -> int:
    opened = _opened(model)
    return held_side(opened.side, opened.crop)


def _cards(model: str) -> list[Model]:
    return [_opened(model).card]


@measure(
    columns={"scores": cast(type, list[float])},
    size=_size,
    models=_cards,
    source="your own model: see its card",
    example={"model": str(EXAMPLE)},
)
def own_model(images: Sequence[Image], *, model: str) -> dict[str, list[list[float]]]:
    """What a model of your own says: one that was fine-tuned here, or exported by anybody who uses visanda.

    ``visanda apply`` runs it and puts names to the numbers; measure it by hand to run several side by side.

    Args:
        images: n pictures.
        model: a folder with ``model.onnx`` and ``card.json``, as ``visanda models export`` writes it.

    Returns:
        ``scores``: k numbers a picture, in the order of the values in the model's card: calibrated probabilities, or
        the expected value of a scale of numbers.

    Raises:
        InputError: the folder holds no such model, or one that is damaged.
    """
    opened = _opened(model)
    # One picture at a time: as fast on a CPU as a batch, and its numbers do not depend on its neighbours.
    squares = (squared(image.pixels, opened.side, opened.crop) for image in images)
    return {"scores": [opened.run(np.ascontiguousarray(square[None]))[0].astype(float).tolist() for square in squares]}
