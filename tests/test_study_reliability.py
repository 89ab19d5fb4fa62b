"""reliability: Krippendorff's numbers, and what cannot be assessed."""

import numpy as np
import pandas as pd
import pytest

from visanda.errors import InputError
from visanda.study import reliability


def long(**coders):
    rows = [
        (unit, coder, code) for coder, codes in coders.items() for unit, code in enumerate(codes) if code is not None
    ]
    return pd.DataFrame(rows, columns=["id", "coder", "value"])


def codes(text):
    return [None if mark in "*." else int(mark) for mark in text.split()]


def value(found):
    return found.table.set_index("measure")["value"]


NOMINAL, INTERVAL = "Krippendorff's alpha (nominal)", "Krippendorff's alpha (interval)"
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


@pytest.mark.parametrize(("table", "nominal", "interval"), [(THREE, 0.691, 0.811), (FOUR, 0.743, 0.849)])
def test_the_textbook_values(table, nominal, interval):
    assert value(reliability(table))[NOMINAL] == pytest.approx(nominal, abs=5e-4)
    assert value(reliability(table))[INTERVAL] == pytest.approx(interval, abs=5e-4)


def test_two_coders_and_two_values_are_scotts_pi_with_its_small_sample_term():
    a, b = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    found = reliability(long(A=a, B=b))
    assert value(found)["percent agreement"] == pytest.approx(0.6)
    assert value(found)[NOMINAL] == pytest.approx(0.095, abs=5e-4)  # Krippendorff (2011), section B
    table = found.extra["coincidences"].set_index("value")
    np.testing.assert_allclose(table, [[10, 4], [4, 2]])


def test_the_interval_of_alpha_covers_a_known_reliability():
    random = np.random.default_rng(1)
    covered = 0
    for _ in range(40):
        true = random.integers(0, 2, 150)
        # coders who see the truth in 9 of 10 units, else toss a coin, agree with an alpha of .81
        seen = [np.where(random.random(150) < 0.9, true, random.integers(0, 2, 150)).tolist() for _ in range(2)]
        line = reliability(long(A=seen[0], B=seen[1]), resamples=200).table.iloc[1]
        covered += line["low"] < 0.81 < line["high"]
    assert 33 <= covered <= 40


def test_text_values_have_no_interval_alpha():
    found = reliability(long(A=["yes", "no", "no"] * 20, B=["yes", "no", "yes"] * 20))
    assert list(found.table["measure"]) == ["percent agreement", NOMINAL]
    assert len(found.figure_png()) > 5000


def test_who_coded_how_many():
    found = reliability(THREE)
    assert found.extra["coders"].set_index("coder")["units"].to_dict() == {"A": 9, "B": 7, "C": 11}
    assert found.provenance["units_coded_twice"] == 12
    assert "3 coders (A 9, B 7, C 11) coded 13 units" in found.words[0]


def test_one_coder_cannot_be_assessed():
    found = reliability(THREE[THREE["coder"] == "A"])
    assert found.table.empty and found.figure is None
    assert "1 coder (A 9)" in found.words[0] and "cannot be assessed" in found.words[1]


def test_one_value_only_leaves_alpha_undefined():
    found = reliability(long(A=[1] * 30, B=[1] * 30))
    assert value(found)["percent agreement"] == 1 and np.isnan(value(found)[NOMINAL])
    assert any("Draw units in which the variable varies" in warning for warning in found.warnings)
    assert "not defined" in found.words[1]


def test_a_later_code_of_the_same_coder_counts():
    again = pd.concat([long(A=[1, 0, 1], B=[1, 0, 0]), pd.DataFrame({"id": [2], "coder": ["B"], "value": [1]})])
    found = reliability(again)
    assert value(found)["percent agreement"] == 1
    assert any("1 codes were replaced" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (THREE.rename(columns={"coder": "coders"}), "'coder'.*did you mean coders"),
        (THREE.assign(value=None), "there are no codes"),
    ],
)
def test_input_that_does_not_fit(table, message):
    with pytest.raises(InputError, match=message):
        reliability(table)
