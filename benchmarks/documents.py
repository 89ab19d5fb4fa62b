"""Digits on scanned paper, as on the tally sheets of Torres & Cantú (2022): a head on embeddings of photographs against
networks that look at the pixels.

    python benchmarks/documents.py --codes 100 300 --repeats 3

Digits are drawn in two typefaces, moved, tilted, crossed by lines and speckled, a picture of 64×64 pixels each. The
same codes for all, and the same 500 other pictures to test on: a linear head on the embeddings that come with visanda;
``small``, a network of four layers that is trained from scratch; ``lite0``, all layers fine-tuned.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

import visanda
from visanda.learn.finetune import Settings, Task, finetune
from visanda.learn.heads import fit
from visanda.learn.target import Target
from visanda.models.own import Own
from visanda.models.squares import squared

SIDE, TESTED = 64, 500
DIGITS = Target("nominal", tuple("0123456789"))
FACES = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--codes", type=int, nargs="+", default=[100, 300])
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--epochs", type=int, default=30)
    arguments.add_argument("--ways", nargs="+", default=["head", "small", "lite0"])
    given = arguments.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for codes in given.codes:
        for seed in range(given.repeats):
            pictures, truth = drawn(codes + TESTED, seed)
            for way in given.ways:
                began = time.perf_counter()
                said = (
                    head(pictures, truth, codes)
                    if way == "head"
                    else network(way, pictures, truth, codes, seed, given.epochs)
                )
                score = f1_score(truth[codes:], said.argmax(axis=1), average="macro")
                rows.append(
                    {"codes": codes, "seed": seed, "way": way, "f1": score, "seconds": time.perf_counter() - began}
                )
                print(rows[-1], flush=True)
    print(pd.DataFrame(rows).groupby(["codes", "way"])[["f1", "seconds"]].agg(["mean", "min", "max"]).round(3))


def drawn(number: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Pictures of digits, (64, 64, 3) uint8, and which they are."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 10, number)
    return [digit(int(one), random) for one in truth], truth


def digit(number: int, random: np.random.Generator) -> np.ndarray:
    """One of them."""
    paper = np.full((SIDE, SIDE), random.integers(190, 250), np.uint8)
    ink = int(random.integers(20, 110))
    cv2.line(paper, (0, int(random.integers(48, 62))), (SIDE, int(random.integers(48, 62))), ink, 1, cv2.LINE_AA)
    place = (int(random.integers(10, 26)), int(random.integers(38, 54)))
    face, size = FACES[int(random.integers(2))], random.uniform(0.9, 1.5)
    cv2.putText(paper, str(number), place, face, size, ink, int(random.integers(1, 4)), cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), random.uniform(-15, 15), 1.0)
    paper = cv2.warpAffine(paper, turn, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    noisy = np.clip(paper + random.normal(0, 25, paper.shape), 0, 255).astype(np.uint8)
    return np.repeat(noisy[:, :, None], 3, axis=2)


def head(pictures: list[np.ndarray], truth: np.ndarray, codes: int) -> np.ndarray:
    """What a linear head on embeddings says of the pictures to test on."""
    vectors = np.asarray(visanda.embed()(pictures)["embedding"], np.float32)
    made = fit("linear", vectors[:codes], truth[:codes], DIGITS, np.arange(codes), seed=1)
    return Own(made.model)(vectors[codes:])


def network(
    backbone: str, pictures: list[np.ndarray], truth: np.ndarray, codes: int, seed: int, epochs: int
) -> np.ndarray:
    """What a network says that learnt from the pixels."""
    layers = "full" if backbone == "lite0" else "partial"
    settings = Settings(
        backbone=backbone, layers=layers, epochs=epochs, augment="text", side=SIDE, device="cpu", seed=seed
    )
    sets = ["validation" if row % 4 == 0 else "train" for row in range(codes)]
    with tempfile.TemporaryDirectory() as folder:
        made = finetune(
            pictures[:codes], {"it": Task(DIGITS, truth[:codes])}, sets, settings, Path(folder), lambda _: None
        )
    model = Own(made.onnx["it"])
    return np.concatenate([model(squared(one, model.width, "square")[None]) for one in pictures[codes:]])


if __name__ == "__main__":
    main()
