"""What heads say of themselves: nothing leaks, probabilities mean what they say, missing labels count for nothing."""

import time

import numpy as np
import pytest
from heads_problems import KINDS, QUICK, TARGETS, problem
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from visanda.learn.heads import fit
from visanda.learn.heads.links import calibrated, predicted
from visanda.learn.target import Target
from visanda.models.own import Own

BINARY = TARGETS["binary"]


def whole(said: np.ndarray) -> np.ndarray:
    """Probabilities that add up to 1 in float64, too."""
    return said / said.sum(axis=1, keepdims=True, dtype=float)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_of_a_row_comes_from_heads_that_saw_nothing_of_its_group(kind):
    """Groups of five identical vectors with one random code each: who saw the group knows all, who did not, nothing."""
    random = np.random.default_rng(4)
    groups = np.repeat(np.arange(60), 5)
    vectors = random.normal(size=(60, 40)).astype(np.float32)[groups]
    truth = random.integers(0, 2, 60)[groups]
    made = fit(kind, vectors, truth, BINARY, groups, seed=1, settings=QUICK[kind])
    assert (made.out_of_fold.argmax(axis=1) == truth).mean() < 0.62
    assert log_loss(truth, whole(made.out_of_fold)) > 0.66, "nor are they sure of it: calibration knows, too"
    leaking = fit(kind, vectors, truth, BINARY, range(300), seed=1, settings=QUICK[kind])
    found = (leaking.out_of_fold.argmax(axis=1) == truth).mean()
    assert found > 0.65, "without groups the leak would have shown"
    for fold, model in enumerate(made.fold_models):
        held = made.fold == fold
        np.testing.assert_array_equal(Own(model)(vectors[held]), made.out_of_fold[held])
    assert all(len(set(made.fold[groups == group])) == 1 for group in range(60))


def test_flipping_one_code_does_not_move_what_is_said_of_it():
    vectors, truth = problem("nominal", n=60)
    folds = np.arange(60) % 4
    before = fit("linear", vectors, truth, TARGETS["nominal"], range(60), seed=1, folds=folds).out_of_fold
    flipped = truth.copy()
    flipped[5] = (flipped[5] + 1) % 3
    after = fit("linear", vectors, flipped, TARGETS["nominal"], range(60), seed=1, folds=folds).out_of_fold
    same = folds == folds[5]
    np.testing.assert_array_equal(before[same], after[same])
    assert (before[~same] != after[~same]).any(axis=1).mean() > 0.9


def test_calibration_makes_sure_scores_as_sure_as_they_may_be():
    random = np.random.default_rng(0)
    logits = random.normal(size=(2000, 2))
    truth = (random.random(2000) < 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))).astype(int)
    found = calibrated("softmax", 4 * logits, truth, np.ones(2000))
    assert found[0] == pytest.approx(4, rel=0.1)
    labels = random.normal(size=(4000, 1))
    there = (random.random((4000, 1)) < 1 / (1 + np.exp(-(2 * labels + 1)))).astype(float)
    (slope,), (offset,) = calibrated("sigmoid", labels, there, np.ones(4000))
    assert slope == pytest.approx(2, rel=0.1) and offset == pytest.approx(1, abs=0.15)


def test_calibration_helps_heads_that_are_too_sure():
    """Hardly penalised heads of few noisy codes: calibrated, they lose less on codes that they never saw."""
    gains = []
    for seed in range(4):
        vectors, truth = problem("binary", n=1080, d=60, noise=1.0, seed=seed)
        made = fit("linear", vectors[:80], truth[:80], BINARY, range(80), seed=1, settings={"penalty": 1e-4})
        said = Own(made.model)(vectors[80:]).astype(float)
        assert made.settings["temperature"] > 1.5
        raw = np.log(said) * made.settings["temperature"]
        gains.append(log_loss(truth[80:], predicted("softmax", raw, np.ones(1))) - log_loss(truth[80:], whole(said)))
    assert min(gains) > 0.05


