"""Tracks: the faces of one video that are one person, from frame to frame, and how long each is on screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linear_sum_assignment

from visanda.errors import InputError

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

GAP_SECONDS = 1.0
OVERLAP = 0.3
THRESHOLD = 0.5
SOMEBODY_ELSE = 1.3  # times the threshold: a face this far is not the same, wherever its box is
REMEMBERED = 5  # faces of a track that a new one is compared with
HALF_MICROSECOND = 5e-7  # nearer than this, times are the same
_NEVER = 1e3  # the cost of a pair that may not be joined


@dataclass
class _Track:
    """What is remembered of a track: where it was last, and its last faces."""

    number: int
    time: float
    box: Array
    faces: list[Array] = field(default_factory=list)

    def see(self, time: float, box: Array, face: Array | None) -> None:
        self.time, self.box = time, box
        if face is not None:
            self.faces = [*self.faces[1 - REMEMBERED :], face]


def tracks(
    times: np.ndarray,
    boxes: np.ndarray,
    embeddings: np.ndarray | None,
    cuts: Sequence[float] | np.ndarray,
    frame_interval: float,
    *,
    gap_seconds: float = GAP_SECONDS,
    overlap: float = OVERLAP,
    threshold: float = THRESHOLD,
) -> Numbers:
    """Number the tracks of faces found in frames of one video.

    In the order of time, the faces of a frame are assigned to the tracks that are still open, so that as many as may
    be are joined, and then so that boxes overlap and faces resemble each other the most (Kuhn 1955, the Hungarian
    method). A face may join a track of its shot if it looks the same (within ``threshold`` of one of the track's last
    five faces, wherever it is), or if its box overlaps the last one and it does not look like somebody else (beyond
    1.3 thresholds, as after a cut that was not found). Without embeddings, boxes decide alone: enough for frames a
    fraction of a second apart, too little for moving people at one frame a second.

    Args:
        times: (n,) seconds, of the frame that each face was found in.
        boxes: (n, 4) x, y, width, height, all in one unit.
        embeddings: (n, d), where a row with NaN is a face without one; None: there are none.
        cuts: seconds at which a shot begins; what begins then belongs to the new shot. No track crosses a cut:
            ``identify`` and ``group`` find people across shots.
        frame_interval: seconds between the frames that were looked at.
        gap_seconds: for how long a face may be missed (turned away, hidden, not found) and go on after; 0: it must be
            found in every frame.
        overlap: the smallest share that two boxes have in common (intersection over union, 0–1) where they are
            joined by place.
        threshold: the largest distance between two faces of one person.

    Returns:
        (n,) the track of each face, numbered from 1 by first appearance, then from left to right.

    Raises:
        InputError: tables of different lengths, missing times or boxes, or numbers out of range.

    >>> tracks(np.array([0.0, 0.2, 0.4]), np.array([[0, 0, 9, 9], [1, 0, 9, 9], [40, 0, 9, 9]]), None, [], 0.2)
    array([1, 1, 2])
    """
    when, where = np.asarray(times, dtype=float), np.asarray(boxes, dtype=float)
    looks = None if embeddings is None else np.asarray(embeddings, dtype=float)
    _check(when, where, looks, frame_interval)
    if gap_seconds < 0 or not 0 < overlap <= 1 or not threshold > 0:
        raise InputError(
            f"gap_seconds={gap_seconds}, overlap={overlap}, threshold={threshold}: give a gap from 0 on, an overlap "
            "above 0 and up to 1, a threshold above 0"
        )
    found = np.zeros(len(when), dtype=np.int64)
    if not len(when):
        return found
    there = np.zeros(len(when), dtype=bool) if looks is None else np.isfinite(looks).all(axis=1)
    order = np.lexsort((*where.T[::-1], when))
    frames = np.split(order, np.flatnonzero(np.diff(when[order]) > HALF_MICROSECOND) + 1)
    shots = _shot(when, cuts)
    longest = frame_interval + gap_seconds + HALF_MICROSECOND
    open_: list[_Track] = []
    count, shot = 0, -1
    for frame in frames:
        now = when[frame[0]]
        open_ = [track for track in open_ if shots[frame[0]] == shot and now - track.time <= longest]
        shot = shots[frame[0]]
        faces = [looks[row] if looks is not None and there[row] else None for row in frame]
        for place, row in zip(_assigned(open_, where[frame], faces, overlap, threshold), frame, strict=True):
            if place < 0:
                count += 1
                open_.append(_Track(count, now, where[row]))
                place = len(open_) - 1
            open_[place].see(now, where[row], looks[row] if looks is not None and there[row] else None)
            found[row] = open_[place].number
    return found


def appearances(
    times: np.ndarray,
    tracks: np.ndarray,
    frame_interval: float,
    *,
    cuts: Sequence[float] | np.ndarray = (),
    duration: float | None = None,
) -> pd.DataFrame:
    """When each track is on screen, and for how many seconds.

    A frame stands for the time from half an interval before it to half an interval after it. ``start`` and ``stop``
    say so, but do not reach beyond the shot or the video, so that a face joins with what is said and shown while it
    is there. ``seconds`` is not clipped: one interval for each frame from the first to the last, missed ones between
    them included. So a face seen once counts for one interval; a shot shorter than that is often not looked at, and
    clipping those that are would make short appearances too short on average. Over many tracks (or frames that
    start at a random moment), the sum of ``seconds`` is right without bias; ``stop - start`` is at most that.

    Args:
        times: (n,) seconds of each face.
        tracks: (n,) the track of each face.
        frame_interval: seconds between the frames that were looked at.
        cuts: seconds at which a shot begins.
        duration: of the video in seconds; None: not known.

    Returns:
        A row a track, by its number: ``track``; ``start`` and ``stop`` in seconds; ``seconds`` on screen; ``faces``,
        how many were found.

    Raises:
        InputError: tables of different lengths, missing times, an interval that is not above 0, or a track on both
            sides of a cut.

    >>> appearances(np.array([1.0, 2.0, 2.0]), np.array([1, 1, 2]), 1.0, cuts=[0.8])
       track  start  stop  seconds  faces
    0      1    0.8   2.5      2.0      2
    1      2    1.5   2.5      1.0      1
    """
    when, number = np.asarray(times, dtype=float), np.asarray(tracks)
    _check_times(when, frame_interval)
    if number.shape != when.shape:
        raise InputError(f"{len(when)} times and {len(number)} tracks: give each face both")
    starts = _starts(cuts)
    seen = pd.DataFrame({"track": number, "time": when, "shot": _shot(when, cuts)}).groupby("track")
    table = seen.agg(first=("time", "min"), last=("time", "max"), faces=("time", "size"), shot=("shot", "min"))
    if len(across := table.index[table["shot"] != seen["shot"].max()]):
        raise InputError(f"track {across[0]} lies on both sides of a cut: make the tracks with these cuts")
    shot = table["shot"].to_numpy(dtype=np.int64)
    opens = np.append(0.0, starts)[shot]
    closes = np.append(starts, np.inf if duration is None else duration)[shot]
    if duration is not None:
        closes = np.minimum(closes, duration)
    first, last = table["first"].to_numpy(), table["last"].to_numpy()
    end = np.inf if duration is None else duration  # a container may state less than its last frame's time
    return pd.DataFrame(
        {
            "track": table.index,
            "start": np.minimum(np.minimum(np.maximum(first - frame_interval / 2, opens), first), end),
            "stop": np.minimum(np.maximum(np.minimum(last + frame_interval / 2, closes), last), end),
            "seconds": last - first + frame_interval,
            "faces": table["faces"].to_numpy(),
        }
    )


def _assigned(
    open_: list[_Track], boxes: Array, faces: list[Array | None], overlap: float, threshold: float
) -> list[int]:
    """For each face of a frame its place among the open tracks, or −1 for a new one."""
    found = [-1] * len(boxes)
    if not open_:
        return found
    common = _overlap(np.array([track.box for track in open_]), boxes)
    distance = np.array([[_distance(track, face) for face in faces] for track in open_])
    near = common >= overlap
    unseen = np.isnan(distance)
    same = distance <= threshold
    may = same | (near & (unseen | (distance <= SOMEBODY_ELSE * threshold)))
    likeness = np.where(unseen, 1.0, distance / threshold)
    cost = np.where(may, likeness + 1 - common, _NEVER)
    for track, face in zip(*linear_sum_assignment(cost), strict=True):
        if may[track, face]:
            found[face] = int(track)
    return found


def _distance(track: _Track, face: Array | None) -> float:
    """To the nearest of the track's last faces; NaN where there is nothing to compare."""
    if face is None or not track.faces:
        return np.nan
    return float(np.linalg.norm(np.array(track.faces) - face, axis=1).min())


