"""The table of copies: a row a stretch, without those that a much closer one explains."""

from __future__ import annotations

import numpy as np

from visanda.learn.copies.grid import Grid
from visanda.learn.copies.stretches import ENDS, Stretch, count_looks

COLUMNS: dict[str, type] = {
    "a": object,
    "a_start": float,
    "a_stop": float,
    "b": object,
    "b_start": float,
    "b_stop": float,
    "seconds": float,
    "offset": float,
    "matched": float,
    "distance": float,
    "looks": int,
    "a_length": float,
    "b_length": float,
}

MUCH_CLOSER = 4.0  # bits, on average, by which one alignment of a stretch makes another one an accident


def as_row(grid: Grid, a: int, b: int, stretch: Stretch, distance: int) -> dict[str, str | float]:
    """A stretch as a row of the table."""
    starts = grid.starts[stretch.a]
    offsets = grid.starts[stretch.b] - starts
    first, last = starts[0], starts[-1] + grid.every
    return {
        "a": grid.names[a],
        "a_start": round(first, 6),
        "a_stop": round(last, 6),
        "b": grid.names[b],
        "b_start": round(max(0.0, first + np.median(offsets[:ENDS])), 6),
        "b_stop": round(last + np.median(offsets[-ENDS:]), 6),
        "seconds": round(last - first, 6),
        "offset": round(np.median(offsets), 6),
        "matched": round(len(stretch.a) / grid.live[stretch.a[0] : stretch.a[-1] + 1].sum(), 6),
        "distance": round(stretch.distances.mean(), 3),
        "looks": count_looks(grid, stretch, distance),
        "a_length": round(grid.lengths[a], 6),
        "b_length": round(grid.lengths[b], 6),
    }


def closest(rows: list[dict[str, str | float]]) -> list[dict[str, str | float]]:
    """Without what a much closer stretch of the same two videos explains: a fixed camera resembles itself always."""
    kept: list[dict[str, str | float]] = []
    for row in sorted(rows, key=lambda row: (row["distance"], -float(row["seconds"]))):
        if not any(_explained(row, other) for other in kept):
            kept.append(row)
    return kept


def _explained(row: dict[str, str | float], by: dict[str, str | float]) -> bool:
    if float(row["distance"]) < float(by["distance"]) + MUCH_CLOSER:
        return False
    for one in "ab":
        start, stop = float(row[f"{one}_start"]), float(row[f"{one}_stop"])
        shared = min(stop, float(by[f"{one}_stop"])) - max(start, float(by[f"{one}_start"]))
        if shared > (stop - start) / 2:
            return True
    return False
