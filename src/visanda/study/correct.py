"""Design-based supervised learning: estimates corrected for the errors of machine-coded variables.

Egami, Hinck, Stewart & Wei (2023), "Using Imperfect Surrogates for Downstream Inference: Design-based
Supervised Learning for Social Science Applications of Large Language Models", NeurIPS 36. Written from the
paper's formulas. Valid whatever the machine's errors, as long as rows were drawn for coding with known
probabilities and the machine did not learn from the codes used here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from visanda.errors import DesignError, InputError
from visanda.study.coded import CodedRows, coded_rows
from visanda.study.coefficients import Estimates
from visanda.study.columns import numbers
from visanda.study.crossfit import Learner, deal_folds, expected_codes, linear
from visanda.study.formula import Design, design, refuse_categories_of, refuse_collinear

Model = Literal["lm", "logit"]
Array = NDArray[np.float64]
SINGULAR = 1e12  # condition number of the information above which a coefficient is not determined


@dataclass(frozen=True)
class Sides:
    """The arrays of one correction: n rows, k terms.

    Attributes:
        X: (n, k) design with the human codes, y: (n,) outcome with them; 0 where not coded.
        X_machine: (n, k) design with the expected codes, y_machine: (n,) outcome with them.
        weight: (n,) 1 / probability of being coded, 0 where not coded.
    """

    X: Array
    y: Array
    X_machine: Array
    y_machine: Array
    weight: Array


def mean_of(model: Model, X: Array, b: Array) -> Array:
    """(n,) the outcome that coefficients ``b`` expect: on the line, or a probability."""
    return X @ b if model == "lm" else expit(X @ b)


def moments(model: Model, b: Array, X: Array, y: Array) -> Array:
    """(n, k) the estimating function of each row, X (y - mean): its sum is 0 at the estimate."""
    return X * (y - mean_of(model, X, b))[:, None]


def corrected_moments(model: Model, b: Array, sides: Sides) -> Array:
    """(n, k) the machine's moments, plus the weighted difference to the human ones where a row is coded."""
    machine = moments(model, b, sides.X_machine, sides.y_machine)
    human = moments(model, b, sides.X, sides.y)
    return machine + sides.weight[:, None] * (human - machine)


def information(model: Model, b: Array, sides: Sides) -> Array:
    """(k, k) minus the derivative of the mean corrected moment."""

    def part(X: Array, weight: Array) -> Array:
        p = mean_of(model, X, b)
        curve = np.ones(len(X)) if model == "lm" else p * (1 - p)
        return X.T @ (X * (weight * curve)[:, None])

    return (part(sides.X_machine, 1 - sides.weight) + part(sides.X, sides.weight)) / len(sides.X)


def solve(model: Model, sides: Sides, max_steps: int = 60) -> Array:
    """(k,) the coefficients at which the corrected moments add up to 0.

    Newton's method; for lm its first step is the closed form.

    Raises:
        DesignError: the information is singular, or the steps do not settle.
    """
    scale = np.sqrt((sides.X_machine**2 + sides.X**2).mean(axis=0))
    scale[scale == 0] = 1.0
    scaled = Sides(sides.X / scale, sides.y, sides.X_machine / scale, sides.y_machine, sides.weight)
    b = np.zeros(len(scale))
    score = corrected_moments(model, b, scaled).mean(axis=0)
    for _ in range(max_steps):
        curvature = information(model, b, scaled)
        if np.linalg.cond(curvature) > SINGULAR:
            break
        step = np.linalg.solve(curvature, score)
        for _ in range(12):  # halve a step that overshoots
            new_score = corrected_moments(model, b + step, scaled).mean(axis=0)
            if np.linalg.norm(new_score) <= np.linalg.norm(score):
                break
            step = step / 2
        b, score = b + step, new_score
        if np.abs(step).max() <= 1e-10 * (1 + np.abs(b).max()):
            return b / scale
    raise DesignError(_no_solution(model))


def covariance(model: Model, b: Array, sides: Sides, cluster: NDArray[np.intp] | None = None) -> Array:
    """(k, k) sandwich covariance of the corrected coefficients, robust to dependence inside clusters."""
    n = len(sides.y)
    score = corrected_moments(model, b, sides)
    if cluster is not None:
        score = np.stack([np.bincount(cluster, column) for column in score.T], axis=1)
    bread = np.linalg.inv(information(model, b, sides))
    return bread @ (score.T @ score / n) @ bread.T / n


