"""Zero-shot heads: above chance without a code, better with sixty, in any language, as ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, log_loss

import visanda
from visanda.codebook import Variable
from visanda.corpus import Corpus
from visanda.corpus.classify.zeroshot import (
    concept_vectors,
    phrases,
    target_of,
    text_vectors,
    zeroshot_head,
)
from visanda.errors import InputError
from visanda.learn.concepts import concepts_of
from visanda.learn.target import Target
from visanda.learn.zeroshot import Space, fit
from visanda.media import load
from visanda.models.own import Own

SAMPLE = Path(visanda.__file__).parent / "sample"
PLAIN = Space("plain", 10.0, 0.3)
GERMAN = {
    "animal": ("ein Tier",),
    "energy": ("ein Windrad", "Solaranlage", "Kraftwerk"),
    "fish": ("ein Fisch",),
    "household": ("Haushaltsgegenstand",),
    "monument": ("ein Denkmal", "eine Burg"),
    "music": ("Musikinstrument",),
    "tool": ("Werkzeug", "ein Hammer"),
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    made = Corpus.init(tmp_path_factory.mktemp("zeroshot") / "study")
    made.add(str(SAMPLE / "photos"), metadata=SAMPLE / "photos.csv")
    made.measure("classify")
    return made


@pytest.fixture(scope="module")
def known(corpus: Corpus) -> pd.DataFrame:
    ids, _ = concept_vectors(corpus)
    return corpus.frame("SELECT id, category, living, subject FROM media").set_index("id").loc[ids]


@pytest.fixture(scope="module")
def category(known: pd.DataFrame) -> Variable:
    return Variable("category", values=tuple(sorted(known["category"].unique())))


def probabilities(corpus: Corpus, model: bytes) -> np.ndarray:
    return Own(model)(concept_vectors(corpus)[1])


def test_without_a_code_categories_are_told_far_above_chance(corpus, known, category):
    made = zeroshot_head(corpus, category)
    assert len(made.out_of_fold) == 0
    assert made.settings["space"] == "conse" and made.settings["tuned on"] == 0
    assert made.settings["prompts"]["fish"] == ("fish", "a photo of fish")
    said = target_of(category).decode(probabilities(corpus, made.model))
    assert f1_score(known["category"], said, average="macro") > 0.6  # by chance: 1 in 7; by the commonest: 0.07
    assert (known["category"] == said).mean() > 0.7


def test_german_prompts_do_as_well(corpus, known, category):
    german = Variable("category", values=category.values, prompts=GERMAN)
    said = target_of(german).decode(probabilities(corpus, zeroshot_head(corpus, german).model))
    assert f1_score(known["category"], said, average="macro") > 0.55


def test_sixty_codes_make_probabilities_better(corpus, known, category):
    target = target_of(category)
    truth = target.encode(known["category"])
    ids, vectors = concept_vectors(corpus)
    plain = probabilities(corpus, zeroshot_head(corpus, category).model)
    better = []
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(ids))
        coded, rest = order[:60], order[60:]
        groups = known["subject"].iloc[coded].tolist()
        made = zeroshot_head(corpus, category, [ids[row] for row in coded], truth[coded], groups, seed)
        tuned = Own(made.model)(vectors[rest])
        losses = [log_loss(truth[rest], p, labels=range(target.outputs)) for p in (plain[rest], tuned)]
        better.append(losses[0] - losses[1])
        assert made.out_of_fold.shape == (60, 7)
        assert made.settings["tuned on"] == 60
    assert np.mean(better) > 0.03
    assert min(better) > 0


def test_yes_is_looked_for_by_name_and_no_is_what_is_left(corpus, known):
    animal = Variable("animal", values=("yes", "no"), prompts={"yes": ("an animal", "a fish", "a bird")})
    said = target_of(animal).decode(probabilities(corpus, zeroshot_head(corpus, animal).model))
    assert (known["living"] == said).mean() > 0.8
    assert phrases(Variable("street_protest", values=("yes", "no"))) == {
        "yes": ("street protest", "a photo of street protest"),
        "no": (),
    }


def test_labels_are_told_one_by_one(corpus, known):
    words = {"animal": ("an animal", "a fish"), "building": ("building", "castle")}
    labels = Variable("shows", "multilabel", values=("animal", "building"), prompts=words)
    found = probabilities(corpus, zeroshot_head(corpus, labels).model)
    animals = known["category"].isin(["animal", "fish"]).to_numpy()
    assert found[animals, 0].mean() > found[~animals, 0].mean() + 0.25
    monuments = (known["category"] == "monument").to_numpy()
    assert found[monuments, 1].mean() > found[~monuments, 1].mean() + 0.25
    truth = np.stack([animals, monuments], axis=1).astype(float)
    ids, vectors = concept_vectors(corpus)
    tuned = zeroshot_head(corpus, labels, ids[::3], truth[::3], known["subject"].iloc[::3].tolist())
    rest = np.arange(len(ids)) % 3 > 0
    again = Own(tuned.model)(vectors[rest])
    assert ((again > 0.5) == truth[rest]).mean() > ((found[rest] > 0.5) == truth[rest]).mean() + 0.02


def test_new_pictures_lie_where_the_table_has_them(corpus):
    ids, vectors = concept_vectors(corpus)
    images = [load(SAMPLE / "photos" / Path(id).name, 256) for id in ids[:5]]
    assert concepts_of(images) == pytest.approx(vectors[:5], abs=1e-5)


def test_no_row_is_predicted_by_a_head_that_was_tuned_on_it():
    random = np.random.default_rng(1)
    vectors = random.normal(size=(60, 8)).astype(np.float32)
    target = Target("nominal", ("a", "b"))
    texts = {"a": np.eye(8)[:1], "b": np.eye(8)[1:2]}
    truth = random.integers(2, size=60)
    groups = [str(row // 2) for row in range(60)]
    first = fit(vectors, texts, target, truth, groups, space=PLAIN)
    truth[:2] = 1 - truth[:2]
    second = fit(vectors, texts, target, truth, groups, space=PLAIN)
    assert (first.out_of_fold[:2] == second.out_of_fold[:2]).all()
    assert Own(first.fold_models[first.fold[0]])(vectors[:1]) == pytest.approx(first.out_of_fold[:1], abs=1e-5)
    assert (first.out_of_fold[2:] != second.out_of_fold[2:]).any()


def test_the_model_is_what_the_settings_say():
    texts = {"a": np.eye(3)[:1], "b": np.eye(3)[1:2]}
    made = fit(np.empty((0, 3)), texts, Target("ordinal", ("a", "b")), space=PLAIN)
    rows = np.array([[3.0, 0, 0], [0, 0.1, 0], [1, 1, 0], [0, 0, 0]], np.float32)
    found = Own(made.model)(rows)
    sure = 1 / (1 + np.exp(-10))
    assert found[:, 0] == pytest.approx([sure, 1 - sure, 0.5, 0.5], abs=1e-5)


def test_what_words_cannot_tell_says_why(corpus):
    with pytest.raises(InputError, match="needs to know the values"):
        zeroshot_head(corpus, Variable("protest"))
    with pytest.raises(InputError, match="give prompts"):
        zeroshot_head(corpus, Variable("kind", values=("other", "none")))
    with pytest.raises(InputError, match="train another"):
        zeroshot_head(corpus, Variable("size", "interval", values=("a", "b")))
    with pytest.raises(InputError, match="no table 'clip'"):
        zeroshot_head(corpus, Variable("kind", values=("cat", "dog")), table="clip")
    with pytest.raises(InputError, match="does not place pictures among words"):
        text_vectors({"name": "embed"}, ["a"])
