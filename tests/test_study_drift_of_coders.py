"""drift: coders who tire, become lenient, or change their mind; and those who do not."""

import numpy as np
import pandas as pd
import pytest

from visanda.study.drift.coders import drift


def coding(units=300, tired=0.0, lenient=0.0, seed=0):
    """Two coders; ben guesses in a share of units growing to ``tired``, and says yes in one growing to ``lenient``."""
    random = np.random.default_rng(seed)
    true = random.choice(["yes", "no"], units)
    course = np.linspace(0, 1, units)
    ana = np.where(random.random(units) < 0.9, true, random.choice(["yes", "no"], units))
    ben = np.where(random.random(units) < tired * course, random.choice(["yes", "no"], units), true)
    ben = np.where(random.random(units) < lenient * course, "yes", ben)
    both = pd.DataFrame({"id": [*range(units)] * 2, "coder": ["ana"] * units + ["ben"] * units})
    minutes = pd.Timestamp("2024-05-01T09:00:00+02:00") + pd.to_timedelta([*range(units)] * 2, unit="min")
    both["value"], both["time"] = np.r_[ana, ben], [moment.isoformat() for moment in minutes]
    return both


def trend(found, coder="ben"):
    return found.extra["trend"].set_index("coder").loc[coder]


def test_a_coder_who_tires_agrees_less_at_the_end():
    found = drift(coding(tired=0.9))
    assert trend(found)["p"] < 0.01 and trend(found)["change"] < -0.2
    table = found.table[found.table["coder"] == "ben"].set_index("third")["agreement"]
    assert table["first"] > table["last"] + 0.15
    assert any("ben agrees with the others differently" in text for text in found.warnings)
    assert len(found.figure_png()) > 5000


def test_a_coder_who_becomes_lenient_is_told_by_value():
    found = drift(coding(lenient=0.6))
    assert trend(found)["p_of_values"] < 0.01 and trend(found)["change of yes"] > 0.15
    assert any("ben gives" in text and "as coding goes on" in text for text in found.warnings)


def test_without_drift_p_is_even():
    p = [trend(drift(coding(120, seed=seed), permutations=199))[["p", "p_of_values"]].tolist() for seed in range(120)]
    assert (np.array(p) < 0.05).mean(axis=0) == pytest.approx([0.05, 0.05], abs=0.05)
    assert (np.array(p) < 0.5).mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.15)


def test_time_puts_codes_in_order_and_not_their_rows():
    table = coding(tired=0.9)
    mixed = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(drift(table).extra["trend"], drift(mixed).extra["trend"])
    told = drift(table.drop(columns="time"))
    assert trend(told)["change"] == pytest.approx(trend(drift(table))["change"])
    assert any("no times of their own" in text for text in told.warnings)


def test_numbers_that_rise_against_the_others():
    random = np.random.default_rng(1)
    true = random.normal(50, 10, 200)
    table = pd.DataFrame({"id": [*range(200)] * 2, "coder": ["ana"] * 200 + ["ben"] * 200})
    table["value"] = np.r_[true + random.normal(0, 3, 200), true + np.linspace(0, 12, 200)]
    found = drift(table, scale="interval")
    assert trend(found)["change of the mean"] == pytest.approx(12, abs=2)
    assert any("ben's numbers rise" in text for text in found.warnings)
    assert found.table["mean_difference"].notna().all() and len(found.figure_png()) > 5000


def test_a_coder_who_coded_again_is_compared_with_himself():
    table = coding(100)
    again = table[table["coder"] == "ben"].head(40).copy()
    again["time"] = "2024-06-01T10:00:00+02:00"
    again.iloc[:4, again.columns.get_loc("value")] = again["value"].head(4).map({"yes": "no", "no": "yes"}).to_numpy()
    found = drift(pd.concat([again, table]), permutations=50)
    line = found.extra["again"].iloc[0]
    assert (line["coder"], line["units"], line["agreement"]) == ("ben", 40, pytest.approx(0.9))
    assert any("ben coded 40 units again" in text for text in found.words)
    only_corrections = drift(pd.concat([table, again.head(4)]), permutations=50)
    assert any("corrections" in text for text in only_corrections.warnings)


def test_few_shared_units_are_not_tested():
    found = drift(coding(20))
    assert found.extra["trend"]["p"].isna().all()
    assert any("shares 20 units" in text for text in found.warnings)
    alone = drift(coding(50).query("coder == 'ana'"))
    assert alone.figure is None and alone.words == ["Nothing can be said of drift yet."]
