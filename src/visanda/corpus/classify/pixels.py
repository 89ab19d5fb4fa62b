"""Pixels: models that eat pictures, on a few of them that are in no table."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from visanda.errors import MediaError
from visanda.learn.trained import Trained
from visanda.media import Image, at_sizes, load
from visanda.media.image import ImageLike
from visanda.models.own import Own
from visanda.models.squares import held_side, squared
from visanda.progress import progress
from visanda.store import Store


def scores_of_pictures(store: Store, trained: Trained, ids: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """What a model that eats pictures gives out for some units of a corpus; those that cannot be read are left out."""
    paths = store.paths(ids)
    there = [id for id in ids if id in paths]
    made = dict(zip(there, outputs(trained.model, trained.card["features"], [paths[id] for id in there]), strict=True))
    good = {id: row for id, row in made.items() if not isinstance(row, str)}
    return list(good), np.stack(list(good.values())) if good else np.empty((0, trained.target.outputs), np.float32)


def outputs(model: bytes, features: Mapping[str, object], pictures: Sequence[ImageLike]) -> Iterator[np.ndarray | str]:
    """A row of outputs (k,) a picture, or what is wrong with it; a picture at a time in each of as many threads as cores.

    Args:
        model: ONNX that takes ``pixels``.
        features: of its card: ``pixels`` (S) and ``crop``.
        pictures: files, moments of videos, parts of pictures.
    """
    run, crop = Own(model), "squash" if features["crop"] == "squash" else "square"
    side = run.width
    size = held_side(side, crop)  # type: ignore[arg-type]

    def one(picture: ImageLike) -> np.ndarray | str:
        try:
            image = (
                load(picture, size) if isinstance(picture, str | Path) else at_sizes(Image.of(picture), [size])[size]
            )
        except MediaError as error:
            return str(error)
        return run(squared(image.pixels, side, crop)[None])[0]  # type: ignore[arg-type]

    with ThreadPoolExecutor(os.cpu_count()) as pool, progress("apply", len(pictures)) as advance:
        for row in pool.map(one, pictures):
            yield row
            advance()
