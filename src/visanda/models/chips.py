"""Face chips: a face cut out of a picture, upright and in a place that a network knows (King 2009, dlib)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from visanda.errors import MediaError
from visanda.media import Detail, Image

# Where dlib's mean face has its five points, in a square that the face fills: outer and inner corner of the eye on
# the right of the picture, the same on its left, and below the nose.
MEAN_FACE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
OTHER_SIDE = [2, 3, 0, 1, 4]  # which of the five points each is in the mirror
TO_MIDDLE = 0.5  # positions count from the corner of the first pixel; those of a warp, and dlib's, from its middle
SQUARE = 1.2  # of the longer side of the box: with forehead and chin


def aligned(face: Detail, size: int, padding: float, *, mirror: bool = False) -> np.ndarray:
    """The :func:`chip` of a face that knows its five anchors, or of its mirror image: (size, size, 3) uint8.

    Raises:
        MediaError: the anchors are not known.
    """
    if len(face.points) != 2 * len(MEAN_FACE):
        raise MediaError("the face cannot be aligned: no landmarks were found in it (too small, covered, in profile)")
    whole = face.whole
    return chip(whole.pixels, np.reshape(face.points, (-1, 2)) * _scale(whole), size, padding, mirror=mirror)


def upright(face: Detail, size: int) -> np.ndarray:
    """The :func:`square` around a face: (size, size, 3) uint8."""
    whole = face.whole
    return square(whole.pixels, (np.reshape(face.box, (2, 2)) * _scale(whole)).ravel().tolist(), size)


def _scale(image: Image) -> np.ndarray:
    """Pixels held per pixel of the original, across and down: 1 where the picture is not reduced."""
    height, width = image.pixels.shape[:2]
    return np.array([width / image.width, height / image.height])


def chip(pixels: np.ndarray, anchors: np.ndarray, size: int, padding: float, *, mirror: bool = False) -> np.ndarray:
    """A face turned, scaled and moved so that its five anchors come as near as they can to those of dlib's mean face.

    The least-squares similarity of Umeyama (1991): no shear and no mirror image, so that the proportions of the
    face stay what they are. What lies beyond the picture is black.

    Args:
        pixels: (H, W, 3) uint8.
        anchors: (5, 2), x and y, in pixels, of the points 263, 362, 33, 133 and 2 of FaceMesh.
        size: of the chip, in pixels.
        padding: what is added around the mean face on each side, as a share of it.
        mirror: the chip of the mirror image of the picture instead. It is not the chip's mirror image, since the mean
            face lies a little to the left of the middle.

    Returns:
        (size, size, 3) uint8.

    Raises:
        MediaError: the anchors lie in one point or are no numbers.
    """
    wanted = (MEAN_FACE + padding) / (1 + 2 * padding) * size
    if mirror:
        wanted = wanted[OTHER_SIDE] * [-1, 1] + [size - 1, 0]
    # In the complex plane a similarity is one multiplication and one addition.
    there, here = (points @ [1, 1j] for points in (wanted, np.asarray(anchors, float) - TO_MIDDLE))
    from_centre = here - here.mean()
    spread = np.square(np.abs(from_centre)).sum()
    if not 0 < spread < np.inf:
        raise MediaError("the face cannot be aligned: its points are unknown or lie in one place")
    turn = ((there - there.mean()) * from_centre.conj()).sum() / spread
    shift = there.mean() - turn * here.mean()
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    made = warped(pixels, matrix, size)
    return made[:, ::-1] if mirror else made


def square(pixels: np.ndarray, box: Sequence[float], size: int, margin: float = SQUARE) -> np.ndarray:
    """A square around a face, as upright as the picture is; what lies beyond the picture is black.

    Args:
        pixels: (H, W, 3) uint8.
        box: x, y, width, height of the face, in pixels.
        size: of what is returned, in pixels.
        margin: side of the square, as a multiple of the box's longer side.

    Returns:
        (size, size, 3) uint8.

    Raises:
        MediaError: the box has no extent.
    """
    x, y, width, height = box
    if min(width, height) <= 0:
        raise MediaError(f"the face cannot be cut out: its box is {width:g} × {height:g} pixels")
    scale = size / (margin * max(width, height))
    middle_x, middle_y = x + width / 2 - TO_MIDDLE, y + height / 2 - TO_MIDDLE
    middle = size / 2 - TO_MIDDLE
    matrix = np.array([[scale, 0, middle - scale * middle_x], [0, scale, middle - scale * middle_y]])
    return warped(pixels, matrix, size)


def warped(pixels: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """The square that a similarity (2, 3) takes to (0, 0)…(size, size); smoothed first where it shrinks a lot."""
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    pixels, left, top = _around(pixels, matrix, size)
    matrix = matrix @ _move(left, top)
    if scale < 0.5:  # bilinear interpolation reads 2 × 2 pixels: more than that must be averaged before
        height, width = pixels.shape[:2]
        smaller = max(1, round(2 * scale * width)), max(1, round(2 * scale * height))
        pixels = cv2.resize(pixels, smaller, interpolation=cv2.INTER_AREA)
        matrix = matrix @ _enlarge(width / smaller[0], height / smaller[1])
    return cv2.warpAffine(pixels, matrix[:2], (size, size), flags=cv2.INTER_LINEAR)


def _around(pixels: np.ndarray, matrix: np.ndarray, size: int) -> tuple[np.ndarray, int, int]:
    """The part of the picture that the square is made of, with its left and top: never the whole of a large one."""
    corners = np.array([[0, 0, 1], [size, 0, 1], [0, size, 1], [size, size, 1]], float)
    reached = corners @ cv2.invertAffineTransform(matrix).T
    edge = 2 / np.hypot(matrix[0, 0], matrix[1, 0]) + 2  # two pixels of the square: what interpolation reads
    height, width = pixels.shape[:2]
    left, top = np.clip(np.floor(reached.min(axis=0) - edge), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(reached.max(axis=0) + edge), [left + 1, top + 1], [width, height]).astype(int)
    return pixels[top:bottom, left:right], int(left), int(top)


def _move(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def _enlarge(across: float, down: float) -> np.ndarray:
    """From pixels of a reduced picture to those of the picture: centres of pixels are at whole numbers in both."""
    return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]], float)
