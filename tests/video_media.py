"""Video files of many kinds made for tests; every frame shows its number, so that a test can tell which it sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from visanda.media.frames import Decoded

FRONT = {"movflags": "faststart"}  # option of the container: the index comes first, so that a part can be read
BITS = 8  # of a frame's number, as black and white blocks from left to right


def numbered(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A picture that shows a number below 256, with something in it that moves; RGB."""
    pixels = np.full((height, width, 3), 128, np.uint8)
    block = width // BITS
    for bit in range(BITS):
        pixels[: height // 2, bit * block : (bit + 1) * block] = 255 * (number >> bit & 1)
    x = number * 3 % (width - 8)
    pixels[height * 5 // 8 : height * 7 // 8, x : x + 8] = (200, 60, 40)
    return pixels


def number_of(pixels: np.ndarray) -> int:
    """The number that a picture shows, grey or RGB, of any size."""
    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    height, width = grey.shape
    block = width // BITS
    return sum(
        int(grey[height // 8 : height * 3 // 8, bit * block + block // 3 : (bit + 1) * block - block // 3].mean() > 127)
        << bit
        for bit in range(BITS)
    )


def noisy(count: int) -> Iterator[np.ndarray]:
    """Numbered pictures with noise, so that packets are large."""
    random = np.random.default_rng(1)
    for number in range(count):
        pixels = numbered(number, 128, 96)
        pixels[84:] = random.integers(0, 256, pixels[84:].shape)
        yield pixels


def seen(frames: Iterable[Decoded]) -> list[tuple[float, bool, int]]:
    """Of each frame its time, whether it is a key frame, and the number that it shows."""
    return [(frame.time, frame.key, number_of(frame.grey(180))) for frame in frames]


def make(
    path: Path,
    frames: int | Iterable[np.ndarray] = 25,
    *,
    rate: int = 25,
    codec: str = "libx264",
    format: str = "yuv420p",
    pts: Sequence[int] | None = None,
    base: Fraction | None = None,
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
    container: str | None = None,
    sound: tuple[float, float] | None = None,
    tag: dict[str, int] | None = None,
) -> Path:
    """Encode a video.

    Args:
        path: of the file.
        frames: how many that show their numbers, or RGB pictures.
        rate: frames a second.
        codec: of FFmpeg.
        format: of the pixels.
        pts: when each frame is shown, in units of ``base``.
        base: seconds a unit of ``pts``; one frame's duration by default.
        options: of the codec.
        muxer: options of the container.
        container: where the file's ending does not say it.
        sound: from when to when, in seconds, there is a tone.
        tag: of each frame: colorspace, color_range.
    """
    base = base or Fraction(1, rate)
    fast = {"libx264": {"preset": "veryfast"}, "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"}}
    pictures = [numbered(number) for number in range(frames)] if isinstance(frames, int) else list(frames)
    with av.open(str(path), "w", format=container, options=muxer or {}) as out:
        stream = out.add_stream(codec, rate=rate, options={**fast.get(codec, {}), **(options or {})})
        stream.height, stream.width = pictures[0].shape[:2] if pictures else (48, 64)
        stream.pix_fmt = format
        stream.time_base = stream.codec_context.time_base = base
        for name, value in (tag or {}).items():
            setattr(stream.codec_context, name, value)
        tone = out.add_stream("aac", rate=16_000, layout="mono") if sound else None
        packets = []
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            if format != "rgb24":
                space = {1: "ITU709", 5: "ITU601"}.get((tag or {}).get("colorspace", 0), "ITU601")
                full = (tag or {}).get("color_range") == 2 or format.startswith("yuvj")
                frame = frame.reformat(format=format, dst_colorspace=space, dst_color_range="JPEG" if full else "MPEG")
                for name, value in (tag or {}).items():
                    setattr(frame, name, value)
            frame.pts = pts[number] if pts else number
            frame.time_base = base
            packets += stream.encode(frame)
        if pictures:
            packets += stream.encode()
        if tone and sound:
            packets += _tone(tone, *sound)
            packets.sort(key=lambda packet: packet.dts * packet.time_base)
        for packet in packets:
            out.mux(packet)
    return path


def _tone(stream: av.AudioStream, begin: float, end: float) -> list[av.Packet]:
    packets = []
    for start in range(round(begin * 16_000), round(end * 16_000), 1024):
        wave = 0.3 * np.sin(np.arange(start, start + 1024) * 2 * np.pi * 440 / 16_000)
        frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = 16_000, Fraction(1, 16_000), start
        packets += stream.encode(frame)
    return packets + stream.encode()


def packets_of(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Where the packets of the pictures lie in the file, and their sizes, in the order of the file."""
    with av.open(str(path)) as container:
        there = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    return np.array([pos for pos, _ in there]), np.array([size for _, size in there])


def damaged(path: Path, out: Path, share: float, length: int, seed: int = 0) -> Path:
    """A copy with ``length`` bytes overwritten from this share of the file on."""
    data = bytearray(path.read_bytes())
    at = int(len(data) * share)
    data[at : at + length] = np.random.default_rng(seed).integers(0, 256, length, np.uint8).tobytes()
    out.write_bytes(data)
    return out


def truncated(path: Path, out: Path, share: float) -> Path:
    """A copy of the first part of a file."""
    data = path.read_bytes()
    out.write_bytes(data[: int(len(data) * share)])
    return out


def turned(path: Path, out: Path, degrees: int) -> Path:
    """A copy of an MP4 whose display matrix asks to turn the picture, clockwise, as phones write it."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd")
    version = data[at + 4]
    matrix = at + 4 + 4 + (32 if version else 20) + 16
    one = 1 << 16
    cos, sin = {0: (one, 0), 90: (0, one), 180: (-one, 0), 270: (0, -one)}[degrees]
    for place, value in enumerate((cos, sin, 0, -sin, cos, 0, 0, 0, 1 << 30)):
        data[matrix + 4 * place : matrix + 4 * place + 4] = value.to_bytes(4, "big", signed=True)
    out.write_bytes(data)
    return out


def looped(path: Path, out: Path, times: int) -> Path:
    """The same video so many times in a row, without decoding it."""
    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        there = source.streams.video[0]
        stream = target.add_stream_from_template(there)
        packets = [packet for packet in source.demux(there) if packet.size]
        length = sum(packet.duration for packet in packets)
        for number in range(times):
            for packet in packets:
                again = av.Packet(bytes(packet))
                again.pts, again.dts = packet.pts + number * length, packet.dts + number * length
                again.time_base, again.is_keyframe = there.time_base, packet.is_keyframe
                again.stream = stream
                target.mux(again)
    return out
