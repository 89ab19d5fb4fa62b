"""Seeds: pairs of samples that look alike, their neighbours too, and at which offset two videos share something."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from visanda.learn.copies.grid import Grid, Numbers
from visanda.learn.hamming import near_pair_blocks

SEED_DISTANCE = 8  # bits; what agrees along a stretch may differ in more, but is not searched for
MOST_PAIRS = 1 << 24  # of samples of two videos that look alike, as expected
REFERENCES = 1024  # samples from which that is expected

_BLOCK = 1 << 19  # pairs of samples looked at together
_SEEDS = 1 << 20  # kept before those of one offset are put together


def uncommon(grid: Grid, distance: int) -> tuple[Numbers, int]:
    """Cells to search from, and how many are left out because they look like too many of other videos.

    How many look alike is estimated from some samples: the pairs themselves may be too many to count.
    """
    cells = np.flatnonzero(grid.live)
    if len(cells) ** 2 / 2 <= MOST_PAIRS:
        return cells, 0
    hashes, owners = grid.hashes[cells], grid.owner[cells]
    alike = np.zeros(len(cells), np.int64)
    for reference in np.random.default_rng(0).choice(len(cells), min(REFERENCES, len(cells)), replace=False):
        alike += (np.bitwise_count(hashes ^ hashes[reference]) <= distance) & (owners != owners[reference])
    pairs = np.bincount(alike) * np.arange(alike.max() + 1) * (len(cells) / REFERENCES / 2)
    most = np.flatnonzero(np.cumsum(pairs) <= MOST_PAIRS)[-1]
    return cells[alike <= most], int((alike > most).sum())


def find_tracks(
    grid: Grid,
    cells: Numbers,
    distance: int,
    reach: int,
    within: bool,
    progress: Callable[[float], None] | None,
) -> pd.DataFrame:
    """Which videos ``a`` and ``b`` may have something in common at which ``offset`` in steps.

    Returns:
        Each once; with the ``low`` and the ``high``est cell of ``a`` that is a seed, and how many ``seeds``.
    """
    none = pd.DataFrame({name: [] for name in ("a", "b", "offset", "low", "high", "seeds")}, dtype=np.int64)
    tracks = [none]
    for one, other in _alike(grid.hashes[cells], min(distance, SEED_DISTANCE), progress):
        i, j = cells[np.minimum(one, other)], cells[np.maximum(one, other)]
        a, b = grid.owner[i], grid.owner[j]
        asked = (a != b) | (j - i >= reach) if within else a != b
        i, j = i[asked], j[asked]
        backed = _agreeing_around(grid, i, j, distance, reach) >= max(1, reach // 2)
        i, j = i[backed], j[backed]
        a, b = grid.owner[i], grid.owner[j]
        offset = (j - grid.first[b]) - (i - grid.first[a])
        tracks.append(pd.DataFrame({"a": a, "b": b, "offset": offset, "low": i, "high": i, "seeds": 1}))
        if sum(map(len, tracks[1:])) > _SEEDS:
            tracks = [_together(tracks)]
    return _together(tracks)


def _together(tracks: list[pd.DataFrame]) -> pd.DataFrame:
    grouped = pd.concat(tracks).groupby(["a", "b", "offset"], as_index=False)
    return grouped.agg({"low": "min", "high": "max", "seeds": "sum"})


def by_pair(tracks: pd.DataFrame) -> Iterator[tuple[int, int, Numbers]]:
    """Positions of two videos, and for each offset, (n, 3): the offset, lowest and highest seed; most seeds first."""
    tracks = tracks.sort_values(["a", "b", "seeds", "offset"], ascending=[True, True, False, True])
    a, b = tracks["a"].to_numpy(), tracks["b"].to_numpy()
    ends = np.flatnonzero((np.diff(a) != 0) | (np.diff(b) != 0)) + 1
    offsets = tracks[["offset", "low", "high"]].to_numpy()
    for start, stop in zip([0, *ends], [*ends, len(a)], strict=True):
        if stop > start:
            yield int(a[start]), int(b[start]), offsets[start:stop]


def _alike(
    hashes: npt.NDArray[np.uint64], distance: int, progress: Callable[[float], None] | None
) -> Iterator[tuple[Numbers, Numbers]]:
    """Positions of all pairs of near hashes, equal ones included, in blocks of bounded size."""
    order = np.argsort(hashes, kind="stable")
    looks, begins, counts = np.unique(hashes[order], return_index=True, return_counts=True)
    repeated = np.flatnonzero(counts > 1)
    for one, other in _products(repeated, repeated, begins, counts):
        yield order[one[one < other]], order[other[one < other]]
    for found in near_pair_blocks(looks, distance, progress=progress):
        for one, other in _products(found.first, found.second, begins, counts):
            yield order[one], order[other]


def _products(first: Numbers, second: Numbers, begins: Numbers, counts: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """Each member of the look ``first`` with each of ``second``, where looks are ranges of positions."""
    for low, high in _pieces(counts[first]):
        members = _ranges(begins[first[low:high]], counts[first[low:high]])
        partners = np.repeat(second[low:high], counts[first[low:high]])
        for start, stop in _pieces(counts[partners]):
            looks = partners[start:stop]
            yield np.repeat(members[start:stop], counts[looks]), _ranges(begins[looks], counts[looks])


def _pieces(sizes: Numbers) -> Iterator[tuple[int, int]]:
    """Slices of which each comes to at most ``_BLOCK``, or is a single one."""
    totals = np.cumsum(sizes)
    low, before = 0, 0
    while low < len(sizes):
        high = max(low + 1, int(np.searchsorted(totals, before + _BLOCK, side="right")))
        yield low, high
        low, before = high, int(totals[high - 1])


def _ranges(begins: Numbers, counts: Numbers) -> Numbers:
    """``begins[0], begins[0] + 1, ...``, ``counts[0]`` of them, then those of the next."""
    return np.arange(counts.sum()) + np.repeat(begins - np.cumsum(counts) + counts, counts)


def _agreeing_around(grid: Grid, i: Numbers, j: Numbers, distance: int, reach: int) -> Numbers:
    """In how many steps around each pair, itself included, both videos look the same."""
    agreeing = np.zeros(len(i), np.int64)
    for step in range(1 - reach, reach):
        near = np.bitwise_count(grid.hashes[i + step] ^ grid.hashes[j + step]) <= distance
        agreeing += near & grid.live[i + step] & grid.live[j + step]
    return agreeing
