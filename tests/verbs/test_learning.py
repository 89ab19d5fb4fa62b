"""train, evaluate, apply: honest splits, calibrated probabilities, no pickle."""

import json

import numpy as np
import pandas as pd
import pytest
from coder import code_by_category
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from visanda.errors import CorpusError, InputError
from visanda.learn.head import fit
from visanda.learn.split import fold_of, freeze
from visanda.learn.trained import load


def blobs(n, k=3, d=40, seed=0):
    """Vectors of length 1 around k directions, with overlap."""
    random = np.random.default_rng(seed)
    codes = random.integers(k, size=n)
    vectors = np.eye(k, d)[codes] + random.normal(0, 0.35, (n, d))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), [f"v{code}" for code in codes]


def test_a_head_learns_and_its_probabilities_are_calibrated():
    vectors, values = blobs(3000)
    head = fit(vectors[:300], values[:300], [str(i) for i in range(300)], seed=1)
    probability = head.probabilities(vectors[300:])
    right = np.array(head.classes)[probability.argmax(axis=1)] == np.array(values[300:])
    assert right.mean() > 0.8
    assert probability.sum(axis=1) == pytest.approx(1)
    assert abs(probability.max(axis=1).mean() - right.mean()) < 0.05


def test_fewer_rows_than_dimensions_give_the_same_fit_as_scikit_learn():
    vectors, values = blobs(30, k=2, d=100)
    head = fit(vectors, values, [str(i) for i in range(30)], seed=1)
    same = LogisticRegression(C=head.strength, tol=1e-10, max_iter=10_000).fit(vectors, values)
    assert head.weights[1] - head.weights[0] == pytest.approx(same.coef_[0], abs=1e-2)


def test_the_same_input_gives_the_same_head():
    vectors, values = blobs(80)
    first, second = (fit(vectors, values, [str(i) for i in range(80)], seed=2) for _ in range(2))
    assert (first.weights == second.weights).all() and first.temperature == second.temperature


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=8, max_size=60), st.integers(0, 5))
def test_a_frozen_split_keeps_groups_together_and_learns_every_value(rows, seed):
    values = pd.Series([value for value, _ in rows], index=[f"i{i}" for i in range(len(rows))])
    groups = pd.Series([f"g{group}" for _, group in rows], index=values.index)
    if values.nunique() < 2:
        with pytest.raises(InputError, match="nothing to learn"):
            freeze(values, groups, 0.25, seed)
        return
    split = freeze(values, groups, 0.25, seed)
    assert pd.DataFrame({"group": groups, "set": split}).groupby("group")["set"].nunique().max() == 1
    assert set(values[split == "train"]) == set(values)
    assert split.equals(freeze(values, groups, 0.25, seed))


def test_a_split_is_stratified():
    values = pd.Series(["yes"] * 20 + ["no"] * 180, index=[str(i) for i in range(200)])
    split = freeze(values, pd.Series(values.index, index=values.index), 0.25, seed=1)
    assert values[split == "test"].value_counts().to_dict() == {"no": 45, "yes": 5}


def test_folds_do_not_depend_on_who_else_is_there():
    alone = fold_of(["a"], 5, seed=1)[0]
    assert fold_of(["b", "a", "c"], 5, seed=1)[1] == alone
    assert np.bincount(fold_of([str(i) for i in range(1000)], 5, seed=1)).min() > 150


def test_train_evaluate_apply(study):
    code_by_category(study)
    study.train("nature", group="scene")
    split = load(study.models / "nature").split
    assert (split["set"] == "test").sum() == pytest.approx(25, abs=2)
    result = study.evaluate("nature", resamples=200)
    accuracy = result.table.set_index("measure").loc["accuracy"]
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"] and accuracy["value"] > 0.8
    assert set(result.extra) >= {"confusion"}
    study.apply("nature")
    predicted = study.join("nature")
    assert predicted["nature_predicted"].notna().all()
    assert (predicted["nature_p_yes"] + predicted["nature_p_no"]).to_numpy() == pytest.approx(1)
    assert predicted["nature"].notna().sum() == 100
    uncoded = predicted[predicted["nature"].isna()]
    assert (uncoded["nature_predicted"] == uncoded["living"]).mean() > 0.85


