"""Unequal probabilities: of being drawn, in proportion to a size, and a draw that keeps them exactly.

Särndal, Swensson & Wretman (1992), *Model Assisted Survey Sampling*, chapter 3.6; Tillé (2006), *Sampling
Algorithms*, chapters 2.10 and 7.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visanda.errors import InputError

Array = NDArray[np.float64]

FLOOR = 0.25  # the share of a draw that is spread over all alike


def probabilities(
    n: float, size: Array, *, floor: float = FLOOR, worth: Array | None = None, even: Array | None = None
) -> Array:
    """(N,) π_i = min(1, c × (floor / N + (1 − floor) × size_i / Σ size)), with c so that Σ worth × π is ``n``.

    Those that would exceed 1 are drawn for certain, and the others share what remains. Never less than
    floor × n / N (or 1), so that every unit can stand for those like it, whatever its size.

    Args:
        n: how many should be drawn; the sum of ``worth`` or more: all.
        size: (N,) what probabilities are proportional to, 0 or more; all 0: all alike.
        floor: the share of the draw that is spread over all alike, above 0 and at most 1.
        worth: (N,) what drawing each brings, 0 or more: the units of a cluster, the chance that it is new; 1 by
            default.
        even: (N,) what the floor is spread in proportion to, above 0: 1 each by default.

    Raises:
        InputError: a floor out of range, a size below 0 or missing.

    Example:
        >>> probabilities(2, np.array([0.0, 1.0, 1.0, 6.0])).round(3).tolist()
        [0.167, 0.417, 0.417, 1.0]
    """
    if not 0 < floor <= 1:
        raise InputError(f"floor={floor}: give a share above 0, up to 1; what can never be drawn speaks for nobody")
    if not (np.isfinite(size).all() and (size >= 0).all()):
        raise InputError("sizes must be numbers of 0 or more: probabilities are proportional to them")
    total = float(size.sum())
    even = np.ones(len(size)) if even is None else even
    alike = even / even.sum()
    share = floor * alike + (1 - floor) * size / total if total > 0 else alike
    worth = np.ones(len(size)) if worth is None else worth
    if n >= worth.sum():
        return np.ones(len(size))
    largest = np.argsort(-share, kind="stable")
    certain = np.concatenate([[0.0], np.cumsum(worth[largest])])[:-1]  # worth of the k largest, drawn for certain
    weighed = (worth * share)[largest]
    rest = np.cumsum(weighed[::-1])[::-1]
    factor = np.divide(n - certain, rest, out=np.full(len(size), np.inf), where=rest > 0)
    fits = (factor >= 0) & (factor * share[largest] <= 1 + 1e-12)
    return np.minimum(1.0, factor[int(np.argmax(fits))] * share)


def systematic(pi: Array, random: np.random.Generator, stratum: NDArray[np.intp] | None = None) -> NDArray[np.bool_]:
    """(N,) which are drawn, each with exactly its probability: randomised systematic sampling.

    Units stand in random order, each as long as its probability, and a comb whose teeth are 1 apart falls on them
    (Goodman & Kish 1950; Tillé 2006, chapter 7). So many are drawn as probabilities add up to; where that is no
    whole number, the next lower or higher one.

    Args:
        pi: (N,) probabilities, 0 to 1.
        random: where chance comes from.
        stratum: (N,) numbers; units of a stratum stand side by side, so that each stratum, too, gets what its
            probabilities add up to, within 1.
    """
    taken = pi >= 1
    order = np.lexsort((random.random(len(pi)), np.zeros(len(pi)) if stratum is None else stratum))
    order = order[(pi[order] > 0) & (pi[order] < 1)]
    if len(order) == 0:
        return taken
    ends = np.cumsum(pi[order])
    whole = round(ends[-1])
    if abs(ends[-1] - whole) < 1e-6:  # what adds up to 40 draws 40, never 39 by a rounding error
        ends *= whole / ends[-1]
    start = 1 - random.random()
    teeth = np.floor(np.concatenate([[0.0], ends]) - start)
    taken[order] = np.diff(teeth) > 0
    return taken
