"""What is handed in: a model without a name, a list, a Result to correct for many tests; and what is none of these."""

import numpy as np
import pandas as pd
import pytest

from visanda.errors import InputError
from visanda.result import Result
from visanda.study import (
    Estimates,
    adjusted,
    adjusted_shares,
    coefficients_figure,
    estimate,
    regression_table,
    replication,
    shares_figure,
)


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(3)
    x, z = random.normal(size=(2, 400))
    y = (random.random(400) < 1 / (1 + np.exp(-x))) * 1.0
    data = pd.DataFrame({"x": x, "z": z, "y": y, "p": np.where(random.random(400) < 0.85, y, 1 - y)})
    data.loc[150:, "y"] = np.nan
    return data


@pytest.fixture(scope="module")
def result(data):
    return estimate(data, "y ~ x + z", predicted_var="y", prediction="p", sample_prob="equal", splits=1)


FIT = Estimates(("Intercept", "a", "b"), np.array([9.0, 2, 3]), np.ones(3), np.eye(3), 9, 9)


def test_many_tests_of_a_result_are_those_of_its_corrected_terms(result):
    table = adjusted(result)
    assert list(table["term"]) == ["x", "z"]
    assert set(table["method"]) == {"corrected (DSL)"}
    p = table["p"].sort_values().tolist()
    assert sorted(table["p_adjusted"]) == pytest.approx(sorted([min(1, 2 * p[0]), max(p[1], min(1, 2 * p[0]))]))


def test_many_tests_of_a_fit(result):
    p = FIT.frame()["p"]
    assert adjusted(FIT)["p_adjusted"].tolist() == pytest.approx([p[1], 2 * p[2]])
    with pytest.raises(InputError, match="a list is no table of tests"):
        adjusted([result, result])


def test_one_model_needs_no_name_and_a_list_gets_numbers(result):
    assert regression_table(FIT).printed.heads == ("",)
    assert regression_table([FIT, result], methods=["corrected"]).printed.heads == ("(1)", "(2)")
    assert len(coefficients_figure(result).legends[0].get_texts()) == 3


@pytest.mark.parametrize("function", [regression_table, coefficients_figure])
@pytest.mark.parametrize("given", [3, "table.csv", {"(1)": "table.csv"}, {"(1)": None}, [1, 2]])
def test_what_is_no_model_is_refused(function, given):
    with pytest.raises(InputError, match="give the Result of estimate, Estimates of a fit, or a table with"):
        function(given)


def test_a_result_of_something_else_is_named(data):
    counts = adjusted_shares(data, "y", "p")
    with pytest.raises(InputError, match="is no regression but 'Shares of y"):
        regression_table({"(1)": counts})
    with pytest.raises(InputError, match="a figure of their own"):
        shares_figure(counts)
    with pytest.raises(InputError, match="a dict has no shares"):
        shares_figure({"estimate": 1})


def test_a_replication_takes_what_estimate_took_and_gave(data, result, tmp_path):
    call = {"formula": "y ~ x + z", "predicted_var": "y", "prediction": "p", "sample_prob": "equal", "splits": 1}
    for given in [("data.csv", call, result), (data, "y ~ x", result), (data, call, result.table)]:
        with pytest.raises(InputError, match="a replication takes the table, the other arguments of estimate"):
            replication(tmp_path / "r", *given, title="T")
    assert not (tmp_path / "r").exists()
    assert isinstance(result, Result)
