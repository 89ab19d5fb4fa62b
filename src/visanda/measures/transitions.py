"""Where one shot ends and the next begins: cuts, dissolves and fades in a stretch of small frames.

A boundary is decided by the frames of ``AROUND`` seconds on either side of it and by nothing else, so that a video
of any length is looked at through a window, and any part of it gives the same boundaries as the whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

AROUND = 3.0  # seconds on either side that decide about a boundary
AT_ONCE = 2.0  # seconds whose boundaries are looked for together
BESIDE = 0.2  # seconds on either side whose changes a cut must outdo
FLASH = 0.4  # seconds after which a picture that comes back was never cut away
SHIFT = np.ones((7, 7), np.uint8)  # pixels of 36 that things may move within a frame: 3 in any direction
MOVING = 2.0  # mean change of levels (0–255) below which nothing is said to move
RETURNS = 0.33  # of a cut's change: less than that, and the picture has come back
STEP = 0.08  # seconds between the samples in which dissolves and fades are looked for
REACHES = (3, 4, 6, 8, 10, 13)  # samples from the middle of a gradual transition to its ends: 0.5 to 2.1 s in all
ALIKE = 0.3  # correlation that unrelated pictures may have
PARTLY = 4  # samples that must lie between the old picture and the new
FLAT = 3.0  # standard deviation in levels (0–255) of a picture without anything in it
LASTING = 8  # flat samples that make a shot of their own, and not the middle of a fade
APART = 6  # samples within which there is one gradual transition at most
SAME = (0.8, 0.85)  # correlation of pieces of one scene: between the ends, and between middle and both ends


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
        change: from the frame before, as :func:`difference` says.
    """

    time: float
    pixels: np.ndarray
    highest: np.ndarray
    lowest: np.ndarray
    change: float = 0.0


def thumbnail(time: float, pixels: np.ndarray, before: Thumbnail | None) -> Thumbnail:
    """A frame of about 36 pixels height made ready; ``before`` is the one before it."""
    blurred = cv2.GaussianBlur(pixels, (3, 3), 0)
    made = Thumbnail(time, blurred, cv2.dilate(blurred, SHIFT), cv2.erode(blurred, SHIFT))
    return replace(made, change=difference(before, made)) if before else made


def difference(first: Thumbnail, second: Thumbnail) -> float:
    """Mean difference in levels (0–255) that movement by three pixels of 36 cannot explain.

    A pixel differs by what it lies above the largest or below the smallest value around its place in the other
    picture.
    """
    return max(_beyond(first, second), _beyond(second, first))


def _beyond(around: Thumbnail, one: Thumbnail) -> float:
    above = cv2.subtract(one.pixels, around.highest)
    below = cv2.subtract(around.lowest, one.pixels)
    return (cv2.norm(above, cv2.NORM_L1) + cv2.norm(below, cv2.NORM_L1)) / above.size


def watched(
    frames: Iterable[tuple[float, np.ndarray]], rate: float, *, cut: float, gradual: float
) -> Iterator[Boundary]:
    """The boundaries in a video, in order, each at most ``AROUND`` + ``AT_ONCE`` seconds late.

    Args:
        frames: times in seconds and pixels, (about 36, width, 3) RGB uint8.
        rate: frames a second, on average.
        cut: as for :func:`boundaries`.
        gradual: as for :func:`boundaries`.
    """
    held: list[Thumbnail] = []
    known = -math.inf  # the time up to which boundaries were given
    for time, pixels in frames:
        held.append(thumbnail(time, pixels, held[-1] if held else None))
        if time >= max(known, held[0].time) + AROUND + AT_ONCE:
            settled = time - AROUND
            yield from (one for one in boundaries(held, rate, cut=cut, gradual=gradual) if known < one.time <= settled)
            known = settled
            held = [one for one in held if one.time > known - AROUND]
    yield from (one for one in boundaries(held, rate, cut=cut, gradual=gradual) if known < one.time)


def boundaries(thumbnails: list[Thumbnail], rate: float, *, cut: float, gradual: float) -> list[Boundary]:
    """The boundaries in a stretch of video; those within ``AROUND`` seconds of its ends may be wrong or missing.

    Args:
        thumbnails: the frames in order.
        rate: frames a second, on average.
        cut: how many times a cut's change must outdo the changes beside it.
        gradual: how far from a perfect mixture of two pictures a dissolve may be; 0 finds none.
    """
    cuts = hard_cuts(thumbnails, rate, cut)
    found = [Boundary(thumbnails[i].time, "cut") for i in cuts]
    if gradual:
        found += gradual_transitions(thumbnails, cuts, gradual)
    return sorted(found, key=lambda boundary: boundary.time)


