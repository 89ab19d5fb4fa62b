"""Detectors of the hub: small ones with random weights, made here, give what transformers itself gives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch_here  # noqa: F401 (before transformers)

import visanda
from visanda.errors import InputError, MissingExtra, VisandaWarning
from visanda.measure import find_in
from visanda.measures.hub_detectors import detector
from visanda.measures.objects import objects
from visanda.media import Image

PHOTO = Image.of(Path(visanda.__file__).parent / "sample" / "photos" / "expl_farm__cow.webp")
HERE = find_spec("transformers") is not None and find_spec("torch") is not None
needed = pytest.mark.skipif(not HERE, reason="transformers or torch is not installed (the extra hub)")
NAMES = {0: "person", 1: "car", 2: "flag"}
LOW = 1e-4  # networks with random weights are sure of nothing


def rt_detr(transformers: Any) -> tuple[Any, Any]:
    layers = {"layer_type": "basic", "out_features": ["stage2", "stage3", "stage4"]}
    backbone = transformers.RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], **layers
    )
    config = transformers.RTDetrConfig(
        backbone_config=backbone,
        encoder_in_channels=[16, 24, 32],
        decoder_in_channels=[32, 32, 32],
        **dict.fromkeys(("encoder_hidden_dim", "encoder_ffn_dim", "d_model", "decoder_ffn_dim"), 32),
        **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2),
        decoder_layers=1,
        num_queries=20,
        num_denoising=0,
        id2label=NAMES,
    )
    processor = transformers.RTDetrImageProcessorPil(size={"height": 128, "width": 128})
    return transformers.RTDetrForObjectDetection(config), processor


def detr(transformers: Any) -> tuple[Any, Any]:
    backbone = transformers.ResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16, 24, 32],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage4"],
    )
    config = transformers.DetrConfig(
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=backbone,
        **dict.fromkeys(("d_model", "encoder_ffn_dim", "decoder_ffn_dim"), 32),
        **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2),
        **dict.fromkeys(("encoder_layers", "decoder_layers"), 1),
        num_queries=20,
        id2label=NAMES,
    )
    processor = transformers.DetrImageProcessorPil(size={"shortest_edge": 96, "longest_edge": 160})
    return transformers.DetrForObjectDetection(config), processor


def yolos(transformers: Any) -> tuple[Any, Any]:
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.YolosConfig(
        image_size=[96, 96], patch_size=16, num_detection_tokens=10, id2label=NAMES, **small
    )
    processor = transformers.YolosImageProcessorPil(size={"shortest_edge": 96, "longest_edge": 160})
    return transformers.YolosForObjectDetection(config), processor


def for_words(transformers: Any, kind: str) -> tuple[Any, Any]:
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {"vocab_size": 600, "bos_token_id": 598, "eos_token_id": 599, "pad_token_id": 0}
    config = getattr(transformers, f"{kind}Config")(
        text_config={**small, **text, "max_position_embeddings": 16},
        vision_config={**small, "image_size": 96, "patch_size": 16},
        projection_dim=32,
    )
    processor = getattr(transformers, f"{kind}ImageProcessorPil")(size={"height": 96, "width": 96})
    return getattr(transformers, f"{kind}ForObjectDetection")(config), processor


def letters(transformers: Any) -> Any:
    """A tokenizer that splits words into their letters."""
    signs = [sign for sign in map(chr, range(33, 127)) if sign != "!"]
    vocabulary = {token: number for number, token in enumerate(["!", *signs, *(f"{sign}</w>" for sign in signs)])}
    vocabulary |= {"<|startoftext|>": 598, "<|endoftext|>": 599}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=[], pad_token="!", model_max_length=16)


KINDS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "rt_detr": rt_detr,
    "detr": detr,
    "yolos": yolos,
    "owlvit": lambda transformers: for_words(transformers, "OwlViT"),
    "owlv2": lambda transformers: for_words(transformers, "Owlv2"),
}
WORDS = {"owlvit": ["a flag", "person"], "owlv2": ["a flag", "person"]}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a folder for each kind of model."""
    import torch
    import transformers

    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(1)
    for name, make in KINDS.items():
        network, processor = make(transformers)
        for part, parameter in network.named_parameters():
            if "class" in part or "bbox" in part or "box_head" in part:  # new heads say nearly the same everywhere
                torch.nn.init.normal_(parameter, std=0.5)
        network.save_pretrained(folder / name)
        processor.save_pretrained(folder / name)
        if name in WORDS:
            letters(transformers).save_pretrained(folder / name)
    (folder / "detr" / "README.md").write_text("---\nlicense: apache-2.0\ndatasets:\n- coco\n---\n# A model\n")
    return folder


