"""FaceMesh: 468 points of a face in three dimensions (Kartynnik, Ablavatski, Grishchenko & Grundmann 2019)."""

from __future__ import annotations

import numpy as np

from visanda.models.chips import warped
from visanda.models.sessions import session

ANCHORS = (263, 362, 33, 133, 2)
"""Outer and inner corner of the left eye, outer and inner corner of the right eye, base of the nose (the person's
left and right): what face chips are aligned by."""
SIZE = 192  # of the network's input
MARGIN = 1.5  # side of the square that it sees, as a multiple of the face
RIGHT, LEFT = 33, 263  # outer corners of the eyes
LOOKS = 4  # at most
STEADY = 5.0  # degrees
SURE = 0.9  # probability


def mesh(pixels: np.ndarray, box: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, float]:
    """Find the 468 points of a face.

    The network looks at the face at least twice: the second time at where the first mesh lies, level by its eyes. That
    takes out what the box and its points had of chance: the points of a mesh vary by a third of what they
    did, head pose by half. A doubtful face is looked at from its four sides, since the eyes and the mouth of one that
    lies or hangs are often taken for each other.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        box: (4,) x, y, width, height of the face in pixels, as `visanda.models.yunet.detect` finds it.
        points: (5, 2) its points; the first two are the right and the left eye.

    Returns:
        (468, 3) float32: x and y in pixels from the outer corner of the first pixel, z in the same unit, smaller
        where it is nearer to the camera; and the probability that this is a face, 0 to 1.
    """
    x, y, width, height = (float(value) for value in box)
    right, left = np.asarray(points, float)[:2] @ [1, 1j]
    centre, side = complex(x + width / 2, y + height / 2), max(width, height)
    found, sure = _followed(pixels, centre, side, left - right)
    if sure < SURE:
        turned = [_followed(pixels, centre, side, (left - right) * turn) for turn in (1j, -1, -1j)]
        best = max(turned, key=lambda look: look[1])
        if best[1] >= SURE:  # else it is too small, in profile or no face, and upright is the best guess
            found, sure = best
    return found.astype(np.float32), sure


def _followed(pixels: np.ndarray, centre: complex, side: float, level: complex) -> tuple[np.ndarray, float]:
    """The mesh after two looks or more: as long as the last one has turned it by more than `STEADY`."""
    found, sure = _look(pixels, centre, side, level)
    for _ in range(LOOKS - 1):
        flat = found[:, :2] @ [1, 1j]
        before, level = level, flat[LEFT] - flat[RIGHT]
        upright = flat * level.conjugate() / abs(level)
        low, high = (complex(end(upright.real), end(upright.imag)) for end in (np.min, np.max))
        centre = (low + high) / 2 * level / abs(level)
        found, sure = _look(pixels, centre, max((high - low).real, (high - low).imag), level)
        if abs(np.angle(level * before.conjugate(), deg=True)) < STEADY:
            break
    return found, sure


def _look(pixels: np.ndarray, centre: complex, side: float, level: complex) -> tuple[np.ndarray, float]:
    """The mesh of a face of the size ``side``, in a picture turned so that the direction ``level`` lies level."""
    turn = SIZE / (MARGIN * max(side, 1.0)) * (level.conjugate() / abs(level) if level else 1)
    # Positions count from the outer corner of a pixel, and a warp's from its middle.
    shift = complex(SIZE - 1, SIZE - 1) / 2 - turn * (centre - (0.5 + 0.5j))
    seen = warped(pixels, np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]), SIZE)
    nodes, sure = session("facemesh").run(["Identity_2", "Identity_1"], {"input_1": seen[None] / np.float32(255)})
    x, y, z = nodes.reshape(-1, 3).astype(float).T
    flat = (x + 1j * y - complex(SIZE, SIZE) / 2) / turn + centre
    return np.stack([flat.real, flat.imag, z / abs(turn)], axis=1), float(sure.item())
