"""Shots found in clips whose cuts, dissolves and fades are known, against PySceneDetect and TransNetV2.

    python benchmarks/shots.py [--clips FOLDER] [--peers PYTHON] [--seeds 201,203,205,207] [--transnet]

Each seed gives a clip of 36 takes: sample photos at rest, panned, zoomed, filmed from an unsteady hand or with a fast
pan, and patterns that drift, joined by hard cuts, dissolves and fades; flashes, large things that go past and changing
light are there to mislead. Odd and even seeds share no photo (the measure's constants were chosen on even ones).

--clips: a folder of real clips without cuts, to take pieces of; those of one camera begin with the same word, as
         street_1.mp4 and street_2.mp4, and never follow one another.
--peers: a Python with scenedetect 0.7, av and opencv; its detectors run with their defaults.
--transnet: TransNetV2 too; needs "visanda[shots]".

A hard cut is found if a boundary lies within one frame of it; a gradual transition, within half a second of its middle
or within its length. A boundary in neither is false. CPU seconds are compared with decoding alone, in the same run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np

import visanda
from visanda.measure import Measure, Stream, watch
from visanda.measures.shots import shots
from visanda.media import Frame, Video

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from video_clips import Boundary, Join, Take, boundaries, crossed, drifting, flashed, joined, panned, still, write_video

PHOTOS = Path(visanda.__file__).parent / "sample" / "photos"
TAKES = 36  # in a clip
SIZES = [(640, 360), (480, 360), (640, 272)]
RATES = [25, 24, 30]


@dataclass(frozen=True)
class Clip:
    """A video file and the truth about it."""

    path: Path
    rate: float
    truth: list[Boundary]


def read_takes(folder: Path | None) -> list[tuple[str, Take]]:
    """Clips without cuts, each as a take, 480 pixels wide, and the first word of its name: the same for one camera."""
    takes = []
    for path in sorted(folder.glob("*")) if folder else []:
        with av.open(str(path)) as container:
            height = 2 * round(240 * container.streams.video[0].height / container.streams.video[0].width)
            decoded = (frame.reformat(480, height) for frame in container.decode(video=0))
            takes.append((path.stem.split("_")[0], [frame.to_ndarray(format="rgb24") for frame in decoded]))
    return takes


def make(folder: Path, seed: int, takes: list[tuple[str, Take]]) -> Clip:
    """A compilation of takes and photos; odd and even seeds share none of them."""
    random = np.random.default_rng(seed)
    photos = [cv2.imread(str(path))[:, :, ::-1] for path in sorted(PHOTOS.glob("*.webp"))[seed % 2 :: 2]]
    takes = takes[seed % 2 :: 2]
    size, rate = SIZES[random.integers(3)], RATES[random.integers(3)]
    order = random.permutation(len(photos))[:TAKES]
    made: list[Take] = []
    before = " "
    for i in range(TAKES):
        frames = int(rate * random.choice([random.uniform(0.8, 2), random.uniform(2, 4.5)]))
        name, real = takes[random.integers(len(takes))] if takes else (before, [])
        if name != before and random.random() < 0.5:
            take, before = piece(real, frames, size, random), name
        elif random.random() < 0.08:
            before = ""
            take = drifting(frames, size=size, speed=random.uniform(1, 12), seed=int(random.integers(1 << 30)))
        else:
            take, before = camera(photos[order[i]], frames, size, random), ""
        made.append(decoy(take, photos[order[i - 1]], random))
    joins = [join(min(len(a), len(b)), rate, random) for a, b in pairwise(made)]
    noise = random.choice([0.0, 3.0, 6.0])
    options = {"preset": "ultrafast", "crf": str(random.integers(18, 32))}
    frames_of = (noisy(frame, noise, random) for frame in joined(made, joins))
    path = write_video(folder / f"{seed:03d}.mp4", frames_of, rate, options=options)
    return Clip(path, rate, boundaries([len(take) for take in made], joins))


def piece(take: Take, frames: int, size: tuple[int, int], random: np.random.Generator) -> Take:
    """A stretch of a take, cropped to the size."""
    first = random.integers(0, max(1, len(take) - frames))
    height, width = take[0].shape[:2]
    scale = max(size[0] / width, size[1] / height)
    result = []
    for frame in take[first : first + frames]:
        whole = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        top, left = (whole.shape[0] - size[1]) // 2, (whole.shape[1] - size[0]) // 2
        result.append(whole[top : top + size[1], left : left + size[0]])
    return result


def camera(photo: np.ndarray, frames: int, size: tuple[int, int], random: np.random.Generator) -> Take:
    """A photo: at rest, with a slow pan and zoom, from a hand, or with a fast pan in between."""
    a, b, c, d = random.uniform(0, 1, 4)
    near, far = random.uniform(1.0, 1.6, 2)
    kind = random.choice(["rest", "pan", "hand", "whip"], p=[0.15, 0.4, 0.3, 0.15])
    if kind == "rest":
        return still(panned(photo, 1, size=size, begin=(a, b, near), end=(a, b, near))[0], frames)
    if kind == "hand":
        view = (a, b, near + 0.1)
        return panned(photo, frames, size=size, begin=view, end=view, shake=random.uniform(0.5, 3), seed=int(1e6 * a))
    if kind == "pan":
        return panned(photo, frames, size=size, begin=(a, b, near), end=(c, d, far))
    wide = cv2.copyMakeBorder(photo, 0, 0, 0, 2 * photo.shape[1], cv2.BORDER_REFLECT_101)
    fast = int(random.integers(6, 12))
    rest = (frames - fast) // 2
    height, width = size[1], size[0]
    wide = cv2.resize(wide, (max(3 * width, wide.shape[1] * height // wide.shape[0]), height))
    left = panned(wide, 1, size=size, begin=(0, 0, 1), end=(0, 0, 1))[0]
    right = panned(wide, 1, size=size, begin=(1, 0, 1), end=(1, 0, 1))[0]
    return still(left, rest) + panned(wide, fast, size=size, begin=(0, 0, 1), end=(1, 0, 1)) + still(right, rest)


def decoy(take: Take, other: np.ndarray, random: np.random.Generator) -> Take:
    """The take, now and then with a flash, a large thing that goes past, or changing light."""
    at = int(random.uniform(0.3, 0.6) * len(take))
    kind = random.choice(["none", "flash", "thing", "light"], p=[0.6, 0.2, 0.12, 0.08])
    if kind == "flash":
        return flashed(take, at, int(random.integers(1, 4)), random.uniform(0.5, 0.95))
    if kind == "thing":
        return crossed(take, other, at, int(random.integers(6, 20)))
    if kind == "light":
        gains = np.interp(np.arange(len(take)), [at, at + random.integers(1, 25)], [1, random.uniform(0.45, 1.5)])
        return [cv2.convertScaleAbs(frame, alpha=gain) for frame, gain in zip(take, gains, strict=True)]
    return take


def join(shortest: int, rate: float, random: np.random.Generator) -> Join:
    """Two cuts in three; dissolves of 0.4 to 1.5 s, fades through black or white."""
    kind = random.choice(["cut", "dissolve", "fade"], p=[0.66, 0.18, 0.16])
    seconds = random.uniform(0.4, 1.5)
    frames = min(int(seconds * rate), int(0.45 * shortest)) // 2 * 2
    if kind == "fade":
        return Join("fade", frames, int(random.integers(0, 0.3 * rate)), int(random.choice([0, 0, 0, 255])))
    return Join(kind, frames if kind == "dissolve" else 0)


def noisy(frame: np.ndarray, deviation: float, random: np.random.Generator) -> np.ndarray:
    if not deviation:
        return frame
    noise = random.normal(0, deviation, (frame.shape[0] // 2, frame.shape[1] // 2)).astype(np.float32)
    noise = cv2.resize(noise, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_NEAREST)
    return np.clip(frame + noise[:, :, None], 0, 255).astype(np.uint8)


# what is compared

PEERS = """
import json, sys, time
from scenedetect import (AdaptiveDetector, ContentDetector, HashDetector, HistogramDetector, SceneManager,
                         open_video)
