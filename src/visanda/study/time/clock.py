"""Clock: columns of times as people write them, and units put on the clock."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.columns import require_columns
from visanda.timecode import seconds

Ticks = NDArray[np.int64]
Scale = Literal["seconds", "local", "clock"]

TICKS = 2_000_000  # in a second: half microseconds, so that the middle of a unit is a whole number
MISSING = np.iinfo(np.int64).min
LONGEST = 2.0**61 / TICKS  # seconds
SHOWN = 3  # rows that a message names

_DATE = re.compile(r"\s*\d{4}-\d\d?-\d\d?[ T]")
_HOW = "give seconds (90, 1.5), MM:SS, HH:MM:SS.mmm, or a date with a time (2021-03-14T20:15:00)"


@dataclass(frozen=True)
class Times:
    """A column of times, as whole numbers.

    Attributes:
        ticks: (n,) half microseconds since the file began, or since 1970 for clock times; ``MISSING`` where
            there is none.
        scale: ``"seconds"`` in a file, ``"clock"`` times (in UTC), or ``"local"`` clock times of an unknown
            time zone.
        zone: the time zone to show clock times in.
    """

    ticks: Ticks
    scale: Scale
    zone: datetime.tzinfo = datetime.UTC

    @property
    def known(self) -> NDArray[np.bool_]:
        """(n,) whether there is a time."""
        return self.ticks != MISSING

    @property
    def kind(self) -> str:
        """What the times are, for messages."""
        names = {"seconds": "seconds", "clock": "clock times", "local": "clock times without a time zone"}
        return names[self.scale]

    def column(self) -> pd.Series:
        """Seconds as floats, or clock times as timestamps; missing ones as NaN or NaT."""
        if self.scale == "seconds":
            return pd.Series(np.where(self.known, self.ticks / TICKS, np.nan))
        stamps = np.where(self.known, self.ticks // 2, MISSING).view("datetime64[us]")
        column = pd.Series(stamps)
        return column if self.scale == "local" else column.dt.tz_localize("UTC").dt.tz_convert(self.zone)


def on_clock(
    units: pd.DataFrame,
    began: pd.Series | Mapping[str, object] | str,
    *,
    timezone: str | None = None,
    offset: float | pd.Series | Mapping[str, float] = 0.0,
) -> pd.DataFrame:
    """Put units on the clock: when on which day each of them was recorded.

    Args:
        units: a row a unit; columns parent, start and stop, in seconds from the start of the file.
        began: when each recording began, by parent; or the name of a column of ``units`` that says so.
        timezone: of the times in ``began`` that are written without one, such as ``"Europe/Berlin"``; what is
            returned is shown in it, else in the time zone of ``began``.
        offset: seconds to add to the recording's clock to get the true time, for all or by parent: positive
            where the recording's clock is slow. A clock that shows 20:14:58 at a quarter past eight has 2.0.

    Returns:
        ``units`` with ``start_clock`` and ``stop_clock``, timestamps with a time zone; NaT where a unit has
        no start or stop.

    Raises:
        InputError: a recording without a beginning or an offset, times without a time zone, a local time that
            the clock skipped or showed twice when it was changed, times that cannot be read.

    Example:
        >>> frames = pd.DataFrame({"parent": "a.mp4", "start": [0.0, 7200.0], "stop": [0.0, 7200.0]})
        >>> on_clock(frames, {"a.mp4": "2021-03-28 01:30"}, timezone="Europe/Berlin")["start_clock"].dt.hour.tolist()
        [1, 4]
    """
    require_columns(units, ["start", "stop"])
    zero = _beginnings(units, began, timezone)
    shift = _offsets(units, offset)
    clock = {}
    for name in ("start", "stop"):
        times = read(units[name], f"column {name!r} of the units")
        if times.scale != "seconds":
            raise InputError(f"column {name!r} of the units holds clock times already: they need no beginning")
        ticks = np.where(times.known, zero.ticks + shift + times.ticks, MISSING)
        clock[f"{name}_clock"] = replace(zero, ticks=ticks).column().array
    return units.assign(**clock)


def read(column: pd.Series, what: str, timezone: str | None = None) -> Times:
    """Read a column of times: numbers, timecodes, durations or clock times, as text or not.

    Args:
        column: of one kind of times, but for clock times with and without a time zone where one is given.
        what: what to call the column in an error.
        timezone: of clock times that are written without one; None leaves them ``"local"``.

    Raises:
        InputError: values that are no times, or of several kinds; local times that never were or were twice.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_dtype(column):
        return _timestamps(column, what, timezone)
    if pd.api.types.is_timedelta64_dtype(column):
        return _seconds(column.dt.total_seconds(), what)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return _seconds(column, what)
    codes, values = pd.factorize(column.astype(object))
    parsed = [_value(value) for value in values]
    _refuse_bad(column, np.isin(codes, [i for i, value in enumerate(parsed) if value is None]), what)
    kinds = {type(value) for value in parsed}
    spread = pd.Series(parsed, dtype=object).reindex(codes).reset_index(drop=True)
    if kinds <= {float}:
        return _seconds(spread.astype(float), what)
    if float in kinds:
        raise InputError(f"{what} holds both clock times and seconds or timecodes: {_HOW}, in all rows the same")
    return _mixed(spread, what, timezone)


