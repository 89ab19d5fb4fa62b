"""Another source: a column of a table that people bring, beside what was measured of the same pictures or units."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from visanda.collect.match import match
from visanda.collect.tables import read_table
from visanda.corpus.audit.columns_by_name import files_of
from visanda.corpus.audit.handcodes import NAMES
from visanda.corpus.dates import PERIODS, begins, dates
from visanda.errors import InputError
from visanda.study.columns import numbers


def with_other_source(
    rows: pd.DataFrame, path: Path, column: str, unit: Sequence[str], name: str
) -> tuple[pd.DataFrame, list[str]]:
    """Rows with a further column, and what to say of rows of the table that match none.

    Args:
        rows: a row a picture, by id; or a row a unit, with the columns of ``unit``.
        path: the table.
        column: its column of numbers.
        unit: columns that name a row of the table; none: it names pictures.
        name: what the column is called among ``rows``.

    Raises:
        InputError: a column that is not there, text where numbers are needed, two rows for one unit.
    """
    table = read_table(path)
    if missing := [one for one in (column, *unit) if one not in table]:
        raise InputError(f"{path.name} has no column {missing[0]!r}; it has: {', '.join(map(str, table))}")
    values = numbers(table, column)
    return _of_units(rows, table, values, path, unit, name) if unit else _of_pictures(rows, table, values, path, name)


def _of_pictures(
    rows: pd.DataFrame, table: pd.DataFrame, values: pd.Series, path: Path, name: str
) -> tuple[pd.DataFrame, list[str]]:
    key = next((one for one in NAMES if one in table), None)
    if key is None:
        raise InputError(f"{path.name} has no column 'id' or 'filename' to find its pictures by: or give it a --unit")
    files = files_of(pd.Index(rows.index))
    matched = match(table, key, list(files.unique()))
    by_file = pd.Series({id: values.iloc[row] for id, row in matched.rows.items()}, dtype=float)
    found = rows.copy()
    found[name] = by_file.reindex(files).to_numpy()
    return found, _lost(path, matched.unmatched, len(table))


def _of_units(
    rows: pd.DataFrame, table: pd.DataFrame, values: pd.Series, path: Path, unit: Sequence[str], name: str
) -> tuple[pd.DataFrame, list[str]]:
    units = list(unit)
    keyed = pd.DataFrame({one: _as_here(table[one], rows[one], path) for one in units})
    if keyed.duplicated().any():
        raise InputError(f"{path.name} has two rows for {_said(keyed[keyed.duplicated()].iloc[0])}: keep one")
    keyed[name] = values
    found = rows.merge(keyed, on=units, how="left")
    lone = keyed.merge(rows[units].drop_duplicates(), on=units, how="left", indicator=True)
    lost = lone.loc[lone["_merge"] == "left_only", units]
    return found, _lost(path, [_said(one) for _, one in lost.iterrows()], len(keyed))


def _said(unit: pd.Series) -> str:
    texts = [f"{one:%Y-%m-%d}" if isinstance(one, pd.Timestamp) else str(one) for one in unit]
    return " and ".join(texts)


def _lost(path: Path, names: list[str], total: int) -> list[str]:
    if not names:
        return []
    return [f"{len(names):,} of {total:,} rows of {path.name} match nothing here, such as {names[0]!r}."]


def _as_here(brought: pd.Series, here: pd.Series, path: Path) -> pd.Series:
    """A column of units as the corpus has it: dates as the beginnings of their periods, all else in its kind."""
    name = str(here.name)
    if name in PERIODS and pd.api.types.is_datetime64_any_dtype(here):
        stamps = dates(brought)
        if stamps is None:
            raise InputError(f"the column {name!r} of {path.name} holds no dates: write them as 2024-03-14")
        return begins(stamps, name).astype(here.dtype)
    try:
        return brought.astype(here.dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"the column {name!r} of {path.name} holds other things than that of the corpus") from error
