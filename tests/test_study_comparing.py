"""Two machines on the same rows: numbers by hand, intervals that cover, and what is no comparison."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from visanda.errors import InputError
from visanda.study.validity.comparing import compare


def two(n: int, random: np.random.Generator, first: float = 0.85, second: float = 0.8):
    """Gold, and two machines that are right so often; where one errs, the other errs more, too."""
    gold = pd.Series(random.choice(["no", "yes"], n))
    hard = random.random(n)
    wrong = gold.map({"no": "yes", "yes": "no"})
    noise = 0.1 * random.normal(size=(2, n))
    one, other = (
        gold.where(stats.rankdata(hard + noise[k]) / n < right, wrong) for k, right in enumerate((first, second))
    )
    return gold, one, other


def test_numbers_are_those_of_a_hand():
    gold, one, other = pd.Series([*"nnyyny"]), pd.Series([*"nnyynn"]), pd.Series([*"nyyynn"])
    made = compare(gold, one, other, names=("a", "b"), resamples=200)
    row = made.table.set_index("measure").loc["accuracy"]
    assert row["a"] == pytest.approx(5 / 6) and row["b"] == pytest.approx(4 / 6)
    assert row["difference"] == pytest.approx(1 / 6) and row["low"] <= 1 / 6 <= row["high"]
    assert made.provenance["mcnemar"] == {"first only": 1, "second only": 0, "p": 1.0}
    assert "cannot be told" in made.words[0]


def test_mcnemar_is_the_exact_binomial_test():
    gold, one, other = two(300, np.random.default_rng(1), 0.95, 0.75)
    found = compare(gold, one, other, resamples=50).provenance["mcnemar"]
    first, second = int(((one == gold) & (other != gold)).sum()), int(((one != gold) & (other == gold)).sum())
    assert (found["first only"], found["second only"]) == (first, second)
    assert found["p"] == pytest.approx(2 * stats.binom.cdf(min(first, second), first + second, 0.5))


def test_the_interval_of_a_difference_covers_and_is_narrower_than_those_apart():
    random = np.random.default_rng(2)
    hits, widths = 0, []
    for run in range(200):
        gold, one, other = two(200, random)
        row = compare(gold, one, other, resamples=200, seed=run).table.iloc[0]
        hits += row["low"] <= 0.05 <= row["high"]
        widths.append(row["high"] - row["low"])
    assert hits / 200 > 0.89
    assert np.mean(widths) < 1.96 * 2 * np.sqrt(0.85 * 0.15 / 200 + 0.8 * 0.2 / 200), "they err on the same rows"


def test_a_machine_that_is_better_is_called_so_whichever_way_a_measure_goes():
    random = np.random.default_rng(3)
    gold = pd.Series(random.normal(size=200))
    near, far = gold + random.normal(0, 0.2, 200), gold + random.normal(0, 1.0, 200)
    made = compare(gold, far, near, names=("far", "near"), scale="interval", resamples=200)
    assert made.table.loc[0, "measure"] == "mean absolute error" and made.table.loc[0, "low"] > 0
    assert made.words[0].endswith("near is better.")


def test_labels_and_orders_are_compared():
    gold = pd.Series(["a|b", "none", "b", "a"] * 10)
    other = pd.Series(["a", "none", "b", "none"] * 10)
    table = compare(gold, gold, other, scale="multilabel", resamples=50).table.set_index("measure")
    assert table.loc["exact match", "first"] == 1 and table.loc["exact match", "second"] == 0.5
    steps = pd.Series(["low", "mid", "high"] * 10)
    off = pd.Series(["mid", "mid", "high"] * 10)
    table = compare(steps, steps, off, scale="ordinal", values=["low", "mid", "high"], resamples=50).table
    assert table.set_index("measure").loc["mean absolute error (steps)", "second"] == pytest.approx(1 / 3)


def test_labels_written_with_spaces_are_the_same_labels():
    gold, other = pd.Series(["flag | fire", "none"] * 3), pd.Series(["fire | flag", "none"] * 3)
    table = compare(gold, other, other, scale="multilabel", resamples=50).table.set_index("measure")
    assert table.loc["exact match", "first"] == 1


def test_other_rows_are_no_comparison():
    gold = pd.Series([*"nnyy"])
    with pytest.raises(InputError, match="did not predict the same rows"):
        compare(gold, gold, gold.where([True, True, True, False]))
