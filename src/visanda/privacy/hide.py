"""Hiding parts of a picture so that what was there cannot be read back.

Plain blurring and plain pixelation are not safe: networks trained on hidden faces name most of the people in them
(McPherson, Shokri & Shmatikov 2016), numbers and letters are found by hiding all candidates and comparing (Hill et al.
2016), and a Gaussian blur can in part be inverted. Here, both are made from the same few numbers: the mean colours
of `CELLS` × `CELLS` cells, laid over the box and what is around it, changed by noise that nobody can compute again.
A blur shows them smoothly, pixelation as squares; neither knows more of the box than these. That still tells the
colour of skin, hair and clothes, and somebody who has a handful of candidates may guess better than by chance:
only ``fill`` keeps nothing of what was there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from visanda.errors import InputError

HOW = ("blur", "pixelate", "fill")
CELLS = 6  # a side, over the shape; about four of them lie across the box itself
LEAST = 4  # pixels a side of a cell: small boxes have fewer cells, or their pixels would be shown as they are
NOISE = 10.0  # standard deviation of what is added to each mean colour, of 255
GROW = 1.06  # how much larger than the box what is hidden is, before the oval goes round it: hair and chin belong to it
EDGE = 0.12  # of the shape's smaller half: a soft edge, outside of the shape
FILL = (0, 0, 0)

Colours = np.ndarray
"""(cells, cells, 3) float32, 0–255: all that is kept of a box."""


def hide(
    pixels: np.ndarray,
    boxes: np.ndarray,
    how: str,
    *,
    oval: bool = True,
    grow: float = GROW,
    cells: int = CELLS,
    colours: Sequence[Colours] | None = None,
) -> np.ndarray:
    """A copy of a picture in which boxes are hidden.

    The box itself is hidden wholly: an oval is drawn round it through its corners, and the soft edge lies outside.

    Args:
        pixels: (H, W, 3) uint8, RGB.
        boxes: (n, 4) x, y, width and height in pixels; they may reach beyond the border.
        how: ``blur``, ``pixelate`` or ``fill``; only ``fill`` (black) keeps nothing of what was there.
        oval: as for faces; else a rectangle, as for text and people.
        grow: times by which width and height of each box are enlarged first, at least 1.
        cells: mean colours a side that are kept, at most, by ``blur`` and ``pixelate``.
        colours: what `mean_colours` gave for each box, so that a video shows the same ones over time and does not
            tell a little more with each frame; computed from ``pixels`` if not given.

    Raises:
        InputError: another ``how``, boxes of another shape or not finite, ``grow`` below 1, or no cells.

    Example:
        >>> picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
        >>> hidden = hide(picture, np.array([[20, 10, 30, 40]]), "fill")
        >>> int(hidden[10:50, 20:50].max())
        0
    """
    boxes = checked(pixels, boxes)
    if how not in HOW:
        raise InputError(f"how to hide must be one of {', '.join(HOW)}, not {how!r}")
    if not (grow >= 1 and cells >= 1):
        raise InputError(f"grow must be at least 1 and cells too, not {grow!r} and {cells!r}")
    hidden = pixels.copy()
    for number, box in enumerate(boxes):
        shape = around(box, oval, grow)
        if not _within(shape, pixels):
            continue
        if how == "fill":
            kept = np.full((1, 1, 3), FILL, np.float32)
        else:
            kept = colours[number] if colours is not None else mean_colours(pixels, box, oval, grow, cells)
        _paint(hidden, shape, kept, oval, smooth=how == "blur")
    return hidden


def mean_colours(
    pixels: np.ndarray, box: np.ndarray, oval: bool = True, grow: float = GROW, cells: int = CELLS
) -> Colours:
    """All that ``blur`` and ``pixelate`` keep of a box: the mean colours of few cells, with noise added.

    The noise differs at each call: one that could be computed again could be taken off again.

    Args:
        pixels: (H, W, 3) uint8, RGB.
        box: x, y, width and height in pixels.
        oval: see `hide`.
        grow: see `hide`.
        cells: a side, at most.
    """
    left, top, right, bottom = _within(around(box, oval, grow), pixels) or (0, 0, 1, 1)
    part = pixels[top:bottom, left:right]
    cells = max(1, min(cells, min(part.shape[:2]) // LEAST))
    means = cv2.resize(part.astype(np.float32), (cells, cells), interpolation=cv2.INTER_AREA)
    return np.clip(means + np.random.default_rng().normal(0, NOISE, means.shape), 0, 255).astype(np.float32)


def around(box: np.ndarray, oval: bool, grow: float) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the shape that hides a box: of an oval, through the corners of the box."""
    x, y, width, height = (float(value) for value in box)
    scale = grow * (math.sqrt(2) if oval else 1) / 2
    across, down = width * scale, height * scale
    return x + width / 2 - across, y + height / 2 - down, x + width / 2 + across, y + height / 2 + down


