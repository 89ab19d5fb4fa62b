"""Shares by group: ends of intervals, groups of which all codes are the same, and how far the work has come."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from visanda.errors import DesignError, InputError
from visanda.study.shares.by_group import shares_by
from visanda.study.shares.codes_alike import exact

KNOWN = {"by": ["group"], "prediction": "p", "label": "said", "splits": 2}


def posts(shares, seed=1, n=500, coded=0.1):
    """A group a share; a machine that is right nine times in ten."""
    random = np.random.default_rng(seed)
    group = np.repeat([f"g{place}" for place in range(len(shares))], n)
    y = (random.random(len(group)) < np.repeat(shares, n)) * 1.0
    said = np.where(random.random(len(group)) < 0.9, y, 1 - y)
    data = pd.DataFrame({"group": group, "said": said, "p": 0.1 + 0.8 * said, "cluster": np.arange(len(group)) % 20})
    return data.assign(y=pd.Series(y).where(random.random(len(group)) < coded))


def test_intervals_of_shares_end_at_0_and_1():
    found = shares_by(posts([0.03, 0.97, 0.5], seed=4, n=900, coded=0.06), "y", **KNOWN)
    assert found.table["low"].min() == 0 and found.table["high"].max() == 1
    assert (found.table["low"] <= found.table["high"]).all()


def test_a_corrected_share_below_0_is_left_and_said():
    """By chance, the machine errs more often on coded rows than on the others."""
    said = np.r_[np.ones(6), np.zeros(34), np.ones(5), np.zeros(355)]
    low = pd.DataFrame({"group": "low", "y": np.r_[np.zeros(39), 1, np.full(360, np.nan)], "said": said, "p": said})
    found = shares_by(pd.concat([low, posts([0.5])], ignore_index=True), "y", learner="raw", **KNOWN)
    line = found.table[found.table["group"] == "low"].set_index("method").loc["corrected (DSL)"]
    assert line["estimate"] < 0 and line["low"] == 0 and line["high"] > 0
    assert any("lies below 0 or above 1 in low (share of y -0." in text for text in found.warnings)


def test_where_all_codes_are_the_same_the_codes_alone_give_an_exact_interval():
    data = posts([0.0, 0.5])
    found = shares_by(data, "y", **KNOWN)
    mine = found.table[found.table["group"] == "g0"].set_index("method")
    n = int(data.loc[data["group"] == "g0", "y"].notna().sum())
    exact = binomtest(0, n).proportion_ci(0.95, "exact")
    assert list(mine.index) == ["naive", "gold only"]
    assert mine.loc["gold only", ["estimate", "low", "high"]].tolist() == pytest.approx([0, 0, exact.high])
    assert mine.loc["naive", "estimate"] == pytest.approx(data.loc[data["group"] == "g0", "said"].mean())
    assert any(f"All codes are the same in g0 ({n}, all 0)" in text for text in found.warnings)
    assert found.figure is not None
    clustered = shares_by(data, "y", cluster="cluster", **KNOWN).table.set_index(["group", "method"])
    assert clustered.loc[("g0", "gold only"), "high"] > 1.5 * exact.high  # 20 clusters say less than 50 codes


def test_that_exact_interval_covers_a_rare_value():
    """Of samples of 40 whose codes all say no, with 2 % of yes: an interval without width would never hold it."""
    random = np.random.default_rng(3)
    samples = pd.DataFrame((random.random((400, 40)) < 0.02) * 1.0)
    none = [exact(row.to_frame("y"), "y", 0.0, None, None) for _, row in samples.iterrows() if not row.any()]
    assert len(none) > 100
    assert all(low <= 0.02 <= high < 0.1 for _, low, high in none)


def test_a_category_that_nobody_coded_in_a_group_may_still_be_there():
    random = np.random.default_rng(2)
    group = np.repeat(["a", "b"], 500)
    kind = np.where(random.random(1000) < 0.5, "tool", np.where(group == "a", "fish", "art"))
    data = pd.DataFrame({"group": group, "said": np.where(random.random(1000) < 0.9, kind, "tool")})
    data["kind"] = pd.Series(kind, dtype=object).where(random.random(1000) < 0.1)
    table = shares_by(data, "kind", by=["group"], prediction="said", splits=1).table
    line = table[(table["group"] == "a") & (table["term"] == "share of art")].set_index("method").loc["gold only"]
    assert line["estimate"] == 0 and 0.03 < line["high"] < 0.12


def test_each_group_is_a_step_of_progress():
    steps = []
    shares_by(posts([0.3, 0.5, 0.0]), "y", progress=lambda done, total: steps.append((done, total)), **KNOWN)
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_where_no_group_can_be_corrected_each_reason_is_said():
    data = posts([0.0, 1.0])
    with pytest.raises(DesignError, match="no group can be corrected: All codes are the same in g0"):
        shares_by(data, "y", **KNOWN)


def test_means_of_numbers_are_no_shares():
    random = np.random.default_rng(1)
    data = posts([0.3, 0.6]).rename(columns={"y": "coded"})
    data["p"] = random.integers(1, 8, len(data)).astype(float)
    data["size"] = (data["p"] + random.normal(size=len(data))).where(data["coded"].notna())
    found = shares_by(data, "size", by=["group"], prediction="p", splits=1)
    assert found.title == "Means of size by group" and found.figure is None
    assert found.table["high"].max() > 1


def test_times_are_drawn_from_left_to_right_under_their_names():
    data = posts([0.3, 0.5, 0.4])
    data["group"] = data["group"].map({"g0": "2023-Q4", "g1": "2024-Q1", "g2": "2024-Q3"})
    (axes,) = shares_by(data, "y", **KNOWN).figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["2023-Q4", "2024-Q1", "2024-Q3"]
    first, second, third = axes.get_xticks()
    assert 1.8 < (third - second) / (second - first) < 2.2  # a quarter is missing between


def test_a_group_that_is_one_cluster_is_not_corrected():
    data = posts([0.3, 0.5]).assign(outlet=lambda rows: np.where(rows["group"] == "g0", "one", rows["cluster"]))
    found = shares_by(data, "y", cluster="outlet", **KNOWN)
    assert set(found.table["group"]) == {"g1"}
    assert any("g0: codes lie in fewer than 5 clusters of 'outlet'" in text for text in found.warnings)


def half_alike() -> pd.DataFrame:
    """Two months, in the first of which all codes are 0."""
    random = np.random.default_rng(1)
    coded = pd.Series(random.integers(0, 2, 200) * 1.0).where(np.arange(200) % 2 == 0)
    data = pd.DataFrame({"month": np.repeat(["a", "b"], 100), "y": coded, "p": random.random(200), "pi": 0.5})
    return data.assign(y=data["y"].where(data["y"].isna() | (data["month"] == "b"), 0.0), account=np.arange(200) % 40)


@pytest.mark.parametrize("pi", [0.0, 1.5, np.nan])
def test_codes_alike_of_impossible_probabilities_have_no_interval(pi: float):
    data = half_alike()
    data.loc[data["month"] == "a", "pi"] = pi
    found = shares_by(data, "y", by=["month"], prediction="p", sample_prob="pi", splits=1)
    assert set(found.table["group"]) == {"b"}
    assert any(text.startswith("No corrected share of a: ") and "pi" in text for text in found.warnings)


def test_a_column_that_is_nowhere_is_said_where_codes_are_alike():
    with pytest.raises(InputError, match="column 'nope' is not in the table"):
        shares_by(half_alike(), "y", by=["month"], prediction="p", sample_prob="nope", splits=1)


def test_codes_alike_outside_of_any_cluster_do_not_count():
    data = half_alike()
    data["account"] = data["account"].where(data.index != 0).astype(object)
    found = shares_by(data, "y", by=["month"], prediction="p", cluster="account", splits=1).table
    high = found.set_index(["group", "method"]).loc[("a", "gold only"), "high"]
    assert 0.1 < high < 0.25
