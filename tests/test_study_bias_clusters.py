"""bias with clusters and probabilities of the draw: intervals and tests that know what rows have in common."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from visanda.errors import DesignError, InputError
from visanda.study.audit.by_group import audit
from visanda.study.audit.clusters import equal_means
from visanda.study.audit.rows import Rows, collect
from visanda.study.bias.error_rates import bias
from visanda.study.bias.rates import Rate, rates


def machine_of_accounts(seed: int, accounts: int = 60, each: int = 6, clumped: float = 0.3) -> pd.DataFrame:
    """Faces of accounts, accounts of two outlets; the machine misses some accounts' women more, and no outlet's."""
    random = np.random.default_rng(seed)
    rate = random.beta(0.3 * (1 / clumped - 1), 0.7 * (1 / clumped - 1), accounts)
    account = np.repeat(np.arange(accounts), each)
    missed = random.random(len(account)) < rate[account]
    machine = np.where(missed, "man", "woman")
    frame = pd.DataFrame({"machine": machine, "hand": "woman", "outlet": np.where(account % 2, "taz", "FAZ")})
    frame.loc[0, "machine"] = "woman"
    return frame.assign(account=account)


def rows_of(frame: pd.DataFrame, cluster: bool) -> tuple[Rows, Rate]:
    """The rows of an audit, and the rate at which women are missed."""
    together = frame["account"] if cluster else None
    rows = collect(frame["machine"], frame["hand"], frame[["outlet"]], None, None, together)
    return rows, rates(rows, rows.hand, rows.machine, ["woman"])[1]


def test_rows_that_only_repeat_others_add_nothing():
    """Every row five times in its cluster: the interval is that of the rows once, with Student's t."""
    random = np.random.default_rng(1)
    once = pd.DataFrame({"hand": "woman", "machine": np.where(random.random(80) < 0.3, "man", "woman")})
    many = once.loc[np.repeat(once.index, 5)].reset_index(drop=True).assign(cluster=np.repeat(once.index, 5))
    table = audit(many["machine"], many["hand"], cluster=many["cluster"]).table.iloc[0]
    share = (once["machine"] == "woman").mean()
    t, n = stats.t.ppf(0.975, 79), 79
    half = t * np.sqrt(share * (1 - share) / n + t**2 / (4 * n**2)) / (1 + t**2 / n)
    assert (table["high"] - table["low"]) / 2 == pytest.approx(half, rel=1e-6)
    naive = audit(many["machine"], many["hand"]).table.iloc[0]
    assert naive["accuracy"] == table["accuracy"]
    assert naive["high"] - naive["low"] < 0.5 * (table["high"] - table["low"])


def test_accounts_that_are_served_worse_make_no_outlet_served_worse():
    """Of machines that treat outlets alike, at most one in twenty is accused; without clusters, one in four."""
    naive = clustered = 0
    for seed in range(120):
        frame = machine_of_accounts(seed)
        missed, taz = frame["machine"] == "man", (frame["outlet"] == "taz").to_numpy(dtype=int)
        naive += stats.chi2_contingency(pd.crosstab(missed, taz), correction=False)[1] < 0.05
        found = equal_means(missed.to_numpy(float), np.ones(len(frame)), taz, frame["account"].to_numpy())
        clustered += found is not None and found.p < 0.05
    assert naive >= 24
    assert clustered <= 12  # more in 2 of 100 tries at 5 %


def test_intervals_of_clustered_rates_hold_the_truth():
    held = 0
    for seed in range(120):
        frame = machine_of_accounts(seed, accounts=40)
        rows, missed = rows_of(frame, cluster=True)
        _, low, high = missed.within(rows, np.ones(len(frame), bool))
        held += low <= 0.3 <= high
    assert held >= 106


def test_a_difference_between_outlets_is_found_among_clusters():
    frame = machine_of_accounts(3, clumped=0.05)
    frame.loc[(frame["outlet"] == "taz") & (np.arange(len(frame)) % 2 == 0), "machine"] = "man"
    found = bias(frame["machine"], frame["hand"], frame[["outlet"]], positive="woman", cluster=frame["account"])
    row = found.extra["tests"].set_index("rate").loc["false negative rate"]
    assert row["test"] == "clustered score" and row["p"] < 0.001
    worst = found.extra["worst groups"].iloc[0]
    assert worst["group"] == "taz" and worst["gap_low"] > 0
    assert any("360 rows lie in 60 of account" in text for text in found.words)


