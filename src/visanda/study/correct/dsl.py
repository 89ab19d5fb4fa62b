"""Design-based supervised learning: estimates corrected for the errors of machine-coded variables.

Egami, Hinck, Stewart & Wei (2023), "Using Imperfect Surrogates for Downstream Inference: Design-based
Supervised Learning for Social Science Applications of Large Language Models", NeurIPS 36. Written from the
paper's formulas. Valid whatever the machine's errors, as long as rows were drawn for coding with known
probabilities and the machine did not learn from the codes used here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.study.correct.coded import CodedRows
from visanda.study.correct.crossfit import Learner
from visanda.study.correct.machine import Prediction
from visanda.study.correct.problem import Problem, problem
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.jackknife import summed
from visanda.study.regression.moments import influence, solve
from visanda.study.regression.named import Model
from visanda.study.regression.ordinary import without_effects
from visanda.study.regression.small_sample import degrees_of_freedom

Array = NDArray[np.float64]


def dsl(
    data: pd.DataFrame,
    formula: str,
    *,
    model: Model = "lm",
    predicted_var: Sequence[str],
    prediction: Sequence[Prediction],
    sample_prob: str | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    learner: Literal["linear", "raw"] | Learner = "linear",
    folds: int = 5,
    splits: int = 10,
    seed: int = 1,
    refine: bool = False,
) -> Estimates:
    """Fit ``formula``, in which some variables are coded by a machine everywhere and by people in a sample.

    Args:
        data: a row a unit. Rows that miss an observed variable or a prediction are dropped and counted.
        formula: R-style, such as ``"protest ~ log(followers) + C(country)"``; ``"y ~ x | city + month"`` has fixed
            effects (lm only).
        model: ``"lm"``, ``"logit"``, ``"poisson"`` or ``"multinomial"`` (an outcome of categories, the first of which
            is the reference).
        predicted_var: the variables of the formula that need human coding; missing where nobody coded them. Numbers,
            or text for categories.
        prediction: for each of them the column with the machine's prediction, a probability where it is 0/1; for
            categories the column of its labels, or the column with the probability of each value, by value.
        sample_prob: column with the known probability, in (0, 1], that a row was drawn for coding; ``"equal"``
            or None: the same for all. It may be missing where the row was not coded.
        cluster: column of clusters, for standard errors and for folds.
        weights: column of how much each row counts in the model, above 0; None: all alike.
        learner: what turns predictions into expected codes, cross-fitted: ``"linear"`` (logistic for 0/1
            codes and categories, else linear, on the predictions and the observed variables of the formula), a
            function that makes a scikit-learn model, or ``"raw"``: the prediction as it is.
        folds: of the cross-fitting, 2 or more.
        splits: repetitions of the cross-fitting, over which the median is taken.
        seed: of the splits.
        refine: take out the bias of second order, and widen intervals for what few codes leave uncertain: by leaving
            out each coded unit or cluster (see :func:`visanda.study.regression.jackknife.jackknifed`), and by
            Student's t. False: as published, for many codes.

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
    asked = problem(data, formula, model, predicted_var, prediction, sample_prob, cluster, weights)
    return combined(_fits(asked, learner, folds, splits, seed, refine), asked.names, asked.rows, refine)


def dsl_mean(
    data: pd.DataFrame,
    variable: str,
    prediction: Prediction,
    *,
    sample_prob: str | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    learner: Literal["linear", "raw"] | Learner = "linear",
    folds: int = 5,
    splits: int = 10,
    seed: int = 1,
    refine: bool = False,
) -> Estimates:
    """The mean of a machine-coded ``variable``: its share where it is 0/1, of categories the share of each.

    Arguments as in :func:`dsl`.
    """
    return dsl(
        data,
        f"`{variable}` ~ 1",
        model="lm",
        predicted_var=[variable],
        prediction=[prediction],
        sample_prob=sample_prob,
        cluster=cluster,
        weights=weights,
        learner=learner,
        folds=folds,
        splits=splits,
        seed=seed,
        refine=refine,
    )


def combined(fits: Iterable[tuple[Array, Array]], names: tuple[str, ...], rows: CodedRows, refine: bool) -> Estimates:
    """Coefficients and influences of units, of each split, as one: Egami et al.'s medians over splits."""
    coefs, covs, dfs = [], [], []
    units = rows.unit[rows.coded]
    most = len(np.unique(units)) - 1
    for coef, influences in fits:
        groups = influences if rows.cluster is None else summed(influences, rows.cluster, int(rows.cluster.max()) + 1)
        coefs.append(coef)
        covs.append(groups.T @ groups / rows.n**2)
        dfs.append(degrees_of_freedom(groups, most))
    b = np.median(coefs, axis=0)
    cov = np.median([cov + np.outer(coef - b, coef - b) for coef, cov in zip(coefs, covs, strict=True)], axis=0)
    df = np.median(dfs, axis=0) if refine and not rows.coded.all() else None
    return Estimates(names, b, np.sqrt(np.diag(cov)), cov, rows.n, rows.n_coded, rows.n_dropped, df)


def _fits(
    asked: Problem, learner: Literal["linear", "raw"] | Learner, folds: int, splits: int, seed: int, refine: bool
) -> Iterator[tuple[Array, Array]]:
    b = None
    for rows in asked.stacked(learner, folds, splits, seed):
        left = without_effects(asked.family, asked.plan, rows)
        b = solve(asked.family, left, b)
        yield asked.refined(b, left) if refine else (b, influence(asked.family, b, left))
