"""audit: published numbers, the numbers of scikit-learn, groups that a machine serves worse, and nothing dropped."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from visanda.errors import InputError
from visanda.study.audit.by_group import audit
from visanda.study.audit.rows import difference, proportion


@pytest.fixture(scope="module")
def faces():
    """A machine that errs more on one group and abstains where it is unsure."""
    random = np.random.default_rng(5)
    n = 600
    hand = pd.Series(random.choice(["woman", "man"], n))
    skin = pd.Series(random.choice(["dark", "light"], n, p=[0.3, 0.7]), name="skin")
    share = 0.75 * (hand == "woman") + 0.125 + random.normal(0, 0.12, n) - 0.3 * (skin == "dark") * (hand == "woman")
    share = share.clip(0, 1).round(2)
    machine = pd.Series(np.where(share > 0.55, "woman", np.where(share < 0.45, "man", None)), name="perceived_gender")
    return machine, hand, skin, share


def test_wilson_interval_of_the_literature():
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3
    for r, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        found = proportion(np.arange(n) < r, np.ones(n))
        assert found[1:] == pytest.approx((low, high), abs=1e-4)


def test_interval_of_a_difference_of_the_literature():
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10
    for a, m, b, n, low, high in (
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 20, 0.6791, 1),
    ):
        one, other = (proportion(np.arange(k) < r, np.ones(k)) for r, k in ((a, m), (b, n)))
        assert difference(one, other)[1:] == pytest.approx((low, high), abs=1e-4)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 10)), min_size=1, max_size=40))
def test_an_interval_holds_its_share_and_lies_between_0_and_1(rows):
    share, low, high = proportion(np.array([one for one, _ in rows]), np.array([weight for _, weight in rows]))
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1


def test_the_group_that_is_served_worse_is_named(faces):
    machine, hand, skin, share = faces
    found = audit(machine, hand, skin.to_frame(), probability=pd.DataFrame({"man": 1 - share, "woman": share}))
    table = found.table.set_index("group")
    there = machine.notna()
    assert table.loc["all", "accuracy"] == pytest.approx(metrics.accuracy_score(hand[there], machine[there]))
    assert table.loc["dark", "difference"] < 0
    assert table.loc["dark", "difference_high"] < 0
    assert table.loc["dark", "coverage"] == pytest.approx(there[skin == "dark"].mean())
    assert any("lowest in dark" in words and "chance" not in words for words in found.words)
    classes = found.extra["by class"].set_index(["by", "class"])
    scores = metrics.precision_recall_fscore_support(hand[there], machine[there], labels=["man", "woman"])
    np.testing.assert_allclose(classes.loc[("", ["man", "woman"]), "precision"], scores[0])
    np.testing.assert_allclose(classes.loc[("", ["man", "woman"]), "recall"], scores[1])
    women = found.extra["by class"].query("`class` == 'woman' and group == 'dark'").iloc[0]
    assert women["share_machine"] < women["share_hand"]
    assert f"Brier score of the probability of woman: {metrics.brier_score_loss(hand == 'woman', share):.3f}" in str(
        found
    )
    assert found.figure_png(50)


def test_nothing_is_dropped_in_silence(faces):
    machine, hand, skin, _ = faces
    failed = pd.Series(False, index=machine.index)
    failed[:7] = True
    machine = machine.mask(failed)
    coded = hand.mask(hand.index >= 500)
    found = audit(machine, coded, skin.to_frame(), failed=failed)
    for _, rows in found.table.groupby("by"):
        assert rows["n"].sum() == 500
        assert rows["failed"].sum() == 7
        assert rows["abstained"].sum() == machine[:500].isna().sum() - 7
    counts = found.extra["confusion"]
    assert counts.drop(columns="hand").to_numpy().sum() == 500
    assert counts["(no value)"].sum() == machine[:500].isna().sum()
    assert found.provenance["uncoded"] == 100


def test_weights_speak_of_all_units(faces):
    machine, hand, skin, _ = faces
    weights = pd.Series(np.where(skin == "dark", 4.0, 1.0))
    found = audit(machine, hand, weights=weights)
    there = machine.notna()
    expected = metrics.accuracy_score(hand[there], machine[there], sample_weight=weights[there])
    assert found.table.loc[0, "accuracy"] == pytest.approx(expected)
    plain = audit(machine, hand).table.loc[0]
    assert found.table.loc[0, "high"] - found.table.loc[0, "low"] > plain["high"] - plain["low"]
    assert any("weighted" in words for words in found.words)
    pd.testing.assert_frame_equal(audit(machine, hand, weights=weights * 0 + 3).table, audit(machine, hand).table)


def test_small_groups_and_odd_classes_are_warned_of(faces):
    machine, hand, skin, _ = faces
    group = skin.where(skin.index >= 12, "other")
    odd = hand.where(hand.index >= 3, "no face")
    warnings = " ".join(audit(machine, odd, group.to_frame()).warnings)
    assert "other (12)" in warnings
    assert "never said by the machine: no face" in warnings


def test_numbers_and_truth_as_groups(faces):
    machine, hand, _, _ = faces
    random = np.random.default_rng(1)
    groups = pd.DataFrame({"sharpness": random.normal(0, 5, 600), "frontal": random.random(600) < 0.5})
    groups.loc[:9, "sharpness"] = np.nan
    table = audit(machine, hand, groups).table
    quarters = table[table["by"] == "sharpness"]
    assert quarters["n"].tolist() == [10, 148, 147, 147, 148]
    assert [label[0] for label in quarters["group"]] == ["(", "1", "2", "3", "4"]
    assert table.loc[table["by"] == "frontal", "group"].tolist() == ["False", "True"]
    with pytest.raises(InputError, match="30 groups at most"):
        audit(machine, hand, pd.DataFrame({"account": [f"a{k % 40}" for k in range(600)]}))


def test_limits_of_agreement_of_bland_and_altman():
    # Bland & Altman (1986), table 1: peak expiratory flow (l/min), first measurements with the two meters
    large = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    small = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    found = audit(pd.Series(large, name="large"), pd.Series(small), kind="numbers")
    row = found.table.iloc[0]
    assert row["bias"] == pytest.approx(-2.1, abs=0.05)
    assert (row["limit_high"] - row["bias"]) / 1.96 == pytest.approx(38.8, abs=0.05)
    assert (row["low"], row["high"]) == pytest.approx((-22.0, 17.8), abs=0.15)
    assert row["correlation"] == pytest.approx(0.94, abs=0.005)


def test_ages_drawn_to_the_middle_are_noticed():
    random = np.random.default_rng(3)
    age = pd.Series(random.uniform(5, 85, 200))
    machine = (0.7 * age + 12 + random.normal(0, 5, 200)).rename("perceived_age")
    machine[:4] = np.nan
    old = pd.DataFrame({"old": np.where(age > 60, "over 60", "to 60")})
    found = audit(machine, age, old, kind="numbers")
    table = found.table.set_index("group")
    assert table.loc["all", "abstained"] == 4
    assert table.loc["over 60", "bias"] < 0 < table.loc["to 60", "bias"]
    assert table.loc["all", "mae"] == pytest.approx((machine - age).abs().mean())
    assert any("vary less" in text for text in found.warnings)
    assert any("largest in over 60" in text for text in found.words)
    assert found.figure_png(50)


def test_what_cannot_be_compared_is_refused():
    hand = pd.Series(["f", "m"])
    with pytest.raises(InputError, match="no class in common"):
        audit(pd.Series(["woman", "man"]), hand)
    with pytest.raises(InputError, match="same units"):
        audit(pd.Series(["f", "m"], index=[3, 4]), hand)
    with pytest.raises(InputError, match="no unit has a hand code"):
        audit(hand, pd.Series([None, None]))
    with pytest.raises(InputError, match="hold text"):
        audit(pd.Series([20.0, 30.0]), hand, kind="numbers")
    with pytest.raises(InputError, match="no value for any"):
        audit(pd.Series([None, None]), hand)
    with pytest.raises(InputError, match="above 0"):
        audit(hand, hand, weights=pd.Series([0.0, 1.0]))
