"""Every near pair, found once: against comparing all pairs."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.learn import hamming
from visanda.learn.hamming import near_pair_blocks, near_pairs


def compared(hashes: np.ndarray, distance: int) -> list[tuple[int, int, int]]:
    """The pairs, by comparing each hash with all later ones."""
    found = []
    for i, value in enumerate(hashes):
        distances = np.bitwise_count(hashes[i + 1 :] ^ value)
        for j in np.flatnonzero(distances <= distance):
            found.append((i, int(i + 1 + j), int(distances[j])))
    return found


def searched(hashes: np.ndarray, distance: int) -> list[tuple[int, int, int]]:
    return list(zip(*(array.tolist() for array in near_pairs(hashes, distance)), strict=True))


def uniform(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 2**64, n, dtype=np.uint64)


def planted(n: int, rng: np.random.Generator) -> np.ndarray:
    """Random hashes, a third of them copies of others with up to 12 bits flipped."""
    hashes = uniform(n, rng)
    for target in range(0, n, 3):
        flips = rng.choice(64, rng.integers(0, 13), replace=False)
        hashes[target] = hashes[rng.integers(n)] ^ np.uint64(sum(1 << int(bit) for bit in flips))
    return hashes


def skewed(n: int, rng: np.random.Generator) -> np.ndarray:
    """Bits that are uneven and go together, and a tenth of hashes that differ in their last 12 bits only."""
    scores = rng.normal(size=(n, 64)) @ (rng.normal(size=(64, 64)) * 0.5 + np.eye(64)) + rng.normal(size=64) * 3
    hashes = np.packbits(scores > 0, axis=1).view(">u8").ravel().astype(np.uint64)
    hashes[: n // 10] = rng.integers(0, 2**12, n // 10, dtype=np.uint64)
    return hashes


@pytest.mark.parametrize("make", [uniform, planted, skewed])
@pytest.mark.parametrize("n", [2, 300, 6000])
@pytest.mark.parametrize("distance", [0, 1, 3, 8, 12, 16])
def test_all_pairs_are_found(make, n, distance):
    rng = np.random.default_rng([n, distance])
    hashes = np.unique(make(n, rng))
    rng.shuffle(hashes)
    assert searched(hashes, distance) == compared(hashes, distance)


def hashes_of_any_kind() -> st.SearchStrategy[list[int]]:
    """Lists of hashes; from all 64 bits, or from so few that most are near each other."""
    narrow = st.tuples(st.integers(0, 63), st.integers(0, 255)).map(lambda t: (t[1] << t[0]) % 2**64)
    full = st.integers(0, 2**64 - 1)
    return st.one_of(st.lists(full, unique=True), st.lists(narrow, unique=True), st.lists(narrow | full, unique=True))


@settings(deadline=None, max_examples=150)
@given(hashes_of_any_kind(), st.integers(0, 12), st.integers(0, 2**32))
def test_chunks_miss_nothing_and_invent_nothing(values, distance, seed):
    hashes = np.array(values, dtype=np.uint64)
    rng = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        # Tiny blocks, and chunks where they would not pay: what is found must not depend on either.
        patch.setattr(hamming, "_BLOCK_ROWS", int(rng.integers(1, 20)))
        patch.setattr(hamming, "_BLOCK_CANDIDATES", int(rng.integers(1, 50)))
        count = int(rng.integers(1, distance + 2))
        larger, extra = divmod(distance + 1, count)
        bits = rng.permutation(64)
        width = min(64 // count, 12)
        chunks = [
            hamming._Chunk(tuple(bits[i * width : (i + 1) * width].tolist()), larger - 1 + (i < extra))
            for i in range(count)
        ]
        assume(sum(chunk.lookups for chunk in chunks) <= 2000)
        patch.setattr(hamming, "_cheapest_chunks", lambda *_: chunks)
        assert searched(hashes, distance) == compared(hashes, distance)


def test_chunks_are_used_where_they_pay():
    rng = np.random.default_rng(1)
    assert len(hamming._cheapest_chunks(uniform(50_000, rng), 8)) > 1
    assert hamming._cheapest_chunks(uniform(1000, rng), 8) == []


@pytest.mark.parametrize("distance", [3, 8])
def test_the_order_of_the_hashes_does_not_matter(distance):
    rng = np.random.default_rng(2)
    hashes = np.unique(planted(20_000, rng))
    there = near_pairs(hashes, distance)
    order = rng.permutation(len(hashes))
    here = near_pairs(hashes[order], distance)
    ends = np.sort(np.stack([order[here.first], order[here.second]]), axis=0)
    again = ends[:, np.lexsort(ends[::-1])]
    assert np.array_equal(again, np.stack([there.first, there.second]))


def test_every_pair_of_a_dense_cluster_comes_once_and_in_little_memory():
    """4,096 hashes that all differ in 12 bits only: eight million pairs, 140 MB of them if kept."""
    hashes = np.arange(2**12, dtype=np.uint64) << np.uint64(20)
    tracemalloc.start()
    count = sum(len(block.first) for block in near_pair_blocks(hashes, 12))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 2**12 * (2**12 - 1) // 2
    assert peak < 40e6


def test_skewed_chunks_take_little_memory():
    """Forty thousand hashes that share three quarters of their bits, as pictures of pages do."""
    rng = np.random.default_rng(3)
    hashes = np.unique(rng.integers(0, 2**16, 40_000, dtype=np.uint64) << np.uint64(13))
    tracemalloc.start()
    found = sum(len(block.first) for block in near_pair_blocks(hashes, 2))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found > 0
    assert peak < 100e6


def test_a_hundred_thousand_hashes_take_seconds():
    hashes = np.unique(uniform(100_000, np.random.default_rng(4)))
    start = time.perf_counter()
    near_pairs(hashes)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("n", [1, 500, 30_000])
def test_progress_grows_to_the_end(n):
    shares: list[float] = []
    near_pairs(np.unique(uniform(n, np.random.default_rng(5))), progress=shares.append)
    assert shares == sorted(shares)
    assert shares[0] >= 0
    assert shares[-1] == pytest.approx(1)


def test_nothing_in_nothing_out():
    assert searched(np.empty(0, dtype=np.uint64), 8) == []


@pytest.mark.parametrize(
    ("hashes", "distance", "message"),
    [
        (np.array([1, 2]), 8, "uint64"),
        (np.array([[1, 2]], dtype=np.uint64), 8, "flat array"),
        (np.array([1, 1], dtype=np.uint64), 8, "repeat"),
        (np.array([1, 2], dtype=np.uint64), -1, "0 to 16"),
        (np.array([1, 2], dtype=np.uint64), 17, "0 to 16"),
        (np.array([1, 2], dtype=np.uint64), 8.5, "whole number"),
    ],
)
def test_input_that_does_not_fit_is_refused_at_once(hashes, distance, message):
    with pytest.raises(InputError, match=message):
        near_pair_blocks(hashes, distance)