def dsl(
    data: pd.DataFrame,
    formula: str,
    *,
    model: Model = "lm",
    predicted_var: list[str],
    prediction: list[str],
    sample_prob: str | None = None,
    cluster: str | None = None,
    learner: Literal["linear", "raw"] | Learner = "linear",
    folds: int = 5,
    splits: int = 10,
    seed: int = 1,
) -> Estimates:
    """Fit ``formula``, in which some variables are coded by a machine everywhere and by people in a sample.

    Args:
        data: a row a unit. Rows that miss an observed variable or a prediction are dropped and counted.
        formula: R-style, such as ``"protest ~ log(followers) + C(country)"``.
        model: ``"lm"`` or ``"logit"``.
        predicted_var: the variables of the formula that need human coding; missing where nobody coded them.
        prediction: for each of them the column with the machine's prediction, a probability where it is 0/1.
        sample_prob: column with the known probability, in (0, 1], that a row was drawn for coding; None:
            equal for all. It may be missing where the row was not coded.
        cluster: column of clusters, for standard errors and for folds.
        learner: what turns predictions into expected codes, cross-fitted: ``"linear"`` (logistic for 0/1
            codes, else linear, on the predictions and the observed variables of the formula), a function that
            makes a scikit-learn model, or ``"raw"``: the prediction as it is.
        folds: of the cross-fitting, 2 or more.
        splits: repetitions of the cross-fitting, over which the median is taken.
        seed: of the splits.

    Returns:
        Estimates; where there are several splits, the median of each coefficient b, and as covariance the
        median over splits s of V_s + (b_s - b)(b_s - b)'.

    Raises:
        InputError: a column or formula that does not fit.
        DesignError: too few codes, impossible probabilities, collinear terms, separation.

    Example:
        >>> random = np.random.default_rng(1)
        >>> likes, cat = random.normal(size=300), random.integers(0, 2, 300)
        >>> data = pd.DataFrame({"likes": likes + cat, "cat": np.where(np.arange(300) < 90, cat, np.nan)})
        >>> data["p_cat"] = np.where(random.random(300) < 0.9, cat, 1 - cat)
        >>> fit = dsl(data, "likes ~ cat", predicted_var=["cat"], prediction=["p_cat"])
        >>> fit.names, fit.n, fit.n_coded
        (('Intercept', 'cat'), 300, 90)
    """
    if len(predicted_var) != len(prediction) or not predicted_var:
        raise InputError(f"{len(predicted_var)} predicted_var but {len(prediction)} prediction: name one for each")
    if folds < 2 or splits < 1:
        raise InputError(f"folds={folds}, splits={splits}: cross-fitting needs 2 folds or more and a split or more")
    checked = data.assign(**{name: numbers(data, name) for name in prediction})
    rows = coded_rows(checked, formula, predicted_var, prediction, sample_prob, cluster)
    machine = dict(zip(predicted_var, prediction, strict=True))
    plan = design(formula, rows.data.assign(**{name: rows.data[column] for name, column in machine.items()}))
    refuse_categories_of(plan, predicted_var)
    refuse_collinear(plan)
    human = plan.of(rows.data[rows.coded])
    if model == "logit" and not set(np.unique(human.outcome)) <= {0.0, 1.0}:
        raise InputError(f"a logit needs an outcome of 0 and 1; the outcome of {formula!r} has other values: use lm")
    fits = []
    if learner == "raw":
        fits.append(_fit(model, rows, human, plan))
    else:
        features = _features(rows, plan, predicted_var, prediction)
        rng = np.random.default_rng(seed)
        for _ in range(splits):
            fold = deal_folds(rows.unit, rows.coded, folds, rng)
            expected = {}
            for name in predicted_var:
                codes = rows.data[name].to_numpy()
                make = linear(codes[rows.coded]) if learner == "linear" else learner
                expected[name] = expected_codes(features, codes, rows.coded, fold, make)
            fits.append(_fit(model, rows, human, plan.of(rows.data.assign(**expected))))
    coef, cov = _combine(fits)
    return Estimates(plan.names, coef, np.sqrt(np.diag(cov)), cov, rows.n, rows.n_coded, rows.n_dropped)


def dsl_mean(
    data: pd.DataFrame,
    variable: str,
    prediction: str,
    *,
    sample_prob: str | None = None,
    cluster: str | None = None,
    learner: Literal["linear", "raw"] | Learner = "linear",
    folds: int = 5,
    splits: int = 10,
    seed: int = 1,
) -> Estimates:
    """The mean (share, where it is 0/1) of a machine-coded ``variable``; arguments as in :func:`dsl`."""
    return dsl(
        data,
        f"`{variable}` ~ 1",
        predicted_var=[variable],
        prediction=[prediction],
        sample_prob=sample_prob,
        cluster=cluster,
        learner=learner,
        folds=folds,
        splits=splits,
        seed=seed,
    )


def _features(rows: CodedRows, plan: Design, predicted_var: list[str], prediction: list[str]) -> Array:
    features = [rows.data[prediction].to_numpy(dtype=float), plan.columns_without(predicted_var)]
    if not plan.outcome_uses(predicted_var):  # an observed outcome says something about a predicted covariate
        features.append(plan.outcome[:, None])
    return np.hstack(features)


def _fit(model: Model, rows: CodedRows, human: Design, machine: Design) -> tuple[Array, Array]:
    X, y = np.zeros_like(machine.matrix), np.zeros_like(machine.outcome)
    X[rows.coded], y[rows.coded] = human.matrix, human.outcome
    sides = Sides(X, y, machine.matrix, machine.outcome, rows.weight)
    b = solve(model, sides)
    return b, covariance(model, b, sides, rows.cluster)


def _combine(fits: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    b = np.median([coef for coef, _ in fits], axis=0)
    spread = [cov + np.outer(coef - b, coef - b) for coef, cov in fits]
    return b, np.median(spread, axis=0)


def _no_solution(model: Model) -> str:
    if model == "lm":
        return (
            "the linear model has no unique solution: among the coded rows a term does not vary or "
            "repeats another. Code more rows, or take a term out of the formula."
        )
    return (
        "the logit does not converge: among the coded rows a term separates the outcome (always 0 "
        "or always 1), or there are too few codes for so many terms. Code more rows, take a term out, "
        "or use lm."
    )
