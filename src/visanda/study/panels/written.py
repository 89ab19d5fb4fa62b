"""Written times: text such as 2024, 2024-03, 2024-Q1, 2024-W05 or 2024-03-14, read as dates and written back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from visanda.errors import InputError

Every = Literal["day", "week", "month", "quarter", "year"]


@dataclass(frozen=True)
class Written:
    """One way to write a time.

    Attributes:
        example: of it.
        pattern: of one time.
        every: what it names; None: a day, which may stand for the week or month that it begins.
        read: texts to the days on which their periods begin.
        show: such days to texts.
    """

    example: str
    pattern: re.Pattern[str]
    every: Every | None
    read: Callable[[pd.Series], pd.Series]
    show: Callable[[pd.DatetimeIndex], pd.Series]


def _dates(form: str) -> tuple[Callable[[pd.Series], pd.Series], Callable[[pd.DatetimeIndex], pd.Series]]:
    return lambda texts: pd.to_datetime(texts, format=form), lambda made: pd.Series(made.strftime(form), dtype=object)


def _quarters(between: str) -> Callable[[pd.DatetimeIndex], pd.Series]:
    return lambda made: pd.Series([f"{one.year}{between}Q{one.quarter}" for one in made], dtype=object)


def _weeks(between: str) -> Callable[[pd.DatetimeIndex], pd.Series]:
    def show(made: pd.DatetimeIndex) -> pd.Series:
        weeks = [one.isocalendar() for one in made]
        return pd.Series([f"{one.year}{between}W{one.week:02d}" for one in weeks], dtype=object)

    return show


def _read_quarters(texts: pd.Series) -> pd.Series:
    return pd.Series(pd.PeriodIndex(texts.str.replace("-", ""), freq="Q").to_timestamp(), index=texts.index)


def _read_weeks(texts: pd.Series) -> pd.Series:
    return pd.to_datetime(texts.str.replace("-", "") + "-1", format="%GW%V-%u")


WAYS = (
    Written("2024", re.compile(r"\d{4}"), "year", *_dates("%Y")),
    Written("2024-03", re.compile(r"\d{4}-\d\d"), "month", *_dates("%Y-%m")),
    Written("2024-Q1", re.compile(r"\d{4}-Q[1-4]"), "quarter", _read_quarters, _quarters("-")),
    Written("2024Q1", re.compile(r"\d{4}Q[1-4]"), "quarter", _read_quarters, _quarters("")),
    Written("2024-W05", re.compile(r"\d{4}-W\d\d"), "week", _read_weeks, _weeks("-")),
    Written("2024W05", re.compile(r"\d{4}W\d\d"), "week", _read_weeks, _weeks("")),
    Written("2024-03-14", re.compile(r"\d{4}-\d\d-\d\d"), None, *_dates("%Y-%m-%d")),
)


def written_times(texts: pd.Series, time: str) -> tuple[Written, pd.Series]:
    """How times are written, and the days on which they begin.

    Args:
        texts: all written in one way.
        time: what the column is called.

    Raises:
        InputError: they are written in several ways, or in none of these; a date that there is not.
    """
    for way in WAYS:
        if all(way.pattern.fullmatch(text) for text in texts):
            try:
                return way, way.read(texts)
            except ValueError as error:
                raise InputError(f"the time {time!r} holds a date that there is not: {error}") from error
    bad = next((text for text in texts if not any(way.pattern.fullmatch(text) for way in WAYS)), texts.iloc[0])
    examples = ", all as ".join(way.example for way in WAYS if way.every is None or "-" in way.example)
    raise InputError(f"the time {time!r} holds {bad!r}: write all as 2024, all as {examples}")
