"""needed, units_for_alpha: the units that are asked for give the interval that was wanted."""

import numpy as np
import pandas as pd
import pytest
from test_study_reliability import coded

from visanda.errors import InputError
from visanda.study.reliability.alpha import krippendorff
from visanda.study.reliability.needed_codes import needed, units_for_alpha


def drawn_alphas(units, shares, alpha, times=300):
    return np.array([krippendorff(coded(units, "AB", shares, alpha, seed)) for seed in range(times)])


@pytest.mark.parametrize(("alpha", "shares"), [(0.8, [0.5, 0.5]), (0.6, [0.85, 0.15]), (0.7, [0.6, 0.3, 0.1])])
def test_the_units_that_the_formula_asks_for_give_the_width(alpha, shares):
    units = units_for_alpha(0.1, alpha, shares)
    inside = np.abs(drawn_alphas(units, shares, alpha) - alpha) < 0.1
    assert 0.92 < inside.mean() < 0.98


def test_two_values_are_bloch_and_kraemers_formula():
    for alpha, p in ((0.3, 0.5), (0.8, 0.1)):
        variance = (1 - alpha) * ((1 - alpha) * (1 - 2 * alpha) + alpha * (2 - alpha) / (2 * p * (1 - p)))
        assert units_for_alpha(0.1, alpha, [p, 1 - p]) == np.ceil((1.959964 / 0.1) ** 2 * variance - 1e-9)


def test_rare_values_need_more_units():
    assert units_for_alpha(0.1, 0.8, [0.95, 0.05]) > 3 * units_for_alpha(0.1, 0.8, [0.5, 0.5])


def test_the_bootstrap_asks_for_as_many_as_the_formula():
    found = needed(coded(500, "AB", [0.7, 0.3], 0.7), width=0.08)
    asked = found.table.set_index("width").loc[0.08, "units"]
    assert asked == pytest.approx(units_for_alpha(0.08, 0.7, [0.7, 0.3]), rel=0.25)
    assert f"about {asked:,.0f} units have to be coded twice (500 are" in found.words[0]
    assert found.table["units"].is_monotonic_decreasing


def test_numbers_and_sets_have_their_own_alpha():
    random = np.random.default_rng(1)
    table = pd.DataFrame({"id": [*range(100)] * 2, "coder": ["a"] * 100 + ["b"] * 100})
    true = np.tile(random.normal(0, 2, 100), 2)
    found = needed(table.assign(value=true + random.normal(0, 1, 200)), scale="interval")
    assert 20 < found.table.set_index("width").loc[0.1, "units"] < 150
    assert needed(table.assign(value=["x|y", "x"] * 100), scale="multilabel").table["units"].isna().all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: needed(coded(10, "A", [0.5, 0.5], 0.5)), "no unit has two codes: use units_for_alpha"),
        (lambda: needed(coded(10, "AB", [0.5, 0.5], 0.5), width=0), "width=0"),
        (lambda: units_for_alpha(0.1, 1.0, [0.5, 0.5]), "alpha from 0 to below 1"),
        (lambda: units_for_alpha(0.1, 0.8, [1.0, 0.0]), "two or more of them above 0"),
    ],
)
def test_what_cannot_be_asked(call, message):
    with pytest.raises(InputError, match=message):
        call()
