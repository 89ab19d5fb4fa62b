"""Augmentation: a picture as it might also have been taken, varied at random as its content allows."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from visanda.learn.finetune.settings import Augment
from visanda.models.squares import seen

SMALLEST = 0.5  # share of what is held that a random cut of a photo keeps, at least
LIGHT = 0.25  # by how much brightness, contrast and saturation vary, as a share
TURN = 7.0  # degrees by which a document is turned, at most
SHIFT = 0.06  # share of the side by which a document or a text is moved, at most
SCALE = 0.08  # share by which it is larger or smaller, at most
NOISE = 8.0  # standard deviation of a document's noise, in shades of 255, at most
GREY = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601


def augmented(square: np.ndarray, side: int, augment: Augment, random: np.random.Generator) -> np.ndarray:
    """One variation of a picture.

    Args:
        square: (h, h, 3) uint8, what is held of it.
        side: pixels of the network's square, h or less.
        augment: the content; texts and documents are never mirrored.
        random: decides.

    Returns:
        (side, side, 3) uint8.
    """
    return _WAYS[augment](square, side, random)


def _photo(square: np.ndarray, side: int, random: np.random.Generator) -> np.ndarray:
    """Random cut, mirror, brightness, contrast and saturation (Szegedy et al. 2015, gentler)."""
    whole = len(square)
    area, shape = random.uniform(SMALLEST, 1.0), np.exp(random.uniform(-0.25, 0.25))
    height, width = (min(whole, max(1, round(whole * float(np.sqrt(area * ratio))))) for ratio in (shape, 1 / shape))
    top, left = random.integers(0, whole - height + 1), random.integers(0, whole - width + 1)
    cut = np.ascontiguousarray(square[top : top + height, left : left + width])
    enlarged = min(height, width) < side
    picture = cv2.resize(cut, (side, side), interpolation=cv2.INTER_LINEAR if enlarged else cv2.INTER_AREA)
    if random.random() < 0.5:
        picture = picture[:, ::-1]
    brightness, contrast, saturation = random.uniform(1 - LIGHT, 1 + LIGHT, 3).astype(np.float32)
    grey = picture @ GREY
    mixed = picture * saturation + grey[:, :, None] * (1 - saturation)
    mean = grey.mean()
    return _shades((mixed - mean) * contrast + mean * brightness)


def _document(square: np.ndarray, side: int, random: np.random.Generator) -> np.ndarray:
    return _paper(square, side, random, turn=TURN)


def _text(square: np.ndarray, side: int, random: np.random.Generator) -> np.ndarray:
    return _paper(square, side, random, turn=0.0)


def _paper(square: np.ndarray, side: int, random: np.random.Generator, turn: float) -> np.ndarray:
    """Turned, moved, scaled, with noise and another contrast, as another scan would have it."""
    middle = len(square) / 2
    angle, scale = random.uniform(-turn, turn), 1 + random.uniform(-SCALE, SCALE)
    moved = cv2.getRotationMatrix2D((middle, middle), angle, scale * side / len(square))
    moved[:, 2] = moved[:, 2] + side / 2 - middle + random.uniform(-SHIFT, SHIFT, 2) * side
    picture = cv2.warpAffine(square, moved, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    contrast, shift = random.uniform(1 - LIGHT, 1 + LIGHT), random.uniform(-20, 20)
    noise = random.standard_normal((side, side, 1), np.float32) * random.uniform(0, NOISE)
    return _shades((picture.astype(np.float32) - 127.5) * contrast + 127.5 + shift + noise)


def _none(square: np.ndarray, side: int, random: np.random.Generator) -> np.ndarray:
    return seen(square, side)


def _shades(pixels: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


_WAYS: dict[Augment, Callable[[np.ndarray, int, np.random.Generator], np.ndarray]] = {
    "photo": _photo,
    "document": _document,
    "text": _text,
    "none": _none,
}
