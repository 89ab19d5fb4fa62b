"""Embedding: where a picture lies among pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from visanda.measure import Vector, measure
from visanda.media import Image
from visanda.models import imagenet


@measure(
    columns={"embedding": Vector(1280)},
    size=256,
    models=["efficientnet_lite0"],
    source="Tan & Le (2019), EfficientNet-Lite0 trained on ImageNet",
)
def embed(images: Sequence[Image]) -> dict[str, np.ndarray]:
    """1,280 numbers that place a picture near pictures like it.

    Returns:
        ``embedding`` the pooled features of EfficientNet-Lite0, scaled to length 1; a cosine similarity is a dot
        product.
    """
    features, _ = imagenet(images)
    return {"embedding": features / np.linalg.norm(features, axis=1, keepdims=True)}
