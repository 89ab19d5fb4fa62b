"""Pictures to fine-tune on: digits and tallies on scanned paper, drawn here, small, each a little different."""

from __future__ import annotations

import cv2
import numpy as np

from visanda.learn.finetune import Settings

SIDE = 24
FAST = {"backbone": "small", "side": SIDE, "augment": "none", "device": "cpu", "workers": 1}


def fast(**changes: object) -> Settings:
    """Settings under which a run takes seconds."""
    return Settings(**{**FAST, "epochs": 5, "batch": 16, "rate": 0.001, **changes})  # type: ignore[arg-type]


def digit(number: int, random: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """A digit, (side, side, 3) uint8."""
    paper = np.full((side, side), random.integers(200, 256), np.uint8)
    size = side / 32 * random.uniform(0.8, 1.0)
    place = tuple(int(side * share + random.integers(-2, 3)) for share in (0.22, 0.82))
    cv2.putText(paper, str(number), place, cv2.FONT_HERSHEY_SIMPLEX, size, int(random.integers(0, 80)), 2, cv2.LINE_AA)
    noisy = paper + random.normal(0, 8, paper.shape)
    return np.repeat(np.clip(noisy, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def digits(number: int, classes: int = 3, seed: int = 1, side: int = SIDE) -> tuple[list[np.ndarray], np.ndarray]:
    """Pictures of digits and which they are."""
    random = np.random.default_rng(seed)
    truth = random.permutation(np.arange(number) % classes)
    return [digit(int(one), random, side) for one in truth], truth


def thirds(number: int) -> list[str]:
    """Every third one for validation."""
    return ["validation" if row % 3 == 0 else "train" for row in range(number)]
