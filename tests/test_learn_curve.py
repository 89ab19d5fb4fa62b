"""Learning curves: the law is found, and what it foresees is what comes, on tasks where that is known."""

import numpy as np
import pytest
from heads_problems import TARGETS, problem
from hypothesis import given
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.learn.curve import learning_curve
from visanda.learn.heads import fit
from visanda.learn.power_law import fitted
from visanda.learn.target import Target
from visanda.models.own import Own

THREE = Target("nominal", ("a", "b", "c"))
PENALTIES = {"penalty": (1.0, 0.1, 0.01)}


@given(st.floats(0, 0.4), st.floats(0.1, 2), st.sampled_from([0.2, 0.5, 1.0, 1.5]))
def test_the_law_that_made_a_curve_is_found(least, height, steep):
    sizes = np.array([10, 20, 40, 80, 160])
    law = fitted(sizes, (least + height * sizes**-steep)[None])
    np.testing.assert_allclose(law.at([1000.0])[0], least + height * 1000**-steep, atol=1e-6)


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_errors_never_grow_along_the_law_nor_go_below_nothing(errors):
    law = fitted(np.array([10, 20, 40, 80, 160]), np.array([errors]))
    line = law.at(np.arange(10, 2000, 50))[0]
    assert (np.diff(line) <= 1e-12).all() and (line >= 0).all()


def draw(random, n, ways):
    truth = random.integers(0, 3, n)
    return (random.normal(size=(n, ways.shape[1])) + ways[truth]).astype(np.float32), truth


def test_what_is_foreseen_is_what_comes():
    """Eight tasks of 150 codes; with 300 more, and thousands to test on, the truth lies in the interval of most."""
    inside, gains, true_gains = [], [], []
    for seed in range(8):
        random = np.random.default_rng(seed)
        ways = random.normal(size=(3, 30)) * (0.2 + 0.05 * (seed % 4))
        pool, known = draw(random, 4000, ways)
        vectors, truth = draw(random, 150, ways)
        curve = learning_curve(vectors, truth, THREE, range(150), more=300, seed=1, repeats=4, settings=PENALTIES)
        errors = []
        for number in (150, 450):
            found = []
            for _ in range(3):
                some, codes = draw(random, number, ways)
                wrong = Own(fit("linear", some, codes, THREE, range(number), seed=1, settings=PENALTIES).model)(pool)
                wrong = wrong.argmax(axis=1) != known
                found.append(np.mean([wrong[known == one].mean() for one in range(3)]))
            errors.append(np.mean(found))
        inside.append(curve.then[1] <= errors[1] <= curve.then[2])
        gains.append(curve.gain[0])
        true_gains.append(errors[0] - errors[1])
    assert np.mean(inside) >= 0.75
    assert np.mean(gains) == pytest.approx(np.mean(true_gains), abs=0.02)


def test_where_nothing_can_be_learnt_more_codes_are_not_said_to_help():
    random = np.random.default_rng(0)
    vectors, truth = random.normal(size=(160, 10)).astype(np.float32), random.integers(0, 3, 160)
    curve = learning_curve(vectors, truth, THREE, range(160), more=200, seed=1, settings=PENALTIES)
    assert curve.gain[1] < 0.01 and curve.now[0] == pytest.approx(2 / 3, abs=0.08)


@pytest.mark.parametrize("scale", TARGETS)
def test_every_scale_has_a_curve(scale):
    vectors, truth = problem(scale, n=120)
    groups = np.arange(120) // 2
    curve = learning_curve(
        vectors, truth, TARGETS[scale], groups, more=50, seed=1, repeats=2, settings={"penalty": 0.1}
    )
    assert curve.codes == 120 and curve.points["codes"].iloc[0] == 10 and curve.law["codes"].iloc[-1] == 170
    assert curve.measure == ("mean absolute error" if scale in ("ordinal", "interval") else "balanced error")
    assert curve.points["error"].iloc[-1] < curve.points["error"].iloc[0]
    assert curve.gain[0] >= 0 and curve.now[1] < curve.now[0] < curve.now[2]
    again = learning_curve(
        vectors, truth, TARGETS[scale], groups, more=50, seed=1, repeats=2, settings={"penalty": 0.1}
    )
    assert again.points.equals(curve.points) and again.gain == curve.gain


def test_copies_do_not_make_a_curve_look_better():
    """Five copies of each of 40 pictures with random codes: grouped, there is nothing to be told."""
    random = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), 5)
    vectors = random.normal(size=(40, 30)).astype(np.float32)[groups]
    truth = random.integers(0, 2, 40)[groups]
    curve = learning_curve(vectors, truth, TARGETS["binary"], groups, more=50, seed=1, kind="knn", repeats=3)
    assert curve.points["error"].iloc[-1] > 0.38


def test_too_few_codes_are_told():
    vectors, truth = problem("binary", n=20)
    with pytest.raises(InputError, match="20 codes in 20 groups are too few for a learning curve: code at least 27"):
        learning_curve(vectors, truth, TARGETS["binary"], range(20), more=10, seed=1)
    with pytest.raises(InputError, match="give at least 1 and 2"):
        learning_curve(vectors, truth, TARGETS["binary"], range(20), more=0, seed=1)
