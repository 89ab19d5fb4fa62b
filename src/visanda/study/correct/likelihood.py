"""Maximum likelihood with one misclassified variable: the model of interest, and those of the errors and the variable.

TeBlunthuis, Hase & Chan (2024), "Misclassification in Automated Content Analysis Causes Bias in Regression. Can We Fix
It? Yes We Can!", Communication Methods and Measures 18(3); Carroll, Ruppert, Stefanski & Crainiceanu (2006), chapter 8.
Where X is the variable, W the machine's label, Y the outcome and Z what else is observed, the likelihood of a coded row
is P(Y | X, Z) P(W | X, Y, Z) P(X | Z), and that of any other the sum over both values of X. Where the outcome is
misclassified, it is P(Y | Z) P(W | Y, Z).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import minimize
from scipy.special import expit, gammaln, log_expit, logsumexp

from visanda.errors import DesignError, InputError
from visanda.study.columns import numbers, require_columns
from visanda.study.correct.coded import CodedRows, coded_rows
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.families import FAMILIES
from visanda.study.regression.formula import (
    COLLINEAR,
    Design,
    design,
    refuse_categories_of,
    refuse_collinear_matrix,
    uses,
)
from visanda.study.regression.moments import Rows, check_outcome, sandwich, solve

Array = NDArray[np.float64]

HALF = 0.5  # the probability from which a row is labelled 1
PRIOR_SD = 5.0  # of the coefficients of the error model, which are log odds, by standard deviations of its terms
STEP = 1e-5  # of the numerical derivative of the score
SETTLED = 1e-5  # largest mean score at a maximum, in standardised terms
NEAR = 1e-4  # a last step of Newton's method, whose error is of the order of its square
MOST_STEPS = 50


def likelihood(
    data: pd.DataFrame,
    formula: str,
    *,
    model: Literal["lm", "logit", "poisson"] = "lm",
    predicted_var: str,
    prediction: str,
    cluster: str | None = None,
) -> Estimates:
    """Fit ``formula``, in which one 0/1 variable is coded by a machine everywhere and by people in some rows.

    No sampling probabilities are needed. Instead, everything must be modelled rightly: coded rows are missing at random
    given what is observed of each row (label, outcome, covariates), so that coding more of what the machine found is
    fine, and leaving out hard pictures is not; the outcome follows the model, its distribution included (normal errors
    of the same spread for lm, no overdispersion for poisson); the machine's label follows a logistic regression on the
    true value, the outcome, their product and the other covariates, so that errors may depend on the outcome; and the
    variable one on the covariates. Where rows were drawn with known probabilities, DSL needs none of this.

    A weak normal prior (standard deviation 5, of standardised terms) on the coefficients of these two regressions keeps
    them finite where the machine makes no error among the coded rows; it is not felt elsewhere.

    Args:
        data: a row a unit. Rows that miss an observed variable or a prediction are dropped and counted.
        formula: R-style, such as ``"likes ~ protest * party"``; the misclassified variable may be the outcome (logit).
        model: ``"lm"``, ``"logit"`` or ``"poisson"``.
        predicted_var: the 0/1 variable that needs human coding; missing where nobody coded it.
        prediction: column with the machine's label, or its probability, of which 0.5 and more is taken as a label of 1.
        cluster: column of clusters, for standard errors.

    Returns:
        Estimates of the model of interest, with standard errors that allow for some misspecification (the sandwich).

    Raises:
        InputError: a column or formula that does not fit; codes that are not 0 and 1.
        DesignError: too few codes, collinear terms, fixed effects, no maximum.

    Example:
        >>> draw = np.random.default_rng(1)
        >>> protest = (draw.random(2000) < 0.4) * 1.0
        >>> likes = 1 + 0.5 * protest + draw.normal(size=2000)
        >>> said = np.where(draw.random(2000) < np.where(likes > 1, 0.95, 0.75), protest, 1 - protest)
        >>> data = pd.DataFrame({"likes": likes, "protest": np.where(np.arange(2000) < 400, protest, np.nan)})
        >>> fit = likelihood(data.assign(said=said), "likes ~ protest", predicted_var="protest", prediction="said")
        >>> fit.names, fit.n_coded
        (('Intercept', 'protest'), 400)
    """
    if model not in ("lm", "logit", "poisson"):
        raise InputError(f"model={model!r}: maximum likelihood knows lm, logit and poisson")
    require_columns(data, [prediction], "the prediction")
    checked = data.assign(**{prediction: numbers(data, prediction)})
    rows = coded_rows(checked, formula, [predicted_var], [prediction], None, cluster)
    asked = _lay_out(rows, formula, model, predicted_var, prediction)
    theta = _maximum(asked)
    coef, cov = _estimate(asked, theta, rows.cluster)
    return Estimates(asked.names, coef, np.sqrt(np.diag(cov)), cov, rows.n, rows.n_coded, rows.n_dropped)


@dataclass(frozen=True)
class _Part:
    """One regression of the likelihood, under both values of the variable.

    Attributes:
        name: lm, logit or poisson.
        X: (2, n, k) standardised design.
        y: (2, n) outcome.
        back: (k, k) from standardised coefficients to those of the terms.
        prior: (k,) precision of the prior of each standardised coefficient.
    """

    name: str
    X: Array
    y: Array
    back: Array
    prior: Array

    @property
    def size(self) -> int:
        """Parameters: coefficients, and the log of the spread of a linear model."""
        return self.X.shape[2] + (self.name == "lm")

    def terms(self, value: int, theta: Array) -> tuple[Array, Array]:
        """(n,) log density and (n, size) its derivative, where the variable has this value."""
        X, y = self.X[value], self.y[value]
        eta = X @ theta[: X.shape[1]]
        if self.name == "lm":
            left = (y - eta) * np.exp(-theta[-1])
            slope = np.hstack([X * (left * np.exp(-theta[-1]))[:, None], (left**2 - 1)[:, None]])
            return -0.5 * left**2 - theta[-1] - 0.5 * np.log(2 * np.pi), slope
        if self.name == "poisson":
            mean = np.exp(np.minimum(eta, 700.0))
            return y * eta - mean - gammaln(y + 1), X * (y - mean)[:, None]
        return log_expit(np.where(y > HALF, eta, -eta)), X * (y - expit(eta))[:, None]

    def start(self, rows: NDArray[np.intp], value: NDArray[np.intp]) -> Array:
        """Parameters fitted to ``rows``, whose variable has these values; zeros where that has no solution."""
        X, y = self.X[value, rows], self.y[value, rows]
        try:
            b = solve(FAMILIES[self.name], Rows.of(X, y))
        except DesignError:
            b = np.zeros(X.shape[1])
        if self.name != "lm":
            return np.clip(b, -4, 4) if self.prior.any() else b
        return np.append(b, np.log(np.std(y - X @ b) + 1e-12))


@dataclass(frozen=True)
class _Asked:
    """The likelihood of n rows: its parts, and the variable where it is known."""

    names: tuple[str, ...]
    parts: tuple[_Part, ...]
    value: NDArray[np.intp]  # (n,) 0 or 1; -1 where not coded

    @property
    def prior(self) -> Array:
        """Precision of the prior of each parameter."""
        return np.concatenate([np.pad(part.prior, (0, part.size - len(part.prior))) for part in self.parts])

    def scored(self, theta: Array) -> tuple[Array, Array]:
        """(n,) log-likelihoods, and (n, p) their derivatives.

        The derivative of a sum over both values is the mean of those of its parts, by their posterior probability
        (Fisher's identity).
        """
        places = np.cumsum([0, *(part.size for part in self.parts)])
        log, slope = [], []
        for value in (0, 1):
            found = [part.terms(value, theta[a:b]) for part, a, b in zip(self.parts, places, places[1:], strict=False)]
            impossible = np.where(self.value == 1 - value, -np.inf, 0.0)
            log.append(sum((one for one, _ in found), impossible))
            slope.append(np.hstack([one for _, one in found]))
        whole = logsumexp(log, axis=0)
        chance = np.exp(log[1] - whole)[:, None]
        return whole, (1 - chance) * slope[0] + chance * slope[1]

    def score(self, theta: Array) -> Array:
        """(p,) mean derivative of the log-likelihood and the prior."""
        return self.scored(theta)[1].mean(axis=0) - self.prior * theta / len(self.value)

    def loss(self, theta: Array) -> tuple[float, Array]:
        """Minus the mean log-likelihood and log prior, and its derivative."""
        log, slope = self.scored(theta)
        n = len(log)
        least = -float(log.mean()) + 0.5 * float(self.prior @ theta**2) / n
        return least, -(slope.mean(axis=0) - self.prior * theta / n)

    def curvature(self, theta: Array) -> Array:
        """(p, p) minus the derivative of the mean score, by central differences."""
        steps = STEP * np.eye(len(theta))
        found = np.stack([(self.score(theta - step) - self.score(theta + step)) / (2 * STEP) for step in steps])
        return (found + found.T) / 2


def _lay_out(rows: CodedRows, formula: str, model: str, variable: str, prediction: str) -> _Asked:
    codes, said = rows.data[variable].to_numpy(), _label(rows.data[prediction], prediction)
    if variable in rows.categories or not set(codes[rows.coded]) <= {0.0, 1.0}:
        raise InputError(f"{variable!r} must be coded 0 and 1: recode it, or correct by DSL, which takes others")
    if said.min() == said.max():
        raise DesignError(f"the machine says {said[0]:g} of all rows: it tells nothing of {variable!r}")
    plan = design(formula, rows.data.assign(**{variable: np.where(rows.coded, codes, said)}))
    refuse_categories_of(plan, [variable])
    if plan.absorbed:
        raise DesignError("maximum likelihood cannot absorb fixed effects: write C(city), or correct by DSL")
    both = [plan.of(rows.data.assign(**{variable: float(value)})) for value in (0, 1)]
    is_outcome = uses(formula, [variable])
    _refuse_outcome(both, formula, model, variable, is_outcome)
    X, y = np.stack([one.matrix for one in both]), np.stack([one.outcome[:, 0] for one in both])
    check_outcome(FAMILIES[model], y.reshape(-1, 1))
    refuse_collinear_matrix(X.reshape(-1, X.shape[2]), plan.names)
    observed = _observed(both)
    parts = [_part(model, X, y), _part("logit", _errors(observed, y, is_outcome), np.stack([said, said]), PRIOR_SD)]
    if not is_outcome:
        truth = np.stack([np.zeros(len(said)), np.ones(len(said))])
        parts.append(_part("logit", np.stack([observed, observed]), truth, PRIOR_SD))
    value = np.where(rows.coded, codes, -1).astype(np.intp)
    return _Asked(plan.names, tuple(parts), value)


def _label(column: pd.Series, name: str) -> Array:
    values = column.to_numpy(dtype=float)
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError(f"the prediction {name!r} must be a label of 0 or 1, or a probability; it has other values")
    return (values >= HALF).astype(float)


def _refuse_outcome(both: list[Design], formula: str, model: str, variable: str, is_outcome: bool) -> None:
    if not is_outcome:
        return
    if not np.array_equal(both[0].matrix, both[1].matrix):
        raise InputError(f"{variable!r} stands on both sides of {formula!r}: leave it out of one")
    if model != "logit":
        raise DesignError(
            f"a misclassified outcome of 0 and 1 has a likelihood under logit, not under {model}: use model='logit', "
            "or correct by DSL"
        )


def _observed(both: list[Design]) -> Array:
    """(n, z) 1, and all that the formula makes of the covariates, under either value of the variable."""
    return np.hstack([np.ones((len(both[0].matrix), 1)), both[0].matrix, both[1].matrix])


def _errors(observed: Array, y: Array, is_outcome: bool) -> Array:
    """(2, n, e) terms of the machine's label: the true value, what is observed, and true value × outcome.

    Where the true value is the outcome, its products with all covariates.
    """
    made = []
    for value in (0, 1):
        outcome = y[value][:, None]
        times, alone = (observed, observed) if is_outcome else (outcome, np.hstack([observed, outcome]))
        made.append(np.hstack([alone, np.full(outcome.shape, value), value * times]))
    return np.stack(made)


def _part(name: str, X: Array, y: Array, prior_sd: float = np.inf) -> _Part:
    """Standardise a design: terms that are uncorrelated and of unit size, so that a maximum is soon found.

    Terms that are combinations of those before them are left out.
    """
    size = np.sqrt((X**2).mean(axis=(0, 1)))
    X, size = X[:, :, size > 0], size[size > 0]
    flat = X.reshape(-1, X.shape[2]) / size
    own = np.abs(np.diag(np.linalg.qr(flat, mode="r"))) > COLLINEAR * np.sqrt(len(flat))
    triangle = np.linalg.qr(flat[:, own], mode="r") / np.sqrt(len(flat))
    back = solve_triangular(triangle, np.eye(own.sum())) / size[own][:, None]
    prior = np.full(len(back), prior_sd**-2.0)
    prior[0] = 0.0
    return _Part(name, X[:, :, own] @ back, y, back, prior)


def _maximum(asked: _Asked) -> Array:
    """(p,) the parameters at which the likelihood is largest."""
    coded = np.flatnonzero(asked.value >= 0)
    theta = np.concatenate([part.start(coded, asked.value[coded]) for part in asked.parts])
    with np.errstate(over="ignore", invalid="ignore"):
        found = minimize(asked.loss, theta, jac=True, method="BFGS", options={"gtol": SETTLED})
        theta = found.x
        for _ in range(MOST_STEPS):  # BFGS stops where differences of the likelihood drown in rounding
            score = asked.score(theta)
            curvature = asked.curvature(theta) if np.isfinite(score).all() else np.full((1, 1), np.nan)
            if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0:
                break
            step = np.linalg.solve(curvature, score)
            if np.abs(step).max() < NEAR:
                return theta + step
            theta = theta + step * min(1.0, 1 / np.abs(step).max())
    raise DesignError(
        "the likelihood has no maximum that can be found: a term separates the outcome or explains all of it, or there "
        "are too few codes for so many terms. Code more rows, take terms out, or correct by DSL."
    )


def _estimate(asked: _Asked, theta: Array, cluster: NDArray[np.intp] | None) -> tuple[Array, Array]:
    """Coefficients of the model of interest, and their sandwich covariance."""
    if cluster is not None and cluster.max() == 0:
        raise DesignError("all rows lie in one cluster: standard errors need several")
    bread = np.linalg.inv(asked.curvature(theta))
    cov = sandwich(asked.scored(theta)[1] @ bread.T, cluster)
    back = asked.parts[0].back
    k = len(back)
    return back @ theta[:k], back @ cov[:k, :k] @ back.T