def checked(pixels: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The boxes as (n, 4) float64.

    Raises:
        InputError: no picture, or boxes that are none.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise InputError(f"pixels must be (height, width, 3) uint8 RGB, not {pixels.shape} {pixels.dtype}")
    boxes = np.asarray(boxes, float)
    boxes = boxes.reshape(-1, 4) if boxes.size == 0 else boxes
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all() or (boxes[:, 2:] < 0).any():
        raise InputError("boxes must be (n, 4) finite numbers: x, y, width and height in pixels")
    return boxes


def _within(shape: tuple[float, float, float, float], pixels: np.ndarray) -> tuple[int, int, int, int] | None:
    """The part of a shape's rectangle that lies in the picture, in whole pixels; ``None`` where none does."""
    height, width = pixels.shape[:2]
    left, top = max(0, math.floor(shape[0])), max(0, math.floor(shape[1]))
    right, bottom = min(width, math.ceil(shape[2])), min(height, math.ceil(shape[3]))
    return (left, top, right, bottom) if left < right and top < bottom else None


def _paint(
    hidden: np.ndarray, shape: tuple[float, float, float, float], kept: Colours, oval: bool, smooth: bool
) -> None:
    """Draws the colours over the shape and softly beyond it, in place."""
    left, top, right, bottom = shape
    # The rim, in pixels: one more than the edge, so that rounding never bares a pixel of the box.
    rim = 1 + EDGE * min(right - left, bottom - top) / 2
    frame = _within((left - rim, top - rim, right + rim, bottom + rim), hidden)
    if frame is None:
        return
    x = np.arange(frame[0], frame[2], dtype=np.float32) + 0.5
    y = np.arange(frame[1], frame[3], dtype=np.float32) + 0.5
    opaque = _opaque(x - (left + right) / 2, y - (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2, rim, oval)
    seen = _within(shape, hidden) or frame
    painted = _spread(kept, x, y, seen, smooth)
    part = hidden[frame[1] : frame[3], frame[0] : frame[2]]
    mixed = part + (painted - part) * opaque[:, :, None]
    part[:] = np.clip(np.round(mixed), 0, 255).astype(np.uint8)


def _opaque(x: np.ndarray, y: np.ndarray, across: float, down: float, rim: float, oval: bool) -> np.ndarray:
    """How opaque each pixel is, (h, w), 0–1: 1 in the shape, and falling to 0 over the rim around it.

    Pixels count by their nearest corner, not their centre: whatever the shape touches is hidden.
    """
    x, y = np.maximum(np.abs(x)[None, :] - 0.5, 0), np.maximum(np.abs(y)[:, None] - 0.5, 0)
    across, down = max(across, 0.5), max(down, 0.5)
    if oval:
        beyond = (np.hypot(x / across, y / down) - 1) * min(across, down)
    else:
        beyond = np.hypot(np.maximum(x - across, 0), np.maximum(y - down, 0))
    return np.clip(1 - np.maximum(beyond, 0) / rim, 0, 1)


def _spread(kept: Colours, x: np.ndarray, y: np.ndarray, seen: tuple[int, int, int, int], smooth: bool) -> np.ndarray:
    """The few colours over all pixels, (h, w, 3): squares, or smoothly from the middle of each to the next."""
    cells = len(kept)
    across = ((x - seen[0]) / (seen[2] - seen[0]) * cells).astype(np.float32)
    down = ((y - seen[1]) / (seen[3] - seen[1]) * cells).astype(np.float32)
    if not smooth:
        columns, rows = np.clip(across, 0, cells - 1).astype(int), np.clip(down, 0, cells - 1).astype(int)
        return kept[rows][:, columns]
    blurred = cv2.GaussianBlur(kept, (0, 0), 0.7, borderType=cv2.BORDER_REPLICATE)
    grid = np.meshgrid(across - 0.5, down - 0.5)
    return cv2.remap(blurred, grid[0], grid[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
