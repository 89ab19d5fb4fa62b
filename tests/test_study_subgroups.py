"""Validity by subgroup: numbers by hand, a planted difference is found, chance is called chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from visanda.errors import InputError
from visanda.study.validity.subgroups import OVER, subgroups


def planted(n: int, there: float, random: np.random.Generator):
    """A machine that is right 9 times in 10, and in the group ``night`` so often; it errs towards no there."""
    gold = pd.Series(random.choice(["no", "yes"], n))
    night = random.random(n) < 0.4
    wrong = random.random(n) > np.where(night, there, 0.9)
    said = gold.where(~wrong, np.where(night, "no", gold.map({"no": "yes", "yes": "no"})))
    return gold, said, pd.DataFrame({"light": np.where(night, "night", "day")})


def test_numbers_are_those_of_a_hand():
    gold = pd.Series([*"nnnnnyyyyy"] * 4)
    said = pd.Series([*"nnnnyyyyyy"] * 2 + [*"nnnnnyyyyn"] * 2)
    by = pd.DataFrame({"half": ["first"] * 20 + ["second"] * 20})
    table = subgroups(gold, said, by, resamples=100).table.set_index(["group", "measure"])
    first, second = table.loc["first"], table.loc["second"]
    assert (table["n"] == 20).all() and first.loc["accuracy", "value"] == pytest.approx(0.9)
    assert first.loc["precision of y", "value"] == pytest.approx(10 / 12)
    assert second.loc["recall of y", "value"] == pytest.approx(0.8)
    assert first.loc[OVER, "value"] == pytest.approx(0.1) and second.loc[OVER, "value"] == pytest.approx(-0.1)
    assert first.loc[OVER, "difference"] == pytest.approx(0.2)
    assert first.loc["recall of y", "high"] == 1 and first.loc["recall of y", "low"] < 0.75, "ten of ten is not all"


def test_a_planted_difference_is_found_and_said():
    gold, said, by = planted(800, 0.6, np.random.default_rng(1))
    made = subgroups(gold, said, by, resamples=300)
    row = made.table.set_index(["group", "measure"]).loc[("night", OVER)]
    assert row["difference high"] < 0, "at night there are too few yes"
    assert any("light = night: recall of yes" in text for text in made.words)
    assert any("by chance alone" in text for text in made.words)


def test_differences_by_chance_are_found_as_often_as_intervals_say():
    random = np.random.default_rng(2)
    found = 0
    for run in range(100):
        gold, said, by = planted(300, 0.9, random)
        gold, said = gold, gold.where(random.random(300) < 0.85, gold.map({"no": "yes", "yes": "no"}))
        row = subgroups(gold, said, by, resamples=200, seed=run).table.iloc[0]
        found += not row["difference low"] <= 0 <= row["difference high"]
    assert found <= 14


def test_small_and_missing_groups_are_said():
    gold, said, by = planted(200, 0.9, np.random.default_rng(3))
    by.loc[:4, "light"] = "dusk"
    by.loc[5:40, "light"] = None
    made = subgroups(gold, said, by, resamples=50)
    dusk = made.table[made.table["group"] == "dusk"]
    assert len(dusk) == 1 and dusk["n"].item() == 5 and dusk["value"].isna().all()
    assert "(not known)" in set(made.table["group"])
    assert any("fewer than 10 rows of dusk" in text for text in made.warnings)


@pytest.mark.parametrize("scale", ["interval", "multilabel", "ordinal", "nominal"])
def test_every_scale_has_its_measures_and_a_figure(scale):
    random = np.random.default_rng(4)
    by = pd.DataFrame({"half": ["first", "second"] * 30})
    values = None
    if scale == "interval":
        gold = pd.Series(random.normal(size=60))
        said = gold + random.normal(0, 0.5, 60)
    elif scale == "multilabel":
        gold, said = (pd.Series(random.choice(["a", "b", "a|b", "none"], 60)) for _ in range(2))
    else:
        values = ["low", "mid", "high"]
        gold, said = (pd.Series(random.choice(values, 60)) for _ in range(2))
    made = subgroups(gold, said, by, scale=scale, values=values, resamples=50)
    assert made.table["value"].notna().all() and made.figure is not None
    first = {"interval": "mean absolute error", "multilabel": "exact match"}.get(scale, "accuracy")
    assert made.table.loc[0, "measure"] == first


def test_what_cannot_be_split_is_said():
    gold = pd.Series([*"nnyy"])
    with pytest.raises(InputError, match="no column"):
        subgroups(gold, gold, pd.DataFrame(index=gold.index))
    with pytest.raises(InputError, match="same rows"):
        subgroups(gold, gold, pd.DataFrame({"a": [1, 2]}))
