"""EfficientNet-Lite0: how a picture is put into it, and ImageNet's classes in words (Tan & Le 2019)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

from visanda.media import Image
from visanda.models.cards import WEIGHTS
from visanda.models.sessions import session


class _LastBatch(threading.local):
    """What a worker computed last, so that measures of one batch share one inference."""

    images: tuple[Image, ...] = ()
    outputs: tuple[np.ndarray, np.ndarray] = (np.empty((0, 1280), np.float32), np.empty((0, 1000), np.float32))


_last = _LastBatch()


def imagenet(images: Sequence[Image]) -> tuple[np.ndarray, np.ndarray]:
    """Run EfficientNet-Lite0: features (n, 1280) and ImageNet logits (n, 1000), float32, read-only.

    Pictures go through the network one at a time: as fast on a CPU as a batch, and a picture's numbers do not
    depend, in any bit, on its neighbours.
    """
    if len(images) != len(_last.images) or any(a is not b for a, b in zip(images, _last.images, strict=True)):
        run = session("efficientnet_lite0").run
        features, logits = np.empty((len(images), 1280), np.float32), np.empty((len(images), 1000), np.float32)
        for row, image in enumerate(images):
            features[row], logits[row] = run(["feat", "logits"], {"x": imagenet_input(image.pixels)})
        features.flags.writeable = logits.flags.writeable = False
        _last.images, _last.outputs = tuple(images), (features, logits)
    return _last.outputs


def imagenet_input(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 → (1, 3, 224, 224): the central square, 256 × 256, centre crop, (x − 127) / 128."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    # Cut before it is scaled: a strip of 2000 × 3 would become 170,667 × 256.
    square = pixels[(height - side) // 2 :, (width - side) // 2 :][:side, :side]
    if side != 256:
        how = cv2.INTER_CUBIC if side < 256 else cv2.INTER_AREA
        square = cv2.resize(square, (256, 256), interpolation=how)
    crop = square[16:240, 16:240].astype(np.float32)
    return np.ascontiguousarray(((crop - 127) / 128).transpose(2, 0, 1)[None])


@cache
def imagenet_labels() -> tuple[str, ...]:
    """ImageNet's 1,000 class names in words, in the order of the logits; synonyms are split by commas."""
    return tuple((WEIGHTS / "imagenet_labels.txt").read_text("utf-8").splitlines())