# cuts


def hard_cuts(thumbnails: list[Thumbnail], rate: float, ratio: float) -> list[int]:
    """Positions of the first frames after cuts."""
    changes = np.array([one.change for one in thumbnails])
    beside = max(3, round(BESIDE * rate))
    before, after = np.zeros_like(changes), np.zeros_like(changes)
    for k in range(2, min(beside + 1, len(changes))):
        before[k:] = np.maximum(before[k:], changes[:-k])
        after[:-k] = np.maximum(after[:-k], changes[k:])
    outdone = changes > ratio * ((before + after) / 2 + MOVING)
    peak = (changes > np.r_[changes[1:], 0]) & (changes >= np.r_[0, changes[:-1]])
    return [int(i) for i in np.flatnonzero(outdone & peak) if not _comes_back(thumbnails, int(i), rate)]


def _comes_back(thumbnails: list[Thumbnail], at: int, rate: float) -> bool:
    """Whether the picture from before is seen again right after, or the one from after was seen right before."""
    reach = max(2, round(FLASH * rate))
    limit = RETURNS * thumbnails[at].change
    old, new = thumbnails[max(0, at - 2)], thumbnails[min(len(thumbnails) - 1, at + 1)]
    after = thumbnails[at + 1 : at + 1 + reach]
    before = thumbnails[max(0, at - 1 - reach) : at - 1]
    return any(difference(old, one) < limit for one in after) or any(difference(one, new) < limit for one in before)


# dissolves and fades


@dataclass(frozen=True)
class Mixtures:
    """How well the frames of windows are mixtures of the windows' ends; a row a window.

    Attributes:
        middles: (n,) sample in the middle of each window.
        reach: samples from the middle to the ends.
        old: (n, 2 reach + 1) share of the first picture in each sample.
        new: the same of the last.
        doubt: (n,) 0 for a perfect dissolve or fade between unrelated pictures; infinite where it cannot be one.
    """

    middles: np.ndarray
    reach: int
    old: np.ndarray
    new: np.ndarray
    doubt: np.ndarray


def gradual_transitions(thumbnails: list[Thumbnail], cuts: list[int], limit: float) -> list[Boundary]:
    """Dissolves and fades: stretches in which one picture turns into another evenly and everywhere at once."""
    at = samples(np.array([one.time for one in thumbnails]))
    times = np.array([thumbnails[i].time for i in at])
    vectors = contrasts([thumbnails[i].pixels for i in at])
    if len(at) <= 2 * REACHES[0]:
        return []
    products = cv2.mulTransposed(vectors, aTa=False)
    cut_before = np.searchsorted(cuts, at, side="right")  # how many cuts lie before each sample
    scales = [mixtures(products, times, cut_before, reach) for reach in REACHES if 2 * reach < len(at)]
    doubt = np.full((len(scales), len(at)), np.inf)
    for row, one in zip(doubt, scales, strict=True):
        row[one.middles] = one.doubt
    least = doubt.min(axis=0)
    found = []
    for middle in np.flatnonzero(least < limit):
        if middle != _best_around(least, middle):
            continue
        best = scales[doubt[:, middle].argmin()]
        if not _one_scene(*(thumbnails[at[middle + k]].pixels for k in (-best.reach, 0, best.reach))):
            found.append(_measured(best, int(middle), times, thumbnails))
    return found


def samples(times: np.ndarray) -> np.ndarray:
    """Positions of frames about ``STEP`` seconds apart: the first in each cell of a grid of time."""
    cells = np.floor(times / STEP + 1e-6)
    return np.flatnonzero(np.r_[True, np.diff(cells) > 0])


def contrasts(pictures: list[np.ndarray]) -> np.ndarray:
    """Pictures as vectors (n, d) whose length is the picture's standard deviation in levels.

    Every channel's mean is taken away: a flat picture of any colour is nothing, and changing light only lengthens
    or shortens a vector.
    """
    height, width = pictures[0].shape[:2]
    size = (max(1, width // 4), max(1, height // 4))
    small = np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]).astype(np.float32)
    small -= small.mean(axis=(1, 2), keepdims=True)
    return small.reshape(len(small), -1) / np.sqrt(small[0].size)


