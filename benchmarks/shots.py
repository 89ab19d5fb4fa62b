"""Shots found in clips whose boundaries are known."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

import visanda

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
    joins = [join(min(len(a), len(b)), rate, random) for a, b in zip(made, made[1:], strict=False)]
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
