"""YuNet: where faces are in a picture, large and small (Wu, Peng & Yu 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from visanda.models.sessions import session

STRIDES = (8, 16, 32)  # of the grids whose cells each propose a face, in pixels
OUTPUTS = [f"{kind}_{stride}" for stride in STRIDES for kind in ("cls", "obj", "bbox", "kps")]
# The network knows faces of 10 to 400 pixels; from 600 on it loses them, and takes eyes and mouths for faces.
# Pictures in which a face can be that large are looked at once more, small: that costs 6 % at 1280 pixels. What is
# found there and is not large would have been found at first, and is mostly no face.
SMALL = 320
LARGE = 640
LARGE_FACE = 300  # in pixels of the first look
PART = 0.6  # of a box within a surer one from another look: it is a part of that face


@dataclass(frozen=True)
class Faces:
    """Faces found in one picture, best score first.

    Positions are in pixels from the outer corner of the first pixel: (0, 0) to (width, height).

    Attributes:
        boxes: (n, 4) float32: x, y, width, height. They may reach beyond the border of the picture.
        points: (n, 5, 2) float32, x and y: right eye, left eye, tip of the nose, right and left corner of the mouth;
            right is the person's right.
        scores: (n,) float32, 0 to 1.
    """

    boxes: np.ndarray
    points: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, which: np.ndarray) -> Faces:
        """Those that an array of indices or of truth values picks, in its order."""
        return Faces(self.boxes[which], self.points[which], self.scores[which])


def detect(
    pixels: np.ndarray, *, score: float = 0.7, overlap: float = 0.3, long_side: int = 1280, tiles: bool = False
) -> Faces:
    """Find the faces in a picture.

    Faces of about 12 pixels and more are found in a picture as it is looked at, so of 12 × (longer side / long_side)
    pixels in a larger one. A picture of which more than 640 pixels are looked at is looked at once more with a longer
    side of 320, for faces of more than 300 pixels.

    Args:
        pixels: (H, W, 3) uint8 RGB, of any size.
        score: leave out faces that are less sure, 0 to 1. The lower, the more faces and the more patterns taken for
            one.
        overlap: of two boxes that share more than this (intersection over union, 0 to 1), the surer one stays.
        long_side: in pixels; a picture with a longer side than that is reduced to it.
        tiles: also look at a larger picture without reducing it, in overlapping tiles of ``long_side``: for small
            faces in groups and crowds. Takes as much longer as there are tiles.
    """
    height, width = pixels.shape[:2]
    longest = max(height, width)
    first_side = min(long_side, longest)
    looks = [_look(pixels, first_side, score)]
    if first_side > LARGE:
        again = _look(pixels, SMALL, score)
        looks.append(again[again.boxes[:, 3] > LARGE_FACE * longest / first_side])
    if tiles and longest > long_side:
        looks += [
            _look_at_tile(pixels, left, top, long_side, score)
            for top in _starts(height, long_side)
            for left in _starts(width, long_side)
        ]
    return _merged(looks, overlap)


def _look(pixels: np.ndarray, side: int, score: float) -> Faces:
    """What is found in a picture that is reduced to a longer side of ``side``, in pixels of the picture."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale < 1:
        pixels = cv2.resize(
            np.ascontiguousarray(pixels),
            (max(1, round(width * scale)), max(1, round(height * scale))),
            interpolation=cv2.INTER_AREA,
        )
    looked = pixels.shape[1::-1]
    enlarge = np.array([width / looked[0], height / looked[1]], np.float32)
    found = _proposed(pixels, score)
    return Faces(found.boxes * np.tile(enlarge, 2), found.points * enlarge, found.scores)


def _proposed(pixels: np.ndarray, score: float) -> Faces:
    """What each cell of the network's three grids proposes, where it is sure enough: many for one face."""
    height, width = pixels.shape[:2]
    padded = cv2.copyMakeBorder(
        np.ascontiguousarray(pixels), 0, -height % STRIDES[-1], 0, -width % STRIDES[-1], cv2.BORDER_CONSTANT
    )
    outputs = session("yunet").run(OUTPUTS, {"input": cv2.dnn.blobFromImage(padded, swapRB=True)})  # it takes BGR
    boxes, points, scores = [], [], []
    for stride, start in zip(STRIDES, range(0, len(OUTPUTS), 4), strict=True):
        is_face, is_thing, box, offsets = (output[0] for output in outputs[start : start + 4])
        sure = np.sqrt(np.clip(is_face[:, 0], 0, 1) * np.clip(is_thing[:, 0], 0, 1))
        cells = np.flatnonzero(sure >= score)
        row, column = np.divmod(cells, padded.shape[1] // stride)
        corner = np.stack([column, row], axis=1).astype(np.float32)
        size = np.exp(box[cells, 2:])
        boxes.append(np.concatenate([corner + box[cells, :2] - size / 2, size], axis=1) * stride)
        points.append((corner[:, None] + offsets[cells].reshape(-1, 5, 2)) * stride)
        scores.append(sure[cells])
    return Faces(np.concatenate(boxes), np.concatenate(points), np.concatenate(scores))


def _merged(looks: Sequence[Faces], overlap: float) -> Faces:
    """One list of faces, from one or several looks at a picture; of one face, the surest (non-maximum suppression).

    A look that is too near finds parts of a face. These lie within the face that another look found.
    """
    which = np.repeat(np.arange(len(looks)), [len(look) for look in looks])
    boxes, points, scores = (
        np.concatenate([getattr(look, name) for look in looks]) for name in ("boxes", "points", "scores")
    )
    order = np.argsort(-scores, kind="stable")
    which, faces = which[order], Faces(boxes, points, scores)[order]
    areas = np.prod(faces.boxes[:, 2:], axis=1)
    kept: list[int] = []
    left = np.arange(len(faces))
    while len(left):
        first, left = int(left[0]), left[1:]
        kept.append(first)
        shared = _shared(faces.boxes[first], faces.boxes[left])
        same = shared > overlap * (areas[first] + areas[left] - shared)
        part = shared > PART * np.minimum(areas[first], areas[left])
        left = left[~(same | (part & (which[left] != which[first])))]
    return faces[np.array(kept, int)]


def _shared(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What a box (4,) shares with each of the others (n, 4), in square pixels."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[:2] + box[2:], others[:, :2] + others[:, 2:])
    return np.prod(np.maximum(high - low, 0), axis=1)


def _starts(length: int, side: int) -> list[int]:
    """Where tiles begin along one side of a picture: evenly, neighbours share at least a quarter."""
    if length <= side:
        return [0]
    tiles = 1 + -(-(length - side) // (side - side // 4))
    return [round(start) for start in np.linspace(0, length - side, tiles)]


def _look_at_tile(pixels: np.ndarray, left: int, top: int, side: int, score: float) -> Faces:
    """What is found in one tile, in pixels of the picture, but for faces that a cut edge goes through.

    They are whole in the neighbouring tile or, where they are larger than a quarter of a tile, in the reduced picture.
    """
    height, width = pixels.shape[:2]
    tile = pixels[top : top + side, left : left + side]
    found = _look(tile, max(tile.shape[:2]), score)
    start = np.array([left, top], np.float32)
    boxes = np.concatenate([found.boxes[:, :2] + start, found.boxes[:, 2:]], axis=1)
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    cut_before = (low < start) & (start > 0)
    cut_behind = (high > start + side) & (start + side < np.array([width, height]))
    return Faces(boxes, found.points + start, found.scores)[~(cut_before | cut_behind).any(axis=1)]
