"""validity of ordered classes, numbers and labels: the numbers of scikit-learn, scipy and of papers."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics

from visanda.errors import InputError
from visanda.study import validity

FAST = {"resamples": 100}
STEPS = ["never", "rarely", "often", "always"]


def value(found):
    return found.table.set_index("measure")["value"]


def ordinal(n=300, seed=1):
    random = np.random.default_rng(seed)
    gold = random.integers(0, 4, n)
    said = np.clip(gold + random.integers(-1, 2, n), 0, 3)
    return gold, said, pd.Series([STEPS[k] for k in gold]), pd.Series([STEPS[k] for k in said])


def test_ordered_classes_are_judged_by_how_far_off_they_are():
    gold, said, true, predicted = ordinal()
    weights = pd.Series(np.random.default_rng(1).integers(1, 4, len(gold)).astype(float))
    numbers = value(validity(true, predicted, scale="ordinal", values=STEPS, weights=weights, **FAST))
    repeated = np.repeat(np.arange(len(gold)), weights.to_numpy(int))  # a weight of 2 is the row twice
    gold, said = gold[repeated], said[repeated]
    assert numbers["accuracy"] == pytest.approx((gold == said).mean())
    assert numbers["within one step"] == 1
    assert numbers["mean absolute error (steps)"] == pytest.approx(np.abs(gold - said).mean())
    assert numbers["mean error (steps)"] == pytest.approx((said - gold).mean())
    kappa = metrics.cohen_kappa_score(gold, said, weights="quadratic")
    assert numbers["quadratic weighted kappa"] == pytest.approx(kappa)
    assert numbers["Spearman correlation"] == pytest.approx(stats.spearmanr(gold, said).statistic)
    macro = np.mean([np.abs(gold - said)[gold == k].mean() for k in range(4)])
    assert numbers["macro mean absolute error (steps)"] == pytest.approx(macro)


def test_the_ranked_probability_score_is_zero_when_sure_and_right_and_grows_with_distance():
    true = pd.Series(["never"] * 10)
    for said, score in (("never", 0), ("rarely", 1 / 3), ("always", 1)):
        p = pd.DataFrame({step: [float(step == said)] * 10 for step in STEPS})
        found = validity(true, pd.Series([said] * 10), p, scale="ordinal", values=STEPS, **FAST)
        assert value(found)["ranked probability score"] == pytest.approx(score)


def test_ratings_from_1_to_5_are_the_same_as_text_and_as_numbers():
    random = np.random.default_rng(2)
    gold = random.integers(1, 6, 100)
    said = np.clip(gold + random.integers(-1, 2, 100), 1, 5)
    numbers = validity(pd.Series(gold.astype(float)), pd.Series(said), scale="ordinal", **FAST)
    texts = validity(
        pd.Series(gold.astype(str)), pd.Series(said.astype(str)), scale="ordinal", values=list("12345"), **FAST
    )
    pd.testing.assert_frame_equal(numbers.table, texts.table.replace("of (.)[.]0", r"of \1", regex=True))


def test_ordered_classes_need_their_order_and_know_their_values():
    *_, true, predicted = ordinal(50)
    with pytest.raises(InputError, match="needs its values in order"):
        validity(true, predicted, scale="ordinal", **FAST)
    with pytest.raises(InputError, match=r"'always'.*none of the values never, rarely, often"):
        validity(true, predicted, scale="ordinal", values=STEPS[:3], **FAST)


def test_a_step_nobody_used_keeps_its_place():
    true, predicted = pd.Series(["never", "always"] * 20), pd.Series(["never", "never"] * 20)
    found = validity(true, predicted, scale="ordinal", values=STEPS, **FAST)
    assert value(found)["mean absolute error (steps)"] == pytest.approx(1.5)
    assert any("Neither in gold nor predicted" in warning and "often" in warning for warning in found.warnings)


@pytest.fixture(scope="module")
def ratings():
    random = np.random.default_rng(3)
    gold = pd.Series(random.normal(50, 15, 200))
    return gold, 0.8 * gold + 15 + pd.Series(random.normal(0, 8, 200))


def test_numbers_are_those_of_scikit_learn_and_scipy(ratings):
    gold, said = ratings
    weights = pd.Series(np.random.default_rng(1).uniform(1, 4, 200))
    for weight in (None, weights):
        numbers, w = value(validity(gold, said, scale="interval", weights=weight, **FAST)), {"sample_weight": weight}
        assert numbers["mean absolute error"] == pytest.approx(metrics.mean_absolute_error(gold, said, **w))
        assert numbers["root mean square error"] == pytest.approx(metrics.root_mean_squared_error(gold, said, **w))
        assert numbers["R²"] == pytest.approx(metrics.r2_score(gold, said, **w))
        assert numbers["mean error"] == pytest.approx(np.average(said - gold, weights=weight))
    numbers = value(validity(gold, said, scale="interval", **FAST))
    assert numbers["correlation"] == pytest.approx(stats.pearsonr(gold, said).statistic)
    assert numbers["Spearman correlation"] == pytest.approx(stats.spearmanr(gold, said).statistic)
    assert numbers["slope of gold on prediction"] == pytest.approx(stats.linregress(said, gold).slope)
    apart = 1.96 * (said - gold).std()
    assert numbers["upper limit of agreement"] == pytest.approx((said - gold).mean() + apart)


def test_icc_is_that_of_mcgraw_and_wong():
    gold, said = np.array([9, 6, 8, 7, 10, 6.0]), np.array([2, 1, 4, 1, 5, 2.0])  # two judges of Shrout & Fleiss (1979)
    both = np.stack([gold, said], axis=1)
    n, k = both.shape
    rows = k * both.mean(axis=1).var(ddof=1)
    columns = n * both.mean(axis=0).var(ddof=1)
    left = both - both.mean(axis=1, keepdims=True) - both.mean(axis=0) + both.mean()
    error = (left**2).sum() / ((n - 1) * (k - 1))
    expected = (rows - error) / (rows + (k - 1) * error + k / n * (columns - error))
    found = validity(pd.Series(gold), pd.Series(said), scale="interval", **FAST)
    assert value(found)["ICC(A,1)"] == pytest.approx(expected)
    assert value(validity(pd.Series(gold), pd.Series(gold), scale="interval", **FAST))["ICC(A,1)"] == pytest.approx(1)


def test_numbers_tell_bias_and_values_that_lie_too_close_together(ratings):
    gold, _ = ratings
    said = 60 + 0.3 * (gold - 50) + pd.Series(np.random.default_rng(5).normal(0, 1, 200))
    found = validity(gold, said, scale="interval", **FAST)
    assert any("says more than people do" in warning for warning in found.warnings)
    assert any("too close together: stretch" in warning for warning in found.warnings)
    assert len(found.figure_png()) > 5000


def test_a_constant_machine_has_no_correlation_and_does_not_crash(ratings):
    gold, _ = ratings
    found = validity(gold, pd.Series(np.full(200, 50.0)), scale="interval", **FAST)
    assert np.isnan(value(found)["correlation"]) and np.isnan(value(found)["slope of gold on prediction"])
    assert any("same number of every row" in warning for warning in found.warnings)
    assert len(found.figure_png()) > 5000


def test_text_is_no_number():
    with pytest.raises(InputError, match="gold hold 'many' in 1 rows"):
        validity(pd.Series(["many", "3"]), pd.Series([2.0, 3.0]), scale="interval", **FAST)


@pytest.fixture(scope="module")
def labelled():
    random = np.random.default_rng(6)
    labels = ["banner", "crowd", "fire", "flag", "police"]
    true = random.random((250, 5)) < [0.3, 0.5, 0.08, 0.2, 0.15]
    p = np.round(np.clip(0.3 + 0.4 * true + random.normal(0, 0.2, true.shape), 0, 1), 2)
    return (
        labels,
        true,
        p,
        *(pd.Series(["|".join(np.array(labels)[row]) or "none" for row in flags]) for flags in (true, p >= 0.5)),
    )


def test_labels_are_those_of_scikit_learn(labelled):
    labels, true, p, gold, predicted = labelled
    said = p >= 0.5
    weights = pd.Series(np.random.default_rng(1).uniform(1, 4, len(gold)))
    for weight in (None, weights):
        w = {"sample_weight": weight}
        found = validity(gold, predicted, pd.DataFrame(p, columns=labels), scale="multilabel", weights=weight, **FAST)
        numbers = value(found)
        assert numbers["exact match"] == pytest.approx(metrics.accuracy_score(true, said, **w))
        assert numbers["Hamming loss"] == pytest.approx(metrics.hamming_loss(true, said, **w))
        for average in ("micro", "macro"):
            assert numbers[f"{average} F1"] == pytest.approx(metrics.f1_score(true, said, average=average, **w))
        assert numbers["macro AUC"] == pytest.approx(metrics.roc_auc_score(true, p, **w))
        average_precision = metrics.average_precision_score(true, p, **w)
        assert numbers["macro average precision"] == pytest.approx(average_precision)
        each = found.extra["by label"].set_index("label")
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(true, said, **w)
        np.testing.assert_allclose(each[["precision", "recall", "F1"]], np.column_stack([precision, recall, f1]))
        brier = metrics.brier_score_loss(true[:, 2], p[:, 2], **w)
        assert each.loc["fire", "Brier score"] == pytest.approx(brier)
    assert len(found.figure_png()) > 5000


def test_labels_in_any_order_are_the_same_and_none_is_no_label():
    gold, said = pd.Series(["flag|fire", "none", "fire"] * 10), pd.Series(["fire|flag", "none", "flag"] * 10)
    found = validity(gold, said, scale="multilabel", **FAST)
    assert value(found)["exact match"] == pytest.approx(2 / 3)
    assert found.provenance["classes"] == ["fire", "flag"]


def test_labels_never_true_and_unknown_ones_are_said():
    gold, said = pd.Series(["flag", "none"] * 10), pd.Series(["flag|fire", "none"] * 10)
    found = validity(gold, said, scale="multilabel", values=["fire", "flag", "police"], **FAST)
    assert any("Never in gold: fire, police" in warning for warning in found.warnings)
    with pytest.raises(InputError, match="fire: none of the labels flag"):
        validity(gold, said, scale="multilabel", values=["flag"], **FAST)
    with pytest.raises(InputError, match="no row has a label"):
        validity(pd.Series(["none"]), pd.Series(["none"]), scale="multilabel", **FAST)


def test_always_the_same_is_the_baseline_on_every_scale(ratings, labelled):
    gold, said = ratings
    numbers = validity(gold, said, scale="interval", **FAST).table.set_index("measure")["baseline"]
    assert numbers["root mean square error"] == pytest.approx(gold.std(ddof=0)) and numbers["R²"] == pytest.approx(0)
    labels, true, p, gold, predicted = labelled
    found = validity(gold, predicted, pd.DataFrame(p, columns=labels), scale="multilabel", **FAST)
    baseline = found.table.set_index("measure")["baseline"]
    assert baseline["macro AUC"] == pytest.approx(0.5)
    assert baseline["macro average precision"] == pytest.approx(true.mean(axis=0).mean())
    *_, true, predicted = ordinal()
    found = validity(true, predicted, scale="ordinal", values=STEPS, **FAST).table.set_index("measure")
    assert found.loc["Spearman correlation", "baseline"] is np.nan or np.isnan(
        found.loc["Spearman correlation", "baseline"]
    )
