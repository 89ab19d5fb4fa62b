"""Told apart: whether a classifier can see which pictures were coded (Lopez-Paz & Oquab 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from visanda.errors import InputError
from visanda.study.validity.agreement import Array
from visanda.study.validity.probabilities import auc

FOLDS, COMPONENTS = 5, 32
MOST_OF_REST = 5000  # pictures of the rest that the test looks at, drawn at random
FEW = 25  # pictures of either side, below which nothing is tested
UNLIKE = 48  # pictures of the rest that are least like coded ones


@dataclass(frozen=True)
class Look:
    """How well coded pictures can be told from the rest.

    Attributes:
        auc: mean over folds.
        error: its standard error.
        p: of no difference, one-sided.
        coded: (n,) log odds of being coded, by models that had not seen the picture.
        rest: (m,) the same of the rest, or of a part of it,
        place: (m,) whose rows these are.
    """

    auc: float
    error: float
    p: float
    coded: Array
    rest: Array
    place: NDArray[np.intp]

    def table(self) -> pd.DataFrame:
        """One row."""
        low, high = max(self.auc - 1.96 * self.error, 0), min(self.auc + 1.96 * self.error, 1)
        return pd.DataFrame({"auc": [self.auc], "low": [low], "high": [high], "p": [self.p]})

    def unlike(self) -> pd.DataFrame:
        """Rows of the rest that are least like coded ones, the least first."""
        least = np.argsort(self.rest, kind="stable")[:UNLIKE]
        return pd.DataFrame({"row": self.place[least], "log_odds": self.rest[least]})


def told_apart(vectors: tuple[Array, Array], weight: Array, seed: int) -> Look | None:
    """Cross-validated logistic regression of being coded on the principal components of vectors.

    Args:
        vectors: (n, d) of coded pictures, (m, d) of the rest; rows that are not finite are left out.
        weight: (n,) of the coded pictures.
        seed: of folds and of the part of the rest that is looked at.

    Returns:
        None where fewer than 25 pictures of either side have a vector.

    Raises:
        InputError: vectors of different lengths.
    """
    if vectors[0].shape[1:] != vectors[1].shape[1:]:
        raise InputError(f"vectors of {vectors[0].shape[1:]} and {vectors[1].shape[1:]} numbers: use one model's")
    ours, theirs = (np.flatnonzero(np.isfinite(part).all(axis=1)) for part in vectors)
    random = np.random.default_rng(seed)
    if len(theirs) > MOST_OF_REST:
        theirs = np.sort(random.choice(theirs, MOST_OF_REST, replace=False))
    if min(len(ours), len(theirs)) < FEW:
        return None
    features = np.concatenate([vectors[0][ours], vectors[1][theirs]]).astype(np.float32)
    is_coded = np.r_[np.ones(len(ours), bool), np.zeros(len(theirs), bool)]
    each = np.r_[weight[ours] / weight[ours].mean(), np.ones(len(theirs))]
    each[is_coded] *= len(theirs) / len(ours)
    odds, areas = np.empty(len(features)), []
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(features, is_coded):
        components = min(COMPONENTS, features.shape[1], len(train) - 1)
        model = make_pipeline(
            PCA(components, svd_solver="randomized" if components < features.shape[1] else "full", random_state=seed),
            StandardScaler(),
            LogisticRegression(C=0.1, max_iter=500),
        )
        with threadpool_limits(1):  # small work is slower in threads
            model.fit(features[train], is_coded[train], logisticregression__sample_weight=each[train])
        odds[test] = model.decision_function(features[test])
        areas.append(float(auc(is_coded[test], odds[test], each[test])))
    area = float(np.mean(areas))
    effective = weight[ours].sum() ** 2 / (weight[ours] ** 2).sum()
    p = float(norm.sf((area - 0.5) / _error(0.5, effective, len(theirs))))
    return Look(area, _error(area, effective, len(theirs)), p, odds[is_coded], odds[~is_coded], theirs)


def _error(area: float, ours: float, theirs: int) -> float:
    """Standard error of a cross-validated AUC: Hanley & McNeil's (1982), larger since folds share training rows.

    The factor is Nadeau & Bengio's (2003); it errs on the side of caution.
    """
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (ours - 1) * (one - area**2) + (theirs - 1) * (two - area**2)
    return float(np.sqrt(max(variance, 0) / (ours * theirs) * (1 + FOLDS / (FOLDS - 1))))
