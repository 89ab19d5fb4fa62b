"""Ordinal regression: outcomes on a scale of ordered steps, by proportional odds (McCullagh 1980).

P(y ≤ j) = Λ(c_j − x'b): a positive coefficient shifts answers upwards, by the same log odds at every threshold c_j.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from visanda.errors import DesignError, InputError
from visanda.study.columns import require_columns
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.formula import Design, design, outcome_of, refuse_collinear
from visanda.study.regression.likelihood import Peak, lengths, maximise, robust
from visanda.study.regression.moments import NoSolution
from visanda.study.regression.prepared import prepared, refuse_few, refuse_fixed_effects
from visanda.study.regression.separation import explained

Array = NDArray[np.float64]
Steps = NDArray[np.intp]


def ordinal(data: pd.DataFrame, formula: str, *, cluster: str | None = None, weights: str | None = None) -> Estimates:
    """Fit a proportional odds logit; coefficients are log odds of a higher answer.

    Args:
        data: a row a unit.
        formula: R-style, with a ``~``, without fixed effects; its outcome is a column of numbers, whose order counts
            and whose distances do not, or of ordered categories (``pandas.Categorical(..., ordered=True)``).
        cluster: column of clusters for the standard errors; None: HC1.
        weights: column of how much each row counts, above 0; None: all alike.

    Returns:
        Estimates of the terms, then of the thresholds between steps, named ``1|2``.

    Raises:
        InputError: a column or formula that does not fit, an outcome of text without an order.
        DesignError: fewer than two steps, collinear terms, separation.

    Example:
        >>> faces = pd.DataFrame({"anger": [1, 1, 2, 1, 2, 3, 2, 3, 3, 1.0], "age": [2, 3, 4, 5, 5, 6, 7, 8, 9, 6.0]})
        >>> ordinal(faces, "anger ~ age").names
        ('age', '1|2', '2|3')
    """
    refuse_fixed_effects(formula, "ordinal")
    ready = prepared(data, formula, cluster, weights)
    values = steps_of(ready.rows, formula)
    made = ordinal_design(ready.rows, formula, values)
    X, y = made.matrix, made.outcome[:, 0].astype(np.intp)
    weight = ready.weight / ready.weight.mean()
    refuse_few(len(y), X.shape[1] + len(values) - 1)
    try:
        found = ordinal_fit(X, y, len(values), weight)
    except NoSolution as error:
        raise explained(error, ready.rows, formula, "ordinal") from error
    cov = robust(_at(found, X, y, weight, len(values)), weight, ready.cluster)
    names = (*made.names, *thresholds(values))
    return Estimates(names, found, np.sqrt(np.diag(cov)), cov, len(y), len(y), ready.n_dropped)


def steps_of(rows: pd.DataFrame, formula: str) -> tuple[object, ...]:
    """The values of the outcome, lowest first.

    Raises:
        InputError: the outcome is no column, or text whose order is not said.
        DesignError: fewer than two values.
    """
    name = outcome_of(formula).strip("`")
    require_columns(rows, [name], "the outcome")
    column = rows[name]
    if isinstance(column.dtype, pd.CategoricalDtype) and column.cat.ordered:
        values = tuple(value for value in column.cat.categories if (column == value).any())
    elif pd.api.types.is_float_dtype(column):
        values = tuple(sorted(set(column)))
    else:
        raise InputError(
            f"{name!r} is text, whose order an ordinal model cannot know: recode it to 1, 2, 3, or make it "
            "pd.Categorical(..., categories=[lowest, ..., highest], ordered=True)"
        )
    if len(values) < 2:
        raise DesignError(f"{name} has one value: an ordinal model needs two steps or more")
    return values


def thresholds(values: tuple[object, ...]) -> tuple[str, ...]:
    """The names of the thresholds between ``values``."""
    said = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return tuple(f"{low}|{high}" for low, high in pairwise(said))


def ordinal_design(rows: pd.DataFrame, formula: str, values: tuple[object, ...]) -> Design:
    """The design without an intercept, and as outcome the number of the step from 0.

    Raises:
        InputError: an outcome that is none of ``values``.
        DesignError: collinear terms.
    """
    name = outcome_of(formula).strip("`")
    step = rows[name].map({value: float(place) for place, value in enumerate(values)}).astype(float)
    if step.isna().any():
        strange = rows[name][step.isna()].iloc[0]
        raise InputError(
            f"{name} is {strange!r} in {int(step.isna().sum()):,} rows, which is none of its codes: an ordinal outcome "
            "needs a label as prediction, such as the most probable step"
        )
    made = design(formula, rows.assign(**{name: step}))
    refuse_collinear(made)
    kept = [place for place, term in enumerate(made.names) if term != "Intercept"]
    names = tuple(made.names[place] for place in kept)
    return Design(made.outcome, made.matrix[:, kept], names, (), (), made.spec)


def ordinal_fit(X: Array, y: Steps, steps: int, weight: Array, start: Array | None = None) -> Array:
    """(k + steps − 1,) coefficients and thresholds, of (n, k) designs and (n,) steps from 0.

    Args:
        X: design without intercept.
        y: step of each row.
        steps: how many there are.
        weight: above 0, 1 on average.
        start: where to begin; None: at thresholds without effects.

    Raises:
        DesignError: a step without rows, separation.
    """
    share = np.bincount(y, weight, steps) / weight.sum()
    if (share == 0).any():
        raise DesignError("a step of the outcome has no rows: merge it with the next one")
    k, size = X.shape[1], lengths(X)
    begin = np.concatenate([np.zeros(k), logit(share.cumsum()[:-1])]) if start is None else start.copy()
    begin[:k] *= size
    found = maximise(
        partial(_at, X=X / size, y=y, weight=weight, steps=steps), weight, begin, len(begin), "ordinal model"
    )
    found[:k] /= size
    return found


def _at(parameters: Array, X: Array, y: Steps, weight: Array, steps: int) -> Peak:
    """The log likelihood: of a row, the log of Λ(u) − Λ(l), between its upper and its lower threshold."""
    k = X.shape[1]
    b, cut = parameters[:k], parameters[k:]
    if (np.diff(cut) <= 0).any():
        return Peak(-np.inf, np.zeros((len(y), len(parameters))), np.eye(len(parameters)))
    ends, eta = np.concatenate([[-np.inf], cut, [np.inf]]), X @ b
    upper, lower = expit(ends[y + 1] - eta), expit(ends[y] - eta)
    chance = np.maximum(upper - lower, 1e-300)
    steep_u, steep_l = upper * (1 - upper), lower * (1 - lower)
    one = np.eye(steps + 1)[:, 1:-1]  # of each threshold, -inf and inf left out
    at_u, at_l = np.hstack([-X, one[y + 1]]), np.hstack([-X, one[y]])
    by_u, by_l = steep_u / chance, -steep_l / chance
    uu = steep_u * (1 - 2 * upper) / chance - by_u**2
    ll = -steep_l * (1 - 2 * lower) / chance - by_l**2
    ul = steep_u * steep_l / chance**2
    cross = at_u.T @ (at_l * (weight * ul)[:, None])
    second = at_u.T @ (at_u * (weight * uu)[:, None]) + at_l.T @ (at_l * (weight * ll)[:, None]) + cross + cross.T
    return Peak(float(weight @ np.log(chance)), at_u * by_u[:, None] + at_l * by_l[:, None], -second)
