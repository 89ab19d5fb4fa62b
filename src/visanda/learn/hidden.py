"""Parts of pictures hidden: what is left tells what a classifier rests on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Box = tuple[float, float, float, float]  # x, y, width, height

GREY = np.array([124, 116, 104], np.uint8)  # the mean colour of ImageNet's photos: it says nothing
INNER = 0.7  # of each side: the centre that is kept, or hidden
CORNER = 0.25  # of each side
CORNERS = ("upper left", "upper right", "lower left", "lower right")


def centre_kept(pixels: np.ndarray) -> np.ndarray:
    """The picture with all but its inner 70 % of each side grey."""
    top, bottom, left, right = _inner(pixels)
    found = np.empty_like(pixels)
    found[:] = GREY
    found[top:bottom, left:right] = pixels[top:bottom, left:right]
    return found


def border_kept(pixels: np.ndarray) -> np.ndarray:
    """The picture with its inner 70 % of each side grey."""
    top, bottom, left, right = _inner(pixels)
    found = np.array(pixels)
    found[top:bottom, left:right] = GREY
    return found


def corners_hidden(pixels: np.ndarray, corners: Sequence[str] = CORNERS) -> np.ndarray:
    """The picture with some of its corners grey, a quarter of each side."""
    found = np.array(pixels)
    rows, columns = (max(1, round(CORNER * side)) for side in pixels.shape[:2])
    for corner in corners:
        down = slice(None, rows) if corner.startswith("upper") else slice(-rows, None)
        across = slice(None, columns) if corner.endswith("left") else slice(-columns, None)
        found[down, across] = GREY
    return found


def boxes_hidden(pixels: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
    """The picture with boxes (x, y, width, height in its pixels) grey."""
    found = np.array(pixels)
    for x, y, width, height in boxes:
        found[max(0, int(y)) : int(np.ceil(y + height)), max(0, int(x)) : int(np.ceil(x + width))] = GREY
    return found


def _inner(pixels: np.ndarray) -> tuple[int, int, int, int]:
    height, width = pixels.shape[:2]
    edge = (1 - INNER) / 2
    return round(edge * height), round((1 - edge) * height), round(edge * width), round((1 - edge) * width)
