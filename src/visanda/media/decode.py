"""Decoding: a file or its bytes in, an upright `Image` out, full or reduced."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from visanda.media.files import opened
from visanda.media.image import Image
from visanda.media.pixels import read_pixels, reduced_size, shrink


def decode(data: bytes, size: int | None = None) -> Image:
    """Decodes a picture: upright, 8-bit RGB, on white where transparent, the first frame of an animation.

    Args:
        data: the whole file.
        size: pixels to which the shorter side is reduced; never enlarged; None for the full picture.

    Raises:
        MediaError: the file is empty, no picture, truncated, corrupt or too large; says which.
        InputError: ``size`` is not a whole number of at least 1.
    """
    return decode_at(data, [size])[size]


def decode_at(data: bytes, sizes: Iterable[int | None]) -> dict[int | None, Image]:
    """Decodes a picture once for several wanted sizes.

    The pixels of one size are bit for bit those that `decode` gives for that size alone: what a measure sees
    depends on the file and on its own size, not on the measures run beside it.

    Args:
        data: the whole file.
        sizes: see `decode`.

    Returns:
        An `Image` for each of the sizes.

    Raises:
        MediaError: see `decode`.
        InputError: see `decode`.
    """
    pixels, width, height = read_pixels(data, sizes)
    return {size: Image(held, width, height) for size, held in pixels.items()}


def at_sizes(image: Image, sizes: Iterable[int | None]) -> dict[int | None, Image]:
    """A picture that is decoded already, such as a frame of a video, in several sizes; see `decode_at`."""
    height, width = image.pixels.shape[:2]
    found = {}
    for size in sizes:
        target = reduced_size(width, height, size)
        whole = target == (width, height)
        found[size] = image if whole else Image(shrink(image.pixels, *target), image.width, image.height)
    return found


def load(path: str | Path, size: int | None = None) -> Image:
    """Decodes a picture from its file.

    Args:
        path: the file.
        size: see `decode`.

    Raises:
        MediaError: the file is missing, a folder, unreadable, or see `decode`; names the path.
        InputError: see `decode`.
    """
    with opened(path) as data:
        return decode(data, size)
