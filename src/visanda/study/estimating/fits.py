"""Fits: the same question answered by the machine's labels, by the codes alone, corrected, and by the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from visanda.errors import DesignError
from visanda.study.correct.crossfit import Learner
from visanda.study.correct.dsl import dsl
from visanda.study.correct.margins import dsl_margins, ordinary_margins
from visanda.study.estimating.question import Question
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.ordinary import ordinary, weighted

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
    """

    learner: Literal["linear", "raw"] | Learner
    folds: int
    splits: int
    resamples: int
    seed: int

    @property
    def crossfitting(self) -> dict[str, Any]:
        """As arguments."""
        return {"learner": self.learner, "folds": self.folds, "splits": self.splits, "seed": self.seed}


def corrected(asked: Question, method: str, settings: Settings) -> Estimates:
    """The corrected estimate.

    Raises:
        DesignError: it cannot be computed from these codes.
    """
    predictions = [_prediction(one.variable, one.columns, one.values) for one in asked.machine]
    shared: dict[str, Any] = {"predicted_var": asked.variables, "prediction": predictions, "cluster": asked.cluster}
    if method == "dsl":
        known = {"sample_prob": asked.probability, "weights": asked.weights, "model": asked.model}
        return dsl(asked.rows.data, asked.asked, **known, **shared, **settings.crossfitting)
    raise DesignError(f"method={method!r} is not there")


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
        raise DesignError("average marginal effects are computed for regressions by method='dsl' only")
    model: Any = asked.model
    predictions = [_prediction(one.variable, one.columns, one.values) for one in asked.machine]
    rows, coded = asked.rows, asked.rows.coded
    made: dict[str, Callable[[], Estimates]] = {
        NAIVE: lambda: ordinary_margins(asked.labelled(), asked.asked, model, asked.cluster, rows.survey),
        GOLD: lambda: ordinary_margins(
            rows.data[coded].reset_index(drop=True), asked.asked, model, asked.cluster, (rows.weight * rows.survey)[coded]
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
    model: Any = asked.model
    found = ordinary(data, asked.asked, model, asked.cluster, asked.weights)
    return replace(found, n_dropped=asked.rows.n_dropped)


def _gold(asked: Question) -> Estimates:
    rows, model = asked.rows, asked.model
    coded = rows.data[rows.coded].reset_index(drop=True)
    weight = (rows.weight * rows.survey)[rows.coded]
    return weighted(coded, asked.asked, model, weight, asked.cluster, rows.n_dropped)  # type: ignore[arg-type]
