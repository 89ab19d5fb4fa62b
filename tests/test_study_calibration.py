"""calibrate: error rates of face recognition by threshold, exact where they are known."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from visanda.errors import InputError
from visanda.study.thresholds import calibration
from visanda.study.thresholds.calibration import calibrate, pairs


def even(same=100, different=1000):
    """Distances at even quantiles: of one person uniform on 0 to 0.6, of different people on 0.4 to 1.4."""
    alike, other = 0.6 * (np.arange(same) + 0.5) / same, 0.4 + (np.arange(different) + 0.5) / different
    return np.concatenate([alike, other]), np.arange(same + different) < same


def by_name(found):
    return found.table.set_index("at")


def test_rates_of_known_distributions():
    found = by_name(calibrate(*even(), threshold=0.45))
    assert found.loc["in use", "false_match_rate"] == 0.05
    assert found.loc["in use", "false_non_match_rate"] == 0.25
    asked = found.loc["false match rate"]
    assert asked["false_match_rate"] == 0.01
    assert asked["threshold"] == pytest.approx(0.41, abs=0.001)
    assert asked["false_non_match_rate"] == pytest.approx((0.6 - 0.41) / 0.6, abs=0.011)
    # FMR = t − 0.4 and FNMR = 1 − t / 0.6 cross at t = 0.525, where both are 0.125
    assert found.loc["equal error rate", "threshold"] == pytest.approx(0.525, abs=0.004)
    assert found.loc["equal error rate", "false_match_rate"] == pytest.approx(0.125, abs=0.005)


def test_the_equal_error_rate_of_two_normal_distributions():
    at = norm.ppf((np.arange(2000) + 0.5) / 2000)
    found = by_name(calibrate(np.concatenate([0.4 + 0.1 * at, 0.8 + 0.1 * at]), np.arange(4000) < 2000))
    equal = found.loc["equal error rate"]
    assert equal["threshold"] == pytest.approx(0.6, abs=0.001)
    assert equal["false_match_rate"] == pytest.approx(norm.cdf(-2), abs=0.0006)
    assert found.loc["false match rate", "threshold"] == pytest.approx(0.8 + 0.1 * norm.ppf(0.01), abs=0.001)


def test_intervals_are_clopper_and_pearsons():
    """None wrong of n: from 0 to 1 − 0.025^(1/n); and the textbook's 10 of 100: 4.90 % to 17.62 %."""
    same, different = np.full(100, 0.3), np.full(100, 0.9)
    same[:10] = 0.7
    found = by_name(calibrate(np.concatenate([same, different]), np.arange(200) < 100)).loc["in use"]
    assert found["false_match_rate_low"] == 0
    assert found["false_match_rate_high"] == pytest.approx(1 - 0.025 ** (1 / 100))
    assert found["false_non_match_rate_low"] == pytest.approx(0.0490, abs=5e-5)
    assert found["false_non_match_rate_high"] == pytest.approx(0.1762, abs=5e-5)


def test_the_threshold_has_the_interval_of_a_quantile():
    """Of 1,000 pairs, 4 to 17 lie below the 1 % quantile in 95 % of samples: it is from the 4th to the 18th."""
    distances, same = even()
    other = np.sort(distances[~same])
    found = by_name(calibrate(distances, same)).loc["false match rate"]
    assert (found["threshold_low"], found["threshold_high"]) == (other[4 - 1], other[17])


def test_the_interval_of_the_threshold_holds_the_truth():
    """Different people uniform on 0 to 1: the true threshold of 5 % is 0.05."""
    random = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        distances = np.concatenate([np.full(40, 0.01), random.uniform(size=400)])
        found = by_name(calibrate(distances, np.arange(440) < 40, false_match_rate=0.05)).loc["false match rate"]
        held += found["threshold_low"] <= 0.05 <= found["threshold_high"]
    assert held >= 185


def test_with_enough_pairs_the_false_match_rate_decides():
    found = calibrate(*even())
    assert found.table.loc[found.table["recommended"], "at"].tolist() == ["false match rate"]
    assert "worse than a face without one" in found.words[0]


@pytest.mark.parametrize(("same", "different"), [(29, 1000), (100, 299), (100, 29)])
def test_with_few_pairs_the_threshold_in_use_stays_and_a_warning_says_why(same, different):
    found = calibrate(*even(same, different))
    assert found.table.loc[found.table["recommended"], "at"].tolist() == ["in use"]
    assert found.provenance["recommended"] == 0.5
    assert ("below 30" in " ".join(found.warnings)) == (min(same, different) < 30)
    assert ("cannot show" in " ".join(found.warnings)) == (different < 300)


