"""reliability: the textbooks' numbers, intervals that cover, and what cannot be assessed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from visanda.errors import InputError
from visanda.study.reliability.alpha import krippendorff
from visanda.study.reliability.between_coders import reliability
from visanda.study.reliability.coders import Coded
from visanda.study.reliability.measures import measured


def long(**coders):
    rows = [
        (unit, coder, code) for coder, codes in coders.items() for unit, code in enumerate(codes) if code is not None
    ]
    return pd.DataFrame(rows, columns=["id", "coder", "value"])


def codes(text):
    return [None if mark in "*." else int(mark) for mark in text.split()]


def value(found):
    return found.table.set_index("measure")["value"]


def coded(units, coders, shares, alpha, seed=0):
    """Codes of coders who see the truth in a share √alpha of units, and guess by the shares otherwise."""
    random = np.random.default_rng(seed)
    values = np.array([f"v{place}" for place in range(len(shares))])
    true = random.choice(values, units, p=shares)
    seen = {
        coder: np.where(random.random(units) < alpha**0.5, true, random.choice(values, units, p=shares)).tolist()
        for coder in coders
    }
    return long(**seen)


NOMINAL, ORDINAL, INTERVAL = (f"Krippendorff's alpha ({level})" for level in ("nominal", "ordinal", "interval"))
# Krippendorff (2011): three coders of 15 units, and four of 12.
THREE = long(
    A=codes("* * * * * 3 4 1 2 1 1 3 3 * 3"),
    B=codes("1 * 2 1 3 3 4 3 * * * * * * *"),
    C=codes("* * 2 1 3 4 4 * 2 1 1 3 3 * 4"),
)
FOUR = long(
    A=codes("1 2 3 3 2 1 4 1 2 . . ."),
    B=codes("1 2 3 3 2 2 4 1 2 5 . 3"),
    C=codes(". 3 3 3 2 3 4 2 2 5 1 ."),
    D=codes("1 2 3 3 2 4 4 1 2 5 1 ."),
)
# Shrout & Fleiss (1979), table 2: four judges of six targets.
JUDGES = long(
    A=codes("9 6 8 7 10 6"),
    B=codes("2 1 4 1 5 2"),
    C=codes("5 3 6 2 6 4"),
    D=codes("8 2 8 6 9 7"),
)


@pytest.mark.parametrize(
    ("table", "alphas"), [(THREE, [0.691, 0.807, 0.811]), (FOUR, [0.743, 0.815, 0.849]), (FOUR, [0.743])]
)
def test_krippendorffs_textbook_values(table, alphas):
    for scale, alpha in zip(["nominal", "ordinal", "interval"], alphas, strict=False):
        found = reliability(table, scale=scale, resamples=50)
        assert found.table["value"].iloc[1] == pytest.approx(alpha, abs=5e-4)
        assert found.table["measure"].iloc[1] == f"Krippendorff's alpha ({scale})"


def test_alpha_of_ratios_is_that_of_the_textbook():
    assert krippendorff(FOUR, "ratio") == pytest.approx(0.797, abs=5e-4)
    with pytest.raises(InputError, match="no values below 0"):
        krippendorff(FOUR.assign(value=FOUR["value"] - 3), "ratio")


def test_gwets_ac1_is_that_of_irrcac():
    # irrCAC's example raw4raters; a version that counts missing codes as a value gives .78553
    assert value(reliability(FOUR))["Gwet's AC1"] == pytest.approx(0.77544, abs=5e-6)


def test_gwets_ac2_by_his_formula():
    # two coders, three values: agreement by weights .333 for one step, 0 for two (1 - C(k + 1, 2) / C(3, 2))
    found = reliability(long(A=[1, 1, 2, 3], B=[1, 2, 2, 1]), scale="ordinal", resamples=10)
    agree, share = (1 + 2 / 3 + 1 + 0) / 4, np.array([4, 3, 1]) / 8
    total = 3 + 4 * (2 / 3)
    chance = total / (3 * 2) * (share * (1 - share)).sum()
    assert value(found)["Gwet's AC2 (ordinal weights)"] == pytest.approx((agree - chance) / (1 - chance))


def test_the_correlations_of_shrout_and_fleiss():
    found = value(reliability(JUDGES, scale="interval"))
    assert found["ICC(1)"] == pytest.approx(0.17, abs=5e-3)
    assert found["ICC(A,1)"] == pytest.approx(0.29, abs=5e-3)
    assert found["ICC(C,1)"] == pytest.approx(0.71, abs=5e-3)
    assert found["mean absolute difference"] == pytest.approx(111 / 36)  # counted by hand


def test_correlations_use_units_that_some_coders_left_out():
    random = np.random.default_rng(3)
    true = random.normal(50, 10, 4000)
    bias = {"A": -4, "B": 0, "C": 4}
    table = long(**{name: (true + b + random.normal(0, 5, 4000)).tolist() for name, b in bias.items()})
    kept = table[random.random(len(table)) < 0.6]
    found = value(reliability(kept, scale="interval", resamples=10))
    assert found["ICC(C,1)"] == pytest.approx(100 / 125, abs=0.015)
    assert found["ICC(A,1)"] == pytest.approx(100 / (125 + 16), abs=0.015)


def test_kappa_of_two_coders_is_cohens_and_of_more_lights():
    table = coded(200, "AB", [0.5, 0.3, 0.2], 0.6)
    wide = table.pivot(index="id", columns="coder", values="value")
    assert value(reliability(table, resamples=10))["Cohen's kappa"] == pytest.approx(
        cohen_kappa_score(wide["A"], wide["B"])
    )
    ordered = value(reliability(table, scale="ordinal", order=["v0", "v1", "v2"], resamples=10))
    assert ordered["Cohen's kappa (quadratic weights)"] == pytest.approx(
        cohen_kappa_score(wide["A"], wide["B"], weights="quadratic")
    )
    three = coded(200, "ABC", [0.5, 0.5], 0.6)
    wide = three.pivot(index="id", columns="coder", values="value")
    pairs = [cohen_kappa_score(wide[a], wide[b]) for a, b in ("AB", "AC", "BC")]
    assert value(reliability(three, resamples=10))["Cohen's kappa (mean of pairs)"] == pytest.approx(np.mean(pairs))


def test_cohens_own_kappa():
    # Cohen (1968), 200 units: 70 % agree, 41 % by chance
    counts = np.array([[44, 5, 1], [7, 20, 3], [9, 5, 6]]) * 2
    pairs = [(a, b) for (a, b), n in np.ndenumerate(counts) for _ in range(n)]
    found = value(reliability(long(A=[a for a, _ in pairs], B=[b for _, b in pairs]), resamples=10))
    share = counts / counts.sum()
    chance = share.sum(axis=0) @ share.sum(axis=1)
    assert found["Cohen's kappa"] == pytest.approx((0.70 - chance) / (1 - chance)) == pytest.approx(0.492, abs=5e-4)


def test_two_coders_and_two_values_are_scotts_pi_with_its_small_sample_term():
    a, b = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    found = reliability(long(A=a, B=b))
    assert value(found)["percent agreement"] == pytest.approx(0.6)
    assert value(found)[NOMINAL] == pytest.approx(0.095, abs=5e-4)  # Krippendorff (2011), section B
    table = found.extra["coincidences"].set_index("value")
    np.testing.assert_allclose(table, [[10, 4], [4, 2]])


def test_a_codebooks_values_are_text_and_a_tables_may_be_numbers():
    plain = reliability(FOUR, scale="ordinal", order=[1, 2, 3, 4, 5], resamples=10).table
    for order in (["1", "2", "3", "4", "5"], [1.0, 2.0, 3.0, 4.0, 5.0]):
        for table in (FOUR, FOUR.assign(value=FOUR["value"].astype(int).astype(str))):
            pd.testing.assert_frame_equal(reliability(table, scale="ordinal", order=order, resamples=10).table, plain)


def test_values_that_nobody_gave_count_for_ac1_and_not_for_alpha():
    few, many = (value(reliability(FOUR, order=[*range(1, top)], resamples=10)) for top in (6, 11))
    assert many[NOMINAL] == few[NOMINAL] and many["Gwet's AC1"] > few["Gwet's AC1"] == pytest.approx(0.77544, abs=5e-6)


def test_sets_of_labels_are_as_far_apart_as_passonneau_says():
    table = long(A=["a|b", "a", "none", "c", "a"], B=["b|a", "a|b", "none", "a", "a|c"])
    far = reliability(table, scale="multilabel", resamples=10).extra["disagreements"].set_index("id")["distance"]
    # c and a have nothing in common; of a and a|b one holds the other: 1 - 1/2 · 2/3
    assert far.to_dict() == pytest.approx({3: 1, 1: 2 / 3, 4: 2 / 3})
    overlap = long(A=["a|b", "c"], B=["b|c", "c"])
    far = reliability(overlap, scale="multilabel", resamples=10).extra["disagreements"]["distance"]
    assert far.item() == pytest.approx(1 - 1 / 3 * 1 / 3)
    assert krippendorff(long(A=["a", "none", "b|a"], B=["a", "none", "a|b"]), "masi") == 1


@pytest.mark.parametrize(("units", "shares", "alpha"), [(150, [0.5, 0.5], 0.81), (100, [0.5, 0.3, 0.2], 0.6)])
def test_intervals_cover_a_known_reliability(units, shares, alpha):
    share = np.array(shares)
    agree = alpha + (1 - alpha) * (share**2).sum()
    chance = (share * (1 - share)).sum() / (len(share) - 1)
    true = {NOMINAL: alpha, "Cohen's kappa": alpha, "Gwet's AC1": (agree - chance) / (1 - chance)}
    covered = dict.fromkeys(true, 0)
    for seed in range(200):
        found = measured(Coded.of(coded(units, "AB", shares, alpha, seed)), 300, seed)[0].set_index("measure")
        for name, expected in true.items():
            covered[name] += found.loc[name, "low"] <= expected <= found.loc[name, "high"]
    assert all(180 <= times <= 199 for times in covered.values()), covered


def test_intervals_of_correlations_cover():
    covered = dict.fromkeys(["ICC(1)", "ICC(A,1)", "ICC(C,1)", INTERVAL], 0)
    random = np.random.default_rng(5)
    for _ in range(200):
        true = random.normal(0, 2, 120)
        table = long(A=(true + random.normal(0, 1, 120)).tolist(), B=(true + random.normal(0, 1, 120)).tolist())
        found = measured(Coded.of(table, "interval"), 300, 1)[0].set_index("measure")
        for name in covered:
            covered[name] += found.loc[name, "low"] <= 0.8 <= found.loc[name, "high"]
    assert all(176 <= times <= 199 for times in covered.values()), covered


@given(st.lists(st.tuples(*[st.sampled_from(["x", "y", "z", None])] * 3), min_size=2, max_size=12), st.randoms())
@settings(max_examples=40)
def test_the_order_of_rows_and_what_coders_and_units_are_called_change_nothing(rows, random):
    table = long(**{name: [row[place] for row in rows] for place, name in enumerate("ABC")})
    if table.empty:
        return
    mixed = table.sample(frac=1, random_state=random.randrange(99))
    mixed["coder"] = mixed["coder"].map({"A": "zoe", "B": "ann", "C": "mia"})
    mixed["id"] = (mixed["id"] * 7 + 3) % 101
    for scale in ("nominal", "ordinal", "multilabel"):
        order = ["x", "y", "z"]
        one, other = (reliability(each, scale=scale, order=order, resamples=40) for each in (table, mixed))
        pd.testing.assert_series_equal(one.table["value"].astype(float), other.table["value"].astype(float))
        counted = one.table["measure"].astype(str).str.contains("alpha|AC|agreement")
        pd.testing.assert_frame_equal(one.table[counted], other.table[counted])


@given(st.lists(st.integers(0, 4), min_size=2, max_size=30), st.sampled_from(["nominal", "ordinal", "interval"]))
@settings(max_examples=40)
def test_perfect_agreement_is_one(values, scale):
    found = reliability(long(A=values, B=values, C=values), scale=scale, resamples=20).table
    beyond = found[~found["measure"].str.contains("difference")]["value"]
    if len(set(values)) > 1:
        np.testing.assert_allclose(beyond, 1)
    else:
        assert beyond.iloc[1:].isna().all()


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval"])
def test_chance_is_about_nothing(scale):
    random = np.random.default_rng(1)
    table = long(**{name: random.integers(0, 5, 3000).tolist() for name in "ABC"})
    found = reliability(table, scale=scale, resamples=20).table
    assert found[~found["measure"].str.contains("agreement|difference")]["value"].abs().max() < 0.04


def test_low_alpha_in_spite_of_high_agreement_is_explained():
    found = reliability(coded(200, ["ana", "ben"], [0.95, 0.05], 0.3))
    assert value(found)[NOMINAL] < 0.667 and value(found)["percent agreement"] > 0.9
    said = next(text for text in found.warnings if "Feinstein" in text)
    assert "Gwet's AC1 (0.9" in said and "are v0" in said
    assert not any("Feinstein" in text for text in reliability(coded(200, "AB", [0.5, 0.5], 0.3)).warnings)


def test_by_value_says_which_value_is_the_trouble():
    random = np.random.default_rng(2)
    true = np.array(["no", "fire", "smoke"])[random.integers(0, 3, 600)]
    mixed = np.where((true != "no") & (random.random(600) < 0.5), random.permutation(true), true)
    confused = np.where(mixed == "no", true, mixed)
    found = reliability(long(A=true.tolist(), B=confused.tolist()), resamples=50).extra["by value"].set_index("value")
    assert found.loc["no", "alpha"] > max(found.loc["fire", "alpha"], found.loc["smoke", "alpha"]) + 0.1
    both = ((true == "fire") & (confused == "fire")).sum()
    assert found.loc["fire", "agreement"] == pytest.approx(
        2 * both / ((true == "fire").sum() + (confused == "fire").sum())
    )
    assert found.loc["fire", "codes"] == (true == "fire").sum() + (confused == "fire").sum()


def test_by_coder_finds_who_differs_and_who_is_lenient():
    table = coded(400, ["ana", "ben", "cem"], [0.5, 0.5], 0.9)
    lenient = (table["coder"] == "cem") & (np.random.default_rng(1).random(len(table)) < 0.4)
    found = reliability(table.assign(value=table["value"].mask(lenient, "v1")), resamples=20)
    by_coder = found.extra["by coder"].set_index("coder")
    assert by_coder["agreement"].idxmin() == "cem" and by_coder["alpha_without"].idxmax() == "cem"
    given_ = found.extra["values by coder"].set_index(["coder", "value"])["difference"]
    assert given_["cem", "v1"] > 0.15 > 0 > given_["ana", "v1"]
    pairs = found.extra["by pair"].set_index(["first", "second"])
    assert pairs["kappa"].idxmax() == ("ana", "ben") and pairs["units"].eq(400).all()


def test_a_bias_of_numbers_shows_by_coder():
    random = np.random.default_rng(1)
    true = random.normal(50, 10, 200)
    found = reliability(long(A=true.tolist(), B=(true + 6).tolist(), C=true.tolist()), scale="interval", resamples=20)
    assert found.extra["by coder"]["bias"].tolist() == pytest.approx([-3, 6, -3])
    assert found.extra["by pair"]["mean_difference"].tolist() == pytest.approx([6, 0, 6])


def test_disagreements_come_with_every_coders_value_the_farthest_first():
    table = long(A=[1, 1, 5, 2], B=[1, 4, 1, 3], id=[1, 1, None, 2])
    found = reliability(table, scale="ordinal", order=[1, 2, 3, 4, 5], resamples=10).extra["disagreements"]
    assert list(found.columns) == ["id", "A", "B", "coder id", "distance"]
    assert found["id"].tolist() == [2, 1, 3] and found["distance"].tolist() == pytest.approx([4, 2, 2 / 3])
    assert found.loc[0, ["A", "B"]].tolist() == ["5", "1"] and pd.isna(found.loc[0, "coder id"])


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval", "multilabel"])
def test_every_scale_has_its_figure_and_words(scale):
    table = long(A=[1, 2, 2, 3, 4, 1] * 10, B=[1, 2, 3, 3, 4, 2] * 10)
    found = reliability(table, scale=scale, resamples=50)
    assert len(found.figure_png()) > 5000
    assert found.table["scale"].eq(scale).all() and "alpha" in found.words[1]
    assert any("have to be coded twice" in text for text in found.words)


def test_who_coded_how_many():
    found = reliability(THREE)
    assert found.extra["by coder"].set_index("coder")["units"].to_dict() == {"A": 9, "B": 7, "C": 11}
    assert found.extra["by coder"].set_index("coder")["shared"].to_dict() == {"A": 9, "B": 6, "C": 11}
    assert found.provenance["units_coded_twice"] == 12
    assert "3 coders (A 9, B 7, C 11) coded 13 units" in found.words[0]


def test_one_coder_cannot_be_assessed():
    found = reliability(THREE[THREE["coder"] == "A"])
    assert found.table.empty and found.figure is None
    assert "1 coder (A 9)" in found.words[0] and "cannot be assessed" in found.words[1]


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval", "multilabel"])
def test_one_value_only_leaves_alpha_undefined(scale):
    found = reliability(long(A=[1] * 30, B=[1] * 30), scale=scale)
    assert np.isnan(found.table["value"].iloc[1])
    assert any("Draw units in which the variable varies" in warning for warning in found.warnings)
    assert "not defined" in found.words[1] and len(found.figure_png()) > 3000


def test_a_later_code_of_the_same_coder_counts():
    again = pd.concat([long(A=[1, 0, 1], B=[1, 0, 0]), pd.DataFrame({"id": [2], "coder": ["B"], "value": [1]})])
    found = reliability(again)
    assert value(found)["percent agreement"] == 1
    assert any("1 codes were replaced" in warning for warning in found.warnings)


def test_a_crowd_of_coders_is_no_matrix_of_pairs():
    random = np.random.default_rng(1)
    table = pd.DataFrame({"id": np.repeat(np.arange(300), 3), "value": random.choice(["x", "y"], 900)})
    table["coder"] = [f"w{number}" for number in random.integers(0, 60, 900)]
    found = reliability(table, resamples=50)
    assert "by pair" not in found.extra and any("more than 30 coders" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("table", "arguments", "message"),
    [
        (THREE.rename(columns={"coder": "coders"}), {}, "'coder'.*did you mean coders"),
        (THREE.assign(value=None), {}, "there are no codes"),
        (THREE.assign(value="much"), {"scale": "interval"}, "'much' is no number"),
        (THREE.assign(value="much"), {"scale": "ordinal"}, "give order="),
        (THREE, {"scale": "ordinal", "order": [1, 2, 3]}, "'4' has no place in the order 1, 2, 3"),
        (THREE, {"scale": "metric"}, "scale='metric': choose one of nominal"),
    ],
)
def test_input_that_does_not_fit(table, arguments, message):
    with pytest.raises(InputError, match=message):
        reliability(table, **arguments)
