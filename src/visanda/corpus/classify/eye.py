"""The eye: what a trained model says of pixels, whole or changed, without any table."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from visanda.errors import InputError
from visanda.learn.activation import activation_map
from visanda.learn.concepts import concepts_of
from visanda.learn.occlusion import occlusion_map
from visanda.learn.opened import Opened, opened, upper
from visanda.learn.target import Target
from visanda.learn.trained import Trained
from visanda.measure import Measure
from visanda.media import Image, at_sizes, load
from visanda.media.image import ImageLike
from visanda.models import imagenet_input, model
from visanda.models.own import Own
from visanda.models.sessions import verified
from visanda.models.squares import held_side, squared
from visanda.store import Store
from visanda.units import Box

BACKBONE, SIDE, HELD = "efficientnet_lite0", 224, 256  # of the measure embed, and how it sees pictures


@dataclass(frozen=True)
class Maker:
    """Makes of pictures what a model eats.

    Attributes:
        size: the shorter side to which pictures are reduced before; ``None``: every pixel.
        make: from pictures to features (n, d) float32, or to squares (n, side, side, 3) uint8.
        crop: which part of a picture is seen: ``square`` the middle, ``squash`` the whole.
        embeds: whether these are the features of the embedded backbone.
    """

    size: int | None
    make: Callable[[Sequence[Image]], np.ndarray]
    crop: str
    embeds: bool = False

    def read(self, picture: ImageLike) -> Image:
        """A picture at the size at which it is seen."""
        if isinstance(picture, str | Path):
            return load(picture, self.size)
        return at_sizes(Image.of(picture), [self.size])[self.size]

    def region(self, image: Image) -> Box:
        """What is seen of a picture: x, y, width and height in its pixels."""
        height, width = image.pixels.shape[:2]
        if self.crop != "square":
            return 0, 0, width, height
        side = min(height, width) * SIDE / HELD
        return (width - side) / 2, (height - side) / 2, side, side


def maker(store: Store, trained: Trained) -> Maker:
    """What makes of pictures what this model eats, as it was made when it learnt.

    Raises:
        InputError: it learnt of something that is not in the pixels.
    """
    features = trained.card["features"]
    if "pixels" in features:
        side, crop = int(features["pixels"]), features["crop"]
        return Maker(
            held_side(side, crop),
            lambda images: np.stack([squared(image.pixels, side, crop) for image in images]),
            crop,
        )
    table, column = str(features["table"]), features["column"]
    described = store.describe(table)
    if not described:
        raise InputError(
            f"{trained.name} learnt of the table {table!r}, which no measure made: what it sees in pixels is unknown"
        )
    measure = Measure.from_json(json.dumps(described))
    if measure.name == "classify":
        return Maker(measure.size, concepts_of, "square")
    crop = "square" if measure.name == "embed" else "squash"
    return Maker(
        measure.size,
        lambda images: np.asarray(measure(list(images))[column], np.float32),
        crop,
        embeds=measure.name == "embed",
    )


@cache
def _backbone() -> tuple[Opened, Own]:
    """The embedded backbone up to its pooling."""
    cut = opened(verified(model(BACKBONE)), "feat")
    assert cut is not None, "the embedded backbone pools over places"
    return cut, Own(cut.lower)


class Eye:
    """One model, looked through.

    Args:
        makes: of pictures what it eats.
        data: the model, ONNX.
        target: what it predicts.
    """

    def __init__(self, makes: Maker, data: bytes, target: Target) -> None:
        self.makes, self.target = makes, target
        self._model, self._data = Own(data), data
        self._cut: Opened | None = None
        self._lower: Own | None = None
        self._upper: Own | None = None
        if makes.embeds:
            self._cut, self._lower = _backbone()
        elif self._model.input == "pixels" and (cut := opened(data)):
            self._cut, self._lower = cut, Own(cut.lower)

    @property
    def maps(self) -> bool:
        """Whether it can be asked for activation maps: its network averages over places."""
        return self._cut is not None

    def scores(self, images: Sequence[Image]) -> np.ndarray:
        """What it says of pictures: (n, outputs)."""
        return self._model(self.makes.make(images))

    def of_features(self, features: np.ndarray) -> np.ndarray:
        """What it says of what it eats: (n, outputs)."""
        return self._model(np.ascontiguousarray(features))

    def activation(self, image: Image, output: int) -> np.ndarray:
        """What each place of what is seen of a picture speaks for an output: (rows, columns).

        Raises:
            InputError: the network does not average over places.
        """
        return activation_map(self._places(image), self._of_places, output, self.target)

    def features(self, image: Image) -> np.ndarray:
        """Where a picture lies for the model: what it eats, or the mean over places where it eats pictures, (d,).

        Raises:
            InputError: it eats pictures, and does not average over places.
        """
        if self._model.input == "pixels":
            return self._places(image).mean(axis=(2, 3))[0]
        return self.makes.make([image])[0]

    def _places(self, image: Image) -> np.ndarray:
        if self._lower is None:
            raise InputError(
                "this model does not average features over places, so that it has no activation maps: --how occlusion"
            )
        return self._lower(imagenet_input(image.pixels) if self.makes.embeds else self.makes.make([image]))

    def _of_places(self, places: np.ndarray) -> np.ndarray:
        if self.makes.embeds:
            features = places.mean(axis=(2, 3))
            return self._model(features / np.linalg.norm(features, axis=1, keepdims=True))
        if self._upper is None:
            assert self._cut is not None, "there are places"
            self._upper = Own(upper(self._data, self._cut, places.shape))
        return self._upper(places)

    def occlusion(self, image: Image, output: int) -> np.ndarray:
        """What each part of what is seen of a picture speaks for an output: (rows, columns)."""
        left, top, width, height = (round(side) for side in self.makes.region(image))

        def of_seen(batch: np.ndarray) -> np.ndarray:
            wholes = []
            for seen in batch:
                pixels = np.array(image.pixels)
                pixels[top : top + height, left : left + width] = seen
                wholes.append(Image(pixels, image.width, image.height))
            return self.scores(wholes)

        seen = np.array(image.pixels[top : top + height, left : left + width])
        return occlusion_map(seen, of_seen, output, self.target)
