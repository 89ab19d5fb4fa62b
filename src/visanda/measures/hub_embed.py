"""Embeddings by a network of your choice from the Hugging Face Hub: of timm, or of transformers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from visanda.extras import need
from visanda.measure import Columns, Vector, measure
from visanda.media import Image
from visanda.models import Model
from visanda.models.hub_backbones import HubBackbone, backbone
from visanda.models.squares import held_side, squared

_lock = threading.Lock()


@lru_cache(maxsize=2)
def _placed(model: str) -> HubBackbone:
    loaded, torch = backbone(model), need("torch", "train")
    if torch.cuda.is_available():
        loaded.network.to("cuda")
    else:
        torch.set_num_threads(1)  # the runner's workers are the parallelism
    return loaded


def _loaded(model: str) -> HubBackbone:
    """The network, loaded once a process: on a graphics card where there is one."""
    with _lock:
        return _placed(model)


def _columns(model: str) -> Columns:
    return {"embedding": Vector(_loaded(model).width)}


def _size(model: str) -> int:
    return held_side(_loaded(model).side, "square")


def _cards(model: str) -> list[Model]:
    return [_loaded(model).card]


@measure(
    columns=_columns,
    size=_size,
    models=_cards,
    source="the network's own authors: see its card",
)
def hub_embed(images: Sequence[Image], *, model: str) -> dict[str, np.ndarray]:
    """Numbers that place a picture near pictures like it, by a network of your choice.

    Needs the extra ``train``. Name the table after the network, so that several stand side by side:
    ``visanda measure hub_embed --model facebook/dinov2-small --name dino``.

    Args:
        images: n pictures.
        model: a network of timm (``resnet18``, ``timm/vit_small_patch14_dinov2.lvd142m``) or of transformers
            (``facebook/dinov2-small``), by its name on the Hugging Face Hub, perhaps with ``@revision``; or a folder
            that holds one.

    Returns:
        ``embedding`` the network's pooled features (of a transformer without any, those of its first token), scaled to
        length 1; a cosine similarity is a dot product. How many numbers there are depends on the network.

    Raises:
        MissingExtra: torch, timm or transformers is not installed.
        InputError: the network cannot be had, or is none for pictures.
    """
    loaded, torch = _loaded(model), need("torch", "train")
    vectors = np.empty((len(images), loaded.width), np.float32)
    device = next(loaded.network.parameters()).device
    for row, image in enumerate(images):
        # One at a time: a picture's numbers do not depend, in any bit, on its neighbours.
        pixels = loaded.normalised(squared(image.pixels, loaded.side, "square")[None])
        with torch.inference_mode():
            vectors[row] = loaded.features(loaded.network, torch.from_numpy(pixels).to(device))[0].cpu().numpy()
    return {"embedding": vectors / np.linalg.norm(vectors, axis=1, keepdims=True)}
