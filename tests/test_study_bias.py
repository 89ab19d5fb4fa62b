"""bias: rates counted by hand, tests of scipy and statsmodels, intervals that hold, groups that are served worse."""

from __future__ import annotations

import doctest
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from visanda.errors import InputError
from visanda.study.audit.rows import collect
from visanda.study.bias.equal_rates import fisher
from visanda.study.bias.error_rates import bias
from visanda.study.bias.intersections import with_intersections
from visanda.study.bias.rates import Cell, rates
from visanda.study.bias.worst import shrunk, worst_groups

MODULES = ["association", "collection", "consequence", "equal_rates", "error_rates", "intersections", "rates", "worst"]


@pytest.mark.parametrize("module", MODULES)
def test_examples(module):
    failed, tried = doctest.testmod(import_module(f"visanda.study.bias.{module}"))
    assert tried > 0 and failed == 0


def counted(cells: dict[str, tuple[int, int, int, int]]) -> tuple[pd.Series, pd.Series, pd.DataFrame]:
    """Machine, hand and groups of so many true positives, false negatives, false positives and true negatives."""
    rows = []
    for group, numbers in cells.items():
        for (said, true), n in zip((("yes", "yes"), ("no", "yes"), ("yes", "no"), ("no", "no")), numbers, strict=True):
            rows += [(said, true, group)] * n
    frame = pd.DataFrame(rows, columns=["said", "true", "skin"])
    return frame["said"], frame["true"], frame[["skin"]]


SERVED = {"dark": (60, 40, 12, 88), "light": (180, 20, 6, 194)}


def rate(table: pd.DataFrame, group: str, name: str, of: str = "yes") -> pd.Series:
    return table[(table["group"] == group) & (table["rate"] == name) & (table["class"] == of)].iloc[0]


# --- error rates -----------------------------------------------------------------------------------------------------


def test_rates_as_counted_by_hand():
    found = bias(*counted(SERVED))
    for group, missed, wrong, said in (
        ("dark", 40 / 100, 12 / 100, 72 / 200),
        ("light", 20 / 200, 6 / 200, 186 / 400),
        ("all", 60 / 300, 18 / 300, 258 / 600),
    ):
        assert rate(found.extra["rates"], group, "false negative rate")["value"] == pytest.approx(missed)
        assert rate(found.extra["rates"], group, "false positive rate")["value"] == pytest.approx(wrong)
        assert rate(found.extra["rates"], group, "selection rate")["value"] == pytest.approx(said)
    dark = rate(found.extra["rates"], "dark", "false negative rate")
    assert dark["n"] == 100
    assert (dark["low"], dark["high"]) == pytest.approx(proportion_confint(40, 100, method="wilson"))
    assert dark["difference"] == pytest.approx(0.3)
    assert "The false negative rate of yes is highest in dark, 40.0% (n = 100), +30.0 percentage points" in str(found)
    assert found.figure_png(50)


def test_tests_are_those_of_scipy_and_holms():
    tests = bias(*counted(SERVED)).extra["tests"].set_index("rate")
    for name, table in (
        ("false negative rate", [[40, 60], [20, 180]]),
        ("false positive rate", [[12, 88], [6, 194]]),
        ("selection rate", [[72, 128], [186, 214]]),
    ):
        expected = stats.chi2_contingency(table, correction=False)
        assert tests.loc[name, "test"] == "chi-square"
        assert tests.loc[name, "statistic"] == pytest.approx(expected.statistic)
        assert tests.loc[name, "p"] == pytest.approx(expected.pvalue)
    np.testing.assert_allclose(tests["p_holm"], multipletests(tests["p"], method="holm")[1])


def test_small_cells_are_tested_exactly():
    machine, hand, groups = counted({"a": (8, 2, 1, 9), "b": (5, 5, 0, 10)})
    tests = bias(machine, hand, groups).extra["tests"].set_index("rate")
    assert tests.loc["false negative rate", "test"] == "Fisher"
    assert tests.loc["false negative rate", "p"] == pytest.approx(stats.fisher_exact([[2, 8], [5, 5]])[1])


def test_fishers_test_of_several_groups_is_that_of_all_tables():
    counts = np.array([[1, 9], [5, 5], [7, 1]])
    hits, sizes = np.array([1, 5, 7]), np.array([10, 10, 8])
    law = stats.multivariate_hypergeom(sizes, 13)
    every = [(a, b, 13 - a - b) for a in range(11) for b in range(11) if 0 <= 13 - a - b <= 8]
    chances = np.array([law.pmf(one) for one in every])
    exact = chances[chances <= law.pmf(hits) * (1 + 1e-9)].sum()
    assert exact == pytest.approx(0.0042, abs=5e-5)
    assert fisher(counts) == pytest.approx(exact, abs=0.0025)


