"""Rounds of sampling: estimates stay right when a classifier, taught by one round, chooses the next."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from visanda.study.correct.dsl import dsl_mean
from visanda.study.sampling.round import draw_round, plan_round
from visanda.study.sampling.rounds import add_round, in_any, probability_of_codes, rounds_of, so_far
from visanda.study.sampling.uncertainty import doubt

FOLDS = 4


def world(seed, n=700):
    """Units with three features and a 0/1 value that these say something about; a fifth are 1."""
    chance = np.random.default_rng(seed)
    features = chance.normal(size=(n, 3))
    logit = 2.2 * features[:, 0] - 1.5 * (features[:, 1] > 0.8) - 1.9 + 0.8 * features[:, 0] * features[:, 2]
    value = (chance.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    return pd.DataFrame({"id": [f"{k:05d}" for k in range(n)], "stratum": "all"}), features, value


def taught(features, value, coded, fold):
    """(n,) cross-fitted probabilities: of each fold by a classifier that never saw it."""
    predicted = np.empty(len(value))
    for number in range(FOLDS):
        train = coded & (fold != number)
        model = LogisticRegression().fit(features[train], value[train])
        predicted[fold == number] = model.predict_proba(features[fold == number])[:, 1]
    return predicted


def two_rounds(units, features, value, fold, seed, first=100, second=100):
    """A simple round; a classifier of it; a round of what it doubts; a classifier of both."""
    chance = np.random.default_rng(seed)
    design = add_round(None, draw_round(units, first, chance), chance)
    predicted = taught(features, value, (design["order"] > 0).to_numpy(), fold)
    size = doubt(np.column_stack([predicted, 1 - predicted]))
    earlier = so_far(design, units["id"]).reset_index(drop=True)
    drawn = draw_round(units.assign(size=size, left=earlier["left"], drawn=earlier["drawn"]), second, chance)
    design = add_round(design, drawn, chance)
    predicted = taught(features, value, (design["order"] > 0).to_numpy(), fold)
    return design, predicted


def corrected(value, predicted, design):
    coded = np.where(design["order"] > 0, value, np.nan)
    data = pd.DataFrame({"y": coded, "p": predicted, "pi": design["pi"]})
    fit = dsl_mean(data, "y", "p", sample_prob="pi", learner="raw")
    return fit.coef[0], fit.coef[0] - 1.96 * fit.se[0], fit.coef[0] + 1.96 * fit.se[0]


def test_the_mean_is_unbiased_and_covered_where_two_rounds_follow_a_classifier():
    units, features, value = world(1)
    fold = np.random.default_rng(9).integers(0, FOLDS, len(units))
    truth, runs = value.mean(), 300
    hits, corrections, hajek, plain = [], [], [], []
    for seed in range(runs):
        design, predicted = two_rounds(units, features, value, fold, seed)
        drawn = (design["order"] > 0).to_numpy()
        weight = 1 / design["pi"].to_numpy()[drawn]
        hajek.append((weight * value[drawn]).sum() / weight.sum())
        plain.append(value[drawn].mean())
        middle, low, high = corrected(value, predicted, design)
        corrections.append(middle)
        hits.append(low <= truth <= high)
    assert abs(np.mean(plain) - truth) > 0.015, "what is favoured is not like the rest: weights are needed"
    assert abs(np.mean(hajek) - truth) < 4 * np.std(hajek) / np.sqrt(runs) + 0.002
    assert abs(np.mean(corrections) - truth) < 4 * np.std(corrections) / np.sqrt(runs)
    assert np.mean(hits) > 0.92


def test_the_mean_is_unbiased_and_covered_where_one_round_favours_a_size():
    units, features, value = world(2)
    size = np.exp(np.clip(features[:, 0], -2, 3))
    predicted = 1 / (1 + np.exp(-(1.5 * features[:, 0] - 1.0)))  # by a model of elsewhere, and not calibrated
    truth, runs = value.mean(), 300
    means, hits, thompson = [], [], []
    for seed in range(runs):
        chance = np.random.default_rng(seed)
        design = add_round(None, draw_round(units.assign(size=size), 150, chance), chance)
        drawn = (design["order"] > 0).to_numpy()
        thompson.append((value[drawn] / design["pi"].to_numpy()[drawn]).sum() / len(units))
        middle, low, high = corrected(value, predicted, design)
        means.append(middle)
        hits.append(low <= truth <= high)
    for found in (means, thompson):
        assert abs(np.mean(found) - truth) < 4 * np.std(found) / np.sqrt(runs)
    assert np.mean(hits) > 0.92


def test_each_unit_is_in_the_sample_as_often_as_rounds_say():
    units, features, value = world(3, n=250)
    fold = np.random.default_rng(9).integers(0, FOLDS, len(units))
    runs = 600
    weights = np.zeros(len(units))
    for seed in range(runs):
        design, _ = two_rounds(units, features, value, fold, seed, first=90, second=40)
        weights += np.where(design["order"] > 0, 1 / design["pi"], 0)
    z = (weights / runs - 1) * np.sqrt(runs) / np.sqrt(1.5)  # 1/π is about 2: the weight's variance about 1 to 2
    assert abs(weights.mean() / runs - 1) < 0.01
    assert np.abs(z).max() < 5


def test_favouring_doubt_makes_the_corrected_mean_surer_than_drawing_alike():
    units, features, value = world(4, n=2000)
    predicted = 1 / (1 + np.exp(-(2.2 * features[:, 0] - 1.5 * (features[:, 1] > 0.8) - 1.9)))
    size = doubt(np.column_stack([predicted, 1 - predicted]))
    spread = {}
    for name, frame in (("alike", units), ("doubt", units.assign(size=size))):
        plan, found = plan_round(frame, 150, floor=0.1), []
        for seed in range(400):
            weight = plan.draw(np.random.default_rng(seed)) / plan.rows["pi"]
            found.append(np.mean(predicted + weight * (value - predicted)))
        spread[name] = np.var(found)
    assert spread["doubt"] < 0.8 * spread["alike"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=20))
def test_rounds_together_are_at_least_as_probable_as_each(by_round):
    by_round = np.array(by_round)
    together = in_any(by_round)
    assert (together >= by_round.max(axis=1) - 1e-12).all() and (together <= 1).all()


def test_a_design_keeps_units_of_all_rounds():
    chance = np.random.default_rng(1)
    first = pd.DataFrame({"id": list("abcd"), "stratum": "all"})
    design = add_round(None, draw_round(first, 2, chance), chance)
    second = pd.DataFrame({"id": list("cdefgh"), "stratum": "late"})
    earlier = so_far(design, second["id"]).reset_index(drop=True)
    assert earlier["left"].tolist() == [0.5, 0.5, 1, 1, 1, 1]
    design = add_round(design, draw_round(second.assign(**earlier), 3, chance), chance)
    assert design["id"].tolist() == list("abcdefgh") and rounds_of(design) == ["pi_1", "pi_2"]
    by_id = design.set_index("id")
    assert (by_id.loc[["a", "b"], "pi_2"] == 0).all() and (by_id.loc[["e", "f", "g", "h"], "pi_1"] == 0).all()
    assert (by_id["pi"] > 0).all()
    assert sorted(design.loc[design["order"] > 0, "order"]) == list(range(1, (design["order"] > 0).sum() + 1))


def test_a_design_without_rounds_is_its_own_first():
    old = pd.DataFrame({"id": list("abcd"), "stratum": "all", "pi": 0.5, "order": [1, 0, 2, 0]})
    chance = np.random.default_rng(1)
    units = old[["id", "stratum"]].assign(left=0.5, drawn=old["order"] > 0)
    design = add_round(old, draw_round(units, 1, chance), chance).set_index("id")
    assert design["pi_1"].tolist() == [0.5] * 4
    assert design.loc[["a", "c"], "round"].tolist() == [1, 1] and (design["round"] == 2).sum() == 1
    assert design["pi"].to_numpy() == pytest.approx(0.5 + 0.5 * 0.5)


def test_a_round_that_coders_did_not_finish_counts_for_what_is_coded():
    design = pd.DataFrame(
        {"id": list("abcdef"), "order": [1, 2, 3, 4, 0, 0], "round": [1, 1, 2, 2, 0, 0], "pi_1": 0.5, "pi_2": 0.4}
    ).assign(pi=0.7)
    whole = probability_of_codes(design, set("abcd"))
    assert whole.to_numpy() == pytest.approx(0.7)
    half = probability_of_codes(design, set("abc"))
    assert half.to_numpy() == pytest.approx(1 - 0.5 * 0.8)
