"""Planning: what a budget promises is what more codes bring."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from visanda.errors import DesignError, InputError
from visanda.study.correct.dsl import dsl
from visanda.study.planning.ahead import codes_for_accuracy, codes_for_share, double_coding
from visanda.study.planning.budget import budget
from visanda.study.wording import number

KNOWN = {"predicted_var": ["y"], "prediction": ["p"]}


def posts(n, coded, seed):
    random = np.random.default_rng(seed)
    x, place = random.normal(size=n), random.choice(["city", "land"], n, p=[0.3, 0.7])
    y = (random.random(n) < expit(-0.3 + 0.6 * x)) * 1.0
    right = random.random(n) < np.where(place == "city", 0.7, 0.95)
    data = pd.DataFrame({"x": x, "place": place, "p": np.where(right, 0.9 * y + 0.05, 0.95 - 0.9 * y)})
    return data.assign(y=pd.Series(y).where(random.permutation(n) < coded))


@pytest.mark.parametrize(("formula", "model"), [("y", "lm"), ("y ~ x", "logit")])
def test_the_standard_error_that_is_promised_is_what_more_codes_bring(formula, model):
    pilot = budget(posts(6000, 300, 1), formula, model=model, target_se=0.01, **KNOWN).table.set_index("codes")
    whole = formula if "~" in formula else f"{formula} ~ 1"
    later = dsl(posts(6000, 900, 2), whole, model=model, splits=1, **KNOWN)
    assert pilot.loc[900, "se"] == pytest.approx(later.se[-1], rel=0.08)


def test_now_is_what_dsl_says():
    data = posts(3000, 300, 3)
    fit = dsl(data, "y ~ x", model="logit", splits=1, **KNOWN)
    table = budget(data, "y ~ x", model="logit", target_se=0.05, **KNOWN).table.set_index("codes")
    assert table.loc[300, "se"] == pytest.approx(fit.se[1], rel=1e-9)


def test_a_target_a_power_and_what_cannot_be_reached():
    data = posts(3000, 300, 4)
    found = budget(data, "y", target_se=0.015, **KNOWN)
    codes = found.provenance["codes"]
    assert found.table.set_index("codes").loc[codes, "se"] <= 0.015
    assert found.provenance["codes_alone"] > codes
    assert "codes in all" in found.words[1] or "is reached" in found.words[1]
    powered = budget(data, "y ~ x", model="logit", effect=0.3, power=0.9, **KNOWN)
    needed = powered.provenance["codes"]
    assert powered.table.set_index("codes").loc[needed, "power"] >= 0.9
    assert "cannot be reached" in budget(data, "y", target_se=0.0001, **KNOWN).words[1]
    assert found.figure is not None


def test_codes_go_where_the_machine_errs():
    found = budget(posts(6000, 600, 5), "y", target_se=0.01, by="place", **KNOWN)
    strata = found.extra["strata"].set_index("stratum")
    assert strata.loc["city", "error"] > 1.5 * strata.loc["land", "error"]
    assert strata.loc["city", "share"] > 0.4 > strata.loc["city", "units"] / 6000
    assert strata["share"].sum() == pytest.approx(1)
    assert "city" in found.also[0].words[0]


def in_clusters(seed, drawn, share=0.15, clusters=150, size=12):
    """Clusters that differ in what they show, in what explains it, and in how often the machine errs."""
    random = np.random.default_rng(seed)
    c = np.repeat(np.arange(clusters), size)
    n = len(c)
    x = 0.5 * random.normal(size=clusters)[c] + random.normal(size=n)
    truth = (random.random(n) < expit(-0.3 + 0.6 * x + 0.7 * random.normal(size=clusters)[c])) * 1.0
    said = np.where(random.random(n) < expit(-2 + random.normal(size=clusters))[c], 1 - truth, truth)
    if drawn == "clusters":
        coded = np.isin(c, random.choice(clusters, round(share * clusters), replace=False))
    else:
        coded = random.random(n).argsort().argsort() < share * n
    data = pd.DataFrame({"x": x, "c": c, "p": 0.1 + 0.8 * said, "truth": truth})
    return data.assign(y=data["truth"].where(coded))


@pytest.mark.parametrize(("drawn", "cluster"), [("units", None), ("units", "c"), ("clusters", "c")])
@pytest.mark.parametrize("formula", ["y", "y ~ x"])
def test_what_is_left_with_all_rows_coded_is_what_was_planned(formula, drawn, cluster):
    """Codes of units drawn one by one never take away what clusters have in common; clusters drawn whole do."""
    planned, actual = [], []
    whole = formula if "~" in formula else f"{formula} ~ 1"
    for seed in range(20):
        data = in_clusters(seed, drawn)
        found = budget(data, formula, target_se=1e-6, cluster=cluster, **KNOWN)
        assert found.provenance["drawn"] == drawn
        planned.append(found.table["se"].iloc[-1])
        everything = data.assign(y=data["truth"])
        actual.append(dsl(everything, whole, splits=1, cluster=cluster, **KNOWN).se[-1])
        assert found.table["codes"].iloc[-1] == len(data)
        assert any("rough" in text for text in found.warnings) == (cluster is not None)
    assert np.mean(planned) == pytest.approx(np.mean(actual), rel=0.06)


def test_codes_of_unequal_probability_stop_at_certainty():
    """Drawn with .05 and .5: with four times the codes half of the rows are certain, and others carry the rest."""
    planned, actual = [], []
    for seed in range(12):
        random = np.random.default_rng(seed)
        data = posts(2000, 2000, seed)
        data["pi"] = np.where(data["place"] == "city", 0.5, 0.05)
        data["pi_later"] = np.where(data["place"] == "city", 1.0, 0.37)
        coded = data.assign(y=data["y"].where(random.random(2000) < data["pi"]))
        more = data.assign(y=data["y"].where(random.random(2000) < data["pi_later"]))
        now = budget(coded, "y", target_se=1e-6, sample_prob="pi", **KNOWN)
        codes = int(data["pi_later"].sum())
        goal = dsl(more, "y ~ 1", splits=1, sample_prob="pi_later", **KNOWN).se[0]
        actual.append(goal)
        planned.append(budget(coded, "y", target_se=goal, sample_prob="pi", **KNOWN).provenance["codes"] / codes)
        assert now.table["se"].is_monotonic_decreasing
    assert np.mean(planned) == pytest.approx(1, rel=0.12)


def test_never_fewer_codes_than_an_estimate_takes_nor_more_than_there_are_rows():
    data = posts(3000, 300, 4)
    easy = budget(data, "y", target_se=0.2, **KNOWN)
    assert easy.provenance["codes"] == easy.provenance["least"] == 10
    assert any("no estimate is made of fewer than 10" in text for text in easy.words)
    rare = data.assign(y=data["y"].where(data["y"].isna() | (data.index % 25 == 0), 0.0))
    share = rare["y"].mean()
    least = budget(rare, "y", target_se=0.2, **KNOWN).provenance["least"]
    assert (1 - share) ** least <= 0.05 < (1 - share) ** (least - 1)  # some code has the rare value
    floor = budget(data, "y", target_se=0.0001, **KNOWN)
    assert np.isinf(floor.provenance["codes"]) and floor.table["codes"].max() == 3000
    assert f"it would be {number(floor.table['se'].iloc[-1])}" in floor.words[1]
    whole = in_clusters(1, "clusters", share=0.2)
    assert budget(whole, "y", target_se=0.3, cluster="c", **KNOWN).provenance["least"] == 5 * 12


def test_shares_of_categories_multinomials_and_several_predicted_variables():
    random = np.random.default_rng(6)
    data = posts(3000, 400, 6)
    kind = np.array(["art", "food", "news"], dtype=object)[random.choice(3, 3000, p=[0.1, 0.3, 0.6])]
    said = np.where(random.random(3000) < 0.85, kind, random.permutation(kind))
    data["said"], data["kind"] = said, pd.Series(kind, dtype=object).where(data["y"].notna())
    one = {"predicted_var": ["kind"], "prediction": ["said"]}
    shares = budget(data, "kind", target_se=0.01, **one)
    assert shares.provenance["term"] == "food" or shares.provenance["term"] == "news"  # the rarest is known best
    assert "the share of" in shares.words[0]
    assert budget(data, "kind", target_se=0.01, term="art", **one).provenance["codes"] < shares.provenance["codes"]
    several = budget(data, "kind ~ x", model="multinomial", target_se=0.1, **one)
    fit = dsl(data, "kind ~ x", model="multinomial", splits=1, **one)
    place = fit.names.index(several.provenance["term"])
    assert several.table.set_index("codes").loc[400, "se"] == pytest.approx(fit.se[place], rel=1e-9)
    both = {"predicted_var": ["y", "kind"], "prediction": ["p", "said"]}
    found = budget(data, "y ~ kind + x", target_se=0.05, **both)
    fit = dsl(data, "y ~ kind + x", splits=1, **both)
    assert found.table.set_index("codes").loc[400, "se"] == pytest.approx(fit.se[1], rel=1e-9)


def test_tables_for_those_who_have_no_code_yet():
    assert codes_for_accuracy(0.03)["codes"].tolist() == [897, 683, 385, 203]
    assert codes_for_accuracy(0.05)["codes"].tolist() == [323, 246, 139, 73]
    share = codes_for_share(0.02, 0.3, n=5000).table.set_index("accuracy")["codes"]
    assert share.loc[0.95] < share.loc[0.9] < share.iloc[0]
    assert np.isinf(codes_for_share(0.001, 0.3, n=5000).table["codes"]).all()


def test_coding_twice_costs_units_and_buys_reliability():
    table = double_coding(400, 0.8, 0.5).table.set_index("double")
    assert table.loc[1.0, "units"] == 200
    assert table.loc[1.0, "half_alpha"] < table.loc[0.1, "half_alpha"]
    assert table.loc[1.0, "half"] > table.loc[0.0, "half"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, InputError, "give target_se, or effect"),
        ({"target_se": -1}, InputError, "above 0"),
        ({"effect": 0.2, "power": 0.2}, InputError, "power from 0.5"),
        ({"target_se": 0.1, "term": "z"}, InputError, "no term 'z'"),
        ({"target_se": 0.1, "by": "nowhere"}, InputError, "no column 'nowhere'"),
        ({"target_se": 0.1, "formula": "x ~ y | place"}, DesignError, "with fixed effects"),
        ({"target_se": 0.1, "formula": "x ~ y + (1 | place)"}, DesignError, "with random effects"),
        ({"target_se": 0.1, "model": "negbin"}, InputError, "plans are made for lm, logit"),
        ({"target_se": 0.1, "drawn": "clusters"}, InputError, "name the column of clusters"),
    ],
)
def test_what_does_not_fit(arguments, error, message):
    with pytest.raises(error, match=message):
        budget(posts(500, 100, 1), arguments.pop("formula", "y ~ x"), **{**KNOWN, **arguments})
