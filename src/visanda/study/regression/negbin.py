"""Negative binomial regression (NB2): counts that scatter more than Poisson counts, such as likes and shares.

The expected count is mu = exp(x'b), its variance mu + alpha mu² (Cameron & Trivedi 1986). Fitted by maximum likelihood
with analytic derivatives, rows weighted.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, polygamma

from visanda.errors import DesignError, InputError
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.families import LARGEST, POISSON
from visanda.study.regression.likelihood import Peak, lengths, maximise, robust
from visanda.study.regression.moments import NoSolution, Rows, expected, solve
from visanda.study.regression.prepared import prepared, refuse_few, refuse_fixed_effects
from visanda.study.regression.separation import explained

Array = NDArray[np.float64]
DISPERSION = "alpha (dispersion)"  # no name that a column of a formula has
LEAST, MOST = -14.0, 7.0  # of the log of alpha: beyond, counts are Poisson, or all but 0


def negbin(data: pd.DataFrame, formula: str, *, cluster: str | None = None, weights: str | None = None) -> Estimates:
    """Fit a negative binomial regression; coefficients are logs of ratios of expected counts.

    Args:
        data: a row a unit.
        formula: R-style, with a ``~``, without fixed effects.
        cluster: column of clusters for the standard errors; None: HC1.
        weights: column of how much each row counts, above 0; None: all alike.

    Returns:
        Estimates of the terms, and of alpha, the dispersion, last.

    Raises:
        InputError: a column or formula that does not fit, an outcome below 0.
        DesignError: an outcome of only 0 and 1, counts that scatter no more than Poisson counts, collinear terms, too
            few rows.

    Example:
        >>> posts = pd.DataFrame({"shares": [0, 1, 0, 7, 2, 0, 14, 3, 40, 5], "faces": [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]})
        >>> negbin(posts, "shares ~ faces").frame().round(2)[["term", "estimate"]].values.tolist()
        [['Intercept', 0.58], ['faces', 1.18], ['alpha (dispersion)', 1.44]]
    """
    refuse_fixed_effects(formula, "negbin")
    ready = prepared(data, formula, cluster, weights)
    made = ready.laid_out(formula)
    X, y = made.matrix, made.outcome[:, 0]
    if (y < 0).any():
        raise InputError("a negbin needs an outcome of 0 or more; the outcome has values below: use lm")
    refuse_binary(y)
    k = X.shape[1]
    refuse_few(len(y), k + 1)
    weight = ready.weight / ready.weight.mean()
    if _no_dispersion(X, y, weight) is not None:
        raise DesignError(
            "the counts scatter no more than Poisson counts, so that there is no dispersion to estimate: "
            "use a poisson, whose standard errors are robust"
        )
    try:
        found = nb_fit(X, y, weight)
    except NoSolution as error:
        raise explained(error, ready.rows, formula, "negbin") from error
    cov = robust(_at(found, X, y, weight, np.unique(y, return_inverse=True)), weight, ready.cluster)
    scale = np.append(np.ones(k), np.exp(found[-1]))  # from the log of alpha to alpha
    coef, cov = np.append(found[:-1], scale[-1]), cov * np.outer(scale, scale)
    names = (*made.names, DISPERSION)
    return Estimates(names, coef, np.sqrt(np.diag(cov)), cov, len(y), len(y), ready.n_dropped)


def refuse_binary(y: Array) -> None:
    """DesignError where an outcome is 0 or 1 throughout, which cannot scatter as counts do."""
    if set(np.unique(y)) <= {0.0, 1.0}:
        raise DesignError(
            "a negbin is made for counts, and the outcome is only 0 or 1: a logit models its odds (logit), a Poisson "
            "regression with robust standard errors its probability (poisson)"
        )


def nb_fit(X: Array, y: Array, weight: Array, start: Array | None = None) -> Array:
    """(k + 1,) coefficients and the log of alpha, of (n, k) designs, (n,) counts and weights that are 1 on average.

    Where counts scatter no more than Poisson counts, the coefficients are those of a Poisson model.

    Args:
        X: design.
        y: outcome, 0 or more; need not be whole.
        weight: above 0.
        start: where to begin; None: at the Poisson coefficients.

    Raises:
        DesignError: the steps do not settle.
    """
    size = lengths(X)
    scaled = X / size
    if (poisson := _no_dispersion(scaled, y, weight)) is not None:
        return np.append(poisson / size, LEAST)
    begin = _begin(scaled, y, weight) if start is None else np.append(start[:-1] * size, start[-1])
    repeats = np.unique(y, return_inverse=True)  # special functions cost most, and counts repeat
    at = partial(_at, X=scaled, y=y, weight=weight, repeats=repeats)
    found = maximise(at, weight, begin, X.shape[1], "negbin")
    return np.append(found[:-1] / size, found[-1])


def _no_dispersion(X: Array, y: Array, weight: Array) -> Array | None:
    """The Poisson coefficients, where counts scatter no more than Poisson counts: the limit where alpha is 0."""
    b = solve(POISSON, Rows.of(X, y, weight))
    mean = expected(POISSON, b, X)[:, 0]
    return b if weight @ ((y - mean) ** 2 - y) <= 0 else None  # the slope of the likelihood there


def _begin(X: Array, y: Array, weight: Array) -> Array:
    b = solve(POISSON, Rows.of(X, y, weight))
    mean = expected(POISSON, b, X)[:, 0]
    alpha = weight @ ((y - mean) ** 2 - mean) / (weight @ mean**2)
    return np.append(b, np.log(max(float(alpha), 0.05)))


def _at(parameters: Array, X: Array, y: Array, weight: Array, repeats: tuple[Array, NDArray[np.intp]]) -> Peak:
    """The log likelihood, with a = 1 / alpha, of which the derivative by the log of alpha is -a times that by a."""
    alpha = np.exp(np.clip(parameters[-1], LEAST, MOST))
    a, mean = 1 / alpha, np.exp(np.minimum(X @ parameters[:-1], LARGEST))
    counts, place = repeats
    table = gammaln(counts + a) - gammaln(counts + 1), digamma(counts + a), polygamma(1, counts + a)
    log_gamma, first, second = (values[place] for values in table)
    total, width = np.log(a + mean), 1 + alpha * mean
    value = log_gamma - gammaln(a) + a * np.log(a) - a * total + y * (np.log(np.maximum(mean, 1e-300)) - total)
    by_a = first - digamma(a) + np.log(a) + 1 - total - (a + y) / (a + mean)
    by_a_twice = second - polygamma(1, a) + 1 / a - 1 / (a + mean) - (mean - y) / (a + mean) ** 2
    left = (y - mean) / width
    score = np.column_stack([X * left[:, None], -a * by_a])
    bb = X.T @ (X * (weight * mean * (1 + alpha * y) / width**2)[:, None])
    ba = X.T @ (weight * left * alpha * mean / width)
    aa = -(weight @ (a * by_a + a**2 * by_a_twice))
    return Peak(float(weight @ value), score, np.block([[bb, ba[:, None]], [ba[None, :], np.array([[aa]])]]))
