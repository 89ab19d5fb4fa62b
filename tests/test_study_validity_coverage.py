"""Intervals of validity cover the truth as often as they say: a simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from visanda.study import validity
from visanda.study.resampling import spread
from visanda.study.validity.against_gold import judge

RUNS, N, RESAMPLES = 500, 150, 500
LEAST, MOST = 0.91, 0.97  # of 95 % intervals; 500 runs tell a share to about ± 2 points


def covered(draw, names, truth, random, scale="nominal"):
    """The share of runs whose interval holds the truth, a measure."""
    hits = dict.fromkeys(names, 0)
    for run in range(RUNS):
        rows, codes = judge(*draw(N, random), scale)
        found = spread(codes.measure, rows.weight, rows.group, RESAMPLES, seed=run)
        for name in names:
            low, high = found.interval(name)
            hits[name] += low <= truth[name] <= high
    return {name: count / RUNS for name, count in hits.items()}


def classes(n, random):
    """Two classes, 3 in 10 of the second; a machine whose score is normal around 0 or 1.4."""
    gold = (random.random(n) < 0.3).astype(int)
    score = random.normal(1.4 * gold, 1)
    p = 1 / (1 + np.exp(-(1.4 * score - 0.98 + np.log(0.3 / 0.7))))
    return pd.Series(gold), pd.Series((p >= 0.5).astype(int)), pd.Series(p)


def numbers(n, random):
    gold = random.normal(0, 1, n)
    return pd.Series(gold), pd.Series(0.6 * gold + random.normal(0, 0.8, n) + 0.2), None


def test_intervals_of_classes_cover():
    random = np.random.default_rng(1)
    truth = validity(*classes(400_000, random), resamples=0).table.set_index("measure")["value"]
    assert truth["AUC"] == pytest.approx(stats.norm.cdf(1.4 / np.sqrt(2)), abs=0.002)
    names = ["accuracy", "macro F1", "AUC", "average precision", "log loss", "Brier score"]
    shares = covered(classes, names, truth, random)
    assert all(LEAST <= share <= MOST for share in shares.values()), shares


def test_intervals_of_numbers_cover():
    error = np.hypot(0.4, 0.8)
    truth = {"correlation": 0.6, "mean error": 0.2, "root mean square error": np.hypot(error, 0.2)}
    truth |= {"slope of gold on prediction": 0.6, "R²": 1 - error**2 - 0.2**2}
    shares = covered(numbers, list(truth), truth, np.random.default_rng(2), "interval")
    assert all(LEAST <= share <= MOST for share in shares.values()), shares


def test_intervals_over_groups_cover_where_those_over_rows_do_not():
    """Videos of ten frames each, all right or all wrong together."""
    random = np.random.default_rng(3)
    video = pd.Series(np.repeat(np.arange(30), 10))
    hits = {True: 0, False: 0}
    for run in range(200):
        right = (random.random(30) < 0.75)[video]
        gold = pd.Series(random.integers(0, 2, 300))
        said = gold.where(right, 1 - gold)
        for grouped in hits:
            rows, codes = judge(gold, said, groups=video if grouped else None)
            low, high = spread(codes.measure, rows.weight, rows.group, 300, seed=run).interval("accuracy")
            hits[grouped] += low <= 0.75 <= high
    assert hits[True] / 200 > 0.88 and hits[False] / 200 < 0.6
