"""Video files: what they are, and their frames in order, each at its exact time.

Times are seconds from the start of the file, from presentation time stamps, as players show them: exact where
frame rates vary, where a file begins late, and where an edit list leaves frames out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np

from visanda.errors import MediaError
from visanda.media.facts import DIGITS, Facts, length_of, read_facts
from visanda.media.frames import Decoded
from visanda.media.image import Image
from visanda.media.picker import MICRO, Picker
from visanda.media.track import Given, Track

FAR = 12.0  # seconds between two pictures from which on seeking costs less than decoding what lies between
EARLIER = (0.0, 2.0, 10.0)  # seconds before a time at which its key frame is looked for, where seeking is inexact
GUESSED = {"mpeg"}  # containers in which most time stamps are guessed from those before: elsewhere after seeking


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch of a video that could not be decoded, or not surely, and why.

    Attributes:
        start: seconds.
        stop: seconds; ``None``: to the end.
        why: in words.
    """

    start: float
    stop: float | None
    why: str


class Video:
    """An open video file; a context manager.

    Args:
        path: the file.
        threads: that decode; 0 for one a core.

    Raises:
        MediaError: it cannot be read, has no pictures, or none that can be decoded.

    Attributes:
        facts: what the file is.
        damage: what could not be decoded so far, in order; a stretch is there before the frame that ends it is given.
    """

    def __init__(self, path: str | Path, *, threads: int = 0) -> None:
        self.path = Path(path)
        self.damage: list[Damage] = []
        self._track = Track(self.path, threads)
        try:
            self._zero = Fraction(self._track.container.start_time or 0, av.time_base)
            self.facts = self._look()
        except BaseException:
            self._track.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._track.close()

    def _look(self) -> Facts:
        """The facts, some of which only the first frame tells."""
        track = self._track
        given = next(track.frames(), None)
        if given is None:
            raise MediaError(f"no frame can be decoded: {track.said or track.trouble or 'the file has none'}")
        first = 0.0
        self._stamped = given.pts is not None
        if given.pts is not None:
            self._zero = min(self._zero, given.pts * track.base)
            first = self._time(given.pts)
        facts = read_facts(self.path, track.container, track.stream, given.raw, self._zero, first)
        track.again()
        return facts

    def _time(self, pts: int) -> float:
        return max(0.0, round(float(pts * self._track.base - self._zero), DIGITS))

    def _pts(self, time: float) -> int:
        return math.floor((Fraction(time + MICRO) + self._zero) / self._track.base)

    # frames in order

    def frames(self, since: float = 0.0, *, keys: bool = False, lead: bool = False) -> Iterator[Decoded]:
        """Frames in order of time, each once.

        Args:
            since: seconds; frames before are left out, and mostly not decoded.
            keys: key frames only, without decoding the others.
            lead: begin with the key frame before ``since``.
        """
        for frame in self._from(since, keys):
            if lead or frame.time >= since - MICRO / 2:
                yield frame

    def _from(self, since: float, keys: bool) -> Iterator[Decoded]:
        """Frames from the key frame before ``since`` on; notes what is damaged.

        After damage, frames are not sure until the next key frame: they are made from others.
        """
        last, shown = -math.inf, 0.0
        damaged: float | None = None
        for given in self._started(since, keys):
            time = self._moment(given, last)
            if time <= last:
                continue
            if given.lost is not None and time - last > 1.5 * shown > 0 and damaged is None:
                damaged = max(self._time(given.lost), last)
            if not given.whole and damaged is None:
                damaged = time
            before = damaged
            if damaged is not None and given.key and given.whole:
                self._note(Damage(damaged, time, self._why()))
                damaged = None
            last, shown = time, self._shown(given.raw)
            if given.key or not keys:
                yield Decoded(given.raw, time, shown, self.facts.rotation, given.key, before, damaged is None)
        if not keys:
            self._note_end(round(last + shown, DIGITS) if last > -math.inf else since, damaged)

    def _why(self) -> str:
        said = self._track.said
        early = "; AVI holds no times: all that follows comes too early by what is missing"
        return (
            "damaged: frames are missing or mended"
            + (f" ({said})" if said else "")
            + (early if self.facts.format == "avi" else "")
        )

    def _note(self, damage: Damage) -> None:
        if damage.stop is None:
            self.damage[:] = [one for one in self.damage if one.stop is not None]
        if damage not in self.damage:
            self.damage.append(damage)

    def _note_end(self, end: float, damaged: float | None) -> None:
        """What is missing at the end."""
        owed = self._track.still_owed()
        said = length_of(self._track.stream, self._zero) or 0.0
        frame = 1 / (self.facts.frame_rate or 25)
        if damaged is None and owed is not None and self._time(owed) >= end + frame / 2:
            damaged = self._time(owed)
        if self._track.trouble:
            self._note(Damage(end if damaged is None else damaged, None, self._track.trouble))
        elif said - end > max(1.0, 3 * frame):
            start = end if damaged is None else damaged
            self._note(Damage(start, None, f"the file ends early: it should last {said:g} seconds"))
        elif damaged is not None:
            self._note(Damage(damaged, None, self._why()))

    def _started(self, since: float, keys: bool) -> Iterator[Given]:
        """What the decoder gives from the key frame before ``since`` on; from the start where there is none."""
        keys = keys and self._stamped
        if since > self.facts.first + MICRO and self._stamped:
            for go in self._ways_to(since):
                with suppress(av.FFmpegError, OSError):
                    go()
                    frames = self._track.frames(keys=keys, from_key=True)
                    first = next(frames, None)
                    if first is not None and first.pts is not None and self._time(first.pts) <= since + MICRO:
                        return (yield from chain([first], frames))
        self._track.again()
        yield from self._track.frames(keys=keys)

    def _ways_to(self, since: float) -> Iterator[Callable[[], None]]:
        if self._track.container.format.name not in GUESSED:
            yield from (partial(self._track.seek, self._pts(since - early)) for early in EARLIER)
        yield partial(self._track.skip, self._pts(since))

    def _moment(self, given: Given, last: float) -> float:
        if given.pts is not None:
            return self._time(given.pts)
        return round(last + self._shown(given.raw), DIGITS) if last > -math.inf else 0.0

    def _shown(self, raw: av.VideoFrame) -> float:
        """Seconds that a frame is shown, as far as the file says."""
        if raw.duration and raw.time_base:
            return round(float(raw.duration * raw.time_base), DIGITS)
        rate = self.facts.frame_rate or self.facts.nominal_rate
        return round(1 / rate, DIGITS) if rate else 0.04

    # frames at given times

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """When each frame is shown, (n,) float64 seconds, and which are key frames, (n,) bool; nothing is decoded.

        Where the file's packets do not say when they are shown, frames are decoded after all.
        """
        if not self._stamped:
            found = [(frame.time, frame.key) for frame in self.frames()]
            return np.array([time for time, _ in found], float), np.array([key for _, key in found], bool)
        self._track.again()
        keys: dict[int, bool] = {}
        for packet in self._track.packets():
            if packet.pts is not None and not packet.is_discard:
                keys.setdefault(packet.pts, packet.is_keyframe)
        order = sorted(keys)
        times = np.array([float(pts * self._track.base - self._zero) for pts in order]).round(DIGITS)
        there = times >= self.facts.first
        if len(times):
            self._note_end(round(float(times[-1]) + 1 / (self.facts.frame_rate or 25), DIGITS), None)
        return times[there], np.array([keys[pts] for pts in order], bool)[there]

    def pictures(self, times: Sequence[float], *, keys: bool = False) -> Iterator[tuple[float, Decoded]]:
        """The frames shown at these times, in order; times at which nothing can be decoded are left out.

        Args:
            times: seconds.
            keys: all of these are times of key frames, so that no others need decoding.
        """
        picker = Picker(times)
        apart = 0.0  # seconds between key frames, as far as is known
        while picker.left:
            left, key = len(picker.left), math.inf
            for frame in self._from(picker.left[-1], keys):
                yield from picker.push(frame)
                apart = max(apart, frame.time - key)
                key = frame.time if frame.key or key == math.inf else key
                if not picker.left:
                    return
                if len(picker.left) < left and picker.left[-1] - frame.time > FAR + apart:
                    break
            else:
                yield from picker.end()
                return


@dataclass(frozen=True)
class Still:
    """A moment of a video, to be looked at: decoded when it is asked for."""

    path: Path
    time: float

    def image(self) -> Image:
        """The picture that is shown then.

        Raises:
            MediaError: the video cannot be read, or not at this time.
        """
        with Video(self.path) as video:
            for _, frame in video.pictures([self.time]):
                return frame.image()
        raise MediaError(f"{self.path}: no frame can be decoded at {self.time:g} s")


def probe(path: str | Path) -> Facts:
    """What a video file is; decodes one frame.

    Raises:
        MediaError: it cannot be read, has no pictures, or none that can be decoded.
    """
    with Video(path, threads=1) as video:
        return video.facts
