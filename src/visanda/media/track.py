"""The pictures of an open video file: its packets, and what the decoder makes of them and what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av

from visanda.errors import MediaError

JUMP = 10  # seconds that the time stamp of a single packet may lie off before it is taken for damage
BACK = 1  # seconds that time stamps may go back


@dataclass(frozen=True, slots=True)
class Given:
    """A frame as the decoder gives it.

    Attributes:
        raw: the frame.
        pts: when it is shown, in units of the stream's clock; ``None`` where the file does not say.
        key: whether it is a key frame.
        whole: nothing in it is known to be missing.
        lost: when the first of the frames was to be shown that should have come before it and did not.
    """

    raw: av.VideoFrame
    pts: int | None
    key: bool
    whole: bool
    lost: int | None


class Track:
    """The pictures of a file, to be read from its start or from a key frame on.

    Args:
        path: the file.
        threads: that decode; 0 for one a core.

    Raises:
        MediaError: it cannot be read, has no pictures, or no decoder is there for them.

    Attributes:
        container: the open file.
        stream: its pictures.
        base: seconds a unit of its clock.
        trouble: why reading ended before the file did; ``None`` where it did not.
        said: what the decoder last complained about.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self.path, self.threads = path, threads
        self._open()

    def _open(self) -> None:
        try:
            self.container = av.open(str(self.path), metadata_errors="replace")
        except (av.FFmpegError, OSError, ValueError) as error:
            raise MediaError(_unreadable(self.path, error)) from error
        try:
            self.stream = self._pictures()
        except BaseException:
            self.container.close()
            raise
        self.stream.thread_type = "AUTO"
        self.stream.codec_context.thread_count = self.threads
        self.base = self.stream.time_base or Fraction(1, av.time_base)
        self.trouble: str | None = None
        self.said: str | None = None
        self._owed: dict[int, tuple[bool, bool]] = {}

    def _pictures(self) -> av.VideoStream:
        name = self.container.format.name
        if name.endswith("_pipe") or name == "image2":
            raise MediaError(f"a picture ({name.split('_')[0]}), not a video: give it the ending of a picture")
        streams = [s for s in self.container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
        if not streams:
            raise MediaError("no pictures: the file has no video stream")
        if streams[0].codec_context is None:
            raise MediaError("no decoder for its pictures")
        return streams[0]

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    def again(self) -> None:
        """Go back to the start."""
        self.close()
        self._open()

    def seek(self, pts: int) -> None:
        """Go to somewhere before a time, mostly to the key frame before it.

        Raises:
            FFmpegError: the file does not allow it.
        """
        self.container.seek(pts, stream=self.stream, backward=True)
        self._owed.clear()

    def skip(self, pts: int) -> None:
        """Go to the last key frame shown at a time or before, by reading all packets up to it."""
        self.again()
        wanted = 0
        for number, packet in enumerate(self.packets()):
            if packet.is_keyframe and packet.pts is not None and packet.pts <= pts:
                wanted = number
            if packet.dts is not None and packet.dts > pts:
                break
        self.again()
        for _ in islice(self._read(), wanted):
            pass

    def packets(self) -> Iterator[av.Packet]:
        """Packets in the order of the file, until it ends, cannot be read on, or its time stamps jump back.

        A single packet whose time stamp lies far from those around it loses that stamp.
        """
        jump, back = JUMP / self.base, BACK / self.base
        before: int | None = None
        packet = next(waiting := self._read(), None)
        while packet is not None:
            after = next(waiting, None)
            now = None if packet.is_discard else packet.dts  # those that an edit list leaves out go back as they like
            if now is not None and before is not None:
                if after is not None and after.dts is not None and abs(now - before) > jump > abs(after.dts - before):
                    packet.pts = packet.dts = now = None
                elif now < before - back:
                    self.trouble = "the time stamps jump back: what follows has no place in time"
                    return
            before = before if now is None else now
            yield packet
            packet = after

    def _read(self) -> Iterator[av.Packet]:
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError) as error:
                self.trouble = f"cannot be read on: {said(error)}"
                return
            if packet.size:  # an empty one says: the same picture again
                yield packet

    def frames(self, *, keys: bool = False, from_key: bool = False) -> Iterator[Given]:
        """Frames as the decoder gives them, past what it cannot decode.

        Args:
            keys: give it only key frames.
            from_key: give it nothing before the next key frame.
        """
        for packet in self.packets():
            if packet.is_keyframe:
                from_key = False
            elif keys or from_key:
                continue
            if packet.pts is not None and not packet.is_discard:
                self._owed[packet.pts] = packet.is_keyframe, not packet.is_corrupt
            yield from self._decoded(packet)
        yield from self._decoded(None)

    def _decoded(self, packet: av.Packet | None) -> Iterator[Given]:
        try:
            for raw in self.stream.codec_context.decode(packet):
                yield self._given(raw)
        except EOFError:
            return
        except av.FFmpegError as error:
            self.said = said(error)
            if self._in_order:
                self._owed.pop(min(self._owed), None)

    @property
    def _in_order(self) -> bool:
        """Whether packets of this file say when they are decoded, and not when they are shown."""
        return self.container.format.name == "avi" and self.stream.codec_context.name in ("h264", "hevc")

    def _given(self, raw: av.VideoFrame) -> Given:
        pts = raw.pts
        if self._in_order and self._owed:
            pts = min(self._owed)
        if pts is None:
            return Given(raw, None, bool(raw.key_frame), not raw.is_corrupt, None)
        lost = [owed for owed in self._owed if owed < pts]
        for owed in lost:
            del self._owed[owed]
        key, whole = self._owed.pop(pts, (bool(raw.key_frame), True))
        return Given(raw, pts, key, whole and not raw.is_corrupt, min(lost, default=None))

    def still_owed(self) -> int | None:
        """At the end: when the first of those frames was to be shown that never came."""
        return min(self._owed, default=None)


def said(error: Exception) -> str:
    """What an error of FFmpeg or of the system says."""
    return getattr(error, "strerror", None) or str(error)


def _unreadable(path: Path, error: Exception) -> str:
    if not path.exists():
        return f"there is no file {path}"
    if isinstance(error, PermissionError):
        return "cannot be opened: permission denied"
    return f"not a video, or one whose end or index is missing: {said(error)}"
