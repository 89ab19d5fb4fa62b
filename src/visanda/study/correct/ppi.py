"""Prediction-powered inference, tuned (PPI++): predicted outcomes of all rows, codes of a simple random sample.

Angelopoulos, Duchi & Zrnic (2023), "PPI++: Efficient Prediction-Powered Inference". Predictions of the uncoded rows
stand in for codes; how far off they are is learnt from the coded rows; lambda, from 0 to 1, says how much they are
relied on, and is chosen so that the estimate is least uncertain. lambda = 0 uses the codes alone.

The loss λ/N Σ l(x, f) + 1/n Σ [l(x, y) − λ l(x, f)] has as its gradient the moments of weighted rows: an uncoded row
with its prediction, a coded row with its code, and the same with its prediction and a negative weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.study.columns import numbers, require_columns
from visanda.study.correct.coded import CodedRows, coded_rows
from visanda.study.correct.quantile import Quantile, rectified_quantile
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.families import FAMILIES, Family
from visanda.study.regression.formula import absorbs, design, outcome_of, refuse_collinear, sides, uses
from visanda.study.regression.moments import Rows, check_outcome, information, moments, solve

Array = NDArray[np.float64]
PPIModel = Literal["mean", "quantile", "lm", "logit", "poisson"]
MODELS = ("mean", "quantile", "lm", "logit", "poisson")


@dataclass(frozen=True, kw_only=True)
class PPIEstimates(Estimates):
    """Estimates by PPI++.

    Attributes:
        lam: how much the predictions are relied on, 0 to 1.
    """

    lam: float


def ppi(
    data: pd.DataFrame,
    formula: str,
    *,
    model: PPIModel,
    predicted_var: str | Sequence[str],
    prediction: str | Sequence[str],
    sample_prob: str | None = None,
    cluster: str | None = None,
    quantile: float | None = None,
    lam: float | None = None,
) -> PPIEstimates | Quantile:
    """Fit ``formula``, whose outcome is predicted everywhere and coded in a simple random sample.

    Args:
        data: a row a unit; rows that miss a covariate or the prediction are dropped and counted.
        formula: R-style, such as ``"anger ~ age"``; a variable alone asks for its mean or quantile.
        model: ``"mean"``, ``"quantile"``, ``"lm"``, ``"logit"`` or ``"poisson"``.
        predicted_var: the outcome, numbers; missing where nobody coded it.
        prediction: the column with its prediction, a number or a probability.
        sample_prob: column with the probability of being coded, if there is one: it must be the same for all, which
            ``"equal"`` says, too.
        cluster: column of units that go together; None: rows are independent.
        quantile: which quantile, between 0 and 1.
        lam: how much to rely on the predictions, 0 to 1; None: tuned.

    Returns:
        Estimates with ``lam``; of a quantile with the interval that inverts the test.

    Raises:
        InputError: a column or formula that does not fit, a predicted covariate.
        DesignError: coded rows that are no simple random sample, none that is not coded.

    Example:
        >>> random = np.random.default_rng(1)
        >>> anger = random.normal(size=500)
        >>> data = pd.DataFrame({"said": anger + random.normal(size=500) / 2, "anger": anger})
        >>> data.loc[100:, "anger"] = np.nan
        >>> found = ppi(data, "anger", model="mean", predicted_var="anger", prediction="said")
        >>> found.n, found.n_coded, 0 < found.lam < 1
        (500, 100, True)
    """
    variable, column = _one(predicted_var, "predicted_var"), _one(prediction, "prediction")
    asked = _asked(data, formula, model, variable, quantile, lam)
    require_columns(data, [variable, column])
    data = data.assign(**{name: numbers(data, name) for name in (variable, column)})
    rows = coded_rows(data, asked, [variable], [column], sample_prob, cluster)
    _refuse_unequal(rows, sample_prob)
    if model == "quantile":
        assert quantile is not None
        return rectified_quantile(
            rows.data[variable].to_numpy(),
            rows.data[column].to_numpy(),
            rows.coded,
            quantile,
            rows.cluster,
            lam,
            variable,
            rows.n_dropped,
        )
    family = FAMILIES["lm" if model == "mean" else model]
    made = design(asked, rows.data.assign(**{variable: rows.data[column]}))
    refuse_collinear(made)
    y = made.outcome[:, 0].copy()
    y[rows.coded] = design(asked, rows.data[rows.coded]).outcome[:, 0]
    check_outcome(family, y[rows.coded][:, None])
    names = (f"mean of {variable}",) if model == "mean" else made.names
    return _tuned(_Stack(family, made.matrix, y, made.outcome[:, 0], rows), names, lam)


@dataclass(frozen=True)
class _Stack:
    """The (n, k) design, the (n,) codes where there are some, the (n,) predictions."""

    family: Family
    X: Array
    y: Array
    said: Array
    rows: CodedRows

    def of(self, lam: float) -> Rows:
        """The weighted rows whose moments are the gradient of the loss."""
        coded = self.rows.coded
        place, other = np.flatnonzero(coded), np.flatnonzero(~coded)
        total, n, left = len(coded), len(place), len(other)
        return Rows(
            self.X[np.concatenate([other, place, place])],
            np.concatenate([self.said[other], self.y[place], self.said[place]])[:, None],
            np.concatenate([np.full(left, lam * total / left), np.full(n, total / n), np.full(n, -lam * total / n)]),
            np.concatenate([other, place, place]),
            total,
        )

    def gradients(self, b: Array, outcome: Array) -> Array:
        """(n, k) the moment of each row with an outcome."""
        return moments(self.family, b, Rows.of(self.X, outcome))

    def bread(self, b: Array) -> Array:
        """(k, k) the inverse of the information of all rows."""
        return np.asarray(np.linalg.inv(information(self.family, b, Rows.of(self.X, self.said))), dtype=float)


def _tuned(stack: _Stack, names: tuple[str, ...], lam: float | None) -> PPIEstimates:
    """Estimates at ``lam``, or at that which makes the sum of the variances least."""
    if lam is None:
        lam = _best(stack, solve(stack.family, stack.of(1.0)))
    b = solve(stack.family, stack.of(lam))
    cov = _covariance(stack, b, lam)
    rows = stack.rows
    return PPIEstimates(names, b, np.sqrt(np.diag(cov)), cov, rows.n, rows.n_coded, rows.n_dropped, lam=lam)


def _parts(stack: _Stack, b: Array) -> tuple[Array, Array]:
    """(n, k) what each row adds to the coefficients: by its code, and by its prediction at lambda = 1."""
    coded, bread = stack.rows.coded, stack.bread(b)
    n, left = coded.sum(), (~coded).sum()
    true, said = (stack.gradients(b, outcome) @ bread.T for outcome in (stack.y, stack.said))
    for group in (coded, ~coded):
        size = int(group.sum())
        for values in (true, said):  # variances over n - 1
            values[group] = (values[group] - values[group].mean(axis=0)) * np.sqrt(size / max(size - 1, 1))
    by_code = np.where(coded[:, None], true / n, 0.0)
    return by_code, np.where(coded[:, None], -said / n, said / left)


def _summed(parts: Array, cluster: NDArray[np.intp] | None) -> Array:
    return parts if cluster is None else np.stack([np.bincount(cluster, column) for column in parts.T], axis=1)


def _best(stack: _Stack, b: Array) -> float:
    """Cov / Var of what rows add by code and by prediction, summed over coefficients.

    Without clusters as in the paper, with the variance of predictions pooled over all rows; with them of their sums.
    """
    if stack.rows.cluster is None:
        coded, bread = stack.rows.coded, stack.bread(b)
        n, left = int(coded.sum()), int((~coded).sum())
        true, said = (stack.gradients(b, outcome) @ bread.T for outcome in (stack.y, stack.said))
        of_coded = said[coded] - said[coded].mean(axis=0)
        together = float(((true[coded] - true[coded].mean(axis=0)) * of_coded).sum()) / n
        alone = float(said.var(axis=0, ddof=1).sum()) * (1 + n / left)
        return 0.0 if alone == 0 else float(np.clip(together / alone, 0, 1))
    by_code, by_prediction = (_summed(part, stack.rows.cluster) for part in _parts(stack, b))
    least = float((by_prediction**2).sum())
    return 0.0 if least == 0 else float(np.clip(-(by_code * by_prediction).sum() / least, 0, 1))


def _covariance(stack: _Stack, b: Array, lam: float) -> Array:
    by_code, by_prediction = _parts(stack, b)
    added = _summed(by_code + lam * by_prediction, stack.rows.cluster)
    return added.T @ added


def _one(given: str | Sequence[str], what: str) -> str:
    listed = [given] if isinstance(given, str) else list(given)
    if len(listed) != 1 or not isinstance(listed[0], str):
        raise InputError(
            f"PPI++ has one {what}, that of the outcome; for predicted covariates use method dsl or debias"
        )
    return listed[0]


def _asked(
    data: pd.DataFrame, formula: str, model: str, variable: str, quantile: float | None, lam: float | None
) -> str:
    """The formula with an outcome and terms.

    Raises:
        InputError: a model, formula, quantile or lambda that does not fit.
    """
    if model not in MODELS:
        raise InputError(f"model={model!r}: PPI++ is written for {', '.join(MODELS)}; for others use debias")
    if lam is not None and not 0 <= lam <= 1:
        raise InputError(f"lam={lam}: between 0 (codes alone) and 1 (predictions relied on in full)")
    if (model == "quantile") != (quantile is not None) or (quantile is not None and not 0 < quantile < 1):
        raise InputError("quantile, between 0 and 1, goes with model='quantile': quantile=0.5 for the median")
    if "~" not in formula:
        require_columns(data, [formula], "the variable")
        formula = f"`{formula}` ~ 1"
    if absorbs(formula):
        raise DesignError("PPI++ does not absorb fixed effects: write C(city), or use dsl")
    if model in ("mean", "quantile") and sides(formula)[1]:
        raise InputError(f"a {model} has no terms: ask for {variable!r} alone, or use model='lm'")
    if variable in sides(formula)[1] or not uses(formula, [variable]):
        raise InputError(
            f"PPI++ corrects outcomes, and {variable!r} is not (only) the outcome {outcome_of(formula)}: for predicted "
            "covariates use dsl or debias"
        )
    return formula


def _refuse_unequal(rows: CodedRows, sample_prob: str | None) -> None:
    weight = rows.weight[rows.coded]
    if not np.allclose(weight, weight[0], rtol=1e-6):
        raise DesignError(
            f"PPI++ needs a simple random sample of codes, and {sample_prob} differs between rows: use dsl, which "
            "weighs by it"
        )
    if rows.coded.all():
        raise DesignError("all rows are coded, so that predictions add nothing: fit the ordinary model")
