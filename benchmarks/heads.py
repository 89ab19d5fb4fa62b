"""Heads on embeddings: how well each kind does with few codes, and what training costs beside embedding.

    python benchmarks/heads.py --repeats 10
    python benchmarks/heads.py --only time

On the sample photos: some subjects (or scenes) are coded and all others are the test, the same for every kind. A head
is fitted as ``visanda train`` fits it, settings, calibration and cross-fitted heads included. Time is that of the
commands on a corpus of 5,000 pictures (parts cut out of the sample photos): ``measure embed``, and ``train --model
linear`` on all of them, coded.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score, log_loss

import visanda
from visanda import codes
from visanda.corpus import Corpus
from visanda.learn.heads import KINDS, fit
from visanda.learn.target import Target
from visanda.media import Image, save
from visanda.models.own import Own

SAMPLE = Path(visanda.__file__).parent / "sample"
SIDE = 256  # pixels of the parts that are cut out


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--variable", default="category", help="category or living")
    arguments.add_argument("--group", default="subject", help="subject or scene: what is never on both sides")
    arguments.add_argument("--codes", type=int, nargs="+", default=[25, 50, 100, 150])
    arguments.add_argument("--kinds", nargs="+", default=list(KINDS))
    arguments.add_argument("--repeats", type=int, default=10)
    arguments.add_argument("--pictures", type=int, default=5000)
    arguments.add_argument("--only", choices=["quality", "time"])
    arguments.add_argument("--out", type=Path, help="a CSV file for every single number")
    given = arguments.parse_args()
    if given.only != "time":
        quality(given.variable, given.group, given.codes, given.kinds, given.repeats, given.out)
    if given.only != "quality":
        cost(given.pictures)


def quality(variable: str, group: str, numbers: list[int], kinds: list[str], repeats: int, out: Path | None) -> None:
    """Macro-F1 on photos of groups of which nothing was coded, over the values that were."""
    photos = pd.read_csv(SAMPLE / "photos.csv")
    target = Target("nominal", tuple(sorted(photos[variable].unique())))
    truth = target.encode(photos[variable].tolist())
    paths = [SAMPLE / "photos" / name for name in photos["filename"]]
    vectors = np.asarray(visanda.embed()(paths)["embedding"], np.float32)
    rows = []
    for number in numbers:
        for seed in range(repeats):
            coded, test = some(photos[group], number, seed)
            test = test[np.isin(truth[test], truth[coded])]  # of others, no head can know
            for kind in kinds:
                began = time.perf_counter()
                made = fit(kind, vectors[coded], truth[coded], target, photos[group].to_numpy()[coded], seed=seed)
                seconds = time.perf_counter() - began
                said = Own(made.model)(vectors[test])
                rows.append(
                    {
                        "codes": number,
                        "seed": seed,
                        "kind": kind,
                        "macro F1": f1_score(
                            truth[test], said.argmax(axis=1), labels=np.unique(truth[test]), average="macro"
                        ),
                        "log loss": log_loss(
                            truth[test],
                            said / said.sum(axis=1, keepdims=True),
                            labels=range(len(target.classes)),
                        ),
                        "seconds": seconds,
                    }
                )
        here = pd.DataFrame(rows).query("codes == @number").drop(columns="seed")
        print(here.groupby("kind", sort=False).mean().round(3), flush=True)
    table = pd.DataFrame(rows)
    if out:
        table.to_csv(out, index=False)
    f1 = table.groupby(["kind", "codes"], sort=False)["macro F1"]
    error = f1.std() / np.sqrt(repeats)
    said_ = f1.mean().map("{:.3f}".format) + " ± " + (1.96 * error).map("{:.3f}".format)
    print(f"macro-F1, mean of {repeats} draws of codes ± 95 %:\n{said_.unstack()}")


def some(groups: pd.Series, number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of whole groups that hold at most ``number`` photos, and all others."""
    coded = np.zeros(len(groups), bool)
    for group in np.random.default_rng(seed).permutation(groups.unique()):
        of_it = (groups == group).to_numpy()
        if coded.sum() + of_it.sum() <= number:
            coded |= of_it
    return np.flatnonzero(coded), np.flatnonzero(~coded)


def cost(pictures: int) -> None:
    """Seconds of ``measure embed`` and of ``train``, on the same pictures."""
    photos = pd.read_csv(SAMPLE / "photos.csv")
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "cut").mkdir()
        known = []
        for turn in range(pictures):
            row = photos.iloc[turn % len(photos)]
            pixels = Image.of(SAMPLE / "photos" / row["filename"]).pixels
            height, width = pixels.shape[:2]
            top, left = (int(random.integers(max(1, edge - SIDE))) for edge in (height, width))
            name = f"{turn:05d}.jpg"
            save(np.ascontiguousarray(pixels[top : top + SIDE, left : left + SIDE]), Path(folder) / "cut" / name)
            known.append({"filename": name, "category": row["category"], "scene": row["scene"]})
        corpus = Corpus.init(Path(folder) / "study")
        corpus.add(str(Path(folder) / "cut"), metadata=pd.DataFrame(known))
        began = time.perf_counter()
        corpus.measure("embed")
        embedding = time.perf_counter() - began
        codes.append(corpus.folder, "kind", "ana", corpus.frame("SELECT id, category AS value FROM media"))
        began = time.perf_counter()
        result = corpus.train("kind", group=["scene"])
        training = time.perf_counter() - began
    print("\n".join(result.words))
    print(
        f"{pictures:,} pictures of {SIDE} pixels: embedding {embedding:.1f} s, train --model linear {training:.1f} s, "
        f"ratio {training / embedding:.3f}"
    )


if __name__ == "__main__":
    main()
