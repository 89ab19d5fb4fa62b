"""Ordinary regressions with robust standard errors: what a correction is compared with."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationWarning

from visanda.errors import DesignError, InputError
from visanda.study.coded import coded_rows
from visanda.study.coefficients import Estimates
from visanda.study.columns import require_columns
from visanda.study.correct import Model
from visanda.study.formula import complete, design, refuse_collinear, sides

FAMILIES = {"lm": sm.families.Gaussian, "logit": sm.families.Binomial}
SURE = 1e-8  # fitted probabilities closer to 0 or 1 than this are a sign of separation


def ordinary(data: pd.DataFrame, formula: str, model: Model = "lm", cluster: str | None = None) -> Estimates:
    """Fit ``formula`` to the complete rows of ``data``, every column taken as true.

    Args:
        data: a row a unit.
        formula: R-style, with a ``~``.
        model: ``"lm"`` or ``"logit"``.
        cluster: column of clusters for the standard errors; None: HC1.

    Raises:
        InputError: a column or formula that does not fit.
        DesignError: collinear terms, separation.
    """
    used = set().union(*sides(formula))
    require_columns(data, sorted(used), "the formula's variable")
    rows = complete(data, used | ({cluster} if cluster else set()))
    return _weighted(rows, formula, model, np.ones(len(rows)), cluster, len(data) - len(rows))


def naive(
    data: pd.DataFrame,
    formula: str,
    model: Model,
    predicted_var: list[str],
    label: list[str],
    cluster: str | None = None,
) -> Estimates:
    """Fit ``formula`` with the machine's labels of all rows in place of the predicted variables, as if true.

    Args:
        data: a row a unit.
        formula: R-style, with a ``~``.
        model: ``"lm"`` or ``"logit"``.
        predicted_var: the variables that the machine coded.
        label: for each of them the column with the machine's hard label.
        cluster: column of clusters for the standard errors; None: HC1.
    """
    require_columns(data, label, "the label")
    machine = {name: data[column] for name, column in zip(predicted_var, label, strict=True)}
    fit = ordinary(data.assign(**machine), formula, model, cluster)
    return Estimates(fit.names, fit.coef, fit.se, fit.cov, fit.n, 0, fit.n_dropped)


def gold_only(
    data: pd.DataFrame,
    formula: str,
    model: Model,
    predicted_var: list[str],
    sample_prob: str | None = None,
    cluster: str | None = None,
) -> Estimates:
    """Fit ``formula`` to the hand-coded rows alone, weighted by 1 / ``sample_prob``; survey standard errors.

    Arguments as in :func:`visanda.study.correct.dsl`. The sandwich is that of a sample drawn with replacement
    (Binder 1983), which is on the safe side of one drawn without.
    """
    rows = coded_rows(data, formula, predicted_var, [], sample_prob, cluster)
    coded = rows.data[rows.coded].reset_index(drop=True)
    return _weighted(coded, formula, model, rows.weight[rows.coded], cluster, rows.n_dropped)


def _weighted(
    rows: pd.DataFrame,
    formula: str,
    model: Model,
    weight: NDArray[np.float64],
    cluster: str | None,
    n_dropped: int,
) -> Estimates:
    made = design(formula, rows)
    refuse_collinear(made)
    if len(made.outcome) <= len(made.names):
        raise DesignError(
            f"{len(made.outcome)} rows for {len(made.names)} terms: code more rows or take terms out"
        )
    if model == "logit" and not set(np.unique(made.outcome)) <= {0.0, 1.0}:
        raise InputError(
            f"a logit needs an outcome of 0 and 1; the outcome of {formula!r} has other values: use lm"
        )
    # Weights of the variance kind: the sandwich then squares them, as for a survey, and counts rows as rows.
    glm = sm.GLM(made.outcome, made.matrix, family=FAMILIES[model](), var_weights=weight / weight.mean())
    robust: dict[str, object] = {"cov_type": "HC1"}
    if cluster is not None:
        groups = pd.factorize(rows[cluster])[0]
        if groups.max() == 0:
            raise DesignError(f"all rows lie in one cluster of {cluster!r}: standard errors need several")
        robust = {"cov_type": "cluster", "cov_kwds": {"groups": groups}}
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", (PerfectSeparationWarning, ConvergenceWarning)
        )  # told below, as an error
        fit = glm.fit(**robust)
    if model == "logit" and (
        not fit.converged or np.minimum(fit.fittedvalues, 1 - fit.fittedvalues).min() < SURE
    ):
        raise DesignError(
            "the logit does not converge: a term separates the outcome. Take it out, or use lm."
        )
    cov = np.asarray(fit.cov_params())
    n = len(made.outcome)
    return Estimates(made.names, np.asarray(fit.params), np.sqrt(np.diag(cov)), cov, n, n, n_dropped)
