"""Composition, on pictures whose order is known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow

import visanda as vi


def grey(levels: np.ndarray) -> np.ndarray:
    return np.repeat(levels.astype(np.uint8)[:, :, None], 3, axis=2)


def measured(picture) -> dict:
    return {name: values[0] for name, values in vi.composition()([picture]).items()}


@pytest.mark.parametrize(("levels", "bits"), [(1, 0), (2, 1), (4, 2), (256, 8)])
def test_entropy_in_bits(levels, bits):
    row = np.arange(256) * levels // 256 * (256 // levels)
    assert measured(grey(np.tile(row, (256, 1))))["entropy"] == pytest.approx(bits, abs=1e-12)


def test_entropy_of_unequal_shares():
    row = np.array([0, 255, 255, 255])
    assert measured(grey(np.tile(row, (4, 1))))["entropy"] == pytest.approx(0.811278, abs=1e-6)


def test_symmetry():
    noise = np.random.default_rng(1).integers(0, 256, (60, 50))
    assert measured(grey(np.hstack([noise, noise[:, ::-1]])))["symmetry"] == 1
    assert measured(grey(np.hstack([noise * 0, noise * 0 + 255])))["symmetry"] == 0
    assert 0.5 < measured(grey(noise))["symmetry"] < 0.8  # noise against noise: 1 − 1/3


def dot(x: int, y: int, side: int = 192) -> np.ndarray:
    levels = np.full((side, side), 255)
    levels[y - 6 : y + 6, x - 6 : x + 6] = 0
    return grey(levels)


def thirds(pixels: np.ndarray) -> float:
    return measured(pixels)["thirds"]


def test_a_dot_on_a_crossing_of_the_thirds():
    crossings = [thirds(dot(x, y)) for x in (64, 128) for y in (64, 128)]
    assert min(crossings) > 0.75
    assert max(crossings) - min(crossings) < 0.01
    assert min(crossings) > thirds(dot(96, 96)) > thirds(dot(10, 10))
    assert thirds(dot(10, 10)) < 0.25


def test_a_flat_picture_draws_the_eye_nowhere():
    assert np.isnan(thirds(grey(np.full((50, 50), 128))))


def test_aspect_is_that_of_the_original(tmp_path):
    Pillow.new("RGB", (1001, 700)).save(tmp_path / "a.png")  # measured at 366 × 256
    assert measured(tmp_path / "a.png")["aspect"] == 1001 / 700
    assert measured(np.zeros((1000, 500, 3), np.uint8))["aspect"] == 0.5
