"""Pictures a second of ``measure embed``, against the limit of the machine and the loop a tutorial would teach.

    python benchmarks/throughput.py [--pictures 2000] [--repeat 3]

In one run, on generated JPEGs of about 1024×768:

- limit: the same decoding and inference on all cores with nothing else: no tables, no errors, no progress.
- tutorial: Pillow and onnxruntime, one picture after the other, as a notebook would do it.
- visanda: ``corpus.measure("embed")``, from the folder to the Parquet table.

Then: four measures in one pass against four passes; peak memory with n and 4n pictures; how embeddings from the reduced
decode agree with those of a full decode. Times are medians; machines are shared, so read the ratios.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from PIL import Image

import visanda
from visanda.corpus import Corpus
from visanda.measures import embed
from visanda.media import decode, load
from visanda.media.save import encode
from visanda.models import WEIGHTS, imagenet_input, session

SAMPLE = Path(visanda.__file__).parent / "sample" / "photos"
CORES = os.cpu_count() or 1


def generate(folder: Path, n: int) -> list[Path]:
    """n different JPEGs of about 1024×768: sample photos enlarged, cropped differently, with a little noise."""
    folder.mkdir()
    sources = sorted(SAMPLE.glob("*.webp"))
    random = np.random.default_rng(1)
    paths = []
    for i in range(n):
        pixels = load(sources[i % len(sources)]).pixels
        picture = cv2.resize(pixels, (1088, 816), interpolation=cv2.INTER_CUBIC)
        x, y = random.integers(0, 64), random.integers(0, 48)
        picture = picture[y : y + 768, x : x + 1024].astype(np.int16)
        picture += random.integers(-6, 7, (768, 1024, 1), dtype=np.int16)
        paths.append(folder / f"{i:05d}.jpg")
        Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(paths[-1], quality=88)
    return paths


def limit(paths: list[Path]) -> None:
    """Decode and infer on all cores, nothing else."""
    run = session("efficientnet_lite0").run

    def one(path: Path) -> np.ndarray:
        return run(["feat"], {"x": imagenet_input(decode(path.read_bytes(), 256).pixels)})[0]

    with ThreadPoolExecutor(CORES) as pool:
        for _ in pool.map(one, paths):
            pass


def tutorial(paths: list[Path]) -> None:
    """Pillow and onnxruntime with its defaults, one picture at a time."""
    model = onnxruntime.InferenceSession(str(WEIGHTS / "efficientnet_lite0.onnx"))
    for path in paths:
        picture = Image.open(path).convert("RGB")
        scale = 256 / min(picture.size)
        picture = picture.resize(
            (round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC
        )
        left, top = (picture.width - 224) // 2, (picture.height - 224) // 2
        x = (np.asarray(picture.crop((left, top, left + 224, top + 224)), np.float32) - 127) / 128
        model.run(["feat"], {"x": x.transpose(2, 0, 1)[None]})


def corpus_of(folder: Path, work: Path) -> Corpus:
    """A new corpus of a folder."""
    shutil.rmtree(work, ignore_errors=True)
    corpus = Corpus.init(work)
    corpus.add(str(folder))
    return corpus


def seconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def timed(corpus: Corpus, *measures: str, **options: object) -> float:
    return seconds(lambda: corpus.measure(*measures, **options))


def peak_memory(folder: Path, work: Path) -> float:
    """MB that a process which adds and embeds a folder takes at most."""
    code = (
        "import resource, sys; from visanda.corpus import Corpus; "
        "c = Corpus.init(sys.argv[2]); c.add(sys.argv[1]); c.measure('embed'); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    shutil.rmtree(work, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(work)], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1]) / 1024


def throughput(paths: list[Path], work: Path, repeat: int) -> None:
    folder, n = paths[0].parent, len(paths)
    limit(paths[:50])  # load the model before the clock runs
    times: dict[str, list[float]] = {"limit": [], "visanda": [], "tutorial": []}
    for _ in range(repeat):  # in turns, so that a slow minute hits all
        corpus = corpus_of(folder, work)
        times["limit"].append(seconds(lambda: limit(paths)))
        times["visanda"].append(seconds(lambda corpus=corpus: corpus.measure("embed")))
        times["tutorial"].append(seconds(lambda: tutorial(paths)))
    print(f"\nembed, {n:,} JPEGs of 1024×768, {CORES} cores, median of {repeat}")
    ratios = {
        name: statistics.median(a / b for a, b in zip(times["limit"], own, strict=True)) for name, own in times.items()
    }
    for name, own in times.items():
        print(f"  {name:9} {n / statistics.median(own):8.1f} pictures/s   {ratios[name]:.2f} of the limit")


def passes(folder: Path, work: Path, repeat: int, measures: tuple[str, ...]) -> None:
    """What several measures cost in one pass, against a pass each."""
    ratios = []
    for _ in range(repeat):
        corpus = corpus_of(folder, work)
        each = [timed(corpus, name, name=f"{name}_alone") for name in measures]
        ratios.append(timed(corpus, *measures) / sum(each))
    median = statistics.median(ratios)
    print(f"one pass of {', '.join(measures)}: {median:.2f} of the sum of {len(measures)} passes")


def agreement(paths: list[Path], larger: int) -> None:
    """Cosines of embeddings from the reduced decode with those of a full one, of pictures enlarged so many times."""
    pictures = []
    for path in paths:
        pixels = load(path).pixels
        wide = cv2.resize(pixels, None, fx=larger, fy=larger, interpolation=cv2.INTER_CUBIC)
        pictures.append(encode(wide, "JPEG", quality=90))
    reduced = embed()([decode(data, 256) for data in pictures])["embedding"]
    full = embed()([decode(data) for data in pictures])["embedding"]
    cosine = (reduced * full).sum(axis=1)
    size = f"{1024 * larger}×{768 * larger}"
    print(
        f"embedding from the reduced against the full decode, {len(paths)} pictures of {size}: "
        f"median cosine {np.median(cosine):.4f}, 5 % below {np.percentile(cosine, 5):.4f}, least {cosine.min():.4f}"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--pictures", type=int, default=2000)
    arguments.add_argument("--repeat", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        paths = generate(place / "pictures", given.pictures)
        throughput(paths, place / "work", given.repeat)
        few = place / "few"
        few.mkdir()
        for path in paths[: len(paths) // 4]:
            (few / path.name).hardlink_to(path)
        passes(few, place / "work", given.repeat, ("colour", "sharpness", "hash", "embed"))
        passes(few, place / "work", given.repeat, ("colour", "sharpness", "hash", "composition"))
        small, large = peak_memory(few, place / "memory"), peak_memory(paths[0].parent, place / "memory")
        print(f"peak memory: {small:.0f} MB for {len(paths) // 4:,} pictures, {large:.0f} MB for {len(paths):,}")
        for larger in (1, 2, 4):
            agreement(paths[:100], larger)
        print(f"this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
