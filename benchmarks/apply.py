"""``apply`` of a fine-tuned model to a corpus, against the bare loop of decoding and inference.

    python benchmarks/apply.py [--pictures 1000] [--repeat 3]

In one run, on generated JPEGs of about 1024×768, with a network (lite0) that was fine-tuned on 60 of them:

- bare: the same decoding, squares and inference on all cores with nothing else: no tables, no errors, no progress.
- visanda: ``corpus.apply("it")``, from the folder to the table of predictions and to drift.
- again: the same once more, when all pictures have been looked at.

Rounds of both alternate; times are medians; machines are shared, so read the ratio.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from throughput import generate

from visanda.corpus import Corpus
from visanda.learn.trained import load as load_model
from visanda.media import decode
from visanda.models.own import Own
from visanda.models.squares import held_side, squared

CODED = 60
CORES = os.cpu_count() or 1


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pictures", type=int, default=1000)
    arguments.add_argument("--repeat", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as work:
        paths = generate(Path(work) / "pictures", given.pictures)
        corpus = Corpus.init(Path(work) / "study")
        corpus.add(str(Path(work) / "pictures"))
        ids = sorted(corpus.frame("SELECT id FROM media")["id"])[:CODED]
        values = np.where(np.arange(CODED) % 2 == 0, "yes", "no")
        corpus.code("it", import_=pd.DataFrame({"id": ids, "value": values}), coder="ana")
        corpus.measure("embed")  # as in most studies; drift is then looked for in it, too
        corpus.train("it", model="finetune", layers="frozen", epochs=1, device="cpu")
        model = load_model(corpus.models / "it").model
        times: dict[str, list[float]] = {"bare": [], "visanda": [], "again": []}
        for _ in range(given.repeat):
            for table in ("it", "it_scores"):
                shutil.rmtree(corpus.folder / "tables" / table, ignore_errors=True)
            times["bare"].append(seconds(lambda: bare(model, paths)))
            times["visanda"].append(seconds(lambda: corpus.apply("it")))
            times["again"].append(seconds(lambda: corpus.apply("it")))
    ratios = [ours / theirs for ours, theirs in zip(times["visanda"], times["bare"], strict=True)]
    for name, taken in times.items():
        print(f"{name:8} {statistics.median(taken):7.2f} s  ({', '.join(f'{one:.2f}' for one in taken)})")
    print(f"visanda / bare: {statistics.median(ratios):.3f}  ({', '.join(f'{one:.3f}' for one in ratios)})")


def bare(model: bytes, paths: list[Path]) -> np.ndarray:
    """Decode and infer on all cores, nothing else."""
    run = Own(model)
    size = held_side(run.width, "square")

    def one(path: Path) -> np.ndarray:
        return run(squared(decode(path.read_bytes(), size).pixels, run.width, "square")[None])

    with ThreadPoolExecutor(CORES) as pool:
        return np.concatenate(list(pool.map(one, paths)))


def seconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
