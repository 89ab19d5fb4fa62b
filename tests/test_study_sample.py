"""draw: a probability sample, whatever the strata."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.study import draw


def frame_of(sizes):
    genre = np.repeat([f"g{k}" for k in range(len(sizes))], sizes)
    return pd.DataFrame({"id": [f"{k:05d}.jpg" for k in range(len(genre))], "genre": genre})


designs = st.lists(st.integers(1, 60), min_size=1, max_size=8).flatmap(
    lambda sizes: st.tuples(st.just(sizes), st.integers(len(sizes), sum(sizes)))
)


@settings(max_examples=40, deadline=None)
@given(designs, st.sampled_from(["proportional", "equal"]), st.integers(0, 9))
def test_probabilities_sizes_and_order(design, allocate, seed):
    sizes, n = design
    frame = frame_of(sizes)
    sample = draw(frame, n, ["genre"], seed, allocate)
    assert len(sample) == n and sample["id"].is_unique
    assert list(sample["order"]) == list(range(1, n + 1))
    assert sample.merge(frame, on="id").eval("stratum == genre").all()
    by = sample.groupby("stratum").agg(
        n=("id", "size"), N=("n_stratum", "first"), pi=("pi", "first"), kinds=("pi", "nunique")
    )
    assert dict(by["N"]) == {f"g{k}": size for k, size in enumerate(sizes)}
    np.testing.assert_allclose(by["pi"] * by["N"], by["n"])
    assert (by["kinds"] == 1).all() and (by["pi"] <= 1).all()
    assert by["n"].ge(np.minimum(2, by["N"]) if np.minimum(2, sizes).sum() <= n else 1).all()


@settings(max_examples=15, deadline=None)
@given(designs, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(design, random):
    sizes, n = design
    frame = frame_of(sizes)
    rows = list(range(len(frame)))
    random.shuffle(rows)
    pd.testing.assert_frame_equal(draw(frame, n, ["genre"], 5), draw(frame.iloc[rows], n, ["genre"], 5))


def test_proportional_takes_the_largest_remainder_and_equal_redistributes_what_is_not_there():
    frame = frame_of([500, 300, 197, 3])
    proportional = draw(frame, 100, ["genre"], 1)["stratum"].value_counts()
    assert proportional.to_dict() == {"g0": 49, "g1": 30, "g2": 19, "g3": 2}
    equal = draw(frame, 100, ["genre"], 1, "equal")["stratum"].value_counts()
    assert equal["g3"] == 3 and set(equal[["g0", "g1", "g2"]]) == {32, 33}


def test_each_row_is_drawn_as_often_as_its_probability_says():
    frame = frame_of([40, 10])
    draws = [draw(frame, 15, ["genre"], seed, "equal") for seed in range(150)]
    often = pd.concat(draws)["id"].value_counts() / len(draws)
    probability = pd.concat(draws).groupby("id")["pi"].first()
    assert len(often) == 50
    assert (often - probability).abs().max() < 4.5 * np.sqrt(0.25 / len(draws))


def test_different_seeds_draw_different_rows():
    frame = frame_of([200])
    assert set(draw(frame, 20, seed=1)["id"]) != set(draw(frame, 20, seed=2)["id"])


def test_strata_are_named_by_their_values_and_missing_ones_are_a_stratum():
    frame = frame_of([4, 4]).assign(year=[2019, 2020, None, 2019] * 2)
    sample = draw(frame, 8, ["genre", "year"])
    assert set(sample["stratum"]) == {f"g{g}|{year}" for g in (0, 1) for year in ("2019", "2020", "(missing)")}
    assert set(draw(frame, 3)["stratum"]) == {"all"}


@pytest.mark.parametrize(
    ("n", "by", "message"),
    [
        (0, None, "ask for 1 to 20"),
        (21, None, "ask for 1 to 20"),
        (1, ["genre"], "draw at least 2, or use fewer strata"),
        (5, ["gnre"], "'gnre'.*did you mean genre"),
    ],
)
def test_what_does_not_fit_is_refused(n, by, message):
    with pytest.raises(InputError, match=message):
        draw(frame_of([10, 10]), n, by)


def test_an_id_twice_is_refused():
    with pytest.raises(InputError, match="one row for each id"):
        draw(frame_of([5]).assign(id="a.jpg"), 2)
