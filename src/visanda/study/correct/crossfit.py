"""Cross-fitting: expected codes of every row, learnt from coded rows that are never its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from visanda.errors import DesignError

Learner = Callable[[], Any]  # makes a fresh scikit-learn regressor or classifier


def linear(codes: NDArray) -> Learner:
    """The default learner: ridge logistic regression where ``codes`` are 0/1 or text, else ridge regression."""
    values = set(np.unique(codes)) if codes.dtype != object else set(codes)
    if len(values) == 2 and (values == {0.0, 1.0} or codes.dtype == object):
        return lambda: make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky"))
    if codes.dtype == object:
        return lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return lambda: make_pipeline(StandardScaler(), Ridge())


def deal_folds(
    unit: NDArray[np.intp], coded: NDArray[np.bool_], folds: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """(n,) the fold of each row, 0 to ``folds`` - 1: units stay whole, and coded units are spread evenly.

    Args:
        unit: (n,) number of the row's unit, from 0 without gaps.
        coded: (n,) whether a row is coded.
        folds: how many.
        rng: deals.

    Raises:
        DesignError: fewer units with coded rows than folds.
    """
    with_codes = np.zeros(int(unit.max()) + 1, dtype=bool)
    with_codes[unit[coded]] = True
    if with_codes.sum() < folds:
        raise DesignError(
            f"coded rows lie in {with_codes.sum()} units (clusters, or rows where there are none), "
            f"fewer than the {folds} folds of cross-fitting: code rows of more units, or ask for fewer folds."
        )
    fold_of = np.empty(len(with_codes), dtype=np.intp)
    for chosen in (with_codes, ~with_codes):
        fold_of[chosen] = rng.permutation(int(chosen.sum())) % folds
    return fold_of[unit]


def expected_codes(
    features: NDArray[np.float64],
    codes: NDArray,
    coded: NDArray[np.bool_],
    fold: NDArray[np.intp],
    learner: Learner,
    categories: Sequence[str] = (),
) -> NDArray[np.float64]:
    """E[code | features] of each row, from a learner fitted to the coded rows of the other folds.

    Args:
        features: (n, f) predictions and observed covariates.
        codes: (n,) human codes, missing where not coded; numbers, or text where there are ``categories``.
        coded: (n,) whether a row is coded.
        fold: (n,) from :func:`deal_folds`.
        learner: makes the model; a classifier gives the mean of its classes under their probabilities.
        categories: the v values of ``codes``, where they are text.

    Returns:
        (n,) expected numbers, or (n, v) probabilities of categories.
    """
    expected = np.empty((len(codes), len(categories)) if categories else len(codes))
    for held_out in np.unique(fold):
        train, apply = coded & (fold != held_out), fold == held_out
        learnt = _fitted(learner, features[train], codes[train])
        expected[apply] = learnt(features[apply], categories)
    return expected


def _fitted(
    learner: Learner, features: NDArray[np.float64], codes: NDArray
) -> Callable[[NDArray[np.float64], Sequence[str]], NDArray[np.float64]]:
    if len(set(codes)) == 1:  # a rare code missing from the other folds: a classifier cannot be fitted to one class
        only = codes[0]

        def always(new: NDArray[np.float64], values: Sequence[str]) -> NDArray[np.float64]:
            return _shares([only], np.ones((len(new), 1)), values) if values else np.full(len(new), only)

        return always
    model = learner().fit(features, codes)

    def expect(new: NDArray[np.float64], values: Sequence[str]) -> NDArray[np.float64]:
        if values:
            return _shares(list(model.classes_), model.predict_proba(new), values)
        if hasattr(model, "predict_proba"):
            return np.asarray(model.predict_proba(new) @ model.classes_)
        return np.asarray(model.predict(new), dtype=float)

    return expect


def _shares(classes: list[str], chances: NDArray[np.float64], values: Sequence[str]) -> NDArray[np.float64]:
    """(n, v) the probabilities of a classifier in the order of ``values``; 0 of those that it has not met."""
    found = np.zeros((len(chances), len(values)))
    found[:, [values.index(name) for name in classes]] = chances
    return found
