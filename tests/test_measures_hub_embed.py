"""Embeddings of networks of the hub: small ones with random weights, made here, give what their packages give."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hub_folders import KINDS, SIDE, save
from torch_here import HERE

import visanda
from visanda.errors import InputError, MissingExtra
from visanda.measure import Vector, rows
from visanda.measures.hub_embed import hub_embed
from visanda.media import Image

PHOTOS = sorted((Path(visanda.__file__).parent / "sample" / "photos").glob("*.webp"))[:200:50]
needed = pytest.mark.skipif(not HERE, reason="torch, timm or transformers is not installed (the extra train)")
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for kind in KINDS:
        save(kind, folder / kind)
    return folder


def theirs(kind: str, folder: Path, pixels: Any) -> Any:
    """What the package itself makes of normalised pixels."""
    import timm
    import transformers

    if kind.endswith("timm"):
        return timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0).eval()(pixels)
    if kind == "clip":
        return transformers.CLIPVisionModel.from_pretrained(folder)(pixels).pooler_output
    if kind == "siglip":
        return transformers.SiglipVisionModel.from_pretrained(folder)(pixels).pooler_output
    if kind == "vit":
        whole = transformers.ViTForImageClassification.from_pretrained(folder)
        return whole.vit(pixels).last_hidden_state[:, 0]
    if kind == "dinov2":
        return transformers.Dinov2Model.from_pretrained(folder)(pixels).pooler_output
    return transformers.ResNetModel.from_pretrained(folder)(pixels).pooler_output[:, :, 0, 0]


@needed
@pytest.mark.parametrize("kind", KINDS)
def test_an_embedding_is_what_the_package_itself_gives(models: Path, kind: str):
    import torch

    folder = models / kind
    told = json.loads((folder / "config.json").read_text())
    stated = told.get("pretrained_cfg", {})
    side = {"resnet_of_timm": 176, "resnet": 224}.get(kind, SIDE)
    mean, deviation = (np.array(stated.get(name, usual)) for name, usual in (("mean", MEAN), ("std", DEVIATION)))
    pixels = np.random.default_rng(1).integers(0, 256, (round(side * 8 / 7),) * 2 + (3,), np.uint8)
    edge = (len(pixels) - side) // 2
    seen = pixels[edge : edge + side, edge : edge + side] / 255
    given = torch.from_numpy(((seen - mean) / deviation).transpose(2, 0, 1)[None].astype(np.float32))
    with torch.inference_mode():
        expected = theirs(kind, folder, given)[0].numpy()
    mine = hub_embed(model=str(folder))([pixels])["embedding"][0]
    assert mine == pytest.approx(expected / np.linalg.norm(expected), abs=1e-4)


@needed
@pytest.mark.parametrize("kind", ["resnet_of_timm", "dinov2"])
def test_a_row_a_picture_of_the_networks_width(models: Path, kind: str):
    measure = hub_embed(model=str(models / kind))
    width = measure.columns["embedding"]
    images = [Image.of(path) for path in PHOTOS]
    found = rows(measure, [path.name for path in PHOTOS], measure(images)).to_pydict()
    assert isinstance(width, Vector) and {len(one) for one in found["embedding"]} == {width.length}
    alone = [measure([image])["embedding"][0] for image in images]
    assert np.array_equal(measure(images)["embedding"], alone)
    assert np.linalg.norm(alone, axis=1) == pytest.approx(1)
    assert len(np.unique(np.round(alone, 4), axis=0)) == len(images)


@needed
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (3, 400), (700, 500)])
def test_pictures_of_any_shape(models: Path, shape: tuple[int, int]):
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    assert np.isfinite(hub_embed(model=str(models / "vit"))([pixels])["embedding"]).all()


@needed
def test_a_model_says_which_square_and_which_colours_it_wants(models: Path, tmp_path: Path):
    for path in (models / "dinov2").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    stated = {"crop_size": {"height": 40, "width": 40}, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(stated))
    assert hub_embed(model=str(tmp_path)).size == round(40 * 8 / 7)
    grey = cv2.cvtColor(np.full((60, 60), 200, np.uint8), cv2.COLOR_GRAY2RGB)
    one, other = (hub_embed(model=str(where))([grey])["embedding"] for where in (tmp_path, models / "dinov2"))
    assert not np.allclose(one, other, atol=1e-3)


@needed
def test_what_was_loaded_is_recorded(models: Path, tmp_path: Path):
    licensed = shutil.copytree(models / "dinov2", tmp_path / "licensed")
    (licensed / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model\n")
    card = hub_embed(model=str(licensed)).models[0]
    assert card.sha256 == hashlib.sha256((licensed / "model.safetensors").read_bytes()).hexdigest()
    assert card.licence == "apache-2.0"
    assert "transformers" in card.source and "torch" in card.source
    assert "timm" in hub_embed(model=str(models / "vit_of_timm")).models[0].source


@needed
@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "cannot be loaded"),
        ({"config.json": '{"model_type": "bert"}'}, "cannot be loaded"),
        ({"config.json": '{"architecture": "nothing"}'}, "cannot be loaded"),
    ],
)
def test_a_folder_without_a_network_for_pictures_is_refused(tmp_path: Path, files: dict[str, str], says: str):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=says):
        hub_embed(model=str(tmp_path))


@needed
def test_a_network_that_is_not_all_there_is_refused(models: Path, tmp_path: Path):
    from safetensors.torch import load_file, save_file

    for path in (models / "dinov2").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "layer.1" not in name}
    save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="random numbers"):
        hub_embed(model=str(tmp_path))


@needed
def test_a_name_that_timm_does_not_know_is_refused():
    with pytest.raises(InputError, match="no backbone 'resnet19'"):
        hub_embed(model="resnet19")


@needed
@pytest.mark.parametrize(("name", "asked"), [("facebook/dinov2-small", None), ("resnet18", "timm/resnet18.a1_in1k")])
def test_without_a_network_the_hub_says_what_to_do(monkeypatch: pytest.MonkeyPatch, name: str, asked: str | None):
    import huggingface_hub

    def nowhere(given: str, **_: Any) -> str:
        raise ConnectionError(f"no route to {given}")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", nowhere)
    with pytest.raises(InputError, match=f"no route to {asked or name}.*--local-dir"):
        hub_embed(model=name)


@pytest.mark.skipif(HERE, reason="torch, timm and transformers are installed")
def test_without_the_extra_its_name_is_told():
    with pytest.raises(MissingExtra, match=r"visanda\[(train|hub)\]"):
        hub_embed(model="facebook/dinov2-small")
