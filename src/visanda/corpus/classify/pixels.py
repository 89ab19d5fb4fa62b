"""Pixels: what a model says of pictures that are in no table, decoded for it one by one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from visanda.corpus.classify.zeroshot import CONCEPTS
from visanda.errors import MediaError
from visanda.learn.concepts import concepts_of
from visanda.learn.trained import Trained
from visanda.measure import Measure
from visanda.media import Image, at_sizes, load
from visanda.media.image import ImageLike
from visanda.models.own import Own
from visanda.models.squares import Crop, held_side, squared
from visanda.progress import progress
from visanda.store import Store

NO_NUMBERS = "the model's scores are no numbers"


@dataclass(frozen=True)
class Looker:
    """A model as it looks at one picture.

    Attributes:
        size: the shorter side that the picture is reduced to before, in pixels; ``None``: every pixel.
        score: gives the outputs (k,) of such a picture.
    """

    size: int | None
    score: Callable[[Image], np.ndarray]


def looker(trained: Trained) -> Looker:
    """How a model looks at a picture: by itself, or through the measure that its vectors come from.

    Raises:
        InputError: the measure is not installed.
    """
    run, features = Own(trained.model), trained.card["features"]
    if "pixels" in features:
        side, crop = run.width, _crop(features["crop"])
        return Looker(held_side(side, crop), lambda image: run(squared(image.pixels, side, crop)[None])[0])
    measure = Measure.from_json(json.dumps(trained.card["embedding"]))
    if measure.name == CONCEPTS:
        return Looker(measure.size, lambda image: run(concepts_of([image]))[0])

    def score(image: Image) -> np.ndarray:
        vector = np.asarray(measure([image])["embedding"]).reshape(1, -1)
        return run(vector.astype(np.float16).astype(np.float32))[0]  # as tables hold them

    return Looker(measure.size, score)


def _crop(name: object) -> Crop:
    return "squash" if name == "squash" else "square"


def scores_of_pictures(store: Store, trained: Trained, ids: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """What a model gives out for some units of a corpus; those that cannot be read are left out."""
    paths = store.paths(ids)
    there = [id for id in ids if id in paths]
    made = dict(zip(there, outputs(looker(trained), [paths[id] for id in there]), strict=True))
    good = {id: row for id, row in made.items() if not isinstance(row, str)}
    return list(good), np.stack(list(good.values())) if good else np.empty((0, trained.target.outputs), np.float32)


def outputs(model: Looker, pictures: Sequence[ImageLike]) -> Iterator[np.ndarray | str]:
    """A row of outputs (k,) a picture, or what is wrong with it; one picture at a time in a thread a core.

    Args:
        model: that looks.
        pictures: files, moments of videos, parts of pictures.
    """

    def one(picture: ImageLike) -> np.ndarray | str:
        try:
            if isinstance(picture, str | Path):
                image = load(picture, model.size)
            else:
                image = at_sizes(Image.of(picture), [model.size])[model.size]
            row = model.score(image)
        except MediaError as error:
            return str(error)
        return row if np.isfinite(row).all() else NO_NUMBERS

    with ThreadPoolExecutor(os.cpu_count()) as pool, progress("apply", len(pictures)) as advance:
        for row in pool.map(one, pictures):
            yield row
            advance()
