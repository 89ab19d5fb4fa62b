"""Periods: a column of times as whole numbers that are one apart where times follow each other, and back again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.columns import numeric, require_columns
from visanda.study.panels.written import Every, written_times

CODES = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}  # weeks begin on Monday


@dataclass(frozen=True)
class Periods:
    """n times as numbers.

    Attributes:
        number: (n,) whole; the next period's is one more.
        every: what a step is, such as ``"day"``; ``"step"`` of 1 for numbers.
        back: numbers to values like those in the column.
    """

    number: NDArray[np.int64]
    every: str
    back: Callable[[NDArray[np.int64]], pd.Series]

    @classmethod
    def of(cls, panel: pd.DataFrame, time: str, every: Every | None) -> Periods:
        """Read a column of times.

        Args:
            panel: the table.
            time: whole numbers (waves, years), timestamps or dates, pandas periods, or text such as ``2024``,
                ``2024-03``, ``2024-Q1``, ``2024-W05`` (ISO weeks) or ``2024-03-14``.
            every: how far a step is, for dates; None: as periods and text say; of dates, year where all are a January
                1st, quarter where all begin one and some follow each other, month where all are the first of a month
                (or all the last), week where all are the same weekday and some are a week apart, else day.

        Raises:
            InputError: times that are missing, cannot be read, or lie twice in a period; a step that is not known.
        """
        require_columns(panel, [time], "the time")
        column = panel[time].reset_index(drop=True)
        if every is not None and every not in get_args(Every):
            raise InputError(f"every={every!r}: choose {', '.join(get_args(Every))}")
        if column.isna().any():
            raise InputError(f"the time {time!r} is missing in {column.isna().sum():,} rows: fill it in, or drop them")
        if pd.api.types.is_float_dtype(numeric(column)):
            return cls._of_numbers(numeric(column), time, every)
        if column.dtype == object and all(isinstance(value, pd.Period) for value in column):
            column = pd.Series(pd.PeriodIndex(column))
        if isinstance(column.dtype, pd.PeriodDtype) and every in (None, _named(column.dtype, time)):
            own, dtype = pd.PeriodIndex(column), column.dtype
            return cls(
                np.asarray(own.asi8, np.int64),
                _named(dtype, time),
                lambda made: pd.Series(pd.PeriodIndex.from_ordinals(made, freq=dtype.freq)),  # type: ignore[attr-defined]
            )
        stamps, show, said = _stamps(column, time)
        every = every or said or _coarsest(stamps)
        periods = pd.PeriodIndex(stamps, freq=CODES[every])
        labelled = _labelled(pd.DatetimeIndex(stamps), periods)
        if labelled is None:
            raise InputError(
                f"{time!r} holds other moments than the beginnings of a {every}: aggregate by {every} first, or name "
                "another step with every"
            )

        def back(numbers: NDArray[np.int64]) -> pd.Series:
            made = pd.PeriodIndex.from_ordinals(numbers, freq=CODES[every])  # type: ignore[attr-defined]
            return show(labelled(made))

        return cls(np.asarray(periods.asi8, np.int64), every, back)

    @classmethod
    def _of_numbers(cls, column: pd.Series, time: str, every: Every | None) -> Periods:
        if every is not None:
            raise InputError(f"{time!r} holds numbers, which are one step apart: leave out every={every!r}")
        if not (np.isfinite(column) & (column % 1 == 0)).all():
            raise InputError(
                f"the time {time!r} holds numbers that are not whole, such as {column[column % 1 != 0].iloc[0]:g}"
            )
        return cls(column.to_numpy(np.int64), "step", lambda numbers: pd.Series(numbers))


Show = Callable[[pd.DatetimeIndex], pd.Series]


def _labelled(stamps: pd.DatetimeIndex, periods: pd.PeriodIndex) -> Callable[[pd.PeriodIndex], pd.DatetimeIndex] | None:
    """How periods are labelled: at their beginning, so much later, or on their last day; None: in no one way."""
    begins, ends = periods.to_timestamp(), periods.to_timestamp(how="end").normalize()
    since = stamps - begins
    if not len(stamps) or (since == since[0]).all():
        later = since[0] if len(stamps) else pd.Timedelta(0)
        return lambda made: made.to_timestamp() + later
    if (stamps == ends).all():
        return lambda made: made.to_timestamp(how="end").normalize()
    # of weeks and quarters any day will do: new ones are labelled by their first
    return (lambda made: made.to_timestamp()) if periods.freqstr[0] in "WQ" else None


def _stamps(column: pd.Series, time: str) -> tuple[pd.Series, Show, Every | None]:
    """Timestamps without a time zone, how to write others like them, and the step where the column says it."""
    if isinstance(column.dtype, pd.PeriodDtype):
        dtype = column.dtype
        return column.dt.to_timestamp(), lambda made: pd.Series(pd.PeriodIndex(made, dtype=dtype)), _named(dtype, time)
    if pd.api.types.is_datetime64_any_dtype(column):
        zone = column.dt.tz
        plain = column.dt.tz_localize(None) if zone is not None else column
        return plain, lambda made: pd.Series(made.tz_localize(zone) if zone is not None else made), None
    values = column.astype(object)
    if all(isinstance(value, str) for value in values):
        written, stamps = written_times(values, time)
        return stamps, written.show, written.every
    try:
        stamps = pd.to_datetime(values)
    except (ValueError, TypeError) as error:
        raise InputError(f"the time {time!r} cannot be read as dates or numbers: {error}") from error
    return stamps, lambda made: pd.Series(made.date, dtype=object), None


def _coarsest(stamps: pd.Series) -> Every:
    """The longest step that dates can be labels of."""
    seen = pd.DatetimeIndex(stamps.unique()).sort_values()
    days = seen.normalize()
    follow = {every: _follow(days, every) for every in ("quarter", "week")}
    if (days.day == 1).all():
        if (days.month == 1).all() and len(seen) > 1:
            return "year"
        return "quarter" if (days.month % 3 == 1).all() and follow["quarter"] else "month"
    if days.is_month_end.all() and len(seen) > 1:
        return "quarter" if (days.month % 3 == 0).all() and follow["quarter"] else "month"
    return "week" if days.day_of_week.nunique() == 1 and follow["week"] else "day"


def _follow(days: pd.DatetimeIndex, every: str) -> bool:
    """Whether some of these are one period apart."""
    return bool((np.diff(pd.PeriodIndex(days, freq=CODES[every]).asi8) == 1).any())


def _named(dtype: pd.PeriodDtype, time: str) -> Every:
    first = str(dtype.freq.freqstr)[0]
    for every, code in CODES.items():
        if code[0] == first:
            return every  # type: ignore[return-value]
    raise InputError(
        f"the periods of {time!r} are of {dtype.freq.freqstr}: convert them to days, weeks, months, quarters or years"
    )


def refuse_repeats(panel: pd.DataFrame, unit: list[str], periods: Periods, time: str) -> None:
    """See that no unit has a time twice.

    Raises:
        InputError: one has; a unit is missing.
    """
    require_columns(panel, unit, "the unit")
    if (lost := panel[unit].isna().any(axis=1)).any():
        raise InputError(f"{lost.sum():,} rows have no {' or '.join(unit)}: leave them out first")
    keys = panel[unit].reset_index(drop=True).assign(number__=periods.number)
    if (twice := keys.duplicated()).any():
        where = ", ".join(map(str, panel[[*unit, time]].reset_index(drop=True)[twice].iloc[0]))
        raise InputError(
            f"{twice.sum():,} rows repeat a unit and time, such as {where}: make one row of them first, with units_of "
            "or another aggregation"
        )
