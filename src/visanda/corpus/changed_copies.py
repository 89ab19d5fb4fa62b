"""Changed copies of a picture: what happens to pictures on their way through platforms, and small edits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from visanda.media import Image, crop, decode, flip, resize
from visanda.media.save import encode

BORDER = 5  # percent of each side that is cut off
TENTH = 0.1


def _again(image: Image, format: str, quality: int) -> Image:
    """As it looks after it was written and read again."""
    return decode(encode(image, format, quality))


def _half(image: Image) -> Image:
    return resize(image, max(1, round(image.width / 2)), max(1, round(image.height / 2)), how="exact")


def _without_border(image: Image) -> Image:
    return crop(image, f"percent:{BORDER},{BORDER},{100 - 2 * BORDER},{100 - 2 * BORDER}")


def _lit(image: Image, factor: float) -> Image:
    """Every channel times a factor; what would be brighter than white is white."""
    pixels = np.clip(np.rint(image.pixels * np.float32(factor)), 0, 255).astype(np.uint8)
    return Image(pixels, image.width, image.height)


CHANGES: dict[str, Callable[[Image], Image]] = {
    "jpeg-60": partial(_again, format="JPEG", quality=60),
    "jpeg-30": partial(_again, format="JPEG", quality=30),
    "webp-60": partial(_again, format="WEBP", quality=60),
    "half-size": _half,
    "crop-5": _without_border,
    "mirror": flip,
    "brighter-10": partial(_lit, factor=1 + TENTH),
    "darker-10": partial(_lit, factor=1 - TENTH),
}
"""Changes by name: JPEG and WebP of a quality; half of both sides; 5 % of each side cut off; left and right swapped;
brightness 10 % up and down."""
