"""Heads of every kind, on every scale: the file says what the fit says, and bad input is told."""

import numpy as np
import onnx
import pytest
from heads_problems import KINDS, QUICK, TARGETS, problem

from visanda.errors import InputError
from visanda.learn.heads import fit
from visanda.learn.heads.links import predicted
from visanda.learn.heads.problem import stated
from visanda.learn.heads.search import Search, kind_of
from visanda.learn.heads.settings import Job, candidates
from visanda.learn.scores import scores
from visanda.learn.target import Target
from visanda.models.own import Own

BINARY = TARGETS["binary"]
GOOD = {"binary": 0.7, "nominal": 0.6, "ordinal": 0.55, "multilabel": 0.4}  # accuracy, of what has noise in it


@pytest.mark.parametrize("scale", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_file_says_what_the_fit_says(kind, scale):
    vectors, truth = problem(scale)
    given, rows = stated(vectors, truth, TARGETS[scale], range(90), None, False, 1)
    assert len(rows) == 90
    tried = candidates(kind, kind_of(kind).defaults, QUICK[kind])
    search = Search(kind, given, np.arange(90) % 3, tried)
    choice = search.choice()
    (body,) = kind_of(kind).train(given, [Job(choice.rows, choice.settings)])
    expected = predicted(kind_of(kind).link(given), body.scores(np.arange(90)).astype(float), choice.calibration)
    if scale == "interval":
        expected = expected.clip(0, 1)
    said = Own(search.model(body, choice.calibration))(vectors)
    assert said.dtype == np.float32 and said.shape == (90, TARGETS[scale].outputs)
    np.testing.assert_allclose(said, expected, atol=2e-5)


@pytest.mark.parametrize("scale", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_learns_each_scale(kind, scale):
    vectors, truth = problem(scale, n=120)
    made = fit(kind, vectors, truth, TARGETS[scale], range(120), seed=1, settings=QUICK[kind])
    assert made.out_of_fold.shape == (120, TARGETS[scale].outputs) and np.isfinite(made.out_of_fold).all()
    if scale in ("binary", "nominal", "ordinal"):
        np.testing.assert_allclose(made.out_of_fold.sum(axis=1), 1, atol=1e-5)
    found = scores(TARGETS[scale], truth, made.out_of_fold)
    if scale == "interval":
        assert found["r"] > 0.5 and made.out_of_fold.min() >= 0 and made.out_of_fold.max() <= 1
    else:
        assert found["accuracy"] > GOOD[scale]
    new, what = problem(scale, n=120)  # the same again: the whole model knows at least as much
    assert scores(TARGETS[scale], what, Own(made.model)(new))[("r" if scale == "interval" else "accuracy")] > 0.4


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_input_gives_the_same_bytes_and_another_seed_may_not(kind):
    vectors, truth = problem("nominal", n=60)
    one, same, other = (
        fit(kind, vectors, truth, TARGETS["nominal"], range(60), seed=seed, settings=QUICK[kind]) for seed in (1, 1, 2)
    )
    assert one.model == same.model and one.fold_models == same.fold_models and one.settings == same.settings
    assert np.array_equal(one.out_of_fold, same.out_of_fold)
    assert not np.array_equal(one.fold, other.fold)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_holds_nothing_but_standard_operations(kind):
    vectors, truth = problem("nominal", n=40)
    model = onnx.load_from_string(
        fit(kind, vectors, truth, TARGETS["nominal"], range(40), seed=1, settings=QUICK[kind]).model
    )
    assert {opset.domain for opset in model.opset_import} <= {"", "ai.onnx.ml"}
    assert [one.name for one in model.graph.input] == ["features"]
    assert [one.name for one in model.graph.output] == ["scores"]


@pytest.mark.parametrize("kind", KINDS)
def test_eight_pictures_with_more_dimensions_than_that_are_enough(kind):
    vectors, truth = problem("binary", n=8, d=40, noise=0, seed=3)
    truth[:2] = [0, 1]
    made = fit(kind, vectors, truth, BINARY, range(8), seed=1, settings=QUICK[kind])
    assert np.isfinite(made.out_of_fold).all() and np.isfinite(Own(made.model)(vectors)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_with_two_members_is_learnt(kind):
    random = np.random.default_rng(0)
    vectors = random.normal(size=(42, 5)).astype(np.float32) * np.float32(0.1)
    truth = np.r_[np.repeat([0, 1], 20), 2, 2]
    vectors[np.arange(42), truth] += 1
    made = fit(kind, vectors, truth, TARGETS["nominal"], range(42), seed=1)
    assert np.isfinite(made.out_of_fold).all()
    assert any("'street' is in 2 groups only" in note for note in made.settings["notes"])
    said = Own(made.model)(vectors)
    assert said[40:, 2].min() > said[:40, 2].max()


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_that_are_all_the_same_tell_how_frequent_each_class_is(kind):
    truth = np.repeat([0, 1], [30, 10])
    made = fit(kind, np.ones((40, 4), np.float32), truth, BINARY, range(40), seed=1, settings=QUICK[kind])
    np.testing.assert_allclose(Own(made.model)(np.ones((1, 4), np.float32))[0], [0.75, 0.25], atol=0.08)


@pytest.mark.parametrize("kind", KINDS)
def test_balance_lets_each_class_count_the_same(kind):
    random = np.random.default_rng(1)
    truth = np.repeat([0, 1], [170, 30])
    vectors = random.normal(size=(200, 4)) + truth[:, None] * 0.8
    plain, even = (
        fit(kind, vectors, truth, BINARY, range(200), seed=1, balance=balance, settings=QUICK[kind]).out_of_fold[:, 1]
        for balance in (False, True)
    )
    assert plain.mean() == pytest.approx(0.15, abs=0.05), "probabilities as the world is"
    assert even.mean() > plain.mean() + 0.15
    assert (even[truth == 1] > 0.5).mean() > (plain[truth == 1] > 0.5).mean()


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_count_nothing_change_nothing(kind):
    vectors, truth = problem("binary", n=60)
    folds = np.arange(60) % 3
    weights = np.where(np.arange(60) < 45, 1.0, 0.0)
    weighted = fit(kind, vectors, truth, BINARY, range(60), seed=1, weights=weights, settings=QUICK[kind], folds=folds)
    without = fit(kind, vectors[:45], truth[:45], BINARY, range(45), seed=1, settings=QUICK[kind], folds=folds[:45])
    assert weighted.model == without.model
    assert np.isnan(weighted.out_of_fold[45:]).all() and (weighted.fold[45:] == -1).all()


@pytest.mark.parametrize("kind", ["linear", "knn"])
def test_a_row_that_counts_double_is_as_good_as_two(kind):
    vectors, truth = problem("binary", n=60)
    twice = np.r_[np.arange(60), np.arange(20)]
    settings = {"linear": {"penalty": 0.1}, "knn": {"k": 60, "sharpness": 10.0}}[kind]
    folds = np.zeros(80, int)  # nothing is held out, so that nothing but the fit differs
    weights = np.where(np.arange(60) < 20, 2.0, 1.0)
    one = fit(kind, vectors, truth, BINARY, range(60), seed=1, weights=weights, settings=settings, folds=folds[:60])
    if kind == "knn":
        settings = {**settings, "k": 80}
    two = fit(kind, vectors[twice], truth[twice], BINARY, twice, seed=1, settings=settings, folds=folds)
    # Penalty and prior count in rows, and these are 60 or 80.
    np.testing.assert_allclose(Own(one.model)(vectors), Own(two.model)(vectors), atol=0.12)
    unweighted = fit(kind, vectors, truth, BINARY, range(60), seed=1, settings=settings, folds=folds[:60])
    away = np.abs(Own(unweighted.model)(vectors) - Own(two.model)(vectors)).mean()
    assert np.abs(Own(one.model)(vectors) - Own(two.model)(vectors)).mean() < away


def test_rows_without_a_code_are_left_out():
    vectors, truth = problem("interval", n=50)
    missing = truth.copy()
    missing[:10] = np.nan
    made = fit("linear", vectors, missing, TARGETS["interval"], range(50), seed=1, folds=np.arange(50) % 5)
    alone = fit("linear", vectors[10:], truth[10:], TARGETS["interval"], range(10, 50), seed=1, folds=np.arange(40) % 5)
    assert made.model == alone.model and np.isnan(made.out_of_fold[:10]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vectors_that_are_no_numbers_are_told_with_their_row(bad):
    vectors, truth = problem("binary", n=40)
    vectors[7, 2] = bad
    with pytest.raises(InputError, match=r"1 of 40 vectors hold something that is no number \(the first in row 7\)"):
        fit("linear", vectors, truth, BINARY, range(40), seed=1)


@pytest.mark.parametrize(
    ("scale", "truth", "what"),
    [
        ("binary", np.ones(20, int), "all 20 coded pictures have the value 'yes'"),
        ("ordinal", np.zeros(20, int), "all 20 coded pictures have the value 'none'"),
        ("interval", np.full(20, 0.5), "all 20 coded pictures have the value"),
        ("multilabel", np.tile([1.0, 0, 1], (20, 1)), r"have the value 'fire\|sign'"),
        ("binary", np.full(20, np.nan), "no picture is coded"),
        ("nominal", np.arange(20), "class numbers go from 0 to 2"),
        ("multilabel", np.ones((20, 2)), "give a column for each of 3 labels"),
        ("multilabel", np.tile([1.0, 0, np.nan], (20, 1)), "the label 'sign' is known of no picture"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_there_is_nothing_to_learn_from_is_told(kind, scale, truth, what):
    with pytest.raises(InputError, match=what):
        fit(kind, np.random.default_rng(0).normal(size=(20, 3)), truth, TARGETS[scale], range(20), seed=1)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"kind": "forest"}, "no head of kind 'forest'; there are: linear, knn, mlp, boosting"),
        ({"settings": {"depth": 3}}, "no setting 'depth'; it has: penalty"),
        ({"settings": {"penalty": -1}}, "give a number above 0"),
        ({"folds": 1}, "give at least 2"),
        ({"folds": np.array([0.5] * 40)}, "a whole number from 0"),
        ({"weights": np.full(40, -1.0)}, "0 or more a picture"),
        ({"weights": np.ones(3)}, "0 or more a picture"),
        ({"groups": range(3)}, "give one of each a picture"),
    ],
)
def test_options_that_cannot_be_are_told(options, what):
    vectors, truth = problem("binary", n=40)
    given = {"kind": "linear", "groups": range(40), "seed": 1, **options}
    with pytest.raises(InputError, match=what):
        fit(given.pop("kind"), vectors, truth, BINARY, given.pop("groups"), **given)


def test_numbers_cannot_be_balanced():
    vectors, truth = problem("interval", n=40)
    with pytest.raises(InputError, match="no classes to balance"):
        fit("linear", vectors, truth, TARGETS["interval"], range(40), seed=1, balance=True)


def test_progress_ends_at_one():
    vectors, truth = problem("binary", n=40)
    told: list[float] = []
    fit("boosting", vectors, truth, BINARY, range(40), seed=1, settings=QUICK["boosting"], progress=told.append)
    assert told == sorted(told) and told[-1] == 1.0


def test_one_group_holds_nothing_out_and_says_so():
    vectors, truth = problem("binary", n=30)
    made = fit("linear", vectors, truth, BINARY, ["all"] * 30, seed=1)
    assert np.isnan(made.out_of_fold).all() and "nothing was held out" in made.settings["notes"][0]


def test_a_target_with_more_classes_than_were_seen_gives_them_little():
    vectors, truth = problem("binary", n=60)
    wide = Target("nominal", ("no", "yes", "never seen"))
    for kind in KINDS:
        said = Own(fit(kind, vectors, truth, wide, range(60), seed=1, settings=QUICK[kind]).model)(vectors)
        assert said[:, 2].max() < 0.05, kind
