"""Shortcuts: numbers that tell whether a classifier rests on something else than what was coded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from visanda.learn.hidden import GREY, border_kept, boxes_hidden, centre_kept, corners_hidden
from visanda.learn.shortcuts import alone, compared, quality
from visanda.learn.target import Target

YES = Target("nominal", ("no", "yes"))


def two(score: np.ndarray) -> np.ndarray:
    return np.stack([1 - score, score], axis=1)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=4, max_size=40))
def test_the_quality_of_two_values_is_the_area_under_the_curve(rows):
    truth, score = np.array([int(row[0]) for row in rows]), np.array([row[1] / 5 for row in rows])
    if len(set(truth)) == 2:
        assert quality(truth, two(score), YES) == pytest.approx(roc_auc_score(truth, score))
    else:
        assert np.isnan(quality(truth, two(score), YES))


def test_within_strata_only_their_own_rows_are_compared():
    """Scores that know the source only: good over all, chance within sources."""
    random = np.random.default_rng(1)
    source = random.integers(2, size=400)
    truth = (random.random(400) < np.where(source, 0.9, 0.1)).astype(int)
    scores = two(source + 0.01 * random.random(400))
    assert quality(truth, scores, YES) > 0.85
    assert quality(truth, scores, YES, source) == pytest.approx(0.5, abs=0.1)


def test_quality_of_labels_and_of_numbers():
    labels = Target("multilabel", ("a", "b"))
    truth = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], float)
    assert quality(truth, truth, labels) == 1
    assert quality(np.array([1.0, 2.0, 3.0]), np.array([[2.0], [4.0], [6.0]]), Target("interval")) == pytest.approx(1)


def test_a_look_that_is_worse_is_told_from_one_that_is_not():
    random = np.random.default_rng(2)
    truth = random.integers(2, size=300)
    whole = two(1 / (1 + np.exp(-(2.5 * (truth - 0.5) + random.normal(size=300)))))
    noise = two(random.random(300))
    found = compared(truth, {"whole": whole, "same": whole, "noise": noise}, YES, [str(i) for i in range(300)])
    found = found.set_index("look")
    assert found.loc["same", ["less", "less_low", "less_high"]].tolist() == [0, 0, 0]
    assert found.loc["noise", "less_low"] > 0.2
    assert found.loc["noise", "low"] < 0.5 < found.loc["noise", "high"]


def test_intervals_are_wider_where_rows_come_in_groups():
    random = np.random.default_rng(3)
    truth = np.repeat(random.integers(2, size=30), 10)
    scores = two(np.repeat(random.random(30), 10))
    each = compared(truth, {"whole": scores}, YES, [str(i) for i in range(300)]).iloc[0]
    grouped = compared(truth, {"whole": scores}, YES, np.repeat(np.arange(30), 10).astype(str)).iloc[0]
    assert grouped["high"] - grouped["low"] > 2 * (each["high"] - each["low"])


@pytest.mark.parametrize("column", ["width", "source"])
def test_facts_that_say_what_was_coded_are_found_out(column: str):
    random = np.random.default_rng(4)
    truth = random.integers(2, size=200)
    facts = pd.DataFrame(
        {
            "width": np.where(truth, 1000, 700) + random.normal(0, 100, 200),
            "source": np.where(random.random(200) < 0.9, np.where(truth, "bbc", "cnn"), "other"),
        }
    )
    groups = [str(i) for i in range(200)]
    assert quality(truth, alone(facts[[column]], truth, YES, groups)[0], YES) > 0.85
    shuffled = facts[[column]].sample(frac=1, random_state=1).reset_index(drop=True)
    assert quality(truth, alone(shuffled, truth, YES, groups)[0], YES) < 0.65


def test_facts_with_gaps_and_for_other_scales():
    random = np.random.default_rng(5)
    facts = pd.DataFrame({"size": [None, *random.random(59)], "kind": ["a", "b", None] * 20})
    groups = [str(i) for i in range(60)]
    numbers = facts["size"].fillna(0.5).to_numpy() * 10
    assert quality(numbers, alone(facts[["size"]], numbers, Target("interval"), groups)[0], Target("interval")) > 0.8
    labels = Target("multilabel", ("a", "b"))
    truth = np.stack([facts["kind"] == "a", facts["kind"] == "b"], axis=1).astype(float)
    assert quality(truth, alone(facts[["kind"]], truth, labels, groups)[0], labels) > 0.95


# parts hidden


def test_what_is_hidden_is_grey_and_the_rest_is_untouched():
    pixels = np.random.default_rng(6).integers(0, 256, (40, 60, 3), np.uint8)
    centre, border = centre_kept(pixels), border_kept(pixels)
    hidden = (centre == GREY).all(axis=2)
    assert hidden.mean() == pytest.approx(1 - 0.7**2, abs=0.03)
    assert (centre[~hidden] == pixels[~hidden]).all()
    assert (border[hidden] == pixels[hidden]).all()
    assert (border[~hidden] == GREY).all()


def test_corners_and_boxes():
    pixels = np.full((40, 60, 3), 255, np.uint8)
    one = (corners_hidden(pixels, ["lower right"]) == GREY).all(axis=2)
    assert one.sum() == 10 * 15 and one[-1, -1] and not one[0, 0]
    assert (corners_hidden(pixels) == GREY).all(axis=2).sum() == 4 * 10 * 15
    boxed = (boxes_hidden(pixels, [(50.5, -3, 30, 10)]) == GREY).all(axis=2)
    assert boxed.sum() == 7 * 10 and boxed[0, -1]
    assert (pixels == 255).all(), "the picture itself is not changed"


def test_facts_that_say_nothing_are_at_chance_within_folds():
    """Pooled over folds, they would be below: the fold that has more of a value is predicted to have less of it."""
    truth = np.random.default_rng(7).integers(2, size=60)
    facts = pd.DataFrame({"same": np.ones(60)})
    scores, folds = alone(facts, truth, YES, [str(i) for i in range(60)])
    assert quality(truth, scores, YES, folds) == 0.5
    assert quality(truth, scores, YES) < 0.5
