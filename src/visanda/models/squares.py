"""Squares: pictures as networks that a user trained see them, in training and when a model is applied."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

Crop = Literal["square", "squash"]


def held_side(side: int, crop: Crop) -> int:
    """Pixels to which a picture's shorter side is reduced before it is made a square of ``side`` pixels.

    A photo is cut to seven eighths of its square, as EfficientNet and most others were trained (224 of 256 pixels).
    """
    return round(side * 8 / 7) if crop == "square" else side


def held(pixels: np.ndarray, side: int, crop: Crop) -> np.ndarray:
    """What is held of a picture: a square with a margin that random cuts can move in; of a document, the whole.

    Args:
        pixels: (H, W, 3) uint8.
        side: of the network's square.
        crop: ``square`` cuts the central square out; ``squash`` presses the whole into one.

    Returns:
        (h, h, 3) uint8, h as `held_side` says.
    """
    height, width = pixels.shape[:2]
    if crop == "square":
        shorter = min(height, width)
        # Cut before it is scaled: a strip of 2000 × 3 would become 170,667 × 256.
        pixels = pixels[(height - shorter) // 2 :, (width - shorter) // 2 :][:shorter, :shorter]
    wanted = held_side(side, crop)
    if pixels.shape[:2] == (wanted, wanted):
        return np.ascontiguousarray(pixels)
    enlarged = min(pixels.shape[:2]) < wanted
    how = cv2.INTER_CUBIC if enlarged else cv2.INTER_AREA
    return cv2.resize(np.ascontiguousarray(pixels), (wanted, wanted), interpolation=how)


def seen(square: np.ndarray, side: int) -> np.ndarray:
    """The middle of what is held: (side, side, 3) uint8, what a network sees when nothing is random."""
    edge = (len(square) - side) // 2
    return np.ascontiguousarray(square[edge : edge + side, edge : edge + side])


def squared(pixels: np.ndarray, side: int, crop: Crop) -> np.ndarray:
    """A picture as a network sees it.

    Args:
        pixels: (H, W, 3) uint8 with the shorter side reduced to `held_side`.
        side: pixels of the network's square.
        crop: ``square`` or ``squash``.

    Returns:
        (side, side, 3) uint8. With side 224 and ``square``, the very pixels that the measure ``embed`` sees.
    """
    return seen(held(pixels, side, crop), side)
