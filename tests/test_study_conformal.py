"""conformal: sets and intervals hold the truth as often as they promise, with few rows, bad models and groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.study.thresholds.conformal import class_thresholds, conformal_sets, conformal_threshold, conformal_width


def predicted(n, random, shares=(0.6, 0.3, 0.1), sharp=1.5):
    """True values, and overconfident, badly calibrated probabilities of them."""
    truth = random.choice(len(shares), n, p=shares)
    logits = random.normal(0, 1, (n, len(shares))) + 1.2 * np.eye(len(shares))[truth] + np.log(shares)
    odds = np.exp(sharp * logits)
    return odds / odds.sum(axis=1, keepdims=True), truth


def held(sets, truth):
    return np.array([value in found for found, value in zip(sets, truth, strict=True)])


@pytest.mark.parametrize("method", ["lac", "aps"])
@pytest.mark.parametrize(("n", "alpha"), [(30, 0.1), (100, 0.1), (200, 0.3)])
def test_sets_hold_the_truth_as_promised(method, n, alpha):
    random = np.random.default_rng(1)
    shares = []
    for _ in range(300):
        threshold = conformal_threshold(*predicted(n, random), alpha, method=method)
        scores, truth = predicted(200, random)
        shares.append(held(conformal_sets(scores, threshold, method=method), truth).mean())
    exact = np.ceil((n + 1) * (1 - alpha)) / (n + 1)
    assert np.mean(shares) > 1 - alpha - 0.008
    if method == "lac" and alpha == 0.1:  # neither aps nor a set that would be empty leaves out the likeliest value
        assert np.mean(shares) == pytest.approx(exact, abs=0.012)


def test_each_value_is_held_as_promised_with_a_threshold_each():
    random = np.random.default_rng(2)
    by_value, overall = [], []
    for _ in range(200):
        calibration = predicted(300, random)
        scores, truth = predicted(400, random)
        for found, threshold in ((by_value, class_thresholds), (overall, conformal_threshold)):
            right = held(conformal_sets(scores, threshold(*calibration, 0.15)), truth)
            found.append([right[truth == value].mean() for value in range(3)])
    assert (np.mean(by_value, axis=0) > 0.84).all()
    assert np.mean(overall, axis=0).min() < 0.8  # which one threshold for all does not promise


def test_rows_of_new_groups_are_held_as_promised():
    random = np.random.default_rng(3)

    def clustered(groups):
        size = random.integers(1, 30, groups)
        number = np.repeat(np.arange(groups), size)
        spread = np.where(size > 15, 3.0, 1.0)[number]  # large groups are harder
        return random.normal(0, 1, groups)[number] * spread, number

    shares = []
    for _ in range(400):
        width = conformal_width(*_in_order(clustered(60), 0.1))
        residuals, number = clustered(200)
        right = np.abs(residuals) <= width
        shares.append(np.mean([right[number == group].mean() for group in range(200)]))
    assert np.mean(shares) == pytest.approx(0.9, abs=0.015)


def _in_order(clustered, alpha):
    return clustered[0], alpha, clustered[1]


@pytest.mark.parametrize(("n", "alpha"), [(19, 0.1), (100, 0.05)])
def test_intervals_hold_the_truth_as_promised(n, alpha):
    random = np.random.default_rng(4)
    drawn = random.standard_t(3, (4000, n + 1))
    inside = [abs(row[-1]) <= conformal_width(row[:-1], alpha) for row in drawn]
    assert np.mean(inside) == pytest.approx(np.ceil((n + 1) * (1 - alpha)) / (n + 1), abs=0.015)


def test_too_few_rows_promise_nothing_and_give_everything():
    scores, truth = predicted(5, np.random.default_rng(1))
    assert conformal_threshold(scores, truth, 0.1) == -np.inf
    assert all(len(found) == 3 for found in conformal_sets(scores, -np.inf))
    assert conformal_width(np.ones(5), 0.1) == np.inf
    same = conformal_width(np.arange(40.0), 0.1, np.zeros(40))
    assert same == np.inf  # one group


def test_no_set_is_empty_but_where_there_is_no_prediction():
    sets = conformal_sets(np.array([[0.4, 0.35, 0.25], [np.nan, 0.5, 0.5]]), 0.9)
    assert [found.tolist() for found in sets] == [[0], []]


@given(st.integers(1, 60), st.floats(0.02, 0.98), st.integers(0, 99))
@settings(max_examples=40)
def test_groups_of_one_row_change_nothing_and_less_risk_gives_larger_sets(n, alpha, seed):
    scores, truth = predicted(n, np.random.default_rng(seed))
    alone = conformal_threshold(scores, truth, alpha)
    assert alone == conformal_threshold(scores, truth, alpha, np.arange(n))
    assert conformal_threshold(scores, truth, alpha / 2) <= alone
    reached = (scores[np.arange(n), truth] >= alone).mean()
    assert reached >= min(1, np.ceil((n + 1) * (1 - alpha) - 1e-6) / n) - 1e-9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conformal_threshold(np.ones((3, 2)), np.array([0, 1, 2]), 0.1), "numbers from 0 to 1"),
        (lambda: conformal_threshold(np.ones((3, 2)), np.array([0, 1]), 0.1), "give \\(n, k\\) and \\(n,\\)"),
        (lambda: conformal_threshold(np.full((3, 2), np.nan), np.array([0, 1, 1]), 0.1), "3 rows of scores"),
        (lambda: conformal_threshold(np.ones((3, 2)), np.array([0, 1, 1]), 10), "alpha=10"),
        (lambda: conformal_width(np.array([]), 0.1), "residuals"),
    ],
)
def test_input_that_does_not_fit(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_weighted_sets_cover_a_population_that_was_drawn_unequally():
    """Of a rare class half of the sample: unweighted, sets promise for the sample; weighted, for all."""
    random = np.random.default_rng(5)

    def scores(truth):
        p = np.where(truth == 1, random.beta(2, 2, len(truth)), random.beta(2, 6, len(truth)))
        return np.stack([1 - p, p], axis=1)

    covered = {"plain": [], "weighted": []}
    for _ in range(150):
        sampled, new = (random.random(200) < 0.5) * 1, (random.random(2000) < 0.05) * 1
        weights = np.where(sampled == 1, 0.1, 1.9)
        known, later = scores(sampled), scores(new)
        for name, weight in (("plain", None), ("weighted", weights)):
            threshold = conformal_threshold(known, sampled, 0.1, weights=weight)
            covered[name].append(np.mean([t in s for t, s in zip(new, conformal_sets(later, threshold), strict=True)]))
    assert 0.89 < np.mean(covered["weighted"]) < 0.93
    assert np.mean(covered["plain"]) > np.mean(covered["weighted"]) + 0.01
