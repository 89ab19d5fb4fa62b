"""ceiling: a human coder judged by the measures that judge a machine."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from test_study_reliability import coded, long

from visanda.study.validity.ceiling import ceiling


def against(found, what):
    return found.table[found.table["against"] == what].set_index("measure")["value"]


def test_two_coders_are_each_others_gold():
    table = coded(300, "AB", [0.6, 0.3, 0.1], 0.7)
    wide = table.pivot(index="id", columns="coder", values="value")
    both = pd.concat([wide["A"], wide["B"]]), pd.concat([wide["B"], wide["A"]])
    found = against(ceiling(table, resamples=20), "coder")
    assert found["accuracy"] == pytest.approx((wide["A"] == wide["B"]).mean())
    assert found["balanced accuracy"] == pytest.approx(metrics.balanced_accuracy_score(*both))
    assert found["macro F1"] == pytest.approx(metrics.f1_score(*both, average="macro"))


def test_the_gold_of_two_others_is_what_they_agree_on():
    table = long(A=["x", "x", "y", "y"], B=["x", "y", "y", None], C=["x", "y", "x", "y"])
    found = ceiling(table, resamples=20).table.set_index(["against", "measure"])
    # A: the others agree on 0 (x, right) and 1 (y, wrong); B: on 0; C: on 0 and 2 (y, wrong); each unit counts once
    assert found.loc[("others", "accuracy"), "value"] == pytest.approx((1 + 0 + 0) / 3)
    assert found.loc[("others", "accuracy"), "units"] == 3 and found.loc[("coder", "accuracy"), "units"] == 4


def test_numbers_are_held_against_the_mean_of_the_others():
    table = long(A=[1, 5, 9, 4], B=[2, 4, 9, 6], C=[4, 6, 9, 5])
    found = ceiling(table, scale="interval", resamples=20)
    wide = np.array([[1, 2, 4], [5, 4, 6], [9, 9, 9], [4, 6, 5]], dtype=float)
    others = (wide.sum(axis=1, keepdims=True) - wide) / 2
    assert against(found, "others")["mean absolute error"] == pytest.approx(np.abs(wide - others).mean())
    assert against(found, "others")["correlation"] == pytest.approx(np.corrcoef(wide.ravel(), others.ravel())[0, 1])
    pairs = [abs(row[a] - row[b]) for row in wide for a, b in ((0, 1), (0, 2), (1, 2))]
    assert against(found, "coder")["mean absolute error"] == pytest.approx(np.mean(pairs))


def test_ordered_values_take_the_median_and_labels_their_majority():
    found = ceiling(long(A=[1, 2, 2], B=[1, 3, 1], C=[3, 3, 2]), scale="ordinal", resamples=20)
    # medians that are a value: 2 between 1 and 3 for A and B of unit 0; what others share; none between 2 and 3
    assert found.table.set_index(["against", "measure"]).loc[("others", "accuracy"), "units"] == 3
    labels = ceiling(long(A=["a|b", "a"], B=["a", "a|c"], C=["a|b", "a"]), scale="multilabel", resamples=20)
    assert against(labels, "others")["exact match"] == 0  # only B's others agree on all labels
    assert against(labels, "coder")["exact match"] == pytest.approx(1 / 3)


def test_a_machine_as_good_as_a_coder_reaches_the_ceiling_of_coders():
    inside = 0
    for seed in range(60):
        table = coded(150, "AB", [0.5, 0.5], 0.64, seed)
        line = ceiling(table, resamples=200).table.iloc[0]
        inside += line["low"] <= 0.82 <= line["high"]  # agree: .64 + .36 / 2
    assert 53 <= inside <= 60


def test_one_coder_has_no_ceiling():
    found = ceiling(long(A=["x", "y"]))
    assert found.table.empty and "unknown" in found.warnings[0]
