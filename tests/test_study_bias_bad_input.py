"""bias, audit and consequence on tables that say little: each number that is missing has a sentence that says why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from visanda.errors import DesignError, InputError
from visanda.study.audit.by_group import audit
from visanda.study.audit.rows import difference
from visanda.study.bias.consequence import consequence
from visanda.study.bias.error_rates import bias

N = 120


@pytest.fixture
def coded() -> pd.DataFrame:
    """Codes of two groups, and a machine that misses one in five."""
    random = np.random.default_rng(1)
    hand = pd.Series(random.choice(["no", "yes"], N))
    machine = hand.mask(random.random(N) < 0.2, "no")
    return pd.DataFrame({"hand": hand, "machine": machine, "group": np.where(np.arange(N) % 2, "a", "b")})


def rates(frame: pd.DataFrame, **more):
    return bias(frame["machine"], frame["hand"], frame[["group"]], sample_prob="equal", **more)


def test_a_group_of_one_row_and_one_without_a_positive(coded):
    alone = rates(coded.assign(group=coded["group"].where(coded.index > 0, "solo")))
    assert any("group = solo (1)" in text for text in alone.warnings)
    assert any("not compared: group = solo" in text for text in alone.warnings)
    none = rates(coded.assign(hand=coded["hand"].where(coded["group"] == "a", "no")))
    assert none.table.set_index("group").loc[["b"], "false negative rate"].isna().all()
    assert any("group = b (false negative rate of yes)" in text for text in none.warnings)


def test_groups_that_are_not_known_are_a_group_of_their_own(coded):
    found = rates(coded.assign(group=coded["group"].where(coded.index >= 40)))
    assert "(missing)" in set(found.table["group"])
    assert found.table.set_index("group").loc["(missing)", "n"] <= 40
    for group in (None, "a"):
        assert "By group: nothing to compare, since fewer than two groups" in str(rates(coded.assign(group=group)))


def test_a_machine_that_always_says_the_same(coded):
    found = rates(coded.assign(machine="no"))
    assert found.table.loc[0, ["false positive rate", "false negative rate"]].tolist() == [0, 1]
    text = str(audit(pd.Series(["no"] * N), coded["hand"], coded[["group"]]))
    assert "no precision, since the machine never says it" in text
    assert "nan%" not in text


def test_codes_that_are_all_the_same(coded):
    found = rates(coded.assign(hand="yes"))
    assert any("said in none (n = 0)" in text for text in found.words)
    numbers = audit(pd.Series([1.0] * N), pd.Series([2.0] * N), coded[["group"]], kind="numbers")
    assert any("no correlation, since one of both never varies" in text for text in numbers.words)


def test_two_clusters_are_too_few_for_a_test(coded):
    found = rates(coded, cluster=pd.Series(np.arange(N) % 4 // 2, name="account"))
    assert any("too few clusters for a test" in text for text in found.words)
    assert found.extra["tests"]["p"].isna().any()
    assert found.figure_png(40)


def test_an_interval_that_is_not_known_makes_no_difference_sure():
    assert np.isnan(difference((0.9, np.nan, np.nan), (0.1, 0.05, 0.2), 0.3)[1:]).all()


def test_weights_that_are_none(coded):
    for weight in (np.inf, np.nan, 0.0):
        with pytest.raises(InputError, match="numbers above 0"):
            rates(coded, weights=pd.Series(weight, coded.index))


def test_the_consequence_is_refused_where_nothing_can_be_said(coded):
    data = pd.DataFrame({"y": (coded["hand"] == "yes") * 1.0, "group": coded["group"]})
    data["p"] = (coded["machine"] == "yes") * 1.0
    known = {"prediction": "p", "sample_prob": "equal", "splits": 1}
    with pytest.raises(DesignError, match="all 120 hand codes of 'y' are 1"):
        consequence(data.assign(y=1), "y", "group", **known)
    with pytest.raises(DesignError, match="all coded rows lie in one cluster of 'outlet'"):
        consequence(data.assign(outlet="taz"), "y", "group", cluster="outlet", **known)
    with pytest.raises(DesignError, match="10 rows have no 'account'"):
        consequence(data.assign(account=[None] * 10 + ["x", "y"] * 55), "y", "group", cluster="account", **known)


def test_a_machine_without_an_error_moves_nothing(coded):
    truth = (coded["hand"] == "yes") * 1.0
    data = pd.DataFrame({"y": truth.where(coded.index < 60), "p": truth, "group": coded["group"]})
    found = consequence(data, "y", "group", prediction="p", sample_prob="equal", splits=1)
    assert found.table["moved"].abs().max() == pytest.approx(0, abs=1e-9)
    assert found.words[0].startswith("The machine errs in no coded row: nothing tells that it moves the difference")
    assert not any("simple random sample" in text for text in found.warnings)
