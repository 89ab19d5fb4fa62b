"""From pictures to units, every unit at every time, and lags by true distance."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from visanda.errors import DesignError, InputError
from visanda.study.correct.dsl import dsl_mean
from visanda.study.panels import balanced, lags, units_of


def fixture() -> pd.DataFrame:
    """The data without files of the reference: 600 rows, 181 coded."""
    i = np.arange(1, 601)
    x, z = np.sin(i), np.cos(2.3 * i)
    u1, u2, u3 = ((c * i) % 1 for c in (0.6180339887498949, 0.4142135623730951, 0.7320508075688772))
    y = (u1 < 1 / (1 + np.exp(0.5 - 0.8 * x - 0.4 * z))).astype(float)
    said = np.where(y == 1, u2 > 0.15 + 0.1 * (x > 0), u2 < 0.12).astype(float)
    pi = 0.2 + 0.2 * (z > 0)
    coded = u3 < pi
    return pd.DataFrame(
        {"y": np.where(coded, y, np.nan), "said": said, "pi": pi, "cluster": i % 40, "truth": y, "x": x}
    )


# units


def test_one_unit_of_all_rows_has_the_reference_mean():
    """The corrected mean with known π, 0.3469 (SE 0.0311), and with equal π."""
    rows = fixture().assign(all="all")
    found = units_of(rows, "all", predicted_var="y", prediction="said", sample_prob="pi").table.iloc[0]
    assert found["y"] == pytest.approx(0.34685083, abs=5e-4)  # π scaled to the share that was coded
    assert found["y_se"] == pytest.approx(0.03109533, abs=2e-4)
    equal = units_of(rows, "all", predicted_var="y", prediction="said").table.iloc[0]
    assert equal["y"] == pytest.approx(0.35237569, abs=1e-8)
    assert equal["y_se"] == pytest.approx(0.03091726, abs=3e-5)  # n − 1, not n
    assert equal["y_coded"] == 181 and equal["n"] == 600


def test_units_carry_gold_probability_and_both_means():
    rows = fixture()
    found = units_of(rows, "cluster", predicted_var="y", prediction="said", sample_prob="pi").table.set_index("cluster")
    mine = rows[rows["cluster"] == 7]
    line = found.loc[7]
    assert line["y_naive"] == pytest.approx(mine["said"].mean())
    assert line["pi_unit"] == pytest.approx(1 - np.prod(1 - mine["pi"]))
    coded = mine[mine["y"].notna()]
    assert line["y_gold"] == pytest.approx(np.average(coded["y"], weights=1 / coded["pi"]))
    w = mine["y"].notna() / mine["pi"] * rows["pi"].mean() / rows["y"].notna().mean()
    assert line["y"] == pytest.approx((mine["said"] - w * (mine["said"] - mine["y"].fillna(0))).mean())
    assert np.average(found["y"], weights=found["n"]) == pytest.approx(
        units_of(rows.assign(a=1), "a", predicted_var="y", prediction="said", sample_prob="pi").table["y"].iloc[0]
    )


def test_corrected_means_are_unbiased_and_their_errors_cover():
    """60 units of 40 pictures, a machine that sees what is not there, 30 % coded; 15 times."""
    random = np.random.default_rng(1)
    bias, naive, machine, sampling = [], [], [], []
    for _ in range(15):
        unit = np.repeat(np.arange(60), 40)
        p = random.beta(6, 6, 60)
        y = (random.random(2400) < p[unit]).astype(float)
        said = np.where(y == 1, random.random(2400) < 0.95, random.random(2400) < 0.2).astype(float)
        pi = np.where(said == 1, 0.4, 0.2)
        rows = pd.DataFrame({"u": unit, "y": np.where(random.random(2400) < pi, y, np.nan), "said": said, "pi": pi})
        table = units_of(rows, "u", predicted_var="y", prediction="said", sample_prob="pi").table
        truth = np.bincount(unit, y) / 40
        bias.append((table["y"] - truth).mean())
        naive.append((table["y_naive"] - truth).mean())
        machine.append(((table["y"] - truth).abs() < 1.96 * table["y_se_machine"]).mean())
        sampling.append(((table["y"] - p).abs() < 1.96 * table["y_se"]).mean())
    assert abs(np.mean(bias)) < 0.01 < 0.05 < np.mean(naive)
    assert 0.92 < np.mean(machine) < 0.98
    assert 0.92 < np.mean(sampling) < 0.98


def test_calibrated_predictions_need_be_no_probabilities():
    rows = fixture().assign(score=lambda d: 40 * d["said"] - 3)
    found = {
        learner: units_of(rows.assign(a=1), "a", predicted_var="y", prediction="score", learner=learner).table.iloc[0]
        for learner in ("raw", "linear")
    }
    assert found["linear"]["y_se"] < 0.04 < found["raw"]["y_se"]
    corrected = dsl_mean(rows, "y", "score").coef[0]
    assert found["linear"]["y"] == pytest.approx(corrected, abs=2e-3)


def test_observed_columns_become_means_sums_shares_and_what_is_the_same_throughout():
    rows = pd.DataFrame(
        {
            "outlet": ["a", "a", "a", "b", None],
            "country": ["DE", "DE", "DE", "FR", "FR"],
            "scene": ["city street", "city street", "room", None, "room"],
            "faces": [1, 2, np.nan, 4, 9],
            "night": [True, False, True, True, False],
            "error": [None, None, "broken", None, None],
        }
    )
    table = units_of(rows, "outlet", sums=["faces"]).table.set_index("outlet")
    assert table.loc["a", ["n", "n_failed", "faces", "faces_sum", "night", "country"]].tolist() == [
        2, 1, 1.5, 3, 0.5, "DE",
    ]  # fmt: skip
    named = units_of(rows.drop(columns="error"), "outlet", values=["scene"])
    shares = named.table.set_index("outlet")
    assert shares.loc["a", "scene_city_street"] == pytest.approx(2 / 3)
    assert np.isnan(shares.loc["b", "scene_room"])
    assert any("1 rows miss outlet" in text for text in named.words)


def test_probability_known_of_drawn_rows_only():
    rows = fixture().assign(a=1)
    rows.loc[rows["y"].isna(), "pi"] = np.nan
    found = units_of(rows, "a", predicted_var="y", prediction="said", sample_prob="pi")
    assert np.isnan(found.table["pi_unit"].iloc[0])
    assert any("pi_unit is missing" in text for text in found.warnings)
    assert found.table["y"].iloc[0] == pytest.approx(0.3469, abs=0.002)
    assert found.table["y_se_machine"].iloc[0] == pytest.approx(
        units_of(fixture().assign(a=1), "a", predicted_var="y", prediction="said", sample_prob="pi")
        .table["y_se_machine"]
        .iloc[0],
        rel=0.1,
    )


def reached(seed, units=40, size=50):
    """Pictures of unequal reach; the machine errs in a third of what many see, and rarely elsewhere."""
    random = np.random.default_rng(seed)
    n = units * size
    reach = np.exp(random.normal(size=n))
    mean = np.repeat(random.uniform(0.2, 0.6, units), size)
    truth = (random.random(n) < mean + 0.2 * (reach > 1.5)) * 1.0
    said = np.where(random.random(n) < np.where(reach > 1.5, 0.35, 0.04), 1 - truth, truth)
    pi = np.where(reach > 1.5, 0.3, 0.15)
    data = pd.DataFrame(
        {"u": np.repeat(np.arange(units), size), "truth": truth, "said": said, "pi": pi, "reach": reach}
    )
    return data.assign(y=data["truth"].where(random.random(n) < pi), mean=mean)


def test_weighted_means_and_their_intervals_hold_where_the_machine_errs_more_on_what_counts_more():
    """Around what coding every row would give, and around the mean of what a unit could have shown."""
    off, inside, wide, naive = [], [], [], []
    far = 0.2 * np.exp(0.5) * norm.cdf(1 - np.log(1.5)) / np.exp(0.5)  # what reach adds to a unit's weighted mean
    for seed in range(30):
        data = reached(seed)
        found = units_of(
            data, "u", predicted_var="y", prediction="said", sample_prob="pi", weights="reach", values=[]
        ).table
        full = data.groupby("u")[["truth", "reach"]].apply(lambda one: np.average(one["truth"], weights=one["reach"]))
        off.append((found["y"] - full).mean())
        naive.append((found["y_naive"] - full).mean())
        inside.append((np.abs(found["y"] - full) < 1.96 * found["y_se_machine"]).mean())
        expected = data.groupby("u")["mean"].first().to_numpy() + far
        wide.append((np.abs(found["y"] - expected) < 1.96 * found["y_se"]).mean())
        assert found["reach"].tolist() == pytest.approx(data.groupby("u")["reach"].sum().tolist())
    assert abs(np.mean(off)) < 0.01 < abs(np.mean(naive))
    assert 0.92 < np.mean(inside) < 0.97
    assert 0.92 < np.mean(wide) < 0.97


def test_weights_of_one_change_nothing_and_those_of_0_leave_rows_out():
    rows = fixture().assign(one=1.0, half=lambda data: (data["x"] > 0) * 1.0)
    named = {"predicted_var": "y", "prediction": "said", "sample_prob": "pi"}
    plain = units_of(rows.drop(columns=["one", "half"]), "cluster", **named).table
    same = units_of(rows.drop(columns="half"), "cluster", weights="one", **named).table
    pd.testing.assert_frame_equal(same.drop(columns="one"), plain)
    zero = units_of(rows.drop(columns="one"), "cluster", values=["truth"], weights="half", **named).table
    seen = rows[rows["x"] > 0].groupby("cluster")["truth"].mean()
    assert zero["truth"].tolist() == pytest.approx(seen.reindex(range(40)).tolist(), nan_ok=True)
    gap = units_of(rows.assign(one=rows["one"].where(rows.index > 4)), "cluster", weights="one", values=[])
    assert any("5 rows have none and are left out" in text for text in gap.words)
    with pytest.raises(InputError, match="'x' is below 0 in"):
        units_of(rows, "cluster", weights="x")


def test_units_that_were_drawn_whole_have_the_probability_of_their_rows_and_errors_that_add_up():
    random = np.random.default_rng(5)
    day = np.repeat(np.arange(400), 3)
    y = random.integers(0, 2, 1200) * 1.0
    wrong = (random.random(400) < 0.2)[day]  # a dark day is dark in all its pictures
    rows = pd.DataFrame({"day": day, "true": y, "said": np.where(wrong, 1 - y, y), "pi": 0.3})
    rows["y"] = rows["true"].where((random.random(400) < 0.3)[day])
    found = units_of(rows, "day", predicted_var="y", prediction="said", sample_prob="pi").table
    np.testing.assert_allclose(found["pi_unit"], 0.3)
    off = found["y"] - rows.groupby("day")["true"].mean().to_numpy()
    assert 0.7 < (off**2).mean() / (found["y_se_machine"] ** 2).mean() < 1.4


def test_equal_probabilities_can_be_named():
    rows = fixture()
    named = {"predicted_var": "y", "prediction": "said"}
    pd.testing.assert_frame_equal(
        units_of(rows, "cluster", sample_prob="equal", **named).table, units_of(rows, "cluster", **named).table
    )


def test_units_refuse():
    rows = fixture()
    with pytest.raises(InputError, match="did you mean cluster"):
        units_of(rows, "clustr")
    with pytest.raises(InputError, match="1 predicted_var but 0 prediction"):
        units_of(rows, "cluster", predicted_var="y")
    with pytest.raises(InputError, match="is text"):
        units_of(rows.assign(y=rows["y"].map({0: "no", 1: "yes"})), "cluster", predicted_var="y", prediction="said")
    with pytest.raises(DesignError, match="are coded by hand"):
        units_of(rows.head(20), "cluster", predicted_var="y", prediction="said")
    with pytest.raises(DesignError, match="must lie above 0"):
        units_of(rows.assign(pi=0.0), "cluster", predicted_var="y", prediction="said", sample_prob="pi")
    with pytest.raises(InputError, match="would be called y_naive"):
        units_of(rows.assign(y_naive=1.0), "cluster", predicted_var="y", prediction="said")
    with pytest.raises(InputError, match="no row has all of"):
        units_of(rows.assign(outlet=None), "outlet")


# balance


def test_counts_become_zero_and_shares_stay_missing():
    days = pd.DataFrame(
        {
            "outlet": ["a", "a", "b"],
            "day": pd.to_datetime(["2024-02-28", "2024-03-01", "2024-02-29"]),
            "country": ["DE", "DE", "FR"],
            "n": [5, 2, 1],
            "protest": [0.2, 0.5, 1.0],
        }
    )
    found = balanced(days, "outlet", "day")
    assert len(found) == 2 * 3 and found["filled"].tolist() == [False, True, False, True, False, True]
    assert found["n"].tolist() == [5, 0, 2, 0, 1, 0] and pd.api.types.is_integer_dtype(found["n"])
    assert found.loc[found["filled"], "protest"].isna().all()
    assert found["country"].tolist() == ["DE"] * 3 + ["FR"] * 3
    assert found["day"].dtype.kind == "M" and found["day"].iloc[1] == pd.Timestamp("2024-02-29")
    own = balanced(days, "outlet", "day", fill="missing", span="own")
    assert len(own) == 4 and np.isnan(own["n"].iloc[1])


def test_what_was_there_stays_as_it_was():
    random = np.random.default_rng(2)
    keys = pd.MultiIndex.from_product([list("abc"), range(2000, 2012)]).to_frame(index=False, name=["u", "year"])
    panel = keys.assign(x=random.normal(size=36), n=random.integers(0, 9, 36)).sample(20, random_state=1)
    found = balanced(panel, "u", "year")
    assert len(found) == 3 * (panel["year"].max() - panel["year"].min() + 1)
    kept = found[~found["filled"]].drop(columns="filled").reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, panel.sort_values(["u", "year"], ignore_index=True))


def test_a_share_is_not_filled_with_zeros():
    panel = pd.DataFrame({"u": ["a", "a"], "t": [1, 3], "share": [0.5, 1.0], "whole": [2.0, 1.0]})
    with pytest.raises(InputError, match="'share' is no count"):
        balanced(panel, "u", "t", columns=["share"])
    assert balanced(panel, "u", "t", columns=["whole"])["whole"].tolist() == [2, 0, 1]
    with pytest.raises(InputError, match="repeat a unit and time, such as a, 3"):
        balanced(panel.assign(t=3), "u", "t")
    with pytest.raises(InputError, match="already"):
        balanced(balanced(panel, "u", "t"), "u", "t")


# lags


@pytest.mark.parametrize(
    ("times", "every"),
    [
        (["2024-01", "2024-02", "2024-04"], None),
        (pd.to_datetime(["2024-01-01", "2024-02-01", "2024-04-01"]), None),
        (["2024-02-28", "2024-02-29", "2024-03-02"], None),
        ([datetime.date(2023, 12, 31), datetime.date(2024, 1, 1), datetime.date(2024, 1, 3)], None),
        (["2001", "2002", "2004"], None),
        ([2001, 2002, 2004], None),
        (pd.to_datetime(["2024-01-01", "2024-01-08", "2024-01-22"]), "week"),
        (pd.PeriodIndex(["2024Q1", "2024Q2", "2024Q4"], freq="Q"), None),
        (pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-04"]).tz_localize("Europe/Berlin"), None),
        (["2021-Q3", "2021-Q4", "2022-Q2"], None),
        (["2021Q3", "2021Q4", "2022Q2"], None),
        (["2020-W52", "2020-W53", "2021-W02"], None),  # 2020 has 53 weeks
        (["2021-01-04", "2021-01-11", "2021-01-25"], None),  # Mondays
        (pd.to_datetime(["2021-01-03", "2021-01-10", "2021-01-24"]), None),  # weeks labelled by their Sundays
        (pd.to_datetime(["2024-01-01", "2024-04-01", "2024-10-01"]), None),
        (pd.to_datetime(["2024-01-31", "2024-02-29", "2024-04-30"]), None),
        (pd.to_datetime(["2024-03-31", "2024-06-30", "2024-12-31"]), None),
        (pd.PeriodIndex(["2021-01-04", "2021-01-11", "2021-01-25"], freq="W-SUN"), None),
        (pd.PeriodIndex(["2021Q3", "2021Q4", "2022Q2"], freq="Q-NOV"), None),
        ([pd.Period("2021-12", "M"), pd.Period("2022-01", "M"), pd.Period("2022-03", "M")], None),
    ],
)
def test_a_gap_gives_missing_and_not_the_row_before(times, every):
    panel = pd.DataFrame({"u": "a", "t": times, "x": [1.0, 3.0, 7.0]})
    found = lags(panel, "u", "t", "x", lags=[1, 2], leads=[1], differences=True, every=every)
    nan = np.nan
    for name, expected in {
        "lag_x": [nan, 1, nan], "lag2_x": [nan, nan, 3], "lead_x": [3, nan, nan], "change_x": [nan, 2, nan],
    }.items():  # fmt: skip
        assert found[name].tolist() == pytest.approx(expected, nan_ok=True), name
    filled = balanced(panel, "u", "t", every=every)
    assert filled["filled"].tolist() == [False, False, True, False]
    assert filled["t"].map(type).nunique() == 1 and filled["t"].is_monotonic_increasing
    between = lags(filled.drop(columns="filled"), "u", "t", "x", lags=[1], every=every)["lag_x"]
    assert between.tolist() == pytest.approx([nan, 1, 3, nan], nan_ok=True)  # what was filled in has its place


def test_lags_are_those_of_pandas_in_a_balanced_panel_in_any_order():
    random = np.random.default_rng(3)
    keys = pd.MultiIndex.from_product([list("abcd"), range(30)]).to_frame(index=False, name=["u", "t"])
    panel = keys.assign(x=random.normal(size=120))
    expected = panel.groupby("u")["x"].shift(2)
    shuffled = panel.sample(frac=1, random_state=1)
    found = lags(shuffled, "u", "t", ["x"], lags=[2])
    pd.testing.assert_series_equal(found["lag2_x"].sort_index(), expected, check_names=False)


def test_new_times_are_written_like_the_others():
    for times, missing in {
        ("2021-Q4", "2022-Q1", "2022-Q3"): "2022-Q2",
        ("2020-W52", "2020-W53", "2021-W02"): "2021-W01",
        ("2021-01-04", "2021-01-11", "2021-01-25"): "2021-01-18",
        ("2021-11", "2021-12", "2022-02"): "2022-01",
    }.items():
        panel = pd.DataFrame({"u": "a", "t": times, "x": 1.0})
        assert balanced(panel, "u", "t")["t"].tolist() == [*times[:2], missing, times[2]]


def test_lags_refuse():
    panel = pd.DataFrame({"u": "a", "t": pd.to_datetime(["2024-01-01", "2024-01-15"]), "x": [1.0, 2.0]})
    with pytest.raises(InputError, match=r"whole weeks apart: every='week'"):
        lags(panel, "u", "t", "x")
    assert lags(panel, "u", "t", "x", lags=[2], every="week")["lag2_x"].tolist()[1] == 1
    with pytest.raises(InputError, match="1 step or more"):
        lags(panel, "u", "t", "x", lags=[0])
    with pytest.raises(InputError, match="write all as"):
        lags(panel.assign(t=["2024-01", "1 May"]), "u", "t", "x")
    with pytest.raises(InputError, match="holds '2024-Q5': write all as"):
        lags(panel.assign(t=["2024-Q1", "2024-Q5"]), "u", "t", "x")
    with pytest.raises(InputError, match="a date that there is not"):
        lags(panel.assign(t=["2021-W52", "2021-W53"]), "u", "t", "x")
    with pytest.raises(InputError, match="not whole"):
        lags(panel.assign(t=[1.5, 2]), "u", "t", "x")
    with pytest.raises(InputError, match="missing in 1 rows"):
        lags(panel.assign(t=[1, None]), "u", "t", "x")
    with pytest.raises(InputError, match="holds text"):
        lags(panel.assign(x=["a", "b"]), "u", "t", "x", every="week")
    with pytest.raises(InputError, match="already"):
        lags(panel.assign(lag2_x=1), "u", "t", "x", lags=[2], every="week")
