"""draw_round: strata, clusters, two stages and later rounds, each with the probabilities that it says."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.study.sampling.round import draw_round, plan_round


def population(sizes, seed=0):
    """Clusters of these sizes, in two strata, with a size that favours some."""
    chance = np.random.default_rng(seed)
    cluster = np.repeat([f"v{k:03d}" for k in range(len(sizes))], sizes)
    stratum = np.repeat(["a" if k % 2 else "b" for k in range(len(sizes))], sizes)
    ids = [f"{k:05d}" for k in range(len(cluster))]
    return pd.DataFrame({"id": ids, "stratum": stratum, "cluster": cluster, "size": chance.random(len(ids)) ** 3})


def often(units, n, repeats=1500, **options):
    """The share of repetitions in which each unit was drawn, and the probabilities that were said."""
    plan = plan_round(units, n, **options)
    draws = np.array([plan.draw(np.random.default_rng(seed)) for seed in range(repeats)])
    return draws.mean(axis=0), plan.rows["pi"].to_numpy(), draws


@pytest.mark.parametrize(
    ("columns", "options"),
    [
        (["stratum"], {}),
        (["stratum", "size"], {"allocate": "equal"}),
        (["stratum", "cluster"], {}),
        (["stratum", "cluster", "size"], {}),
        (["stratum", "cluster"], {"per_cluster": 2}),
        (["stratum", "cluster", "size"], {"per_cluster": 3}),
    ],
)
def test_each_unit_is_drawn_as_often_as_its_probability_says(columns, options):
    units = population([1, 2, 3, 4, 5, 6, 7, 8])[["id", *columns]]
    share, pi, _ = often(units, 12, **options)
    assert np.abs(share - pi).max() < 4.5 * np.sqrt(0.25 / 1500)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=4, max_size=15), st.floats(0.05, 1), st.integers(0, 99), st.booleans())
def test_a_first_round_draws_exactly_n_and_all_can_be_drawn(sizes, share, seed, favoured):
    units = population(sizes, seed).drop(columns=["cluster"] if favoured else ["cluster", "size"])
    n = max(units["stratum"].nunique(), round(share * len(units)))
    drawn = draw_round(units, n, np.random.default_rng(seed), floor=0.2)
    assert drawn["taken"].sum() == n
    assert drawn["pi"].sum() == pytest.approx(n)
    assert drawn["pi"].between(0, 1, inclusive="right").all()


def test_two_stages_give_units_about_the_same_probability_and_whole_clusters_exactly():
    units = population([2, 5, 10, 40, 3, 8, 20, 12]).drop(columns=["size"]).assign(stratum="all")
    _, pi, draws = often(units, 20, 50)
    assert np.ptp(pi) == 0 and draws.sum(axis=1).mean() == pytest.approx(20, rel=0.5)
    _, pi, _ = often(units, 8, 2, per_cluster=2)
    assert pi.max() / pi.min() < 20 / 8  # where clusters alike would give the smallest twenty times the largest's


def test_a_later_round_leaves_out_what_was_drawn_and_keeps_its_expectation():
    units = population([1] * 60).drop(columns=["cluster"])
    chance = np.random.default_rng(5)
    counts = []
    for _ in range(200):
        first = draw_round(units, 15, chance)
        again = units.assign(left=1 - first["pi"], drawn=first["taken"])
        second = draw_round(again, 12, chance)
        assert not (second["taken"] & first["taken"]).any()
        counts.append(second["taken"].sum())
    assert np.mean(counts) == pytest.approx(12, abs=0.4)
    assert max(counts) - min(counts) <= 8


def test_a_later_simple_round_is_like_one_larger_sample():
    units = population([1] * 50).drop(columns=["cluster", "size"]).assign(stratum="all")
    first = draw_round(units, 10, np.random.default_rng(1))
    second = draw_round(units.assign(left=1 - first["pi"], drawn=first["taken"]), 15, np.random.default_rng(2))
    assert second["taken"].sum() == 15
    np.testing.assert_allclose(1 - (1 - first["pi"]) * (1 - second["pi"]), 25 / 50)


@pytest.mark.parametrize(
    ("n", "options", "says"),
    [(0, {}, "ask for 1"), (99, {}, "36 rows"), (1, {}, "2 strata"), (5, {"per_cluster": 0}, "at least 1 unit")],
)
def test_what_does_not_fit_is_refused(n, options, says):
    units = population([1, 2, 3, 4, 5, 6, 7, 8]).drop(columns=[] if options else ["cluster"])
    with pytest.raises(InputError, match=says):
        draw_round(units, n, np.random.default_rng(1), **options)
