"""Optical flow: which way things move, how fast, and whether the camera moves or what it films."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import cv2
import numpy as np

from visanda.arguments import Between
from visanda.errors import InputError
from visanda.measure import Row, Stream, stream
from visanda.measures.motion import BEFORE, LONGEST, steps
from visanda.measures.region import area_of_interest

COLUMNS = {
    "magnitude": float,
    "direction": float,
    "coherence": float,
    "camera": float,
    "pan": float,
    "tilt": float,
    "zoom": float,
    "roll": float,
    "fit": float,
    "object_motion": float,
    "moving": float,
}

SMALLEST = 48  # pixels of the shorter side; with much fewer, OpenCV's DIS fails or takes the process down
GRID = 4  # every so many pixels a vector is looked at: patches are larger
TEXTURE = 1e-4  # least eigenvalue (7 × 7, of brightness in 0–1) from which a movement can be seen in both directions
SEEN = 50  # points with texture without which nothing is said about the camera
WITHIN = 0.5  # pixels between a point's vector and the camera's, up to which it follows the camera; besides
SLACK = 0.05  # of the median length of vectors, because faster movement is known less exactly
MOST = 0.5  # share of the points with texture that must follow the camera for its movement to be told, and
SPREAD = 0.4  # share of the fields of a board of 8 × 5 laid over the picture in which some must lie: else an object
STILL = 0.2  # pixels: shorter vectors are noise, which has no direction
SECTORS = 36  # of the circle, among which the dominant direction is searched

Estimate = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From two grey pictures (h, w) uint8 to the (h, w, 2) float32 pixels by which each point of the first moves."""

Columns = dict[str, float | None]


@stream(
    columns=COLUMNS,
    of="grey",
    size=180,
    before=BEFORE,
    pairs=True,
    source="Kroeger et al. (2016), DIS optical flow, or Farnebäck (2003); Shi & Tomasi (1994) for texture; Fischler & "
    "Bolles (1981), RANSAC, for the camera",
)
def flow(
    stream: Stream,
    *,
    every: Annotated[float, Between(0, LONGEST)] = 0.1,
    method: str = "dis",
    threshold: Annotated[float, Between(0, 100)] = 0.05,
    region: str = "",
    mask: str = "",
) -> Iterator[Row]:
    """Speed and direction of movement, told apart into that of the camera and that of objects.

    Args:
        stream: grey frames.
        every: seconds; of each such span of time the first frame is compared with that of the span before. 0: each
            frame with the one before it, which costs most. Between two frames, a camera is followed over about a
            twelfth of the picture's width: 0.8 widths a second at 0.1 seconds, 0.4 at 0.2.
        method: ``dis``, or ``farneback`` (seven times slower, and lost at half of these speeds).
        threshold: own speed, in shorter sides of the picture a second, above which a point counts as moving.
        region: ``x,y,width,height`` of the part in which movement is measured, as shares of the picture from 0 to 1;
            the camera's movement is always found from the whole picture.
        mask: path of a picture; movement is measured where it is brighter than 127.

    Returns:
        A row for each pair of frames, ``start`` the time of the earlier and ``stop`` that of the later one, so that
        the rows of a video lie end to end. All speeds are a second, whatever the time between the two frames.

        All that moves: ``magnitude`` mean speed, in shorter sides of the picture; ``direction`` the dominant one in
        degrees, 0 to 360 (0 right, 90 up), null when nothing moves; ``coherence`` length of the mean vector over
        the mean length, 0 (everything in different directions) to 1 (all in one), null when nothing moves.

        The camera: ``pan`` and ``tilt`` how fast the view goes to the right and up (what is filmed goes to the left
        and down), in picture widths and heights; ``zoom`` growth of scale (of its logarithm: 0.1 for about 10 %
        larger), negative where it shrinks; ``roll`` degrees by which what is filmed turns counter-clockwise;
        ``camera`` mean speed of all that, in shorter sides; ``fit`` share of the points with texture that follow
        one such movement, 0 to 1.

        The rest: ``object_motion`` mean speed of what does not follow the camera, in shorter sides; ``moving`` share
        of points whose own speed is above the threshold, 0 to 1. A point without texture counts as still, because
        nothing there shows a movement.

    Raises:
        InputError: another method, the region is none, the mask cannot be read, or nothing is left to measure.

    The camera's movement is what most of the points with texture have in common, all over the picture. Where fewer
    than half have one in common, or those lie in a part of it only, camera and objects cannot be told apart and
    their columns are null: across a cut, in a fade, before a plain wall, in a movement too fast to follow (``fit``
    says how many did). An object that fills more than a fifth of the picture may be taken for the camera, and a walk
    through a scene, whose near things go faster than far ones, is in part a movement of objects. Leave out rows
    across a cut, as binning by shots does. Pictures of fewer than 48 pixels have rows of nulls.
    """
    estimate, area = _estimate(method), area_of_interest(region, mask)
    before = None
    for frame in steps(stream, every):
        if before is not None and before.pixels.shape == frame.pixels.shape:
            row: Columns = dict.fromkeys(COLUMNS)
            if min(frame.pixels.shape) >= SMALLEST:
                field = _field(estimate, before.pixels, frame.pixels, area(*frame.pixels.shape))
                row = _speeds(field, frame.time - before.time, threshold)
            yield {"start": before.time, "stop": frame.time, **row}
        before = frame


