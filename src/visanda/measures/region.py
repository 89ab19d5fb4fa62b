"""Region of interest: which pixels of a video's frames count."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from visanda.errors import InputError, MediaError
from visanda.media import load

Area = Callable[[int, int], np.ndarray | None]
"""From height and width in pixels of a frame to (height, width) uint8, 255 where it counts; ``None``: everywhere."""


def area_of_interest(region: str, mask: str) -> Area:
    """The pixels that count: those inside a rectangle and bright in a picture.

    Args:
        region: ``x,y,width,height`` of a rectangle as shares of the frame, 0 to 1, from its upper left corner;
            empty for the whole frame.
        mask: path of a picture, stretched to the frame, whose pixels brighter than 127 count; empty for all.

    Raises:
        InputError: the region is no such text, the mask cannot be read, or, when it meets a frame, nothing is left.

    >>> area_of_interest("0.5,0,0.5,1", "")(1, 4)
    array([[  0,   0, 255, 255]], dtype=uint8)
    """
    rectangle = _rectangle(region) if region else None
    bright = _bright(mask) if mask else None
    if rectangle is None and bright is None:
        return lambda height, width: None

    @lru_cache(1)
    def area(height: int, width: int) -> np.ndarray:
        inside = np.full((height, width), 255, np.uint8)
        if bright is not None:
            stretched = cv2.resize(bright, (width, height), interpolation=cv2.INTER_AREA)
            inside = np.where(stretched > 127, np.uint8(255), np.uint8(0))
        if rectangle is not None:
            inside = inside & _drawn(rectangle, height, width)
        if not inside.any():
            raise InputError(f"no pixel is left to measure by region={region!r} and mask={mask!r}")
        return inside

    return area


def _rectangle(region: str) -> tuple[float, ...]:
    try:
        x, y, width, height = (float(part) for part in region.split(","))
    except ValueError:
        x = y = width = height = -1.0
    if not (0 <= x < x + width <= 1 + 1e-9 and 0 <= y < y + height <= 1 + 1e-9):
        raise InputError(
            f"a region is x,y,width,height as shares of the picture from 0 to 1, as 0.25,0,0.5,1, not {region!r}"
        )
    return x, y, width, height


def _drawn(rectangle: tuple[float, ...], height: int, width: int) -> np.ndarray:
    """The rectangle in a frame, at least one pixel of it."""
    x, y, wide, high = rectangle
    left, top = min(round(x * width), width - 1), min(round(y * height), height - 1)
    drawn = np.zeros((height, width), np.uint8)
    drawn[top : max(top + 1, round((y + high) * height)), left : max(left + 1, round((x + wide) * width))] = 255
    return drawn


def _bright(mask: str) -> np.ndarray:
    try:
        return cv2.cvtColor(load(mask).pixels, cv2.COLOR_RGB2GRAY)
    except MediaError as error:
        raise InputError(f"the mask is no picture that can be read: {error}") from error