found = {}
for kind in (ContentDetector, AdaptiveDetector, HashDetector, HistogramDetector):
    for path in sys.argv[1:]:
        started = time.process_time()
        manager = SceneManager()
        manager.add_detector(kind())
        manager.detect_scenes(open_video(path, backend="pyav"))
        scenes = [scene[0].seconds for scene in manager.get_scene_list()]
        found.setdefault(kind.__name__, []).append([scenes[1:], time.process_time() - started])
json.dump(found, sys.stdout)
"""


@dataclass
class Score:
    """What one detector found in all clips."""

    cuts: int = 0
    cuts_found: int = 0
    dissolves: int = 0
    dissolves_found: int = 0
    fades: int = 0
    fades_found: int = 0
    false: int = 0
    seconds: float = 0.0

    def add(self, clip: Clip, times: list[float], seconds: float) -> None:
        """Compare boundaries, in seconds, with the truth."""
        frames = [time * clip.rate for time in times]
        used: set[int] = set()
        for one in sorted(clip.truth, key=lambda one: one.kind != "cut"):
            reach = 1.01 if one.kind == "cut" else max(0.5 * clip.rate, one.frames / 2)
            near = [i for i, frame in enumerate(frames) if abs(frame - one.frame) <= reach and i not in used]
            used.update(near[:1] if one.kind == "cut" else near)
            setattr(self, f"{one.kind}s", getattr(self, f"{one.kind}s") + 1)
            setattr(self, f"{one.kind}s_found", getattr(self, f"{one.kind}s_found") + bool(near))
        self.false += len(frames) - len(used)
        self.seconds += seconds

    def line(self, name: str, decoding: float) -> str:
        """A row of the table; precision counts every false boundary against the cuts."""
        precision = self.cuts_found / max(1, self.cuts_found + self.false)
        recall = self.cuts_found / max(1, self.cuts)
        f1 = 2 * self.cuts_found / max(1, self.cuts_found + self.false + self.cuts)
        return (
            f"| {name} | {precision:.3f} | {recall:.3f} | {f1:.3f} | {self.dissolves_found}/{self.dissolves} "
            f"| {self.fades_found}/{self.fades} | {self.false} | {self.seconds / decoding:.2f} |"
        )


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of all threads."""
    started = time.process_time()
    work()
    return time.process_time() - started


