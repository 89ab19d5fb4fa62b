"""Lags, leads and differences within units, by true distance in time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.study.columns import numbers, require_columns
from visanda.study.panels.periods import Every, Periods, refuse_repeats
from visanda.study.time.stretches import several


def lags(
    panel: pd.DataFrame,
    unit: str | Sequence[str],
    time: str,
    columns: str | Sequence[str],
    *,
    lags: Sequence[int] = (1,),
    leads: Sequence[int] = (),
    differences: bool = False,
    every: Every | None = None,
) -> pd.DataFrame:
    """What the same unit had one, two or more steps of time before and after.

    Where a unit has no row at that time the value is missing: the row before may be from another week.

    Args:
        panel: a row a unit and time.
        unit: columns whose combinations are the units.
        time: column of dates, pandas periods, text such as ``2024-03``, ``2024-Q1`` or ``2024-W05``, or whole numbers.
        columns: numbers.
        lags: how many steps back, 1 or more.
        leads: how many steps ahead, 1 or more.
        differences: add the change since one step before.
        every: how far a step is, for dates; None: as they tell: quarters that follow each other are one step apart, as
            are weeks labelled by their Mondays.

    Returns:
        The table, in its order, with ``lag_x``, ``lag2_x``, ``lead_x``, ``lead2_x`` and ``change_x`` for each column x.

    Raises:
        InputError: a unit has a time twice, text, a step that no two rows of a unit are apart, columns of that name.

    Example:
        >>> months = pd.DataFrame({"city": "x", "month": ["2024-01", "2024-02", "2024-04"], "size": [1.0, 2, 5]})
        >>> lags(months, "city", "month", "size")["lag_size"].tolist()
        [nan, 1.0, nan]
    """
    unit, columns = several(unit), several(columns)
    require_columns(panel, columns)
    steps = [("lag", step) for step in lags] + [("lead", step) for step in leads]
    if wrong := [step for _, step in steps if step < 1 or int(step) != step]:
        raise InputError(f"a lag or lead is 1 step or more, in whole steps, not {wrong[0]}")
    if not (steps or differences) or not columns:
        raise InputError("nothing to do: name columns, and lags=[1], leads=[1] or differences=True")
    periods = Periods.of(panel, time, every)
    refuse_repeats(panel, unit, periods, time)
    code = panel.groupby(unit, observed=True).ngroup().to_numpy() if unit else np.zeros(len(panel), np.int64)
    made = {name: numbers(panel, name).to_numpy(float) for name in columns}
    index = pd.MultiIndex.from_arrays([code, periods.number])
    found: dict[str, np.ndarray] = {}
    for what, step in steps:
        row = _rows_at(index, code, periods, -step if what == "lag" else step, time)
        for name in columns:
            found[f"{what}{step if step > 1 else ''}_{name}"] = _taken(made[name], row)
    if differences:
        row = _rows_at(index, code, periods, -1, time)
        for name in columns:
            found[f"change_{name}"] = made[name] - _taken(made[name], row)
    if taken := [name for name in found if name in panel]:
        raise InputError(f"the table has a column {taken[0]!r} already: drop or rename it first")
    return panel.assign(**found)


def _rows_at(index: pd.MultiIndex, code: np.ndarray, periods: Periods, step: int, time: str) -> np.ndarray:
    """(n,) the row of the same unit ``step`` later; -1 where there is none.

    Raises:
        InputError: there is none for any row.
    """
    row = index.get_indexer(pd.MultiIndex.from_arrays([code, periods.number + step]))
    if len(row) and (row < 0).all():
        gaps: np.ndarray = np.diff(np.unique(periods.number)).astype(float)
        hint = ""
        if periods.every == "day" and len(gaps) and (gaps % 7 == 0).all():
            hint = " These dates are whole weeks apart: every='week'."
        raise InputError(
            f"no unit has two rows that are {abs(step)} {periods.every}{'s' if abs(step) > 1 else ''} apart in "
            f"{time!r}: name the step of time with every, or aggregate to it first.{hint}"
        )
    return np.asarray(row)


def _taken(values: np.ndarray, row: np.ndarray) -> np.ndarray:
    return np.where(row >= 0, values[row], np.nan)
