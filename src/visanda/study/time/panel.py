"""Panel: timed units to means by video, programme or event, by time bins, and by both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.columns import require_columns
from visanda.study.time.averages import Pieces, averages, valued
from visanda.study.time.clock import MISSING, TICKS, Ticks, Times, read, rows
from visanda.study.time.grid import Even, Grid, on_the_clock
from visanda.study.time.overlap import Numbers, spread
from visanda.study.time.stretches import several

MOST = 100_000_000  # bins that a table may have
Fill = Literal["none", "within", "all"]  # bins without units: left out, inside each group's time, in all of it


def aggregate(
    units: pd.DataFrame, by: str | Sequence[str], *, values: Sequence[str] | None = None, weights: str = "duration"
) -> pd.DataFrame:
    """Means of units by any columns: by video, shot, programme, event.

    Args:
        units: a row a unit, with columns start and stop.
        by: columns whose combinations are the groups; a missing value is a group of its own. ``[]``: one group.
        values: columns to average; None: all that hold numbers or booleans, but for those in ``by``. Text has
            to be named.
        weights: ``"duration"``: each unit counts as long as it lasts, and a moment as one; ``"equal"``: each
            counts as one; or a column of numbers of 0 or more (missing: 0), such as the ``overlap`` of ``during``.

    Returns:
        A row a group: the columns of ``by``; ``units``, how many are averaged; ``failed``, how many are not,
        because they have an error, or no time where it is the weight; ``seconds``, how long the units last, in
        sum; the sum of the column ``weights``, where it is one; ``values``: weighted means of numbers, shares
        (0 to 1) of booleans, and of text the one with most weight (of equals, the first in the alphabet). A
        missing value is left out of its mean.

    Raises:
        InputError: a column that is not there, a value that is neither number nor boolean nor text, weights
            below 0, units that stop before they start.

    Example:
        >>> shots = pd.DataFrame({"parent": "a.mp4", "start": [0, 1], "stop": [1, 4], "motion": [0.0, 0.4]})
        >>> aggregate(shots, ["parent"])["motion"].round(3).tolist()
        [0.3]
    """
    by = several(by)
    code, keys = _groups(units, by)
    start, stop = _times(units, "start", "stop")
    pieces = Pieces(np.arange(len(units)), code, np.ones(len(units)), len(keys))
    found = averages(units, _seconds(start, stop), pieces, valued(units, values, [*by, weights]), weights)
    return pd.concat([keys, found], axis=1)


def bins(
    units: pd.DataFrame,
    width: float,
    *,
    by: str | Sequence[str] = ("parent",),
    values: Sequence[str] | None = None,
    weights: str = "duration",
    origin: float = 0.0,
) -> pd.DataFrame:
    """Means of units in time bins of one width, within groups.

    A unit that reaches across the edge of a bin counts in both, in proportion to its time in each.

    Args:
        units: a row a unit, with columns start and stop, in seconds.
        width: of a bin, in seconds, above 0; rounded to microseconds.
        by: columns whose combinations are the groups.
        values: as for ``aggregate``.
        weights: as for ``aggregate``.
        origin: seconds at which a bin starts.

    Returns:
        A row for each bin from the first to the last that a unit of the group lies in: the columns of ``by``;
        ``start`` and ``stop`` of the bin, in seconds; counts and values as from ``aggregate``. A bin without
        units has nulls, and 0 units; a unit across an edge is counted in each of its bins. Units without a
        time, such as a video that could not be read, are counted in a row without start and stop.

    Raises:
        InputError: as ``aggregate`` does; a width that is not above 0; clock times; more than 100 million bins.

    Example:
        >>> pairs = pd.DataFrame({"parent": "a.mp4", "start": [0, 8], "stop": [8, 12], "motion": [0.1, 0.6]})
        >>> bins(pairs, 10)[["start", "motion"]].round(3).values.tolist()
        [[0.0, 0.2], [10.0, 0.6]]
    """
    times = _in_seconds(*_times(units, "start", "stop"))
    return _by_time(units, several(by), Even.of(width, origin), times, values, weights, fill="within")


def panel(
    units: pd.DataFrame,
    group: str | Sequence[str],
    time: float | str,
    *,
    values: Sequence[str] | None = None,
    weights: str = "duration",
    balanced: bool = False,
) -> pd.DataFrame:
    """A row for each group and time, with counts, means and sums.

    Args:
        units: a row a unit, with columns start and stop; for a period, start_clock and stop_clock, which
            ``on_clock`` adds.
        group: columns whose combinations are the groups, such as a station.
        time: seconds of a bin; or a period on the clock, in the time zone of start_clock: ``"minute"``,
            ``"quarter-hour"``, ``"hour"``, ``"day"``, ``"week"`` (from Monday), ``"month"``, ``"quarter"``,
            ``"year"``.
        values: as for ``aggregate``.
        weights: as for ``aggregate``.
        balanced: have a row for each group at each time from the first to the last of all groups, with nulls
            and 0 units where there are none. Else rows without units are left out.

    Returns:
        As from ``bins``, with timestamps for periods; and for each number and boolean a column such as
        ``faces_sum``: its values added up, those of units across an edge in proportion.

    Raises:
        InputError: as ``bins`` does; a period that there is not.

    Example:
        >>> frames = pd.DataFrame({"parent": "a.mp4", "start": [0, 5, 50], "stop": [0, 5, 50], "faces": [1, 2, 4]})
        >>> panel(frames, ["parent"], 10)[["start", "faces", "faces_sum"]].values.tolist()
        [[0.0, 1.5, 3.0], [50.0, 4.0, 4.0]]
    """
    grid: Grid
    if isinstance(time, str):
        times = _times(units, "start_clock", "stop_clock")
        grid = on_the_clock(*times, time)
    else:
        times = _in_seconds(*_times(units, "start", "stop"))
        grid = Even.of(time, 0.0)
    return _by_time(units, several(group), grid, times, values, weights, "all" if balanced else "none", sums=True)


def _by_time(
    units: pd.DataFrame,
    by: Sequence[str],
    grid: Grid,
    times: tuple[Times, Times],
    values: Sequence[str] | None,
    weights: str,
    fill: Fill,
    sums: bool = False,
) -> pd.DataFrame:
    start, stop = times
    code, keys = _groups(units, by)
    timed = start.known & stop.known
    known, lost = np.flatnonzero(timed), np.flatnonzero(~timed)
    begin, end, group = start.ticks[known], stop.ticks[known], code[known]
    first, last = grid.bin(begin), grid.bin(np.maximum(end - 1, begin))
    part, number = spread(first, _few(last - first + 1))
    lowest, bins_of = _ranges(group, first, last, len(keys), fill)
    base = np.cumsum(bins_of) - bins_of
    used = base[group[part]] + number - lowest[group[part]]
    cell = used
    if fill == "none":
        used, cell = np.unique(used, return_inverse=True)
    else:
        used = np.arange(_few(bins_of).sum())
    owner = np.searchsorted(base, used, "right") - 1
    bin_number = lowest[owner] + used - base[owner]
    nowhere, cell_of_lost = np.unique(code[lost], return_inverse=True)
    pieces = Pieces(
        np.concatenate([known[part], lost]),
        np.concatenate([cell, len(used) + cell_of_lost]),
        np.concatenate([_share(begin[part], end[part], grid, number), np.ones(len(lost))]),
        len(used) + len(nowhere),
    )
    owner = np.concatenate([owner, nowhere])
    without = np.full(len(nowhere), MISSING)
    edges = {
        "start": replace(start, ticks=np.concatenate([grid.edge(bin_number), without])).column(),
        "stop": replace(stop, ticks=np.concatenate([grid.edge(bin_number + 1), without])).column(),
    }
    found = averages(units, _seconds(start, stop), pieces, valued(units, values, [*by, weights]), weights, sums)
    table = pd.concat([keys.take(owner).reset_index(drop=True), pd.DataFrame(edges), found], axis=1)
    return table.take(np.argsort(owner, kind="stable")).reset_index(drop=True)


def _share(begin: Ticks, end: Ticks, grid: Grid, number: Numbers) -> NDArray[np.float64]:
    """Share of each unit that lies in the bin; 1 for a moment."""
    inside = np.minimum(end, grid.edge(number + 1)) - np.maximum(begin, grid.edge(number))
    share = np.ones(len(begin))
    return np.divide(inside, end - begin, out=share, where=end > begin)


def _ranges(group: Numbers, first: Numbers, last: Numbers, groups: int, fill: Fill) -> tuple[Numbers, Numbers]:
    """(groups,) the first bin of each group, and how many bins it has."""
    if not len(group):
        return np.zeros(groups, np.int64), np.zeros(groups, np.int64)
    if fill == "all":
        return np.full(groups, first.min()), np.full(groups, last.max() - first.min() + 1)
    lowest, highest = np.full(groups, last.max()), np.full(groups, first.min() - 1)
    np.minimum.at(lowest, group, first)
    np.maximum.at(highest, group, last)
    return lowest, np.maximum(highest - lowest + 1, 0)


def _few(counts: Numbers) -> Numbers:
    if (total := int(counts.sum(dtype=float))) > MOST:
        raise InputError(f"that makes {total:,} bins, more than {MOST:,}: choose wider ones, or check the times")
    return counts


def _groups(units: pd.DataFrame, by: Sequence[str]) -> tuple[Numbers, pd.DataFrame]:
    """(n,) number of each unit's group, and the columns ``by`` of each group."""
    require_columns(units, by)
    if not by:
        return np.zeros(len(units), np.int64), pd.DataFrame(index=range(1))
    code = units.groupby(list(by), dropna=False, observed=True).ngroup().to_numpy().astype(np.int64)
    first = np.zeros(code.max(initial=-1) + 1, np.int64)
    first[code[::-1]] = np.arange(len(code))[::-1]
    return code, units[list(by)].take(first).reset_index(drop=True)


def _times(units: pd.DataFrame, *columns: str) -> tuple[Times, Times]:
    for column in columns:
        if column.endswith("_clock") and column not in units:
            raise InputError(f"there is no column {column!r}: put the units on the clock first, with on_clock")
    require_columns(units, columns)
    start, stop = (read(units[column], f"column {column!r} of the units") for column in columns)
    if (wrong := start.known & stop.known & (stop.ticks < start.ticks)).any():
        raise InputError(f"{wrong.sum():,} of {len(units):,} units stop before they start ({rows(wrong)})")
    return start, stop


def _in_seconds(start: Times, stop: Times) -> tuple[Times, Times]:
    if {start.scale, stop.scale} != {"seconds"}:
        raise InputError('bins in seconds need start and stop in seconds; on the clock, use panel(time="hour")')
    return start, stop


def _seconds(start: Times, stop: Times) -> NDArray[np.float64]:
    """(n,) how long each unit lasts; NaN where that is not known."""
    return np.where(start.known & stop.known, (stop.ticks - start.ticks) / TICKS, np.nan)
