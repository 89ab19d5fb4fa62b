"""Boxes over time: what was found in single frames, followed, so that nothing is bare for a moment in between.

A detector misses a face in some frames: it turns, blinks, is blurred by motion. Boxes that overlap from one frame to
the next that was looked at are one track; between them, the box moves evenly; before the first and after the last it
stays for a while, and moves on. Both go across cuts: half a second of something else being hidden costs less than a
face that is bare because a cut was seen where there was none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from visanda.privacy.levels import BoxesByKind, listed, overlap

AROUND = 0.5  # seconds before and after it was found that something is hidden
GAP = 2.0  # seconds between two findings that may be of one thing; hidden all the while
NEAR = 2.0  # times by which boxes are enlarged before they are compared: what moves fast has left its box
SAME = 0.3  # share of the smaller box by which two such boxes overlap if they are of one thing
SWAY = 0.08  # seconds before and after a moment whose boxes are hidden too: motion, and detectors tremble


@dataclass(slots=True)
class Track:
    """One thing over time.

    Attributes:
        kind: as ``face``.
        level: how hard it is hidden.
        around: seconds that it is hidden before it was first found and after it was last.
        times: seconds at which it was found, in order.
        boxes: x, y, width and height for each.
    """

    kind: str
    level: int
    around: float
    times: list[float] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)

    @property
    def start(self) -> float:
        """Seconds from which on it is hidden."""
        return self.times[0] - self.around

    @property
    def stop(self) -> float:
        """Seconds until which it is hidden."""
        return self.times[-1] + self.around

    def at(self, time: float) -> np.ndarray:
        """The box to hide at a time, x, y, width and height: the smallest that holds all shortly before and after."""
        near = [
            time - SWAY,
            time,
            time + SWAY,
            *self.times[slice(*np.searchsorted(self.times, [time - SWAY, time + SWAY]))],
        ]
        boxes = np.array([box for moment in near for box in self._boxes(moment)])
        low, high = boxes[:, :2].min(axis=0), (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
        return np.concatenate([low, high - low])

    def _boxes(self, time: float) -> list[np.ndarray]:
        """Where it is: between two findings on the way; beyond them where it was, and where it would be."""
        after = int(np.searchsorted(self.times, time))
        if 0 < after < len(self.times):
            before = after - 1
            share = (time - self.times[before]) / (self.times[after] - self.times[before])
            return [(1 - share) * self.boxes[before] + share * self.boxes[after]]
        end, inner = (0, 1) if after == 0 else (-1, -2)
        if len(self.times) == 1 or abs(self.times[end] - self.times[inner]) > self.around:
            return [self.boxes[end]]
        moved = self.boxes[end].copy()
        speed = (self._centre(end) - self._centre(inner)) / (self.times[end] - self.times[inner])
        # No further than its own size: a speed that is measured over one frame is a guess.
        moved[:2] += np.clip(speed * (time - self.times[end]), -moved[2:], moved[2:])
        return [self.boxes[end], moved]

    def _centre(self, number: int) -> np.ndarray:
        return self.boxes[number][:2] + self.boxes[number][2:] / 2


class Follower:
    """Makes tracks of what is found frame by frame.

    Args:
        around: see `Track`.
        level: see `Track`.
    """

    def __init__(self, around: float = AROUND, level: int = 0) -> None:
        self.around, self.level = around, level
        self.tracks: list[Track] = []
        self._open: list[Track] = []

    def add(self, time: float, found: BoxesByKind) -> None:
        """What was found in the next frame that was looked at; the nearest boxes are joined first."""
        self._open = [track for track in self._open if time - track.times[-1] <= GAP]
        new = listed(found)
        pairs = sorted(
            (
                (-share, number, track)
                for number, one in enumerate(new)
                for track, share in self._shares(one.kind, one.box)
                if share >= SAME
            ),
            key=lambda pair: pair[:2],
        )
        joined: set[int] = set()
        for _, number, track in pairs:
            if number not in joined and track.times[-1] < time:
                track.times.append(time)
                track.boxes.append(new[number].box)
                joined.add(number)
        for number, one in enumerate(new):
            if number not in joined:
                self._open.append(Track(one.kind, self.level, self.around, [time], [one.box]))
                self.tracks.append(self._open[-1])

    def _shares(self, kind: str, box: np.ndarray) -> list[tuple[Track, float]]:
        last = [track for track in self._open if track.kind == kind]
        if not last:
            return []
        before = np.array([track.boxes[-1] for track in last])
        return list(zip(last, overlap(_enlarged(box[None]), _enlarged(before))[0], strict=True))


def _enlarged(boxes: np.ndarray) -> np.ndarray:
    return np.hstack((boxes[:, :2] - (NEAR - 1) / 2 * boxes[:, 2:], NEAR * boxes[:, 2:]))


class Playing:
    """The tracks that are hidden at the moments of a video, asked for in order.

    Args:
        tracks: of the whole video.
    """

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._waiting = sorted(tracks, key=lambda track: -track.start)
        self._now: list[Track] = []

    def at(self, time: float) -> list[Track]:
        """Those hidden at this time, which is not before the last asked for."""
        while self._waiting and self._waiting[-1].start <= time:
            self._now.append(self._waiting.pop())
        self._now = [track for track in self._now if track.stop >= time]
        return self._now
