"""Dates of pictures: the column that holds them, and the days, weeks, months, quarters and years that they are in."""

from __future__ import annotations

import pandas as pd

from visanda.corpus.adding.media_table import MEDIA
from visanda.errors import InputError

PERIODS = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}  # weeks begin on Monday
TAKEN = "taken"  # when a camera says that it took the picture
ISO = r"\d{4}-\d{2}-\d{2}([ T].*)?"
HOW = "write dates as 2024-03-14"


def date_column(rows: pd.DataFrame, name: str | None) -> tuple[str, pd.Series]:
    """The name of the column with dates, and the dates.

    Args:
        rows: a row a picture.
        name: the column; None: the only one of the user's own that holds dates, or else when pictures were taken.

    Raises:
        InputError: there is none, or several; what it holds are no dates.
    """
    if name is not None:
        if name not in rows:
            raise InputError(f"there is no column {name!r}; there are: {', '.join(map(str, rows))}")
        if (stamps := dates(rows[name])) is None:
            held = rows[name].dropna()
            some = f", such as {held.iloc[0]!r}" if len(held) else ""
            raise InputError(f"the column {name!r} holds no dates{some}: {HOW}")
        return name, stamps
    own = [str(one) for one in rows if one not in MEDIA.names and "__" not in str(one)]
    found = {one: stamps for one in own if (stamps := dates(rows[one])) is not None}
    if len(found) > 1:
        raise InputError(f"several columns hold dates: choose one with --date, of {', '.join(found)}")
    if not found and TAKEN in rows and (taken := dates(rows[TAKEN])) is not None:
        found = {TAKEN: taken}
    if not found:
        raise InputError(f"no column holds dates: add one with 'visanda add --metadata', and {HOW}")
    return next(iter(found.items()))


def dates(column: pd.Series) -> pd.Series | None:
    """A column as timestamps without a time zone; ``None`` where it holds anything else, or nothing."""
    held = column.dropna()
    if held.empty:
        return None
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.tz_localize(None)
    if not all(isinstance(value, str) for value in held) or not held.str.fullmatch(ISO).all():
        return pd.to_datetime(column) if pd.api.types.infer_dtype(held) == "date" else None
    try:
        return pd.to_datetime(column.str[:10], format="%Y-%m-%d")
    except ValueError:
        return None


def begins(stamps: pd.Series, period: str) -> pd.Series:
    """The day on which the period of each date begins; of years their number.

    >>> begins(pd.Series(pd.to_datetime(["2024-03-14"])), "week").astype(str).tolist()
    ['2024-03-11']
    """
    if period == "year":
        return stamps.dt.year.astype("Int64")
    return stamps.dt.to_period(PERIODS[period]).dt.start_time


def written(starts: pd.Series, period: str) -> pd.Series:
    """Periods as people write them: 2024-03 for a month, 2024-Q1 for a quarter, else the day on which they begin.

    >>> written(pd.Series(pd.to_datetime(["2024-04-01"])), "quarter").tolist()
    ['2024-Q2']
    """
    if period == "year":
        return starts
    if period == "quarter":
        year, quarter = starts.dt.strftime("%Y-Q"), starts.dt.quarter.astype("Int64").astype("string")
        return (year + quarter).astype(object).where(starts.notna(), None)
    return starts.dt.strftime("%Y-%m" if period == "month" else "%Y-%m-%d")


def labels(stamps: pd.Series, period: str) -> pd.Series:
    """The period of each date as a formula takes it: years are numbers, which have a slope; others are categories.

    >>> date = pd.Series(pd.to_datetime(["2024-03-14"]))
    >>> [labels(date, period)[0] for period in ("day", "week", "month", "quarter")]
    ['2024-03-14', '2024-03-11', '2024-03', '2024-Q1']
    """
    found = written(begins(stamps, period), period)
    return found.astype(float) if period == "year" else found
