"""Balance: every unit at every time, with zeros where nothing was counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.study.columns import numbers, numeric, require_columns
from visanda.study.panels.periods import Every, Periods, refuse_repeats
from visanda.study.time.stretches import several

MOST = 100_000_000  # rows that a table may have
FILLED = "filled"


def balanced(
    panel: pd.DataFrame,
    unit: str | Sequence[str],
    time: str,
    *,
    fill: Literal[0, "missing"] = 0,
    columns: Sequence[str] | None = None,
    every: Every | None = None,
    span: Literal["all", "own"] = "all",
) -> pd.DataFrame:
    """Every unit at every time from the first to the last, also at times that nobody has.

    A day without pictures has 0 pictures, and 0 people in them; it has no share of protest, which stays missing.

    Args:
        panel: a row a unit and time.
        unit: columns whose combinations are the units.
        time: column of dates, pandas periods, text such as ``2024-03``, ``2024-Q1`` or ``2024-W05``, or whole numbers.
        fill: what counts have in new rows: 0, or ``"missing"``.
        columns: which are counts; None: those that hold whole numbers by their type (int64, Int64).
        every: how far a step is, for dates; None: as they tell: quarters that follow each other are one step apart, as
            are weeks labelled by their Mondays.
        span: from the first to the last time of all units, or of each unit's own.

    Returns:
        Rows sorted by unit and time. Text that is the same in all rows of a unit is carried on; everything else is
        missing in new rows, which ``filled`` marks. Rows that were there are as they were.

    Raises:
        InputError: a unit has a time twice; a column to fill that is no count; more than 100 million rows.

    Example:
        >>> days = pd.DataFrame({"outlet": ["a", "a"], "day": [1, 3], "n": [5, 2], "protest": [0.2, 0.5]})
        >>> balanced(days, "outlet", "day")[["day", "n", "protest", "filled"]].astype(object).values.tolist()
        [[1, 5, 0.2, False], [2, 0, nan, True], [3, 2, 0.5, False]]
    """
    unit = several(unit)
    if fill not in (0, "missing"):
        raise InputError(f"fill={fill!r}: choose 0 or 'missing'")
    if span not in ("all", "own"):
        raise InputError(f"span={span!r}: choose 'all' or 'own'")
    if FILLED in panel:
        raise InputError(f"the table has a column {FILLED!r} already: rename it, or do not balance twice")
    if panel.empty:
        raise InputError("the table has no rows: there are no units and times to fill")
    periods = Periods.of(panel, time, every)
    refuse_repeats(panel, unit, periods, time)
    counts = _counts(panel, [*unit, time], columns)
    panel = panel.reset_index(drop=True)
    code = panel.groupby(unit, observed=True).ngroup().to_numpy() if unit else np.zeros(len(panel), np.int64)
    cells = _cells(code, periods.number, span)
    place = cells.merge(
        pd.DataFrame({"code": code, "number": periods.number, "row": np.arange(len(panel))}), how="left"
    )
    new = place["row"].isna().to_numpy()
    made = panel.take(place["row"].fillna(0).to_numpy(np.int64)).reset_index(drop=True)
    first = pd.Series(np.arange(len(code))).groupby(code).first().to_numpy()
    for name in map(str, panel):
        if name in unit or _carried(panel[name], code):
            carried = panel.groupby(code)[name].first() if name not in unit else panel[name].take(first)
            values = carried.reset_index(drop=True).take(place.loc[new, "code"].to_numpy()).to_numpy()
            made[name] = _set(made[name], new, values)
        elif name == time:
            made[name] = _set(made[name], new, periods.back(place.loc[new, "number"].to_numpy(np.int64)).to_numpy())
        elif name in counts and fill == 0:
            made[name] = _set(made[name], new, 0)
        else:
            made[name] = made[name].mask(pd.Series(new)) if new.any() else made[name]
    return made.assign(**{FILLED: new})


def _cells(code: np.ndarray, number: np.ndarray, span: str) -> pd.DataFrame:
    """Columns code and number: every unit at every time."""
    ends = pd.Series(number).groupby(code).agg(["min", "max"])
    if span == "all":
        ends[:] = [[number.min(), number.max()]] * len(ends)
    many = (ends["max"] - ends["min"] + 1).to_numpy()
    if (total := int(many.sum())) > MOST:
        raise InputError(f"that makes {total:,} rows, more than {MOST:,}: check the times, or choose a longer step")
    units = np.repeat(ends.index.to_numpy(), many)
    since = np.arange(total) - np.repeat(np.cumsum(many) - many, many)
    return pd.DataFrame({"code": units, "number": np.repeat(ends["min"].to_numpy(), many) + since})


def _counts(panel: pd.DataFrame, keys: Sequence[str], columns: Sequence[str] | None) -> set[str]:
    """Columns in which nothing is 0."""
    if columns is None:
        return {str(name) for name in panel if name not in keys and pd.api.types.is_integer_dtype(panel[name])}
    require_columns(panel, columns, "the count")
    for name in columns:
        held = numbers(panel, name).dropna()
        if ((held < 0) | (held % 1 != 0)).any():
            raise InputError(
                f"{name!r} is no count (it holds {held[(held < 0) | (held % 1 != 0)].iloc[0]:g}): a mean or share of "
                "nothing is not 0 but missing. Leave it out of columns"
            )
    return set(columns)


def _carried(column: pd.Series, code: np.ndarray) -> bool:
    """Whether a column is text that says the same in all rows of a unit."""
    held = numeric(column).dropna()
    if held.empty or pd.api.types.is_float_dtype(held) or not all(isinstance(one, str) for one in held):
        return False
    return bool(column.groupby(code).nunique(dropna=False).max() <= 1)


def _set(column: pd.Series, new: np.ndarray, values: object) -> pd.Series:
    """A column with other values where ``new``."""
    if not new.any():
        return column
    made = column.copy()
    made.loc[new] = values
    return made
