"""Near-duplicate search against compiled brute force: ``python benchmarks/duplicates.py``.

Both get the same made-up hashes: ``even`` (all 64 bits random) and ``skewed`` (bits uneven and correlated,
as in hashes of real pictures), where 5 % of the pictures have 1–3 copies with 0–8 flipped bits. Brute force
(``brute_hamming.c``, all cores) comes in two forms: ``plain`` compares pair by pair; ``tiled`` is written so
that the compiler can use vector instructions, which pays most where the processor counts bits in vectors
(AVX-512).

Brute force is run in full up to 100,000 hashes. Above, it compares a random twentieth of the hashes with all
after them, and its time is multiplied by 20; ``--full`` compares all.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from visanda.learn.hamming import Pairs, near_pairs

IN_FULL = 100_000
TWENTIETH = 20


def made_up_hashes(n: int, kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``n`` different hashes in random order, and ``(2, m)`` positions of the copies and their originals."""
    rng = np.random.default_rng(seed)
    pictures = int(n / 1.1)  # 5 % have two copies on average
    originals = np.unique(
        rng.integers(0, 2**64, pictures, dtype=np.uint64) if kind == "even" else skewed(pictures, rng)
    )
    rng.shuffle(originals)
    copied = rng.choice(originals, (n - pictures) // 2, replace=False)
    sources = np.repeat(copied, rng.integers(1, 4, len(copied)))
    copies = sources ^ flips(rng.integers(0, 9, len(sources)), rng)
    hashes = np.unique(np.concatenate([originals, copies]))
    rng.shuffle(hashes)
    order = np.argsort(hashes)
    different = copies != sources
    ends = [order[np.searchsorted(hashes, values[different], sorter=order)] for values in (sources, copies)]
    return hashes, np.stack(ends)


def skewed(n: int, rng: np.random.Generator) -> np.ndarray:
    """Bits whose shares of ones differ, each leaning on the others."""
    mixing = np.eye(64) + 0.35 * rng.normal(size=(64, 64))
    offsets = rng.normal(size=64)
    parts = [rng.normal(size=(len(part), 64)) @ mixing + offsets > 0 for part in np.array_split(np.arange(n), 20)]
    return np.packbits(np.concatenate(parts), axis=1).view(">u8").ravel().astype(np.uint64)


def flips(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each count, a number with so many of 64 bits set."""
    ranks = rng.random((len(counts), 64)).argsort(axis=1)
    return np.packbits(ranks < counts[:, None], axis=1).view(">u8").ravel().astype(np.uint64)


def compiled(folder: Path) -> dict[str, Path]:
    """The two forms of brute force; none where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        print("No C compiler (cc, gcc or clang) found: no brute force to compare with.")
        return {}
    source = Path(__file__).with_name("brute_hamming.c")
    programs = {"plain": 1, "tiled": 64}
    for name, tile in programs.items():
        options = ["-O3", "-march=native", "-pthread", f"-DTILE={tile}", "-o", str(folder / name)]
        subprocess.run([compiler, *options, str(source)], check=True)
    return {name: folder / name for name in programs}


def brute_force(
    program: Path, hashes: np.ndarray, rows: np.ndarray, distance: int, folder: Path
) -> tuple[float, np.ndarray]:
    """Seconds of comparing, and the pairs ``(m, 2)`` of ``rows`` with later ones, sorted."""
    files = [folder / name for name in ("hashes", "rows", "pairs")]
    hashes.tofile(files[0])
    rows.astype(np.uint32).tofile(files[1])
    command = [program, files[0], files[1], str(distance), str(os.cpu_count()), files[2]]
    seconds = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    pairs = np.fromfile(files[2], dtype=np.uint32).reshape(-1, 2)
    return seconds, pairs[np.lexsort(pairs.T[::-1])].astype(np.int64)


def found_of_planted(found: Pairs, planted: np.ndarray, n: int) -> np.ndarray:
    low, high = planted.min(axis=0), planted.max(axis=0)
    return np.isin(low * n + high, found.first * n + found.second)


def peak_megabytes() -> float:
    """The most memory this process (with numpy and the made-up hashes) has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def compare(n: int, kind: str, options: argparse.Namespace, programs: dict[str, Path], folder: Path) -> None:
    hashes, planted = made_up_hashes(n, kind, options.seed)
    before = peak_megabytes()
    start = time.perf_counter()
    found = near_pairs(hashes, options.distance)
    seconds = time.perf_counter() - start
    there = found_of_planted(found, planted, len(hashes)).sum()
    pairs_found = f"{len(found.first):,} pairs   planted {there:,}/{planted.shape[1]:,}"
    print(f"\n{kind}, {len(hashes):,} hashes, distance {options.distance}")
    print(f"  visanda            {seconds:9.2f} s   {pairs_found}")
    print(f"  peak memory        {peak_megabytes():9.0f} MB  ({before:.0f} MB before the search)")
    rows = np.arange(len(hashes))
    scale = 1 if n <= IN_FULL or options.full else TWENTIETH
    if scale > 1:
        rows = np.sort(np.random.default_rng(options.seed).choice(rows, len(rows) // scale, replace=False))
    mine = np.stack([found.first, found.second], axis=1)[np.isin(found.first, rows)]
    for name, program in programs.items():
        brute_seconds, pairs = brute_force(program, hashes, rows, options.distance, folder)
        brute_seconds *= scale
        said = "" if scale == 1 else f"   (1/{scale} of the rows × {scale})"
        same = "same pairs" if np.array_equal(pairs, mine) else "DIFFERENT PAIRS"
        ratio = seconds / brute_seconds
        print(f"  brute force, {name} {brute_seconds:9.2f} s   ratio {ratio:.4f}   {same}{said}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--kinds", nargs="+", choices=["even", "skewed"], default=["even", "skewed"])
    parser.add_argument("--distance", type=int, default=8)
    parser.add_argument("--full", action="store_true", help="brute force over all pairs, whatever the size")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        programs = compiled(Path(folder))
        print(f"{os.cpu_count()} cores; ratio: visanda's seconds / brute force's")
        for n in options.sizes:
            for kind in options.kinds:
                compare(n, kind, options, programs, Path(folder))


if __name__ == "__main__":
    main()
