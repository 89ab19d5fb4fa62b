"""duplicates, search, cluster, sheet: on real photos."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from visanda.errors import InputError
from visanda.learn.cluster import cluster
from visanda.learn.search import by_words

WINDMILLS = "photos/cat_ren__windmill"


def test_copies_of_a_photo_are_found_and_the_largest_is_kept(study, tmp_path):
    original = study.paths(["photos/expl_wa__koala.webp"])["photos/expl_wa__koala.webp"]
    copies = tmp_path / "copies"
    copies.mkdir()
    with Image.open(original) as picture:
        rgb = picture.convert("RGB")
        rgb.save(copies / "same.png")
        rgb.resize((rgb.width // 2, rgb.height // 2)).save(copies / "small.jpg", quality=70)
    study.add(str(copies))
    study.measure("hash")
    found = study.duplicates().table.set_index("id")
    koalas = found[found["group"] == found.loc["photos/expl_wa__koala.webp", "group"]]
    assert set(koalas.index) == {"photos/expl_wa__koala.webp", "copies/same.png", "copies/small.jpg"}
    assert koalas.loc["copies/same.png", "kind"] == "exact"
    assert koalas.loc["copies/small.jpg", "kind"] == "near"
    assert not koalas.loc["copies/small.jpg", "keeper"]
    left = study.frame("SELECT count(*) n FROM media WHERE id NOT IN (SELECT id FROM duplicates WHERE NOT keeper)")
    assert left["n"][0] == 220 - (~found["keeper"].astype(bool)).sum()


def test_words_find_what_imagenet_has_no_word_for(study):
    found = study.search("a windmill", n=6)
    assert found["id"].str.startswith(WINDMILLS).sum() >= 4
    assert (study.results / "search.jpg").exists()


@pytest.mark.parametrize("words", ["a hammer", "ein Hammer", "un marteau"])
def test_words_work_in_several_languages(study, words):
    assert study.search(words, n=5)["id"].str.contains("hammer").sum() >= 4


def test_an_example_finds_itself_first_and_then_its_like(study):
    found = study.search(like="photos/cat_mon__colosseum.webp", n=3)
    assert found["id"][0] == "photos/cat_mon__colosseum.webp"
    assert found["similarity"][0] == pytest.approx(1, abs=1e-3)
    assert "olosseum" in found["id"][1]


def test_an_example_may_be_any_file(study, tmp_path):
    path = tmp_path / "elsewhere.png"
    Image.open(study.paths(["photos/expl_wa__koala.webp"])["photos/expl_wa__koala.webp"]).save(path)
    assert study.search(like=str(path), n=1)["id"][0] == "photos/expl_wa__koala.webp"


def test_search_without_embeddings_ranks_by_words_alone():
    concepts = [(["a", "b"], np.eye(512, dtype=np.float32)[:2])]
    assert set(by_words(concepts, "a dog").index) == {"a", "b"}


def test_search_says_what_it_needs(study):
    with pytest.raises(InputError, match="--like"):
        study.search()
    with pytest.raises(InputError, match="neither an id of this corpus nor a file"):
        study.search(like="nothing.jpg")


def test_clusters_are_the_same_again_and_mean_something(study):
    first = study.cluster(k=7)
    again = study.frame("SELECT * FROM cluster ORDER BY id")
    study.cluster(k=7)
    pd.testing.assert_frame_equal(study.frame("SELECT * FROM cluster ORDER BY id"), again)
    assert first.table["pictures"].is_monotonic_decreasing
    assert len(list((study.results / "cluster").glob("*.jpg"))) == 7
    mixed = study.frame("SELECT category, cluster FROM media JOIN cluster USING (id)")
    purity = mixed.groupby("cluster")["category"].agg(lambda c: c.value_counts().iloc[0]).sum() / len(mixed)
    assert purity > mixed["category"].value_counts(normalize=True).iloc[0] + 0.15


def test_other_arguments_need_a_decision(study):
    study.cluster(k=4)
    with pytest.raises(InputError, match="--replace"):
        study.cluster(k=5)
    study.cluster(k=5, name="five")
    study.cluster(k=5, replace=True)
    assert study.frame("SELECT max(cluster) AS k FROM cluster")["k"][0] == 5


@pytest.mark.parametrize("name", ["media", "colour"])
def test_clusters_never_take_the_place_of_another_table(study, name):
    before = study.frame(f"SELECT count(*) AS n FROM {name}")["n"][0]
    with pytest.raises(InputError, match="no clustering made"):
        study.cluster(k=3, name=name, replace=True)
    assert study.frame(f"SELECT count(*) AS n FROM {name}")["n"][0] == before == 218


@pytest.mark.parametrize("k", [0, 1, 218, 1000])
def test_a_number_of_clusters_that_cannot_be_is_refused(study, k):
    with pytest.raises(InputError, match="choose k from 2 to 217"):
        study.cluster(k=k)


def test_clusters_of_copies_are_refused():
    with pytest.raises(InputError, match="only 1 different"):
        cluster(np.ones((10, 4), np.float32), 3, seed=1)


def test_silhouette_is_high_where_clusters_are_apart():
    centres = np.eye(3, 50, dtype=np.float32)
    noise = np.random.default_rng(1).normal(0, 0.01, (60, 50)).astype(np.float32)
    made = cluster(np.repeat(centres, 20, axis=0) + noise, 3, seed=1)
    assert np.nanmean(made.silhouettes) > 0.9
    assert sorted(np.bincount(made.numbers)[1:]) == [20, 20, 20]


def test_a_sheet_of_chosen_pictures(study, tmp_path):
    path = study.sheet(where="category = 'fish'", n=12, out=tmp_path / "fish.jpg")
    assert Image.open(path).width > 500
    with pytest.raises(InputError, match="no pictures"):
        study.sheet(where="category = 'unicorn'")
