"""Columns: is it there, and is it a number?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from visanda.errors import InputError

ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T].*)?")
NUMBERS_AS_OBJECTS = {"boolean", "integer", "floating", "mixed-integer-float", "decimal"}


def refuse_no_table(data: object) -> None:
    """InputError where something else is given in place of a table."""
    if isinstance(data, pd.DataFrame):
        return
    if isinstance(data, str | Path):
        raise InputError(
            f"{str(data)!r} is a path: give the table that is there, such as pandas.read_csv({str(data)!r})"
        )
    raise InputError(f"data is a {type(data).__name__}: give a table, a pandas.DataFrame")


def require_columns(frame: pd.DataFrame, names: Iterable[str], what: str = "column") -> None:
    """Raise InputError, suggesting close names, for the first of ``names`` that is no column of ``frame``."""
    columns = [str(column) for column in frame.columns]
    for name in names:
        if columns.count(str(name)) > 1:
            raise InputError(f"{what} {name!r} stands in the table twice: rename one of these columns, or take it out")
        if name in frame.columns:
            continue
        close = get_close_matches(str(name), columns, n=3, cutoff=0.6)
        hint = f"did you mean {' or '.join(close)}?" if close else f"the columns are {_listed(columns)}."
        raise InputError(f"{what} {name!r} is not in the table: {hint}")


def written(value: object) -> str:
    """A value for a message: whole numbers without decimals."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def numeric(column: pd.Series) -> pd.Series:
    """``column`` as floats where it holds numbers or booleans in whatever dtype; text and categories stay."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.remove_unused_categories()  # a level nobody has would be a column of zeros
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
        return column.astype("Float64").astype(float)
    if column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) in NUMBERS_AS_OBJECTS:
        return column.astype(float)
    return column


def holds_dates(column: pd.Series) -> bool:
    """Whether a column holds dates: timestamps, periods, dates, or text such as ``2024-03-14``."""
    if pd.api.types.is_datetime64_any_dtype(column) or isinstance(column.dtype, pd.PeriodDtype):
        return True
    if pd.api.types.is_numeric_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype):
        return False
    held = column.dropna()
    if held.empty:
        return False
    if isinstance(held.iloc[0], str):
        return ISO.fullmatch(held.iloc[0]) is not None and all(ISO.fullmatch(str(value)) for value in held.unique())
    return pd.api.types.infer_dtype(held) in ("date", "datetime")


def numbers(frame: pd.DataFrame, name: str) -> pd.Series:
    """Column ``name`` as finite floats or NaN; InputError where it is text, which has to be recoded first."""
    require_columns(frame, [name])
    column = numeric(frame[name])
    if column.isna().all():
        return column.astype(float)
    if not pd.api.types.is_float_dtype(column):
        some = _listed([repr(value) for value in pd.unique(column.dropna())[:3]])
        raise InputError(f"column {name!r} holds text ({some}): recode it to 0/1 or to a number first")
    if np.isinf(column).any():
        raise InputError(f"column {name!r} holds infinite values: set them to missing or drop these rows")
    return column


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:12])
    return f"{shown}, ... ({len(names)} in all)" if len(names) > 12 else shown