def _estimate(method: str) -> Estimate:
    if method == "dis":
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        dis.setFinestScale(1)  # at half of these small pictures, a quarter of the error of the presets' last quarter
        dis.setPatchStride(5)
        return lambda earlier, later: dis.calc(earlier, later, np.zeros((*earlier.shape, 2), np.float32))
    if method == "farneback":
        return lambda earlier, later: cv2.calcOpticalFlowFarneback(
            earlier, later, np.zeros((*earlier.shape, 2), np.float32), 0.5, 4, 15, 3, 5, 1.2, 0
        )
    raise InputError(f"the method of flow is dis or farneback, not {method!r}")


@dataclass(frozen=True)
class Field:
    """How the points of a grid move between two frames of ``height`` × ``width`` pixels.

    Attributes:
        points: (n, 2) float32, pixels from the picture's middle, to the right and down.
        vectors: (n, 2) float32, pixels by which they move.
        textured: (n,) bool, the picture shows how they move, and they stay inside it.
        counted: (n,) bool, inside the region of interest.
    """

    height: int
    width: int
    points: np.ndarray
    vectors: np.ndarray
    textured: np.ndarray
    counted: np.ndarray

    @property
    def side(self) -> int:
        """Pixels of the shorter side."""
        return min(self.height, self.width)


def _field(estimate: Estimate, earlier: np.ndarray, later: np.ndarray, inside: np.ndarray | None) -> Field:
    height, width = earlier.shape
    points = _grid(height, width)
    vectors = _sampled(estimate(earlier, later)).reshape(-1, 2)
    stay = ((points + vectors >= 0) & (points + vectors <= (width - 1, height - 1))).all(axis=1)
    texture = _sampled(cv2.cornerMinEigenVal(earlier, 7)).ravel()
    return Field(
        height,
        width,
        points - np.array(((width - 1) / 2, (height - 1) / 2), np.float32),
        vectors,
        (texture > TEXTURE) & stay,
        np.ones(len(points), bool) if inside is None else _sampled(inside).ravel() > 0,
    )


@lru_cache(4)
def _grid(height: int, width: int) -> np.ndarray:
    y, x = _sampled(np.mgrid[:height, :width].transpose(1, 2, 0)).reshape(-1, 2).T
    return np.stack((x, y), axis=1).astype(np.float32)


