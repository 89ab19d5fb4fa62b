"""Likelihood: the maximum of models that have parameters beside coefficients, such as a dispersion or thresholds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visanda.study.regression.moments import NoSolution, sandwich
from visanda.study.regression.small_sample import small_sample

Array = NDArray[np.float64]
MOST_STEPS = 200
SETTLED = 1e-10  # of what another step would still add to the log likelihood of all rows
FLOOR = 1e-8  # of the curvature in a direction, relative to the largest
UNDETERMINED = 1e-9  # curvature of a row, of designs of length 1, below which a coefficient runs away
LONGEST = 5.0  # of a step, in units of the design's length


@dataclass(frozen=True)
class Peak:
    """The log likelihood of weighted rows at some parameters.

    Attributes:
        value: the sum over rows; minus infinity where the parameters cannot be.
        score: (n, p) the derivative of each row, unweighted.
        curvature: (p, p) minus the second derivative of the sum.
    """

    value: float
    score: Array
    curvature: Array


def maximise(at: Callable[[Array], Peak], weight: Array, start: Array, coefficients: int, what: str) -> Array:
    """(p,) the parameters at which the log likelihood is greatest: Newton's method, uphill everywhere.

    Args:
        at: the log likelihood at parameters.
        weight: (n,) of the rows, 1 on average.
        start: (p,) where to begin.
        coefficients: how many of the parameters, the first ones, belong to terms of the formula.
        what: the model, for messages.

    Raises:
        NoSolution: a coefficient is not determined, or the steps do not settle.
    """
    found, here = start, at(start)
    for _ in range(MOST_STEPS):
        slope = weight @ here.score
        size, direction = np.linalg.eigh(here.curvature)
        size = np.maximum(np.abs(size), FLOOR * np.abs(size).max())
        step = direction @ ((direction.T @ slope) / size)
        gain = float(slope @ step)
        step = step * min(1.0, LONGEST / max(float(np.abs(step).max()), 1e-300))
        next_one = at(found + step)
        for _ in range(30):  # halve a step that leads downhill
            if next_one.value >= here.value - 1e-9 * abs(here.value):
                break
            step = step / 2
            next_one = at(found + step)
        found, here = found + step, next_one
        if gain < SETTLED:
            least = np.linalg.eigvalsh(here.curvature[:coefficients, :coefficients])
            if coefficients and least[0] < UNDETERMINED * len(weight):
                break
            return found
    raise NoSolution(
        f"the {what} does not converge: a term separates the outcome, or there are too few rows for so many terms. "
        "Take a term out, or code more rows."
    )


def robust(peak: Peak, weight: Array, cluster: NDArray[np.intp] | None, terms: int | None = None) -> Array:
    """(p, p) the sandwich covariance of parameters at the maximum, of HC1 or of clusters.

    Args:
        peak: the log likelihood there.
        weight: (n,) of the rows, 1 on average.
        cluster: (n,) number of the row's cluster from 0, or None.
        terms: coefficients for the small-sample factor; None: all parameters.
    """
    n = len(weight)
    influence = (peak.score * weight[:, None]) @ np.linalg.inv(peak.curvature / n)
    return sandwich(influence, cluster) * small_sample(n, terms or peak.score.shape[1], cluster)


def lengths(X: Array) -> Array:
    """(k,) the root mean square of the columns, by which they are divided before a fit; 1 where it is 0."""
    size = np.sqrt((X**2).mean(axis=0))
    return np.where(size == 0, 1.0, size)
