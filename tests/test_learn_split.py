"""Splits: groups stay together, strata get their share, and nothing moves once it is frozen."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.learn.split import dealt, fold_of, freeze, strata_of
from visanda.learn.target import Target


def alone(values):
    return pd.Series(values.index, index=values.index)


def numbered(values):
    return pd.Series(values, index=[f"i{number}" for number in range(len(values))])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=8, max_size=60), st.integers(0, 5))
def test_groups_stay_together_and_every_value_is_learnt(rows, seed):
    values, groups = numbered([value for value, _ in rows]), numbered([f"g{group}" for _, group in rows])
    split = freeze(values, groups, 0.25, 0.15, seed)
    assert pd.DataFrame({"group": groups, "set": split}).groupby("group")["set"].nunique().max() == 1
    assert set(values[split == "train"]) == set(values)
    assert split.equals(freeze(values, groups, 0.25, 0.15, seed))


def test_each_set_has_its_share_of_each_value():
    values = numbered(["yes"] * 20 + ["no"] * 180)
    split = freeze(values, alone(values), 0.25, 0.2, seed=1)
    assert values[split == "test"].value_counts().to_dict() == {"no": 45, "yes": 5}
    assert values[split == "validation"].value_counts().to_dict() == {"no": 27, "yes": 3}


def test_groups_that_are_in_a_set_already_stay_there():
    values = numbered(["yes", "no"] * 20)
    groups = numbered([f"g{number // 2}" for number in range(40)])
    known = pd.Series({"g0": "test", "g1": "validation", "g2": "train"})
    split = freeze(values, groups, 0.25, 0.15, 1, known)
    assert split.iloc[:6].tolist() == ["test", "test", "validation", "validation", "train", "train"]


def test_a_value_in_one_group_is_learnt_and_not_tested():
    values = numbered(["rare"] * 6 + ["common"] * 30)
    groups = numbered(["one"] * 6 + [str(number) for number in range(30)])
    split = freeze(values, groups, 0.25, 0.15, 1)
    assert set(split[values == "rare"]) == {"train"} and (split == "test").sum() >= 7


def test_strata_of_several_labels_are_the_rarest_and_of_numbers_their_fifths():
    labels = numbered(["flag", "flag", "flag|fire", "none"])
    assert strata_of(Target("multilabel", ("fire", "flag")), labels).tolist() == ["flag", "flag", "fire", "none"]
    numbers = numbered(np.arange(100.0))
    assert strata_of(Target("interval"), numbers).value_counts().to_dict() == {str(part): 20 for part in range(5)}


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_what_is_no_share_is_refused(share):
    values = numbered(["a", "b"] * 10)
    with pytest.raises(InputError, match="--test is a share"):
        freeze(values, alone(values), share, 0.1, 1)
    with pytest.raises(InputError, match="--validation is a share"):
        freeze(values, alone(values), 0.2, share, 1)


def test_too_few_are_refused():
    values = numbered(["a", "b", "a", "b"])
    with pytest.raises(InputError, match="code at least 8"):
        freeze(values, alone(values), 0.25, 0.15, 1)


def test_folds_do_not_depend_on_who_else_is_there():
    alone = fold_of(["a"], 5, seed=1)[0]
    assert fold_of(["b", "a", "c"], 5, seed=1)[1] == alone
    assert np.bincount(fold_of([str(i) for i in range(1000)], 5, seed=1)).min() > 150


def test_folds_are_even_whole_by_group_and_not_steered_by_codes():
    groups = [f"g{number // 2}" for number in range(60)]
    truth = np.arange(60) % 3
    fold = dealt(groups, truth, 5, seed=1)
    assert np.bincount(fold).tolist() == [12] * 5
    assert all(len(set(fold[at : at + 2])) == 1 for at in range(0, 60, 2))
    assert (dealt(groups, np.roll(truth, 1), 5, seed=1) == fold).all()


def test_folds_leave_two_values_wherever_that_can_be():
    for seed in range(30):
        truth = np.zeros(30, int)
        truth[:2] = 1
        fold = dealt([str(number) for number in range(30)], truth, 5, seed)
        assert fold[0] != fold[1], "without either fold the rare value is still there"
