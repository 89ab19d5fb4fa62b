"""Hard cuts, in frames reduced to about 36 pixels height: changes that movement cannot explain and that stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

BESIDE = 0.2  # seconds on either side whose changes a cut must outdo
FLASH = 0.4  # seconds after which a picture that comes back was never cut away
SHIFT = np.ones((7, 7), np.uint8)  # pixels of 36 that things may move within a frame: 3 in any direction
MOVING = 2.0  # mean change of levels (0–255) below which nothing is said to move
SAME = 0.9  # correlation of pieces of one scene in another light
FLAT = 3.0  # standard deviation in levels (0–255) of a picture without anything in it
RETURNS = 0.33  # of a cut's change: less than that, and the picture has come back


@dataclass(frozen=True, slots=True)
class Boundary:
    """Between two shots: its time in seconds, what it is, and how many seconds it takes (a cut: none)."""

    time: float
    kind: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A frame as boundaries are looked for in it.

    Attributes:
        time: in seconds.
        pixels: (about 36, width, 3) RGB uint8, blurred a little.
        highest: the largest value of each channel within three pixels.
        lowest: the smallest.
        coarse: the same picture, a quarter as wide and high.
        change: from the frame before, as :func:`difference` says.
    """

    time: float
    pixels: np.ndarray
    highest: np.ndarray
    lowest: np.ndarray
    coarse: np.ndarray
    change: float = 0.0


def thumbnail(time: float, pixels: np.ndarray, before: Thumbnail | None = None) -> Thumbnail:
    """A frame, RGB uint8, made ready; ``before`` is the one before it."""
    blurred = cv2.GaussianBlur(pixels, (3, 3), 0)
    quarter = (max(1, pixels.shape[1] // 4), max(1, pixels.shape[0] // 4))
    coarse = cv2.resize(pixels, quarter, interpolation=cv2.INTER_AREA)
    made = Thumbnail(time, blurred, cv2.dilate(blurred, SHIFT), cv2.erode(blurred, SHIFT), coarse)
    return replace(made, change=difference(before, made)) if before else made


def difference(first: Thumbnail, second: Thumbnail) -> float:
    """Mean difference in levels (0–255) that movement by three pixels cannot explain.

    A pixel differs by what it lies above the largest or below the smallest value around its place in the other
    picture.
    """
    return max(_beyond(first, second), _beyond(second, first))


def _beyond(around: Thumbnail, one: Thumbnail) -> float:
    above = cv2.subtract(one.pixels, around.highest)
    below = cv2.subtract(around.lowest, one.pixels)
    return (cv2.norm(above, cv2.NORM_L1) + cv2.norm(below, cv2.NORM_L1)) / above.size


def hard_cuts(frames: Sequence[Thumbnail], rate: float, ratio: float) -> list[int]:
    """Positions of the first frames after cuts.

    A cut is a change that is ``ratio`` times the largest changes before and after it (their mean, and never less
    than ``MOVING``) within ``BESIDE`` seconds, its direct neighbours left out: a cut may have a blended frame. And
    the picture does not come back, as after a flash or behind something that passes, nor is it the same in another
    light.

    Args:
        frames: in order.
        rate: frames a second, on average.
        ratio: as above.
    """
    changes = np.array([frame.change for frame in frames])
    before, after = np.zeros_like(changes), np.zeros_like(changes)
    for k in range(2, min(max(3, round(BESIDE * rate)) + 1, len(changes))):
        before[k:] = np.maximum(before[k:], changes[:-k])
        after[:-k] = np.maximum(after[:-k], changes[k:])
    outdone = changes > ratio * ((before + after) / 2 + MOVING)
    peak = (changes > np.r_[changes[1:], 0]) & (changes >= np.r_[0, changes[:-1]])
    likely = np.flatnonzero(outdone & peak).tolist()
    return [i for i in likely if not _comes_back(frames, i, rate) and not _another_light(frames[i - 1], frames[i])]


def _comes_back(frames: Sequence[Thumbnail], at: int, rate: float) -> bool:
    """Whether the picture from before is seen again right after, or the one from after was seen right before."""
    reach = max(2, round(FLASH * rate))
    limit = RETURNS * frames[at].change
    old, new = frames[max(0, at - 2)], frames[min(len(frames) - 1, at + 1)]
    after = frames[at + 1 : at + 1 + reach]
    before = frames[max(0, at - 1 - reach) : max(0, at - 1)]
    return any(difference(old, one) < limit for one in after) or any(difference(one, new) < limit for one in before)


def _another_light(before: Thumbnail, after: Thumbnail) -> bool:
    return min(found_in(before.pixels, after.pixels), found_in(after.pixels, before.pixels)) > SAME


def found_in(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation, −1 to 1, of the middle quarter of a picture with the place in another that is most like it.

    0 where there is nothing in it.
    """
    height, width = one.shape[:2]
    piece = one[height // 4 : height - height // 4, width // 4 : width - width // 4]
    if cv2.meanStdDev(piece)[1].max() < FLAT:
        return 0.0
    return float(cv2.matchTemplate(other, piece, cv2.TM_CCOEFF_NORMED).max())
