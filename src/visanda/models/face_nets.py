"""The networks on faces: how a face is put into them, and what they say of it.

Faces go through the networks one at a time: a face's numbers do not depend, in any bit, on its neighbours.

What a face is perceived as is best taken from `both_ways`, the face and its mirror image: by themselves the networks
do not answer the same on both. Of 29 faces looked at, 5 were happy in one and not in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from visanda.models.sessions import session

IDENTITY_CHIP = (150, 0.25)  # size in pixels and padding of the chips that each network was trained on
AGE_CHIP = (64, 0.2)
GENDER_CHIP = (32, 0.2)
EXPRESSION_SIZE = 112
EXPRESSIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
YEARS = np.array([0.25, *range(1, 81)])  # dlib's: the first class is the first year, of which a quarter is its middle

DLIB_MEAN = np.array([122.782, 117.001, 104.298], np.float32)  # RGB


def identities(chips: Sequence[np.ndarray]) -> np.ndarray:
    """Numbers that are near, by Euclidean distance, for faces of one person: (n, 128) float32.

    Args:
        chips: n of (150, 150, 3) uint8 RGB, padding 0.25.
    """
    return _each("face_recognition_dlib", "embedding", 128, [chip.astype(np.float32) for chip in chips])


def ages(chips: Sequence[np.ndarray]) -> np.ndarray:
    """Probability of each perceived age of `YEARS`: (n, 81) float32, rows add up to 1.

    Args:
        chips: n of (64, 64, 3) uint8 RGB, padding 0.2.
    """
    return _each("age_dlib", "probabilities", 81, [_dlib_input(chip) for chip in chips])


def genders(chips: Sequence[np.ndarray]) -> np.ndarray:
    """Probability that strangers perceive the face as female, as male: (n, 2) float32, rows add up to 1.

    Args:
        chips: n of (32, 32, 3) uint8 RGB, padding 0.2.
    """
    return _each("gender_dlib", "probabilities", 2, [_dlib_input(chip) for chip in chips])


def expressions(crops: Sequence[np.ndarray]) -> np.ndarray:
    """Probability of each of `EXPRESSIONS`: (n, 7) float32, rows add up to 1.

    Args:
        crops: n of (112, 112, 3) uint8 RGB: squares around the face.
    """
    return _each("face_expression", "prob", 7, [crop.astype(np.float32) for crop in crops])


def both_ways(
    net: Callable[[Sequence[np.ndarray]], np.ndarray], chips: Sequence[np.ndarray], mirrored: Sequence[np.ndarray]
) -> np.ndarray:
    """The mean of what a network says of faces and of their mirror images: a row a face."""
    return (net(chips) + net(mirrored)) / 2


def _dlib_input(chip: np.ndarray) -> np.ndarray:
    return (chip.astype(np.float32) - DLIB_MEAN) / 256


def _each(name: str, output: str, length: int, inputs: Sequence[np.ndarray]) -> np.ndarray:
    """Run a network on pictures (H, W, 3), one at a time."""
    net = session(name)
    entry = net.get_inputs()[0].name
    made = np.empty((len(inputs), length), np.float32)
    for row, pixels in enumerate(inputs):
        made[row] = net.run([output], {entry: np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])})[0][0]
    return made
