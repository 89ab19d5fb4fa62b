"""How well predicted classes and probabilities agree with the true ones: the numbers, on weighted rows."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BINS = 10  # of equal width, for calibration
BASELINE = "accuracy of always guessing the commonest class"


def confusion(gold: NDArray[np.integer], predicted: NDArray[np.integer], classes: int, weight: Array) -> Array:
    """(classes, classes) weight of the rows of each true class (row) and predicted class (column)."""
    counts = np.bincount(gold * classes + predicted, weight, classes * classes)
    return counts.reshape(classes, classes).astype(float)


def by_class(table: Array) -> dict[str, Array]:
    """Precision, recall and F1, (classes,) each, of a confusion matrix; NaN where they are 0 / 0."""
    hit, true, said = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {"precision": hit / said, "recall": hit / true, "F1": 2 * hit / (true + said)}


def overall(table: Array) -> dict[str, float]:
    """Accuracy, the accuracy of always saying the commonest class, balanced accuracy and macro F1.

    Balanced accuracy is the mean recall of the classes that are true of some row; macro F1 the mean F1 of
    those that are true or predicted of some row.
    """
    classes = by_class(table)
    return {
        "accuracy": float(np.trace(table) / table.sum()),
        BASELINE: float(table.sum(axis=1).max() / table.sum()),
        "balanced accuracy": mean_known(classes["recall"]),
        "macro F1": mean_known(classes["F1"]),
    }


def auc(positive: NDArray[np.bool_], score: Array, weight: Array) -> float:
    """Probability that a positive row scores above a negative one, ties half; NaN without both."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    plus = np.add.reduceat((weight * positive)[order], starts)
    minus = np.add.reduceat((weight * ~positive)[order], starts)
    pairs = plus.sum() * minus.sum()
    return float((plus * (np.cumsum(minus) - minus / 2)).sum() / pairs) if pairs > 0 else np.nan


def with_probability(gold: NDArray[np.integer], probability: Array, weight: Array) -> dict[str, float]:
    """AUC, Brier score and expected calibration error.

    Args:
        gold: (n,) true class.
        probability: (n, 2 or more) of each class. Two classes: AUC and Brier score of the second, in
            0-1; more: mean one-versus-rest AUC, and Brier summed over the classes, in 0-2 (Brier 1950).
        weight: (n,) of the rows.
    """
    classes = probability.shape[1]
    truth = gold[:, None] == np.arange(classes)
    scored = [1] if classes == 2 else range(classes)
    error = ((probability - truth)[:, scored] ** 2).sum(axis=1)
    bins = calibration(*sure(gold, probability), weight)
    return {
        "AUC": mean_known(np.array([auc(truth[:, k], probability[:, k], weight) for k in scored])),
        "Brier score": float(np.average(error, weights=weight)),
        "expected calibration error": float(
            np.nansum(bins["weight"] * np.abs(bins["share"] - bins["probability"])) / weight.sum()
        ),
    }


def sure(gold: NDArray[np.integer], probability: Array) -> tuple[Array, NDArray[np.bool_]]:
    """What calibration judges: the probability of the second of two classes, or of the likeliest; if true."""
    if probability.shape[1] == 2:
        return probability[:, 1], gold == 1
    return probability.max(axis=1), gold == probability.argmax(axis=1)


def calibration(probability: Array, happened: NDArray[np.bool_], weight: Array) -> dict[str, Array]:
    """Mean probability, share that happened and weight in ``BINS`` bins of equal width; NaN where empty."""
    bin_of = np.minimum((probability * BINS).astype(np.intp), BINS - 1)
    total = np.bincount(bin_of, weight, BINS).astype(float)
    with np.errstate(invalid="ignore"):
        return {
            "probability": np.bincount(bin_of, weight * probability, BINS) / total,
            "share": np.bincount(bin_of, weight * happened, BINS) / total,
            "weight": total,
        }


def mean_known(values: Array) -> float:
    """Mean of the values that are not NaN; NaN where all are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(np.nanmean(values))
