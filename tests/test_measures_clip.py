"""Joint models of the hub: small ones with random weights, made here, give what transformers itself gives."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch_here import HERE

import visanda
from visanda.codebook import Variable
from visanda.corpus import Corpus
from visanda.corpus.classify.zeroshot import joint, text_vectors, zeroshot_head
from visanda.errors import InputError, MissingExtra
from visanda.measure import rows
from visanda.measures.clip import clip, clip_space, clip_texts
from visanda.media import Image
from visanda.models.own import Own

SAMPLE = Path(visanda.__file__).parent / "sample"
PHOTO = Image.of(SAMPLE / "photos" / "expl_farm__cow.webp")
OTHER = Image.of(SAMPLE / "photos" / "expl_farm__pig.webp")
WORDS = ["a cow", "a photo of a flag"]
needed = pytest.mark.skipif(not HERE, reason="transformers or torch is not installed (the extra hub)")


def letters(transformers: Any) -> Any:
    """A tokenizer that splits words into their letters."""
    signs = [sign for sign in map(chr, range(33, 127)) if sign != "!"]
    vocabulary = {token: number for number, token in enumerate(["!", *signs, *(f"{sign}</w>" for sign in signs)])}
    vocabulary |= {"<|startoftext|>": 598, "<|endoftext|>": 599}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=[], pad_token="!", model_max_length=24)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CLIP and a SigLIP."""
    import torch
    import transformers

    folder = tmp_path_factory.mktemp("joint")
    torch.manual_seed(1)
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {"vocab_size": 600, "bos_token_id": 598, "eos_token_id": 599, "pad_token_id": 0}
    text |= {"max_position_embeddings": 24}
    vision = {**small, "image_size": 64, "patch_size": 16}
    for name in ("CLIP", "Siglip"):
        config = getattr(transformers, f"{name}Config")(
            text_config={**small, **text}, vision_config=vision, **({"projection_dim": 24} if name == "CLIP" else {})
        )
        network = getattr(transformers, f"{name}Model")(config)
        for parameter in network.parameters():  # as they come, they hardly tell one picture from another
            torch.nn.init.normal_(parameter, std=0.3)
        network.logit_scale.data.fill_(3.0)
        if name == "Siglip":
            network.logit_bias.data.fill_(-4.0)
        network.save_pretrained(folder / name)
        size = {"shortest_edge": 64} if name == "CLIP" else {"height": 64, "width": 64}
        cut = {"crop_size": {"height": 64, "width": 64}} if name == "CLIP" else {}
        getattr(transformers, f"{name}ImageProcessorPil")(size=size, **cut).save_pretrained(folder / name)
        letters(transformers).save_pretrained(folder / name)
    return folder


def theirs(folder: Path, image: Image) -> tuple[np.ndarray, np.ndarray]:
    """What transformers' own way gives for the picture and the words."""
    import torch
    import transformers

    network = transformers.AutoModel.from_pretrained(folder)
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokens = tokenizer(WORDS, padding="max_length", max_length=24, return_tensors="pt")
    with torch.inference_mode():
        found = network(**processor(images=image.pixels, return_tensors="pt"), **tokens)
    return found.image_embeds.numpy()[0], found.text_embeds.numpy()


@needed
@pytest.mark.parametrize("kind", ["CLIP", "Siglip"])
def test_vectors_are_those_of_transformers(models: Path, kind: str):
    picture, words = theirs(models / kind, PHOTO)
    found = clip(model=str(models / kind)).registered.implementation([PHOTO], model=str(models / kind))["embedding"][0]
    assert found == pytest.approx(picture / np.linalg.norm(picture), abs=1e-5)
    assert clip_texts(str(models / kind), WORDS) == pytest.approx(
        words / np.linalg.norm(words, axis=1, keepdims=True), abs=1e-5
    )


@needed
@pytest.mark.parametrize("kind", ["CLIP", "Siglip"])
def test_a_picture_and_a_phrase_do_not_depend_on_their_neighbours(models: Path, kind: str):
    measure = clip(model=str(models / kind))
    both, alone = measure([PHOTO, OTHER])["embedding"], measure([OTHER])["embedding"]
    assert (both[1] == alone[0]).all()
    assert np.abs(both[0] - both[1]).max() > 0.01
    names = clip_texts(str(models / kind), WORDS)
    assert names[1] == pytest.approx(clip_texts(str(models / kind), WORDS[1:])[0], abs=1e-6)
    assert rows(measure, ["a", "b"], {"embedding": both}).schema == measure.schema


@needed
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (3, 40), (700, 500)])
@pytest.mark.parametrize("kind", ["CLIP", "Siglip"])
def test_pictures_of_any_shape_have_a_place(models: Path, kind: str, shape: tuple[int, int]):
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    found = clip(model=str(models / kind))([pixels])["embedding"]
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


@needed
def test_what_was_loaded_is_recorded(models: Path):
    card = clip(model=str(models / "CLIP")).models[0].card()
    assert card["sha256"] == hashlib.sha256((models / "CLIP" / "model.safetensors").read_bytes()).hexdigest()
    assert "transformers" in card["source"] and "(clip)" in card["task"]


@needed
def test_how_cosines_become_logits_is_the_models_own(models: Path):
    assert clip_space(str(models / "CLIP")) == pytest.approx((np.exp(3.0), 0.23))
    assert clip_space(str(models / "Siglip")) == pytest.approx((np.exp(3.0), 4 / np.exp(3.0)))


@needed
def test_what_is_no_joint_model_is_refused(models: Path, tmp_path: Path):
    with pytest.raises(InputError, match="such as CLIP or SigLIP"):
        clip(model=str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    with pytest.raises(InputError, match="such as CLIP or SigLIP"):
        clip(model=str(tmp_path))
    with pytest.raises(InputError, match="fewer words"):
        clip_texts(str(models / "CLIP"), ["a very long story of a flag that somebody burnt"])


@needed
def test_zero_shot_by_a_joint_model(models: Path, tmp_path: Path):
    """Random weights know nothing; but where a picture's own vector is the prompt, it is told."""
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(str(SAMPLE / "photos" / "expl_farm__cow.webp"), str(SAMPLE / "photos" / "expl_farm__pig.webp"))
    corpus.measure("clip", model=str(models / "CLIP"))
    described = corpus.describe("clip")
    assert joint(described).scale == pytest.approx(np.exp(3.0))
    made = zeroshot_head(corpus, Variable("animal", values=("cow", "pig")), table="clip")
    ids, vectors = corpus.vectors("clip", "embedding")
    texts = [text_vectors(described, [name, f"a photo of {name}"]).mean(axis=0) for name in ("cow", "pig")]
    cosines = vectors @ np.array([text / np.linalg.norm(text) for text in texts]).T
    odds = np.exp(3.0) * (cosines[:, 0] - cosines[:, 1])
    assert Own(made.model)(vectors)[:, 0] == pytest.approx(1 / (1 + np.exp(-odds)), abs=2e-3)
    assert len(ids) == 2


@pytest.mark.skipif(HERE, reason="transformers is installed")
def test_without_the_extra_its_name_is_told():
    with pytest.raises(MissingExtra, match=r"visanda\[hub\]"):
        clip(model="openai/clip-vit-base-patch32")
