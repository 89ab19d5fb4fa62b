"""A simple random sample is said in one way everywhere: sample_prob="equal"."""

import inspect

import numpy as np
import pandas as pd
import pytest

from visanda import study

random = np.random.default_rng(5)
Y = (random.random(400) < 0.4) * 1.0
SAID = np.where(random.random(400) < 0.9, Y, 1 - Y)
DATA = pd.DataFrame({"x": random.normal(size=400) + Y, "said": SAID, "unit": np.arange(400) % 4})
DATA["y"] = pd.Series(Y).where(random.random(400) < 0.4)

LISTED = {"predicted_var": ["y"], "prediction": ["said"]}
ONE = {"predicted_var": "y", "prediction": "said"}
CODED = DATA.dropna(subset=["y"])
FIT = study.ordinary(DATA, "y ~ x")
CALLS = {
    "adjusted_shares": lambda **how: study.adjusted_shares(DATA, "y", "said", **how).table,
    "bias": lambda **how: study.bias(CODED["said"].map(str), CODED["y"].map(str), CODED[["unit"]], **how).table,
    "budget": lambda **how: study.budget(DATA, "y ~ x", target_se=0.05, **LISTED, **how).table,
    "consequence": lambda **how: study.consequence(DATA, "y", "unit", prediction="said", splits=1, **how).table,
    "debias": lambda **how: study.debias(DATA, "y ~ x", model="lm", resamples=50, **LISTED, **how).frame(),
    "dsl": lambda **how: study.dsl(DATA, "x ~ y", splits=1, **LISTED, **how).frame(),
    "dsl_margins": lambda **how: study.dsl_margins(DATA, "y ~ x", model="logit", splits=1, **LISTED, **how).frame(),
    "dsl_mean": lambda **how: study.dsl_mean(DATA, "y", "said", splits=1, **how).frame(),
    "estimate": lambda **how: study.estimate(DATA, "y ~ x", splits=1, **ONE, **({"sample_prob": "equal"} | how)).table,
    "gold_only": lambda **how: study.gold_only(DATA, "y ~ x", "lm", ["y"], **how).frame(),
    "ppi": lambda **how: study.ppi(DATA, "y ~ x", model="lm", **ONE, **how).frame(),
    "shares_by": lambda **how: study.shares_by(DATA, "y", prediction="said", splits=1, **how).table,
    "simex": lambda **how: study.simex(DATA, "x ~ y", predicted_var="y", label="said", draws=5, **how).table,
    "standardised": lambda **how: study.standardised(FIT, DATA, "y ~ x", **how).frame(),
    "units_of": lambda **how: study.units_of(DATA, "unit", **ONE, **how).table,
}


def test_no_function_is_forgotten():
    functions = {name: getattr(study, name) for name in study.__all__ if inspect.isfunction(getattr(study, name))}
    assert {name for name, one in functions.items() if "sample_prob" in inspect.signature(one).parameters} == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_equal_is_what_a_column_of_equal_probabilities_is(name):
    pd.testing.assert_frame_equal(CALLS[name](sample_prob="equal"), CALLS[name]())


def test_only_who_does_not_know_the_probabilities_is_warned():
    said = study.adjusted_shares(DATA, "y", "said").warnings
    known = study.adjusted_shares(DATA, "y", "said", sample_prob="equal").warnings
    assert set(said) - set(known) == {text for text in said if text.startswith("No sample_prob was given")}
