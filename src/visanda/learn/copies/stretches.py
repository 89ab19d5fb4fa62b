"""Stretches: what of two videos agrees without a long gap, at the offsets that seeds name."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from visanda.learn.copies.grid import Grid, Numbers, Truths

LARGEST_GAP = 2.0  # seconds of a stretch that need not agree
CREEP = 2  # steps by which the offset may change from one part of a stretch to the next
ENDS = 9  # samples at an end that say at which offset it lies

_WINDOW = 5  # samples, of which half must agree
_NONE = np.uint8(65)  # bits: further than any two hashes are


class Stretch(NamedTuple):
    """Cells of two videos that agree, in order, and by how many bits they differ."""

    a: Numbers
    b: Numbers
    distances: npt.NDArray[np.uint8]

    @property
    def steps(self) -> int:
        """From its first cell to its last."""
        return int(self.a[-1] - self.a[0] + 1)

    def holds(self, a: Numbers, b: Numbers) -> tuple[Truths, Truths]:
        """Which of these cells lie between its ends, in the one and in the other video."""
        return (a >= self.a[0]) & (a <= self.a[-1]), (b >= self.b[0]) & (b <= self.b[-1])

    def only(self, which: Truths) -> Stretch:
        """Some of its cells."""
        return Stretch(self.a[which], self.b[which], self.distances[which])

    def parts(self, every: float) -> list[Stretch]:
        """What lies between its long gaps."""
        breaks = np.flatnonzero(np.diff(self.a) > LARGEST_GAP / every + 1) + 1
        ends = itertools.pairwise([0, *breaks.tolist(), len(self.a)]) if len(self.a) else []
        return [Stretch(self.a[low:high], self.b[low:high], self.distances[low:high]) for low, high in ends]

    def then(self, other: Stretch) -> Stretch:
        """This one and what follows, in one."""
        return Stretch(
            np.concatenate([self.a, other.a]),
            np.concatenate([self.b, other.b]),
            np.concatenate([self.distances, other.distances]),
        )


def _at_offset(grid: Grid, a: int, b: int, offset: int, distance: int) -> list[Stretch]:
    """What agrees at this offset, give or take a step: the steps of two copies need not begin together."""
    low, high = max(0, -offset), min(grid.cells[a], grid.cells[b] - offset)
    cells = np.arange(low, high) + grid.first[a]
    shift = grid.first[b] + offset - grid.first[a]
    others = cells + shift + np.array([[0], [-1], [1]])
    apart = np.bitwise_count(grid.hashes[cells] ^ grid.hashes[others])
    apart[~grid.live[others]] = _NONE
    nearest = apart.argmin(axis=0), np.arange(len(cells))
    live = grid.live[cells]
    agree = live & (apart[nearest] <= distance)
    kept = agree & (2 * _around(agree) >= _around(live))
    return Stretch(cells, others[nearest], apart[nearest]).only(kept).parts(grid.every)


def _around(true: Truths) -> Numbers:
    """How many of the ``_WINDOW`` cells around each are true."""
    return np.convolve(true.astype(np.int64), np.ones(_WINDOW, np.int64))[_WINDOW // 2 :][: len(true)]


def find_stretches(grid: Grid, a: int, b: int, offsets: Numbers, distance: int) -> list[Stretch]:
    """Stretches of two videos, at all offsets that may bring new ones.

    A picture that stands for ten seconds agrees with itself at many offsets: where all seeds of one lie within
    a stretch that is found, it is about the same.
    """
    found: list[Stretch] = []
    for offset, low, high in offsets.tolist():
        shift = grid.first[b] + offset - grid.first[a]
        ends = np.array([low, high])
        if not any(np.all(one.holds(ends, ends + shift)) for one in found):
            found += _at_offset(grid, a, b, offset, distance)
    return found


def without_repeats(grid: Grid, stretches: list[Stretch], distance: int, reach: int) -> list[Stretch]:
    """Those that agree in most cells, and of the others what is not about the same parts of both videos.

    Of one look, which agrees with itself at any offset, no part of either video is given twice.
    """
    best: list[Stretch] = []
    for one in sorted(stretches, key=lambda s: (-len(s.a), s.distances.mean(), s.a[0], s.b[0])):
        still = count_looks(grid, one, distance) == 1
        said = np.zeros(len(one.a), bool)
        for other in best:
            in_a, in_b = other.holds(one.a, one.b)
            said |= (in_a | in_b) if still else (in_a & in_b)
        best += [part for part in one.only(~said).parts(grid.every) if part.steps >= reach]
    return best


def count_looks(grid: Grid, stretch: Stretch, distance: int) -> int:
    """How many different pictures follow each other."""
    hashes = grid.hashes[stretch.a]
    return 1 + int((np.bitwise_count(hashes[1:] ^ hashes[:-1]) > distance).sum())


def joined(stretches: list[Stretch], every: float) -> list[Stretch]:
    """Those put together that follow each other at nearly one offset: at another speed it creeps."""
    together: list[Stretch] = []
    for one in sorted(stretches, key=lambda stretch: (stretch.a[0], stretch.b[0])):
        for position, before in enumerate(together):
            new = one.a > before.a[-1]
            close = one.a[0] - before.a[-1] <= LARGEST_GAP / every + 1
            crept = np.median((one.b - one.a)[:ENDS]) - np.median((before.b - before.a)[-ENDS:])
            if close and new.any() and abs(crept) <= CREEP:
                together[position] = before.then(one.only(new))
                break
        else:
            together.append(one)
    return together
