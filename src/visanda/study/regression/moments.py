"""Moments: solve estimating equations of weighted rows, and say how certain the solution is.

One solver serves all: an ordinary regression has a row a unit, each of weight 1; a survey weighs by 1/π; a correction
(:mod:`visanda.study.correct.dsl`) has two rows for a coded unit, one of the machine's and one of the human's values,
whose weights add up to 1. Weights may so be negative, and uncertainty belongs to units, not to rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.study.regression.families import Family

Array = NDArray[np.float64]
SINGULAR = 1e12  # condition number of the information above which a coefficient is not determined
MOST_STEPS = 60


class NoSolution(DesignError):
    """The moments of these rows are 0 nowhere, or a likelihood has no maximum."""


@dataclass(frozen=True)
class Rows:
    """The m rows of an estimating equation about n units: k terms, j columns of the outcome.

    Attributes:
        X: (m, k) design.
        y: (m, j) outcome.
        weight: (m,) of each row; may be negative.
        unit: (m,) number of the unit that a row belongs to, from 0.
        n: units.
    """

    X: Array
    y: Array
    weight: Array
    unit: NDArray[np.intp]
    n: int

    @classmethod
    def of(cls, X: Array, y: Array, weight: Array | None = None) -> Rows:
        """A row a unit; ``weight`` 1 by default, ``y`` (n,) or (n, j)."""
        n = len(X)
        return cls(X, y.reshape(n, -1), np.ones(n) if weight is None else weight, np.arange(n), n)

    def by_unit(self, values: Array) -> Array:
        """(n, c) sums of the (m, c) values of rows over the rows of each unit."""
        if len(self.unit) == self.n and (self.unit == np.arange(self.n)).all():
            return values
        return np.stack([np.bincount(self.unit, column, self.n) for column in values.T], axis=1)


def expected(family: Family, b: Array, X: Array) -> Array:
    """(m, j) the outcome that the coefficients ``b`` (j × k, the terms of the first column first) expect."""
    return family.mean(X @ b.reshape(-1, X.shape[1]).T)


def moments(family: Family, b: Array, rows: Rows) -> Array:
    """(n, j × k) the weighted estimating function of each unit; adds up to 0 at the estimate."""
    left = (rows.y - expected(family, b, rows.X)) * rows.weight[:, None]
    return rows.by_unit(np.concatenate([rows.X * column[:, None] for column in left.T], axis=1))


def _score(family: Family, b: Array, rows: Rows) -> Array:
    """(j × k,) the mean moment of a unit."""
    left = (rows.y - expected(family, b, rows.X)) * rows.weight[:, None]
    return np.asarray((left.T @ rows.X).ravel() / rows.n)


def information(family: Family, b: Array, rows: Rows) -> Array:
    """(j × k, j × k) minus the derivative of the mean moment of a unit."""
    curve = family.curve(expected(family, b, rows.X)) * rows.weight[:, None, None]
    j = curve.shape[1]
    parts = [[rows.X.T @ (rows.X * curve[:, one, two, None]) for two in range(j)] for one in range(j)]
    return np.block(parts) / rows.n


def solve(family: Family, rows: Rows, start: Array | None = None) -> Array:
    """(j × k,) the coefficients at which the moments add up to 0.

    Newton's method, each step halved until it brings the moments nearer to 0; for lm its first step is the solution.

    Args:
        family: the model.
        rows: of the estimating equations.
        start: (j × k,) where to begin, such as the solution of rows that are nearly these; None: at 0.

    Raises:
        DesignError: the information is singular, or the steps do not settle.
    """
    scale = np.sqrt((rows.X**2).mean(axis=0))
    scale[scale == 0] = 1.0
    scaled = replace(rows, X=rows.X / scale)
    each = np.tile(scale, rows.y.shape[1])
    b = np.zeros(len(each)) if start is None else start * each
    score = _score(family, b, scaled)
    for _ in range(MOST_STEPS):
        curvature = information(family, b, scaled)
        if not np.isfinite(curvature).all() or np.linalg.cond(curvature) > SINGULAR:
            break
        step = np.linalg.solve(curvature, score)
        for _ in range(12):  # halve a step that overshoots
            new_score = _score(family, b + step, scaled)
            if np.linalg.norm(new_score) <= np.linalg.norm(score):
                break
            step = step / 2
        b, score = b + step, new_score
        if np.abs(step).max() <= 1e-10 * (1 + np.abs(b).max()):
            return b / each
    raise NoSolution(_no_solution(family))


def check_outcome(family: Family, y: Array) -> None:
    """InputError where values cannot be outcomes of the family."""
    if not family.takes(y):
        raise InputError(f"a {family.name} needs {family.outcome}; the outcome has other values: use lm")


def influence(family: Family, b: Array, rows: Rows) -> Array:
    """(n, j × k) how far each unit moves the coefficients, times n: the mean of its square is their variance, times "
    "n.
    """
    bread = np.linalg.inv(information(family, b, rows))
    return moments(family, b, rows) @ bread.T


def sandwich(influences: Array, cluster: NDArray[np.intp] | None = None) -> Array:
    """(p, p) covariance of estimates from the (n, p) influences of units; robust to dependence inside clusters."""
    n = len(influences)
    if cluster is not None:
        influences = np.stack([np.bincount(cluster, column) for column in influences.T], axis=1)
    return influences.T @ influences / n**2


def _no_solution(family: Family) -> str:
    if family.name == "lm":
        return (
            "the linear model has no unique solution: among the coded rows a term does not vary or "
            "repeats another. Code more rows, or take a term out of the formula."
        )
    return (
        f"the {family.name} does not converge: among the coded rows a term separates the outcome (always 0 "
        "or always 1), or there are too few codes for so many terms. Code more rows, take a term out, "
        "or use lm."
    )
