"""Sound made for tests: files in which every second is as loud as the test says."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
PIECE = 4000  # samples handed to the encoder at a time


def tone(levels: Sequence[float], rate: int = 16_000, frequency: float = 440.0) -> np.ndarray:
    """A sine, (n, 1), of one amplitude a second."""
    time = np.arange(len(levels) * rate) / rate
    return (np.repeat(levels, rate) * np.sin(2 * np.pi * frequency * time))[:, None]


def write_sound(
    path: Path,
    samples: np.ndarray,
    rate: int = 16_000,
    *,
    codec: str = "pcm_s16le",
    offset: float = 0.0,
    pictures: float = 0.0,
    gap: tuple[float, float] | None = None,
) -> Path:
    """Encode sound.

    Args:
        path: of the file; its ending decides the container.
        samples: (n, channels), from −1 to 1.
        rate: samples a second.
        codec: of FFmpeg.
        offset: seconds at which the sound begins.
        pictures: seconds of small grey pictures, from 0 on.
        gap: the samples from this second on are heard from that second on.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25) if pictures else None
        if video:
            video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        options = {"strict": "experimental"}  # FFmpeg's own encoder for Vorbis
        sound = container.add_stream(codec, rate=rate, layout=LAYOUTS[samples.shape[1]], options=options)
        for number in range(round(pictures * 25)):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), number % 200, np.uint8))))
        if video:
            container.mux(video.encode())
        for start in range(0, len(samples), PIECE):
            piece = np.ascontiguousarray(samples[start : start + PIECE].T, np.float32)
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=LAYOUTS[samples.shape[1]])
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            late = gap[1] - gap[0] if gap and start >= gap[0] * rate else 0.0
            frame.pts = start + round((offset + late) * rate)
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    return path
