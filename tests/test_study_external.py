"""Agreement with other sources, known groups, and test–retest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from visanda.errors import DesignError, InputError
from visanda.study.external import agrees, known_groups, retest
from visanda.study.regression.multiple import adjusted

# Peak flow of 17 people with two meters, first readings: Bland & Altman (1986), table 1
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


@pytest.fixture
def meters() -> tuple[pd.Series, pd.Series]:
    return pd.Series(WRIGHT, name="wright", dtype=float), pd.Series(MINI, name="mini", dtype=float)


# agreement


def test_bland_and_altmans_own_numbers(meters):
    """Mean difference −2.1 (−22.0 to 17.8), standard deviation 38.8, r = 0.94, as the paper prints them."""
    found = agrees(*meters).table.set_index("measure")
    bias = found.loc["mean difference"]
    assert [round(float(bias[name]), 1) for name in ("value", "low", "high")] == [-2.1, -22.0, 17.8]
    width = found.loc["upper limit of agreement", "value"] - bias["value"]
    assert width / 1.96 == pytest.approx(38.8, abs=0.05)
    assert found.loc["Pearson correlation", "value"] == pytest.approx(0.94, abs=0.005)
    limit = found.loc["lower limit of agreement"]  # the paper's approximate standard error is 16.3
    assert (limit["high"] - limit["low"]) / 2 / stats.t.ppf(0.975, 16) == pytest.approx(16.3, abs=0.2)


def test_correlations_are_scipys(meters):
    found = agrees(*meters).table.set_index("measure")
    pearson, spearman = stats.pearsonr(*meters), stats.spearmanr(*meters)
    line = found.loc["Pearson correlation"]
    assert line[["value", "p"]].tolist() == pytest.approx([pearson.statistic, pearson.pvalue])
    assert line[["low", "high"]].tolist() == pytest.approx(list(pearson.confidence_interval()), abs=1e-6)
    assert found.loc["Spearman correlation", ["value", "p"]].tolist() == pytest.approx(list(spearman), rel=1e-6)
    slope = stats.linregress((meters[0] + meters[1]) / 2, meters[0] - meters[1])
    assert found.loc["slope of difference on mean", ["value", "p"]].tolist() == pytest.approx(
        [slope.slope, slope.pvalue]
    )


def test_concordance_is_one_less_the_squared_difference_over_that_of_independent_sources(meters):
    one, other = (values.to_numpy() for values in meters)
    expected = 1 - ((one - other) ** 2).mean() / ((one[:, None] - other) ** 2).mean()
    assert agrees(*meters).table.set_index("measure").loc["concordance correlation", "value"] == pytest.approx(expected)


def _about(truth: float, rows: pd.DataFrame) -> float:
    return float(((rows["low"] <= truth) & (truth <= rows["high"])).mean())


def test_intervals_cover_what_they_should():
    """Normal pairs with r = .7, equal spread and a shift of half a standard deviation."""
    random = np.random.default_rng(4)
    truth = {
        "Pearson correlation": 0.7,
        "concordance correlation": 1.4 / 2.25,
        "mean difference": 0.5,
        "upper limit of agreement": 0.5 + 1.96 * np.sqrt(0.6),
    }
    rows = []
    for _ in range(200):
        one, other = random.multivariate_normal([0.5, 0], [[1, 0.7], [0.7, 1]], 40).T
        rows.append(agrees(pd.Series(one), pd.Series(other)).table)
    table = pd.concat(rows).set_index("measure")
    for name, value in truth.items():
        assert 0.92 <= _about(value, table.loc[name]) <= 0.98, name


def test_clusters_widen_intervals_where_rows_repeat_each_other(meters):
    many = [pd.concat([one] * 20, ignore_index=True) for one in meters]
    person = pd.Series(np.tile(np.arange(17), 20))
    alone = agrees(*many).table.set_index("measure")
    clustered = agrees(*many, clusters=person, resamples=400)
    table = clustered.table.set_index("measure")
    for name in ("Pearson correlation", "mean difference"):
        assert table.loc[name, "value"] == pytest.approx(alone.loc[name, "value"])
        wide = table.loc[name, "high"] - table.loc[name, "low"]
        assert wide > 3 * (alone.loc[name, "high"] - alone.loc[name, "low"])
    bias = table.loc["mean difference"]  # about that of the 17 people
    assert bias["high"] - bias["low"] == pytest.approx(2 * 1.96 * 38.8 / np.sqrt(17), rel=0.15)
    assert any("17 clusters" in text for text in clustered.warnings)


def test_a_source_that_spreads_more_is_said_to():
    random = np.random.default_rng(1)
    truth = random.normal(50, 10, 100)
    found = agrees(pd.Series(1.5 * truth - 25 + random.normal(0, 2, 100)), pd.Series(truth + random.normal(0, 2, 100)))
    assert any("Proportional bias" in text and "spreads more" in text for text in found.warnings)


def test_other_units_are_noticed_and_correlations_of_groups_compared():
    random = np.random.default_rng(2)
    share = pd.Series(random.random(200), name="share")
    police = (1000 * share + random.normal(0, 300, 200)).rename("police")
    city = pd.Series(np.where(np.arange(200) < 100, "a", "b"))
    police[city == "b"] = random.permutation(police[city == "b"])
    found = agrees(share, police, groups=city)
    assert any("different units" in text for text in found.warnings)
    assert list(found.table["group"].unique()) == ["all", "a", "b"]
    assert any("differ between groups" in text and "not clearly" not in text for text in found.words)
    assert found.figure is not None


def test_agreement_refuses_what_cannot_agree(meters):
    with pytest.raises(DesignError, match="only 3 pairs"):
        agrees(meters[0].head(3), meters[1].head(3))
    with pytest.raises(DesignError, match=r"mini is 4 in all 17 rows"):
        agrees(meters[0], meters[1] * 0 + 4)
    with pytest.raises(InputError, match="same rows"):
        agrees(meters[0], meters[1].set_axis(range(5, 22)))
    with pytest.raises(InputError, match="holds text"):
        agrees(meters[0], pd.Series(["a"] * 17))
    gaps = agrees(meters[0].where(meters[0] > 300), meters[1])
    assert gaps.provenance["left_out"] == 2 and any("2 rows without both" in text for text in gaps.words)


def test_groups_that_cannot_have_numbers_are_named(meters):
    group = pd.Series(["a"] * 8 + ["b"] * 3 + ["c"] * 6)
    found = agrees(meters[0].mask(group == "c", 400.0), meters[1], groups=group)
    assert list(found.table["group"].unique()) == ["all", "a"] and not found.table.drop(columns="p").isna().any(
        axis=None
    )
    assert any("no numbers: b, c" in text for text in found.warnings)


def test_perfect_agreement_has_no_missing_numbers(meters):
    table = agrees(meters[0], meters[0]).table.set_index("measure")
    assert table.loc["concordance correlation", ["value", "low", "high"]].tolist() == [1, 1, 1]
    assert table.loc["mean difference", ["value", "low", "high", "p"]].tolist() == [0, 0, 0, 1]


# known groups


@pytest.fixture
def scenes() -> tuple[pd.Series, pd.Series]:
    random = np.random.default_rng(3)
    group = pd.Series(np.repeat(["landscape", "portrait", "crowd"], [30, 40, 25]), name="scene")
    return (random.normal(0, 1, 95) + group.map({"landscape": 0, "portrait": 0.2, "crowd": 1.5})).rename("faces"), group


def test_known_groups_are_scipys_tests(scenes):
    faces, scene = scenes
    found = known_groups(faces, scene, pairs=[("crowd", "landscape")]).table.iloc[0]
    one, other = faces[scene == "crowd"], faces[scene == "landscape"]
    welch = stats.ttest_ind(one, other, equal_var=False)
    assert found["p"] == pytest.approx(welch.pvalue)
    assert [found["low"], found["high"]] == pytest.approx(list(welch.confidence_interval()))
    pooled = np.sqrt((24 * one.var() + 29 * other.var()) / 53)
    assert found["d"] == pytest.approx((one.mean() - other.mean()) / pooled)
    assert found["g"] == pytest.approx(found["d"] * (1 - 3 / (4 * 53 - 1)), rel=1e-4)
    assert found["auc"] == pytest.approx(stats.mannwhitneyu(one, other).statistic / (25 * 30))


def test_an_order_is_checked_step_by_step_with_holms_correction(scenes):
    found = known_groups(*scenes, order=["landscape", "portrait", "crowd"])
    assert found.table[["higher", "lower"]].values.tolist() == [["portrait", "landscape"], ["crowd", "portrait"]]
    assert found.table["as_expected"].tolist() == ["not shown", "yes"]
    p = found.table["p"].tolist()
    assert found.table["p_holm"].tolist() == pytest.approx([p[0], 2 * p[1]])
    assert "1 of 2 pairs" in found.words[0] and found.figure is not None


def test_the_wrong_direction_is_named(scenes):
    found = known_groups(*scenes, pairs=[("landscape", "crowd")])
    assert found.table["as_expected"].tolist() == ["no, reversed"]
    assert any("other way round" in text for text in found.warnings)


def test_holm():
    tests = pd.DataFrame({"p": [0.01, 0.02, 0.03, 0.005]})
    assert adjusted(tests)["p_adjusted"].tolist() == pytest.approx([0.03, 0.04, 0.04, 0.02])


def test_intervals_of_effects_cover():
    random = np.random.default_rng(5)
    group = pd.Series(["high"] * 25 + ["low"] * 35)
    truth = {"difference": 0.8, "g": 0.8, "auc": float(stats.norm.cdf(0.8 / np.sqrt(2)))}
    hits = dict.fromkeys(truth, 0)
    for _ in range(150):
        values = pd.Series(random.normal(0, 1, 60) + 0.8 * (group == "high"))
        row = known_groups(values, group, order=["low", "high"]).table.iloc[0]
        for name, value in truth.items():
            ends = (row["low"], row["high"]) if name == "difference" else (row[f"{name}_low"], row[f"{name}_high"])
            hits[name] += ends[0] <= value <= ends[1]
    for name, hit in hits.items():
        assert 0.91 <= hit / 150 <= 0.985, name


def test_clusters_are_resampled_whole(scenes):
    faces, scene = (pd.concat([one] * 8, ignore_index=True) for one in scenes)
    author = pd.Series(np.tile(np.arange(95), 8))
    alone = known_groups(faces, scene, order=["landscape", "crowd"]).table.iloc[0]
    row = known_groups(faces, scene, order=["landscape", "crowd"], clusters=author, resamples=300).table.iloc[0]
    assert row["difference"] == pytest.approx(alone["difference"])
    assert row["high"] - row["low"] > 2 * (alone["high"] - alone["low"])
    assert row["p"] > alone["p"]


def test_known_groups_refuse(scenes):
    with pytest.raises(InputError, match="say what is expected"):
        known_groups(*scenes)
    with pytest.raises(InputError, match="'portrait'"):
        known_groups(*scenes, order=["landscape", "portrit"])
    with pytest.raises(DesignError, match="only 2 units"):
        known_groups(scenes[0].iloc[28:40], scenes[1].iloc[28:40], order=["landscape", "portrait"])
    with pytest.raises(DesignError, match="in every row"):
        known_groups(scenes[0] * 0, scenes[1], order=["landscape", "crowd"])
    flat = scenes[1].map({"landscape": 0.0, "portrait": 1.0, "crowd": 2.0})
    with pytest.raises(DesignError, match="never varies"):
        known_groups(flat, scenes[1], order=["landscape", "crowd"])


# retest


@pytest.fixture
def pictures() -> pd.DataFrame:
    random = np.random.default_rng(6)
    return pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(40)],
            "brightness": random.random(40),
            "label": random.choice(["cat", "dog"], 40),
            "indoors": random.random(40) < 0.5,
            "vector": list(random.normal(size=(40, 16))),
            "tags": [["a", "b"]] * 40,
            "error": None,
        }
    )


def test_what_is_unchanged_does_not_move(pictures):
    table = retest(pictures, {"none": pictures.sample(frac=1, random_state=1)}, resamples=20).table
    assert table["column"].tolist() == ["brightness", "label", "indoors", "vector", "tags"]
    assert table["stability"].tolist() == pytest.approx([1.0] * 5)
    assert table["same"].tolist() == [1.0] * 5


def test_how_far_numbers_labels_and_vectors_move(pictures):
    noise = np.random.default_rng(7).normal(0, 0.1, 40)
    other = pictures.assign(
        brightness=pictures["brightness"] + 0.1 + noise,
        label=["cat"] * 10 + pictures["label"].tolist()[10:],
        vector=[v + 0.2 for v in pictures["vector"]],
        tags=[["b", "a"]] * 40,
    )
    found = retest(pictures, {"brighter": other}, resamples=100).table.set_index("column")
    size = pictures["brightness"].std()
    line = found.loc["brightness"]
    assert line["shift"] == pytest.approx((0.1 + noise.mean()) / size)
    assert line["moved_p95"] == pytest.approx(np.quantile(np.abs(0.1 + noise) / size, 0.95))
    assert line["icc_low"] < line["icc"] < line["icc_high"]
    assert found.loc["label", "stability"] == (pictures["label"] == other["label"]).mean() < 1
    assert found.loc["tags", "same"] == 1  # the order of labels says nothing
    assert found.loc["vector", "cosine_others"] < 0.2 < 0.9 < found.loc["vector", "cosine"] < 1
    assert found.loc["vector", "found_again"] == 1


def test_icc_is_that_of_shrout_and_fleiss():
    """ICC(2,1) from the mean squares of a two-way analysis of variance."""
    random = np.random.default_rng(8)
    one = random.normal(size=25)
    two = one + 0.5 + random.normal(0, 0.4, 25)
    x = np.column_stack([one, two])
    rows = 2 * ((x.mean(1) - x.mean()) ** 2).sum() / 24
    columns = 25 * ((x.mean(0) - x.mean()) ** 2).sum()
    rest = ((x - x.mean(1, keepdims=True) - x.mean(0) + x.mean()) ** 2).sum() / 24
    expected = (rows - rest) / (rows + rest + 2 * (columns - rest) / 25)
    table = pd.DataFrame({"id": range(25), "x": one})
    assert retest(table, table.assign(x=two), resamples=0).table["icc"].iloc[0] == pytest.approx(expected)


def test_values_that_disappear_are_counted_and_constants_named(pictures):
    one, other = pictures.assign(same=3.0), pictures.assign(same=4.0)
    other.loc[:4, "brightness"] = np.nan
    found = retest(one, {"crop": other}, columns=["brightness", "same"], resamples=10)
    table = found.table.set_index("column")
    assert table.loc["brightness", ["n", "lost"]].tolist() == [35, 5]
    assert any("only one of the two" in text for text in found.warnings)
    assert any("No stability" in text and "same" in text for text in found.warnings)
    assert found.figure is not None


def test_retest_refuses(pictures):
    with pytest.raises(InputError, match="both named by 'id'"):
        retest(pictures, pictures.assign(id="x" + pictures["id"]))
    with pytest.raises(InputError, match="repeats"):
        retest(pd.concat([pictures, pictures]), pictures)
    with pytest.raises(InputError, match="label and number"):
        retest(pictures, pictures.assign(brightness="dark"))
    with pytest.raises(InputError, match="share no column"):
        retest(pictures[["id"]], pictures)
