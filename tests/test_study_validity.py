"""validity: the numbers of scikit-learn, with intervals and without crashes."""

import time

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from visanda.errors import InputError
from visanda.study import validity

FAST = {"resamples": 100}


def series(*columns):
    return [pd.Series(column, name=name) for column, name in zip(columns, ("gold", "predicted", "p"), strict=False)]


@pytest.fixture(scope="module")
def binary():
    random = np.random.default_rng(2)
    gold = random.integers(0, 2, 400).astype(float)
    p = np.round(np.clip(0.3 + 0.4 * gold + random.normal(0, 0.25, 400), 0, 1), 2)  # rounded: ties
    return series(gold, (p >= 0.5).astype(int), p)


def value(found):
    return found.table.set_index("measure")["value"]


def test_binary_measures_are_those_of_scikit_learn(binary):
    gold, predicted, p = binary
    weights = pd.Series(np.random.default_rng(1).uniform(1, 5, len(gold)))
    for weight in (None, weights):
        found = validity(gold, predicted, p, weights=weight, **FAST)
        numbers, w = value(found), {"sample_weight": weight}
        assert numbers["accuracy"] == pytest.approx(metrics.accuracy_score(gold, predicted, **w))
        assert numbers["balanced accuracy"] == pytest.approx(metrics.balanced_accuracy_score(gold, predicted, **w))
        assert numbers["macro F1"] == pytest.approx(metrics.f1_score(gold, predicted, average="macro", **w))
        assert numbers["AUC"] == pytest.approx(metrics.roc_auc_score(gold, p, **w))
        assert numbers["Brier score"] == pytest.approx(metrics.brier_score_loss(gold, p, **w))
        assert numbers["average precision"] == pytest.approx(metrics.average_precision_score(gold, p, **w))
        assert numbers["log loss"] == pytest.approx(metrics.log_loss(gold, p, **w))
        assert numbers["F1 of 1"] == pytest.approx(metrics.f1_score(gold, predicted, **w))
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(gold, predicted, **w)
        by_class = found.extra["by class"]
        np.testing.assert_allclose(by_class[["precision", "recall", "F1"]], np.column_stack([precision, recall, f1]))


def test_the_confusion_matrix_has_gold_in_rows(binary):
    gold, predicted, _ = binary
    found = validity(gold, predicted, **FAST).extra["confusion"]
    assert list(found["gold"]) == ["0", "1"]
    np.testing.assert_array_equal(found[["0", "1"]], metrics.confusion_matrix(gold, predicted))


def test_several_classes_are_those_of_scikit_learn():
    random = np.random.default_rng(3)
    classes = np.array(["art", "news", "sport"])
    p = random.dirichlet([1, 1, 1], 300)
    gold = np.array([random.choice(classes, p=row) for row in p])
    predicted = classes[p.argmax(axis=1)]
    found = validity(*series(gold, predicted), pd.DataFrame(p[:, ::-1], columns=classes[::-1]), **FAST)
    assert value(found)["AUC"] == pytest.approx(metrics.roc_auc_score(gold, p, multi_class="ovr"))
    assert value(found)["macro F1"] == pytest.approx(metrics.f1_score(gold, predicted, average="macro"))
    truth = gold[:, None] == classes
    assert value(found)["average precision"] == pytest.approx(metrics.average_precision_score(truth, p))
    assert value(found)["log loss"] == pytest.approx(metrics.log_loss(gold, p))
    assert value(found)["Brier score"] == pytest.approx(((p - truth) ** 2).sum(axis=1).mean())


def test_calibration_error_is_the_mean_gap_of_bins():
    p = np.repeat([0.15, 0.85], 100)
    gold = np.r_[np.repeat([1, 0], [35, 65]), np.repeat([1, 0], [85, 15])]
    assert value(validity(*series(gold, p >= 0.5, p), **FAST))["expected calibration error"] == pytest.approx(0.1)


def test_calibration_error_is_told_against_what_right_probabilities_would_show():
    random = np.random.default_rng(7)
    p = pd.Series(random.random(150))
    for gold, said in ((random.random(150) < p, "may be chance"), (random.random(150) < p**3, "more than chance")):
        found = validity(gold, p >= 0.5, p, **FAST)
        assert any("calibration error" in words and said in words for words in found.words)