def frames(path: Path) -> Iterator[Frame]:
    with Video(path) as video:
        for decoded in video.frames():
            yield Frame(decoded.time, decoded.duration, decoded.key, decoded.rgb(36))


def decode(path: Path) -> None:
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for _ in container.decode(video=0):
            pass


def detect(path: Path, measure: Measure) -> list[float]:
    with Video(path) as video:
        facts = video.facts
    return [row["start"] for row in watch(measure, Stream(frames(path), facts))][1:]


def ours(clips: list[Clip], measure: Measure) -> Score:
    score = Score()
    for clip in clips:
        started = time.process_time()
        found = detect(clip.path, measure)
        score.add(clip, found, time.process_time() - started)
    return score


def peers(clips: list[Clip], python: str) -> dict[str, Score]:
    command = [python, "-W", "ignore", "-c", PEERS, *(str(clip.path) for clip in clips)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    scores = {name: Score() for name in found}
    for name, results in found.items():
        for clip, (times, seconds) in zip(clips, results, strict=True):
            scores[name].add(clip, times, seconds)
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--peers")
    parser.add_argument("--seeds", default="201,203,205,207")
    parser.add_argument("--transnet", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        takes = read_takes(options.clips)
        clips = [make(Path(folder), int(seed), takes) for seed in options.seeds.split(",")]
        decoding = sum(cpu(lambda path=clip.path: decode(path)) for clip in clips)
        reducing = sum(cpu(lambda path=clip.path: list(frames(path))) for clip in clips)
        scores = {"visanda": ours(clips, shots())}
        if options.transnet:
            scores["TransNetV2"] = ours(clips, shots(detector="transnet"))
        if options.peers:
            scores |= peers(clips, options.peers)
    print("| | precision | recall | F1 of hard cuts | dissolves | fades | false | CPU, decoding = 1 |")
    print("|---|---|---|---|---|---|---|---|")
    for name, score in scores.items():
        print(score.line(name, decoding))
    print(f"\nDecoding and reducing to 36 pixels: {reducing / decoding:.2f}.")


if __name__ == "__main__":
    main()
