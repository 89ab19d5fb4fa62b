"""Periods: a column of times as whole numbers that are one apart where times follow each other, and back again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.columns import numeric, require_columns

Every = Literal["day", "week", "month", "quarter", "year"]
CODES = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}  # weeks begin on Monday
LENGTHS = {4: "%Y", 7: "%Y-%m", 10: "%Y-%m-%d"}  # of dates that are text
_ISO = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")


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
                ``2024-03`` or ``2024-03-14``.
            every: how far a step is, for dates; None: year where all are a January 1st, month where all are the first
                of a month, else day. Text says it by how long it is. Weeks and quarters have to be named.

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
        if isinstance(column.dtype, pd.PeriodDtype):
            stamps, show = column.dt.to_timestamp(), _as_periods(column.dtype)
            every = every or _named(column.dtype, time)
        else:
            stamps, show, said = _stamps(column, time)
            every = every or said or _coarsest(stamps)
        periods = pd.PeriodIndex(stamps, freq=CODES[every])
        number = periods.asi8
        begins = periods.to_timestamp()
        if every in ("week", "quarter") or (begins == pd.DatetimeIndex(stamps)).all():
            offset = pd.Timedelta(0)
        else:
            offset = (pd.DatetimeIndex(stamps) - begins)[0]
            if ((pd.DatetimeIndex(stamps) - begins) != offset).any():
                raise InputError(
                    f"{time!r} holds other moments than the beginnings of a {every}: aggregate by {every} first, or "
                    "name another step with every"
                )

        def back(numbers: NDArray[np.int64]) -> pd.Series:
            made = pd.PeriodIndex.from_ordinals(numbers, freq=CODES[every])  # type: ignore[attr-defined]
            return show(made.to_timestamp() + offset)

        return cls(np.asarray(number, np.int64), every, back)

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


def _stamps(column: pd.Series, time: str) -> tuple[pd.Series, Show, Every | None]:
    """Timestamps without a time zone, how to write others like them, and the step where text says it."""
    if pd.api.types.is_datetime64_any_dtype(column):
        zone = column.dt.tz
        plain = column.dt.tz_localize(None) if zone is not None else column
        return plain, lambda stamps: pd.Series(stamps.tz_localize(zone) if zone is not None else stamps), None
    texts = column.astype(object)
    if all(isinstance(value, str) for value in texts):
        lengths = {len(value) for value in texts}
        if len(lengths) != 1 or not all(_ISO.fullmatch(value) for value in texts):
            bad = next((value for value in texts if not _ISO.fullmatch(value)), texts.iloc[0])
            raise InputError(
                f"the time {time!r} holds {bad!r}: write all as 2024, all as 2024-03, or all as 2024-03-14"
            )
        form = LENGTHS[lengths.pop()]
        try:
            stamps = pd.to_datetime(texts, format=form)
        except ValueError as error:
            raise InputError(f"the time {time!r} holds a date that there is not: {error}") from error
        step: Every | None = "year" if form == "%Y" else "month" if form == "%Y-%m" else None
        return stamps, lambda stamps: pd.Series(stamps.strftime(form)), step
    try:
        stamps = pd.to_datetime(texts)
    except (ValueError, TypeError) as error:
        raise InputError(f"the time {time!r} cannot be read as dates or numbers: {error}") from error
    return stamps, lambda made: pd.Series(made.date, dtype=object), None


def _coarsest(stamps: pd.Series) -> Every:
    if not (stamps.dt.day == 1).all():
        return "day"
    return "year" if (stamps.dt.month == 1).all() and stamps.nunique() > 1 else "month"


def _as_periods(dtype: pd.PeriodDtype) -> Show:
    return lambda stamps: pd.Series(pd.PeriodIndex(stamps, dtype=dtype))


def _named(dtype: pd.PeriodDtype, time: str) -> Every:
    first = str(dtype.freq.freqstr)[0]
    for every, code in CODES.items():
        if code[0] == first:
            return every  # type: ignore[return-value]
    raise InputError(
        f"the periods of {time!r} are of {dtype.freq.freqstr}: convert them to days, weeks, months or years"
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
