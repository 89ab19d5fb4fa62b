"""Stretches: timed units and the intervals they are joined to, as whole numbers in numbered groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.columns import require_columns
from visanda.study.time.clock import Ticks, Times, read, rows
from visanda.study.time.overlap import Numbers

NUMBERS = {"integer", "floating", "mixed-integer-float", "boolean", "decimal"}


@dataclass(frozen=True)
class Stretches:
    """Timed units.

    Attributes:
        group: (n,) number of each unit's group; -1 where it has no time, or its group none to join with.
        start: (n,) ticks.
        stop: (n,) ticks; ``start`` for a moment.
        timed: (n,) whether the unit has a start and a stop.
    """

    group: Numbers
    start: Ticks
    stop: Ticks
    timed: NDArray[np.bool_]

    @property
    def middle(self) -> Ticks:
        """(n,) ticks; exact, because starts and stops are even."""
        return (self.start + self.stop) // 2

    @property
    def after(self) -> Ticks:
        """(n,) where a half-open stretch stops: a moment is the shortest there is, and holds its start."""
        return np.maximum(self.stop, self.start + 1)

    def warnings(self) -> list[str]:
        """What to say about units that have no time."""
        lost = int((~self.timed).sum())
        return [f"{lost:,} of {len(self.timed):,} units have no time, and lie nowhere."] if lost else []


def several(names: str | Sequence[str]) -> list[str]:
    """Names of columns as a list, though one was given alone."""
    return [names] if isinstance(names, str) else list(names)


def without_failures(table: pd.DataFrame, times: Sequence[str], name: str) -> tuple[pd.DataFrame, list[str]]:
    """Leave out the rows that have an error in place of a time, and say how many."""
    if "error" not in table:
        return table, []
    failed = table["error"].notna() & table[several(times)].isna().any(axis=1)
    if not failed.any():
        return table, []
    said = f"{failed.sum():,} of {len(table):,} {name}s have an error and no time: they are left out."
    return table[~failed], [said]


def spans(table: pd.DataFrame, start: str, stop: str, name: str, timezone: str | None = None) -> tuple[Times, Times]:
    """Starts and stops of a table of intervals, none of which may be missing.

    Raises:
        InputError: times that are missing, of two kinds or cannot be read, or a stop before its start.
    """
    opens, closes = (moments(table, column, name, timezone) for column in (start, stop))
    if opens.scale != closes.scale and len(table):
        raise InputError(
            f"the {name}s have {opens.kind} in column {start!r} and {closes.kind} in {stop!r}: make them the same"
        )
    if (wrong := closes.ticks < opens.ticks).any():
        raise InputError(
            f"{wrong.sum():,} of {len(table):,} {name}s stop before they start ({rows(wrong)}). Clock times past "
            "midnight need their date; in a file, count hours on: 24:10:00"
        )
    return opens, closes


def moments(table: pd.DataFrame, column: str, name: str, timezone: str | None = None) -> Times:
    """The times in a column, none of which may be missing.

    Raises:
        InputError: they are missing, or cannot be read.
    """
    times = read(table[column], f"column {column!r} of the {name}s", timezone)
    if not times.known.all():
        missing = ~times.known
        raise InputError(
            f"column {column!r} is empty in {missing.sum():,} of {len(table):,} {name}s ({rows(missing)}): fill in "
            "the time, or leave them out"
        )
    return times


def placed(
    units: pd.DataFrame, others: pd.DataFrame, by: Sequence[str], like: Times, name: str
) -> tuple[Numbers, Stretches]:
    """Number the groups of both tables, and read the units' times on the scale of the others.

    Args:
        units: columns start and stop, and start_clock and stop_clock, which are taken for clock times.
        others: the table that units are joined to.
        by: columns of both tables, whose combinations are the groups.
        like: times of ``others``.
        name: what a row of ``others`` is.

    Raises:
        InputError: a column that is not there, times that do not fit each other, units that stop before they
            start.
    """
    require_columns(others, by, f"the {name}s' column")
    require_columns(units, by, "the units' column")
    columns = ["start", "stop"]
    if like.scale != "seconds" and {"start_clock", "stop_clock"} <= set(units):
        columns = ["start_clock", "stop_clock"]
    require_columns(units, columns, "the units' column")
    start, stop = (read(units[column], f"column {column!r} of the units") for column in columns)
    timed = start.known & stop.known
    if timed.any() and len(others):
        for times in (start, stop):
            _refuse_other_scale(times, like, name)
    if (wrong := timed & (stop.ticks < start.ticks)).any():
        raise InputError(f"{wrong.sum():,} of {len(units):,} units stop before they start ({rows(wrong)})")
    group_of_others, group = groups(others, units, by, name)
    return group_of_others, Stretches(np.where(timed, group, -1), start.ticks, stop.ticks, timed)


def _refuse_other_scale(ours: Times, like: Times, name: str) -> None:
    if ours.scale == like.scale:
        return
    told = f"the {name}s have {like.kind}, the units {ours.kind}: "
    if ours.scale == "seconds":
        told += "put the units on the clock first, with on_clock and when each recording began"
    elif like.scale == "seconds":
        told += f"give the {name}s' times in seconds from the start of the file, or with their date"
    elif like.scale == "local":
        told += f'name the time zone of the {name}s, such as timezone="Europe/Berlin"'
    else:
        told += 'give the units a time zone, with units["start"].dt.tz_localize("Europe/Berlin"), and so for stop'
    raise InputError(told)


def groups(others: pd.DataFrame, units: pd.DataFrame, by: Iterable[str], name: str) -> tuple[Numbers, Numbers]:
    """Number the combinations of ``by`` in ``others``.

    Returns:
        (m,) group of each of ``others``, from 0, and (n,) of each unit; -1 where its group is not among them.

    Raises:
        InputError: a column of ``others`` with gaps, or with numbers where the units' has text.
    """
    ours, theirs = np.zeros(len(others), np.int64), np.zeros(len(units), np.int64)
    for place, column in enumerate(by):
        codes, values = pd.factorize(others[column])
        unit_codes, unit_values = pd.factorize(units[column])
        if (codes < 0).any():
            raise InputError(f"column {column!r} is empty in {rows(codes < 0)} of the {name}s: fill it in")
        _refuse_two_kinds(np.asarray(values), np.asarray(unit_values), column, name)
        same = np.append(pd.Index(values).get_indexer(pd.Index(unit_values)), -1)[unit_codes]  # the last is for -1
        if place == 0:
            ours, theirs = codes.astype(np.int64), same
            continue
        seen, ours = np.unique(ours * len(values) + codes, return_inverse=True)
        theirs = _positions(seen, theirs * len(values) + same, (theirs >= 0) & (same >= 0))
    return ours, theirs


def _positions(seen: Numbers, wanted: Numbers, possible: NDArray[np.bool_]) -> Numbers:
    """Place of each of ``wanted`` in the ascending ``seen``; -1 where it is not there or not possible."""
    if not len(seen):
        return np.full(len(wanted), -1)
    place = np.minimum(np.searchsorted(seen, wanted), len(seen) - 1)
    return np.where(possible & (seen[place] == wanted), place, -1)


def _refuse_two_kinds(ours: NDArray[np.object_], theirs: NDArray[np.object_], column: str, name: str) -> None:
    numeric = [pd.api.types.infer_dtype(values) in NUMBERS for values in (ours, theirs)]
    if len(ours) and len(theirs) and numeric[0] != numeric[1]:
        held = ["numbers" if is_number else "text" for is_number in numeric]
        raise InputError(
            f"column {column!r} holds {held[0]} in the {name}s, {held[1]} in the units: make them the same"
        )
