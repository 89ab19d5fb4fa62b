"""Video against the limit: ratios of CPU time to one bare decode, and peak memory.

``python benchmarks/video.py [FILE ...] [--minutes 2] [--runs 3]``: without files, on a video that is made for it
(photographs of the package, panned, 1280 × 720, H.264). Each task runs in a process of its own; CPU seconds are those
of the work, without starting Python and importing; the peak of memory is of the whole process.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

TASKS = {
    "bare decode (PyAV, thread type AUTO)": "bare",
    "shots + motion + frames at 1 a second, measured": "together",
    "shots": "shots",
    "motion": "motion",
    "frames at 1 a second": "frames",
    "frames at 1 a second, OpenCV grab and retrieve": "grab",
    "frames at 1 a second, OpenCV set(POS_FRAMES)": "seek",
    "key frames": "keys",
    "list frames at 1 a second": "list",
}


def bare(path: str) -> int:
    import av

    with av.open(path) as container:
        container.streams.video[0].thread_type = "AUTO"
        return sum(1 for _ in container.decode(video=0))


def grab(path: str) -> int:
    import cv2

    video, number, found = cv2.VideoCapture(path), 0, 0
    step = round(video.get(cv2.CAP_PROP_FPS))
    while video.grab():
        if number % step == 0:
            found += video.retrieve()[0]
        number += 1
    return found


def seek(path: str) -> int:
    import cv2

    video, found = cv2.VideoCapture(path), 0
    step = round(video.get(cv2.CAP_PROP_FPS))
    for number in range(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT)), step):
        video.set(cv2.CAP_PROP_POS_FRAMES, number)
        found += video.read()[0]
    return found


def frames(path: str) -> int:
    from visanda.media import Video
    from visanda.media.choose import at_steps

    with Video(path) as video:
        times = [one.time for one in at_steps(*video.moments(), 1.0)]
        return sum(frame.image().pixels.ndim == 3 for _, frame in video.pictures(times))


def keys(path: str) -> int:
    from visanda.media import Video

    with Video(path) as video:
        return sum(1 for _ in video.frames(keys=True))


def list_(path: str) -> int:
    from visanda.media import Video
    from visanda.media.choose import at_steps

    with Video(path) as video:
        return len(at_steps(*video.moments(), 1.0))


def measured(*measures: str, on_frames: bool = False) -> Callable[[str], int]:
    def run(path: str) -> int:
        import visanda as vi

        with tempfile.TemporaryDirectory() as folder:
            corpus = vi.Corpus.init(Path(folder) / "study")
            corpus.add(path)
            if on_frames:
                corpus.frames(every=1)
            done = corpus.measure(*measures, on="frame" if on_frames else "image")
            return int(done["measured"].iloc[0])

    return run


WORK: dict[str, Callable[[str], int]] = {
    "bare": bare,
    "grab": grab,
    "seek": seek,
    "frames": frames,
    "keys": keys,
    "list": list_,
    "shots": measured("shots"),
    "motion": measured("motion"),
    "together": measured("shots", "motion", "sharpness", on_frames=True),
}


def once(task: str, path: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, "--task", task, path], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def work(task: str, path: str) -> None:
    """One task, in this process."""
    import resource
    import time

    import av  # noqa: F401
    import cv2

    import visanda.corpus  # noqa: F401  imported before the clock starts

    cv2.setNumThreads(1)
    start, wall = time.process_time(), time.monotonic()
    found = WORK[task](path)
    spent = {"cpu": time.process_time() - start, "wall": time.monotonic() - wall, "found": found}
    print(json.dumps(spent | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def make_video(path: Path, minutes: float) -> None:
    """Photographs, panned and zoomed, some seconds each, joined by cuts."""
    import av
    import cv2
    import numpy as np

    import visanda as vi
    from visanda.media import Image

    photos = sorted((Path(vi.__file__).parent / "sample" / "photos").glob("*.webp"))
    random = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 1280, 720, "yuv420p", Fraction(1, 25)
        left = round(minutes * 60 * 25)
        while left > 0:
            photo = Image.of(photos[random.integers(len(photos))]).pixels
            big = cv2.resize(photo, (1800, 1100), interpolation=cv2.INTER_CUBIC)
            length = min(left, int(random.integers(50, 200)))
            begin, end = random.uniform(0, [500, 360]), random.uniform(0, [500, 360])
            for share in np.linspace(0, 1, length):
                x, y = begin + (end - begin) * share
                view = cv2.warpAffine(big, np.array([[1, 0, -x], [0, 1, -y]]), (1280, 720))
                noisy = cv2.add(view, random.integers(0, 6, view.shape, np.uint8))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, format="rgb24")))
            left -= length
        container.mux(stream.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--task", choices=WORK)
    asked = parser.parse_args()
    if asked.task:
        return work(asked.task, asked.files[0])
    with tempfile.TemporaryDirectory() as folder:
        files = asked.files
        if not files:
            files = [str(Path(folder) / "made.mp4")]
            make_video(Path(files[0]), asked.minutes)
        for file in files:
            print(f"\n{Path(file).name}")
            found: dict[str, list[dict[str, float]]] = {task: [] for task in WORK}
            for _ in range(asked.runs):
                for task in TASKS.values():
                    found[task].append(once(task, file))
            base = statistics.median(one["cpu"] for one in found["bare"])
            base_wall = statistics.median(one["wall"] for one in found["bare"])
            print(f"{'':52} {'CPU':>6} {'wall':>6} {'peak MB':>8} {'found':>7}")
            for name, task in TASKS.items():
                cpu = statistics.median(one["cpu"] for one in found[task]) / base
                wall = statistics.median(one["wall"] for one in found[task]) / base_wall
                peak = max(one["peak"] for one in found[task])
                print(f"{name:52} {cpu:6.2f} {wall:6.2f} {peak:8.0f} {found[task][0]['found']:7.0f}")


if __name__ == "__main__":
    main()
