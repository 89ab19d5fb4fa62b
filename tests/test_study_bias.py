"""bias: rates counted by hand, tests of scipy and statsmodels, intervals that hold, groups that are served worse."""

from __future__ import annotations

import doctest
from importlib import import_module
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from visanda.errors import DesignError, InputError
from visanda.study.audit.rows import collect
from visanda.study.bias.association import association
from visanda.study.bias.collection import collection
from visanda.study.bias.consequence import consequence
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


def newspapers(seed: int, missed: float, n: int = 1500) -> tuple[pd.DataFrame, float]:
    """Women in two newspapers, of whom the machine misses some in one; and the true difference."""
    random = np.random.default_rng(seed)
    taz = random.random(n) < 0.4
    truth = random.random(n) < np.where(taz, 0.5, 0.4)
    said = np.where(taz & truth & (random.random(n) < missed), False, truth ^ (random.random(n) < 0.05))
    pi = np.where(taz, 0.4, 0.2)
    coded = random.random(n) < pi
    data = pd.DataFrame({"woman": np.where(coded, truth, np.nan), "said": said * 1.0, "pi": pi})
    return data.assign(outlet=np.where(taz, "taz", "FAZ")), float(truth[taz].mean() - truth[~taz].mean())


def test_a_difference_that_the_machine_makes_smaller_than_it_is():
    data, truth = newspapers(1, missed=0.3, n=6000)
    found = consequence(data, "woman", "outlet", prediction="said", sample_prob="pi")
    row = found.table[found.table["what"] == "difference"].iloc[0]
    assert (row["group"], row["against"]) == ("taz", "FAZ")
    means = data.groupby("outlet")["said"].mean()
    assert row["naive"] == pytest.approx(means["taz"] - means["FAZ"])
    coded = data.dropna(subset=["woman"]).groupby("outlet")["woman"].mean()
    assert row["gold"] == pytest.approx(coded["taz"] - coded["FAZ"])
    assert abs(row["corrected"] - truth) < 0.05 < abs(row["naive"] - truth)
    assert row["moved"] == pytest.approx(row["naive"] - row["corrected"])
    assert row["moved_high"] < 0
    assert "in the share of woman between taz and FAZ" in found.words[0]
    assert "may be chance" not in found.words[0]
    assert found.figure_png(50)


def test_shares_are_those_of_the_difference_and_words_fit_the_numbers():
    data, _ = newspapers(2, missed=0.0)
    found = consequence(data, "woman", "outlet", prediction="said", sample_prob="pi")
    shares = found.table[found.table["what"] == "share"].set_index("group")
    row = found.table[found.table["what"] == "difference"].iloc[0]
    for method in ("naive", "gold", "corrected"):
        assert shares.loc["taz", method] - shares.loc["FAZ", method] == pytest.approx(row[method])
    size = "larger" if abs(row["naive"]) > abs(row["corrected"]) else "smaller"
    points = abs(abs(row["naive"]) - abs(row["corrected"])) * 100
    assert f"{points:.1f} percentage points {size} than it is" in found.words[0]
    assert "That the machine moves it may be chance" in found.words[0]


def test_corrected_intervals_and_those_of_the_move_hold_the_truth():
    covered = moved = naive = 0
    for seed in range(36):
        data, truth = newspapers(seed, missed=0.25, n=900)
        row = consequence(data, "woman", "outlet", prediction="said", sample_prob="pi", splits=1).table.iloc[-1]
        covered += row["corrected_low"] <= 0.1 <= row["corrected_high"]
        naive += row["naive_low"] <= 0.1 <= row["naive_high"]
        moved += row["moved_low"] <= row["naive"] - truth <= row["moved_high"]
    assert covered >= 30 and moved >= 30  # of 36; with 95 % coverage, fewer in 2 of 1,000 tries
    assert naive < 18


