"""Problem: a formula with predicted variables, laid out for a correction.

What people coded and what a machine says become the two rows of one estimating equation: the machine's of all n units,
weighted 1 − w, and the human's of the coded ones, weighted w = 1/π. Where a unit is not coded w is 0, and the machine's
row stands alone; where it is, the human's row takes the machine's place, and speaks for the units that could have been
drawn in its stead. In sum that is Egami et al.'s (2023) m̃ + (R/π)(m − m̃).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.study.correct.coded import CodedRows, coded_rows
from visanda.study.correct.crossfit import Learner, deal_folds, expected_codes, linear
from visanda.study.correct.machine import Machine, Prediction, machines
from visanda.study.regression.absorb import degrees_absorbed
from visanda.study.regression.families import FAMILIES, Family
from visanda.study.regression.formula import (
    Chances,
    Design,
    design,
    outcome_of,
    refuse_categories_of,
    refuse_collinear_matrix,
    uses,
)
from visanda.study.regression.jackknife import jackknifed
from visanda.study.regression.moments import Rows, check_outcome, influence
from visanda.study.regression.named import Model, categories_of, first_modelled, named

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """A formula, laid out.

    Attributes:
        rows: the units, those coded among them, and their weights.
        machine: the predictions of each predicted variable.
        family: the model.
        formula: as it was asked for.
        plan: the design of all units, with the machine's values.
        human: the design of the coded units.
        names: of the coefficients.
    """

    rows: CodedRows
    machine: list[Machine]
    family: Family
    formula: str
    plan: Design
    human: Design
    names: tuple[str, ...]

    @property
    def first(self) -> int:
        """The first column of the outcome that is modelled: 1 where a category is the reference."""
        return first_modelled(self.family.name)

    def stacked(
        self, learner: Literal["linear", "raw"] | Learner, folds: int, splits: int, seed: int
    ) -> Iterator[Rows]:
        """The rows of the estimating equations, anew for each split of the cross-fitting.

        Raises:
            InputError: fewer than two folds, or no split.
        """
        if folds < 2 or splits < 1:
            raise InputError(f"folds={folds}, splits={splits}: cross-fitting needs 2 folds or more and a split or more")
        if not callable(learner) and learner not in ("linear", "raw"):
            raise InputError(f"learner={learner!r}: 'linear', 'raw' or a function that makes a scikit-learn model")
        for data, chances in expectations(self, learner, folds, splits, seed):
            yield self.rows_of(self.plan.expected(data, chances), self.human)

    def refined(self, b: Array, rows: Rows) -> tuple[Array, Array]:
        """The solution ``b`` of ``rows`` without its bias of second order, and the influences of units on it.

        Units, or clusters, are left out in turn. Where all are coded nothing is corrected for, and the ordinary
        solution stands.
        """
        if self.rows.coded.all():
            return b, influence(self.family, b, rows)
        return jackknifed(self.family, b, rows, group=self.rows.cluster, levels=self.plan.absorbed)

    def rows_of(self, machine: Design, human: Design) -> Rows:
        """The machine's row of each unit, and the human's of the coded ones."""
        rows, place = self.rows, np.flatnonzero(self.rows.coded)
        return Rows(
            np.vstack([machine.matrix, human.matrix]),
            np.vstack([machine.outcome[:, self.first :], human.outcome[:, self.first :]]),
            np.concatenate([(1 - rows.weight) * rows.survey, (rows.weight * rows.survey)[place]]),
            np.concatenate([np.arange(rows.n), place]),
            rows.n,
        )


def problem(
    data: pd.DataFrame,
    formula: str,
    model: Model,
    predicted_var: Sequence[str],
    prediction: Sequence[Prediction],
    sample_prob: str | None,
    cluster: str | None,
    weights: str | None,
) -> Problem:
    """Lay out ``formula``; arguments as in :func:`visanda.study.correct.dsl.dsl`.

    Raises:
        InputError: a column or formula that does not fit.
        DesignError: too few codes, impossible probabilities, collinear terms.
    """
    if model not in FAMILIES:
        raise InputError(f"model={model!r}: choose {', '.join(FAMILIES)}; for other models use debias")
    checked, machine = machines(data, predicted_var, prediction)
    needed = [column for one in machine for column in one.columns]
    rows = coded_rows(checked, formula, list(predicted_var), needed, sample_prob, cluster, weights)
    numbers = [name for name in predicted_var if name not in rows.categories]
    values = _outcome_values(rows, formula, model)
    plan = design(formula, _taken(rows, machine), values)
    refuse_categories_of(plan, numbers)
    _refuse_saturated(plan, rows)
    human = plan.of(rows.data[rows.coded])
    refuse_collinear_matrix(np.vstack([plan.matrix, human.matrix]), plan.names)
    family = FAMILIES[model]
    found = Problem(rows, machine, family, formula, plan, human, ())
    check_outcome(family, human.outcome[:, found.first :])
    return Problem(rows, machine, family, formula, plan, human, named(plan, model))


def _refuse_saturated(plan: Design, rows: CodedRows) -> None:
    terms = plan.matrix.shape[1] + degrees_absorbed(plan.absorbed, rows.cluster)
    if terms >= rows.n:
        raise DesignError(
            f"{terms:,} terms and fixed effects for {rows.n:,} rows leave nothing to estimate from: take fixed effects "
            "of fewer levels (months for days, say), or terms out"
        )


def _outcome_values(rows: CodedRows, formula: str, model: Model) -> tuple[str, ...]:
    """The categories of the outcome: those that were coded, or those that are observed."""
    return rows.categories.get(outcome_of(formula).strip("`")) or categories_of(rows.data, formula, model)


def _taken(rows: CodedRows, machine: Sequence[Machine]) -> pd.DataFrame:
    """The rows with the machine's numbers for predicted numbers, and every level of predicted categories."""
    made: dict[str, Any] = {}
    for one in machine:
        if one.variable in rows.categories:
            values = rows.categories[one.variable]
            made[one.variable] = pd.Categorical(np.resize(np.asarray(values, dtype=object), rows.n), categories=values)
        else:
            made[one.variable] = rows.data[one.columns[0]]
    return rows.data.assign(**made)