def rows(bad: NDArray[np.bool_]) -> str:
    """``"row 2"`` or ``"rows 2, 3, 7, ... (12 in all)"``: where ``bad`` is true, counted from 1."""
    places = np.flatnonzero(bad) + 1
    listed = ", ".join(f"{place:,}" for place in places[:SHOWN])
    if len(places) > SHOWN:
        return f"rows {listed}, ... ({len(places):,} in all)"
    return f"row{'s' if len(places) > 1 else ''} {listed}"


def _value(value: object) -> float | pd.Timestamp | None:
    """Seconds, or a clock time; None where it is neither."""
    try:
        if isinstance(value, datetime.timedelta):
            return value.total_seconds()
        if isinstance(value, datetime.datetime) or (isinstance(value, str) and _DATE.match(value)):
            return pd.Timestamp(value)
        if isinstance(value, bool):
            return None
        return seconds(value if isinstance(value, int | float) else str(value))
    except (InputError, ValueError):
        return None


def _refuse_bad(column: pd.Series, bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        raise InputError(f"{what} has values that are no times in {rows(bad)}, such as {column[bad].iloc[0]!r}: {_HOW}")


def _seconds(column: pd.Series, what: str) -> Times:
    values = column.to_numpy(dtype=float, na_value=np.nan)
    missing = np.isnan(values)
    _refuse_bad(column, np.abs(values) > LONGEST, what)
    ticks = np.rint(np.where(missing, 0.0, values) * (TICKS // 2)).astype(np.int64) * 2
    return Times(np.where(missing, MISSING, ticks), "seconds")


def _timestamps(column: pd.Series, what: str, timezone: str | None) -> Times:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        zone = time_zone(timezone) if timezone else column.dtype.tz
        return Times(to_ticks(column.dt.tz_convert("UTC").dt.tz_localize(None)), "clock", zone)
    if timezone is None:
        return Times(to_ticks(column), "local")
    zone = time_zone(timezone)
    known = column.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    lost = (known.isna() & column.notna()).to_numpy()
    if lost.any():
        there = column.dt.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward").notna().to_numpy()
        never = lost & there
        bad = never if never.any() else lost
        why = "do not exist: clocks were put forward" if never.any() else "came twice: clocks were put back"
        raise InputError(
            f"{what}: in {timezone}, the times in {rows(bad)} (such as {column[bad].iloc[0]}) {why}. Write them with "
            "their offset from UTC, such as 2021-10-31T02:30+02:00 in summer time or +01:00 in winter time"
        )
    return _timestamps(known, what, timezone)


def _mixed(stamps: pd.Series, what: str, timezone: str | None) -> Times:
    """Clock times of which some may have a time zone of their own."""
    aware = stamps.map(lambda stamp: pd.notna(stamp) and stamp.tzinfo is not None).to_numpy(dtype=bool)
    naive = stamps.notna().to_numpy() & ~aware
    local = _timestamps(stamps.where(naive).astype("datetime64[us]"), what, timezone)
    if not aware.any():
        return local
    if naive.any() and timezone is None:
        raise InputError(
            f"{what} has clock times without a time zone in {rows(naive)}, and with one elsewhere: name the time "
            'zone of those without, such as timezone="Europe/Berlin"'
        )
    own = pd.to_datetime(stamps.where(aware), utc=True)
    ticks = np.where(aware, to_ticks(own.dt.tz_localize(None)), local.ticks)
    zones = {stamp.tzinfo for stamp in stamps[aware]}
    zone = time_zone(timezone) if timezone else zones.pop() if len(zones) == 1 else datetime.UTC
    return Times(ticks, "clock", zone)


def to_ticks(column: pd.Series) -> Ticks:
    """Ticks since 1970 of timestamps without a time zone."""
    micro = column.astype("datetime64[us]").to_numpy().view(np.int64)
    return np.where(micro == MISSING, MISSING, micro * 2)


def time_zone(name: str) -> ZoneInfo:
    """The time zone called ``name``; InputError where there is none."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        message = f"there is no time zone {name!r}: give one such as Europe/Berlin, America/New_York or UTC"
        raise InputError(message) from None


def _beginnings(units: pd.DataFrame, began: pd.Series | Mapping[str, object] | str, timezone: str | None) -> Times:
    """When the recording of each unit began."""
    if isinstance(began, str):
        require_columns(units, [began])
        what = f"column {began!r} of the units"
        times = read(units[began], what, timezone)
        if not times.known.all():
            raise InputError(f"{what} is empty in {rows(~times.known)}: say when the recording began, or leave it out")
    else:
        what, given = "began", pd.Series(began)
        times = read(given, what, timezone)
        times = replace(times, ticks=_by_parent(units, given.index, times.ticks, what))
    if times.scale == "seconds":
        raise InputError(f"{what} must be clock times with their date, such as 2021-03-14T20:00:00")
    if times.scale == "local":
        raise InputError(f'{what} has no time zone: name it, such as timezone="Europe/Berlin"')
    return times


def _offsets(units: pd.DataFrame, offset: float | pd.Series | Mapping[str, float]) -> Ticks:
    """(n,) ticks to add to the clock of each unit, or (1,) for all."""
    if isinstance(offset, pd.Series | Mapping):
        given = pd.Series(offset)
        return _by_parent(units, given.index, read(given, "offset").ticks, "offset")
    ticks = read(pd.Series([offset]), "offset").ticks
    if ticks[0] == MISSING:
        raise InputError(f"offset={offset!r}: give seconds; 0 for none")
    return ticks


def _by_parent(units: pd.DataFrame, parents: pd.Index, ticks: Ticks, what: str) -> Ticks:
    """(n,) the ticks of each unit's recording, of which ``parents`` are the names."""
    require_columns(units, ["parent"])
    if parents.has_duplicates:
        raise InputError(f"{what} has {parents[parents.duplicated()][0]!r} twice: give each recording one value")
    codes, recordings = pd.factorize(units["parent"])
    if (codes < 0).any():
        raise InputError(f"column 'parent' of the units is empty in {rows(codes < 0)}")
    known = np.append(ticks, MISSING)[parents.get_indexer(pd.Index(recordings))]
    if len(without := recordings[known == MISSING]):
        some = ", ".join(map(str, without[:SHOWN]))
        raise InputError(f"{what} has no value for {len(without):,} recordings ({some}): add it, or leave them out")
    return known[codes]
