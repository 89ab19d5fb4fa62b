"""Dissolves and fades: stretches in which every frame is a mixture of the first and the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visanda.measures.cuts import FLAT, Boundary, Thumbnail, found_in

# Seconds between the samples of a window, samples from its middle to its ends, and share of the doubt that is let
# pass: windows of 0.5 to 2.1 seconds, and short ones, in which fast movement too is nearly even.
SCALES = ((0.08, (3, 4, 6, 8, 10, 13), 1.0), (0.04, (3, 4), 0.5))
LONGEST = 2.6  # seconds of a window where frames are few
PARTLY = 4  # samples that must lie between the old picture and the new
ALIKE = 0.3  # correlation that unrelated pictures may have
NOISE = 20.0  # squared levels that are left over in any window
LASTING = 0.64  # seconds of such a picture that make a shot of their own, and not the middle of a fade
DARK = 0.3  # share of both pictures together that only a fade goes below
APART = 0.5  # seconds within which there is one gradual transition at most
SAME = (0.8, 0.85)  # correlation of pieces of one scene: between both ends, and between the middle and each end


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of frames that may be a gradual transition.

    Attributes:
        times: (n,) of its samples, in seconds.
        frames: (n,) positions of its samples among all frames.
        progress: (n,) from the first picture, 0, to the last, 1.
        together: (n,) share of both pictures in each sample, 0 where a fade is at its darkest.
        doubt: 0 for a perfect dissolve or fade between unrelated pictures.
    """

    times: np.ndarray
    frames: np.ndarray
    progress: np.ndarray
    together: np.ndarray
    doubt: float

    @property
    def middle(self) -> int:
        """The position of its middle sample."""
        return len(self.times) // 2


def gradual_transitions(frames: Sequence[Thumbnail], cuts: Sequence[int], limit: float) -> list[Boundary]:
    """Dissolves and fades between cuts.

    Args:
        frames: in order.
        cuts: positions of the first frames after cuts.
        limit: the largest doubt, 0 to 1.
    """
    times = np.array([frame.time for frame in frames])
    found: list[Boundary] = []
    for step, reaches, share in SCALES:
        windows = _possible(frames, times, cuts, step, reaches, share * limit)
        at = np.array([window.times[window.middle] for window in windows])
        doubt = np.array([window.doubt for window in windows])
        for window, time in zip(windows, at, strict=True):
            best = window is windows[np.where(np.abs(at - time) < APART, doubt, np.inf).argmin()]
            if best and not any(abs(one.time - time) < APART for one in found):
                ends = (frames[window.frames[i]].pixels for i in (0, window.middle, -1))
                if not _one_scene(*ends):
                    found.append(_measured(window, times))
    return found


def _possible(
    frames: Sequence[Thumbnail],
    times: np.ndarray,
    cuts: Sequence[int],
    step: float,
    reaches: Sequence[int],
    limit: float,
) -> list[Window]:
    """The best window around each sample, where its doubt is below the limit."""
    samples = sampled(times, step)
    cut_before = np.searchsorted(cuts, samples, side="right")
    vectors = contrasts(np.stack([frames[i].coarse for i in samples]))
    products = following(vectors, 2 * max(reaches))
    best: dict[int, Window] = {}
    for reach in reaches:
        if 2 * reach >= len(samples):
            break
        progress, together, doubt = mixtures(products, times[samples], reach, round(LASTING / step))
        doubt[cut_before[: -2 * reach] != cut_before[2 * reach :]] = np.inf
        for first in np.flatnonzero(doubt < limit).tolist():
            if first + reach not in best or doubt[first] < best[first + reach].doubt:
                inside = samples[first : first + 2 * reach + 1]
                best[first + reach] = Window(
                    times[inside], inside, progress[first], together[first], float(doubt[first])
                )
    return list(best.values())


def sampled(times: np.ndarray, step: float) -> np.ndarray:
    """Positions of frames about ``step`` seconds apart: the first in each cell of a grid of time."""
    cells = np.floor(times / step + 1e-6)
    return np.flatnonzero(np.r_[True, np.diff(cells) > 0])


def contrasts(pictures: np.ndarray) -> np.ndarray:
    """Pictures (n, height, width, 3) as vectors (n, d), each as long as its picture's standard deviation in levels.

    Every channel's mean is taken away: a flat picture of any colour is nothing, and changing light only lengthens
    or shortens a vector.
    """
    vectors = pictures.astype(np.float32)
    vectors -= vectors.mean(axis=(1, 2), keepdims=True)
    return vectors.reshape(len(vectors), -1) / np.sqrt(vectors[0].size)


