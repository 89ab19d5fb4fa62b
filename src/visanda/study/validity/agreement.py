"""How well predicted classes agree with true ones: the numbers of confusion matrices, as many as there are at once.

Weights are (..., n): (n,) of rows as they are, (resamples, n) of a bootstrap; what comes back is (...) a number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Array = NDArray[np.float64]
Classes = NDArray[np.integer]
BASELINE = "accuracy of always guessing the commonest class"


def confusion(gold: Classes, predicted: Classes, classes: int, weight: Array) -> Array:
    """(..., classes, classes) weight of the rows of each true class (row) and predicted class (column)."""
    rows = np.arange(len(gold))
    cells = csr_array((np.ones(len(gold)), (rows, gold * classes + predicted)), shape=(len(gold), classes * classes))
    return np.asarray(weight @ cells).reshape(*weight.shape[:-1], classes, classes)


def ratio(part: Array, whole: Array) -> Array:
    """``part / whole``; NaN where the whole is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)[()]


def mean_known(values: Array) -> Array:
    """Mean over the last axis of the values that are not NaN; NaN where all are."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1))


def by_class(table: Array) -> dict[str, Array]:
    """Precision, recall and F1, (..., classes) each, of a confusion matrix; NaN where they are 0 / 0."""
    hit, true, said = np.diagonal(table, axis1=-2, axis2=-1), table.sum(axis=-1), table.sum(axis=-2)
    return {"precision": ratio(hit, said), "recall": ratio(hit, true), "F1": ratio(2 * hit, true + said)}


def overall(table: Array) -> dict[str, Array]:
    """Accuracy, the accuracy of always saying the commonest class, balanced accuracy and macro F1.

    Balanced accuracy is the mean recall of the classes that are true of some row; macro F1 the mean F1 of
    those that are true or predicted of some row.
    """
    classes, total = by_class(table), table.sum(axis=(-2, -1))
    return {
        "accuracy": ratio(np.trace(table, axis1=-2, axis2=-1), total),
        BASELINE: ratio(table.sum(axis=-1).max(axis=-1), total),
        "balanced accuracy": mean_known(classes["recall"]),
        "macro F1": mean_known(classes["F1"]),
    }


def in_order(table: Array) -> dict[str, Array]:
    """Of classes in order: agreement that counts how far off a prediction is.

    Returns:
        Share within one step; mean absolute error in steps, and its mean over the true classes (Baccianella,
        Esuli & Sebastiani 2009), which a rare class weighs in as much as a common one; mean error in steps;
        quadratic weighted kappa (Cohen 1968); Spearman's rank correlation, ties at their mean rank.
    """
    steps = np.arange(table.shape[-1], dtype=float)
    apart = steps[None, :] - steps[:, None]
    total, true, said = table.sum(axis=(-2, -1)), table.sum(axis=-1), table.sum(axis=-2)
    chance = np.einsum("...i,ij,...j->...", true, apart**2, said)
    observed = (table * apart**2).sum(axis=(-2, -1)) * total
    return {
        "within one step": ratio((table * (np.abs(apart) <= 1)).sum(axis=(-2, -1)), total),
        "mean absolute error (steps)": ratio((table * np.abs(apart)).sum(axis=(-2, -1)), total),
        "macro mean absolute error (steps)": mean_known(ratio((table * np.abs(apart)).sum(axis=-1), true)),
        "mean error (steps)": ratio((table * apart).sum(axis=(-2, -1)), total),
        "quadratic weighted kappa": 1 - ratio(observed, chance),
        "Spearman correlation": _correlation(table, _middle_ranks(true), _middle_ranks(said)),
    }


def _middle_ranks(counts: Array) -> Array:
    """The mean rank of the rows of each class."""
    return np.cumsum(counts, axis=-1) - counts / 2


def _correlation(table: Array, rows: Array, columns: Array) -> Array:
    """Correlation of the values of rows (..., k) and of columns (..., k) over the weights of a table (..., k, k)."""
    total = table.sum(axis=(-2, -1))
    true, said = table.sum(axis=-1), table.sum(axis=-2)
    first = rows - ratio((true * rows).sum(axis=-1), total)[..., None]
    second = columns - ratio((said * columns).sum(axis=-1), total)[..., None]
    together = np.einsum("...i,...ij,...j->...", first, table, second)
    return ratio(together, np.sqrt((true * first**2).sum(axis=-1) * (said * second**2).sum(axis=-1)))
