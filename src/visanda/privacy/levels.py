"""How hard something is hidden: as it was asked for, and harder each time that it is found again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from visanda.privacy.hide import CELLS, GROW, Colours, hide

OVAL = {"face"}  # kinds that are hidden under an oval; all others under a rectangle
ROUNDS = 3  # of looking again at a video and hiding harder; each writes it anew
PICTURE_ROUNDS = 5  # the same for pictures, in which a crowd may need more
AGAIN = 0.3  # share of the smaller box by which what is found again belongs to what was hidden
FILLED = 0.75  # share of a box that is found again from which on it is the mask that is seen: an oval covers 0.785

LARGER = 2.0  # times the area of what is hidden, from which on what is found around it may be the mask and no face
SAME = 0.5  # share of their union by which two boxes are of one thing

BoxesByKind = Mapping[str, np.ndarray]
"""``{"face": (n, 4) x, y, width and height in pixels, …}``"""

Find = Callable[[np.ndarray], BoxesByKind]
"""What must not be seen in a picture, (H, W, 3) uint8 RGB: a detector, asked again about what was hidden."""


class Level(NamedTuple):
    """How hard a box is hidden: how, how much larger than the box, and with how many cells at most."""

    how: str
    grow: float
    cells: int


class Hidden(NamedTuple):
    """A box to hide: its kind, x, y, width and height, and how often it was found again."""

    kind: str
    box: np.ndarray
    level: int = 0
    colours: Colours | None = None


def level(how: str, harder: int) -> Level:
    """How a box is hidden that was found again so many times."""
    if harder == 0:
        return Level(how, GROW, CELLS)
    if harder == 1 and how != "fill":
        return Level(how, 1.2 * GROW, CELLS // 2)
    return Level("fill", 1.2 ** min(harder, ROUNDS) * GROW, 1)


def hide_all(pixels: np.ndarray, hidden: Iterable[Hidden], how: str) -> np.ndarray:
    """A copy of a picture in which all is hidden, the hardest last, so that nothing softer lies over it."""
    for one in sorted(hidden, key=lambda one: one.level):
        asked = level(how, one.level)
        colours = None if one.colours is None else [one.colours]
        pixels = hide(
            pixels, one.box[None], asked.how, oval=one.kind in OVAL, grow=asked.grow, cells=asked.cells, colours=colours
        )
    return pixels


def bare(
    found: BoxesByKind, hidden: Sequence[Hidden], how: str, shape: tuple[int, ...], before: BoxesByKind | None = None
) -> dict[str, np.ndarray]:
    """What is found again that is not the mask: detectors take black ovals for faces, in which nothing is left of one.

    Args:
        found: in a picture in which ``hidden`` is hidden.
        hidden: see `hide_all`.
        how: see `hide_all`.
        shape: of the picture: height, width.
        before: what is found in the picture in which nothing is hidden; ``None`` where that is not known.

    Returns:
        Boxes of ``found``, but for those that are filled by three quarters or more, and those that are much larger
        than something filled in them and were not found before: heads without a face.
    """
    filled = [one for one in hidden if level(how, one.level).how == "fill"]
    boxes = {kind: np.asarray(some, float).reshape(-1, 4) for kind, some in found.items()}
    if not filled or not any(len(some) for some in boxes.values()):
        return boxes
    seen = hide_all(np.full((*shape[:2], 3), 255, np.uint8), filled, how)[:, :, 0] > 0
    masks = np.array([one.box for one in filled], float)

    def is_bare(kind: str, box: np.ndarray) -> bool:
        around = masks[overlap(box[None], masks)[0] >= AGAIN]
        head = before is not None and any(larger(box, mask) for mask in around) and not was_there(kind, box, before)
        return _share(seen, box) > 1 - FILLED and not head

    return {kind: np.array([box for box in some if is_bare(kind, box)]) for kind, some in boxes.items()}


def _share(seen: np.ndarray, box: np.ndarray) -> float:
    """Which share of a box is seen, 0–1; none of one outside of the picture."""
    left, top = np.floor(np.maximum(box[:2], 0)).astype(int)
    right, bottom = np.ceil(np.maximum(box[:2] + box[2:], 0)).astype(int)
    part = seen[top:bottom, left:right]
    return float(part.mean()) if part.size else 0.0


def larger(box: np.ndarray, other: np.ndarray) -> bool:
    """Whether a box is much larger than another: x, y, width, height."""
    return bool(box[2] * box[3] > LARGER * other[2] * other[3])


def was_there(kind: str, box: np.ndarray, before: BoxesByKind) -> bool:
    """Whether what is found was found before anything was hidden."""
    there = np.asarray(before.get(kind, ()), float).reshape(-1, 4)
    corner = np.maximum(box[:2], there[:, :2])
    shared = np.clip(np.minimum(box[:2] + box[2:], there[:, :2] + there[:, 2:]) - corner, 0, None).prod(axis=1)
    return bool((shared >= SAME * (box[2:].prod() + there[:, 2:].prod(axis=1) - shared)).any())


def listed(boxes: BoxesByKind, harder: int = 0) -> list[Hidden]:
    """Boxes by kind, one by one."""
    return [Hidden(kind, box, harder) for kind, some in boxes.items() for box in np.asarray(some, float).reshape(-1, 4)]


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Which share of the smaller of two boxes lies in the other: (n, 4) and (m, 4) to (n, m), 0–1."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    beyond = np.minimum(first[:, None, :2] + first[:, None, 2:], second[None, :, :2] + second[None, :, 2:])
    shared = np.clip(beyond - corner, 0, None).prod(axis=2)
    least = np.minimum(first[:, 2:].prod(axis=1)[:, None], second[:, 2:].prod(axis=1)[None])
    return shared / np.maximum(least, 1e-9)
