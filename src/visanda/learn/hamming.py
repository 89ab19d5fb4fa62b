"""Every pair of 64-bit hashes within a Hamming distance, none missed.

Multi-index hashing (Norouzi, Punjani & Fleet 2012). Some of the 64 bits are dealt to chunks, each with a
radius ``r``, such that the sum of ``r + 1`` is ``distance + 1``. A pair that differed by more than ``r`` bits
in every chunk would differ by more than ``distance`` in all, so each near pair lies within ``r`` in at least
one chunk. There it is found by looking up ``key ^ mask`` for every mask of at most ``r`` bits, and is
checked on all 64 bits.
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

HASH_BITS = 64
LARGEST_DISTANCE = 16

_Positions = npt.NDArray[np.int64]
_Hashes = npt.NDArray[np.uint64]

# Sizes that keep the arrays of one step in a core's cache; others were measured to be slower.
_BLOCK_ROWS = 1 << 15
_BLOCK_CANDIDATES = 1 << 16
_BRUTE_ROWS, _BRUTE_COLUMNS = 32, 1 << 12
_BLOCK_PAIRS = 1 << 18
_WIDEST_CHUNK = 22  # its table: four million buckets, 32 MB
_SAMPLE = 1 << 15

# Nanoseconds, to choose between ways of searching: what is found does not depend on them.
_NS_LOOKUP, _NS_CANDIDATE, _NS_BRUTE, _NS_STEP = 7.0, 5.0, 1.0, 40_000.0


def parsed_hashes(hashes: pd.Series) -> npt.NDArray[np.uint64]:
    """Hashes as numbers, from the text that tables hold.

    Args:
        hashes: 16 hexadecimal digits each, none missing; errors call them by the column's name.

    Returns:
        ``(n,)``, in the same order.

    Raises:
        InputError: one is not 16 hexadecimal digits.

    >>> parsed_hashes(pd.Series(["00000000000000ff", "0000000000000100"], name="phash"))
    array([255, 256], dtype=uint64)
    """
    wrong = ~hashes.astype(str).str.fullmatch(r"[0-9a-fA-F]{16}").astype(bool)
    if wrong.any():
        raise InputError(f"a {hashes.name} must be 16 hexadecimal digits, not {hashes[wrong].iloc[0]!r}")
    return np.frombuffer(bytes.fromhex("".join(hashes)), dtype=">u8").astype(np.uint64)


class Pairs(NamedTuple):
    """Pairs of near hashes as three arrays of one length.

    Attributes:
        first: position of one in the array of hashes.
        second: position of the other, always higher.
        distance: how many of the 64 bits differ.
    """

    first: _Positions
    second: _Positions
    distance: npt.NDArray[np.uint8]


def near_pairs(
    hashes: npt.NDArray[np.uint64],
    distance: int = 8,
    *,
    progress: Callable[[float], None] | None = None,
) -> Pairs:
    """All pairs of different hashes within ``distance`` bits of each other.

    Args:
        hashes: ``(n,)`` of uint64, each value once (``np.unique`` first: a hundred thousand blank pictures
            share one hash, and their five billion pairs say nothing).
        distance: the largest number of differing bits, 0–16.
        progress: called now and then with the share of the work done, 0–1.

    Returns:
        The pairs, sorted by ``first``, then ``second``.

    Raises:
        InputError: the hashes are no flat array of uint64, or repeat; the distance is out of range.

    Norouzi, Punjani & Fleet 2012, "Fast search in Hamming space with multi-index hashing".

    >>> near_pairs(np.array([0b0000, 0b0111, 0xFFFF], dtype=np.uint64), distance=4)
    Pairs(first=array([0]), second=array([1]), distance=array([3], dtype=uint8))
    """
    found = _joined(list(near_pair_blocks(hashes, distance, progress=progress)))
    order = np.lexsort((found.second, found.first))
    return Pairs(found.first[order], found.second[order], found.distance[order])


def near_pair_blocks(
    hashes: npt.NDArray[np.uint64],
    distance: int = 8,
    *,
    progress: Callable[[float], None] | None = None,
) -> Iterator[Pairs]:
    """The pairs of :func:`near_pairs`, each once, unsorted, in blocks of bounded size.

    For whoever reduces the pairs as they come: a hundred thousand pictures that all look nearly alike have
    more near pairs than fit in memory.
    """
    hashes = np.asarray(hashes)
    if hashes.ndim != 1 or hashes.dtype != np.uint64:
        raise InputError(f"hashes must be a flat array of uint64, not {hashes.dtype} of shape {hashes.shape}")
    if isinstance(distance, bool) or not isinstance(distance, int | np.integer):
        raise InputError(f"distance must be a whole number of bits, not {distance!r}")
    if not 0 <= distance <= LARGEST_DISTANCE:
        raise InputError(f"distance must be 0 to {LARGEST_DISTANCE} bits, not {distance}")
    if len(np.unique(hashes)) < len(hashes):
        raise InputError("hashes repeat: search np.unique(hashes), and treat equal ones as one")
    return _gathered(_search(hashes, int(distance), progress))


class _Task(NamedTuple):
    """A piece of the search: its share of the whole (0–1), and its pairs, found as they are asked for."""

    share: float
    blocks: Iterator[Pairs]


def _search(hashes: _Hashes, distance: int, progress: Callable[[float], None] | None) -> Iterator[Pairs]:
    # In one thread: the steps are short, np.repeat keeps the interpreter's lock, and a second thread was
    # measured to gain nothing.
    chunks = _cheapest_chunks(hashes, distance)
    done = 0.0
    for task in _indexed_tasks(hashes, distance, chunks) if chunks else _brute_tasks(hashes, distance):
        yield from task.blocks
        done = min(done + task.share, 1.0)
        if progress is not None:
            progress(done)


@dataclass(frozen=True)
class _Chunk:
    """Some of the 64 bits, whose values together are the key, and the radius to search around a key."""

    bits: tuple[int, ...]
    radius: int

    @property
    def mask(self) -> np.uint64:
        return np.uint64(sum(1 << bit for bit in self.bits))

    @property
    def lookups(self) -> int:
        """How many keys lie within the radius of a key."""
        return sum(math.comb(len(self.bits), k) for k in range(self.radius + 1))

    def keys(self, hashes: _Hashes) -> _Positions:
        keys = np.zeros(len(hashes), dtype=np.int64)
        for bit in self.bits:
            keys <<= 1
            keys |= ((hashes >> np.uint64(bit)) & np.uint64(1)).view(np.int64)
        return keys


def _cheapest_chunks(hashes: _Hashes, distance: int) -> list[_Chunk]:
    """The chunks that promise the least work on these hashes; none where comparing all pairs is cheaper."""
    n = len(hashes)
    lowest_cost, cheapest = _NS_BRUTE * n * n / 2, list[_Chunk]()
    if lowest_cost < 1e7:  # 10 ms: not worth planning
        return cheapest
    sample = np.random.default_rng(0).choice(hashes, min(n, _SAMPLE), replace=False)
    for count in range(1, distance + 2):
        width = min(HASH_BITS // count, _WIDEST_CHUNK, n.bit_length() + 1)
        larger, extra = divmod(distance + 1, count)
        radii = [larger - 1 + (i < extra) for i in range(count)]
        chunks = [_Chunk(bits, r) for bits, r in zip(_dealt_bits(sample, count, width), radii, strict=True)]
        cost = sum(_cost(chunk, sample, n) for chunk in chunks)
        if cost < lowest_cost:
            lowest_cost, cheapest = cost, chunks
    return cheapest


def _cost(chunk: _Chunk, sample: _Hashes, n: int) -> float:
    """Nanoseconds to search one chunk of ``n`` hashes.

    A mask brings at most as many candidates as there are pairs with equal keys (Cauchy–Schwarz), half of them
    seen from the lower key; how often two keys are equal is taken from the sample.
    """
    _, sizes = np.unique(chunk.keys(sample), return_counts=True)
    equal = (sizes * (sizes - 1)).sum() / (len(sample) * (len(sample) - 1))
    steps = math.ceil(n / _BLOCK_ROWS)
    return chunk.lookups * (steps * _NS_STEP + n / 2 * _NS_LOOKUP + n * n / 2 * equal * _NS_CANDIDATE)


def _dealt_bits(sample: _Hashes, count: int, width: int) -> list[tuple[int, ...]]:
    """``width`` bits for each of ``count`` chunks, such that few hashes share a key.

    Neighbouring frequencies of a picture go together, and some bits hardly vary: the most even bits are dealt
    first, each to the chunk whose bits it is least correlated with.
    """
    values = (sample[:, None] >> np.arange(HASH_BITS, dtype=np.uint64)) & np.uint64(1)
    centred = values.astype(np.float32) - values.mean(axis=0, dtype=np.float32)
    covariance = centred.T @ centred / len(sample)
    deviation = np.sqrt(covariance.diagonal())
    scale = np.where(deviation > 0, deviation, 1)
    correlation = np.abs(covariance / scale / scale[:, None])
    dealt: list[list[int]] = [[] for _ in range(count)]
    for bit in np.argsort(-deviation, kind="stable")[: count * width].tolist():
        open_chunks = [bits for bits in dealt if len(bits) < width]
        min(open_chunks, key=lambda bits: (correlation[bit, bits].sum(), len(bits))).append(bit)
    return [tuple(bits) for bits in dealt]


def _indexed_tasks(hashes: _Hashes, distance: int, chunks: list[_Chunk]) -> Iterator[_Task]:
    lookups = sum(chunk.lookups for chunk in chunks)
    for position, chunk in enumerate(chunks):
        index = _Index.of(hashes, distance, chunk, chunks[:position])
        for low in range(0, len(hashes), _BLOCK_ROWS):
            rows = np.arange(low, min(low + _BLOCK_ROWS, len(hashes)))
            yield _Task(len(rows) / len(hashes) * chunk.lookups / lookups, index.near(rows))


@dataclass(frozen=True)
class _Index:
    """The hashes ordered by their key in one chunk, so that those with equal keys lie together.

    A row is a place in that order; ``order`` leads from rows to the caller's positions, and the rows with key
    ``k`` are ``starts[k]`` to ``starts[k + 1]``.
    """

    hashes: _Hashes
    order: _Positions
    keys: _Positions
    starts: _Positions
    distance: int
    chunk: _Chunk
    earlier: list[_Chunk]

    @classmethod
    def of(cls, hashes: _Hashes, distance: int, chunk: _Chunk, earlier: list[_Chunk]) -> _Index:
        keys = chunk.keys(hashes)
        order = np.argsort(keys, kind="stable")
        starts = np.zeros((1 << len(chunk.bits)) + 1, dtype=np.int64)
        np.cumsum(np.bincount(keys, minlength=len(starts) - 1), out=starts[1:])
        return cls(hashes[order], order, keys[order], starts, distance, chunk, earlier)

    def near(self, rows: _Positions) -> Iterator[Pairs]:
        """Near pairs of these consecutive rows with later rows whose key is within the radius."""
        keys = self.keys[rows]
        yield from self._checked(rows, rows + 1, self.starts[keys + 1])
        for highest in range(len(self.chunk.bits) if self.chunk.radius else 0):
            # A mask leads from each key of a pair to the other. It is enough to look from the lower key,
            # which is the one without the mask's highest bit.
            lower = np.flatnonzero((keys >> highest) & 1 == 0)
            lower_rows, flipped = rows[lower], keys[lower] ^ (1 << highest)
            for others in range(self.chunk.radius):
                for bits in itertools.combinations(range(highest), others):
                    key = flipped ^ sum(1 << bit for bit in bits)
                    yield from self._checked(lower_rows, self.starts[key], self.starts[key + 1])

    def _checked(self, rows: _Positions, begins: _Positions, ends: _Positions) -> Iterator[Pairs]:
        """Those of each row's candidates ``begins:ends`` that are within the distance on all 64 bits."""
        filled = np.flatnonzero(ends > begins)
        rows, begins = rows[filled], begins[filled]
        counts = ends[filled] - begins
        totals = np.cumsum(counts)
        low, before = 0, 0
        while low < len(rows):
            # One row more than fits where a single row has too many: at most one candidate a hash.
            high = max(low + 1, int(np.searchsorted(totals, before + _BLOCK_CANDIDATES, side="right")))
            count = counts[low:high]
            offset = begins[low:high] - (totals[low:high] - count)
            second = np.arange(before, totals[high - 1]) + np.repeat(offset, count)
            differing = np.repeat(self.hashes[rows[low:high]], count) ^ self.hashes[second]
            near = np.flatnonzero(np.bitwise_count(differing) <= self.distance)
            if len(near):
                first = rows[np.searchsorted(totals, near + before, side="right")]
                yield self._new(first, second[near], differing[near])
            low, before = high, int(totals[high - 1])

    def _new(self, first: _Positions, second: _Positions, differing: _Hashes) -> Pairs:
        """The pairs that no earlier chunk has found, in the caller's positions."""
        new = np.ones(len(first), dtype=bool)
        for chunk in self.earlier:
            new &= np.bitwise_count(differing & chunk.mask) > chunk.radius
        one, other = self.order[first[new]], self.order[second[new]]
        return Pairs(np.minimum(one, other), np.maximum(one, other), np.bitwise_count(differing[new]))


