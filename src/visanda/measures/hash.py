"""Hashes: the same pixels, or nearly the same picture."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import cv2
import numpy as np

from visanda.measure import measure
from visanda.media import Image


@measure(
    columns={"sha256_pixels": str, "phash": str},
    source="NIST FIPS 180-4 (SHA-256); Zauner (2010), DCT perceptual hash",
)
def hash(images: Sequence[Image]) -> dict[str, list[str]]:
    """SHA-256 of the upright pixels, and a 64-bit perceptual hash.

    Returns:
        ``sha256_pixels`` 64 hexadecimal digits, equal for pictures with the same size and the same pixels whatever
        their file format or metadata; ``phash`` 16 hexadecimal digits, 64 bits of which re-encoded and resized
        copies differ in few (8 is a usual limit), unrelated pictures in about 32. Mirrored and strongly cropped
        copies are not found by it.
    """
    return {
        "sha256_pixels": [_sha256(image.pixels) for image in images],
        "phash": [phash_of(cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY)) for image in images],
    }


def _sha256(pixels: np.ndarray) -> str:
    digest = hashlib.sha256(np.array(pixels.shape[:2], dtype="<u4").tobytes())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def phash_of(grey: np.ndarray) -> str:
    """The signs, around their median, of the 8 × 8 lowest frequencies of a 32 × 32 grey picture."""
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8]
    # A flat picture's frequencies are rounding noise: below half a grey level they say nothing.
    low[np.abs(low) < 0.5] = 0
    bits = np.packbits((low > np.median(low)).ravel())
    return bits.tobytes().hex()
