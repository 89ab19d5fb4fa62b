"""Cross-fitting: expected codes of every row, learnt from coded rows that are never its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from visanda.errors import DesignError

Learner = Callable[[], Any]  # makes a fresh scikit-learn regressor or classifier


def linear(codes: NDArray[np.float64]) -> Learner:
    """The default learner: ridge logistic regression where ``codes`` are 0/1, else ridge regression."""
    model = LogisticRegression(solver="newton-cholesky") if set(np.unique(codes)) == {0.0, 1.0} else Ridge()
    return lambda: make_pipeline(StandardScaler(), model)


def deal_folds(
    unit: NDArray[np.intp], coded: NDArray[np.bool_], folds: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """(n,) the fold of each row, 0 to ``folds`` - 1: units stay whole, and coded units are spread evenly.

    Raises:
        DesignError: fewer units with coded rows than folds.
    """
    units = np.unique(unit)
    with_codes = np.isin(units, unit[coded])
    if with_codes.sum() < folds:
        raise DesignError(
            f"coded rows lie in {with_codes.sum()} units (clusters, or rows where there are none), "
            f"fewer than the {folds} folds of cross-fitting: code rows of more units, or ask for fewer folds."
        )
    fold_of = np.empty(len(units), dtype=np.intp)
    for chosen in (with_codes, ~with_codes):
        fold_of[chosen] = rng.permutation(int(chosen.sum())) % folds
    return fold_of[np.searchsorted(units, unit)]


def expected_codes(
    features: NDArray[np.float64],
    codes: NDArray[np.float64],
    coded: NDArray[np.bool_],
    fold: NDArray[np.intp],
    learner: Learner,
) -> NDArray[np.float64]:
    """(n,) E[code | features] of each row, from a learner fitted to the coded rows of the other folds.

    Args:
        features: (n, j) predictions and observed covariates.
        codes: (n,) human codes, missing where not coded.
        coded: (n,) whether a row is coded.
        fold: (n,) from :func:`deal_folds`.
        learner: makes the model; a classifier gives the mean of its classes under their probabilities.
    """
    expected = np.empty(len(codes))
    for held_out in np.unique(fold):
        train, apply = coded & (fold != held_out), fold == held_out
        expected[apply] = _fit_apply(learner, features[train], codes[train], features[apply])
    return expected


def _fit_apply(
    learner: Learner, features: NDArray[np.float64], codes: NDArray[np.float64], new: NDArray[np.float64]
) -> NDArray[np.float64]:
    if np.ptp(codes) == 0:  # a rare code missing from the other folds: a classifier cannot be fitted to one class
        return np.full(len(new), codes[0])
    fitted = learner().fit(features, codes)
    if hasattr(fitted, "predict_proba"):
        return np.asarray(fitted.predict_proba(new) @ fitted.classes_)
    return np.asarray(fitted.predict(new), dtype=float)
