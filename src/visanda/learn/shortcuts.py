"""Shortcuts: does a classifier rest on something other than what was coded (Geirhos et al. 2020)?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from visanda.learn.split import fold_of
from visanda.learn.target import Target

FOLDS = 5
TREES, LEAF = 200, 3


def quality(truth: np.ndarray, scores: np.ndarray, target: Target, strata: np.ndarray | None = None) -> float:
    """How well scores tell codes apart, without regard to thresholds.

    Args:
        truth: (n,) class numbers, (n, k) 0/1, or (n,) numbers, as ``target.encode`` gives them.
        scores: (n, outputs).
        target: what is predicted.
        strata: (n,) names; only rows of the same one are compared.

    Returns:
        The area under the ROC curve, one value against the others, mean over values: .5 is chance, 1 all right. For an
        interval scale, the correlation. NaN where there is nothing to compare.
    """
    strata = np.zeros(len(truth), int) if strata is None else np.unique(strata, return_inverse=True)[1]
    if target.scale == "interval":
        return _correlation(truth, scores[:, 0], strata)
    wanted = truth if target.scale == "multilabel" else np.eye(target.outputs)[truth]
    outputs = range(1, 2) if target.scale != "multilabel" and target.outputs == 2 else range(target.outputs)
    areas = [_area(wanted[:, output] > 0, scores[:, output], strata) for output in outputs]
    told = [area for area in areas if not np.isnan(area)]
    return float(np.mean(told)) if told else float("nan")


def _area(positive: np.ndarray, score: np.ndarray, strata: np.ndarray) -> float:
    """Of all pairs of one stratum, the share in which the positive one has the higher score (ties: a half)."""
    right = pairs = 0.0
    for rows in _members(strata):
        ours, ranks = positive[rows], rankdata(score[rows])
        many = int(ours.sum())
        right += float(ranks[ours].sum()) - many * (many + 1) / 2
        pairs += many * (len(rows) - many)
    return right / pairs if pairs else float("nan")


def _correlation(truth: np.ndarray, score: np.ndarray, strata: np.ndarray) -> float:
    one, other = np.array(truth, float), np.array(score, float)
    for rows in _members(strata):
        one[rows] -= one[rows].mean()
        other[rows] -= other[rows].mean()
    spread = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / spread if spread > 0 else float("nan")


def _members(strata: np.ndarray) -> list[np.ndarray]:
    return np.split(np.argsort(strata, kind="stable"), np.cumsum(np.bincount(strata))[:-1])


def compared(
    truth: np.ndarray,
    looks: Mapping[str, np.ndarray],
    target: Target,
    groups: Sequence[str],
    *,
    strata: Mapping[str, np.ndarray] | None = None,
    resamples: int = 500,
    seed: int = 1,
) -> pd.DataFrame:
    """The quality of several looks at the same pictures, each against the first.

    Args:
        truth: codes, as ``target.encode`` gives them.
        looks: scores (n, outputs) by name; the first is the whole picture's.
        target: what is predicted.
        groups: (n,) names; the bootstrap draws whole groups.
        strata: (n,) names by look, where only rows of the same one are compared: the folds, since what two models say
            does not compare.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        A row a look: look, value, low, high (95 %), and less, less_low, less_high: the first's value less this one's.
    """
    random = np.random.default_rng(seed)
    members = _members(np.unique(np.asarray(groups, str), return_inverse=True)[1])
    strata = strata or {}
    everything = np.arange(len(truth))
    drawn = [
        np.concatenate([members[group] for group in random.integers(len(members), size=len(members))])
        for _ in range(resamples)
    ]

    def values(rows: np.ndarray) -> list[float]:
        return [
            quality(truth[rows], scores[rows], target, strata[name][rows] if name in strata else None)
            for name, scores in looks.items()
        ]

    found = np.array(values(everything))
    again = np.array([values(rows) for rows in drawn])
    low, high = np.nanquantile(again, [0.025, 0.975], axis=0)
    less_low, less_high = np.nanquantile(again[:, :1] - again, [0.025, 0.975], axis=0)
    return pd.DataFrame(
        {
            "look": list(looks),
            "value": found,
            "low": low,
            "high": high,
            "less": found[0] - found,
            "less_low": less_low,
            "less_high": less_high,
        }
    )


def alone(
    facts: pd.DataFrame, truth: np.ndarray, target: Target, groups: Sequence[str], seed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """What facts about pictures, and no pixels, predict of codes.

    Args:
        facts: a row a picture; columns of numbers go into a random forest (Breiman 2001), a single column of text into
            a ridge-penalised logit of its values.
        truth: codes, as ``target.encode`` gives them.
        target: what is predicted.
        groups: (n,) names; rows of one are never on both sides of a fold.
        seed: of folds and trees.

    Returns:
        Scores (n, outputs) of each row by a model that did not learn from its fold, and the folds (n,).
    """
    words = [str(name) for name in facts if not pd.api.types.is_numeric_dtype(facts[name])]
    given = facts.copy()
    given[words] = given[words].astype(str)
    numbers = [str(name) for name in facts if name not in words]
    given[numbers] = given[numbers].astype(float).fillna(given[numbers].astype(float).median()).fillna(0.0)
    folds = fold_of(groups, FOLDS, seed)
    found = np.zeros((len(truth), target.outputs))
    for fold in np.unique(folds):
        mine = folds == fold
        found[mine] = _fitted(given[~mine], truth[~mine], given[mine], target, words, seed)
    return found, folds


def _fitted(
    given: pd.DataFrame, truth: np.ndarray, asked: pd.DataFrame, target: Target, words: list[str], seed: int
) -> np.ndarray:
    if target.scale == "multilabel":
        two = Target("nominal", ("no", "yes"))
        each = [_fitted(given, column.astype(int), asked, two, words, seed)[:, 1] for column in truth.T]
        return np.stack(each, axis=1)
    text_only = len(words) == given.shape[1]
    if target.scale == "interval":
        model = Ridge() if text_only else RandomForestRegressor(TREES, min_samples_leaf=LEAF, random_state=seed)
    elif text_only:
        model = LogisticRegression(max_iter=1000)
    else:
        model = RandomForestClassifier(TREES, min_samples_leaf=LEAF, random_state=seed)
    found = np.zeros((len(asked), target.outputs))
    if not len(given) or (target.scale != "interval" and len(np.unique(truth)) < 2):
        found[:, int(truth[0]) if len(truth) else 0] = 1.0
        return found
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), words), remainder="passthrough")
    pipeline = make_pipeline(encoder, model).fit(given, truth)
    if target.scale == "interval":
        return pipeline.predict(asked)[:, None]
    found[:, np.asarray(model.classes_, int)] = pipeline.predict_proba(asked)
    return found
