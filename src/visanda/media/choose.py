"""Choosing frames of a video: at even steps, key frames, or some of each shot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from visanda.media.frames import Decoded
from visanda.media.picker import MICRO
from visanda.media.video import Video

STEP = 0.2  # seconds between the frames of a shot that are looked at for the sharpest or the most typical
PLACES = ("first", "middle", "last")  # in a shot; what else there is to choose by needs a look at its frames
LOOKS = ("sharpest", "representative")
SMALL = 36  # pixels of the shorter side at which frames are compared


@dataclass(frozen=True)
class Moment:
    """A chosen frame: when it is shown, whether it is a key frame, and the number of the shot it stands for."""

    time: float
    key: bool
    shot: int | None = None


def at_steps(times: np.ndarray, keys: np.ndarray, seconds: float, until: float = 0.0) -> list[Moment]:
    """The frame that is shown at 0, ``seconds``, 2 ``seconds`` and so on, each once; and the first one.

    Args:
        times: (n,) when frames are shown, ascending, in seconds.
        keys: (n,) whether they are key frames.
        seconds: the step.
        until: seconds up to which the last frame is shown; at least its own time.
    """
    if not len(times):
        return []
    half = MICRO / 2  # times are whole microseconds: nearer than this is the same
    gone = np.append(times[1:], max(times[-1] + MICRO, until)) - half
    steps = np.ceil((times - half) / seconds)  # the number of the first step at which a frame may be shown
    shown = steps * seconds < gone
    shown[0] = True
    return _chosen(times, keys, np.flatnonzero(shown))


def every_nth(times: np.ndarray, keys: np.ndarray, n: int) -> list[Moment]:
    """Each ``n``-th frame, from the first on."""
    return _chosen(times, keys, np.arange(0, len(times), n))


def key_frames(times: np.ndarray, keys: np.ndarray) -> list[Moment]:
    """The frames that are decoded without others."""
    return _chosen(times, keys, np.flatnonzero(keys))


def in_shots(
    times: np.ndarray, keys: np.ndarray, shots: Sequence[tuple[float, float]], place: str, count: int
) -> list[Moment]:
    """Frames at a place in each shot.

    Args:
        times: (n,) when frames are shown.
        keys: (n,) whether they are key frames.
        shots: (start, stop) of each.
        place: ``first``, ``middle`` or ``last``.
        count: how many a shot, at even distances around the middle; for the other places, 1.
    """
    found = []
    for number, (start, stop) in enumerate(shots):
        low, high = np.searchsorted(times, [start - MICRO, stop - MICRO])
        if low == high:
            continue
        share = {"first": [0.0], "last": [1.0], "middle": (np.arange(count) + 0.5) / count}[place]
        wanted = np.unique(low + np.minimum(np.floor((high - low) * np.asarray(share)).astype(int), high - low - 1))
        found += [Moment(one.time, one.key, number) for one in _chosen(times, keys, wanted)]
    return found


def by_looks(video: Video, shots: Sequence[tuple[float, float]], look: str, count: int) -> list[Moment]:
    """The sharpest frame of each shot, or the one whose colours are most like those of the whole shot.

    Args:
        video: to decode.
        shots: (start, stop) of each, in order.
        look: ``sharpest`` (variance of the Laplacian) or ``representative`` (nearest to the mean histogram).
        count: how many a shot: one in each of so many equal parts of it.
    """
    pieces = [
        (start + (stop - start) * part / count, start + (stop - start) * (part + 1) / count, number)
        for number, (start, stop) in enumerate(shots)
        for part in range(count)
    ]
    found = []
    for number, seen in _in_pieces(video, pieces):
        best = _sharpest(seen) if look == "sharpest" else _most_typical(seen)
        found.append(Moment(best.time, best.key, number))
    return found


@dataclass(frozen=True)
class Looked:
    """A frame that was looked at: how sharp it is, and its colours."""

    time: float
    key: bool
    sharpness: float
    colours: np.ndarray


def _in_pieces(video: Video, pieces: list[tuple[float, float, int]]) -> Iterator[tuple[int, list[Looked]]]:
    """The frames looked at in each piece that has any."""
    left = list(reversed(pieces))
    seen: list[Looked] = []
    for frame in video.frames(pieces[0][0] if pieces else 0.0):
        while left and frame.time >= left[-1][1] - MICRO:
            number = left.pop()[2]
            if seen:
                yield number, seen
            seen = []
        if not left:
            return
        if frame.time >= left[-1][0] - MICRO and (not seen or frame.time - seen[-1].time >= STEP - MICRO):
            seen.append(_looked(frame))
    if left and seen:
        yield left[-1][2], seen


def _looked(frame: Decoded) -> Looked:
    sharpness = float(cv2.Laplacian(frame.grey(180), cv2.CV_32F).var())
    histogram = cv2.calcHist([frame.rgb(SMALL)], [0, 1, 2], None, [4, 4, 4], [0, 256] * 3).ravel()
    return Looked(frame.time, frame.key, sharpness, histogram / histogram.sum())


def _sharpest(seen: list[Looked]) -> Looked:
    return max(seen, key=lambda one: one.sharpness)


def _most_typical(seen: list[Looked]) -> Looked:
    mean = np.mean([one.colours for one in seen], axis=0)
    return min(seen, key=lambda one: float(np.abs(one.colours - mean).sum()))


def distinct(video: Video, moments: list[Moment], least: float) -> list[Moment]:
    """Leave out frames that look like the one kept before.

    Args:
        video: to decode.
        moments: the frames.
        least: mean absolute difference of small colour pictures, 0 to 1, below which two look alike.
    """
    by_time: dict[float, list[Moment]] = {}
    for one in moments:
        by_time.setdefault(one.time, []).append(one)
    kept: list[Moment] = []
    before: np.ndarray | None = None
    for time, frame in video.pictures(list(by_time), keys=all(one.key for one in moments)):
        small = frame.rgb(SMALL)
        if before is None or cv2.norm(small, before, cv2.NORM_L1) / small.size / 255 >= least:
            kept += by_time[time]
            before = small
    return kept


def _chosen(times: np.ndarray, keys: np.ndarray, places: np.ndarray) -> list[Moment]:
    return [Moment(float(times[place]), bool(keys[place])) for place in places]
