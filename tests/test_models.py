"""The models inside: their files are what their cards say, and a damaged one is told."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from visanda.errors import VisandaError
from visanda.media import Image
from visanda.models import MODELS, WEIGHTS, cards, efficientnet, embed_texts, imagenet, imagenet_labels, model, sessions

each_model = pytest.mark.parametrize("card", MODELS.values(), ids=MODELS)


@each_model
def test_the_weights_are_those_of_the_card(card):
    assert hashlib.sha256(card.path.read_bytes()).hexdigest() == card.sha256


@each_model
def test_a_card_says_everything(card):
    said = {field.name: getattr(card, field.name) for field in fields(card) if field.name != "caution"}
    assert card.card() == said | ({"caution": card.caution} if card.caution else {})
    assert all(isinstance(value, str) and value for value in card.card().values())


def test_every_file_of_the_weights_is_in_the_notice():
    notice = (WEIGHTS / "NOTICE.md").read_text("utf-8")
    for file in WEIGHTS.iterdir():
        if file.name != "NOTICE.md":
            assert f"`{file.name}`" in notice
    for card in MODELS.values():
        assert card.licence in notice


def test_an_unknown_model_is_told():
    with pytest.raises(VisandaError, match=r"no model 'clip'; there are: efficientnet_lite0"):
        model("clip")


@pytest.fixture
def copied_weights(tmp_path, monkeypatch):
    """A copy that may be damaged, and no session loaded yet."""
    monkeypatch.setattr(cards, "WEIGHTS", tmp_path)
    sessions._open_session.cache_clear()
    yield Path(shutil.copy(WEIGHTS / "efficientnet_lite0.onnx", tmp_path))
    sessions._open_session.cache_clear()


def test_a_damaged_file_is_told(copied_weights):
    data = bytearray(copied_weights.read_bytes())
    data[5_000_000] ^= 1
    copied_weights.write_bytes(data)
    with pytest.raises(VisandaError, match=r"efficientnet_lite0.onnx is not the file .* install visanda again"):
        imagenet([grey_picture(1)])


def test_a_missing_file_is_told(copied_weights):
    copied_weights.unlink()
    with pytest.raises(VisandaError, match=r"efficientnet_lite0 cannot be read .* install visanda again"):
        imagenet([grey_picture(2)])


def grey_picture(level: int, height: int = 256, width: int = 256) -> Image:
    return Image.of(np.full((height, width, 3), level, np.uint8))


def test_there_are_a_thousand_labels():
    labels = imagenet_labels()
    assert len(labels) == 1000
    assert len(set(labels)) == 999  # a crane is a bird, and a machine
    assert all(label == label.strip() and label for label in labels)
    assert labels[0].startswith("tench") and labels[999].startswith("toilet tissue")


def test_no_pictures_give_empty_features():
    features, logits = imagenet([])
    assert features.shape == (0, 1280) and logits.shape == (0, 1000)


def test_a_batch_is_inferred_once(monkeypatch):
    batch = [grey_picture(3), grey_picture(4)]
    first = imagenet(batch)
    monkeypatch.setattr(efficientnet, "session", lambda name: pytest.fail("inferred twice"))
    assert imagenet(list(batch)) is first


def test_only_the_middle_of_a_strip_is_scaled_up():
    strip = np.zeros((3, 2000, 3), np.uint8)
    middle = strip.copy()
    middle[:, 995:1005] = 255
    ends = strip.copy()
    ends[:, :900] = 255
    vectors, _ = imagenet([Image.of(strip), Image.of(ends), Image.of(middle)])
    assert np.array_equal(vectors[0], vectors[1])
    assert not np.array_equal(vectors[0], vectors[2])


def test_texts_of_one_meaning_lie_together_in_every_language():
    dog, hund, chien, church = embed_texts(["a dog", "ein Hund", "un chien", "a church"])
    assert np.linalg.norm(dog) == pytest.approx(1, abs=1e-5)
    assert min(dog @ hund, dog @ chien) > 0.7 > dog @ church
