"""Sharpness, against a Laplacian written out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import visanda as vi


def grey(levels: np.ndarray) -> np.ndarray:
    return np.repeat(levels.astype(np.uint8)[:, :, None], 3, axis=2)


def checkerboard(square: int, side: int = 64) -> np.ndarray:
    row = np.arange(side) // square
    return grey((row[:, None] + row[None, :]) % 2 * 255)


def measured(pixels: np.ndarray) -> tuple[float, float]:
    columns = vi.sharpness()([pixels])
    return columns["sharpness"][0], columns["edge_density"][0]


def laplacian_variance(levels: np.ndarray) -> float:
    padded = np.pad(levels.astype(float), 1, mode="reflect")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return (around - 4 * padded[1:-1, 1:-1]).var()


@pytest.mark.parametrize("level", [0, 77, 255])
def test_a_flat_picture_is_not_sharp(level):
    assert measured(grey(np.full((50, 50), level))) == (0, 0)


def test_a_checkerboard_of_pixels_has_the_largest_variance():
    """Every pixel differs from its four neighbours by 255: the Laplacian is ±1020."""
    assert measured(checkerboard(1))[0] == pytest.approx(1020**2)


@pytest.mark.parametrize("square", [2, 3, 8])
def test_the_variance_of_the_laplacian(square):
    pixels = checkerboard(square)
    assert measured(pixels)[0] == pytest.approx(laplacian_variance(pixels[:, :, 0]))


def test_blurring_lowers_it():
    pixels = checkerboard(8, 256)
    sharp = [measured(pixels if s == 0 else cv2.GaussianBlur(pixels, (0, 0), s))[0] for s in (0, 1, 2, 4)]
    assert sharp == sorted(sharp, reverse=True) and sharp[0] > 100 * sharp[3]


def test_edges_are_counted():
    """One border from top to bottom: one edge pixel, or two, of the 100 of each row."""
    half = grey(np.where(np.arange(100) < 50, 0, 255) * np.ones((100, 1)))
    assert measured(half)[1] in (pytest.approx(0.01, abs=0.002), pytest.approx(0.02, abs=0.002))


def test_pictures_of_any_resolution_are_compared_at_one():
    photo = cv2.resize(np.random.default_rng(1).integers(0, 256, (12, 16, 3), np.uint8), (1024, 768))
    large = cv2.resize(photo, (2048, 1536), interpolation=cv2.INTER_NEAREST)
    assert measured(large)[0] == pytest.approx(measured(photo)[0], rel=0.05)
