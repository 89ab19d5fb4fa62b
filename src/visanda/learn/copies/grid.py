"""The grid: the samples of all videos, a cell a step of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from visanda.errors import InputError
from visanda.learn.hamming import parsed_hashes

Numbers = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]

FLAT = 0.04  # detail below which a hash says nothing


@dataclass(frozen=True)
class Grid:
    """The samples of all videos, a cell a step of time, with empty cells before and after each video.

    Attributes:
        names: of the videos, sorted.
        first: (videos,) the cell of each one's second 0.
        cells: (videos,) how many each has.
        owner: (all cells,) the video's position.
        hashes: (all cells,)
        live: (all cells,) whether there is a sample that is not flat.
        starts: (all cells,) its time in seconds.
        lengths: (videos,) seconds from the first sample to the last, less what is flat.
        every: seconds from cell to cell.
        samples: how many there are.
        flat: how many of them.
    """

    names: pd.Index
    first: Numbers
    cells: Numbers
    owner: Numbers
    hashes: npt.NDArray[np.uint64]
    live: Truths
    starts: npt.NDArray[np.float64]
    lengths: npt.NDArray[np.floating]
    every: float
    samples: int
    flat: int

    @classmethod
    def of(cls, signatures: pd.DataFrame, every: float, apart: int) -> Grid:
        """Its samples, videos lying ``apart`` cells from each other.

        Raises:
            InputError: a row without a parent or with a wrong time or hash; samples closer than ``every``.
        """
        rows = signatures.dropna(subset=["hash"])
        starts, detail = (rows[name].to_numpy(np.float64, na_value=np.nan) for name in ("start", "detail"))
        if rows["parent"].isna().any():
            raise InputError("a row of the table of signatures has no parent")
        if not (np.isfinite(starts) & (starts >= 0)).all():
            raise InputError("a row of the table of signatures has no start, or one before second 0")
        videos, names = pd.factorize(rows["parent"], sort=True)
        steps = np.floor(starts / every + 1e-6).astype(np.int64)
        last = np.zeros(len(names), np.int64)
        np.maximum.at(last, videos, steps)
        first = np.cumsum(last + 1 + apart) - last - 1
        size = int(first[-1] + last[-1] + 1 + apart) if len(names) else apart
        cells = first[videos] + steps
        if len(np.unique(cells)) < 0.9 * len(cells):
            raise InputError(f"samples lie closer than every={every} seconds: give the step they were measured with")
        flat = ~(detail >= FLAT)
        grid = cls(
            names=pd.Index(names),
            first=first,
            cells=last + 1,
            owner=np.repeat(np.arange(len(names)), np.diff(first, append=size)),
            hashes=np.zeros(size, np.uint64),
            live=np.zeros(size, bool),
            starts=np.full(size, np.nan),
            lengths=(last + 1 - _least(videos, steps, len(names)) - np.bincount(videos, flat, len(names))) * every,
            every=every,
            samples=len(rows),
            flat=int(flat.sum()),
        )
        grid.hashes[cells], grid.live[cells], grid.starts[cells] = parsed_hashes(rows["hash"]), ~flat, starts
        return grid


def _least(videos: Numbers, steps: Numbers, count: int) -> Numbers:
    least = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(least, videos, steps)
    return least