def _brute_tasks(hashes: _Hashes, distance: int) -> Iterator[_Task]:
    n = len(hashes)
    for low in range(0, n, _BRUTE_ROWS):
        high = min(low + _BRUTE_ROWS, n)
        share = (high - low) * (2 * n - low - high) / n**2
        yield _Task(share, _near_by_comparing(hashes, distance, low, high))


def _near_by_comparing(hashes: _Hashes, distance: int, low: int, high: int) -> Iterator[Pairs]:
    """Near pairs of the hashes ``low:high`` with every one after them."""
    for start in range(low, len(hashes), _BRUTE_COLUMNS):
        columns = hashes[start : start + _BRUTE_COLUMNS]
        distances = np.bitwise_count(hashes[low:high, None] ^ columns).ravel()
        near = np.flatnonzero(distances <= distance)
        first, second = near // len(columns) + low, near % len(columns) + start
        after = second > first
        yield Pairs(first[after], second[after], distances[near][after])


def _gathered(found: Iterator[Pairs]) -> Iterator[Pairs]:
    """The same pairs in fewer, larger blocks, so that a reader spends little on each."""
    waiting: list[Pairs] = []
    size = 0
    for pairs in found:
        waiting.append(pairs)
        size += len(pairs.first)
        if size >= _BLOCK_PAIRS:
            yield _joined(waiting)
            waiting, size = [], 0
    if size:
        yield _joined(waiting)


def _joined(blocks: list[Pairs]) -> Pairs:
    none = Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8))
    return Pairs(*(np.concatenate(arrays) for arrays in zip(none, *blocks, strict=True)))
