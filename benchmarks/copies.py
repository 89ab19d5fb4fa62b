"""Near-duplicate videos: ``python benchmarks/copies.py``, or ``python benchmarks/copies.py FOLDER`` on real ones.

Made-up signatures: videos of 60 seconds at two hashes a second, in shots of 2–8 seconds within which hashes walk
at random, as those of moving pictures do; bits are uneven and correlated. A tenth of the videos holds a piece of
5–30 seconds of another, at any place, whose hashes are half a step off (each bit from one of two neighbours) and
have further bits flipped. Every third video shows the same card for 5 seconds: it is no copy. With ``--camera``, so
many videos more are one view from a fixed camera, the whole time.

Of a folder, each video's signatures are measured, and what is found is printed.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from duplicates import flips, peak_megabytes, skewed

from visanda.learn.copies import copies, groups
from visanda.measure import Stream
from visanda.measures.signature import signature
from visanda.media import Frame, Video

EVERY = 0.5
SAMPLES = 120  # a video
CARD = 10  # samples


def made_up(videos: int, camera: int, noise: float, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The signatures, and what was planted: a, b, and where the piece begins in each and how long it is, in samples."""
    hashes = walks(videos, rng)
    originals, holders = rng.permutation(videos)[: videos // 5].reshape(2, -1)
    planted, taken = [], np.zeros(hashes.shape, bool)
    for a, b in zip(originals, holders, strict=True):
        length = int(rng.integers(10, 61))
        source, target = rng.integers(0, SAMPLES - length, 2)
        piece = between(hashes[a, source : source + length + 1], rng)
        hashes[b, target : target + length] = piece ^ flips(rng.binomial(64, noise, length), rng)
        taken[a, source : source + length], taken[b, target : target + length] = True, True
        planted.append((a, b, source, target, length))
    card = skewed(1, rng)[0]
    for video in np.flatnonzero(np.arange(videos) % 3 == 0):
        at = int(rng.integers(SAMPLES - CARD))
        if not taken[video, at : at + CARD].any():
            hashes[video, at : at + CARD] = card ^ flips(rng.integers(0, 4, CARD), rng)
    view = skewed(1, rng)[0]
    views = [view ^ flips(rng.integers(0, 5, SAMPLES), rng) for _ in range(camera)]
    all_hashes = np.concatenate([hashes, np.array(views, np.uint64).reshape(camera, SAMPLES)])
    table = pd.DataFrame(
        {
            "parent": np.repeat([f"{i:06}.mp4" for i in range(len(all_hashes))], SAMPLES),
            "start": np.tile(np.arange(SAMPLES) * EVERY, len(all_hashes)),
            "hash": [f"{value:016x}" for value in all_hashes.ravel().tolist()],
            "detail": 0.4,
        }
    )
    return table, pd.DataFrame(planted, columns=["a", "b", "source", "target", "length"])


def walks(videos: int, rng: np.random.Generator) -> np.ndarray:
    """Hashes (videos, SAMPLES) of shots of 4–16 samples; each differs from the one before in 0–3 bits."""
    cuts = rng.random((videos, SAMPLES)) < 0.1
    cuts[:, 0] = True
    steps = np.stack([flips(rng.integers(0, 4, SAMPLES), rng) for _ in range(videos)])
    shots = skewed(int(cuts.sum()), rng)
    hashes = np.empty((videos, SAMPLES), np.uint64)
    now = np.zeros(videos, np.uint64)
    number = np.cumsum(cuts.ravel()).reshape(cuts.shape) - 1
    for k in range(SAMPLES):
        now = np.where(cuts[:, k], shots[number[:, k]], now ^ steps[:, k])
        hashes[:, k] = now
    return hashes


def between(hashes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hashes half a step off: where two neighbours differ, each bit is from one or the other."""
    return hashes[:-1] ^ ((hashes[:-1] ^ hashes[1:]) & rng.integers(0, 2**64, len(hashes) - 1, dtype=np.uint64))


def score(found: pd.DataFrame, planted: pd.DataFrame, videos: int) -> dict[str, int]:
    """How many planted pieces are found (half of one, its offset right to a second), and what else is."""
    right = {}
    for piece in planted.itertuples():
        low, high = sorted((piece.a, piece.b))
        offset = (piece.target - piece.source) * (1 if piece.a < piece.b else -1) * EVERY
        right[low, high] = offset, piece.length * EVERY
    hits, card, camera, still, wrong = set(), 0, 0, 0, 0
    a, b = (found[name].str.slice(0, 6).astype(int) for name in ("a", "b"))
    stretches = found[["offset", "seconds", "looks"]].itertuples(index=False)
    for pair, (offset, seconds, looks) in zip(zip(a, b, strict=True), stretches, strict=True):
        planted_offset, planted_seconds = right.get(pair, (np.inf, np.inf))
        if abs(offset - planted_offset) <= 1:
            hits |= {pair} if seconds >= planted_seconds / 2 else set()
        elif min(pair) >= videos:
            camera += 1
        elif pair[0] % 3 == pair[1] % 3 == 0:
            card += 1
        elif looks == 1:
            still += 1
        else:
            wrong += 1
    return {
        "planted": len(planted),
        "found": len(hits),
        "the card": card,
        "the camera": camera,
        "wrong, of one look": still,
        "wrong, of several": wrong,
    }


def scale(options: argparse.Namespace) -> None:
    for videos in options.videos:
        signatures, planted = made_up(videos, options.camera, options.noise, np.random.default_rng(options.seed))
        before = peak_megabytes()
        start, cpu = time.perf_counter(), time.process_time()
        found = copies(signatures)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        print(f"\n{videos + options.camera:,} videos, {len(signatures):,} samples, {options.noise:.0%} of bits flipped")
        print(f"  {seconds:.1f} s ({cpu:.1f} s CPU), peak {peak_megabytes():.0f} MB ({before:.0f} MB before)")
        print(f"  {score(found, planted, videos)}; {found.attrs['common']:,} samples too common", flush=True)


def measured(path: Path) -> pd.DataFrame:
    with Video(path) as video:
        frames = (Frame(f.time, f.duration, f.key, f.grey(90)) for f in video.frames())
        rows = list(signature.implementation(Stream(frames, video.facts), every=EVERY))
    return pd.DataFrame(rows).assign(parent=path.name)


def real(folder: Path) -> None:
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    start = time.process_time()
    signatures = pd.concat([measured(path) for path in paths])
    print(f"{len(paths)} videos, {len(signatures)} samples: {time.process_time() - start:.1f} s CPU")
    with pd.option_context("display.width", 200, "display.max_columns", 20, "display.max_rows", 200):
        found = copies(signatures, at_least=1.5)
        print(found.drop(columns=["a_length", "b_length"]), groups(found), sep="\n\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--videos", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--camera", type=int, default=0, help="so many videos more of one view")
    parser.add_argument("--noise", type=float, default=0.05, help="share of bits flipped in copies")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.folder:
        real(options.folder)
    else:
        scale(options)


if __name__ == "__main__":
    main()