@needed
@pytest.mark.parametrize("kind", KINDS)
def test_things_are_those_that_transformers_itself_finds(models: Path, kind: str):
    import torch
    import transformers

    mine = detector(str(models / kind)).find(PHOTO, WORDS.get(kind, []), LOW)
    processor = transformers.AutoImageProcessor.from_pretrained(models / kind, backend="pil")
    whole = {"images": PHOTO.pixels, "return_tensors": "pt"}
    if kind in WORDS:
        network = transformers.AutoModelForZeroShotObjectDetection.from_pretrained(models / kind)
        both = transformers.AutoProcessor.from_pretrained(models / kind, backend="pil")
        given = both(text=[WORDS[kind]], **whole)
        names: Any = WORDS[kind]
    else:
        network = transformers.AutoModelForObjectDetection.from_pretrained(models / kind)
        given, names = processor(**whole), NAMES
    with torch.inference_mode():
        outputs = network(**given)
    found = processor.post_process_object_detection(outputs, threshold=LOW, target_sizes=[(PHOTO.height, PHOTO.width)])[
        0
    ]
    theirs = [
        (names[int(label)], float(score), np.clip(box.numpy(), 0, [PHOTO.width, PHOTO.height] * 2))
        for label, score, box in zip(found["labels"], found["scores"], found["boxes"], strict=True)
    ]
    assert mine.labels
    for label, score, (x, y, width, height) in zip(mine.labels, mine.scores, mine.boxes, strict=True):
        corners = [x, y, x + width, y + height]
        assert any(
            label == name and score == pytest.approx(sure, abs=1e-4) and corners == pytest.approx(box, abs=0.1)
            for name, sure, box in theirs
        )
    assert mine.scores[0] == pytest.approx(max(score for _, score, _ in theirs), abs=1e-4)


@needed
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 5), (3, 40), (700, 500)])
def test_things_lie_in_pictures_of_any_shape(models: Path, kind: str, shape: tuple[int, int]):
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    if kind == "yolos" and shape == (3, 40):
        pytest.skip("transformers cannot put such a strip into YOLOS: its row says so")
    found = detector(str(models / kind)).find(Image.of(pixels), WORDS.get(kind, []), LOW)
    assert (found.boxes[:, :2] >= 0).all() and (found.boxes[:, 2:] > 0).all()
    assert (found.boxes[:, :2] + found.boxes[:, 2:] <= [shape[1] + 1e-3, shape[0] + 1e-3]).all()
    assert (np.diff(found.scores) <= 0).all()


@needed
def test_boxes_are_in_pixels_of_the_original(models: Path):
    reduced = Image(PHOTO.pixels, PHOTO.width * 4, PHOTO.height * 4)
    one, other = (detector(str(models / "rt_detr")).find(image, [], LOW) for image in (PHOTO, reduced))
    assert one.labels == other.labels
    assert other.boxes == pytest.approx(one.boxes * 4, rel=1e-3)


@needed
def test_what_was_loaded_is_recorded(models: Path):
    folder = models / "detr"
    card = objects(model=str(folder)).models[0].card()
    assert card["sha256"] == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert card["licence"] == "apache-2.0"
    assert card["trained_on"] == "coco"
    assert "transformers" in card["source"] and "torch" in card["source"]
    assert objects(model=str(models / "yolos")).models[0].licence == "not stated on its card"


@needed
def test_a_detector_of_the_hub_fills_the_same_tables(models: Path):
    measure = objects(model=str(models / "rt_detr"), score=LOW)
    found = find_in(measure, [PHOTO])[0]
    assert set(found.things[0]) == {"box", *measure.columns}
    assert found.picture["n_objects"] == len(found.things) > 0
    only = find_in(objects(model=str(models / "rt_detr"), score=LOW, labels=["flag"]), [PHOTO])[0]
    assert {thing["label"] for thing in only.things} <= {"flag"}
    assert only.picture["n_people"] is None


@needed
def test_words_are_for_models_that_look_for_them(models: Path):
    with pytest.raises(InputError, match="looks for words"):
        objects(model=str(models / "owlv2"))([PHOTO])
    with pytest.raises(InputError, match="takes no words"):
        objects(model=str(models / "detr"), words=["a flag"])([PHOTO])
    with pytest.raises(InputError, match="fewer words"):
        objects(model=str(models / "owlv2"), words=["a flag that somebody has burnt"])([PHOTO])
    with pytest.raises(InputError, match="did you mean 'flag'"):
        objects(model=str(models / "detr"), labels=["flags"])([PHOTO])


@needed
def test_a_folder_without_a_detector_is_refused(models: Path, tmp_path: Path):
    with pytest.raises(InputError, match="transformers' format"):
        objects(model=str(tmp_path))([PHOTO])
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(InputError, match="transformers' format"):
        objects(model=str(tmp_path))([PHOTO])


@needed
def test_a_network_that_is_not_all_there_is_told(models: Path, tmp_path: Path):
    from safetensors.torch import load_file, save_file

    for path in (models / "yolos").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "class_labels_classifier" not in name}
    save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.warns(VisandaWarning, match="random numbers"):
        detector(str(tmp_path))


@needed
def test_without_a_network_the_hub_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    import huggingface_hub

    def nowhere(*_: Any, **__: Any) -> str:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", nowhere)
    with pytest.raises(InputError, match=r"no route to host.*--local-dir"):
        objects(model="somebody/a-detector")([PHOTO])


@needed
def test_a_model_of_the_hub_is_recorded_with_its_revision(models: Path, monkeypatch: pytest.MonkeyPatch):
    import huggingface_hub

    asked: list[tuple[str, str | None]] = []
    commit = models / "0123456789abcdef0123456789abcdef01234567"
    if not commit.exists():
        commit.symlink_to(models / "detr", target_is_directory=True)

    def downloaded(name: str, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((name, revision))
        return str(commit)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", downloaded)
    card = objects(model="somebody/a-detector@v2").models[0]
    assert asked == [("somebody/a-detector", "v2")]
    assert f"huggingface.co/somebody/a-detector, revision {commit.name}" in card.source


@pytest.mark.skipif(HERE, reason="transformers is installed")
def test_without_the_extra_its_name_is_told():
    with pytest.raises(MissingExtra, match=r"visanda\[hub\]"):
        objects(model="PekingU/rtdetr_r50vd")([PHOTO])
