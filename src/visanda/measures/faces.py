"""Faces: where they are in a picture, how they are turned, how they are framed."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot
from typing import Any

import cv2
import numpy as np

from visanda.errors import InputError
from visanda.measure import Found, boxed, finder
from visanda.media import Image
from visanda.models.chips import chip
from visanda.models.facemesh import ANCHORS
from visanda.models.facemesh import mesh as face_mesh
from visanda.models.headpose import head_pose
from visanda.models.yunet import detect
from visanda.units import covered

CHIP = 96  # pixels of the aligned face on which sharpness is measured, so that it compares between sizes
FRONTAL = 25.0  # degrees of yaw and pitch up to which a face looks towards the camera
THIRDS = ("left", "centre", "right"), ("top", "middle", "bottom")
EDGE = 0.01  # of the picture's width or height: boxes of cut faces end a few pixels within or beyond the border
UNSURE = 0.5  # confidence from which on a dropped face is counted as one


def _columns(*, mesh: bool = False, **_: Any) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "score": float,
        "presence": float,
        "share": float,
        "distance": float,
        "third": str,
        "cut": bool,
        "yaw": float,
        "pitch": float,
        "roll": float,
        "frontal": bool,
        "sharpness": float,
        "landmarks": list[float],
    }
    return columns | ({"mesh": list[float]} if mesh else {})


@finder(
    finds="face",
    columns=_columns,
    per_picture={
        "n_faces": int,
        "n_frontal": int,
        "n_small": int,
        "n_unsure": int,
        "faces_share": float,
        "largest_share": float,
        "largest_distance": float,
        "largest_third": str,
        "largest_frontal": bool,
    },
    models=["yunet", "facemesh"],
    source="Wu, Peng & Yu (2023), YuNet; Kartynnik et al. (2019), Face Mesh; gates as in Jürgens et al. (2022)",
)
def faces(
    images: Sequence[Image],
    *,
    score: float = 0.7,
    width: int = 0,
    long_side: int = 1280,
    tiles: bool = False,
    mesh: bool = False,
) -> list[Found]:
    """Faces: box, confidence, head pose, sharpness, and how they are framed in the picture.

    Args:
        images: the pictures.
        score: confidence from which a face counts, 0.5 to 1; 0.95 in Jürgens et al. (2022).
        width: pixels of the original picture from which a face counts; 64 in Jürgens et al. (2022).
        long_side: pixels to which larger pictures are reduced for the search.
        tiles: search in overlapping tiles of the picture as it is, for small faces and pictures of groups; slower.
        mesh: keep all 468 points of each face, as x, y, z one after another, in pixels.

    Returns:
        A row a face: ``score`` confidence of the detector, ``presence`` that of the mesh, both 0 to 1; ``share`` of
        the picture that its box covers; ``distance`` of its middle to the picture's, as a share of half the diagonal;
        ``third`` where its middle lies, such as ``left top``; ``cut`` whether the box reaches the border (the nearest
        1 %); ``yaw`` (towards the picture's right), ``pitch`` (up) and ``roll`` (clockwise) of the head in degrees;
        ``frontal`` yaw and pitch within 25 degrees: turned to the camera; ``sharpness`` variance of the Laplacian of
        the face at 96 pixels; ``landmarks`` x and y of the corners of the eyes and the base of the nose, which
        measures of faces use.

        A row a picture: ``n_faces``, ``n_frontal``; ``n_unsure`` those that were dropped because of ``score`` (from
        0.5 on), and ``n_small`` of the others because of ``width``; ``faces_share`` of the picture that boxes cover,
        counted once where they overlap; and of the largest face
        ``largest_share``, ``largest_distance``, ``largest_third`` and ``largest_frontal``.

    A face that is not found is not in the table: how often that happens differs by skin tone, age and pose.
    """
    if not UNSURE <= score < 1:
        raise InputError(f"the score of faces must lie between {UNSURE} and 1, not {score:g}")
    if width < 0 or long_side < 64:
        raise InputError("faces: width must not be negative, and long_side at least 64 pixels")
    return [_faces(image, score, width, long_side, tiles, mesh) for image in images]


def _faces(image: Image, score: float, width: int, long_side: int, tiles: bool, mesh: bool) -> Found:
    found = detect(image.pixels, score=UNSURE, long_side=long_side, tiles=tiles)
    sure = found.scores >= score
    wide = found.boxes[:, 2] * (image.width / image.pixels.shape[1]) >= width
    things = [
        _face(image, found.boxes[n], found.points[n], float(found.scores[n]), mesh) for n in np.flatnonzero(sure & wide)
    ]
    return Found(things, _framing(image, things, int((sure & ~wide).sum()), int((~sure).sum())))


def _face(image: Image, box: np.ndarray, points: np.ndarray, score: float, mesh: bool) -> dict[str, Any]:
    pixels = image.pixels
    rows, columns = pixels.shape[:2]
    across, down = image.width / columns, image.height / rows  # pixels of the original in one that is held
    left, top, width, height = (float(number) for number in box)
    x, y = left + width / 2, top + height / 2
    inside_width = min(left + width, columns) - max(left, 0.0)
    inside_height = min(top + height, rows) - max(top, 0.0)
    cloud, presence = face_mesh(pixels, box, points)
    anchors = cloud[list(ANCHORS), :2]
    yaw, pitch, roll = head_pose(cloud)
    grey = cv2.cvtColor(chip(pixels, anchors, CHIP, 0.25), cv2.COLOR_RGB2GRAY)
    return {
        "box": (left * across, top * down, width * across, height * down),
        "score": score,
        "presence": presence,
        "share": max(inside_width, 0.0) * max(inside_height, 0.0) / (rows * columns),
        "distance": 2 * hypot(x - columns / 2, y - rows / 2) / hypot(columns, rows),
        "third": f"{_third(x / columns, THIRDS[0])} {_third(y / rows, THIRDS[1])}",
        "cut": min(left, columns - left - width) < EDGE * columns or min(top, rows - top - height) < EDGE * rows,
        "yaw": yaw,
        "pitch": pitch,
        "roll": roll,
        "frontal": abs(yaw) <= FRONTAL and abs(pitch) <= FRONTAL,
        "sharpness": float(cv2.Laplacian(grey, cv2.CV_32F).var()),
        "landmarks": (anchors * [across, down]).ravel().tolist(),
        **({"mesh": (cloud * [across, down, across]).ravel().tolist()} if mesh else {}),
    }


def _third(place: float, names: tuple[str, str, str]) -> str:
    return names[min(max(int(3 * place), 0), 2)]


def _framing(image: Image, things: Sequence[dict[str, Any]], small: int, unsure: int) -> dict[str, Any]:
    kept = boxed(image, things)  # in whole pixels, as they are stored
    largest = max((face for _, face in kept), key=lambda face: face["share"], default={})
    return {
        "n_faces": len(kept),
        "n_frontal": sum(face["frontal"] for _, face in kept),
        "n_small": small,
        "n_unsure": unsure,
        "faces_share": covered([box for box, _ in kept]) / (image.width * image.height),
        **{f"largest_{name}": largest.get(name) for name in ("share", "distance", "third", "frontal")},
    }
