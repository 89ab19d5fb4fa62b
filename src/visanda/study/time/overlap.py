"""Overlap: which stretches lie in which intervals, on plain arrays and without comparing all with all."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from visanda.errors import InputError

Numbers = NDArray[np.int64]

LONGEST = 2.0**62  # about 70,000 years of half microseconds
BLOCK = 1 << 20  # stretches at a time


class Intervals:
    """Half-open intervals [start, stop) in groups, ready to be searched.

    Intervals are put into chains in which starts and stops both ascend, as few as can be: as many as intervals
    are nested in each other, so one for a schedule. In a chain, all that a stretch meets lie side by side, and
    two binary searches find them. Searching n stretches among m intervals takes (n + m) log m steps for each
    chain, and memory for a block of stretches.

    Args:
        group: (m,) group of each interval: 0, 1, ...
        start: (m,) whole numbers.
        stop: (m,) above start.

    Raises:
        InputError: the times of all groups, from the first start to the last stop, add up to 70,000 years.
    """

    def __init__(self, group: Numbers, start: Numbers, stop: Numbers) -> None:
        there = np.bincount(group) > 0
        earliest, latest = np.full(len(there), start.max(initial=0)), np.full(len(there), stop.min(initial=0))
        np.minimum.at(earliest, group, start - 1)
        np.maximum.at(latest, group, stop + 1)
        self.earliest, self.latest = np.where(there, earliest, 0), np.where(there, latest, 0)
        length = self.latest - self.earliest + 1
        if length.sum(dtype=float) > LONGEST:
            raise InputError("the intervals of so many groups over so many years cannot be joined at once: split them")
        self.base = np.cumsum(length) - length
        first, last = self._on_line(group, start), self._on_line(group, stop)
        self.order = np.lexsort((last, first))
        self.first, self.last = first[self.order], last[self.order]
        self.chains = [(chain, self.first[chain], self.last[chain]) for chain in _chains(self.last)]

    def overlapping(self, group: Numbers, start: Numbers, stop: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
        """Pairs of a stretch and an interval that share some time, as in :meth:`containing`."""
        return self._search(group, start, stop, inside=False)

    def containing(self, group: Numbers, start: Numbers, stop: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
        """Pairs of a stretch and an interval that holds all of it.

        Args:
            group: (n,) group of each stretch; -1 where it is in none.
            start: (n,) whole numbers.
            stop: (n,) above start.

        Yields:
            (k,) numbers of stretches, ascending, and (k,) numbers of intervals, by their start for each stretch.
        """
        return self._search(group, start, stop, inside=True)

    def overlaps(self) -> Numbers:
        """Numbers of the intervals that overlap another of their group, ascending."""
        if not len(self.order):
            return self.order
        furthest = np.maximum.accumulate(self.last)
        met = np.zeros(len(self.order), bool)
        met[1:] |= furthest[:-1] > self.first[1:]
        met[:-1] |= self.last[:-1] > self.first[1:]
        return np.sort(self.order[met])

    def union(self) -> tuple[Numbers, Numbers, Numbers]:
        """Group, start and stop of the stretches that the intervals cover; what touches is one stretch."""
        if not len(self.order):
            return self.order, self.order, self.order
        furthest = np.maximum.accumulate(self.last)
        begins = np.flatnonzero(np.r_[True, self.first[1:] > furthest[:-1]])
        ends = np.r_[begins[1:] - 1, len(furthest) - 1]
        group = np.searchsorted(self.base, self.first[begins], "right") - 1
        zero = self.base[group] - self.earliest[group]
        return group, self.first[begins] - zero, furthest[ends] - zero

    def _on_line(self, group: Numbers, time: Numbers) -> Numbers:
        """Places on a line where the groups follow each other; times outside of a group are put at its ends."""
        low = self.earliest[group]
        return np.clip(time, low, self.latest[group]) - low + self.base[group]

    def _search(self, group: Numbers, start: Numbers, stop: Numbers, inside: bool) -> Iterator[tuple[Numbers, Numbers]]:
        for begin in range(0, len(group), BLOCK):
            block = group[begin : begin + BLOCK]
            rows = begin + np.flatnonzero((block >= 0) & (block < len(self.base)))
            left, right = self._on_line(group[rows], start[rows]), self._on_line(group[rows], stop[rows])
            found = [_ranges(*chain, left, right, inside) for chain in self.chains]
            stretch = np.concatenate([pair[0] for pair in found]) if found else np.empty(0, np.int64)
            interval = np.concatenate([pair[1] for pair in found]) if found else np.empty(0, np.int64)
            if len(found) > 1:
                by_stretch = np.lexsort((interval, stretch))
                stretch, interval = stretch[by_stretch], interval[by_stretch]
            yield rows[stretch], self.order[interval]


def _ranges(
    chain: Numbers, first: Numbers, last: Numbers, left: Numbers, right: Numbers, inside: bool
) -> tuple[Numbers, Numbers]:
    """Pairs of a stretch and an interval of the chain."""
    if inside:
        low, high = np.searchsorted(last, right, "left"), np.searchsorted(first, left, "right")
    else:
        low, high = np.searchsorted(last, left, "right"), np.searchsorted(first, right, "left")
    stretch, place = spread(low, np.maximum(high - low, 0))
    return stretch, chain[place]


def spread(low: Numbers, count: Numbers) -> tuple[Numbers, Numbers]:
    """The numbers of ranges, one after the other: which range each is of, and ``low``, ``low + 1``, ... of it."""
    owner = np.repeat(np.arange(len(count)), count)
    return owner, np.arange(len(owner)) + np.repeat(low - np.cumsum(count) + count, count)


def _chains(last: Numbers) -> list[Numbers]:
    """Numbers of the intervals of each chain; ``last`` are their stops, in the order of their starts."""
    tops: list[int] = []  # the stop that each chain has reached, negated: ascending
    chains: list[list[int]] = []
    for number, stop in enumerate(last.tolist()):
        chain = bisect_left(tops, -stop)
        if chain == len(tops):
            tops.append(-stop)
            chains.append([number])
        else:
            tops[chain] = -stop
            chains[chain].append(number)
    return [np.array(chain, dtype=np.int64) for chain in chains]
