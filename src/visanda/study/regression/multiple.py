"""Many tests, and coefficients to compare: p values corrected for their number, coefficients in standard deviations."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.stats.multitest import multipletests

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.columns import numbers
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.formula import complete, design, sides
from visanda.study.wording import in_focus

METHODS = {"holm": "holm", "bh": "fdr_bh"}


def adjusted(
    table: pd.DataFrame | Estimates | Result, method: Literal["holm", "bh"] = "holm", p: str = "p"
) -> pd.DataFrame:
    """A table of tests with a further column ``p_adjusted``.

    Args:
        table: a row a test; missing p values count for nothing. Estimates and the Result of
            :func:`visanda.study.estimate` give their terms but for intercepts, thresholds and dispersions, of a Result
            the corrected ones: three ways of estimating one coefficient are one test.
        method: ``"holm"`` keeps the probability of any false finding below the level (Holm 1979); ``"bh"`` the share of
            false ones among the findings (Benjamini & Hochberg 1995).
        p: column of p values, 0 to 1.

    Raises:
        InputError: another method, p values outside of 0 to 1, something that is no table of tests.

    Example:
        >>> adjusted(pd.DataFrame({"p": [0.01, 0.04, 0.03]}))["p_adjusted"].round(3).tolist()
        [0.03, 0.06, 0.06]
    """
    if method not in METHODS:
        raise InputError(f"method={method!r}: 'holm' or 'bh'")
    table = _tests(table)
    values = numbers(table, p)
    known = values.notna()
    if not values[known].between(0, 1).all():
        raise InputError(f"column {p!r} holds values outside of 0 to 1, which are no p values")
    found = np.full(len(table), np.nan)
    if known.any():
        found[known.to_numpy()] = multipletests(values[known], method=METHODS[method])[1]
    return table.assign(p_adjusted=found)


def _tests(given: pd.DataFrame | Estimates | Result) -> pd.DataFrame:
    """A row a test."""
    if isinstance(given, pd.DataFrame):
        return given
    if isinstance(given, Estimates):
        table = given.frame()
    elif isinstance(given, Result):
        table = given.table
        if "method" in table:
            corrected = table["method"].astype(str).str.startswith("corrected")
            table = table[corrected] if corrected.any() else table
    else:
        raise InputError(
            f"a {type(given).__name__} is no table of tests: give a table with a column of p values, Estimates or the "
            "Result of estimate; several of these as pd.concat([a.table, b.table])"
        )
    if "term" in table:
        table = table[table["term"].isin(in_focus(list(table["term"].astype(str))))]
    return table.reset_index(drop=True)


def standardised(
    fit: Estimates, data: pd.DataFrame, formula: str, *, outcome: bool = True, sample_prob: str | None = None
) -> Estimates:
    """Coefficients per standard deviation: what a usual difference in x does, in usual differences of y.

    Args:
        fit: of ``formula``.
        data: the rows it was fitted to; those that miss a value (are not coded) do not count for the deviations.
        formula: as fitted.
        outcome: whether to divide by the deviation of the outcome, too: True for lm; False for logit, poisson and all
            models whose coefficients are logs.
        sample_prob: column of the probability that a row was drawn for coding, where these differ and only coded rows
            are complete: deviations are those of all rows, not of the rows that were sought out. ``"equal"`` or None:
            all alike.

    Returns:
        Estimates of the terms that vary; intercepts, thresholds and dispersions are left out.

    Raises:
        InputError: no term of ``fit`` is one of the formula, an outcome that does not vary.

    Example:
        >>> from visanda.study.regression.every import regression
        >>> data = pd.DataFrame({"y": [1, 3, 2, 5.0], "x": [0, 10, 10, 20.0]})
        >>> standardised(regression("lm")(data, "y ~ x"), data, "y ~ x").coef.round(3).tolist()
        [0.956]
    """
    probability = None if sample_prob in (None, "equal") else str(sample_prob)
    rows = complete(data, set().union(*sides(formula)) | ({probability} if probability else set()))
    right = formula.split("~", 1)[1]
    made = design(formula if outcome else f"1 ~ {right}", rows)
    weight = 1 / rows[probability].to_numpy() if probability else np.ones(len(rows))
    deviation = dict(zip(made.names, _deviation(made.matrix, weight), strict=True))
    of_outcome = float(_deviation(made.outcome[:, :1], weight)[0]) if outcome else 1.0
    if of_outcome == 0:
        raise InputError("the outcome does not vary")
    term = [name if name in deviation else name.partition(": ")[2] for name in fit.names]  # "category: term"
    kept = [place for place, name in enumerate(term) if deviation.get(name, 0.0) > 0]
    if not kept:
        raise InputError(f"{formula!r} has none of the terms {', '.join(fit.names)}: give the formula that was fitted")
    scale = np.array([deviation[term[place]] for place in kept]) / of_outcome
    cov = fit.cov[np.ix_(kept, kept)] * np.outer(scale, scale)
    names = tuple(fit.names[place] for place in kept)
    df = None if fit.df is None else fit.df[kept]
    se = np.sqrt(np.diag(cov))
    return Estimates(names, fit.coef[kept] * scale, se, cov, fit.n, fit.n_coded, fit.n_dropped, df)


def _deviation(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """(c,) standard deviations of the columns of rows that count as their ``weight``."""
    square = np.average((values - np.average(values, axis=0, weights=weight)) ** 2, axis=0, weights=weight)
    return np.asarray(np.sqrt(square * len(values) / (len(values) - 1)))
