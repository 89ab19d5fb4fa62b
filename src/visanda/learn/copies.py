"""Copies between videos: which stretch of which video is also in another, by their signatures.

Seed and extend, as with sequences of genes. Pairs of samples with nearly the same hash are seeds, if their
neighbours in time agree as well. Each seed says that one video lies so many seconds before the other; at that
offset the two are compared sample by sample, and what agrees without a long gap is a stretch.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from visanda.errors import InputError
from visanda.learn.copy_groups import COLUMNS
from visanda.learn.hamming import LARGEST_DISTANCE, near_pair_blocks, parsed_hashes

_Numbers = npt.NDArray[np.int64]
_Truths = npt.NDArray[np.bool_]

FLAT = 0.04  # detail below which a hash says nothing
SEED_DISTANCE = 8  # bits; what agrees along a stretch may differ in more, but is not searched for
LARGEST_GAP = 2.0  # seconds of a stretch that need not agree
CREEP = 2  # steps by which the offset may change from one part of a stretch to the next
MOST_PAIRS = 1 << 24  # of samples of two videos that look alike, as expected
REFERENCES = 1024  # samples from which that is expected

_WINDOW = 5  # samples, of which half must agree
_ENDS = 9  # samples at an end that say at which offset it lies
_BLOCK = 1 << 19  # pairs of samples looked at together
_SEEDS = 1 << 20  # kept before those of one offset are put together
_NONE = np.uint8(65)  # bits: further than any two hashes are

MUCH_CLOSER = 4.0  # bits, on average, by which one alignment of a stretch makes another one an accident


def copies(
    signatures: pd.DataFrame,
    *,
    distance: int = 12,
    at_least: float = 3.0,
    every: float = 0.5,
    within: bool = False,
    progress: Callable[[float], None] | None = None,
) -> pd.DataFrame:
    """Stretches of videos that are also in another video (or again in the same one).

    A stretch may lie anywhere in either video. Samples that are flat (``detail`` below 0.04: black, one colour)
    say nothing. Looks that are everywhere, as a channel's card or the view of a fixed camera, say little, and
    their pairs grow with the square of the videos: where more than some 17 million pairs of samples would look
    alike, copies are not searched for from the commonest looks. These still count in a stretch that is found
    from others, and ``attrs`` says how many they are.

    Times are right to about ``every``. A copy that runs faster or slower by a few per cent (films on television
    run at 25 frames a second instead of 24) is found, if need be in pieces, with times right to about a second and
    a half; its two stretches differ in length.

    Args:
        signatures: a row a sample, as the measure ``signature`` gives: ``parent`` the video's id, ``start``
            seconds, ``hash`` 16 hexadecimal digits, ``detail`` 0–1. Rows without a hash are left out.
        distance: the largest number of bits, of 64, in which samples that agree may differ, 0–16.
        at_least: seconds that a stretch must last; a copy must be about a step longer to be found for sure.
        every: seconds from sample to sample: the measure's.
        within: look also for what is repeated within a video.
        progress: called now and then with the share of the search done, 0–1.

    Returns:
        A row a stretch, by ``a``, ``a_start``, ``b``:

        - ``a``, ``a_start``, ``a_stop``: a video and seconds in it; ``b``, ``b_start``, ``b_stop``: the other,
          whose id sorts after; within one video, the later stretch.
        - ``seconds``: how long it lasts in ``a``.
        - ``offset``: seconds from a moment in ``a`` to the same in ``b``; the median.
        - ``matched``: share of the stretch's samples that agree, 0–1.
        - ``distance``: mean number of bits in which these differ.
        - ``looks``: how many different pictures follow each other in it. 1 is one picture that hardly changes,
          as a title card or a view from a fixed camera, which two videos may share without one being a copy, and
          which agrees with itself at any offset: only the best is given.
        - ``a_length``, ``b_length``: seconds of each video that are not flat.

        ``attrs`` of the table counts the ``videos``, the ``samples``, and of these the ``flat`` and the ``common``.

    Raises:
        InputError: a column is missing, a row has no parent or a time below 0, a hash is not 16 hexadecimal
            digits, or an argument is out of range.

    >>> hashes = np.random.default_rng(0).integers(0, 2**64, 40, dtype=np.uint64)
    >>> film = pd.DataFrame({"parent": "film", "start": np.arange(40) / 2, "hash": [f"{h:016x}" for h in hashes]})
    >>> trailer = film[20:32].assign(parent="trailer", start=np.arange(12) / 2)
    >>> found = copies(pd.concat([film, trailer]).assign(detail=0.5))
    >>> found[["a", "a_start", "a_stop", "b", "b_start", "b_stop"]]
          a  a_start  a_stop        b  b_start  b_stop
    0  film     10.0    16.0  trailer      0.0     6.0
    """
    _check(signatures, distance, at_least, every)
    reach = max(1, math.ceil(at_least / every - 1e-6))
    grid = _Grid.of(signatures, every, apart=reach + 1)
    seeding, common = _uncommon(grid, min(distance, SEED_DISTANCE))
    tracks = _tracks(grid, seeding, distance, reach, within, progress)
    rows = []
    for a, b, offsets in _by_pair(tracks):
        stretches = _joined(_best(grid, _found(grid, a, b, offsets, distance), distance, reach), every)
        rows += _closest([_row(grid, a, b, stretch, distance) for stretch in stretches])
    found = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    found = found.sort_values(["a", "a_start", "b", "b_start"], ignore_index=True)
    found.attrs = {"videos": len(grid.names), "samples": grid.samples, "flat": grid.flat, "common": common}
    return found


def _check(signatures: pd.DataFrame, distance: int, at_least: float, every: float) -> None:
    if missing := [name for name in ("parent", "start", "hash", "detail") if name not in signatures]:
        raise InputError(f"the table of signatures has no column {', '.join(missing)}: measure the signature first")
    if isinstance(distance, bool) or not isinstance(distance, int | np.integer):
        raise InputError(f"distance must be a whole number of bits, not {distance!r}")
    if not 0 <= distance <= LARGEST_DISTANCE:
        raise InputError(f"distance must be 0 to {LARGEST_DISTANCE} bits, not {distance}")
    if not (every > 0 and at_least > 0 and math.isfinite(at_least / every)):
        raise InputError(f"at_least and every must be more than 0 seconds, not {at_least} and {every}")


@dataclass(frozen=True)
class _Grid:
    """The samples of all videos, a cell a step of time, with empty cells before and after each video.

    Attributes:
        names: of the videos, sorted.
        first: (videos,) the cell of each one's second 0.
        cells: (videos,) how many each has.
        owner: (all cells,) the video's position.
        hashes: (all cells,)
        live: (all cells,) whether there is a sample that is not flat.
        starts: (all cells,) its time in seconds.
        lengths: (videos,) seconds from the first sample to the last, less what is flat.
        every: seconds from cell to cell.
        samples: how many there are.
        flat: how many of them.
    """

    names: pd.Index
    first: _Numbers
    cells: _Numbers
    owner: _Numbers
    hashes: npt.NDArray[np.uint64]
    live: _Truths
    starts: npt.NDArray[np.float64]
    lengths: npt.NDArray[np.floating]
    every: float
    samples: int
    flat: int

    @classmethod
    def of(cls, signatures: pd.DataFrame, every: float, apart: int) -> _Grid:
        """Its samples, videos lying ``apart`` cells from each other.

        Raises:
            InputError: a row without a parent or with a wrong time or hash; samples closer than ``every``.
        """
        rows = signatures.dropna(subset=["hash"])
        starts, detail = (rows[name].to_numpy(np.float64, na_value=np.nan) for name in ("start", "detail"))
        if rows["parent"].isna().any():
            raise InputError("a row of the table of signatures has no parent")
        if not (np.isfinite(starts) & (starts >= 0)).all():
            raise InputError("a row of the table of signatures has no start, or one before second 0")
        videos, names = pd.factorize(rows["parent"], sort=True)
        steps = np.floor(starts / every + 1e-6).astype(np.int64)
        last = np.zeros(len(names), np.int64)
        np.maximum.at(last, videos, steps)
        first = np.cumsum(last + 1 + apart) - last - 1
        size = int(first[-1] + last[-1] + 1 + apart) if len(names) else apart
        cells = first[videos] + steps
        if len(np.unique(cells)) < 0.9 * len(cells):
            raise InputError(f"samples lie closer than every={every} seconds: give the step they were measured with")
        flat = ~(detail >= FLAT)
        grid = cls(
            names=pd.Index(names),
            first=first,
            cells=last + 1,
            owner=np.repeat(np.arange(len(names)), np.diff(first, append=size)),
            hashes=np.zeros(size, np.uint64),
            live=np.zeros(size, bool),
            starts=np.full(size, np.nan),
            lengths=(last + 1 - _least(videos, steps, len(names)) - np.bincount(videos, flat, len(names))) * every,
            every=every,
            samples=len(rows),
            flat=int(flat.sum()),
        )
        grid.hashes[cells], grid.live[cells], grid.starts[cells] = parsed_hashes(rows["hash"]), ~flat, starts
        return grid


def _least(videos: _Numbers, steps: _Numbers, count: int) -> _Numbers:
    least = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(least, videos, steps)
    return least


def _uncommon(grid: _Grid, distance: int) -> tuple[_Numbers, int]:
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


def _tracks(
    grid: _Grid,
    cells: _Numbers,
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


def _by_pair(tracks: pd.DataFrame) -> Iterator[tuple[int, int, _Numbers]]:
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
) -> Iterator[tuple[_Numbers, _Numbers]]:
    """Positions of all pairs of near hashes, equal ones included, in blocks of bounded size."""
    order = np.argsort(hashes, kind="stable")
    looks, begins, counts = np.unique(hashes[order], return_index=True, return_counts=True)
    repeated = np.flatnonzero(counts > 1)
    for one, other in _products(repeated, repeated, begins, counts):
        yield order[one[one < other]], order[other[one < other]]
    for found in near_pair_blocks(looks, distance, progress=progress):
        for one, other in _products(found.first, found.second, begins, counts):
            yield order[one], order[other]


def _products(
    first: _Numbers, second: _Numbers, begins: _Numbers, counts: _Numbers
) -> Iterator[tuple[_Numbers, _Numbers]]:
    """Each member of the look ``first`` with each of ``second``, where looks are ranges of positions."""
    for low, high in _pieces(counts[first]):
        members = _ranges(begins[first[low:high]], counts[first[low:high]])
        partners = np.repeat(second[low:high], counts[first[low:high]])
        for start, stop in _pieces(counts[partners]):
            looks = partners[start:stop]
            yield np.repeat(members[start:stop], counts[looks]), _ranges(begins[looks], counts[looks])


def _pieces(sizes: _Numbers) -> Iterator[tuple[int, int]]:
    """Slices of which each comes to at most ``_BLOCK``, or is a single one."""
    totals = np.cumsum(sizes)
    low, before = 0, 0
    while low < len(sizes):
        high = max(low + 1, int(np.searchsorted(totals, before + _BLOCK, side="right")))
        yield low, high
        low, before = high, int(totals[high - 1])


def _ranges(begins: _Numbers, counts: _Numbers) -> _Numbers:
    """``begins[0], begins[0] + 1, ...``, ``counts[0]`` of them, then those of the next."""
    return np.arange(counts.sum()) + np.repeat(begins - np.cumsum(counts) + counts, counts)


def _agreeing_around(grid: _Grid, i: _Numbers, j: _Numbers, distance: int, reach: int) -> _Numbers:
    """In how many steps around each pair, itself included, both videos look the same."""
    agreeing = np.zeros(len(i), np.int64)
    for step in range(1 - reach, reach):
        near = np.bitwise_count(grid.hashes[i + step] ^ grid.hashes[j + step]) <= distance
        agreeing += near & grid.live[i + step] & grid.live[j + step]
    return agreeing


class _Stretch(NamedTuple):
    """Cells of two videos that agree, in order, and by how many bits they differ."""

    a: _Numbers
    b: _Numbers
    distances: npt.NDArray[np.uint8]

    @property
    def steps(self) -> int:
        return int(self.a[-1] - self.a[0] + 1)

    def holds(self, a: _Numbers, b: _Numbers) -> tuple[_Truths, _Truths]:
        """Which of these cells lie between its ends, in the one and in the other video."""
        return (a >= self.a[0]) & (a <= self.a[-1]), (b >= self.b[0]) & (b <= self.b[-1])

    def only(self, which: _Truths) -> _Stretch:
        """Some of its cells."""
        return _Stretch(self.a[which], self.b[which], self.distances[which])

    def parts(self, every: float) -> list[_Stretch]:
        """What lies between its long gaps."""
        breaks = np.flatnonzero(np.diff(self.a) > LARGEST_GAP / every + 1) + 1
        ends = itertools.pairwise([0, *breaks.tolist(), len(self.a)]) if len(self.a) else []
        return [_Stretch(self.a[low:high], self.b[low:high], self.distances[low:high]) for low, high in ends]

    def then(self, other: _Stretch) -> _Stretch:
        """This one and what follows, in one."""
        return _Stretch(
            np.concatenate([self.a, other.a]),
            np.concatenate([self.b, other.b]),
            np.concatenate([self.distances, other.distances]),
        )


def _stretches(grid: _Grid, a: int, b: int, offset: int, distance: int) -> list[_Stretch]:
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
    return _Stretch(cells, others[nearest], apart[nearest]).only(kept).parts(grid.every)


def _around(true: _Truths) -> _Numbers:
    """How many of the ``_WINDOW`` cells around each are true."""
    return np.convolve(true.astype(np.int64), np.ones(_WINDOW, np.int64))[_WINDOW // 2 :][: len(true)]


def _found(grid: _Grid, a: int, b: int, offsets: _Numbers, distance: int) -> list[_Stretch]:
    """Stretches of two videos, at all offsets that may bring new ones.

    A picture that stands for ten seconds agrees with itself at many offsets: where all seeds of one lie within
    a stretch that is found, it is about the same.
    """
    found: list[_Stretch] = []
    for offset, low, high in offsets.tolist():
        shift = grid.first[b] + offset - grid.first[a]
        ends = np.array([low, high])
        if not any(np.all(one.holds(ends, ends + shift)) for one in found):
            found += _stretches(grid, a, b, offset, distance)
    return found


def _best(grid: _Grid, stretches: list[_Stretch], distance: int, reach: int) -> list[_Stretch]:
    """Those that agree in most cells, and of the others what is not about the same parts of both videos.

    Of one look, which agrees with itself at any offset, no part of either video is given twice.
    """
    best: list[_Stretch] = []
    for one in sorted(stretches, key=lambda s: (-len(s.a), s.distances.mean(), s.a[0], s.b[0])):
        still = _looks(grid, one, distance) == 1
        said = np.zeros(len(one.a), bool)
        for other in best:
            in_a, in_b = other.holds(one.a, one.b)
            said |= (in_a | in_b) if still else (in_a & in_b)
        best += [part for part in one.only(~said).parts(grid.every) if part.steps >= reach]
    return best


def _looks(grid: _Grid, stretch: _Stretch, distance: int) -> int:
    """How many different pictures follow each other."""
    hashes = grid.hashes[stretch.a]
    return 1 + int((np.bitwise_count(hashes[1:] ^ hashes[:-1]) > distance).sum())


def _joined(stretches: list[_Stretch], every: float) -> list[_Stretch]:
    """Those put together that follow each other at nearly one offset: at another speed it creeps."""
    joined: list[_Stretch] = []
    for one in sorted(stretches, key=lambda stretch: (stretch.a[0], stretch.b[0])):
        for position, before in enumerate(joined):
            new = one.a > before.a[-1]
            close = one.a[0] - before.a[-1] <= LARGEST_GAP / every + 1
            crept = np.median((one.b - one.a)[:_ENDS]) - np.median((before.b - before.a)[-_ENDS:])
            if close and new.any() and abs(crept) <= CREEP:
                joined[position] = before.then(one.only(new))
                break
        else:
            joined.append(one)
    return joined


def _closest(rows: list[dict[str, str | float]]) -> list[dict[str, str | float]]:
    """Without what a much closer stretch of the same two videos explains: a fixed camera resembles itself always."""
    kept: list[dict[str, str | float]] = []
    for row in sorted(rows, key=lambda row: (row["distance"], -float(row["seconds"]))):
        if not any(_explained(row, other) for other in kept):
            kept.append(row)
    return kept


def _explained(row: dict[str, str | float], by: dict[str, str | float]) -> bool:
    if float(row["distance"]) < float(by["distance"]) + MUCH_CLOSER:
        return False
    for one in "ab":
        start, stop = float(row[f"{one}_start"]), float(row[f"{one}_stop"])
        shared = min(stop, float(by[f"{one}_stop"])) - max(start, float(by[f"{one}_start"]))
        if shared > (stop - start) / 2:
            return True
    return False


def _row(grid: _Grid, a: int, b: int, stretch: _Stretch, distance: int) -> dict[str, str | float]:
    """A stretch as a row of the table."""
    starts = grid.starts[stretch.a]
    offsets = grid.starts[stretch.b] - starts
    first, last = starts[0], starts[-1] + grid.every
    return {
        "a": grid.names[a],
        "a_start": round(first, 6),
        "a_stop": round(last, 6),
        "b": grid.names[b],
        "b_start": round(max(0.0, first + np.median(offsets[:_ENDS])), 6),
        "b_stop": round(last + np.median(offsets[-_ENDS:]), 6),
        "seconds": round(last - first, 6),
        "offset": round(np.median(offsets), 6),
        "matched": round(len(stretch.a) / grid.live[stretch.a[0] : stretch.a[-1] + 1].sum(), 6),
        "distance": round(stretch.distances.mean(), 3),
        "looks": _looks(grid, stretch, distance),
        "a_length": round(grid.lengths[a], 6),
        "b_length": round(grid.lengths[b], 6),
    }
