"""A head: multinomial logistic regression on embeddings, with calibrated probabilities; plain arrays, no pickle."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

STRENGTHS = (1.0, 10.0, 100.0, 1000.0, 10000.0)  # inverse penalties tried, for inputs of length 1
TUNED_ON = 2000  # more rows do not change which penalty is best


@dataclass(frozen=True)
class Head:
    """A trained head.

    Attributes:
        classes: the k values, sorted.
        weights: (k, d).
        intercepts: (k,).
        temperature: what scores are divided by, so that probabilities mean what they say (Guo et al. 2017).
        strength: the inverse penalty that cross-validation chose.
    """

    classes: tuple[str, ...]
    weights: np.ndarray
    intercepts: np.ndarray
    temperature: float
    strength: float

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Calibrated probabilities (n, k) of vectors (n, d); rows add up to 1."""
        return _softmax((vectors @ self.weights.T + self.intercepts) / self.temperature)


def fit(vectors: np.ndarray, values: Sequence[str], groups: Sequence[str], seed: int) -> Head:
    """Train a head; penalty and temperature are chosen by cross-validation that keeps groups together.

    Args:
        vectors: (n, d), of length 1.
        values: n codes; at least two different ones.
        groups: n names; rows of one group (near-duplicates, an author) are never on both sides of a split.
        seed: of the splits.

    Temperature scaling is Guo et al. (2017), on out-of-fold scores.
    """
    classes = np.unique(np.asarray(values, str))
    codes = np.searchsorted(classes, np.asarray(values, str))
    # One thread: on small matrices more of them are slower, and the same input must give the same output.
    with threadpool_limits(1, user_api="blas"):
        inputs, basis = _in_span(vectors)
        folds = _folds(codes, np.asarray(groups, str), seed)
        scores = {s: _out_of_fold(inputs, codes, len(classes), folds, s) for s in STRENGTHS if folds}
        strength = min(scores, key=lambda s: _loss(*scores[s], 1.0)) if scores else 1.0
        temperature = _temperature(*scores[strength]) if scores else 1.0
        weights, intercepts = _logistic(inputs, codes, len(classes), strength)
    return Head(tuple(classes.tolist()), weights @ basis, intercepts, temperature, strength)


def _in_span(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (n, r) in the space that they span, and its basis (r, d).

    With fewer rows than dimensions a ridge-penalised fit there is the very same, in a fraction of the time.
    """
    if len(vectors) >= vectors.shape[1]:
        return vectors, np.eye(vectors.shape[1])
    left, sizes, basis = np.linalg.svd(vectors.astype(float), full_matrices=False)
    return left * sizes, basis


def _folds(codes: np.ndarray, groups: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Up to five splits in which every class is learnt from; none where that cannot be."""
    if len(codes) > TUNED_ON:
        keep = np.random.default_rng(seed).permutation(len(codes))[:TUNED_ON]
    else:
        keep = np.arange(len(codes))
    count = min(5, np.bincount(codes[keep]).min(), len(np.unique(groups[keep])))
    if count < 2:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with few groups: seen to below
        splits = StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(keep, codes[keep], groups[keep])
        folds = [(keep[train], keep[test]) for train, test in splits]
    everything = len(np.unique(codes))
    return [(train, test) for train, test in folds if len(np.unique(codes[train])) == everything and len(test)]


def _logistic(vectors: np.ndarray, codes: np.ndarray, k: int, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights (k, r) and intercepts (k,) of a ridge-penalised multinomial logit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=strength, tol=1e-6, max_iter=2000).fit(vectors, codes)
    if k == 2:  # scikit-learn keeps one row for two classes
        return np.vstack([0 * model.coef_, model.coef_]), np.r_[0.0, model.intercept_]
    return model.coef_, model.intercept_


def _out_of_fold(
    vectors: np.ndarray, codes: np.ndarray, k: int, folds: list[tuple[np.ndarray, np.ndarray]], strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (m, k) of rows by heads that did not see them, and their codes (m,)."""
    scores, truth = [], []
    for train, test in folds:
        weights, intercepts = _logistic(vectors[train], codes[train], k, strength)
        scores.append(vectors[test] @ weights.T + intercepts)
        truth.append(codes[test])
    return np.concatenate(scores), np.concatenate(truth)


def _temperature(scores: np.ndarray, codes: np.ndarray) -> float:
    """The temperature with the least log-loss."""
    found = minimize_scalar(lambda t: _loss(scores, codes, np.exp(t)), bounds=(-3, 3), method="bounded")
    return float(np.exp(found.x))


def _loss(scores: np.ndarray, codes: np.ndarray, temperature: float) -> float:
    probabilities = _softmax(scores / temperature)[np.arange(len(codes)), codes]
    return float(-np.log(np.maximum(probabilities, 1e-12)).mean())


def _softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)
