"""Faces found in photographs and in groups of known make, against OpenCV's FaceDetectorYN with the same weights.

    python benchmarks/faces.py [--pictures FOLDER] [--score 0.7]

Pictures are the sample photos and portraits, and those in --pictures. Groups are pictures into which portraits are
pasted at known places, in heights of 12 to 1500 pixels; the portraits differ in light. Both detectors see the same
arrays, reduced to a longer side of 1280 pixels, and compute in one thread; the fastest of five runs counts. Two
differences are meant: visanda looks twice at pictures of more than 640 pixels, and reads tiles where it is asked to.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

import visanda
from visanda.media import load
from visanda.models import model
from visanda.models.yunet import detect

SAMPLE = Path(visanda.__file__).parent / "sample"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
Boxes = np.ndarray


def opencv(score: float) -> Callable[[np.ndarray], Boxes]:
    """FaceDetectorYN as its documentation has it, with the overlap that visanda uses."""
    detector = cv2.FaceDetectorYN.create(str(model("yunet").path), "", (320, 320), score, 0.3, 5000)

    def found(pixels: np.ndarray) -> Boxes:
        height, width = pixels.shape[:2]
        detector.setInputSize((width, height))
        _, faces = detector.detect(np.ascontiguousarray(pixels[:, :, ::-1]))
        return np.empty((0, 4)) if faces is None else faces[:, :4]

    return found


def overlaps(a: Boxes, b: Boxes) -> np.ndarray:
    """Intersection over union of each of a with each of b."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    return shared / (np.prod(a[:, None, 2:], axis=2) + np.prod(b[None, :, 2:], axis=2) - shared)


@dataclass
class Tally:
    """Faces of one detector against boxes that are held to be right."""

    right: int = 0
    hit: int = 0
    found: int = 0
    iou: list[float] = field(default_factory=list)

    def add(self, found: Boxes, right: Boxes) -> None:
        shared = overlaps(right, found)
        best = shared.max(axis=1, initial=0)
        self.right, self.found, self.hit = (
            self.right + len(right),
            self.found + len(found),
            self.hit + (best > 0.4).sum(),
        )
        self.iou += list(best[best > 0.4])

    def __str__(self) -> str:
        recall, precision = self.hit / max(self.right, 1), self.hit / max(self.found, 1)
        return (
            f"{self.hit} of {self.right} found ({recall:.3f}), {self.found} given ({precision:.3f} right), "
            f"IoU {np.mean(self.iou or [np.nan]):.3f}"
        )


def reduced(pixels: np.ndarray, side: int = 1280) -> np.ndarray:
    factor = side / max(pixels.shape[:2])
    return cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else pixels


def group(seed: int, width: int, height: int, low: float, high: float) -> tuple[np.ndarray, Boxes]:
    """Portraits pasted at random on a blurred photo, in heights between low and high, and the faces' boxes."""
    rng = np.random.default_rng(seed)
    photos = sorted((SAMPLE / "photos").glob("cat_ren__*"))
    photo = load(photos[seed % len(photos)]).pixels
    picture = cv2.GaussianBlur(cv2.resize(photo, (width, height), interpolation=cv2.INTER_CUBIC), (0, 0), 4)
    portraits = [load(path).pixels for path in sorted((SAMPLE / "faces").glob("*.jpg"))]
    faces = [detect(portrait).boxes[0] for portrait in portraits]
    taken, boxes = np.zeros((height, width), bool), []
    for _ in range(400):
        which, size = rng.integers(len(portraits)), float(np.exp(rng.uniform(np.log(low), np.log(high))))
        x, y, w, h = faces[which]
        factor = size / h
        left, top = int(max(x - 0.5 * w, 0)), int(max(y - 0.5 * h, 0))
        cut = portraits[which][top : int(y + 1.5 * h), left : int(x + 1.5 * w)]
        cut = cv2.resize(
            cut, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        )
        cut = np.clip(cut * rng.uniform(0.5, 1.3) + rng.uniform(-15, 15), 0, 255).astype(np.uint8)
        if cut.shape[0] > height or cut.shape[1] > width:
            continue
        row, column = rng.integers(height - cut.shape[0] + 1), rng.integers(width - cut.shape[1] + 1)
        place = np.s_[row : row + cut.shape[0], column : column + cut.shape[1]]
        if taken[place].any():
            continue
        taken[place], picture[place] = True, cut
        boxes.append([column + (x - left) * factor, row + (y - top) * factor, w * factor, size])
    return picture, np.array(boxes)


def fastest(run: Callable[[], object], times: int = 5) -> float:
    run()
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        spent.append(time.perf_counter() - start)
    return min(spent)


def agreement(paths: list[Path], score: float) -> None:
    theirs, ours_of_theirs, theirs_of_ours = opencv(score), Tally(), Tally()
    for path in paths:
        pixels = reduced(load(path).pixels)
        a, b = detect(pixels, score=score).boxes, theirs(pixels)
        ours_of_theirs.add(a, b)
        theirs_of_ours.add(b, a)
    print(f"{len(paths)} pictures, score {score}")
    print(f"  OpenCV's faces held to be right, visanda's: {ours_of_theirs}")
    print(f"  visanda's held to be right, OpenCV's:       {theirs_of_ours}")


def known_groups(score: float) -> None:
    theirs = opencv(score)
    for title, width, height, low, high in (
        ("groups of 640 × 480, faces of 12 to 150", 640, 480, 12, 150),
        ("groups of 1280 × 960, faces of 12 to 300", 1280, 960, 12, 300),
        ("pictures of 1280 × 1280, faces of 350 to 630", 1280, 1280, 350, 630),
        ("groups of 4000 × 3000, faces of 20 to 1200", 4000, 3000, 20, 1200),
    ):
        tallies = {"visanda": Tally(), "OpenCV": Tally(), "visanda, tiles": Tally()}
        for seed in range(5):
            picture, boxes = group(seed, width, height, low, high)
            tallies["visanda"].add(detect(picture, score=score).boxes, boxes)
            small = reduced(picture)
            tallies["OpenCV"].add(theirs(small) * (width / small.shape[1]), boxes)
            if width > 1280:
                tallies["visanda, tiles"].add(detect(picture, score=score, tiles=True).boxes, boxes)
        print(f"five {title}")
        for name, tally in tallies.items():
            if tally.right:
                print(f"  {name:15} {tally}")


def speed(score: float) -> None:
    theirs = opencv(score)
    for width, height in ((320, 240), (640, 480), (1024, 768), (1280, 960)):
        picture, _ = group(1, width, height, 20, height / 4)
        ours_seconds = fastest(lambda picture=picture: detect(picture, score=score))
        theirs_seconds = fastest(lambda picture=picture: theirs(picture))
        print(
            f"{width} × {height}: visanda {ours_seconds * 1000:.1f} ms, OpenCV {theirs_seconds * 1000:.1f} ms, "
            f"{ours_seconds / theirs_seconds:.2f} of its time"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--score", type=float, default=0.7)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    folders = [SAMPLE / "photos", SAMPLE / "faces", *([arguments.pictures] if arguments.pictures else [])]
    agreement(
        [path for folder in folders for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES], arguments.score
    )
    known_groups(arguments.score)
    speed(arguments.score)
