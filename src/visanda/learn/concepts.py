"""ConSE as a space of pictures and words: what zero-shot heads need to know of it (Norouzi et al. 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from visanda.conse import ENGINE, centre, image_vectors, top_classes
from visanda.learn.zeroshot import Space
from visanda.media import Image
from visanda.models import imagenet

SCALE, LEVEL = 15.0, 0.15  # near the least log loss on the sample photos' categories, in English and in German


@cache
def conse_space() -> Space:
    """What is known of ConSE's space; what all of ImageNet's classes share says nothing, and is taken off."""
    return Space(ENGINE, SCALE, LEVEL, centre())


def concepts_of(images: Sequence[Image]) -> np.ndarray:
    """ConSE vectors (n, 512) of pictures that are in no table.

    Args:
        images: of a shorter side of 256 pixels, as the measure ``classify`` sees them.
    """
    _, logits = imagenet(images)
    return image_vectors(*top_classes(logits)).astype(np.float32)
