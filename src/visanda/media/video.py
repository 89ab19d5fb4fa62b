"""Video files: what they are, and their frames in order, each at its exact time.

Times are seconds from the start of the file, from presentation time stamps, as players show them: exact where
frame rates vary, where a file begins late, and where an edit list leaves frames out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.logging
import numpy as np

from visanda.errors import MediaError
from visanda.media.frames import Decoded, Frame
from visanda.media.image import Image

av.logging.set_level(av.logging.PANIC)  # errors are rows of ours, not lines on the screen

DIGITS = 6  # of seconds: microseconds, finer than any container's clock that is in use
MICRO = 10**-DIGITS
PROBED = 200  # packets in which a first frame must be found


@dataclass(frozen=True)
class Facts:
    """What a video file is.

    Attributes:
        format: of the container, as ``mp4``.
        codec: of the pictures, as ``h264``.
        width: of the upright picture, in pixels.
        height: of the upright picture, in pixels.
        rotation: degrees that the stored picture is turned counter-clockwise to stand upright: 0, 90, 180, 270.
        duration: seconds from the start of the file to the end of its pictures, as the file says.
        frame_rate: frames a second on average; ``None`` where the file does not say.
        nominal_rate: frames a second that the clock was made for.
        frames: how many, as the file says; ``None`` where it does not.
        first: seconds at which the first picture is shown.
        audio: codec of the sound; ``None`` where there is none.
    """

    format: str
    codec: str
    width: int
    height: int
    rotation: int = 0
    duration: float | None = None
    frame_rate: float | None = None
    nominal_rate: float | None = None
    frames: int | None = None
    first: float = 0.0
    audio: str | None = None


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch of a video that could not be decoded: from when to when (``None``: to the end), and why."""

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
        damage: what could not be decoded so far, in order.
    """

    def __init__(self, path: str | Path, *, threads: int = 0) -> None:
        self.path = Path(path)
        self.threads = threads
        self.damage: list[Damage] = []
        self._open()
        try:
            self._zero = Fraction(self.container.start_time or 0, av.time_base)
            self.facts = self._look()
        except BaseException:
            self.container.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.container.close()

    # opening

    def _open(self) -> None:
        try:
            self.container = av.open(str(self.path), metadata_errors="replace")
        except (av.FFmpegError, OSError, ValueError) as error:
            raise MediaError(_unreadable(self.path, error)) from error
        streams = [s for s in self.container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
        if not streams:
            self.container.close()
            raise MediaError("no pictures: the file has no video stream")
        self.stream = streams[0]
        if self.stream.codec_context is None:
            self.container.close()
            raise MediaError("no decoder for its pictures")
        self.stream.thread_type = "AUTO"
        self.stream.codec_context.thread_count = self.threads

    def _look(self) -> Facts:
        """The facts, some of which only the first frame tells."""
        first = next(self._decoded(PROBED), None)
        why = self.damage[0].why if self.damage else "the file has no frames"
        self._again()
        if first is None:
            raise MediaError(f"no frame can be decoded: {why}")
        if _seconds(first.pts, first.time_base) < self._zero:
            self._zero = _seconds(first.pts, first.time_base)
        rotation = round(first.rotation / 90) % 4 * 90
        width, height = first.width, first.height
        if rotation % 180:
            width, height = height, width
        stream = self.stream
        audio = self.container.streams.audio
        return Facts(
            format=_format(self.container.format.name, self.path),
            codec=stream.codec_context.codec.name,
            width=width,
            height=height,
            rotation=rotation,
            duration=self._duration(),
            frame_rate=_rate(stream.average_rate),
            nominal_rate=_rate(stream.guessed_rate or stream.base_rate),
            frames=stream.frames or None,
            first=self._time(first.pts, first.time_base),
            audio=audio[0].codec_context.codec.name if audio and audio[0].codec_context else None,
        )

    def _duration(self) -> float | None:
        """Of the pictures, not of a sound that goes on."""
        stream = self.stream
        if stream.duration:
            end = _seconds(stream.start_time or 0, stream.time_base) + stream.duration * stream.time_base
            return round(float(end - self._zero), DIGITS)
        return round(self.container.duration / av.time_base, DIGITS) if self.container.duration else None

    def _again(self) -> None:
        """Go back to the start."""
        self.container.close()
        self.damage.clear()
        self._open()

    # decoding

    def _time(self, pts: int, base: Fraction) -> float:
        return max(0.0, round(float(_seconds(pts, base) - self._zero), DIGITS))
