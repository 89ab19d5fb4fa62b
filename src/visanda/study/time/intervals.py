"""Intervals: join timed units to programmes, speeches, ads; find those around an event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.columns import require_columns
from visanda.study.time.clock import TICKS, Times, read, rows
from visanda.study.time.joined import Joined, Pairs, listed
from visanda.study.time.overlap import Intervals, Numbers
from visanda.study.time.stretches import Stretches, moments, placed, several, spans, without_failures


def during(
    units: pd.DataFrame,
    intervals: pd.DataFrame,
    *,
    by: str | Sequence[str] = ("parent",),
    start: str = "start",
    stop: str = "end",
    how: Literal["middle", "within", "overlap"] = "middle",
    keep: bool = True,
    name: str = "interval",
    timezone: str | None = None,
) -> Joined:
    """Give each unit the columns of the interval that it lies in.

    Intervals are half-open: what happens at the very moment of a change belongs to what begins. The middle of
    a unit is the mean of its start and stop; a moment is its own middle.

    Args:
        units: a row a unit, with columns start and stop. Where the intervals are given in clock times,
            start_clock and stop_clock are used, which ``on_clock`` adds.
        intervals: a row an interval, with its times in seconds, timecodes or clock times.
        by: columns that must agree in both tables; ``[]`` joins on time alone.
        start: column of ``intervals``.
        stop: column of ``intervals``.
        how: ``"middle"``: the unit's middle lies in [start, stop), so that intervals which do not overlap each
            other take a unit at most once; ``"within"``: all of the unit does; ``"overlap"``: any part of it,
            with ``overlap``, in seconds, and ``share``, of the unit (0 to 1; a moment has 0 seconds, and 1).
        keep: keep units that lie in no interval, with nulls.
        name: what an interval is, for words, and as a suffix of columns whose names the units' have already.
        timezone: of clock times in ``intervals`` that are written without one, such as ``"Europe/Berlin"``.

    Returns:
        A row for each unit and interval, in the order of ``units``, and by start where there are several.

    Raises:
        InputError: a column that is not there, an interval without a start or stop or that stops before it
            starts, times that cannot be read, clock times against seconds or against times without a zone.

    Example:
        >>> frames = pd.DataFrame({"parent": "a.mp4", "start": [0.0, 60.0, 90.0], "stop": [0.0, 60.0, 90.0]})
        >>> programmes = pd.DataFrame({"parent": ["a.mp4"], "start": ["0:00"], "end": ["1:30"], "genre": ["news"]})
        >>> during(frames, programmes, name="programme").table["genre"].fillna("none").tolist()
        ['news', 'news', 'none']
    """
    if how not in ("middle", "within", "overlap"):
        raise InputError(f"how={how!r}: choose middle, within or overlap")
    by = several(by)
    require_columns(intervals, [start, stop], f"the {name}s' column")
    intervals, warnings = without_failures(intervals, [start, stop], name)
    opens, closes = spans(intervals, start, stop, name, timezone)
    group, when = placed(units, intervals, by, opens, name)
    lasting = np.flatnonzero(closes.ticks > opens.ticks)  # what has no length holds nothing
    index = Intervals(group[lasting], opens.ticks[lasting], closes.ticks[lasting])
    if how == "middle":
        found = index.overlapping(when.group, when.middle, when.middle + 1)
    else:
        search = index.containing if how == "within" else index.overlapping
        found = search(when.group, when.start, when.after)
    pairs = Pairs.collect(((unit, lasting[place]) for unit, place in found), len(units), len(intervals))
    extra = _overlap(pairs, when, opens, closes) if how == "overlap" else {}
    table = pairs.table(units, intervals.drop(columns=by), extra, keep, name)
    warnings += when.warnings()
    if len(crossing := lasting[index.overlaps()]):
        at = rows(np.isin(np.arange(len(intervals)), crossing))
        warnings.append(f"{len(crossing):,} of {len(intervals):,} {name}s overlap another in time ({at}).")
    if (empty := closes.ticks == opens.ticks).any():
        warnings.append(
            f"{empty.sum():,} of {len(intervals):,} {name}s have no length, and hold nothing ({rows(empty)})."
        )
    return Joined(table, [pairs.words(f"{name}s")], warnings, intervals[~pairs.held])


def around(
    units: pd.DataFrame,
    events: pd.DataFrame,
    *,
    by: str | Sequence[str] = ("parent",),
    at: str = "time",
    window: tuple[float, float] = (0.0, 30.0),
    name: str = "event",
    timezone: str | None = None,
) -> Joined:
    """Find the units around each event, such as motion in the 30 seconds after a vote (Dietrich 2021).

    Args:
        units: a row a unit, with columns start and stop, or start_clock and stop_clock for clock times.
        events: a row an event, perhaps with a column id.
        by: columns that must agree in both tables; ``[]`` joins on time alone.
        at: column of ``events`` with their times in seconds, timecodes or clock times.
        window: from when until when, in seconds after the event; below 0 is before it. The units are found
            whose middle lies there, the start included and the end not.
        name: what an event is, for words, and as a suffix of columns whose names the units' have already.
        timezone: of clock times in ``events`` that are written without one, such as ``"Europe/Berlin"``.

    Returns:
        A row for each unit and event in whose window it lies, in the order of ``units``: the unit's columns;
        ``event``, the event's id, or its row counted from 1 where there are no ids; ``since``, the seconds from
        the event to the unit's middle; the event's other columns. A unit in two windows has two rows.

    Raises:
        InputError: as ``during`` does; ids of events that are missing or repeat; a window without length.

    Example:
        >>> pairs = pd.DataFrame({"parent": "a.mp4", "start": [9.0, 10.0, 50.0], "stop": [10.0, 11.0, 51.0]})
        >>> votes = pd.DataFrame({"parent": ["a.mp4"], "time": ["0:10"]})
        >>> around(pairs, votes, window=(-5, 30)).table["since"].tolist()
        [-0.5, 0.5]
    """
    by = several(by)
    low, high = _window(window)
    require_columns(events, [at], f"the {name}s' column")
    events, warnings = without_failures(events, [at], name)
    ids = _ids(events, name)
    times = moments(events, at, name, timezone)
    group, when = placed(units, events, by, times, name)
    index = Intervals(group, times.ticks + low, times.ticks + high)
    pairs = Pairs.collect(index.overlapping(when.group, when.middle, when.middle + 1), len(units), len(events))
    since = (when.middle[pairs.unit] - times.ticks[pairs.other]) / TICKS
    extra = {"event": ids.to_numpy()[pairs.other], "since": since}
    others = events.drop(columns=[*by, *({"id"} & set(events))])
    table = pairs.table(units, others, extra, False, name)
    warnings += when.warnings()
    if not pairs.held.all():
        alone = listed(ids[~pairs.held].tolist())
        warnings.append(f"{(~pairs.held).sum():,} of {len(events):,} {name}s have no unit in their window: {alone}.")
    if crossing := len(index.overlaps()):
        again = (pairs.each > 1).sum()
        warnings.append(
            f"The windows of {crossing:,} of {len(events):,} {name}s overlap: {again:,} units lie in several, and have "
            "a row for each."
        )
    return Joined(table, [pairs.words(f"windows of {name}s")], warnings, events[~pairs.held])


def _overlap(pairs: Pairs, when: Stretches, opens: Times, closes: Times) -> dict[str, NDArray[np.float64]]:
    """Seconds that each pair shares, and their share of the unit."""
    start, stop = when.start[pairs.unit], when.stop[pairs.unit]
    shared = np.minimum(stop, closes.ticks[pairs.other]) - np.maximum(start, opens.ticks[pairs.other])
    share = np.ones(len(shared))
    np.divide(shared, stop - start, out=share, where=stop > start)
    return {"overlap": shared / TICKS, "share": share}


def _window(window: tuple[float, float]) -> Numbers:
    ticks = read(pd.Series(window, dtype=float), "window").ticks
    if len(ticks) != 2 or not -(2**61) < ticks[0] < ticks[1]:
        raise InputError(f"window={window}: give two numbers of seconds, such as (0, 30), the lower first")
    return ticks


def _ids(events: pd.DataFrame, name: str) -> pd.Series:
    if "id" not in events:
        return pd.Series(np.arange(1, len(events) + 1))
    ids = events["id"].reset_index(drop=True)
    if (bad := (ids.isna() | ids.duplicated()).to_numpy()).any():
        raise InputError(f"column 'id' of the {name}s is empty or repeats in {rows(bad)}: give each {name} its own")
    return ids
