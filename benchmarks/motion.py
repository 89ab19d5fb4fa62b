"""CPU seconds of ``motion`` and ``flow``, against decoding alone and against the loop that a tutorial teaches.

    python benchmarks/motion.py [video ...] [--seconds 20] [--repeat 3]

Without a video, one of 720p is generated: sample photos that a camera pans over, with something moving before them.
In one run, on each video:

- decode: PyAV with its own threads, nothing else.
- reduce: the same, and every frame grey at 180 pixels, as measures of one video share it.
- motion, flow: the same, and measured; flow with pairs 0.1 and 0.2 seconds apart.
- tutorial: OpenCV's VideoCapture, width 500, cvtColor, GaussianBlur of 21 pixels, absdiff, threshold 25.
- Farnebäck at full resolution, on its first 20 pairs and multiplied up to all.

Then: how ``changed`` agrees with the tutorial's share, by means of each second. Seconds are of CPU, medians; OpenCV has
one thread, as in a run; machines are shared, so read the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path

import av
import cv2
import numpy as np

import visanda
from visanda.measure import Registered, Row, Stream
from visanda.measures.flow import flow
from visanda.measures.motion import motion
from visanda.media import Frame, Video, load

SAMPLE = Path(visanda.__file__).parent / "sample" / "photos"
PAIRS = 20  # that Farnebäck's flow is timed on


def generate(path: Path, seconds: int) -> None:
    """A video of 1280×720 at 25 frames a second: pans over photos, five seconds each, and a disc that moves."""
    photos = sorted(SAMPLE.glob("*.webp"))
    random = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(seconds * 25):
            shot, moment = divmod(number, 125)
            if moment == 0:
                world = cv2.resize(load(photos[shot * 7 % len(photos)]).pixels, (1920, 1080))
                speed = random.uniform(0, 4, 2)
            x, y = (speed * moment).astype(int)
            picture = np.ascontiguousarray(world[y : y + 720, x : x + 1280])
            cv2.circle(picture, (200 + 6 * moment, 400), 60, (200, 60, 40), -1)
            picture = cv2.add(picture, random.integers(0, 6, picture.shape, np.uint8))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def decode(path: Path) -> None:
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for _ in container.decode(video=0):
            pass


def reduced(video: Video) -> Iterator[Frame]:
    return (Frame(one.time, one.duration, one.key, one.grey(180)) for one in video.frames())


def reduce(path: Path) -> None:
    with Video(path) as video:
        for _ in reduced(video):
            pass


def rows(path: Path, measure: Registered[...], **arguments: object) -> list[Row]:
    with Video(path) as video:
        return list(measure.implementation(Stream(reduced(video), video.facts), **arguments))


def captured(path: Path) -> Iterator[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    while (read := capture.read())[0]:
        yield read[1]


def tutorial(path: Path) -> list[float]:
    """The share of changed pixels of each pair of frames, as Rosebrock (2015) has it."""
    shares, before = [], None
    for frame in captured(path):
        small = cv2.resize(frame, (500, round(frame.shape[0] * 500 / frame.shape[1])), interpolation=cv2.INTER_AREA)
        grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (21, 21), 0)
        if before is not None:
            changed = cv2.threshold(cv2.absdiff(before, grey), 25, 255, cv2.THRESH_BINARY)[1]
            shares.append(cv2.countNonZero(changed) / changed.size)
        before = grey
    return shares


def farneback(path: Path) -> float:
    """CPU seconds a pair at full resolution, without decoding."""
    frames = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in islice(captured(path), PAIRS + 1)]
    start = time.process_time()
    for earlier, later in pairwise(frames):
        cv2.calcOpticalFlowFarneback(earlier, later, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    return (time.process_time() - start) / (len(frames) - 1)


def cpu(task: Callable[[], object]) -> float:
    start = time.process_time()
    task()
    return time.process_time() - start


def costs(path: Path, repeat: int, pairs: int) -> None:
    tasks: dict[str, Callable[[], object]] = {
        "decode": lambda: decode(path),
        "reduce": lambda: reduce(path),
        "motion": lambda: rows(path, motion),
        "flow 0.1 s": lambda: rows(path, flow, every=0.1),
        "flow 0.2 s": lambda: rows(path, flow, every=0.2),
        "tutorial": lambda: tutorial(path),
    }
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeat):  # in turns, so that a slow minute hits all
        for name, task in tasks.items():
            times[name].append(cpu(task))
    times["Farnebäck"] = [decoded + farneback(path) * pairs for decoded in times["decode"]]
    for name, own in times.items():
        ratio = statistics.median(a / b for a, b in zip(own, times["decode"], strict=True))
        extrapolated = f"   (from {PAIRS} pairs)" if name == "Farnebäck" else ""
        print(f"  {name:11} {statistics.median(own):8.2f} s   {ratio:6.2f} of decoding{extrapolated}")


def agreement(measured: list[Row], shares: list[float]) -> None:
    """Correlation and sizes of the means of each second."""
    if len(measured) != len(shares):
        print(f"  OpenCV gives {len(shares)} pairs, PyAV {len(measured)}: not compared")
        return
    second = np.array([int(row["start"]) for row in measured])
    pairs = np.maximum(np.bincount(second), 1)
    ours = np.bincount(second, weights=[row["changed"] for row in measured]) / pairs
    theirs = np.bincount(second, weights=shares) / pairs
    print(
        f"  changed, {len(ours)} seconds: r = {np.corrcoef(ours, theirs)[0, 1]:.3f} with the tutorial's; "
        f"mean {ours.mean():.4f}, the tutorial's {theirs.mean():.4f}"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("videos", nargs="*", type=Path)
    arguments.add_argument("--seconds", type=int, default=20, help="of the video that is generated")
    arguments.add_argument("--repeat", type=int, default=3)
    given = arguments.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as temporary:
        if not given.videos:
            given.videos = [Path(temporary) / "generated.mp4"]
            generate(given.videos[0], given.seconds)
        for path in given.videos:
            measured = rows(path, motion)
            print(f"\n{path.name}, {len(measured)} pairs of frames, CPU, median of {given.repeat}")
            costs(path, given.repeat, len(measured))
            agreement(measured, tutorial(path))


if __name__ == "__main__":
    main()
