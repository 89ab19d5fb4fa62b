"""Sound of a video: its samples, a second at a time, on the same clock as its pictures."""

from __future__ import annotations

import wave
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from math import floor
from pathlib import Path

import av
import numpy as np

from visanda.aside import written_aside
from visanda.errors import InputError, MediaError

WARM = 1  # seconds that decoders and the resampler's filter hear before what is given out
SLACK = 0.01  # seconds by which time stamps may be rounded; less than the shortest packet that may be lost
ANCHOR = 300  # seconds after which a rounded time stamp is taken at its word, wherever listening began
LARGEST = 2**32 - 2**16  # bytes that a WAV file can hold


@dataclass(frozen=True, slots=True)
class Sound:
    """A stretch of sound: what a measure of sound is fed with.

    Attributes:
        time: seconds from the start of the file.
        samples: mono, (n,), float32, from −1 to 1.
        rate: samples a second.
    """

    time: float
    samples: np.ndarray
    rate: int


def seconds(path: str | Path, *, since: float = 0.0, rate: int = 16_000) -> Iterator[Sound]:
    """The first sound stream of a file as mono, a second at a time, to the end of the sound.

    Block k is what is heard from second k to k + 1 of the file; the last may be shorter. Where the sound begins
    late or something is missing or cannot be decoded, it is silent: exactly zero. Channels are mixed so that the
    mix of equal ones is as loud as each.

    Args:
        path: a video or a sound file.
        since: seconds; blocks that end before are left out, and mostly not decoded.
        rate: samples a second, whatever the file has.

    Raises:
        MediaError: the file cannot be read, or has no sound that can be decoded; raised with the first block.
    """
    first = max(0, floor(since))
    second = max(0, first - WARM)
    for time, block in enumerate(_blocks(_samples(path, second, rate, 1), rate), second):
        if time >= first:
            yield Sound(float(time), block[:, 0], rate)


def extract(path: str | Path, out: str | Path, *, rate: int = 16_000, channels: int = 1) -> Path:
    """Write the first sound stream of a file as WAV, 16 bits a sample; it begins where the pictures begin.

    The file appears whole or not at all: it is written beside its place and renamed.

    Args:
        path: a video or a sound file.
        out: the file to write.
        rate: samples a second.
        channels: 1 or 2.

    Returns:
        The path written.

    Raises:
        MediaError: the file cannot be read, or has no sound that can be decoded.
        InputError: another number of channels, a sound of more than 4 GB, or the file cannot be written.
    """
    out = Path(out)
    if channels not in (1, 2):
        raise InputError(f"a WAV file is written with 1 channel or 2, not {channels!r}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(out) as aside, aside.open("wb") as file, wave.open(file, "wb") as track:
            track.setparams((channels, 2, rate, 0, "NONE", "not compressed"))
            for piece in _samples(path, 0, rate, channels):
                if file.tell() + 2 * piece.size > LARGEST:
                    raise InputError(f"{out}: WAV files end at 4 GB: take a lower rate or one channel")
                track.writeframesraw(np.round(piece * 32767).astype("<i2").tobytes())
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror or error}") from error
    return out


def _samples(path: str | Path, begin: int, rate: int, channels: int) -> Iterator[np.ndarray]:
    """Samples from second ``begin`` of the file on, without a gap: pieces of (n, channels) float32, −1 to 1."""
    if rate < 1:
        raise InputError(f"rate is a number of samples a second, such as 16000, not {rate!r}")
    layout = "mono" if channels == 1 else "stereo"
    resampler = av.AudioResampler(format="flt", layout=layout, rate=rate)
    with _Track(path) as track:
        for piece in _blocks(track.placed(begin, channels), track.rate):
            frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="flt", layout=layout)
            frame.sample_rate = track.rate
            yield from _arrays(resampler.resample(frame), channels)
        yield from _arrays(resampler.resample(None), channels)


