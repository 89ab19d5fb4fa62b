"""Folders with small networks for pictures and random weights, as the Hugging Face Hub would give them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch_here  # noqa: F401 (before timm and transformers)

SIDE = 32
SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": SIDE,
    "patch_size": 8,
}
WORDS = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": 99,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def resnet_of_timm(folder: Path) -> None:
    import timm

    arguments = {"channels": (8, 16, 24, 32)}
    network = timm.create_model("resnet10t", num_classes=5, **arguments)
    timm.models.save_for_hf(network, folder, model_args=arguments, safe_serialization=True)


def vit_of_timm(folder: Path) -> None:
    import timm

    arguments = {"img_size": SIDE, "depth": 2, "embed_dim": 24, "num_heads": 2, "patch_size": 8}
    network = timm.create_model("vit_tiny_patch16_224", num_classes=5, **arguments)
    timm.models.save_for_hf(network, folder, model_args=arguments, safe_serialization=True)


def of_transformers(make: Callable[[Any], Any]) -> Callable[[Path], None]:
    def save(folder: Path) -> None:
        import transformers

        make(transformers).save_pretrained(folder)

    return save


def resnet(transformers: Any) -> Any:
    layers = {"embedding_size": 8, "hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1], "layer_type": "basic"}
    return transformers.ResNetModel(transformers.ResNetConfig(**layers))


def clip(transformers: Any) -> Any:
    vision = {**SMALL, "intermediate_size": 64}
    return transformers.CLIPModel(
        transformers.CLIPConfig(text_config=WORDS, vision_config=vision, projection_dim=16)
    )  # fmt: skip


def siglip(transformers: Any) -> Any:
    vision = {**SMALL, "intermediate_size": 64}
    return transformers.SiglipModel(transformers.SiglipConfig(text_config=WORDS, vision_config=vision))


def vit(transformers: Any) -> Any:
    """With a head for classes, as most are: its pooling was never trained."""
    return transformers.ViTForImageClassification(transformers.ViTConfig(**SMALL, intermediate_size=64))


def dinov2(transformers: Any) -> Any:
    return transformers.Dinov2Model(transformers.Dinov2Config(**SMALL))


KINDS: dict[str, Callable[[Path], None]] = {
    "resnet_of_timm": resnet_of_timm,
    "vit_of_timm": vit_of_timm,
    "resnet": of_transformers(resnet),
    "clip": of_transformers(clip),
    "siglip": of_transformers(siglip),
    "vit": of_transformers(vit),
    "dinov2": of_transformers(dinov2),
}


def save(kind: str, folder: Path) -> Path:
    """A folder with a network of a kind."""
    import torch

    torch.manual_seed(1)
    folder.mkdir(parents=True)
    KINDS[kind](folder)
    return folder
