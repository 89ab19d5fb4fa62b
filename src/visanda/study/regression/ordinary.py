"""Ordinary regressions with robust standard errors: what a correction is compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import DesignError
from visanda.study.columns import require_columns
from visanda.study.regression.absorb import absorb, degrees_absorbed, refuse_absorbed
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.families import FAMILIES, Family
from visanda.study.regression.formula import Design, complete, design, refuse_collinear, sides
from visanda.study.regression.moments import NoSolution, Rows, check_outcome, influence, sandwich, solve
from visanda.study.regression.named import Model, categories_of, first_modelled, named
from visanda.study.regression.separation import explained
from visanda.study.regression.small_sample import small_sample


def ordinary(
    data: pd.DataFrame,
    formula: str,
    model: Model = "lm",
    cluster: str | None = None,
    weights: str | None = None,
) -> Estimates:
    """Fit ``formula`` to the complete rows of ``data``, every column taken as true.

    Args:
        data: a row a unit.
        formula: R-style, with a ``~``; ``y ~ x | city + month`` has fixed effects (lm only).
        model: ``"lm"``, ``"logit"``, ``"poisson"`` or ``"multinomial"``.
        cluster: column of clusters for the standard errors; None: HC1 (MacKinnon & White 1985).
        weights: column of how much each row counts, above 0; None: all alike.

    Raises:
        InputError: a column or formula that does not fit.
        DesignError: collinear terms, separation.

    Example:
        >>> posts = pd.DataFrame({"likes": [1, 3, 2, 5, 4.0], "faces": [0, 1, 1, 2, 2.0]})
        >>> ordinary(posts, "likes ~ faces").frame().round(2)[["term", "estimate"]].values.tolist()
        [['Intercept', 0.86], ['faces', 1.79]]
    """
    used = set().union(*sides(formula))
    require_columns(data, sorted(used), "the formula's variable")
    rows = complete(data, used | {name for name in (cluster, weights) if name})
    counts = np.ones(len(rows)) if weights is None else rows[weights].to_numpy(dtype=float)
    return weighted(rows, formula, model, counts, cluster, len(data) - len(rows))


def weighted(
    rows: pd.DataFrame,
    formula: str,
    model: Model,
    weight: NDArray[np.float64],
    cluster: str | None,
    n_dropped: int = 0,
) -> Estimates:
    """Fit ``formula`` to complete rows that count as their (n,) ``weight``; standard errors are those of a survey.

    Raises:
        InputError: an outcome that the model cannot have.
        DesignError: collinear terms, separation, more terms than rows, one cluster.
    """
    family = FAMILIES[model]
    values = categories_of(rows, formula, model)
    made = design(formula, rows, values)
    groups = pd.factorize(rows[cluster])[0] if cluster else None
    if groups is not None and groups.max() == 0:
        raise DesignError(f"all rows lie in one cluster of {cluster!r}: standard errors need several")
    refuse_collinear(made)
    outcome = made.outcome[:, first_modelled(model) :]
    check_outcome(family, outcome)
    terms = made.matrix.shape[1] + degrees_absorbed(made.absorbed, groups)
    if len(outcome) <= terms:
        raise DesignError(f"{len(outcome)} rows for {terms} terms: code more rows or take terms out")
    equations = Rows.of(made.matrix, outcome, weight / weight.mean())
    try:
        coef, influences = fit(family, made, equations)
    except NoSolution as error:
        raise explained(error, rows, formula, model) from error
    cov = sandwich(influences, groups) * small_sample(len(rows), terms, groups)
    return Estimates(named(made, model), coef, np.sqrt(np.diag(cov)), cov, len(rows), len(rows), n_dropped)


def fit(family: Family, made: Design, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients, and the (n, terms) influences of units on them; fixed effects are absorbed."""
    rows = without_effects(family, made, rows)
    b = solve(family, rows)
    return b, influence(family, b, rows)


def without_effects(family: Family, made: Design, rows: Rows) -> Rows:
    """The rows of ``made`` without what its fixed effects explain.

    Raises:
        DesignError: the model is not linear, or a term does not vary within the effects.
    """
    if not made.absorbed:
        return rows
    if family.name != "lm":
        raise DesignError(
            f"a {family.name} cannot absorb fixed effects: write C(city) for some levels, or use a linear model (lm)"
        )
    left = absorb(rows, made.absorbed)
    refuse_absorbed(made.names, rows.X, left.X)
    return left


def naive(
    data: pd.DataFrame,
    formula: str,
    model: Model,
    predicted_var: list[str],
    label: list[str],
    cluster: str | None = None,
    weights: str | None = None,
) -> Estimates:
    """Fit ``formula`` with the machine's labels of all rows in place of the predicted variables, as if true.

    Args:
        data: a row a unit.
        formula: R-style, with a ``~``.
        model: as in :func:`ordinary`.
        predicted_var: the variables that the machine coded.
        label: for each of them the column with the machine's hard label.
        cluster: column of clusters for the standard errors; None: HC1.
        weights: column of how much each row counts.
    """
    require_columns(data, label, "the label")
    machine = {name: data[column] for name, column in zip(predicted_var, label, strict=True)}
    return replace(ordinary(data.assign(**machine), formula, model, cluster, weights), n_coded=0)