def test_groups_that_share_clusters_are_compared_within_them():
    """Both outlets in every account: what an account does to both is no difference between them."""
    random = np.random.default_rng(5)
    account = np.repeat(np.arange(40), 10)
    hard = random.random(40) < 0.5
    frame = pd.DataFrame({"hand": "woman", "outlet": np.tile(["taz", "FAZ"], 200), "account": account})
    frame["machine"] = np.where(hard[account] & (np.arange(400) % 10 != 1), "man", "woman")
    table = audit(frame["machine"], frame["hand"], frame[["outlet"]], cluster=frame["account"]).table.set_index("group")
    width = table["high"] - table["low"]
    apart = table["difference_high"] - table["difference_low"]
    assert apart["taz"] < 0.6 * np.hypot(width["taz"], width["FAZ"])


def test_few_clusters_and_clusters_that_cannot_be_told_from_groups():
    frame = machine_of_accounts(4)
    arguments = (frame["machine"], frame["hand"], frame[["outlet"]])
    with pytest.raises(DesignError, match="all coded rows lie in one cluster of 'outlet'"):
        bias(*arguments, cluster=pd.Series("taz", frame.index, name="outlet"))
    with pytest.raises(DesignError, match="each group of 'outlet' lies in one cluster"):
        bias(*arguments, cluster=frame["outlet"])
    with pytest.raises(InputError, match="6 coded rows have no account"):
        bias(*arguments, cluster=frame["account"].where(frame["account"] > 0))
    alone = frame["account"].mask(frame["outlet"] == "FAZ", 0)
    found = bias(*arguments, cluster=alone)
    assert any("no interval, of: outlet = FAZ" in text for text in found.warnings)
    row = found.extra["rates"].query("group == 'FAZ' and rate == 'false negative rate'").iloc[0]
    assert np.isfinite(row["value"]) and np.isnan(row["low"])
    few = bias(*arguments, cluster=frame["account"] % 7)
    assert any("Fewer than 10 clusters" in text and "all (7)" in text for text in few.warnings)


def test_the_score_test_needs_more_clusters_than_groups():
    values, group = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0, 1, 2, 2])
    assert equal_means(values, np.ones(4), group, np.array([0, 1, 2, 2])) is None


def test_codes_drawn_with_unequal_probabilities_speak_of_all():
    """Coders got nine in ten of what the machine calls women, and one in ten of the rest."""
    random = np.random.default_rng(2)
    n = 20_000
    hand = pd.Series(np.where(random.random(n) < 0.4, "woman", "man"))
    machine = hand.mask(random.random(n) < 0.3, "man")
    pi = pd.Series(np.where(machine == "woman", 0.9, 0.1))
    coded = hand.where(random.random(n) < pi)
    outlet = pd.DataFrame({"outlet": random.choice(["taz", "FAZ"], n)})
    rate = {
        name: bias(machine, coded, outlet, sample_prob=given)
        .extra["rates"]
        .query("rate == 'false negative rate' and group == 'all'")["value"]
        .iloc[0]
        for name, given in (("naive", "equal"), ("weighted", pi))
    }
    truth = (machine[hand == "woman"] == "man").mean()
    assert rate["weighted"] == pytest.approx(truth, abs=0.04)
    assert abs(rate["naive"] - truth) > 0.2


def test_how_codes_were_drawn_is_asked_and_checked():
    frame = machine_of_accounts(6)
    arguments = (frame["machine"], frame["hand"], frame[["outlet"]])
    assert any("No probabilities of the draw" in text for text in bias(*arguments).warnings)
    assert not any("probabilities" in text for text in bias(*arguments, sample_prob="equal").warnings)
    with pytest.raises(DesignError, match="above 0, and 1 at most"):
        bias(*arguments, sample_prob=pd.Series(0.0, frame.index))
    with pytest.raises(DesignError, match="must be known wherever"):
        bias(*arguments, sample_prob=pd.Series(np.nan, frame.index))
    with pytest.raises(InputError, match="'same'"):
        bias(*arguments, sample_prob="same")
    with pytest.raises(InputError, match="not about the same units"):
        bias(*arguments, sample_prob=pd.Series(0.5, frame.index[::-1]))