@pytest.mark.parametrize("scale", ["binary", "nominal"])
def test_the_linear_head_loses_no_more_than_scikit_learns(scale):
    """The same penalty, uncalibrated: λ/2 ‖w‖² beside Σ loss is C = 1/λ; more than 1 % worse would be another model."""
    for seed in range(3):
        vectors, truth = problem(scale, n=600, d=20, seed=seed)
        made = fit("linear", vectors[:200], truth[:200], TARGETS[scale], range(200), seed=1, settings={"penalty": 0.01})
        said = whole(Own(made.model)(vectors[200:]))
        raw = predicted("softmax", np.log(said) * made.settings["temperature"], np.ones(1))
        # Two classes have one column of weights w₁ − w₀ in both, so that penalties are the same.
        size = float((vectors[:200] ** 2).sum(axis=1).mean())
        other = LogisticRegression(C=1 / (0.01 * size), max_iter=5000, tol=1e-8).fit(vectors[:200], truth[:200])
        ours, theirs = log_loss(truth[200:], raw), log_loss(truth[200:], other.predict_proba(vectors[200:]))
        assert ours == pytest.approx(theirs, rel=0.01)
        tuned = Own(fit("linear", vectors[:200], truth[:200], TARGETS[scale], range(200), seed=1).model)
        best = min(
            log_loss(
                truth[200:],
                LogisticRegression(C=1 / penalty, max_iter=5000)
                .fit(vectors[:200], truth[:200])
                .predict_proba(vectors[200:]),
            )
            for penalty in (1.0, 0.1, 0.01, 0.001)
        )
        assert log_loss(truth[200:], whole(tuned(vectors[200:]))) < best * 1.03, "and settings are found"


@pytest.mark.parametrize("kind", KINDS)
def test_labels_that_are_not_known_count_for_nothing(kind):
    """A third of all labels is missing: what is there is learnt as from the rows where it is there."""
    target = TARGETS["multilabel"]
    vectors, truth = problem("multilabel", n=300)
    random = np.random.default_rng(2)
    missing = np.where(random.random(truth.shape) < 0.35, np.nan, truth)
    missing[:3] = np.nan  # of these, nothing at all is known
    masked = fit(kind, vectors[:200], missing[:200], target, range(200), seed=1, settings=QUICK[kind])
    zeros = fit(kind, vectors[:200], np.nan_to_num(missing[:200]), target, range(200), seed=1, settings=QUICK[kind])
    gone = np.isnan(missing[:200]).all(axis=1)
    assert np.isnan(masked.out_of_fold[gone]).all() and np.isfinite(masked.out_of_fold[~gone]).all()
    rest, what = vectors[200:], truth[200:] > 0.5
    said, wrong = Own(masked.model)(rest), Own(zeros.model)(rest)
    assert ((said > 0.5) == what).mean() > max(0.7, ((wrong > 0.5) == what).mean())
    assert np.abs(said.mean(axis=0) - what.mean(axis=0)).max() < 0.12, "as frequent as they are"
    assert wrong.mean() < what.mean() - 0.1, "missing labels taken as absent would have been learnt as absent"


def test_a_label_in_rows_that_lack_it_does_not_change_the_others():
    vectors, truth = problem("multilabel", n=90)
    target, folds = TARGETS["multilabel"], np.arange(90) % 3
    missing = truth.copy()
    missing[:40, 2] = np.nan
    other = missing.copy()
    other[40:, 2] = 1 - other[40:, 2]
    settings = {"trees": 15, "components": 5}
    one, two = (
        fit("boosting", vectors, given, target, range(90), seed=1, settings=settings, folds=folds)
        for given in (missing, other)
    )
    a, b = Own(one.model)(vectors), Own(two.model)(vectors)
    np.testing.assert_allclose(a[:, :2], b[:, :2], atol=1e-6)
    assert np.abs(a[:, 2] - b[:, 2]).max() > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_that_a_fold_holds_alone_is_next_to_impossible_without_it(kind):
    """All of one class in one group: heads without that group have never seen it, and do not say it."""
    vectors, truth = problem("binary", n=60)
    truth = np.r_[truth, np.full(6, 2)]
    vectors = np.vstack([vectors, -vectors[:6]])
    groups = [*range(60), *["one scene"] * 6]
    made = fit(kind, vectors, truth, Target("nominal", ("no", "yes", "rare")), groups, seed=1, settings=QUICK[kind])
    assert any("'rare' is in one group only" in note for note in made.settings["notes"])
    assert made.out_of_fold[60:, 2].max() < 0.1 and np.isfinite(made.out_of_fold).all()


def test_thousands_of_codes_take_seconds():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(4000, 256)).astype(np.float32)
    truth = (vectors[:, :4] + 2 * random.normal(size=(4000, 4))).argmax(axis=1)
    began = time.perf_counter()
    fit("linear", vectors, truth, Target("nominal", ("a", "b", "c", "d")), range(4000), seed=1)
    assert time.perf_counter() - began < 20
