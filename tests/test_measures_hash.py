"""Hashes: equal for equal pixels, near for copies, far for other pictures."""

from __future__ import annotations

import io
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

import visanda as vi
from visanda.media import decode

SAMPLE = Path(vi.__file__).parent / "sample"
KNOWN = pd.read_csv(SAMPLE / "photos.csv").set_index("filename")
PHOTOS = {name: np.asarray(Pillow.open(SAMPLE / "photos" / name).convert("RGB")) for name in KNOWN.index[::4]}


def encoded(pixels: np.ndarray, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, format, **options)
    return buffer.getvalue()


def sha256(picture) -> str:
    return vi.hash()([picture])["sha256_pixels"][0]


def phash(picture) -> int:
    return int(vi.hash()([picture])["phash"][0], 16)


def bits_apart(one: int, other: int) -> int:
    return (one ^ other).bit_count()


def test_the_same_pixels_in_any_format_have_one_hash():
    pixels = next(iter(PHOTOS.values()))
    files = [encoded(pixels, "PNG"), encoded(pixels, "BMP"), encoded(pixels, "WEBP", lossless=True)]
    assert {sha256(decode(file)) for file in files} == {sha256(pixels)}


def test_one_changed_pixel_changes_the_hash():
    pixels = next(iter(PHOTOS.values())).copy()
    before = sha256(pixels), phash(pixels)
    pixels[10, 20, 1] ^= 1
    assert sha256(pixels) != before[0]
    assert phash(pixels) == before[1]


def test_the_same_bytes_in_another_shape_are_another_picture():
    pixels = np.arange(600, dtype=np.uint8).reshape(10, 20, 3)
    assert sha256(pixels) != sha256(pixels.reshape(20, 10, 3))


@pytest.mark.parametrize("name", PHOTOS)
def test_copies_differ_in_few_bits(name):
    pixels = PHOTOS[name]
    half = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    for copy in (decode(encoded(pixels, "JPEG", quality=60)), half, decode(encoded(half, "JPEG", quality=60))):
        assert bits_apart(phash(pixels), phash(copy)) <= 8


def test_unrelated_pictures_differ_in_many_bits():
    hashes = {name: phash(pixels) for name, pixels in PHOTOS.items()}
    apart = [bits_apart(hashes[a], hashes[b]) for a, b in combinations(hashes, 2)]
    assert np.mean(np.array(apart) > 16) > 0.98
    assert np.median(apart) == pytest.approx(32, abs=2)


@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
def test_all_flat_pictures_look_alike(level):
    assert phash(np.full((50, 70, 3), level, np.uint8)) in (0, 1 << 63)
