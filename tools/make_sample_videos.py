"""Make the sample videos of the package from two clips: ``python tools/make_sample_videos.py FOLDER OUT``.

FOLDER holds ``trailer_bbb.mp4`` (the trailer of Big Buck Bunny, Blender Foundation, CC BY 3.0) and ``vtest.avi``
(pedestrians from a fixed camera, a sample of OpenCV, Apache-2.0). Made are

- ``trailer.mp4``: the trailer, small, with its sound;
- ``session.mp4``: the fixed camera, interrupted by pieces of the trailer, as a broadcast leaves the floor of a
  chamber for other pictures and comes back. Its frame rate varies: 10 frames a second from the camera, 24 else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

CLOCK = Fraction(1, 240)
SESSION = [  # which clip, from, to (seconds)
    ("vtest.avi", 0.0, 20.0),
    ("trailer_bbb.mp4", 25.0, 31.0),
    ("vtest.avi", 20.0, 46.0),
    ("trailer_bbb.mp4", 37.0, 41.0),
    ("vtest.avi", 46.0, 79.0),
]


def pictures(path: Path, start: float, stop: float) -> Iterator[tuple[float, np.ndarray]]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if start <= frame.time < stop - 1e-6:
                yield frame.time - start, frame.to_ndarray(format="rgb24")


def fitted(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Scaled into a frame, with black above and below where it is wider."""
    rows, columns = pixels.shape[:2]
    scale = min(width / columns, height / rows)
    size = (round(columns * scale), round(rows * scale))
    frame = np.zeros((height, width, 3), np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    frame[top : top + size[1], left : left + size[0]] = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return frame


def add_picture(output: av.container.OutputContainer, stream: av.VideoStream, pixels: np.ndarray, at: float) -> None:
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    frame.time_base, frame.pts = CLOCK, round(at / CLOCK)
    output.mux(stream.encode(frame))


def video_stream(output: av.container.OutputContainer, width: int, height: int, quality: int) -> av.VideoStream:
    stream = output.add_stream("libx264", rate=24, options={"crf": str(quality), "preset": "slow", "g": "96"})
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.time_base = stream.codec_context.time_base = CLOCK
    return stream


def make_session(folder: Path, out: Path) -> None:
    with av.open(str(out), "w", options={"movflags": "faststart"}) as output:
        stream = video_stream(output, 384, 288, 31)
        began = 0.0
        for name, start, stop in SESSION:
            for time, pixels in pictures(folder / name, start, stop):
                add_picture(output, stream, fitted(pixels, 384, 288), began + time)
            began += stop - start
        output.mux(stream.encode())


def make_trailer(folder: Path, out: Path) -> None:
    source = folder / "trailer_bbb.mp4"
    with av.open(str(out), "w", options={"movflags": "faststart"}) as output, av.open(str(source)) as sound:
        stream = video_stream(output, 480, 270, 31)
        track = output.add_stream("aac", rate=22050, layout="mono", bit_rate=40_000)
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=22050)
        for time, pixels in pictures(source, 0.0, 60.0):
            add_picture(output, stream, fitted(pixels, 480, 270), time)
        output.mux(stream.encode())
        for frame in sound.decode(audio=0):
            for part in resampler.resample(frame):
                output.mux(track.encode(part))
        output.mux(track.encode())


if __name__ == "__main__":
    clips, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    make_session(clips, target / "session.mp4")
    make_trailer(clips, target / "trailer.mp4")
