"""Refits: the same regression again and again, with other weights, as resampling needs.

A formula is laid out once; a refit only solves, and from where the last solution was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import DesignError
from visanda.study.regression.absorb import absorb
from visanda.study.regression.every import REGRESSIONS, regression
from visanda.study.regression.families import FAMILIES, Family
from visanda.study.regression.formula import design, outcome_of
from visanda.study.regression.moments import Rows, check_outcome, information, moments, solve
from visanda.study.regression.named import Model, categories_of, named
from visanda.study.regression.negbin import nb_fit, refuse_binary
from visanda.study.regression.ordinal import ordinal_design, ordinal_fit, steps_of, thresholds

Array = NDArray[np.float64]
Refit = Callable[[Array, Array | None], Array]
"""(n,) weights, 0 where a row is left out, and where to begin; to the coefficients."""
Fit = Callable[[pd.DataFrame, Array], tuple[Sequence[str], Sequence[float] | Array]]
"""A table and the weights of its rows, all above 0; to names and coefficients."""

WEIGHT = "how often the row counts"
NEWTON_STEPS = 12  # from a near start; what needs more begins anew, with care


def refits(model: str, formula: str, tables: Sequence[pd.DataFrame]) -> tuple[tuple[str, ...], list[Refit]]:
    """The names of the coefficients, and a refit for each of ``tables``, all laid out alike.

    Args:
        model: a name of :data:`visanda.study.regression.every.REGRESSIONS`.
        formula: as that model takes it.
        tables: of complete rows; the first has the outcomes that the model may have.

    Raises:
        InputError: a formula or outcome that does not fit.
    """
    regression(model)
    if model in ("mixed", "fepois"):
        return function_refits(_as_function(model, formula), tables)
    whole = pd.concat(tables, ignore_index=True)
    parts = np.split(np.arange(len(whole)), np.cumsum([len(table) for table in tables])[:-1])
    if model == "ordinal":
        values = steps_of(tables[0], formula)
        laid = ordinal_design(whole, formula, values)
        step = laid.outcome[:, 0].astype(np.intp)
        names = (*laid.names, *thresholds(values))
        return names, [_ordinal(laid.matrix[rows], step[rows], len(values)) for rows in parts]
    if model == "negbin":
        laid = design(formula, whole)
        check_outcome(FAMILIES["poisson"], laid.outcome)
        if laid.outcome.max() <= 1:  # predictions of a variable of 0 and 1 lie between
            refuse_binary(laid.outcome[parts[0]])
        return laid.names, [_negbin(laid.matrix[rows], laid.outcome[rows, 0]) for rows in parts]
    kind = cast(Model, model)
    family = FAMILIES[kind]
    values = categories_of(tables[0], formula, kind)
    laid = design(formula, whole, values)
    _refuse_strange(whole, formula, values)
    y = laid.outcome[:, 1:] if values else laid.outcome
    check_outcome(family, y[parts[0]])
    levels = [[level[rows] for level in laid.absorbed] for rows in parts]
    each = [_family(family, laid.matrix[rows], y[rows], own) for rows, own in zip(parts, levels, strict=True)]
    return named(laid, kind), each


def function_refits(fit: Fit, tables: Sequence[pd.DataFrame]) -> tuple[tuple[str, ...], list[Refit]]:
    """The same for a function of a table and weights; it is fitted once to say the names."""
    names = tuple(map(str, fit(tables[0], np.ones(len(tables[0])))[0]))
    return names, [_function(fit, table, names) for table in tables]


def _refuse_strange(whole: pd.DataFrame, formula: str, values: Sequence[str]) -> None:
    if not values:
        return
    strange = sorted(set(whole[outcome_of(formula).strip("`")].astype(str)) - set(values))
    if strange:
        raise DesignError(f"{', '.join(strange)} is predicted and never coded: code some of these rows, or recode them")


def _family(family: Family, X: Array, y: Array, levels: Sequence[NDArray[np.intp]]) -> Refit:
    def refit(weight: Array, start: Array | None) -> Array:
        kept = weight > 0
        rows = Rows.of(X[kept], y[kept], weight[kept] / weight[kept].mean())
        if levels:
            rows = absorb(rows, [np.unique(level[kept], return_inverse=True)[1] for level in levels])
        near = None if start is None or family.name == "lm" else _newton(family, rows, start)
        return solve(family, rows) if near is None else near

    return refit


def _newton(family: Family, rows: Rows, b: Array) -> Array | None:
    """The solution near ``b``; None where steps do not settle at once."""
    for _ in range(NEWTON_STEPS):
        try:
            step = np.linalg.solve(information(family, b, rows), moments(family, b, rows).mean(axis=0))
        except np.linalg.LinAlgError:
            return None
        b = b + step
        size = float(np.abs(step).max())
        if not size < 10:  # NaN included
            return None
        if size <= 1e-8 * (1 + np.abs(b).max()):
            return b
    return None


def _negbin(X: Array, y: Array) -> Refit:
    """Without the dispersion, which is no coefficient; it is kept to begin the next time."""
    last: list[float] = []

    def refit(weight: Array, start: Array | None) -> Array:
        kept = weight > 0
        begin = np.append(start, last[0]) if start is not None and last else None
        found = nb_fit(X[kept], y[kept], weight[kept] / weight[kept].mean(), begin)
        if start is None:
            last[:] = [float(np.clip(found[-1], -4, 4))]
        return found[:-1]

    return refit


def _ordinal(X: Array, y: NDArray[np.intp], steps: int) -> Refit:
    def refit(weight: Array, start: Array | None) -> Array:
        kept = weight > 0
        return ordinal_fit(X[kept], y[kept], steps, weight[kept] / weight[kept].mean(), start)

    return refit


def _function(fit: Fit, table: pd.DataFrame, names: tuple[str, ...]) -> Refit:
    def refit(weight: Array, start: Array | None) -> Array:
        kept = weight > 0
        found, coef = fit(table[kept].reset_index(drop=True), weight[kept])
        if tuple(map(str, found)) != names:
            raise DesignError(f"the model found {', '.join(map(str, found))} instead of {', '.join(names)}")
        return np.asarray(coef, dtype=float)

    return refit


def _as_function(model: str, formula: str) -> Fit:
    def fit(table: pd.DataFrame, weight: Array) -> tuple[Sequence[str], Array]:
        found = REGRESSIONS[model](table.assign(**{WEIGHT: weight}), formula, weights=WEIGHT)
        return found.names, found.coef

    return fit
