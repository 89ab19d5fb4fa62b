"""Average marginal effects, corrected for the machine's errors, or of one table taken as true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.study.columns import numeric
from visanda.study.correct.crossfit import Learner
from visanda.study.correct.dsl import combined
from visanda.study.correct.machine import Prediction
from visanda.study.correct.problem import Problem, expectations, problem
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.families import FAMILIES
from visanda.study.regression.formula import Design, complete, design, sides
from visanda.study.regression.margins import Contrast, average_effects
from visanda.study.regression.moments import Rows, influence, sandwich, solve
from visanda.study.regression.named import Model, categories_of, first_modelled

Array = NDArray[np.float64]
STEP = 1e-4  # of a number's standard deviation, to either side


@dataclass(frozen=True)
class Change:
    """What is done to a variable: set to two values, or moved by half a step to either side."""

    name: str
    variable: str
    high: Any
    low: Any
    step: float = 1.0
    moved: bool = False

    def of(self, data: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The rows with the one, and with the other."""
        if self.moved:
            half = self.step / 2
            up, down = data[self.variable] + half, data[self.variable] - half
            return data.assign(**{self.variable: up}), data.assign(**{self.variable: down})
        return data.assign(**{self.variable: self.high}), data.assign(**{self.variable: self.low})


def dsl_margins(
    data: pd.DataFrame,
    formula: str,
    *,
    model: Model = "logit",
    predicted_var: Sequence[str],
    prediction: Sequence[Prediction],
    sample_prob: str | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    learner: Literal["linear", "raw"] | Learner = "linear",
    folds: int = 5,
    splits: int = 10,
    seed: int = 1,
    refine: bool = False,
) -> Estimates:
    """Average marginal effects of the variables right of the ``~``, by design-based supervised learning.

    Of a number the mean slope, of a 0/1 variable the mean difference between 1 and 0, of a category that of each value
    and the first. Both the average over units and the coefficients are corrected. Arguments as in
    :func:`visanda.study.correct.dsl.dsl`.

    Raises:
        InputError: a column or formula that does not fit.
        DesignError: fixed effects are absorbed; or as ``dsl``.
    """
    asked = problem(data, formula, model, predicted_var, prediction, sample_prob, cluster, weights)
    if asked.plan.absorbed:
        raise DesignError("with fixed effects the model is linear, and its coefficients are the marginal effects")
    changes = _changes(asked.rows.data[asked.rows.coded], formula)
    fits = _fits(asked, changes, learner, folds, splits, seed, refine)
    return combined(fits, _names(changes, asked.human), asked.rows, refine)


def ordinary_margins(
    data: pd.DataFrame,
    formula: str,
    model: Model = "logit",
    cluster: str | None = None,
    weight: NDArray[np.float64] | None = None,
) -> Estimates:
    """Average marginal effects in the complete rows of ``data``, every column taken as true.

    Args:
        data: a row a unit.
        formula: R-style.
        model: ``"lm"``, ``"logit"``, ``"poisson"`` or ``"multinomial"``.
        cluster: column of clusters for the standard errors.
        weight: (n,) of the rows of ``data``; 1 by default.
    """
    needed = set().union(*sides(formula)) | ({cluster} if cluster else set())
    marked = data.assign(weight__=1.0 if weight is None else weight)
    rows = complete(marked, needed | {"weight__"})
    made = design(formula, rows, categories_of(rows, formula, model))
    if made.absorbed:
        raise DesignError("with fixed effects the model is linear, and its coefficients are the marginal effects")
    counts = rows["weight__"].to_numpy()
    equations = Rows.of(made.matrix, made.outcome[:, first_modelled(model) :], counts / counts.mean())
    family = FAMILIES[model]
    b = solve(family, equations)
    changes = _changes(rows, formula)
    contrasts = [_contrast(change, *(made.of(side).matrix for side in change.of(rows))) for change in changes]
    found, effects = average_effects(family, b, equations, influence(family, b, equations), contrasts)
    cov = sandwich(effects, pd.factorize(rows[cluster])[0] if cluster else None)
    n, names = len(rows), _names(changes, made)
    return Estimates(names, found, np.sqrt(np.diag(cov)), cov, n, n, len(data) - n)


def _fits(
    asked: Problem,
    changes: Sequence[Change],
    learner: Literal["linear", "raw"] | Learner,
    folds: int,
    splits: int,
    seed: int,
    refine: bool,
) -> Iterator[tuple[Array, Array]]:
    human, start = asked.rows.data[asked.rows.coded], None
    for data, chances in expectations(asked, learner, folds, splits, seed):
        rows = asked.rows_of(asked.plan.expected(data, chances), asked.human)
        b = solve(asked.family, rows, start)
        start = b
        b, influences = asked.refined(b, rows) if refine else (b, influence(asked.family, b, rows))
        contrasts = []
        for change in changes:
            others = {name: one for name, one in chances.items() if name != change.variable}
            machine = [asked.plan.expected(side, others).matrix for side in change.of(data)]
            people = [asked.plan.of(side).matrix for side in change.of(human)]
            contrasts.append(_contrast(change, *(np.vstack(pair) for pair in zip(machine, people, strict=True))))
        yield average_effects(asked.family, b, rows, influences, contrasts)


def _contrast(change: Change, high: Array, low: Array) -> Contrast:
    return Contrast(change.name, high, low, change.step)


def _changes(data: pd.DataFrame, formula: str) -> list[Change]:
    """Of every variable right of the ``~``, in alphabetical order."""
    found = []
    for name in sorted(sides(formula)[1]):
        column = numeric(data[name])
        if not pd.api.types.is_float_dtype(column):
            first, *others = sorted(map(str, column.dropna().unique()))
            found += [Change(f"{name} = {value}", name, value, first) for value in others]
        elif set(column.unique()) <= {0.0, 1.0}:
            found.append(Change(name, name, 1.0, 0.0))
        else:
            found.append(Change(name, name, None, None, 2 * STEP * float(column.std(ddof=0)), moved=True))
    if not found:
        raise InputError(f"{formula!r} has no variable right of the ~, and so no marginal effect")
    return found


def _names(changes: Sequence[Change], made: Design) -> tuple[str, ...]:
    if not made.categories:
        return tuple(change.name for change in changes)
    return tuple(f"{value}: {change.name}" for change in changes for value in made.categories[1:])
