"""What a video file says of itself: its facts, as its container and its first frame tell them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from visanda.errors import InputError
from visanda.timecode import seconds

DIGITS = 6  # of seconds: microseconds, finer than any container's clock that is in use


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


def read_facts(
    path: Path,
    container: av.container.InputContainer,
    stream: av.VideoStream,
    raw: av.VideoFrame,
    zero: Fraction,
    first: float,
) -> Facts:
    """The facts of an open file.

    Args:
        path: of the file.
        container: the open file.
        stream: its pictures.
        raw: its first frame.
        zero: when the file begins, in seconds of its own clock.
        first: when the first frame is shown, in seconds from there.
    """
    audio = container.streams.audio
    rotation = round(raw.rotation / 90) % 4 * 90
    width, height = (raw.height, raw.width) if rotation % 180 else (raw.width, raw.height)
    whole = container.duration
    return Facts(
        format=_format(container.format.name, path),
        codec=stream.codec_context.codec.canonical_name,
        width=width,
        height=height,
        rotation=rotation,
        duration=length_of(stream, zero) or (round(whole / av.time_base, DIGITS) if whole else None),
        frame_rate=_rate(stream.average_rate),
        nominal_rate=_rate(stream.guessed_rate or stream.base_rate),
        frames=stream.frames or None,
        first=first,
        audio=audio[0].codec_context.codec.canonical_name if audio and audio[0].codec_context else None,
    )


def length_of(stream: av.VideoStream, zero: Fraction) -> float | None:
    """Until when the pictures last, where the file says so of them and not of the sound."""
    if stream.container.format.name == "avi" and stream.frames and stream.average_rate:
        return round(float(stream.frames / stream.average_rate), DIGITS)  # a header that truncation does not touch
    if stream.duration and stream.time_base:
        end = ((stream.start_time or 0) + stream.duration) * stream.time_base
        return round(float(end - zero), DIGITS)
    said = next((text for key, text in stream.metadata.items() if key.startswith("DURATION")), "")
    with suppress(InputError):  # Matroska's
        return round(seconds(said), DIGITS)
    return None


def _rate(rate: Fraction | None) -> float | None:
    return round(float(rate), 6) if rate else None


def _format(names: str, path: Path) -> str:
    """The one of a demuxer's names that the file's ending says: ``mov,mp4,m4a`` is ``mp4`` for ``a.mp4``."""
    ending = path.suffix.lower().removeprefix(".")
    return ending if ending in names.split(",") else names.split(",")[0]
