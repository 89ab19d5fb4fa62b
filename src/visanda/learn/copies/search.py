"""The search for copies between videos: seeds, the stretches that grow from them, and the best of these."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.learn.copies.grid import Grid
from visanda.learn.copies.seeds import SEED_DISTANCE, by_pair, find_tracks, uncommon
from visanda.learn.copies.stretches import find_stretches, joined, without_repeats
from visanda.learn.copies.table import COLUMNS, as_row, closest
from visanda.learn.hamming import LARGEST_DISTANCE


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
    grid = Grid.of(signatures, every, apart=reach + 1)
    seeding, common = uncommon(grid, min(distance, SEED_DISTANCE))
    tracks = find_tracks(grid, seeding, distance, reach, within, progress)
    rows = []
    for a, b, offsets in by_pair(tracks):
        stretches = find_stretches(grid, a, b, offsets, distance)
        stretches = joined(without_repeats(grid, stretches, distance, reach), every)
        rows += closest([as_row(grid, a, b, stretch, distance) for stretch in stretches])
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