def following(vectors: np.ndarray, reach: int) -> np.ndarray:
    """Scalar products of each vector with itself and with the ``reach`` that follow: (n, reach + 1), 0 beyond the end.

    One after the other: a matrix product would wake threads that take more time than it.
    """
    n = len(vectors)
    products = np.zeros((n, reach + 1), np.float32)
    for k in range(min(reach + 1, n)):
        products[: n - k, k] = np.einsum("ij,ij->i", vectors[: n - k], vectors[k:])
    return products


def mixtures(
    products: np.ndarray, times: np.ndarray, reach: int, lasting: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far each window of 2 × ``reach`` + 1 samples is from a dissolve or a fade.

    Each sample is explained as a share of the window's first picture and a share of its last, by least squares. In
    a dissolve the one falls evenly from 1 to 0 while the other rises, and nothing is left over; in a fade the second
    waits for the first. Movement leaves much over; a cut is not even; pictures that are alike say nothing.

    Args:
        products: (n, 2 reach + 1 or more) of the samples' vectors, as :func:`following` gives them.
        times: (n,) of the samples, in seconds.
        reach: samples from the middle of a window to its ends.
        lasting: flat samples that are a shot of their own: a window may end in one, or begin.

    Returns:
        The progress from the first picture, 0, to the last, 1, and the share of both together,
        (n − 2 reach, 2 reach + 1) each; and the doubt, (n − 2 reach): what is left over, unevenness and likeness
        added; infinite where it cannot be.
    """
    steps = np.arange(2 * reach + 1)
    first = np.arange(len(products) - 2 * reach)
    last = first + 2 * reach
    inside = first[:, None] + steps
    aa, bb, ab = (column[:, None] for column in (products[first, 0], products[last, 0], products[first, 2 * reach]))
    ma, mb, mm = products[first, : 2 * reach + 1], products[inside, 2 * reach - steps], products[inside, 0]
    determinant = (aa + 1) * (bb + 1) - ab**2  # plus 1: a flat picture has no share
    old = ((bb + 1) * ma - ab * mb) / determinant
    new = ((aa + 1) * mb - ab * ma) / determinant
    left = mm - 2 * old * ma - 2 * new * mb + old**2 * aa + new**2 * bb + 2 * old * new * ab
    flat = products[:, 0] < FLAT**2
    flat_first, flat_last = flat[first][:, None], flat[last][:, None]
    old, new = np.where(flat_first, 0, old), np.where(flat_last, 0, new)
    progress = np.where(flat_first, new, np.where(flat_last, 1 - old, (new - old + 1) / 2))

    seconds = times[last] - times[first]
    even = (times[inside] - times[first][:, None]) / seconds[:, None]
    leftover = (left / ((aa + bb) / 2 + NOISE)).mean(axis=1)
    uneven = np.abs(progress - even).mean(axis=1)
    alike = (ab / np.sqrt((aa + 4) * (bb + 4))).ravel()
    possible = (_between(old) | _between(new)).sum(axis=1) >= PARTLY
    possible &= (seconds < LONGEST) & _may_be_flat(flat, first, last, lasting)
    doubt = leftover + 2 * uneven + np.maximum(0, alike - ALIKE)
    return progress, old + new, np.where(possible, doubt, np.inf)


def _between(share: np.ndarray) -> np.ndarray:
    return (share > 0.12) & (share < 0.88)


def _may_be_flat(flat: np.ndarray, first: np.ndarray, last: np.ndarray, lasting: int) -> np.ndarray:
    """Whether windows have at most one flat end, and none but those of a flat stretch that lasts."""
    whole = np.convolve(flat, np.ones(lasting)) == lasting
    lasted, lasts = whole[: len(flat)], whole[lasting - 1 :]
    return ~(flat[first] & flat[last]) & (~flat[first] | lasted[first]) & (~flat[last] | lasts[last])


def _one_scene(first: np.ndarray, middle: np.ndarray, last: np.ndarray) -> bool:
    """Whether a camera that moves explains it: what is in the middle of one picture is elsewhere in the others."""
    ends = max(found_in(first, last), found_in(last, first))
    return ends > SAME[0] or min(found_in(middle, first), found_in(middle, last)) > SAME[1]


def _measured(window: Window, times: np.ndarray) -> Boundary:
    """The transition in a window: its middle frame, and its length from how fast the pictures change places."""
    progress = np.maximum.accumulate(window.progress)
    begun, done = np.interp((0.1, 0.9), progress, window.times)
    middle = times[np.abs(times - (begun + done) / 2).argmin()]
    kind = "fade" if window.together.min() < DARK else "dissolve"
    return Boundary(float(middle), kind, round(float(done - begun) / 0.8, 2))