def test_intervals_cover_the_estimate_narrow_with_rows_and_repeat_with_the_seed(binary):
    gold, predicted, p = binary
    found = validity(gold, predicted, p, **FAST).table
    known = found[found["measure"] != "expected calibration error"]  # which has no interval: see the next test
    assert (known["low"] <= known["value"]).all() and (known["value"] <= known["high"]).all()
    pd.testing.assert_frame_equal(found, validity(gold, predicted, p, **FAST).table)
    small = validity(gold[:60], predicted[:60], **FAST).table
    assert small.loc[0, "high"] - small.loc[0, "low"] > 1.5 * (found.loc[0, "high"] - found.loc[0, "low"])


def test_resampling_groups_widens_intervals_of_repeated_rows(binary):
    gold, predicted, _ = (part[:100].repeat(10).reset_index(drop=True) for part in binary)
    rows = validity(gold, predicted, **FAST).table.iloc[0]
    groups = validity(gold, predicted, groups=pd.Series(np.arange(1000) // 10), **FAST).table.iloc[0]
    assert groups["high"] - groups["low"] > 2 * (rows["high"] - rows["low"])


def test_the_baseline_is_the_commonest_class():
    found = validity(*series(["no"] * 90 + ["yes"] * 10, ["no"] * 100), **FAST)
    baseline = found.table.set_index("measure")["baseline"]
    assert baseline["accuracy"] == pytest.approx(0.9) and baseline["balanced accuracy"] == pytest.approx(0.5)
    assert any("not clearly above" in warning for warning in found.warnings)
    assert any("never predicted: yes" in warning for warning in found.warnings)


def test_classes_on_one_side_only_are_said_and_drawn():
    found = validity(*series(["a", "b", "c", "a"] * 10, ["a", "b", "d", "a"] * 10), **FAST)
    assert "Predicted but never gold: d." in found.warnings
    by_class = found.extra["by class"].set_index("class")
    assert np.isnan(by_class.loc["d", "recall"]) and np.isnan(by_class.loc["c", "precision"])
    assert value(found)["balanced accuracy"] == pytest.approx(2 / 3)
    assert len(found.figure_png()) > 5000


def test_resamples_without_a_class_are_left_out_and_said():
    gold, p = [1] + [0] * 19, np.linspace(1, 0, 20)
    found = validity(*series(gold, p >= 0.5, p), **FAST)
    assert any(warning.startswith("AUC could not be computed in") for warning in found.warnings)
    assert found.table.set_index("measure").loc["AUC", ["low", "high"]].notna().all()


@pytest.mark.parametrize("always", [0, 1])
def test_one_class_everywhere_has_no_auc_and_does_not_crash(always):
    found = validity(*series([always] * 30, [always] * 30, [0.2 + 0.6 * always] * 30), **FAST)
    assert value(found)["accuracy"] == 1
    assert np.isnan(value(found)["AUC"])
    assert value(found)["Brier score"] == pytest.approx(0.04)
    assert len(found.figure_png()) > 5000


def test_booleans_and_numbers_are_the_same_codes_and_uncoded_rows_are_left_out():
    gold = pd.Series([1.0, 0.0, np.nan, 1.0])
    found = validity(gold, pd.Series([True, False, True, False]), **FAST)
    assert value(found)["accuracy"] == pytest.approx(2 / 3)
    assert found.provenance["left_out"] == 1


def test_positive_turns_the_probability_around(binary):
    gold, predicted, p = binary
    turned = validity(gold, predicted, 1 - p, positive=0, **FAST)
    assert value(turned)["AUC"] == pytest.approx(value(validity(gold, predicted, p, **FAST))["AUC"])
    assert list(turned.extra["by class"]["class"]) == ["1", "0"]


def test_the_best_threshold_is_shown_and_not_taken(binary):
    gold, _, p = binary
    late = (p >= 0.8).astype(int)
    found = validity(gold, late, p, **FAST)
    assert value(found)["F1 of 1"] == pytest.approx(metrics.f1_score(gold, late))
    thresholds = found.extra["thresholds"].set_index("threshold")
    assert thresholds.loc[0.4, "F1"] == pytest.approx(metrics.f1_score(gold, p >= 0.4))
    best = thresholds["F1"].idxmax()
    assert any(f"at a threshold of {best:.2f}" in words and "flatters" in words for words in found.words)


def test_the_curve_of_a_rare_class_is_that_of_scikit_learn():
    random = np.random.default_rng(4)
    gold = (random.random(300) < 0.1).astype(int)
    p = np.round(np.clip(0.2 + 0.3 * gold + random.normal(0, 0.15, 300), 0, 1), 2)
    found = validity(*series(gold, (p >= 0.5).astype(int), p), **FAST)
    precision, recall, thresholds = metrics.precision_recall_curve(gold, p)
    curve = found.extra["precision-recall"].set_index("threshold").sort_index()
    np.testing.assert_allclose(curve.loc[thresholds, "precision"], precision[:-1])
    np.testing.assert_allclose(curve.loc[thresholds, "recall"], recall[:-1])
    assert len(found.figure.axes) == 3  # the curve beside confusion and calibration


def test_a_test_set_of_five_works_and_is_loudly_warned_of():
    found = validity(*series(["yes", "no", "yes", "no", "yes"], ["yes", "no", "yes", "no", "yes"]), **FAST)
    assert found.warnings[0].startswith("ONLY 5 ROWS")
    accuracy = found.table.set_index("measure").loc["accuracy"]
    assert accuracy["low"] == pytest.approx(0.025 ** (1 / 5)) and accuracy["high"] == 1  # Clopper & Pearson
    assert any("no width" in warning for warning in found.warnings)


def test_resamples_are_the_same_in_one_block_or_several(binary, monkeypatch):
    gold, predicted, p = binary
    whole = validity(gold, predicted, p, **FAST).table
    monkeypatch.setattr("visanda.study.resampling.BLOCK", 1000)
    pd.testing.assert_frame_equal(whole, validity(gold, predicted, p, **FAST).table)


def test_a_thousand_resamples_of_two_hundred_rows_take_less_than_two_seconds():
    random = np.random.default_rng(5)
    classes = np.array(list("abcdefg"))
    p = random.dirichlet(np.ones(7), 200)
    gold = np.array([random.choice(classes, p=row) for row in p])
    begun = time.perf_counter()
    validity(*series(gold, classes[p.argmax(axis=1)]), pd.DataFrame(p, columns=classes))
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"predicted": pd.Series([1, 0], index=[5, 6])}, "join them by id"),
        ({"gold": pd.Series([np.nan, np.nan])}, "code some rows"),
        ({"predicted": pd.Series(["yes", "no"])}, "no class in common.*Recode"),
        ({"probability": pd.Series([0.5, 1.5])}, "between 0 and 1, and do not in 1 of 2 rows"),
        ({"probability": pd.Series([0.5, np.nan])}, "missing in 1 of 2 rows"),
        ({"probability": pd.Series([0.5, 0.5], index=[3, 4])}, "join them by id"),
        ({"scale": "ratio"}, "choose nominal, ordinal"),
        ({"values": ["a", "b"]}, "none of the values a, b"),
        ({"resamples": -1}, "1000 are usual"),
        ({"probability": pd.DataFrame({"1": [0.5, 0.5]})}, "class '0' is not in the table"),
        ({"weights": pd.Series([1.0, 0.0])}, "above 0"),
        ({"positive": "yes"}, "none of the classes: 0, 1"),
        ({"gold": pd.Series([1, 2]), "positive": 1}, "positive is for two classes"),
    ],
)
def test_input_that_does_not_fit(given, message):
    with pytest.raises(InputError, match=message):
        validity(**{"gold": pd.Series([1, 0]), "predicted": pd.Series([1, 0]), **FAST, **given})


def test_probabilities_of_several_classes_need_a_column_each():
    with pytest.raises(InputError, match="a column for each class"):
        validity(*series(list("abc"), list("abc"), [0.1, 0.2, 0.3]), **FAST)
