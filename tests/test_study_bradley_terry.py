"""bradley_terry, ranking: the scores of a logit, finite where a logit's are not, fast, and honest about links."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from visanda.errors import InputError
from visanda.study.pairwise.bradley_terry import bradley_terry
from visanda.study.pairwise.ranking import ranking


def played(units, games, *, spread=1.5, tie=0.0, seed=0, bias=0.0):
    """True scores, and games between random units with the chances of Davidson's model."""
    random = np.random.default_rng(seed)
    score = random.normal(0, spread, units)
    left = random.integers(0, units, games)
    right = (left + random.integers(1, units, games)) % units
    up, down = (np.exp(sign * (score[left] - score[right] + bias) / 2) for sign in (1, -1))
    drawn = random.random(games) * (up + down + tie)
    winner = np.select([drawn < up, drawn < up + down], ["left", "right"], "tie")
    return score - score.mean(), pd.DataFrame({"left": left, "right": right, "winner": winner})


def test_without_penalty_scores_and_errors_are_those_of_a_logit():
    _, games = played(12, 400)
    design = np.zeros((len(games), 12))
    design[np.arange(len(games)), games["left"]] = 1
    design[np.arange(len(games)), games["right"]] = -1
    fitted = sm.Logit((games["winner"] == "left").astype(float), design[:, 1:]).fit(disp=0)
    score, covariance = np.r_[0, fitted.params], np.zeros((12, 12))
    covariance[1:, 1:] = fitted.cov_params()
    centred = np.eye(12) - 1 / 12
    found = bradley_terry(games, ridge=0)
    np.testing.assert_allclose(found["score"], score - score.mean(), atol=1e-8)
    np.testing.assert_allclose(found["se"], np.sqrt(np.diag(centred @ covariance @ centred)), atol=1e-8)


def test_ties_are_davidsons_maximum_likelihood():
    _, games = played(6, 300, tie=1.2, seed=4)
    left, right, winner = games["left"].to_numpy(), games["right"].to_numpy(), games["winner"].to_numpy()

    def lost(x):
        score, tie = np.r_[x[:5], -x[:5].sum()], np.exp(x[5])
        half = (score[left] - score[right]) / 2
        total = np.exp(half) + np.exp(-half) + tie
        top = np.select([winner == "left", winner == "right"], [np.exp(half), np.exp(-half)], tie)
        return -np.log(top / total).sum()

    best = minimize(lost, np.zeros(6), method="BFGS", options={"gtol": 1e-8})
    step, curved = 1e-3, np.empty((6, 6))
    for i, one in enumerate(np.eye(6) * step):
        for j, two in enumerate(np.eye(6) * step):
            corners = [lost(best.x + a * one + b * two) * a * b for a in (1, -1) for b in (1, -1)]
            curved[i, j] = sum(corners) / (4 * step**2)
    found = bradley_terry(games, ridge=0)
    np.testing.assert_allclose(found["score"][:5], best.x[:5], atol=1e-5)
    np.testing.assert_allclose(found["se"][:5], np.sqrt(np.diag(np.linalg.inv(curved)))[:5], rtol=1e-4)


def test_a_unit_that_always_wins_has_a_finite_score():
    games = pd.DataFrame({"left": ["a"] * 10, "right": [*"bcdefghijk"], "winner": "left"})
    found = bradley_terry(games).set_index("id")
    assert 2 < found.loc["a", "score"] < 5 and found.loc["a", "wins"] == found.loc["a", "comparisons"] == 10
    with pytest.raises(InputError, match="infinite"):
        bradley_terry(games, ridge=0)
    assert any("only the penalty" in text for text in ranking(games).warnings)


def test_intervals_cover_true_scores():
    inside = []
    for seed in range(20):
        score, games = played(40, 600, spread=1, tie=0.5, seed=seed)
        found = bradley_terry(games)
        inside.append((np.abs(found["score"] - score) < 1.96 * found["se"]).mean())
    assert 0.92 < np.mean(inside) < 0.98


def test_sets_that_nothing_links_have_scores_of_their_own_and_are_said():
    games = pd.DataFrame({"left": [*"aabxy"], "right": [*"bccyx"], "winner": ["left", "tie", "right", "left", "tie"]})
    found = bradley_terry(games)
    assert found["component"].tolist() == [0, 0, 0, 1, 1]
    np.testing.assert_allclose(found.groupby("component")["score"].sum(), 0, atol=1e-8)
    assert any("2 sets of units" in text for text in ranking(games).warnings)
    linked = games.assign(winner=["left", "tie", "left", "left", "tie"])
    plain = bradley_terry(pd.concat([linked, linked.assign(left=linked["right"], right=linked["left"])]), ridge=0)
    np.testing.assert_allclose(plain.groupby("component")["score"].sum(), 0, atol=1e-8)


def test_a_preference_for_a_side_is_said():
    assert not any("side" in text for text in ranking(played(20, 500)[1]).warnings)
    found = ranking(played(20, 500, bias=1.0)[1])
    assert any("on the left wins more often" in text for text in found.warnings)
    assert found.extra["position"]["left_won"].item() > 0.6


def test_separation_reliability_is_about_the_squared_correlation_with_the_truth():
    score, games = played(100, 1500)
    found = ranking(games)
    said = float(next(text for text in found.words if "separation" in text).split()[-1].rstrip("."))
    true = np.corrcoef(found.table.sort_values("id")["score"], score)[0, 1] ** 2
    assert said == pytest.approx(true, abs=0.05)
    assert len(found.figure_png()) > 5000


def test_thousands_of_units_are_scored_in_seconds():
    score, games = played(2000, 20000)
    found = bradley_terry(games)
    assert np.corrcoef(found["score"], score)[0, 1] > 0.9


@given(st.lists(st.tuples(*[st.sampled_from("abcde")] * 2, st.sampled_from(["left", "right", "tie"])), min_size=1))
@settings(max_examples=50)
def test_turning_pairs_around_or_shuffling_rows_changes_nothing(rows):
    games = pd.DataFrame([row for row in rows if row[0] != row[1]], columns=["left", "right", "winner"])
    if games.empty:
        return
    swap = {"left": "right", "right": "left", "tie": "tie"}
    turned = pd.DataFrame({"left": games["right"], "right": games["left"], "winner": games["winner"].map(swap)})
    found = bradley_terry(games)
    assert np.isfinite(found[["score", "se"]]).all(axis=None)
    pd.testing.assert_frame_equal(found, bradley_terry(games.iloc[::-1]), check_exact=True)
    pd.testing.assert_frame_equal(found, bradley_terry(turned), atol=1e-6)
    np.testing.assert_allclose(found.groupby("component")["score"].sum(), 0, atol=1e-6)


GAMES = pd.DataFrame({"left": ["a", "b"], "right": ["b", "c"], "winner": ["left", "tie"]})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (GAMES.rename(columns={"winner": "won"}), "'winner' is not in the table"),
        (GAMES.head(0), "no comparisons"),
        (GAMES.assign(right="b"), "'b' is compared with itself"),
        (GAMES.assign(winner="a"), "winner 'a': write left, right or tie"),
        (GAMES.assign(left=None), "without its left"),
    ],
)
def test_input_that_does_not_fit(table, message):
    with pytest.raises(InputError, match=message):
        bradley_terry(table)


def test_only_ties_rank_nothing():
    found = ranking(GAMES.assign(winner="tie"))
    assert found.table["score"].eq(0).all() and any("nothing to rank by" in text for text in found.warnings)
