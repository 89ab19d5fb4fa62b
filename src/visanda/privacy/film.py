"""Writing a video: its pictures encoded anew, its sound copied, and nothing else of where they came from.

Pictures are encoded as VP9 by libvpx (BSD-3-Clause), which PyAV's wheels bring and every FFmpeg and browser decodes.
Their H.264 encoder is x264, whose licence is the GPL; visanda does not use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np

from visanda.errors import InputError, MediaError
from visanda.media.frames import Decoded

CONTAINERS = {".mp4": "mp4", ".mkv": "matroska", ".webm": "webm"}
ENCODER = "libvpx-vp9"
OPTIONS = {"crf": "30", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1", "g": "128"}
MUXER = {"fflags": "+bitexact"}  # else the container names the library and its version
BT709, LIMITED = 1, 1  # FFmpeg's numbers of the colours written


class Film:
    """A video being written; a context manager.

    Args:
        path: of the file.
        container: FFmpeg's name of the format.
        rate: frames a second, about: what the container says of it; pictures have their own times.
        source: the video whose sound is copied; ``None``: without sound.

    Raises:
        MediaError: the source cannot be read.
        InputError: the format does not hold this kind of sound, or the file cannot be written.
    """

    def __init__(self, path: Path, container: str, rate: float | None, source: Path | None) -> None:
        self.path = path
        self._output = av.open(str(path), "w", format=container, options=MUXER)
        self._pictures: av.VideoStream | None = None
        self._rate = Fraction(rate or 25).limit_denominator(1001)
        self._sound = _Sound(source) if source is not None else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._sound is not None:
            self._sound.close()
        self._output.close()

    @property
    def sound(self) -> str | None:
        """The codec of the sound that is copied; ``None`` where there is none."""
        return self._sound.codec if self._sound is not None else None

    def add(self, frame: Decoded, pixels: np.ndarray) -> None:
        """Encode a picture at the moment of a frame, and copy the sound up to it.

        Args:
            frame: of the source, whose time and duration are kept.
            pixels: (H, W, 3) uint8, RGB, upright; scaled where the size of a video changes on the way.
        """
        if self._pictures is None:
            self._begin(frame, pixels)
        stream = self._pictures
        assert stream is not None
        if pixels.shape[:2] != (stream.height, stream.width):
            pixels = cv2.resize(pixels, (stream.width, stream.height), interpolation=cv2.INTER_AREA)
        base = stream.codec_context.time_base
        raw = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        raw = raw.reformat(format="yuv420p", dst_colorspace="ITU709")
        raw.time_base, raw.pts = base, round(Fraction(frame.time) / base)
        raw.duration = round(Fraction(frame.duration) / base)
        self._output.mux(stream.encode(raw))
        self._copy(frame.time)

    def end(self) -> None:
        """Write what is left; without it, the file is not whole."""
        if self._pictures is not None:
            self._output.mux(self._pictures.encode())
            self._copy(None)

    def _begin(self, frame: Decoded, pixels: np.ndarray) -> None:
        base = frame.raw.time_base or Fraction(1, 1000)
        stream = self._output.add_stream(ENCODER, rate=self._rate, options=OPTIONS)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = pixels.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = base
        stream.codec_context.colorspace, stream.codec_context.color_range = BT709, LIMITED
        self._pictures = stream
        if self._sound is None:
            return
        zero = (
            frame.raw.pts * base - Fraction(frame.time).limit_denominator(10**6) if frame.raw.pts is not None else None
        )
        try:
            self._sound.into(self._output, zero)
            self._output.start_encoding()
        except (av.FFmpegError, ValueError) as error:
            raise InputError(
                f"{self.path.suffix} cannot hold the sound of this video ({self.sound}): "
                "let the copy end in .mkv, which holds any, or leave the sound out"
            ) from error

    def _copy(self, time: float | None) -> None:
        if self._sound is not None:
            for packet in self._sound.until(time):
                self._output.mux(packet)


class _Sound:
    """The first sound stream of a video, as packets that are not decoded.

    Attributes:
        codec: of the sound; ``None`` where there is none.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._input = av.open(str(path), metadata_errors="replace")
        except (av.FFmpegError, OSError, ValueError) as error:
            raise MediaError(f"{path}: cannot be read ({error})") from error
        self._stream = next(iter(self._input.streams.audio), None)
        self.codec = self._stream.codec_context.name if self._stream is not None else None
        self._zero = Fraction(self._input.start_time or 0, av.time_base)
        self._packets = self._read()
        self._held: av.Packet | None = None
        self._output: av.AudioStream | None = None

    def close(self) -> None:
        """Close the source."""
        self._input.close()

    def into(self, output: av.container.OutputContainer, zero: Fraction | None) -> None:
        """Copy into this file; ``zero``: when the source begins, in seconds of its clock."""
        self._zero = self._zero if zero is None else zero
        if self._stream is not None:
            self._output = output.add_stream_from_template(self._stream)
            self._output.metadata.clear()

    def until(self, time: float | None) -> Iterator[av.Packet]:
        """Packets heard up to a time in seconds, each once; all that are left for ``None``."""
        while (packet := self._held or next(self._packets, None)) is not None:
            assert packet.dts is not None  # those without were left out
            self._held = packet
            base = packet.time_base
            if time is not None and packet.dts * base - self._zero > time:
                return
            self._held = None
            shift = round(self._zero / base)
            packet.dts -= shift
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.stream = self._output
            yield packet

    def _read(self) -> Iterator[av.Packet]:
        """Packets in order, past what cannot be read; those whose time jumps back are left out.

        Raises:
            InputError: an Ogg file has empty packets, whose stamps count them as sound, as no player does.
        """
        last: int | None = None
        packets = self._input.demux(self._stream) if self._stream is not None else iter(())
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError, OSError):
                return
            if not packet.size and packet.pts is not None:
                raise InputError("the times of this video's sound cannot be relied on (empty packets): leave it out")
            if packet.size and packet.dts is not None and (last is None or packet.dts > last):
                last = packet.dts
                yield packet
