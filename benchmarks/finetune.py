"""Fine-tuning against a linear head on the embeddings, on the sample photos, with few codes and with more.

    python benchmarks/finetune.py --codes 50 100 150 --repeats 5 --ways frozen partial full lora

The same codes for all: some scenes are coded and all others are the test. The head is tuned on all codes by
cross-validation; fine-tuning learns from three quarters of them and stops on the last.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score, log_loss
from sklearn.model_selection import StratifiedGroupKFold

import visanda
from visanda.learn.finetune import Settings, Task, finetune
from visanda.learn.heads import fit
from visanda.learn.target import Target
from visanda.media import load
from visanda.models.own import Own
from visanda.models.squares import squared

SAMPLE = Path(visanda.__file__).parent / "sample"
QUARTERS = 4


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--variable", default="category", help="category or living")
    arguments.add_argument("--codes", type=int, nargs="+", default=[50, 100, 150])
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--ways", nargs="+", default=["partial", "full"])
    arguments.add_argument("--epochs", type=int, default=Settings.epochs)
    arguments.add_argument("--rate", type=float)
    arguments.add_argument("--out", type=Path)
    given = arguments.parse_args()
    warnings.simplefilter("ignore")
    photos = pd.read_csv(SAMPLE / "photos.csv")
    target = Target("nominal", tuple(sorted(photos[given.variable].unique())))
    truth = target.encode(photos[given.variable].tolist())
    vectors = np.asarray(
        visanda.embed()([SAMPLE / "photos" / name for name in photos["filename"]])["embedding"], np.float32
    )
    rows = []
    for number in given.codes:
        for seed in range(given.repeats):
            coded, test = some(photos, number, seed)
            rows.append(
                {"codes": number, "seed": seed, "way": "head", **head(vectors, target, truth, photos, coded, test)}
            )
            for way in given.ways:
                settings = Settings(layers=way, epochs=given.epochs, rate=given.rate, seed=seed)
                rows.append({"codes": number, "seed": seed, "way": way})
                rows[-1] |= tuned(photos, target, truth, coded, test, settings)
                print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    if given.out:
        table.to_csv(given.out, index=False)
    report(table)


def some(photos: pd.DataFrame, number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of whole scenes that hold about ``number`` photos, and all others."""
    scenes = np.random.default_rng(seed).permutation(photos["scene"].unique())
    sizes = photos["scene"].value_counts()[scenes].cumsum()
    coded = photos["scene"].isin(sizes.index[sizes <= number]).to_numpy()
    return np.flatnonzero(coded), np.flatnonzero(~coded)


def head(
    vectors: np.ndarray, target: Target, truth: np.ndarray, photos: pd.DataFrame, coded: np.ndarray, test: np.ndarray
) -> dict:
    """A linear head on the embeddings, as ``visanda train --model linear`` fits it."""
    began = time.perf_counter()
    made = fit("linear", vectors[coded], truth[coded], target, photos["scene"].to_numpy()[coded], seed=1)
    return scored(truth[test], Own(made.model)(vectors[test])) | {"seconds": time.perf_counter() - began}


def tuned(
    photos: pd.DataFrame,
    target: Target,
    truth: np.ndarray,
    coded: np.ndarray,
    test: np.ndarray,
    settings: Settings,
) -> dict:
    """A fine-tuned network."""
    began = time.perf_counter()
    folds = StratifiedGroupKFold(QUARTERS, shuffle=True, random_state=settings.seed)
    _, stop = next(folds.split(coded, truth[coded], photos["scene"].to_numpy()[coded]))
    sets = np.full(len(coded), "train", dtype="<U10")
    sets[stop] = "validation"
    paths = [SAMPLE / "photos" / name for name in photos["filename"]]
    with tempfile.TemporaryDirectory() as folder:
        made = finetune(
            [paths[row] for row in coded], {"it": Task(target, truth[coded])}, sets, settings, Path(folder), print
        )
    model = Own(made.onnx["it"])
    probabilities = np.concatenate(
        [model(squared(load(paths[row], 256).pixels, model.width, "square")[None]) for row in test]
    )
    told = {name: made.card[name] for name in ("rate", "epochs", "best_epoch")}
    return scored(truth[test], probabilities) | told | {"seconds": time.perf_counter() - began}


def scored(truth: np.ndarray, probabilities: np.ndarray) -> dict:
    classes = np.arange(probabilities.shape[1])
    return {
        "f1": f1_score(truth, probabilities.argmax(axis=1), average="macro"),
        "loss": log_loss(truth, probabilities / probabilities.sum(axis=1, keepdims=True), labels=classes),
    }


def report(table: pd.DataFrame) -> None:
    print(table.groupby(["codes", "way"])[["f1", "loss", "seconds"]].mean().round(3))
    wide = table.pivot(index=["codes", "seed"], columns="way", values="f1")
    for way in set(wide.columns) - {"head"}:
        difference = (wide[way] - wide["head"]).groupby("codes")
        print(f"{way} − head, macro-F1:", difference.agg(["mean", "std", "count"]).round(3).to_dict("index"))


if __name__ == "__main__":
    main()
