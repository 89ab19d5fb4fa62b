"""Ordinary regressions with robust standard errors: what a correction is compared with."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.study.coded import coded_rows
from visanda.study.coefficients import Estimates
from visanda.study.columns import require_columns
from visanda.study.correct import Model, Sides, covariance, solve
from visanda.study.formula import complete, design, refuse_collinear, sides


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
        raise DesignError(f"{len(made.outcome)} rows for {len(made.names)} terms: code more rows or take terms out")
    if model == "logit" and not set(np.unique(made.outcome)) <= {0.0, 1.0}:
        raise InputError(f"a logit needs an outcome of 0 and 1; the outcome of {formula!r} has other values: use lm")
    # Without a machine's side the corrected moments are a weighted regression's, the sandwich a survey's.
    nothing = np.zeros_like(made.matrix)
    weighted = Sides(made.matrix, made.outcome, nothing, np.zeros(len(nothing)), weight / weight.mean())
    coef = solve(model, weighted)
    groups = pd.factorize(rows[cluster])[0] if cluster else None
    if groups is not None and groups.max() == 0:
        raise DesignError(f"all rows lie in one cluster of {cluster!r}: standard errors need several")
    cov = covariance(model, coef, weighted, groups) * _small_sample(made.matrix.shape, groups)
    return Estimates(made.names, coef, np.sqrt(np.diag(cov)), cov, len(rows), len(rows), n_dropped)


def _small_sample(shape: tuple[int, ...], groups: NDArray[np.intp] | None) -> float:
    """The factor of HC1 (MacKinnon & White 1985), or of Stata's and statsmodels' clustered errors."""
    n, terms = shape
    if groups is None:
        return n / (n - terms)
    clusters = int(groups.max()) + 1
    return clusters / (clusters - 1) * (n - 1) / (n - terms)