def test_abstentions_are_left_out_of_naive_shares_only():
    data, _ = newspapers(3, missed=0.1)
    data["label"] = data["said"].where(np.arange(len(data)) % 10 > 0)
    found = consequence(data, "woman", "outlet", prediction="said", label="label", sample_prob="pi").table
    means = data.groupby("outlet")["label"].mean()
    assert found.iloc[-1]["naive"] == pytest.approx(means["taz"] - means["FAZ"])
    assert found.iloc[-1]["rows"] == (data["outlet"] == "taz").sum()


def test_faces_of_few_videos_are_warned_of():
    data, _ = newspapers(6, missed=0.1)
    data["video"] = np.arange(len(data)) % 12
    found = consequence(data, "woman", "outlet", prediction="said", sample_prob="pi", cluster="video", splits=1)
    assert any("only 12 clusters" in text for text in found.warnings)


def test_a_machine_without_an_error_moves_nothing():
    data, _ = newspapers(4, missed=0)
    data["said"] = data["woman"].fillna(0.0)
    found = consequence(data, "woman", "outlet", prediction="said", sample_prob="pi")
    assert any("errs in no coded row" in text for text in found.warnings)


def test_what_has_no_consequence_that_could_be_said():
    data, _ = newspapers(5, missed=0.1)
    with pytest.raises(DesignError, match="10 coded rows"):
        consequence(data.assign(outlet="taz"), "woman", "outlet", prediction="said")
    with pytest.raises(DesignError, match="0 and 1"):
        consequence(data.assign(woman=data["woman"] * 2), "woman", "outlet", prediction="said")
    with pytest.raises(InputError, match="said"):
        consequence(data, "woman", "outlet", prediction="sed")
    found = consequence(data, "woman", "outlet", prediction="said")
    assert any("simple random sample" in text for text in found.warnings)


# --- collection ------------------------------------------------------------------------------------------------------


def people() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "perceived_gender": ["woman"] * 30 + ["man"] * 50 + [None] * 20,
            "broken": [False] * 90 + [True] * 10,
            "outlet": ["taz", "FAZ"] * 50,
        }
    )


def test_who_is_in_a_collection_as_counted_by_hand():
    found = collection(people(), "perceived_gender", source="outlet", failed="broken")
    whole = found.table[found.table["source"] == "all"].set_index("value")
    assert whole["n"].to_dict() == {"man": 50, "woman": 30, "(no value)": 10, "(failed)": 10}
    assert whole.loc["woman", ["share", "share_known"]].tolist() == pytest.approx([0.3, 0.375])
    assert whole.loc["woman", ["low", "high"]].tolist() == pytest.approx(proportion_confint(30, 100, method="wilson"))
    taz = found.table[found.table["source"] == "taz"]
    assert taz["n"].sum() == 50
    assert any("no value for 20% of all" in text for text in found.warnings)
    assert found.figure_png(50)


def test_pictures_without_a_face_and_those_that_could_not_be_looked_at():
    pictures = pd.DataFrame({"n_faces": [0, 0, 1, 3, np.nan], "outlet": ["taz"] * 5})
    found = collection(people(), ["perceived_gender"], pictures=pictures).table
    row = found[found["column"] == "picture"].iloc[0]
    assert (row["n"], row["of"], row["share"]) == (2, 4, 0.5)


def test_faces_that_go_together_make_intervals_wider():
    pairs = pd.concat([people(), people()], ignore_index=True).assign(picture=np.tile(np.arange(100), 2))
    naive, honest = (
        collection(pairs, "perceived_gender", cluster=cluster).table.set_index("value").loc["woman"]
        for cluster in (None, "picture")
    )
    assert naive["share"] == honest["share"] == 0.3
    assert honest["high"] - honest["low"] == pytest.approx(np.sqrt(2) * (naive["high"] - naive["low"]), rel=0.02)