def _blocks(pieces: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """The same samples in blocks of ``size``; the last may be shorter."""
    held: list[np.ndarray] = []
    left = size  # to fill the block
    for piece in pieces:
        while len(piece) >= left:
            yield np.concatenate((*held, piece[:left]))
            piece, held, left = piece[left:], [], size
        held.append(piece)
        left -= len(piece)
    if left < size:
        yield np.concatenate(held)


def _arrays(frames: Sequence[av.AudioFrame | None], channels: int) -> Iterator[np.ndarray]:
    for frame in filter(None, frames):  # a resampler with nothing to do gives back the None that ends it
        yield np.clip(frame.to_ndarray().reshape(-1, channels), -1, 1)


class _Track:
    """The first sound stream of an open file; a context manager.

    Attributes:
        rate: samples a second, as in the file.
        zero: when the file begins, in seconds of its own clock.
        length: seconds that the file lasts; ``None`` where it does not say.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._open()

    def __enter__(self) -> _Track:
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    def _open(self) -> None:
        try:
            self.container = av.open(str(self.path), metadata_errors="replace")
        except (av.FFmpegError, OSError, ValueError) as error:
            if not self.path.exists():
                raise MediaError(f"there is no file {self.path}") from error
            raise MediaError(f"not a video or sound file that can be read: {_said(error)}") from error
        stream = next(iter(self.container.streams.audio), None)
        if stream is None or stream.codec_context is None:
            self.container.close()
            raise MediaError("no sound: the file has no sound stream" if stream is None else "no decoder for its sound")
        for other in self.container.streams:
            if other.index != stream.index:
                other.discard = av.stream.Discard.all  # not even read, where the format allows it
        self.stream = stream
        self.rate = stream.codec_context.sample_rate or 48_000  # not known where sound begins far into the file
        self.zero = Fraction(self.container.start_time or 0, av.time_base)
        self.length = Fraction(self.container.duration, av.time_base) if self.container.duration else None

    def placed(self, begin: int, channels: int) -> Iterator[np.ndarray]:
        """What is heard from second ``begin`` on, without a gap: pieces of (n, channels) float32 at ``rate``."""
        mixers: dict[tuple[str, str, int], av.AudioResampler] = {}
        at: int | None = None  # where the next sample belongs, in samples after ``begin``
        anchor = -1
        for frame, where in self._from(begin):
            samples = _mixed(frame, mixers, self.rate, channels)
            if where is None:
                where = -begin * self.rate if at is None else at
            else:
                if at is not None and where < at - self.rate:
                    return  # the time stamps jump back: what follows has no place in time
                before, anchor = anchor, (where // self.rate + begin) // ANCHOR
                if at is not None and anchor == before and abs(where - at) <= SLACK * self.rate:
                    where = at
            for start in range(max(at or 0, 0), where, self.rate):
                yield np.zeros((min(self.rate, where - start), channels), np.float32)
            past = max(0, -where, 0 if at is None else at - where)
            if past < len(samples):
                yield samples[past:]
            at = where + len(samples) if at is None else max(at, where + len(samples))

    def _from(self, begin: int) -> Iterator[tuple[av.AudioFrame, int | None]]:
        """Frames, and where each belongs, from before the last anchor on; from the start where seeking fails."""
        anchor = begin // ANCHOR * ANCHOR
        if anchor and "ogg" not in self.container.format.name:  # whose pages tell the time only at their ends
            with suppress(av.FFmpegError, OSError):
                base = self.stream.time_base or Fraction(1, self.rate)
                self.container.seek(int((anchor - WARM + self.zero) / base), stream=self.stream)
                frames = self._decoded(begin)
                found = next(frames, None)
                if found is not None and found[1] is not None and found[1] <= (anchor - begin) * self.rate:
                    return (yield from chain([found], frames))
            self.container.close()
            self._open()
        yield from self._decoded(begin)

    def _decoded(self, begin: int) -> Iterator[tuple[av.AudioFrame, int | None]]:
        """Frames as the decoder gives them, past what it cannot decode."""
        timed, any_frame, why = True, False, "the stream is empty"
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except (av.FFmpegError, OSError) as error:
                why = _said(error)
                break
            if not packet.size and packet.pts is not None:
                timed = False  # Ogg with empty packets: the stamps count them as sound, players do not
                continue
            try:
                frames = packet.decode()
            except (av.FFmpegError, OSError) as error:
                why = _said(error)
                continue
            for frame in frames:
                any_frame = True
                yield frame, self._where(frame, begin) if timed else None
        if not any_frame:
            raise MediaError(f"no sound can be decoded: {why}")

    def _where(self, frame: av.AudioFrame, begin: int) -> int | None:
        """Samples after second ``begin`` at which a frame is heard; ``None`` where the file does not say."""
        if frame.pts is None or frame.time_base is None:
            return None
        time = frame.pts * frame.time_base - self.zero
        if self.length and time > self.length + 1:
            return None  # MPEG's clock has 33 bits: a stamp below 0 reads as 26 hours
        return round((time - begin) * self.rate)


def _mixed(
    frame: av.AudioFrame, mixers: dict[tuple[str, str, int], av.AudioResampler], rate: int, channels: int
) -> np.ndarray:
    """The samples of a frame, (n, channels) float32, −1 to 1."""
    kind = (frame.format.name, frame.layout.name, frame.sample_rate)
    layout = "mono" if channels == 1 or frame.layout.nb_channels == 1 else "stereo"
    if kind not in mixers:
        # Whole numbers, because FFmpeg then weighs channels so that their mix stays within full scale.
        mixers[kind] = av.AudioResampler(format="s32", layout=layout, rate=rate)
    pieces = [piece.to_ndarray().reshape(-1, piece.layout.nb_channels) for piece in mixers[kind].resample(frame)]
    samples = np.concatenate(pieces).astype(np.float32) / 2**31 if pieces else np.empty((0, channels), np.float32)
    return np.ascontiguousarray(np.broadcast_to(samples, (len(samples), channels)))


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