def test_no_code_is_predicted_by_a_model_that_saw_it(study):
    """Flip one code: the cross-fitted probability of that very picture must not move."""
    code_by_category(study)
    study.train("nature")
    study.apply("nature")
    split = load(study.models / "nature").split
    before = study.join("nature").set_index("id")["nature_crossfit_yes"]
    for picture in split.loc[split["set"] == "train", "id"][:3]:
        value = {"yes": "no", "no": "yes"}[split.set_index("id").loc[picture, "value"]]
        study.code("nature", import_=pd.DataFrame({"id": [picture], "value": [value]}), coder="ana")
        study.train("nature")
        study.apply("nature")
        after = study.join("nature").set_index("id")["nature_crossfit_yes"]
        assert after[picture] == pytest.approx(before[picture], abs=1e-6)
        assert (after != before).sum() > 100, "the others must have learnt of it"
        study.code(
            "nature",
            import_=pd.DataFrame({"id": [picture], "value": [{"yes": "no", "no": "yes"}[value]]}),
            coder="ana",
        )


def test_the_test_set_stays_frozen_when_codes_come_in(study):
    code_by_category(study)
    study.train("nature")
    before = load(study.models / "nature").split
    uncoded = study.join("nature").query("nature.isna()").head(20)
    study.code("nature", import_=uncoded[["id"]].assign(value=uncoded["living"]), coder="ana")
    study.train("nature")
    after = load(study.models / "nature").split
    old = after[after["id"].isin(before["id"])].set_index("id")["set"]
    assert old.equals(before.set_index("id")["set"].reindex(old.index))
    assert (after["set"] == "train").sum() >= (before["set"] == "train").sum() + 15
    with pytest.raises(InputError, match="frozen"):
        study.train("nature", seed=2)
    study.train("nature", seed=2, replace=True)


def test_how_often_the_test_set_was_looked_at_is_said(study):
    code_by_category(study, n=60)
    study.train("nature")
    study.evaluate("nature", resamples=20)
    again = study.evaluate("nature", resamples=20)
    assert any("looked at 2 times" in text for text in again.warnings)
    study.train("nature")  # the same test set again
    assert load(study.models / "nature").card["times tested"] == 2
    study.train("nature", seed=5, replace=True)
    assert any("1 other test sets" in text for text in study.evaluate("nature", resamples=20).warnings)


def test_models_are_plain_arrays(study):
    code_by_category(study, n=60)
    study.train("nature")
    folder = study.models / "nature"
    assert json.loads((folder / "card.json").read_text())["embedding"]["models"][0]["sha256"]
    with np.load(folder / "heads.npz", allow_pickle=False) as arrays:
        assert arrays["head_weights"].shape == (2, 1280)
    (folder / "heads.npz").write_bytes(b"rubbish")
    with pytest.raises(CorpusError, match="damaged"):
        study.apply("nature")


def test_near_copies_are_never_on_both_sides(study):
    study.code("kind", import_=study.frame("SELECT id, category AS value FROM media"), coder="ana")
    study.train("kind")
    split = load(study.models / "kind").split.set_index("id")
    copies = study.duplicates().table
    for _, members in copies.groupby("group"):
        assert split.loc[members["id"], "set"].nunique() == 1


def test_a_value_in_the_test_set_that_was_never_learnt(study):
    code_by_category(study, n=60)
    study.train("nature")
    trained = load(study.models / "nature")
    test = trained.split.loc[trained.split["set"] == "test", "id"].iloc[0]
    trained.split.loc[trained.split["id"] == test, "value"] = "maybe"
    trained.save(study.models / "nature")
    result = study.evaluate("nature", resamples=50)
    assert "maybe" in result.extra["confusion"].to_string()


def test_what_cannot_be_trained_says_why(study):
    with pytest.raises(InputError, match="nobody has coded"):
        study.train("nature")
    one = pd.DataFrame({"id": study.population()["id"].head(20), "value": "yes"})
    study.code("same", import_=one, coder="ana")
    with pytest.raises(InputError, match="all 20 coded pictures have the value 'yes'"):
        study.train("same")
    study.code("few", import_=one.head(4).assign(value=["a", "b", "a", "b"]), coder="ana")
    with pytest.raises(InputError, match="at least 8"):
        study.train("few")
    with pytest.raises(InputError, match="visanda train"):
        study.evaluate("nature")
    with pytest.raises(InputError, match="visanda train"):
        study.apply("nature")
    with pytest.raises(InputError, match="no column 'autor'"):
        code_by_category(study, n=60)
        study.train("nature", group="autor")
