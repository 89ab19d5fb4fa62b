"""What the network sees in real photographs: embedding, classes, and your own words."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

import visanda as vi
from visanda.errors import InputError

SAMPLE = Path(vi.__file__).parent / "sample"
KNOWN = pd.read_csv(SAMPLE / "photos.csv").set_index("filename")


def photo(name: str) -> Path:
    return SAMPLE / "photos" / f"{name}.webp"


@pytest.fixture(scope="module")
def vectors() -> pd.DataFrame:
    """(218, 1280) embeddings of all sample photos, as they are stored."""
    names = list(KNOWN.index)
    embedding = vi.embed()([SAMPLE / "photos" / name for name in names])["embedding"]
    return pd.DataFrame(embedding.astype(np.float16).astype(np.float32), index=names)


def test_embeddings_have_length_one(vectors):
    assert vectors.shape == (len(KNOWN), 1280)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-3


def test_photos_of_the_same_scene_are_neighbours(vectors):
    similar = vectors.to_numpy() @ vectors.to_numpy().T
    np.fill_diagonal(similar, -1)
    scene = KNOWN["scene"].to_numpy()
    twice = np.isin(scene, [name for name, count in KNOWN["scene"].value_counts().items() if count > 1])
    nearest = scene[similar.argmax(axis=1)]
    assert twice.sum() >= 10
    assert np.mean(nearest[twice] == scene[twice]) > 0.6  # of 218 photos: by chance 0.005


def test_neighbours_are_of_one_category(vectors):
    similar = vectors.to_numpy() @ vectors.to_numpy().T
    np.fill_diagonal(similar, -1)
    living = KNOWN["living"].to_numpy()
    assert np.mean(living[similar.argmax(axis=1)] == living) > 0.9


LARGE = [
    path for path in sorted((SAMPLE / "photos").iterdir()) if min(Pillow.open(path).size) >= 512
]  # the network sees 256 pixels: half of these is still enough


@pytest.mark.parametrize("path", LARGE[::4], ids=lambda path: path.stem)
def test_half_the_size_is_nearly_the_same_picture(path):
    pixels = np.asarray(Pillow.open(path).convert("RGB"))
    half = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    one, other = vi.embed()([pixels, half])["embedding"]
    assert one @ other > 0.9


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("expl_wa__koala", "koala"),
        ("expl_wa__kangaroo", "wallaby"),  # ImageNet has no kangaroo
        ("expl_wa__panda", "giant panda"),
        ("expl_wa__bison", "bison"),
        ("expl_wa__polar_bear", "ice bear"),
        ("expl_wa__scarlet_macaw", "macaw"),
        ("cat_tool__hammer1", "hammer"),
        ("cat_tool__screwDriver2", "screwdriver"),
        ("cat_oth__volleyball", "volleyball"),
        ("cat_ren__solar1", "solar dish"),
    ],
)
def test_classes_of_clear_photos(name, label):
    labels = vi.classify(top=5)([photo(name)])["labels"][0]
    assert any(label in one.split(", ") for one in labels), labels


def test_classes_are_sorted_and_counted():
    row = vi.classify(top=7)([photo("expl_wa__koala")])
    (probabilities,), (labels,) = row["probabilities"], row["labels"]
    assert len(labels) == len(probabilities) == 7
    assert probabilities == sorted(probabilities, reverse=True)
    assert row["probability"] == [probabilities[0]]
    assert row["label"] == [labels[0].split(", ")[0]]
    assert sum(vi.classify(top=1000)([photo("expl_wa__koala")])["probabilities"][0]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("top", [0, 1001, "many"])
def test_classes_are_from_one_to_a_thousand(top):
    with pytest.raises(InputError, match="classify's top must be"):
        vi.classify(top=top)


CLEAR = {
    "expl_wa__koala": 0, "expl_wa__panda": 0, "expl_farm__dog": 0, "expl_wa__polar_bear": 0, "expl_farm__cat": 0,
    "cat_mon__tajMahal": 1, "cat_mon__cathedral": 1, "expl_mon_germany__schwerinPalace": 1,
    "cat_tool__hammer1": 2, "cat_tool__screwDriver2": 2, "cat_tool__wrench": 2, "cat_tool__plier1": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    "labels",
    [["an animal", "a building", "a tool"], ["ein Tier", "ein Gebäude", "ein Werkzeug"]],
    ids=["English", "German"],
)
def test_your_own_words_fit_clear_photos(labels):
    row = vi.zeroshot(labels=labels)([photo(name) for name in CLEAR])
    wrong = {name for name, best in zip(CLEAR, row["zeroshot"], strict=True) if best != labels[CLEAR[name]]}
    assert len(wrong) <= 1, wrong
    assert set(row["engine"]) == {"conse"}


def test_each_label_has_its_score():
    measure = vi.zeroshot(labels="ein Bär, a house!")
    assert measure.arguments == {"labels": ["ein Bär", "a house!"]}
    row = measure([photo("expl_wa__panda")])
    assert list(row) == list(measure.columns) == ["zeroshot", "engine", "score_ein_bär", "score_a_house"]
    assert row["zeroshot"] == ["ein Bär"]
    assert 1 >= row["score_ein_bär"][0] > row["score_a_house"][0] >= -1


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["cat"], "at least two labels"),
        ("", "at least two labels"),
        (["cat", " cat"], "cannot tell 'cat' and 'cat' apart"),
        (["C", "C++"], "cannot tell 'C' and 'C\\+\\+' apart"),
        ([1, 2], "must be a list of words"),
    ],
)
def test_labels_must_be_told_apart(labels, message):
    with pytest.raises(InputError, match=message):
        vi.zeroshot(labels=labels)