@given(st.lists(st.tuples(st.floats(0, 2), st.booleans()), min_size=2, max_size=60), st.floats(0.001, 0.5))
def test_what_always_holds(given_pairs, rate):
    distances, same = np.array([d for d, _ in given_pairs]), np.array([s for _, s in given_pairs])
    if same.all() or not same.any():
        return
    found = calibrate(distances, same, false_match_rate=rate)
    for row in found.table.itertuples():
        assert row.false_match_rate == (distances[~same] <= row.threshold).mean()
        assert row.false_non_match_rate == pytest.approx((distances[same] > row.threshold).mean())
        assert row.false_match_rate_low <= row.false_match_rate <= row.false_match_rate_high
        assert row.false_non_match_rate_low <= row.false_non_match_rate <= row.false_non_match_rate_high
    asked = by_name(found).loc["false match rate"]
    if asked["threshold"] > 0:
        assert asked["false_match_rate"] <= rate * (1 + 1e-9)
    curve = found.extra["curve"]
    assert curve["false_match_rate"].is_monotonic_increasing
    assert curve["false_non_match_rate"].is_monotonic_decreasing
    assert found.table["recommended"].sum() == 1


def test_groups_that_one_threshold_does_not_fit_are_named():
    distances, same = even(200, 2000)
    group = np.array([["older", "younger"][place % 2] for place in range(len(same))], dtype=object)
    shifted = np.where((group == "older") & ~same, distances - 0.1, distances)
    group[:2] = None
    found = calibrate(shifted, same, group)
    groups = found.extra["groups"].set_index("group")
    assert groups.loc["older", "pairs_same"] == groups.loc["younger", "pairs_same"] == 99
    assert groups.loc["older", "false_match_rate"] > 0.015 > 0 == groups.loc["younger", "false_match_rate"]
    assert groups.loc["older", "own_threshold"] == pytest.approx(0.31, abs=0.003)
    assert groups.loc["younger", "own_threshold"] == pytest.approx(0.41, abs=0.003)
    assert any("older is wrongly matched" in warning for warning in found.warnings)
    fair = calibrate(distances, same, group)
    assert not fair.warnings


def test_a_group_without_pairs_of_a_kind_has_no_rate():
    distances, same = even()
    found = calibrate(distances, same, np.where(same, "a", "b"))
    groups = found.extra["groups"].set_index("group")
    assert np.isnan(groups.loc["a", "false_match_rate"]) and np.isnan(groups.loc["b", "false_non_match_rate"])
    assert "a, b" in found.warnings[-1]


def test_labels_that_cannot_be_right_are_said():
    distances, same = even()
    assert any("labels right" in warning for warning in calibrate(distances, ~same).warnings)


def test_the_figure_marks_the_threshold():
    found = calibrate(*even(), np.tile(["a", "b"], 550))
    left, middle, right = found.figure.axes
    recommended = found.provenance["recommended"]
    assert [line.get_xdata()[0] for line in left.lines] == [recommended, 0.5]
    assert recommended in [line.get_xdata()[0] for line in middle.lines]
    assert right.get_xscale() == "log"
    assert found.figure_png().startswith(b"\x89PNG")


def test_pairs_of_labelled_faces():
    faces = np.array([[0.0, 0.0], [3.0, 4.0], [np.nan, 0.0], [0.0, 1.0]])
    distances, same = pairs(faces, ["Ada", "Bob", "Bob", "Ada"])
    np.testing.assert_allclose(distances, [5, 1, np.sqrt(18)])
    assert same.tolist() == [False, True, False]


def test_too_many_faces_ask_for_a_sample():
    with pytest.raises(InputError, match="sample"):
        pairs(np.zeros((10_001, 1)), ["Ada"] * 10_001)


@pytest.mark.parametrize(
    ("distances", "same", "arguments"),
    [
        ([0.1, 0.2], [True], {}),
        ([0.1, np.nan], [True, False], {}),
        ([0.1, -0.2], [True, False], {}),
        ([0.1, 0.2], [True, True], {}),
        ([0.1, 0.2], [True, 3], {}),
        ([0.1, 0.2], [True, False], {"false_match_rate": 0}),
        ([0.1, 0.2], [True, False], {"group": ["a"]}),
        ([0.1, 0.2], [True, False], {"group": [None, None]}),
    ],
)
def test_what_cannot_be_calibrated_is_refused(distances, same, arguments):
    with pytest.raises(InputError):
        calibrate(np.array(distances), np.array(same), **arguments)


def test_examples():
    failed, tried = doctest.testmod(calibration)
    assert tried > 0 and failed == 0
