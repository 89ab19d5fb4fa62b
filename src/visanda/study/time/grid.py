"""Grid: time cut into bins, of one width or by the calendar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from visanda.errors import InputError
from visanda.study.time.clock import TICKS, Ticks, Times, to_ticks
from visanda.study.time.overlap import Numbers

CLOCK = {"minute": 60, "quarter-hour": 900, "hour": 3600}  # seconds
CALENDAR = {"day": "D", "week": "W-MON", "month": "MS", "quarter": "QS", "year": "YS"}
PERIODS = (*CLOCK, *CALENDAR)


class Grid(Protocol):
    """Numbered bins that follow each other."""

    def bin(self, ticks: Ticks) -> Numbers:
        """Number of the bin that each time lies in; an edge belongs to the bin that it starts."""

    def edge(self, number: Numbers) -> Ticks:
        """Where each bin starts."""


@dataclass(frozen=True)
class Even:
    """Bins of ``width`` ticks, one of which starts at ``origin``."""

    width: int
    origin: int

    @classmethod
    def of(cls, width: float, origin: float) -> Even:
        """Bins of ``width`` seconds; InputError where it is not above 0."""
        ticks = np.rint(np.array([width, origin], dtype=float) * TICKS / 2) * 2
        if not (np.isfinite(ticks).all() and 0 < ticks[0] < 2.0**61 and abs(ticks[1]) < 2.0**61):
            raise InputError(f"bins of {width} seconds from {origin}: give a width above 0, such as 10")
        return cls(int(ticks[0]), int(ticks[1]))

    def bin(self, ticks: Ticks) -> Numbers:
        """Number of the bin that each time lies in."""
        return (ticks - self.origin) // self.width

    def edge(self, number: Numbers) -> Ticks:
        """Where each bin starts."""
        return self.origin + number * self.width


@dataclass(frozen=True)
class Calendar:
    """Bins between ascending ``edges``: days of 23 to 25 hours, weeks, months."""

    edges: Ticks

    def bin(self, ticks: Ticks) -> Numbers:
        """Number of the bin that each time lies in."""
        return np.searchsorted(self.edges, ticks, "right") - 1

    def edge(self, number: Numbers) -> Ticks:
        """Where each bin starts."""
        return self.edges[number]


def on_the_clock(start: Times, stop: Times, period: str) -> Grid:
    """Bins of a period on the clock, in the time zone of ``start``, from the first start to the last stop.

    Raises:
        InputError: there is no such period, or the times are seconds.
    """
    if period not in PERIODS:
        raise InputError(f"time={period!r}: give seconds, or one of {', '.join(PERIODS)}")
    if "seconds" in (start.scale, stop.scale):
        raise InputError(f"time={period!r} needs clock times: put the units on the clock first, with on_clock")
    ends = np.concatenate([start.ticks[start.known], stop.ticks[stop.known]])
    if not len(ends):
        return Even(TICKS, 0)
    known = replace(start, ticks=np.array([ends.min(), ends.max()])).column()
    first, last = known if start.scale == "local" else known.dt.tz_localize(None)
    if period in CLOCK:
        return Even(CLOCK[period] * TICKS, int(_edges(pd.DatetimeIndex([first.normalize()]), start)[0]))
    offset = to_offset(CALENDAR[period])
    return Calendar(_edges(pd.date_range(offset.rollback(first.normalize()), last + offset, freq=offset), start))


def _edges(midnights: pd.DatetimeIndex, times: Times) -> Ticks:
    """Ticks of local midnights; where clocks are changed at midnight, when the day begins."""
    if times.scale == "local":
        return to_ticks(midnights.to_series())
    first = np.ones(len(midnights), bool)
    zoned = midnights.tz_localize(times.zone, nonexistent="shift_forward", ambiguous=first)
    return to_ticks(zoned.tz_convert("UTC").tz_localize(None).to_series())