def _overlap(a: Array, b: Array) -> Array:
    """(a, b) intersection over union, 0–1, of boxes x, y, width, height."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    return common / (a[:, 2:].prod(axis=1)[:, None] + b[:, 2:].prod(axis=1) - common)


def _starts(cuts: Sequence[float] | np.ndarray) -> Array:
    starts = np.unique(np.asarray(cuts, dtype=float))
    if not np.isfinite(starts).all():
        raise InputError("a cut has no time: leave it out")
    return starts


def _shot(when: Array, cuts: Sequence[float] | np.ndarray) -> Numbers:
    """How many cuts there have been up to each time."""
    return np.searchsorted(_starts(cuts) - HALF_MICROSECOND, when, side="right").astype(np.int64)


def _check(when: Array, where: Array, looks: Array | None, frame_interval: float) -> None:
    _check_times(when, frame_interval)
    if where.shape != (len(when), 4) or (looks is not None and (looks.ndim != 2 or len(looks) != len(when))):
        raise InputError(
            f"{len(when)} times, boxes of shape {where.shape} and embeddings of shape "
            f"{None if looks is None else looks.shape}: give a row a face, and boxes as x, y, width, height"
        )
    if not np.isfinite(where).all() or (where[:, 2:] <= 0).any():
        raise InputError("a box is missing, or has no width or height: leave such faces out")


def _check_times(when: Array, frame_interval: float) -> None:
    if when.ndim != 1 or not np.isfinite(when).all():
        raise InputError("a face has no time: leave it out")
    if not frame_interval > 0:
        raise InputError(f"frame_interval={frame_interval}: seconds between the frames looked at, above 0")
