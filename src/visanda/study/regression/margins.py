"""Average marginal effects: by how much the expected outcome changes with a variable, on average over all units.

A coefficient of a logit is hard to read; its average marginal effect is in points of probability (Williams 2012). The
variance adds what is uncertain about the average to what is uncertain about the coefficients, unit by unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visanda.study.regression.families import Family
from visanda.study.regression.moments import Rows, expected

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Contrast:
    """Two designs of the same m rows, in which one variable differs by ``step``.

    Attributes:
        name: of the effect.
        high: (m, k), low: (m, k) the designs.
        step: how far the variable lies apart; 1 for "yes against no".
    """

    name: str
    high: Array
    low: Array
    step: float


def average_effects(
    family: Family, b: Array, rows: Rows, influences: Array, contrasts: Sequence[Contrast]
) -> tuple[Array, Array]:
    """(c × j,) average effects of each contrast on each column of the outcome, and the (n, c × j) influences of units.

    Args:
        family: the model.
        b: (j × k,) its coefficients.
        rows: that they were estimated from; the weights of a unit's rows add up to its weight, 1 on average.
        influences: (n, j × k) of units on the coefficients.
        contrasts: of the same rows.
    """
    values, effects = [], []
    unit_weight = rows.by_unit(rows.weight[:, None])
    for one in contrasts:
        apart = (expected(family, b, one.high) - expected(family, b, one.low)) / one.step
        by_unit = rows.by_unit(apart * rows.weight[:, None])
        value = by_unit.mean(axis=0)
        slope = (_slope(family, b, one.high, rows) - _slope(family, b, one.low, rows)) / one.step
        values.append(value)
        effects.append(by_unit - value * unit_weight + influences @ slope.T)
    return np.concatenate(values), np.hstack(effects)


def _slope(family: Family, b: Array, X: Array, rows: Rows) -> Array:
    """(j, j × k) derivative, by the coefficients, of the weighted mean of expected outcomes."""
    curve = family.curve(expected(family, b, X)) * rows.weight[:, None, None]
    j = curve.shape[1]
    return np.concatenate([np.einsum("mj,mk->jk", curve[:, :, two], X) for two in range(j)], axis=1) / rows.n
