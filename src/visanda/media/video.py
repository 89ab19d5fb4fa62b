"""Video files: what they are, and their frames in order, each at its exact time.

Times are seconds from the start of the file, from presentation time stamps, as players show them: exact where
frame rates vary, where a file begins late, and where an edit list leaves frames out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np

from visanda.errors import InputError, MediaError
from visanda.media.frames import Decoded
from visanda.media.image import Image
from visanda.timecode import seconds

DIGITS = 6  # of seconds: microseconds, finer than any container's clock that is in use
MICRO = 10**-DIGITS
FAR = 12.0  # seconds between two pictures from which on seeking costs less than decoding what lies between
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
        self._at = 0.0
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

    def _length(self) -> float | None:
        """How long the pictures last, where the file says so of them and not of the sound."""
        stream = self.stream
        if self.container.format.name == "avi" and stream.frames and stream.average_rate:
            return round(float(stream.frames / stream.average_rate), DIGITS)  # a header that truncation does not touch
        if stream.duration:
            end = _seconds(stream.start_time or 0, stream.time_base) + stream.duration * stream.time_base
            return round(float(end - self._zero), DIGITS)
        said = next((text for key, text in stream.metadata.items() if key.startswith("DURATION")), "")
        with suppress(InputError):  # Matroska's
            return round(seconds(said), DIGITS)
        return None

    def _duration(self) -> float | None:
        length = self._length()
        if length:
            return length
        return round(self.container.duration / av.time_base, DIGITS) if self.container.duration else None

    def _again(self) -> None:
        """Go back to the start."""
        self.container.close()
        self.damage.clear()
        self._at = 0.0
        self._open()

    # decoding

    def _time(self, pts: int, base: Fraction) -> float:
        return max(0.0, round(float(_seconds(pts, base) - self._zero), DIGITS))

    def _packets(self) -> Iterator[av.Packet]:
        """Packets of the pictures; where the file itself cannot be read on, the damage says so."""
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError) as error:
                self.damage.append(Damage(self._at, None, f"cannot be read on: {_said(error)}"))
                return
            if packet.size or packet.pts is None:  # empty ones with a time only say: the same picture again
                yield packet

    def _decoded(self, limit: int | None = None) -> Iterator[av.VideoFrame]:
        """Frames as the decoder gives them, past what it cannot decode."""
        for number, packet in enumerate(self._packets()):
            if limit is not None and number > limit:
                return
            try:
                frames = packet.decode()
            except EOFError:
                return
            except av.FFmpegError as error:
                self._note(_said(error))
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self._note("the decoder mended missing data")
                yield frame

    def _note(self, why: str) -> None:
        """Something at the present moment cannot be decoded; what follows at once is the same damage."""
        at = self._at
        if self.damage and self.damage[-1].stop is not None and at - self.damage[-1].stop <= 1.0:
            before = self.damage[-1]
            self.damage[-1] = Damage(before.start, max(at, before.stop or at), before.why)
        else:
            self.damage.append(Damage(at, at, why))

    def frames(self, since: float = 0.0, *, keys: bool = False) -> Iterator[Decoded]:
        """Frames in order of time, each once.

        Args:
            since: seconds; frames before are left out, and mostly not decoded.
            keys: key frames only, without decoding the others.
        """
        for frame in self._from(since, keys):
            if frame.time >= since - MICRO / 2:
                yield frame

    def _from(self, since: float, keys: bool) -> Iterator[Decoded]:
        """Frames from the key frame before ``since`` on."""
        last = -math.inf
        for raw in self._started(since, keys):
            time = self._moment(raw, last)
            if time < last - 1.0:
                self.damage.append(Damage(last, None, "the time stamps jump back: what follows has no place in time"))
                return
            if time <= last or (keys and not raw.key_frame):
                continue
            last = self._at = time
            yield Decoded(raw, time, self._shown(raw), self.facts.rotation)
        self._note_early_end(last)

    def _started(self, since: float, keys: bool) -> Iterator[av.VideoFrame]:
        """What the decoder gives from the key frame before ``since`` on; from the start where seeking fails."""
        mode = "NONKEY" if keys else "DEFAULT"
        if since > self.facts.first + MICRO:
            target = int((Fraction(since) + self._zero) / self.stream.time_base)
            self.stream.codec_context.skip_frame = mode
            with suppress(av.FFmpegError, OSError):
                self.container.seek(target, stream=self.stream, backward=True)
                self._at = since
                raws = self._decoded()
                first = next(raws, None)
                if first is not None and self._moment(first, -math.inf) <= since + MICRO and first.pts is not None:
                    return (yield from chain([first], raws))
        self._again()
        self.stream.codec_context.skip_frame = mode
        yield from self._decoded()

    def _moment(self, raw: av.VideoFrame, last: float) -> float:
        if raw.pts is not None:
            return self._time(raw.pts, raw.time_base)
        return round(max(last, 0.0) + self._shown(raw), DIGITS) if last > -math.inf else 0.0

    def _shown(self, raw: av.VideoFrame) -> float:
        """Seconds that a frame is shown, as far as the file says."""
        if raw.duration and raw.time_base:
            return round(float(raw.duration * raw.time_base), DIGITS)
        rate = self.facts.frame_rate or self.facts.nominal_rate
        return round(1 / rate, DIGITS) if rate else 0.04

    def _note_early_end(self, last: float) -> None:
        said = self._length()
        missing = (said or 0.0) - max(last, 0.0)
        unread = not any(one.stop is None for one in self.damage)
        if said and unread and missing > max(1.0, 3 / (self.facts.frame_rate or 25)):
            at = max(last, 0.0)
            self.damage.append(Damage(at, None, f"the file ends early: it should last {said:g} seconds"))

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """When each frame is shown, (n,) float64 seconds, and which are key frames, (n,) bool; nothing is decoded.

        Where the file's packets do not say when they are shown, frames are decoded after all.
        """
        self._again()
        times: list[float] = []
        keys: list[bool] = []
        for packet in self._packets():
            if not packet.size or packet.is_discard:
                continue
            if packet.pts is None:
                return self._moments_decoded()
            times.append(float(_seconds(packet.pts, packet.time_base) - self._zero))
            self._at = max(self._at, times[-1])
            keys.append(packet.is_keyframe)
        order = np.argsort(times, kind="stable")
        moments = np.round(np.array(times, float)[order], DIGITS)
        whole = moments >= 0
        return moments[whole], np.array(keys, bool)[order][whole]

    def _moments_decoded(self) -> tuple[np.ndarray, np.ndarray]:
        found = [(frame.time, frame.key) for frame in self.frames()]
        return np.array([time for time, _ in found], float), np.array([key for _, key in found], bool)

    def pictures(self, times: Sequence[float], *, keys: bool = False) -> Iterator[tuple[float, Decoded]]:
        """The frames shown at these times, in order; times at which nothing can be decoded are left out.

        Args:
            times: seconds.
            keys: all of these are times of key frames, so that no others need decoding.
        """
        picker = Picker(times)
        while picker.left:
            for frame in self._from(picker.left[-1], keys):
                yield from picker.push(frame)
                if not picker.left or picker.left[-1] - frame.time > FAR:
                    break
            else:
                yield from picker.end()
                return


class Picker:
    """Picks, from frames in order, those that are shown at given times.

    Args:
        times: seconds, in any order.

    Attributes:
        left: the times that are still to come, the next one last.
    """

    def __init__(self, times: Sequence[float]) -> None:
        self.left = sorted(set(times), reverse=True)
        self._held: Decoded | None = None

    def push(self, frame: Decoded) -> Iterator[tuple[float, Decoded]]:
        """What a further frame settles: times at which it, or the one before it, is shown."""
        while self.left and self.left[-1] <= frame.time + MICRO:
            exact = self._held is None or self.left[-1] >= frame.time - MICRO
            yield self.left.pop(), frame if exact or self._held is None else self._held
        self._held = frame

    def end(self) -> Iterator[tuple[float, Decoded]]:
        """No more frames: the last one is shown for its duration."""
        held, self._held = self._held, None
        while held is not None and self.left and self.left[-1] < held.time + held.duration + MICRO:
            yield self.left.pop(), held


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


def _seconds(pts: int, base: Fraction) -> Fraction:
    return pts * base


def _rate(rate: Fraction | None) -> float | None:
    return round(float(rate), 6) if rate else None


def _format(names: str, path: Path) -> str:
    """The one of a demuxer's names that the file's ending says: ``mov,mp4,m4a`` is ``mp4`` for ``a.mp4``."""
    ending = path.suffix.lower().removeprefix(".")
    return ending if ending in names.split(",") else names.split(",")[0]


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _unreadable(path: Path, error: Exception) -> str:
    if not path.exists():
        return f"there is no file {path}"
    if isinstance(error, PermissionError):
        return "cannot be opened: permission denied"
    return f"not a video, or one whose end or index is missing: {_said(error)}"
