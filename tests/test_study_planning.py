"""Planning: what a budget promises is what more codes bring."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from visanda.errors import DesignError, InputError
from visanda.study.correct.dsl import dsl
from visanda.study.planning.ahead import codes_for_accuracy, codes_for_share, double_coding
from visanda.study.planning.budget import budget

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
    ],
)
def test_what_does_not_fit(arguments, error, message):
    with pytest.raises(error, match=message):
        budget(posts(500, 100, 1), arguments.pop("formula", "y ~ x"), **{**KNOWN, **arguments})
