"""What probabilities are worth: do they order rows, are they near the truth, can they be believed?

Weights are (..., n), as in ``agreement``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.study.validity.agreement import Array, Classes, mean_known, ratio

ECE = "expected calibration error"
BINS = 10  # of equal width, for calibration
TINY = float(np.finfo(float).eps)  # the least probability that log loss takes; 0 would cost infinitely much
THRESHOLDS = np.round(np.arange(0.05, 0.96, 0.05), 2)


def auc(positive: NDArray[np.bool_], score: Array, weight: Array) -> Array:
    """Probability that a positive row scores above a negative one, ties half; NaN without both."""
    plus, minus = _steps(positive, score, weight)
    return ratio((plus * (np.cumsum(minus, axis=-1) - minus / 2)).sum(axis=-1), plus.sum(axis=-1) * minus.sum(axis=-1))


def average_precision(positive: NDArray[np.bool_], score: Array, weight: Array) -> Array:
    """Mean precision over the positive rows, from the highest score down (Buckley & Voorhees 2000).

    The area under the precision-recall curve without interpolation; its value by chance is the share of
    positives. NaN without positives.
    """
    plus, minus = (part[..., ::-1] for part in _steps(positive, score, weight))
    hits = np.cumsum(plus, axis=-1)
    precision = np.nan_to_num(ratio(hits, hits + np.cumsum(minus, axis=-1)))
    return ratio((plus * precision).sum(axis=-1), plus.sum(axis=-1))


def _steps(positive: NDArray[np.bool_], score: Array, weight: Array) -> tuple[Array, Array]:
    """Weight of positive and of negative rows, (..., distinct scores), from the lowest score up."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sorted_weight, sorted_positive = weight[..., order], positive[order]
    plus = np.add.reduceat(sorted_weight * sorted_positive, starts, axis=-1)
    return plus, np.add.reduceat(sorted_weight * ~sorted_positive, starts, axis=-1)


def with_probability(gold: Classes, probability: Array, weight: Array) -> dict[str, Array]:
    """AUC, average precision, log loss, Brier score and expected calibration error.

    Args:
        gold: (n,) true class.
        probability: (n, 2 or more) of each class. Two classes: AUC, average precision and Brier score of the
            second, in 0-1; more: means of one-versus-rest, and Brier summed over the classes, in 0-2 (Brier 1950).
        weight: (..., n) of the rows.
    """
    classes = probability.shape[1]
    truth = gold[:, None] == np.arange(classes)
    scored = [1] if classes == 2 else range(classes)
    total = weight.sum(axis=-1)
    error = ((probability - truth)[:, list(scored)] ** 2).sum(axis=1)
    surprise = -np.log(np.clip(probability[np.arange(len(gold)), gold], TINY, 1))
    bins = calibration(*sure(gold, probability), weight)
    gap = np.nansum(bins["weight"] * np.abs(bins["share"] - bins["probability"]), axis=-1)
    return {
        "AUC": mean_known(np.stack([auc(truth[:, k], probability[:, k], weight) for k in scored], axis=-1)),
        "average precision": mean_known(
            np.stack([average_precision(truth[:, k], probability[:, k], weight) for k in scored], axis=-1)
        ),
        "log loss": ratio(weight @ surprise, total),
        "Brier score": ratio(weight @ error, total),
        ECE: ratio(gap, total),
    }


def ranked_probability_score(gold: Classes, probability: Array, weight: Array) -> Array:
    """Of classes in order: squared gaps of cumulative probabilities, a step on average, in 0-1 (Epstein 1969)."""
    steps = np.arange(probability.shape[1])
    gap = np.cumsum(probability, axis=1) - (gold[:, None] <= steps)
    return ratio(weight @ (gap[:, :-1] ** 2).mean(axis=1), weight.sum(axis=-1))


def sure(gold: Classes, probability: Array) -> tuple[Array, NDArray[np.bool_]]:
    """What calibration judges: the probability of the second of two classes, or of the likeliest; if true."""
    if probability.shape[1] == 2:
        return probability[:, 1], gold == 1
    return probability.max(axis=1), gold == probability.argmax(axis=1)


def calibration(probability: Array, happened: NDArray[np.bool_], weight: Array) -> dict[str, Array]:
    """Mean probability, share that happened and weight in ``BINS`` bins of equal width; NaN where empty."""
    inside = np.eye(BINS)[np.minimum((probability * BINS).astype(np.intp), BINS - 1)]
    total = weight @ inside
    return {
        "probability": ratio((weight * probability) @ inside, total),
        "share": ratio((weight * happened) @ inside, total),
        "weight": total,
    }


def calibrated_error(probability: Array, weight: Array, seed: int, draws: int = 200) -> tuple[float, float]:
    """The calibration error that probabilities show which are right: its mean, and what 95 % of draws stay below.

    The error of a few rows is above 0 even then, and resampling only adds to it; so it is compared with what
    outcomes drawn from the probabilities themselves give (Bröcker & Smith 2007).
    """
    random = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        bins = calibration(probability, random.random(len(probability)) < probability, weight)
        found.append(np.nansum(bins["weight"] * np.abs(bins["share"] - bins["probability"])) / weight.sum())
    return float(np.mean(found)), float(np.quantile(found, 0.95))


def thresholds(positive: NDArray[np.bool_], score: Array, weight: Array) -> pd.DataFrame:
    """Precision, recall, F1 and the share called positive, where a score of ``threshold`` or more is positive."""
    rows = []
    for threshold in THRESHOLDS:
        said = score >= threshold
        hit, called, true = weight @ (said & positive), weight @ said, weight @ positive
        found = {"precision": ratio(hit, called), "recall": ratio(hit, true), "F1": ratio(2 * hit, called + true)}
        rows.append({"threshold": threshold, **found, "share positive": called / weight.sum()})
    return pd.DataFrame(rows).astype(float)


def precision_recall(positive: NDArray[np.bool_], score: Array, weight: Array) -> pd.DataFrame:
    """The precision-recall curve: a row a distinct score, from the highest down."""
    plus, minus = (part[::-1] for part in _steps(positive, score, weight))
    hits, called = np.cumsum(plus), np.cumsum(plus + minus)
    return pd.DataFrame(
        {"threshold": np.unique(score)[::-1], "recall": ratio(hits, plus.sum()), "precision": ratio(hits, called)}
    )