def test_differences_that_the_literature_names():
    found = bias(*counted(SERVED)).extra["differences"].set_index("difference")
    parity, odds = found.loc["demographic parity difference"], found.loc["equalised odds difference"]
    assert (parity["highest"], parity["lowest"]) == ("light", "dark")
    assert parity["value"] == pytest.approx(186 / 400 - 72 / 200)
    assert (odds["rate"], odds["value"]) == ("false negative rate", pytest.approx(0.3))
    assert 0 <= parity["low"] < parity["value"] < parity["high"]


def test_weights_give_the_rates_of_the_population():
    machine, hand, groups = counted(SERVED)
    weights = pd.Series(np.where(machine == "yes", 1.0, 4.0))
    found = rate(bias(machine, hand, groups, weights).extra["rates"], "dark", "false negative rate")
    assert found["value"] == pytest.approx(40 * 4 / (40 * 4 + 60))
    size = (40 * 4 + 60) ** 2 / (40 * 16 + 60)
    expected = proportion_confint(found["value"] * size, size, method="wilson")
    assert (found["low"], found["high"]) == pytest.approx(expected)


def test_abstentions_are_a_rate_of_their_own():
    machine, hand, groups = counted(SERVED)
    silent = (groups["skin"] == "dark") & (np.arange(len(hand)) % 2 == 0)
    found = bias(machine.where(~silent, None), hand, groups)
    acceptance = rate(found.extra["rates"], "dark", "acceptance rate", "")
    assert (acceptance["value"], acceptance["n"]) == (0.5, 200)
    assert rate(found.extra["rates"], "dark", "false negative rate")["n"] == 50
    assert found.extra["tests"].set_index("rate").loc["acceptance rate", "p"] < 1e-10


def test_each_of_several_classes_against_the_others():
    hand = pd.Series(["a"] * 40 + ["b"] * 40 + ["c"] * 40)
    machine = hand.copy()
    machine[:10] = "b"
    half = pd.DataFrame({"half": np.where(np.arange(120) % 2, "x", "y")})
    table = bias(machine, hand, half).extra["rates"]
    assert rate(table, "all", "false negative rate", "a")["value"] == pytest.approx(0.25)
    assert rate(table, "all", "false positive rate", "b")["value"] == pytest.approx(10 / 80)
    assert rate(table, "all", "false positive rate", "c")["value"] == 0
    assert set(bias(machine, hand, half, positive="b").extra["rates"]["class"]) == {"b"}


def test_the_worst_is_found_where_two_groups_meet():
    random = np.random.default_rng(4)
    n = 1200
    groups = pd.DataFrame({"age": random.choice(["old", "young"], n), "outlet": random.choice(["FAZ", "taz"], n)})
    hand = pd.Series(random.choice(["no", "yes"], n))
    hard = (groups["age"] == "old") & (groups["outlet"] == "taz") & (hand == "yes")
    machine = hand.where(random.random(n) > np.where(hard, 0.6, 0.1), hand.map({"no": "yes", "yes": "no"}))
    for crossed in (["age*outlet"], ["*"]):
        worst = bias(machine, hand, groups, crossed=crossed).extra["worst groups"].set_index(["by", "rate"])
        row = worst.loc[("age × outlet", "false negative rate")]
        assert row["group"] == "old × taz"
        assert row["gap_low"] > 0.3
        assert row["rest"] < row["shrunk"] < row["value"]
    with pytest.raises(InputError, match="outlett"):
        bias(machine, hand, groups, crossed=["age*outlett"])
    with pytest.raises(InputError, match="with itself"):
        with_intersections(groups, ["age*age"])
    with pytest.raises(InputError, match="two or more"):
        with_intersections(groups[["age"]], ["*"])


def test_probabilities_that_are_off_for_one_group():
    random = np.random.default_rng(3)
    n = 1500
    share = random.random(n)
    skin = pd.DataFrame({"skin": random.choice(["dark", "light"], n)})
    dark = (skin["skin"] == "dark").to_numpy()
    hand = pd.Series(np.where(random.random(n) < np.where(dark, share**0.5, share), "yes", "no"))
    machine = pd.Series(np.where(share > 0.5, "yes", "no"))
    found = bias(machine, hand, skin, probability=pd.Series(share))
    calibrated = found.extra["calibration"].set_index("group")
    true = (hand == "yes").to_numpy()
    gap = share[dark].mean() - true[dark].mean()
    assert calibrated.loc["dark", "gap"] == pytest.approx(gap)
    low, high = stats.t.interval(0.95, dark.sum() - 1, gap, stats.sem(share[dark] - true[dark]))
    assert (calibrated.loc["dark", "low"], calibrated.loc["dark", "high"]) == pytest.approx((low, high))
    assert calibrated.loc["light", "low"] < 0 < calibrated.loc["light", "high"]
    assert calibrated.loc["dark", "ece"] > calibrated.loc["dark", "ece_by_chance"]
    assert calibrated.loc["light", "ece"] < calibrated.loc["light", "ece_by_chance"]
    tests = found.extra["tests"].set_index("rate")
    gaps = [share[one] - true[one] for one in (dark, ~dark)]
    q = combine_effects(np.array([one.mean() for one in gaps]), np.array([stats.sem(one) ** 2 for one in gaps])).q
    assert tests.loc["calibration gap", "statistic"] == pytest.approx(q)
    assert "Probabilities of yes are furthest off in dark" in str(found)


