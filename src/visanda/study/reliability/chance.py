"""Agreement beyond chance by other chances than Krippendorff's: Gwet's AC1 and AC2, Cohen's kappa.

Gwet (2008; 2014, "Handbook of Inter-Rater Reliability"), Cohen (1960, 1968), Light (1971). Each is given as a
function of weights of units, (r, u), for the bootstrap.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from visanda.study.reliability.alpha import Measure, ratio
from visanda.study.reliability.coders import Coded

Array = NDArray[np.float64]
Weights = Callable[[int], Array]  # number of values to (v, v) how far two values count as agreeing, 1 to 0


def identity(values: int) -> Array:
    """Only the same value agrees."""
    return np.eye(values)


def ordinal_weights(values: int) -> Array:
    """Gwet's ordinal weights: the fewer pairs of values lie in between, the nearer."""
    apart = _steps(values)
    most = values * (values - 1) / 2
    return 1 - apart * (apart + 1) / 2 / max(most, 1)


def quadratic(values: int) -> Array:
    """Less by the square of the number of steps between two values."""
    return 1 - (_steps(values) / max(values - 1, 1)) ** 2


def gwet(coded: Coded, weights: Weights = identity) -> Measure:
    """AC1, or AC2 with weights, for any number of coders and missing codes, by weights of ``coded.twice()``.

    Agreement is the mean over units with two codes or more; units with one take part in how often each value is
    given, as in Gwet (2014) and irrCAC, each with a weight of 1. The number of values is that of ``coded.values``;
    with one value only there is no chance to correct for, and AC1 is NaN.
    """
    nearness = weights(len(coded.values))
    counts, many = coded.counts, coded.many
    shares, twice = counts / many[:, None], many >= 2
    agree = (counts * (counts @ nearness - 1)).sum(axis=1)[twice] / (many * (many - 1))[twice]
    return partial(_gwet, agree, shares[twice], shares[~twice].sum(axis=0), int((~twice).sum()), nearness)


def _gwet(agree: Array, shares: Array, alone: Array, n_alone: int, nearness: Array, weight: Array) -> Array:
    values, units = len(nearness), weight.sum(axis=1)
    if values == 1:
        return np.full(len(weight), np.nan)
    share = (weight @ shares + alone) / (units + n_alone)[:, None]
    chance = nearness.sum() / (values * (values - 1)) * (share * (1 - share)).sum(axis=1)
    return ratio(ratio(weight @ agree, units) - chance, 1 - chance)


def kappa(coded: Coded, weights: Weights = identity) -> Measure:
    """Cohen's kappa of two coders; of more, the mean over pairs of coders (Light 1971) by the units they share."""
    nearness = weights(len(coded.values))
    parts = [_pair(coded, a, b, nearness) for a, b in coded.pairs()]
    return partial(_mean, parts)


def kappa_of(coded: Coded, a: int, b: int, weights: Weights = identity) -> float:
    """Cohen's kappa of coders number ``a`` and ``b``; NaN where both give one value only."""
    part = _pair(coded, a, b, weights(len(coded.values)))
    return float(_mean([part], np.ones((1, len(coded.ids))))[0])


def _pair(coded: Coded, a: int, b: int, nearness: Array) -> tuple[NDArray[np.intp], Array, Array, Array]:
    """Units that two coders share; how far they agree on each; what the one gives; how near that is to the other's."""
    rows = np.flatnonzero(coded.given[:, a] & coded.given[:, b])
    left, right = coded.code[rows, a], coded.code[rows, b]
    one = np.eye(len(nearness))
    return rows, nearness[left, right], one[left], nearness[right]


def _mean(parts: list[tuple[NDArray[np.intp], Array, Array, Array]], weight: Array) -> Array:
    total, units = np.zeros(len(weight)), np.zeros(len(weight))
    for rows, agree, left, right in parts:
        mine = weight[:, rows]
        n = mine.sum(axis=1)
        chance = ratio(((mine @ left) * (mine @ right)).sum(axis=1), n**2)
        beyond = ratio(ratio(mine @ agree, n) - chance, np.where(chance < 1 - 1e-12, 1 - chance, 0))
        known = np.isfinite(beyond)
        total[known] += (n * beyond)[known]
        units[known] += n[known]
    return ratio(total, units)


def _steps(values: int) -> Array:
    places = np.arange(values, dtype=float)
    return np.abs(places[:, None] - places)