def test_weights_of_a_collection_and_what_it_refuses():
    weighted = collection(people().assign(w=[4.0] * 30 + [1.0] * 70), "perceived_gender", weights="w").table
    assert weighted.set_index("value").loc["woman", "share"] == pytest.approx(120 / 190)
    with pytest.raises(InputError, match="did you mean"):
        collection(people(), "perceived_gendr")
    with pytest.raises(InputError, match="no rows"):
        collection(people().iloc[:0], "perceived_gender")
    with pytest.raises(InputError, match="above 0"):
        collection(people().assign(w=0.0), "perceived_gender", weights="w")


# --- association -----------------------------------------------------------------------------------------------------


def published(x, y, a, b) -> tuple[float, float]:
    """d and exact one-sided p, word by word as Caliskan, Bryson & Narayanan (2017) define them."""

    def cosine(u, v):
        return u @ v / np.sqrt((u @ u) * (v @ v))

    def s(w):
        return np.mean([cosine(w, one) for one in a]) - np.mean([cosine(w, one) for one in b])

    every = [s(w) for w in [*x, *y]]
    n = len(x)
    d = (np.mean(every[:n]) - np.mean(every[n:])) / np.std(every, ddof=1)
    seen = sum(every[:n]) - sum(every[n:])
    orders = list(permutations(range(len(every))))
    far = [sum(every[k] for k in o[:n]) - sum(every[k] for k in o[n:]) >= seen - 1e-12 for o in orders]
    return float(d), float(np.mean(far))


def test_association_is_the_published_one():
    random = np.random.default_rng(6)
    x, y, a, b = (random.normal(size=(k, 8)) + shift for k, shift in ((3, 0.3), (4, 0), (5, 0.4), (6, 0)))
    d, p = published(x, y, a, b)
    found = association(x, y, a, b).table.iloc[0]
    assert bool(found["exact"]) and found["divisions"] == 35
    assert (found["d"], found["p"]) == pytest.approx((d, p))
    turned = association(y, x, a, b).table.iloc[0]
    assert turned["d"] == pytest.approx(-d)
    assert turned["p_two_sided"] == pytest.approx(found["p_two_sided"])


def test_many_pictures_are_divided_at_random():
    random = np.random.default_rng(7)
    a, b = np.eye(16)[:8], np.eye(16)[8:]
    towards = random.normal(size=(30, 16)) + np.r_[np.ones(8), np.zeros(8)] * 0.6
    away = random.normal(size=(30, 16))
    found = association(towards, away, a, b, names=("old", "young", "work", "home"), permutations=2000)
    assert found.table.loc[0, "p"] < 0.01 and not found.table.loc[0, "exact"]
    assert "pictures of old are nearer to work than to home" in found.words[0]
    same = association(towards, away, a, b, permutations=2000)
    assert same.table.loc[0, "p"] == found.table.loc[0, "p"]
    assert found.figure_png(50)


def test_without_an_association_p_is_below_five_in_a_hundred_as_often_as_it_should():
    random = np.random.default_rng(9)
    a, b = random.normal(size=(6, 10)), random.normal(size=(6, 10))
    small = sum(
        association(random.normal(size=(5, 10)), random.normal(size=(5, 10)), a, b).table.loc[0, "p"] <= 0.05
        for _ in range(200)
    )
    assert 2 <= small <= 19


def test_embeddings_that_make_no_association():
    good = np.random.default_rng(1).normal(size=(4, 5))
    with pytest.raises(InputError, match="shapes"):
        association(good, good, good, good[:, :4])
    with pytest.raises(InputError, match="length 0"):
        association(good, good * 0, good, good)
    with pytest.raises(InputError, match="missing"):
        association(good, good, good, np.full((2, 5), np.nan))
    with pytest.raises(InputError, match="different names"):
        association(good, good, good, good, names=("X", "X", "A", "B"))
    with pytest.raises(DesignError, match="at least 2"):
        association(good[:1], good, good, good)
    with pytest.raises(DesignError, match="alike"):
        association(good, good, good, good)