def _sampled(pixels: np.ndarray) -> np.ndarray:
    """The pixels that lie on the grid."""
    return pixels[GRID // 2 :: GRID, GRID // 2 :: GRID]


def _speeds(field: Field, seconds: float, threshold: float) -> Columns:
    """The columns of a row, from the movement between two frames so many seconds apart."""
    return {**_all_movement(field, seconds), **_told_apart(field, seconds, threshold)}


def _all_movement(field: Field, seconds: float) -> Columns:
    vectors = field.vectors[field.counted]
    if not len(vectors):
        return {"magnitude": None, "direction": None, "coherence": None}
    lengths, angles = _polar(vectors)
    magnitude = float(lengths.mean()) / field.side / seconds
    moves = lengths > STILL
    if not moves.any():
        return {"magnitude": magnitude, "direction": None, "coherence": None}
    return {
        "magnitude": magnitude,
        "direction": _dominant(vectors[moves], lengths[moves], angles[moves]),
        "coherence": float(np.hypot(*vectors[moves].sum(axis=0)) / lengths[moves].sum()),
    }


def _polar(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lengths, (n,), and angles in degrees, (n,), 0 to 360, clockwise as y goes down."""
    lengths, angles = cv2.cartToPolar(vectors[:, 0].copy(), vectors[:, 1].copy(), angleInDegrees=True)
    return lengths.ravel(), angles.ravel()


def _dominant(vectors: np.ndarray, lengths: np.ndarray, angles: np.ndarray) -> float:
    """Degrees, counter-clockwise from the right, of the vectors in the fullest run of five sectors of 10°."""
    sector = (angles // (360 / SECTORS)).astype(np.int32) % SECTORS
    full = np.bincount(sector, weights=lengths, minlength=SECTORS)
    around = sum(np.roll(full, shift) for shift in range(-2, 3))
    x, y = vectors[(sector - np.argmax(around) + 2) % SECTORS < 5].sum(axis=0)
    return float(np.degrees(np.arctan2(-y, x)) % 360)


def _told_apart(field: Field, seconds: float, threshold: float) -> Columns:
    """The columns of the camera and of what does not follow it, null where they cannot be told apart."""
    nothing = dict.fromkeys(("camera", "pan", "tilt", "zoom", "roll", "fit", "object_motion", "moving"))
    if field.textured.sum() < SEEN:
        return nothing
    lengths, _ = _polar(field.vectors[field.textured])
    within = WITHIN + SLACK * float(np.median(lengths))
    camera = _camera(field.points[field.textured], field.vectors[field.textured], within)
    rest, _ = _polar(field.vectors - _moved(camera, field.points))
    follows = field.textured & (rest <= within)
    fit = float(follows.sum() / field.textured.sum())
    if fit < MOST or _spread(field, follows) < SPREAD:
        return {**nothing, "fit": fit}
    own = np.where(field.textured, rest, 0)[field.counted] / field.side / seconds
    return {
        **_camera_columns(camera, field, seconds),
        "fit": fit,
        "object_motion": float(own.mean()) if len(own) else None,
        "moving": float((own > threshold).mean()) if len(own) else None,
    }


def _camera(points: np.ndarray, vectors: np.ndarray, within: float) -> np.ndarray:
    """(2, 3), the shift, turn and scale about the picture's middle that most points follow, up to so many pixels."""
    matrix, _ = cv2.estimateAffinePartial2D(
        points, points + vectors, method=cv2.RANSAC, ransacReprojThreshold=within, maxIters=500
    )
    return np.eye(2, 3) if matrix is None else matrix


def _spread(field: Field, chosen: np.ndarray) -> float:
    """Share of the 8 × 5 fields of the picture, 0 to 1, in which three or more of the chosen points lie."""
    column, row = ((field.points[chosen] / (field.width, field.height) + 0.5) * (8, 5)).astype(int).T
    return float((np.bincount(column * 5 + row, minlength=40) >= 3).mean())


def _moved(camera: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, 2) pixels by which the camera moves points."""
    return points @ (camera[:, :2] - np.eye(2)).T.astype(np.float32) + camera[:, 2].astype(np.float32)


def _camera_columns(camera: np.ndarray, field: Field, seconds: float) -> Columns:
    cosine, sine = camera[:, 0]
    right, down = camera[:, 2]
    return {
        "camera": float(_polar(_moved(camera, field.points))[0].mean()) / field.side / seconds,
        "pan": -float(right) / field.width / seconds,
        "tilt": float(down) / field.height / seconds,
        "zoom": math.log(math.hypot(cosine, sine)) / seconds,
        "roll": -math.degrees(math.atan2(sine, cosine)) / seconds,
    }
