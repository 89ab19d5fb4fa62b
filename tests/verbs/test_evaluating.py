"""Testing a model on its frozen test set, on every scale; by subgroup, against another, and what others said."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from coder import code_all, code_by_category, known
from PIL import Image

from visanda.corpus import Corpus
from visanda.errors import InputError
from visanda.learn.frozen import read_looks
from visanda.learn.trained import load


@pytest.fixture(scope="module")
def trained_folder(measured, tmp_path_factory):
    """A study with two models of one variable."""
    folder = tmp_path_factory.mktemp("evaluated") / "study"
    shutil.copytree(measured, folder)
    corpus = Corpus(folder)
    corpus.codebook("nature", values=["no", "yes"], prompt=["yes=an animal;a fish"])
    code_by_category(corpus, n=160)
    corpus.train("nature")
    corpus.train("nature", model="zeroshot")
    return folder


@pytest.fixture
def corpus(trained_folder, tmp_path):
    """A copy of it."""
    shutil.copytree(trained_folder, tmp_path / "study")
    return Corpus(tmp_path / "study")


def test_the_model_trained_last_is_tested_or_the_one_that_is_named(corpus: Corpus):
    assert "(zeroshot)" in corpus.evaluate("nature", resamples=20).title
    made = corpus.evaluate("nature", model="linear", resamples=20)
    assert "(linear)" in made.title
    rows = pd.read_csv(corpus.results / "nature-test.csv")
    test = load(corpus.models / "nature", "linear").split.of("test")
    assert set(rows["id"]) == set(test["id"])
    value = made.table.set_index("measure")["value"]
    assert value["accuracy"] == pytest.approx(np.average(rows["wrong"] == 0, weights=rows["weight"]))
    assert (rows["predicted"].eq("yes") == (rows["p_yes"] > 0.5)).all()
    assert load(corpus.models / "nature", "linear").card["validity"][0]["measure"] == "accuracy"


def test_every_look_is_counted_and_a_second_one_is_warned_of(corpus: Corpus):
    assert not any("looked at" in text for text in corpus.evaluate("nature", model="linear", resamples=20).warnings)
    again = corpus.evaluate("nature", model="linear", resamples=20)
    assert any("looked at 2 times" in text for text in again.warnings)
    assert read_looks(corpus.models / "nature")["model"].tolist() == ["linear", "linear"]


def test_two_models_are_compared_on_the_same_units(corpus: Corpus):
    made = corpus.evaluate("nature", model="linear", against="zeroshot", resamples=50)
    comparison = made.also[0]
    assert {"linear", "zeroshot", "difference"} <= set(comparison.table)
    assert comparison.provenance["n"] == len(pd.read_csv(corpus.results / "nature-test.csv"))
    assert (corpus.results / "nature-comparison.png").exists()
    assert sorted(read_looks(corpus.models / "nature")["model"]) == ["linear", "zeroshot"]
    assert not any("looked at" in text for text in made.warnings), "one look, at both"
    with pytest.raises(InputError, match="with itself"):
        corpus.evaluate("nature", model="linear", against="linear")


def test_subgroups_come_from_any_table_and_from_codes(corpus: Corpus):
    code_all(corpus, "lit", known(corpus, "category").map(lambda kind: "yes" if kind == "monument" else "no"))
    made = corpus.evaluate("nature", model="linear", by=["living,brightness:2", "lit"], resamples=50)
    table = made.also[0].table
    assert set(table["by"]) == {"living", "brightness:2", "lit"}
    assert (corpus.results / "nature-subgroups.png").exists()
    rows = pd.read_csv(corpus.results / "nature-test.csv")
    assert table[table["by"] == "lit"].drop_duplicates("group")["n"].sum() == len(rows)
    with pytest.raises(InputError, match="no table has a column 'outlet'"):
        corpus.evaluate("nature", by=["outlet"])


def test_errors_are_shown_apart(corpus: Corpus):
    made = corpus.evaluate("nature", model="zeroshot", resamples=20)
    rows = pd.read_csv(corpus.results / "nature-test.csv")
    kinds = rows[rows["wrong"] == 1]["predicted"].value_counts()
    for value, name in (("yes", "said-yes"), ("no", "missed-yes")):
        path = corpus.results / f"nature-{name}.jpg"
        assert path.exists() == (value in kinds)
        assert (str(path) in " ".join(made.words)) == (value in kinds)
        if path.exists():
            assert Image.open(path).width >= 600


def test_what_another_program_says_is_tested_on_all_that_is_coded(corpus: Corpus, tmp_path):
    living = known(corpus, "living")
    said = pd.DataFrame({"filename": [id.split("/")[-1] for id in living.index], "nature": living.str.title()})
    said.loc[::10, "nature"] = "No"
    said.to_csv(tmp_path / "gpt.csv", index=False)
    made = corpus.evaluate("nature", predictions=str(tmp_path / "gpt.csv"), resamples=20)
    assert "on 160 coded units" in made.title and any("gpt.csv" in text for text in made.warnings)
    wrong = (said["nature"].str.lower() != living.to_numpy()).to_numpy()
    rows = pd.read_csv(corpus.results / "nature-test.csv").set_index("id")["wrong"]
    assert (rows == pd.Series(wrong, index=living.index).reindex(rows.index).astype(int)).all()
    assert read_looks(corpus.models / "nature").empty
    both = corpus.evaluate("nature", predictions=str(tmp_path / "gpt.csv"), against="linear", resamples=20)
    assert both.also[0].provenance["n"] == len(load(corpus.models / "nature", "linear").split.of("test"))
    assert read_looks(corpus.models / "nature")["model"].tolist() == ["linear"]
    living_column = corpus.evaluate("nature", predictions="media.living", resamples=20)
    assert living_column.table.loc[0, "value"] == 1
    with pytest.raises(InputError, match=r"no file, and no table\.column"):
        corpus.evaluate("nature", predictions="nowhere.csv")
    with pytest.raises(InputError, match="not both"):
        corpus.evaluate("nature", predictions="media.living", model="linear")


def test_a_human_coder_stands_beside_the_machine(corpus: Corpus):
    assert "one coder" not in corpus.evaluate("nature", model="linear", resamples=20).table
    living = known(corpus, "living").iloc[:60]
    turned = living.where(np.arange(60) % 10 > 0, living.map({"no": "yes", "yes": "no"}))
    gold = pd.DataFrame({"id": living.index, "value": living.to_numpy()})
    corpus.code("nature", import_=gold, coder="ana")
    corpus.code("nature", import_=gold.assign(value=turned.to_numpy()), coder="ben")
    corpus.code("nature", import_=gold, coder="gold")
    made = corpus.evaluate("nature", model="linear", resamples=20)
    assert made.table.set_index("measure").loc["accuracy", "one coder"] == pytest.approx(0.9)
    assert any("60 units coded twice" in text for text in made.words)


@pytest.mark.parametrize("scale", ["ordinal", "interval", "multilabel", "nominal"])
def test_all_scales_are_tested_in_their_own_measures(study: Corpus, scale):
    kinds, colourful = (
        known(study, "category"),
        study.frame("SELECT id, colourfulness AS v FROM colour").set_index("id")["v"],
    )
    if scale == "interval":
        code_all(study, "look", (colourful / 130).clip(0, 1).round(3), "interval")
    elif scale == "ordinal":
        code_all(
            study,
            "look",
            pd.cut(colourful, [-1, 35, 55, 999], labels=["dull", "mid", "vivid"]).astype(str),
            "ordinal",
            ("dull", "mid", "vivid"),
        )
    elif scale == "multilabel":
        labels = kinds.map({"fish": "alive|fish", "animal": "alive"}).fillna("")
        labels = (labels + (colourful < 40).map({True: "|dull", False: ""})).str.strip("|").replace("", "none")
        code_all(study, "look", labels, "multilabel", ("alive", "fish", "dull"))
    else:
        code_all(study, "look", kinds, "nominal")
    study.train("look")
    made = study.evaluate("look", by=["living"], resamples=30)
    first = {
        "ordinal": "accuracy",
        "interval": "mean absolute error",
        "multilabel": "exact match",
        "nominal": "accuracy",
    }
    assert made.table.loc[0, "measure"] == first[scale]
    value = made.table.set_index("measure")["value"]
    better = {"ordinal": ("quadratic weighted kappa", 0.2), "interval": ("correlation", 0.4)}
    name, least = better.get(scale, ("macro F1", 0.5))
    assert value[name] > least
    rows = pd.read_csv(study.results / "look-test.csv")
    assert (rows["wrong"] > 0).any() and (study.results / "look-errors.jpg").exists()
    assert made.also[0].table["value"].notna().any()
    note = json.loads((study.results / "look-validity.json").read_text())
    assert note["scale"] == scale and note["machine"] == "linear"
    study.report()


def test_a_test_set_of_five_is_tested_and_warned_of(photos):
    corpus = photos(60)
    corpus.measure("embed", "hash")
    code_all(corpus, "alive", known(corpus, "living").where(lambda one: np.arange(60) % 3 > 0, "yes").iloc[:40])
    corpus.train("alive", test=0.125)
    made = corpus.evaluate("alive", resamples=50)
    assert any("ONLY 5 ROWS" in text for text in made.warnings)


def test_without_a_test_set_it_is_said_what_to_do(study: Corpus):
    study.codebook("fishy", values=["no", "yes"], prompt=["yes=a fish"])
    study.train("fishy", model="zeroshot")
    with pytest.raises(InputError, match="no test set: nobody has coded it"):
        study.evaluate("fishy")
