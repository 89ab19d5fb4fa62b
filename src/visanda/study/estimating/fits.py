"""Fits: the same question answered by the machine's labels, by the codes alone, corrected, and by the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from visanda.errors import DesignError
from visanda.study.correct.crossfit import Learner
from visanda.study.correct.debias import debias
from visanda.study.correct.dsl import dsl
from visanda.study.correct.likelihood import likelihood
from visanda.study.correct.margins import dsl_margins, ordinary_margins
from visanda.study.correct.ppi import ppi
from visanda.study.estimating.question import Question
from visanda.study.regression.bootstrap import Progress
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.every import regression
from visanda.study.regression.families import FAMILIES
from visanda.study.regression.formula import design, refuse_collinear_matrix
from visanda.study.regression.moments import NoSolution
from visanda.study.regression.ordinary import weighted
from visanda.study.regression.separation import explained

NAIVE, GOLD, TRUTH = "naive", "gold only", "truth"


@dataclass(frozen=True)
class Settings:
    """How a correction is computed.

    Attributes:
        learner: of the cross-fitting.
        folds: of the cross-fitting.
        splits: repetitions of it.
        resamples: of a bootstrap.
        seed: of both.
        refine: for what few codes leave uncertain.
        progress: of a bootstrap.
    """

    learner: Literal["linear", "raw"] | Learner
    folds: int
    splits: int
    resamples: int
    seed: int
    refine: bool
    progress: Progress | None = None

    @property
    def crossfitting(self) -> dict[str, Any]:
        """As arguments."""
        split = {"folds": self.folds, "splits": self.splits, "seed": self.seed}
        return {"learner": self.learner, **split, "refine": self.refine}


def corrected(asked: Question, method: str, settings: Settings) -> Estimates:
    """The corrected estimate.

    Raises:
        DesignError: it cannot be computed from these codes; says what in them is the reason.
    """
    try:
        return _corrected(asked, method, settings)
    except NoSolution as error:
        coded = asked.rows.data[asked.rows.coded].reset_index(drop=True)
        raise explained(error, coded, asked.fixed, asked.model, "coded rows") from error


def _corrected(asked: Question, method: str, settings: Settings) -> Estimates:
    predictions = [_prediction(one.variable, one.columns, one.values) for one in asked.machine]
    shared: dict[str, Any] = {"predicted_var": asked.variables, "prediction": predictions, "cluster": asked.cluster}
    if method == "dsl":
        _refuse_repeating_codes(asked)
        known: dict[str, Any] = {"sample_prob": asked.probability, "weights": asked.weights, "model": asked.model}
        return dsl(asked.rows.data, asked.asked, **known, **shared, **settings.crossfitting)
    if asked.weights:
        raise DesignError(f"{method} knows no weights of rows yet: leave weights out, or use dsl")
    if method == "debias":
        return debias(
            asked.rows.data,
            asked.asked,
            model=asked.model,
            **shared,
            sample_prob=asked.probability,
            resamples=settings.resamples,
            seed=settings.seed,
            progress=settings.progress,
        )
    variable, column = asked.variables[0], asked.machine[0].columns[0]
    if len(asked.machine) > 1 or asked.rows.categories:
        raise DesignError(f"{method} takes one predicted variable, of numbers or of 0 and 1: use dsl")
    one: dict[str, Any] = {"predicted_var": variable, "prediction": column, "cluster": asked.cluster}
    if method == "ppi":
        formula = asked.formula if asked.kind == "mean" else asked.asked
        return ppi(asked.rows.data, formula, model=asked.kind, **one)  # type: ignore[arg-type]
    return likelihood(asked.rows.data, asked.asked, model=asked.model, **one)  # type: ignore[arg-type]


def _refuse_repeating_codes(asked: Question) -> None:
    """DesignError where terms of predicted variables are collinear as people coded them, if not as machines see them.

    The square of a variable of 0 and 1 is the variable itself; that of a probability is not, and would tell them apart
    by the machine's word alone.
    """
    coded = asked.rows.data[asked.rows.coded].assign(outcome__=1.0)
    made = design(f"outcome__ ~ {asked.fixed.split('~', 1)[1]}", coded)
    mine = made.columns_of(asked.variables)
    places = [place for place, name in enumerate(made.names) if place in mine or name == "Intercept"]
    kept = [place for place in places if made.matrix[:, place].any()]
    if len(kept) > 1:
        refuse_collinear_matrix(made.matrix[:, kept], [made.names[place] for place in kept])


def others(asked: Question, truth: Mapping[str, str] | None) -> dict[str, Callable[[], Estimates]]:
    """What the corrected estimate is compared with; each may turn out to be impossible."""
    made: dict[str, Callable[[], Estimates]] = {
        NAIVE: lambda: replace(_ordinary(asked, asked.labelled()), n_coded=0),
        GOLD: lambda: _gold(asked),
    }
    if truth:
        made[TRUTH] = lambda: _ordinary(asked, asked.true(truth))
    return made


def effects(
    asked: Question, method: str, settings: Settings, truth: Mapping[str, str] | None
) -> dict[str, Callable[[], Estimates]]:
    """Average marginal effects, in the same ways.

    Raises:
        DesignError: the method has none.
    """
    if method != "dsl" or asked.kind == "mean":
        raise DesignError(
            "average marginal effects are computed of regressions that dsl corrects (lm, logit, poisson, multinomial): "
            "leave them out, or choose such a model"
        )
    model: Any = asked.model
    predictions = [_prediction(one.variable, one.columns, one.values) for one in asked.machine]
    rows, coded = asked.rows, asked.rows.coded
    made: dict[str, Callable[[], Estimates]] = {
        NAIVE: lambda: ordinary_margins(asked.labelled(), asked.asked, model, asked.cluster, rows.survey),
        GOLD: lambda: ordinary_margins(
            rows.data[coded].reset_index(drop=True),
            asked.asked,
            model,
            asked.cluster,
            (rows.weight * rows.survey)[coded],
        ),
        "corrected": lambda: dsl_margins(
            rows.data,
            asked.asked,
            model=model,
            predicted_var=asked.variables,
            prediction=predictions,
            sample_prob=asked.probability,
            cluster=asked.cluster,
            weights=asked.weights,
            **settings.crossfitting,
        ),
    }
    if truth:
        made[TRUTH] = lambda: ordinary_margins(asked.true(truth), asked.asked, model, asked.cluster, rows.survey)
    return made


def possible(fits: Mapping[str, Callable[[], Estimates]]) -> tuple[dict[str, Estimates], list[str]]:
    """The fits that work; a comparison that cannot be made is said, and does not stop the corrected one."""
    done, impossible = {}, []
    for method, fit in fits.items():
        try:
            done[method] = fit()
        except DesignError as error:
            impossible.append(f"No estimate by {method}: {error}")
    return done, impossible


def _prediction(variable: str, columns: tuple[str, ...], values: tuple[str, ...]) -> str | dict[str, str]:
    return dict(zip(values, columns, strict=True)) if values else columns[0]


def _ordinary(asked: Question, data: pd.DataFrame) -> Estimates:
    found = regression(asked.model)(data, asked.asked, cluster=asked.cluster, weights=asked.weights)
    return replace(found, n_dropped=asked.rows.n_dropped)


def _gold(asked: Question) -> Estimates:
    rows = asked.rows
    coded = rows.data[rows.coded].reset_index(drop=True)
    weight = (rows.weight * rows.survey)[rows.coded]
    if asked.model in FAMILIES:
        return weighted(coded, asked.asked, asked.model, weight, asked.cluster, rows.n_dropped)  # type: ignore[arg-type]
    fit = regression(asked.model)
    if np.allclose(weight, weight[0]):
        found = fit(coded, asked.asked, cluster=asked.cluster)
    else:
        found = fit(
            coded.assign(weight__=weight / weight.mean()), asked.asked, cluster=asked.cluster, weights="weight__"
        )
    return replace(found, n_dropped=rows.n_dropped)
