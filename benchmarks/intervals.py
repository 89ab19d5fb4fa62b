"""Joins by time against sorting: ``python benchmarks/intervals.py``.

Made-up pairs of frames are joined to programmes, found around votes and averaged in bins. Each is told in CPU
seconds of all cores, and as a ratio to ``numpy.argsort`` of as many random numbers: what it costs to bring the
units into an order, as ``pandas.merge_asof`` needs them. That is run beside ours; it finds the one programme
that began last, so it serves only where none overlap. Units are ``shuffled`` or ``in order``, as a measure
writes them.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from visanda.study.time.clock import on_clock
from visanda.study.time.intervals import around, during
from visanda.study.time.panel import aggregate, bins

HOURS = 8  # that a recording lasts


def made_up(n: int, m: int, recordings: int, shuffled: bool, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``n`` pairs of frames, and ``m`` programmes that follow each other with gaps, in ``recordings``."""
    rng = np.random.default_rng(seed)
    names = pd.Series([f"broadcasts/station_{i:05d}.mp4" for i in range(recordings)], dtype="str")
    start = np.round(rng.random(n) * HOURS * 3600, 6)
    parent = rng.integers(0, recordings, n)
    if not shuffled:
        order = np.lexsort((start, parent))
        start, parent = start[order], parent[order]
    units = pd.DataFrame({"start": start, "stop": start + 0.04, "motion": rng.random(n)})
    units["parent"] = names.take(parent).array
    each = m // recordings
    edges = np.sort(rng.random((recordings, 2 * each)) * HOURS * 3600, axis=1)
    programmes = pd.DataFrame({"start": edges[:, ::2].ravel(), "end": edges[:, 1::2].ravel()})
    programmes["parent"] = names.repeat(each).array
    programmes["programme"] = np.arange(len(programmes))
    return units, programmes


def cpu(work: Callable[[], object]) -> tuple[float, object]:
    begin = time.process_time()
    made = work()
    return time.process_time() - begin, made


def peak_megabytes() -> float:
    """The most memory this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def merge_asof(units: pd.DataFrame, programmes: pd.DataFrame) -> pd.DataFrame:
    ordered = units.sort_values("start")
    found = pd.merge_asof(ordered, programmes.sort_values("start").eval("begins = start"), on="start", by="parent")
    found.loc[~(found["start"] < found["end"]), ["begins", "end", "programme"]] = np.nan
    return found


def compare(units: pd.DataFrame, programmes: pd.DataFrame, which: list[str]) -> None:
    floor, _ = cpu(lambda: np.argsort(np.random.default_rng(0).random(len(units)), kind="stable"))
    megabytes = units.memory_usage(index=False, deep=True).sum() / 2**20
    print(f"  units {megabytes:,.0f} MB, peak so far {peak_megabytes():,.0f} MB; numpy.argsort {floor:.2f} CPU s")
    long = programmes.groupby("parent", as_index=False).agg(start=("start", "min"), end=("end", "max"))
    nested = pd.concat([programmes, long.assign(programme=-1)], ignore_index=True)
    votes = pd.DataFrame({"parent": programmes["parent"], "time": programmes["start"]})
    began = {name: pd.Timestamp("2021-03-27 20:00", tz="Europe/Berlin") for name in programmes["parent"].unique()}
    work: dict[str, Callable[[], object]] = {
        "during, middle": lambda: during(units, programmes),
        "during, within": lambda: during(units, programmes, how="within"),
        "during, overlap": lambda: during(units, programmes, how="overlap"),
        "during, one nested": lambda: during(units, nested),
        "around, 30 s": lambda: around(units, votes),
        "on_clock": lambda: on_clock(units, began),
        "aggregate by recording": lambda: aggregate(units, ["parent"]),
        "bins, 10 s": lambda: bins(units, 10),
        "pandas.merge_asof": lambda: merge_asof(units, programmes),
    }
    for name, call in work.items():
        if not which or any(part in name for part in which):
            seconds, made = cpu(call)
            rows = len(getattr(made, "table", made))  # type: ignore[arg-type]
            del made
            print(f"  {name:24} {seconds:7.2f} CPU s   ratio {seconds / floor:5.2f}   {rows:12,} rows   ", end="")
            print(f"peak {peak_megabytes():6,.0f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=10_000_000)
    parser.add_argument("--programmes", type=int, default=100_000)
    parser.add_argument("--recordings", type=int, nargs="+", default=[1_000])
    parser.add_argument("--only", nargs="*", default=[], help="parts of the names of what to run")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for recordings in options.recordings:
        for shuffled in (False, True):
            units, programmes = made_up(options.units, options.programmes, recordings, shuffled, options.seed)
            order = "shuffled" if shuffled else "in order"
            print(f"{len(units):,} units {order}, {len(programmes):,} programmes, {recordings:,} recordings")
            compare(units, programmes, options.only)


if __name__ == "__main__":
    main()
