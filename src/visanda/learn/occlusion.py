"""Occlusion maps: what a classifier no longer says when a part of the picture is hidden (Zeiler & Fergus 2014)."""

from __future__ import annotations

import cv2
import numpy as np

from visanda.learn.activation import Scores, evidence
from visanda.learn.target import Target

GRID = 7
REACH = 1.0  # a patch is as wide as a cell, and so many halves of it more on each side
SOFT = 0.15  # of a cell: the width of a patch's edges, since a sharp one is a thing to see itself


def patches(height: int, width: int, grid: int = GRID) -> np.ndarray:
    """How much of each pixel each patch hides: (grid², height, width) float32, 0 to 1, row by row."""
    found = np.zeros((grid * grid, height, width), np.float32)
    tall, wide = height / grid, width / grid
    for number in range(grid * grid):
        row, column = divmod(number, grid)
        top, bottom = (row - REACH / 2) * tall, (row + 1 + REACH / 2) * tall
        left, right = (column - REACH / 2) * wide, (column + 1 + REACH / 2) * wide
        found[number, max(0, round(top)) : round(bottom), max(0, round(left)) : round(right)] = 1
        found[number] = cv2.GaussianBlur(found[number], (0, 0), sigmaX=SOFT * wide + 0.1, sigmaY=SOFT * tall + 0.1)
    return found


def occlusion_map(pixels: np.ndarray, scores: Scores, output: int, target: Target, grid: int = GRID) -> np.ndarray:
    """What each part of a picture speaks for an output.

    Args:
        pixels: (height, width, 3) uint8 RGB.
        scores: from pictures (n, height, width, 3) to (n, outputs).
        output: whose map.
        target: what is predicted.
        grid: rows and columns of the map.

    Returns:
        (grid, grid): the evidence for the whole picture less that with a patch of the picture's mean colour there.
    """
    colour = pixels.reshape(-1, 3).mean(axis=0).astype(np.float32)
    hidden = []
    whole = evidence(scores(pixels[None]), output, target)[0]
    height, width = pixels.shape[:2]
    for mask in patches(height, width, grid):
        covered = pixels + (colour - pixels) * mask[:, :, None]
        hidden.append(evidence(scores(np.rint(covered).astype(np.uint8)[None]), output, target)[0])
    return whole - np.array(hidden).reshape(grid, grid)