def mixtures(products: np.ndarray, times: np.ndarray, cut_before: np.ndarray, reach: int) -> Mixtures:
    """Windows of 2 × ``reach`` + 1 samples, from the scalar products of all samples (n, n).

    Each sample is explained as a share of the window's first picture and a share of its last by least squares.
    In a dissolve the one falls from 1 to 0 evenly while the other rises, and nothing is left over; in a fade the
    second waits for the first. Movement leaves much over; a cut is not even.
    """
    n = len(products)
    middles = np.arange(reach, n - reach)
    first, last = middles - reach, middles + reach
    inside = middles[:, None] + np.arange(-reach, reach + 1)
    aa, bb, ab = (products[i, j][:, None] for i, j in ((first, first), (last, last), (first, last)))
    ma, mb, mm = products[inside, first[:, None]], products[inside, last[:, None]], products[inside, inside]
    determinant = (aa + 1) * (bb + 1) - ab**2  # plus 1: a flat end has no share
    old = ((bb + 1) * ma - ab * mb) / determinant
    new = ((aa + 1) * mb - ab * ma) / determinant
    left = mm - 2 * old * ma - 2 * new * mb + old**2 * aa + new**2 * bb + 2 * old * new * ab
    flat_first, flat_last, possible = _flatness(products.diagonal() < FLAT**2, first, last)
    old = np.where(flat_first[:, None], 1 - new, old)  # of a flat picture nothing is seen: it is the rest
    new = np.where(flat_last[:, None], 1 - old, new)

    leftover = (left / ((aa + bb) / 2 + 20)).mean(axis=1)
    even = (times[inside] - times[first][:, None]) / (times[last] - times[first])[:, None]
    uneven = np.abs((new - old + 1) / 2 - even).mean(axis=1)
    alike = (ab / np.sqrt((aa + 4) * (bb + 4))).ravel()
    partly = (_partial(old) | _partial(new)).sum(axis=1)
    possible &= (partly >= PARTLY) & (cut_before[first] == cut_before[last])
    possible &= times[last] - times[first] < 2.5 * REACHES[-1] * STEP
    doubt = leftover + 2 * uneven + np.maximum(0, alike - ALIKE)
    return Mixtures(middles, reach, old, new, np.where(possible, doubt, np.inf))


def _partial(share: np.ndarray) -> np.ndarray:
    return (share > 0.12) & (share < 0.88)


def _flatness(flat: np.ndarray, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether windows begin and end in a flat picture, and whether they may: one end, and only if it stays so."""
    lasting = np.convolve(flat, np.ones(LASTING), "full") == LASTING  # at the last of so many flat samples
    stays = np.r_[lasting[LASTING - 1 :]][: len(flat)]
    stayed = lasting[: len(flat)]
    starts, ends = flat[first], flat[last]
    return starts, ends, ~(starts & ends) & (~starts | stayed[first]) & (~ends | stays[last])


def _best_around(doubt: np.ndarray, at: int) -> int:
    low = max(0, at - APART)
    return low + int(doubt[low : at + APART + 1].argmin())


def _one_scene(first: np.ndarray, middle: np.ndarray, last: np.ndarray) -> bool:
    """Whether a camera that moves explains it: the pieces in the middle are found elsewhere in the others."""
    ends = max(_found_in(first, last), _found_in(last, first))
    return ends > SAME[0] or min(_found_in(middle, first), _found_in(middle, last)) > SAME[1]


def _found_in(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of the middle quarter of one picture with the place in the other that is most like it."""
    height, width = one.shape[:2]
    piece = one[height // 4 : height - height // 4, width // 4 : width - width // 4]
    if cv2.meanStdDev(piece)[1].max() < FLAT:
        return 0.0
    return float(cv2.matchTemplate(other, piece, cv2.TM_CCOEFF_NORMED).max())


def _measured(windows: Mixtures, middle: int, times: np.ndarray, thumbnails: list[Thumbnail]) -> Boundary:
    """The transition in a window: its middle frame, and its length from how fast the pictures change places."""
    row = middle - windows.reach
    progress = (windows.new[row] - windows.old[row] + 1) / 2
    inside = times[middle - windows.reach : middle + windows.reach + 1]
    begun, done = (np.interp(share, np.maximum.accumulate(progress), inside) for share in (0.1, 0.9))
    centre = (begun + done) / 2
    nearest = min((one.time for one in thumbnails), key=lambda time: abs(time - centre))
    kind = "fade" if (windows.new[row] + windows.old[row]).min() < 0.3 else "dissolve"
    return Boundary(nearest, kind, round(float(done - begun) / 0.8, 2))