def test_rates_are_pulled_towards_each_other_by_as_much_as_their_spread_is_chance():
    rows = np.ones(1, bool)
    values, sizes = np.array([0.1, 0.3, 0.6, 0.2]), np.array([40.0, 80.0, 60.0, 100.0])
    cells = [Cell(str(k), rows, int(n), n, p) for k, (p, n) in enumerate(zip(values, sizes, strict=True))]
    pooled = np.average(values, weights=sizes)
    within = pooled * (1 - pooled) / sizes
    meta = combine_effects(values, within, method_re="chi2")  # DerSimonian & Laird
    expected = meta.mean_effect_re + meta.tau2 / (meta.tau2 + within) * (values - meta.mean_effect_re)
    np.testing.assert_allclose(shrunk(cells), expected, rtol=1e-6)
    assert shrunk([Cell("a", rows, 50, 50, 0.0), Cell("b", rows, 50, 50, 0.0)]).tolist() == [0, 0]


def test_the_interval_of_the_worst_group_knows_that_it_was_picked():
    """Eight groups alike: the gap of the worst is 0, which its interval holds; one for a single group does not."""
    random = np.random.default_rng(8)
    at_once = alone = runs = 0
    groups = pd.DataFrame({"g": np.repeat(list("abcdefgh"), 60)})
    hand = pd.Series(["yes"] * 480)
    for _ in range(200):
        machine = pd.Series(np.where(random.random(480) < 0.3, "no", "yes"))
        rows = collect(machine, hand, groups, None, None)
        missed = rates(rows, hand, machine, ["yes"])[1]
        row = worst_groups(rows, [missed]).iloc[0]
        worst = (groups["g"] == row["group"]).to_numpy()
        one, rest = (missed.within(rows, members) for members in (worst, ~worst))
        plain = one[0] - rest[0] - np.hypot(one[0] - one[1], rest[2] - rest[0])
        runs, at_once, alone = runs + 1, at_once + (row["gap_low"] <= 0), alone + (plain <= 0)
    assert at_once / runs >= 0.93
    assert alone / runs < 0.9


def test_small_groups_are_said_and_not_compared():
    machine, hand, groups = counted(SERVED | {"other": (2, 3, 0, 4)})
    found = bias(machine, hand, groups)
    assert any("skin = other (9)" in text for text in found.warnings)
    assert any("skin = other (false negative rate of yes)" in text for text in found.warnings)
    assert set(found.extra["worst groups"]["group"]) == {"dark"}


def test_a_perfect_machine_and_a_single_group():
    machine, hand, groups = counted({"dark": (50, 0, 0, 50), "light": (50, 0, 0, 50)})
    found = bias(machine, hand, groups)
    assert (found.extra["tests"].set_index("rate").loc["false negative rate", "p"]) == 1
    assert "is 0 in every group" in str(found)
    alone = bias(machine, hand, groups.assign(skin="dark"))
    assert "By skin: nothing to compare" in str(alone)
    assert alone.figure_png(40)


def test_what_cannot_be_compared_is_said():
    machine, hand, groups = counted(SERVED)
    with pytest.raises(InputError, match="name one or more"):
        bias(machine, hand, pd.DataFrame(index=hand.index))
    with pytest.raises(InputError, match="positive='woman'"):
        bias(machine, hand, groups, positive="woman")
    with pytest.raises(InputError, match="between 0 and 1"):
        bias(machine, hand, groups, probability=pd.Series(3.0, hand.index))
    with pytest.raises(InputError, match="no class in common"):
        bias(machine.map({"yes": "1", "no": "0"}), hand, groups)
    with pytest.raises(InputError, match="30 groups"):
        bias(machine, hand, pd.DataFrame({"name": hand.index.astype(str)}))
    with pytest.raises(InputError, match="join them by id"):
        bias(machine, hand, groups.iloc[::-1])


# --- consequence -----------------------------------------------------------------------------------------------------
