"""Intraclass correlations: how far codes that are numbers depend on the unit and not on the coder.

Shrout & Fleiss (1979), McGraw & Wong (1996). Each is given as a function of weights of units, (r, u), for the
bootstrap.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from visanda.study.reliability.alpha import Measure, ratio
from visanda.study.reliability.coders import Coded

Array = NDArray[np.float64]


def one_way(coded: Coded) -> Measure:
    """ICC(1): each unit has coders of its own; of units with two codes or more, however many."""
    numbers = coded.numbers - np.nanmean(coded.numbers)
    many, total = coded.many, np.nansum(numbers, axis=1)
    within = np.nansum((numbers - (total / many)[:, None]) ** 2, axis=1)
    return partial(_one_way, many, total, within)


def _one_way(many: Array, total: Array, within: Array, weight: Array) -> Array:
    n, codes, sums = weight.sum(axis=1), weight @ many, weight @ total
    between = ratio(weight @ (total**2 / many) - ratio(sums**2, codes), n - 1)
    error = ratio(weight @ within, codes - n)
    per_unit = ratio(codes - ratio(weight @ many**2, codes), n - 1)
    return ratio(between - error, between + (per_unit - 1) * error)


def two_way(coded: Coded, kind: Literal["agreement", "consistency"]) -> Measure:
    """ICC(A,1), Shrout & Fleiss's ICC(2,1), or ICC(C,1), their ICC(3,1): the same coders throughout.

    The variances of units, coders and the rest are those of each pair of coders on the units that they share,
    averaged by the number of units. Without gaps that is the analysis of variance; with gaps it uses every
    unit that two coded.
    """
    centred = coded.numbers - np.nanmean(coded.numbers)
    parts = []
    for a, b in coded.pairs():
        rows = np.flatnonzero(coded.given[:, a] & coded.given[:, b])
        left, right = centred[rows, a], centred[rows, b]
        parts.append((rows, np.column_stack([left, right, left**2, right**2, left * right])))
    return partial(_two_way, parts, kind == "agreement")


def _two_way(parts: list[tuple[NDArray[np.intp], Array]], agreement: bool, weight: Array) -> Array:
    unit, coder, rest, pairs = (np.zeros(len(weight)) for _ in range(4))
    for rows, products in parts:
        n = weight[:, rows].sum(axis=1)
        known = n > 1
        with np.errstate(invalid="ignore", divide="ignore"):
            left, right, left2, right2, both = (weight[:, rows] @ products / n[:, None]).T
            enough = n / (n - 1)
            together = (both - left * right) * enough
            error = (left2 - left**2 + right2 - right**2) * enough / 2 - together
            between = (left - right) ** 2 / 2 - error / n
        for sum_, part in ((unit, together), (coder, between), (rest, error), (pairs, np.ones(len(weight)))):
            sum_[known] += (n * part)[known]
    return ratio(unit, unit + rest + (coder if agreement else 0))


def mean_difference(coded: Coded) -> Measure:
    """Mean absolute difference of two codes of a unit, over all pairs, in the units of the scale."""
    many = coded.many
    place = np.arange(coded.numbers.shape[1])
    # of sorted numbers, each counts once for every smaller one and is taken off once for every larger one
    factor = np.where(place < many[:, None], 2 * place - many[:, None] + 1, 0)
    apart = (np.nan_to_num(np.sort(coded.numbers, axis=1)) * factor).sum(axis=1)
    return lambda weight: ratio(weight @ apart, weight @ (many * (many - 1) / 2))
