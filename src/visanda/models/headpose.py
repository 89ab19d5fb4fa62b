"""Where a head is turned: a mesh of the face laid on a canonical face (Umeyama 1991)."""

from __future__ import annotations

from functools import cache

import numpy as np

from visanda.models.cards import WEIGHTS


def head_pose(mesh: np.ndarray) -> tuple[float, float, float]:
    """Yaw, pitch and roll of a head, in degrees.

    The rotation that takes MediaPipe's canonical face as near as it can to the mesh, whatever its size and place, by
    the 33 points that facial expressions move least. It is read as three turns: about the lateral axis of the head
    (pitch), then about the vertical (yaw), then in the picture (roll). So roll is the slope of the line through
    the eyes, a picture that is turned changes roll alone, and yaw and pitch are those of the head in a picture turned
    so that this line is level.

    Args:
        mesh: (468, 3) points as `visanda.models.facemesh.mesh` finds them: x to the right, y down, z away.

    Returns:
        yaw: -90 to 90; above 0, the person looks to the right of the picture.
        pitch: -180 to 180; above 0, up.
        roll: -180 to 180; above 0, the head is turned clockwise in the picture.
    """
    face, weights = canonical_face()
    rotation = _rotation(face, np.asarray(mesh, float), weights)
    yaw = np.arctan2(rotation[2, 0], np.hypot(rotation[0, 0], rotation[1, 0]))
    pitch = -np.arctan2(rotation[2, 1], rotation[2, 2])
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


@cache
def canonical_face() -> tuple[np.ndarray, np.ndarray]:
    """MediaPipe's canonical face, looking into the camera: (468, 3), axes as a mesh has them; and weights (468,)."""
    table = np.loadtxt(WEIGHTS / "canonical_face.txt")
    face = table[:, :3] * [1, -1, -1]  # the file has y up and z towards the viewer
    face.flags.writeable = table.flags.writeable = False
    return face, table[:, 3]


def _rotation(source: np.ndarray, target: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) of the weighted least-squares similarity from one set of points (n, 3) to another."""
    share = weights / weights.sum()
    covariance = (target - share @ target).T @ ((source - share @ source) * share[:, None])
    left, _, right = np.linalg.svd(covariance)
    unmirrored = np.diag([1, 1, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    return left @ unmirrored @ right
