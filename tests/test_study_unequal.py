"""Unequal probabilities: what they add up to, their floor, and a draw that keeps each exactly."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.study.sampling.unequal import probabilities, systematic

sizes = st.lists(st.floats(0, 1e6), min_size=1, max_size=60).map(np.array)


@settings(max_examples=200, deadline=None)
@given(sizes, st.floats(0.01, 1), st.floats(0, 1))
def test_probabilities_add_up_to_n_above_a_floor_and_never_exceed_one(size, floor, share):
    n = max(1, round(share * len(size)))
    pi = probabilities(n, size, floor=floor)
    assert pi.sum() == pytest.approx(n, rel=1e-9)
    assert (pi <= 1).all() and (pi >= min(1.0, floor * n / len(size)) * (1 - 1e-9)).all()
    assert (np.diff(pi[np.argsort(size)]) >= -1e-12).all(), "the larger, the more probable"


@settings(max_examples=100, deadline=None)
@given(sizes, st.data())
def test_worth_is_what_adds_up(size, data):
    worth = np.array(data.draw(st.lists(st.floats(0.01, 20) | st.just(0.0), min_size=len(size), max_size=len(size))))
    assume(worth.sum() > 0)
    n = data.draw(st.floats(0.01, 1)) * worth.sum()
    pi = probabilities(n, size, worth=worth)
    assert (worth * pi).sum() == pytest.approx(n, rel=1e-6)
    assert ((pi > 0) & (pi <= 1)).all()


def test_without_sizes_all_are_alike():
    np.testing.assert_allclose(probabilities(5, np.zeros(20)), 0.25)


@settings(max_examples=200, deadline=None)
@given(sizes, st.floats(0.01, 1), st.floats(0, 1), st.integers(0, 99))
def test_exactly_so_many_are_drawn_as_probabilities_add_up_to(size, floor, share, seed):
    n = max(1, round(share * len(size)))
    pi = probabilities(n, size, floor=floor)
    taken = systematic(pi, np.random.default_rng(seed))
    assert taken.sum() == n
    assert taken[pi >= 1].all()


def test_a_broken_sum_draws_the_whole_number_below_or_above():
    pi = np.full(9, 0.25)
    counts = [systematic(pi, np.random.default_rng(seed)).sum() for seed in range(400)]
    assert set(counts) == {2, 3}
    assert np.mean(counts) == pytest.approx(2.25, abs=4 * 0.43 / 20)


def test_strata_get_what_their_probabilities_add_up_to():
    stratum = np.repeat([0, 1, 2], [10, 30, 60])
    pi = np.repeat([0.35, 0.2, 0.1], [10, 30, 60])
    for seed in range(50):
        taken = systematic(pi, np.random.default_rng(seed), stratum)
        assert taken.sum() in (15, 16)
        assert np.abs(np.bincount(stratum, taken) - [3.5, 6, 6]).max() < 1.5


def test_each_is_drawn_as_often_as_its_probability_says_and_so_are_pairs():
    pi = probabilities(6, np.arange(20.0), floor=0.3)
    draws = np.array([systematic(pi, np.random.default_rng(seed)) for seed in range(4000)], dtype=float)
    assert np.abs(draws.mean(axis=0) - pi).max() < 4.5 * np.sqrt(0.25 / len(draws))
    together = draws.T @ draws / len(draws)
    apart = ~np.eye(20, dtype=bool)
    assert (together[apart] > 0).all(), "any two can be drawn together: variances can be estimated"
    assert (together / np.outer(pi, pi))[apart].max() < 1.3, "and few pairs much more often than by chance"


@pytest.mark.parametrize("floor", [0, -0.1, 1.1])
def test_a_floor_out_of_range_is_refused(floor):
    with pytest.raises(InputError, match="above 0"):
        probabilities(2, np.ones(5), floor=floor)


@pytest.mark.parametrize("size", [[1.0, -1.0], [1.0, float("nan")]])
def test_sizes_that_are_none_are_refused(size):
    with pytest.raises(InputError, match="0 or more"):
        probabilities(1, np.array(size))
