"""``measure faces`` and the four measures of faces, against decoding and the models by themselves.

    python benchmarks/faces_overhead.py [--pictures 300] [--repeat 3]

In one run, on generated JPEGs of about 1024×768 with one to five faces each:

- alone: decoding; finding faces (YuNet); the mesh of each; the four networks on chips that are ready. Each by itself on
  all cores, with nothing around it: no tables, no ids, no cutting out, no errors, no progress. Their sum is the limit.
- visanda: a corpus, ``measure faces``, then ``measure identity age gender expression --on face``, from the folder to
  the Parquet tables.

Faces are measured in a second pass, so that each picture is decoded twice; the sum has both. Times are medians;
machines are shared, so read the ratios, and those in time of cores first, which neighbours change less.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

import visanda
from visanda.corpus import Corpus
from visanda.measures.age import age
from visanda.measures.expression import expression
from visanda.measures.gender import gender
from visanda.measures.identity import identity
from visanda.media import Detail, Image, decode
from visanda.models.chips import aligned, upright
from visanda.models.face_nets import (
    AGE_CHIP,
    EXPRESSION_SIZE,
    GENDER_CHIP,
    IDENTITY_CHIP,
    ages,
    both_ways,
    expressions,
    genders,
    identities,
)
from visanda.models.facemesh import ANCHORS, mesh
from visanda.models.yunet import detect

SAMPLE = Path(visanda.__file__).parent / "sample"
SOURCES = [*sorted((SAMPLE / "faces").glob("*.jpg")), SAMPLE / "photos" / "expl_music__mexico.webp"]
CORES = os.cpu_count() or 1


def generate(folder: Path, n: int) -> list[Path]:
    """n different JPEGs of 1024×768 with faces: a portrait or a group, moved about, on grey noise."""
    folder.mkdir()
    random = np.random.default_rng(1)
    paths = []
    for i in range(n):
        picture = Pillow.fromarray(random.integers(110, 140, (768, 1024, 3), dtype=np.uint8))
        person = Pillow.open(SOURCES[i % len(SOURCES)]).convert("RGB")
        person.thumbnail((1000, 600))
        picture.paste(person, (int(random.integers(0, 1025 - person.width)), int(random.integers(0, 150))))
        paths.append(folder / f"{i:05d}.jpg")
        picture.save(paths[-1], quality=88)
    return paths


def on_all_cores(function: Callable[..., object], items: Iterable) -> list:
    with ThreadPoolExecutor(CORES) as pool:
        return list(pool.map(function, items))


def found_in(path: Path) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]], list[Detail]]:
    """What the models by themselves are given: pixels, boxes with points, and faces with anchors."""
    pixels = decode(path.read_bytes()).pixels
    found = detect(pixels)
    boxes = list(zip(found.boxes, found.points, strict=True))
    clouds = [mesh(pixels, box, points)[0] for box, points in boxes]
    whole = Image.of(pixels)
    faces = [
        Detail(whole, tuple(round(float(number)) for number in box), cloud[list(ANCHORS), :2].ravel().tolist())
        for (box, _), cloud in zip(boxes, clouds, strict=True)
    ]
    return pixels, boxes, faces


def ready(face: Detail) -> dict[str, list[np.ndarray]]:
    crop = upright(face, EXPRESSION_SIZE)
    return {
        "identity": [aligned(face, *IDENTITY_CHIP)],
        "age": [aligned(face, *AGE_CHIP), aligned(face, *AGE_CHIP, mirror=True)],
        "gender": [aligned(face, *GENDER_CHIP), aligned(face, *GENDER_CHIP, mirror=True)],
        "expression": [crop, crop[:, ::-1]],
    }


def nets(chips: dict[str, list[np.ndarray]]) -> None:
    identities(chips["identity"])
    for net, name in ((ages, "age"), (genders, "gender"), (expressions, "expression")):
        both_ways(net, chips[name][:1], chips[name][1:])


def timed(function: Callable[[], object]) -> np.ndarray:
    """Seconds by the clock, and of all cores."""
    start = np.array([time.perf_counter(), time.process_time()])
    function()
    return np.array([time.perf_counter(), time.process_time()]) - start


def alone(paths: list[Path], there: list) -> dict[str, np.ndarray]:
    """Seconds of each part by itself."""
    chips = [ready(face) for _, _, faces in there for face in faces]
    # Pictures, and not faces, are spread over the cores, as visanda does it.
    return {
        "decode, twice": 2 * timed(lambda: on_all_cores(lambda path: decode(path.read_bytes()), paths)),
        "find": timed(lambda: on_all_cores(lambda one: detect(one[0]), there)),
        "mesh": timed(lambda: on_all_cores(lambda one: [mesh(one[0], *box) for box in one[1]], there)),
        "networks": timed(lambda: on_all_cores(nets, chips)),
    }


def whole(folder: Path) -> dict[str, np.ndarray]:
    """Seconds of visanda, from the folder to the tables."""
    with tempfile.TemporaryDirectory() as place:
        corpus = Corpus.init(Path(place) / "corpus")
        corpus.add(folder)
        return {
            "measure faces": timed(lambda: corpus.measure("faces")),
            "measure identity age gender expression": timed(
                lambda: corpus.measure(identity(), age(), gender(), expression(), on="face")
            ),
        }


def median(runs: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.median([run[name] for run in runs], axis=0) for name in runs[0]}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--pictures", type=int, default=300)
    options.add_argument("--repeat", type=int, default=3)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "pictures"
        paths = generate(folder, chosen.pictures)
        there = on_all_cores(found_in, paths)
        print(f"{len(paths)} pictures, {sum(len(faces) for *_, faces in there)} faces, {CORES} cores")
        runs = [(alone(paths, there), whole(folder)) for _ in range(chosen.repeat)]
    parts, wholes = median([one for one, _ in runs]), median([other for _, other in runs])
    print(f"{'milliseconds a picture':40s} {'clock':>8s} {'cores':>8s}")
    for name, seconds in {**parts, **wholes}.items():
        clock, cores = 1000 * seconds / len(paths)
        print(f"{name:40s} {clock:8.1f} {cores:8.1f}")
    ratios = np.array([sum(other.values()) / sum(one.values()) for one, other in runs])
    for name, ratio in zip(("by the clock", "in time of cores"), ratios.T, strict=True):
        print(f"visanda / sum of its parts, {name}: {np.median(ratio):.2f} ({ratio.min():.2f} to {ratio.max():.2f})")


if __name__ == "__main__":
    main()