def expectations(
    asked: Problem, learner: Literal["linear", "raw"] | Learner, folds: int, splits: int, seed: int
) -> Iterator[tuple[pd.DataFrame, dict[str, Chances]]]:
    """For each split the units with the expected codes of numbers, and the probabilities of categories."""
    rows = asked.rows
    if learner == "raw":
        chances = {
            one.variable: one.chances(rows.data, rows.categories[one.variable])
            for one in asked.machine
            if one.variable in rows.categories
        }
        yield _taken(rows, asked.machine), chances
        return
    features, random = _features(asked), np.random.default_rng(seed)
    for _ in range(splits):
        fold = deal_folds(rows.unit, rows.coded, folds, random)
        expected: dict[str, Array] = {}
        chances = {}
        for one in asked.machine:
            codes = rows.data[one.variable].to_numpy()
            make = linear(codes[rows.coded]) if learner == "linear" else learner
            values = rows.categories.get(one.variable, ())
            found = expected_codes(features, codes, rows.coded, fold, make, values)
            if values:
                chances[one.variable] = Chances(values, found)
            else:
                expected[one.variable] = found
        yield rows.data.assign(**expected), chances


def _features(asked: Problem) -> Array:
    """(n, f) what expected codes are learnt from: predictions, and the observed variables of the formula."""
    predicted = [one.variable for one in asked.machine]
    features = [one.numbers(asked.rows.data) for one in asked.machine]
    features.append(asked.plan.columns_without(predicted))
    if not uses(asked.formula, predicted):  # an observed outcome says something about a predicted covariate
        features.append(asked.plan.outcome[:, asked.first :])
    return np.hstack(features)
