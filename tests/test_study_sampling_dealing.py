"""Who codes what, and which pairs are compared."""

from itertools import combinations

import networkx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.study.pairwise.comparisons import draw_pairs
from visanda.study.sampling.coder_shares import deal, sheet_order


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 120), st.integers(2, 5), st.floats(0, 0.99), st.integers(0, 99))
def test_double_codes_are_spread_over_pairs_and_work_over_coders(n, many, double, seed):
    ids, coders = [f"u{k}" for k in range(n)], [f"c{k}" for k in range(many)]
    dealt = deal(ids, coders, double, np.random.default_rng(seed))
    assert dealt.index.tolist() == ids
    who = dealt.str.split("|", regex=False)
    assert (who.map(len) == 2).sum() == round(double * n) and who.map(len).isin([1, 2]).all()
    pairs = who[who.map(len) == 2].map(lambda two: tuple(sorted(two))).value_counts()
    pairs = pairs.reindex(list(combinations(coders, 2)), fill_value=0)
    assert pairs.max() - pairs.min() <= 1
    if round(double * n) <= n / 2:
        load = who.explode().value_counts().reindex(coders, fill_value=0)
        assert load.max() - load.min() <= 2


def test_which_units_are_coded_twice_is_chance():
    ids = [f"u{k}" for k in range(40)]
    twice = [
        deal(ids, ["a", "b"], 0.25, np.random.default_rng(seed)).str.contains("|", regex=False) for seed in range(400)
    ]
    assert np.abs(pd.concat(twice, axis=1).mean(axis=1) - 0.25).max() < 4.5 * np.sqrt(0.25 * 0.75 / 400)


def test_all_code_all():
    assert set(deal(list("abc"), ["x", "y", "z"], 1, np.random.default_rng(1))) == {"x|y|z"}


@pytest.mark.parametrize(
    ("coders", "double", "says"),
    [(["a"], 0.2, "'a' is alone"), ([], 0.2, "nobody is named"), ([], 0, "name the coders"), (["a", "a"], 0, "twice")],
)
def test_coders_that_do_not_fit_are_refused(coders, double, says):
    with pytest.raises(InputError, match=says):
        deal(list("abc"), coders, double, np.random.default_rng(1))


def test_a_coders_order_is_all_of_theirs_and_another():
    ids = [f"u{k}" for k in range(50)]
    assert (
        sorted(sheet_order(ids, np.random.default_rng(1))) == sorted(ids) != sheet_order(ids, np.random.default_rng(1))
    )


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 40), st.floats(0, 1), st.integers(0, 99))
def test_pairs_connect_all_units_evenly(n, share, seed):
    ids, most = [f"u{k}" for k in range(n)], n * (n - 1) // 2
    number = round(n - 1 + share * (most - n + 1))
    pairs = draw_pairs(ids, number, np.random.default_rng(seed))
    graph = networkx.Graph(list(zip(pairs["left"], pairs["right"], strict=True)))
    assert len(pairs) == graph.number_of_edges() == number, "no pair twice, none with itself"
    assert set(graph) == set(ids) and networkx.is_connected(graph)
    degrees = [degree for _, degree in graph.degree()]
    assert max(degrees) - min(degrees) <= 2


def test_sides_are_chance():
    pairs = draw_pairs([f"{k:03d}" for k in range(100)], 1000, np.random.default_rng(1))
    assert (pairs["left"] < pairs["right"]).mean() == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize("number", [3, 11])
def test_too_few_or_too_many_pairs_are_refused(number):
    with pytest.raises(InputError, match="at least 4"):
        draw_pairs(list("abcde"), number, np.random.default_rng(1))
