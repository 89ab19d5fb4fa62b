"""Conformal prediction: sets of values, or intervals, that hold the truth as often as promised, whatever the model.

Split conformal: a threshold from rows that the model has not seen. Sadinle, Lei & Wasserman (2019) for sets by least
probability (``"lac"``, the smallest sets on average), Romano, Sesia & Candès (2020) for sets by cumulated probability
(``"aps"``, larger ones that give up more where the model is unsure), Lei et al. (2018) for intervals. The promise is
for new rows drawn as these were, and for all of them on average; not for other times, outlets or countries.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from visanda.errors import InputError

Array = NDArray[np.float64]
Classes = NDArray[np.integer]
Method = Literal["lac", "aps"]


def conformal_threshold(
    scores: Array,
    truth: Classes,
    alpha: float,
    groups: NDArray | None = None,
    weights: Array | None = None,
    *,
    method: Method = "lac",
) -> float:
    """The least conformity with which a value belongs into the set, so that 1 - alpha of sets hold the truth.

    With n rows it is their ⌈(n + 1)(1 - alpha)⌉-th highest conformity: sets hold the truth of at
    least 1 - alpha of new rows, on average over such samples, and of more where sets would otherwise be empty.

    Args:
        scores: (n, k) probabilities by a model that has not seen the row; with out-of-fold predictions the promise
            is near enough in practice, though theory gives only 1 - 2 alpha (Barber et al. 2021).
        truth: (n,) number of the true value, 0 to k - 1.
        alpha: the share of sets that may miss the truth, above 0 and below 1.
        groups: (n,) which rows belong together (near-duplicates, a video): each group counts once, so that the
            promise is for rows of new groups (Lee, Barber & Willett 2023).
        weights: (n,) how many rows each stands for, where they were drawn with unequal probabilities (Tibshirani et
            al. 2019; the new row is taken to weigh as much as they do on average).
        method: how conformity is measured; the same in ``conformal_sets``.

    Returns:
        The threshold; -infinity, with which every set holds all values, where there are too few rows or groups.

    Raises:
        InputError: scores and truth do not fit, scores that are not finite, alpha out of range.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.7, 0.3]])
        >>> threshold = conformal_threshold(scores, np.array([0, 0, 1, 1]), 0.4)
        >>> tuple(len(found) for found in conformal_sets(np.array([[0.95, 0.05], [0.5, 0.5]]), threshold))
        (1, 1)
    """
    scores, truth = _checked(scores, truth, alpha)
    conformity = _conformity(scores, method)[np.arange(len(truth)), truth]
    return -_quantile(-conformity, alpha, groups, weights)


def class_thresholds(
    scores: Array, truth: Classes, alpha: float, groups: NDArray | None = None, *, method: Method = "lac"
) -> Array:
    """(k,) a threshold a value, so that sets hold the truth of each value in 1 - alpha (Mondrian; Vovk et al. 2005).

    Rare values are not missed more often than common ones; sets are larger. Arguments as of ``conformal_threshold``;
    a value with fewer than 1 / alpha - 1 rows is in every set.
    """
    scores, truth = _checked(scores, truth, alpha)
    conformity = _conformity(scores, method)
    found = np.full(scores.shape[1], -np.inf)
    for value in range(scores.shape[1]):
        rows = truth == value
        if rows.any():
            found[value] = -_quantile(-conformity[rows, value], alpha, None if groups is None else groups[rows])
    return found


def conformal_sets(scores: Array, threshold: float | Array, *, method: Method = "lac") -> list[NDArray[np.intp]]:
    """The values, by number and in ascending order, that may be true of each row.

    Args:
        scores: (n, k) probabilities; a row that is not finite gets an empty set.
        threshold: of ``conformal_threshold``, or (k,) of ``class_thresholds``.
        method: with which the threshold was found.

    Returns:
        n arrays; one that would be empty holds the likeliest value, which can only raise the share of true ones.
    """
    known = np.asarray(np.isfinite(scores).all(axis=1))
    safe = np.where(known[:, None], scores, 0.0)
    held = _conformity(safe, method) >= threshold
    empty = ~held.any(axis=1)
    held[empty, safe[empty].argmax(axis=1)] = True
    return [np.flatnonzero(row & here) for row, here in zip(held, known, strict=True)]


def conformal_width(
    residuals: Array, alpha: float, groups: NDArray | None = None, weights: Array | None = None
) -> float:
    """Half the width of an interval around a prediction that holds the true number in 1 - alpha of new rows.

    Args:
        residuals: (n,) true number minus the prediction by a model that has not seen the row.
        alpha: the share of intervals that may miss, above 0 and below 1.
        groups: (n,) which rows belong together; each group counts once.
        weights: (n,) how many rows each stands for.

    Returns:
        The half width, in the units of the numbers; infinite where there are too few rows or groups.

    Raises:
        InputError: no residuals, some that are not finite, alpha out of range.

    Example:
        >>> conformal_width(np.array([-3.0, 1.0, 2.0, -1.0]), 0.2)
        3.0
    """
    residuals = np.asarray(residuals, dtype=float)
    _check_alpha(alpha)
    if not len(residuals) or not np.isfinite(residuals).all():
        raise InputError("residuals: give one or more, all of them finite numbers")
    return _quantile(np.abs(residuals), alpha, groups, weights)


def _quantile(strangeness: Array, alpha: float, groups: NDArray | None, weights: Array | None = None) -> float:
    """The value that 1 - alpha of rows, and a new one taken as infinitely strange, do not exceed."""
    if groups is None:
        weight, units = np.ones(len(strangeness)), len(strangeness)
    else:
        number = np.unique(groups, return_inverse=True)[1]
        size = np.bincount(number)
        weight, units = 1 / size[number], len(size)
    if weights is not None:
        weight = weight * weights
        weight *= units / weight.sum()
    order = np.argsort(strangeness, kind="stable")
    reached = np.cumsum(weight[order]) >= (1 - alpha) * (units + 1) - 1e-9
    return float(strangeness[order][reached.argmax()]) if reached.any() else np.inf


def _conformity(scores: Array, method: Method) -> Array:
    """(n, k) how well each value fits a row: its probability, or what is left beyond it and all likelier ones."""
    if method == "lac":
        return scores
    order = np.argsort(-scores, axis=1, kind="stable")
    reached = np.cumsum(np.take_along_axis(scores, order, axis=1), axis=1)
    found = np.empty_like(scores)
    np.put_along_axis(found, order, 1 - reached, axis=1)
    return found


def _checked(scores: Array, truth: Classes, alpha: float) -> tuple[Array, Classes]:
    scores, truth = np.asarray(scores, dtype=float), np.asarray(truth)
    _check_alpha(alpha)
    if scores.ndim != 2 or not len(scores) or truth.shape != scores.shape[:1]:
        raise InputError(f"scores of shape {scores.shape} and truth of shape {truth.shape}: give (n, k) and (n,)")
    if not np.isfinite(scores).all():
        raise InputError(f"{int((~np.isfinite(scores).all(axis=1)).sum())} rows of scores are not finite: drop them")
    if not ((truth >= 0) & (truth < scores.shape[1])).all():
        raise InputError(f"truth: numbers from 0 to {scores.shape[1] - 1} are needed, one for each column of scores")
    return scores, truth


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise InputError(f"alpha={alpha!r}: give the share that may miss, above 0 and below 1, such as 0.1")
