"""A column that a formula names: of any table of the corpus, or a period made of the column of dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

import pandas as pd

from visanda import codes
from visanda.corpus.dates import PERIODS, date_column, dates, labels
from visanda.errors import InputError
from visanda.store import Store, quoted

FILE = re.compile(r"[\w./\\-]+\.(?:csv|tsv|xlsx|parquet|json|jsonl|dta)\b")


def named_column(store: Store, name: str) -> pd.DataFrame:
    """Columns id and ``name``, which is written ``table_column`` where several tables have the column.

    Raises:
        InputError: no table has it, or several have; it has several rows an id.
    """
    every = {table: store.column_names(table) for table in store.tables()}
    column, homes = name, [table for table, columns in every.items() if name in columns]
    for table, columns in every.items():  # as ``table`` names a column that two tables have
        if not homes and name.startswith(f"{table}_") and name.removeprefix(f"{table}_") in columns:
            column, homes = name.removeprefix(f"{table}_"), [table]
    if not homes and name in every:
        inside = ", ".join(one for one in every[name] if one not in ("id", "error", "parent"))
        raise InputError(f"{name!r} is a table, not a column: name one of its columns, {inside}")
    if not homes:
        known = sorted({c for columns in every.values() for c in columns} | set(codes.variables(store.folder)))
        close = get_close_matches(name, known, n=3)
        hint = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
        raise InputError(f"no table has a column {name!r}: {hint}'visanda columns' lists them all")
    if len(homes) > 1:
        named = " or ".join(f"{home}_{column}" for home in homes)
        raise InputError(f"several tables have a column {column!r}: write {named}")
    frame = store.frame(f"SELECT id, {quoted(column)} FROM {quoted(homes[0])}")
    if (again := frame["id"].duplicated()).any():
        raise InputError(
            f"{name!r} is in the table {homes[0]!r}, which has several rows about one thing, such as "
            f"{frame['id'][again].iloc[0]}: make one row of them first"
        )
    return frame.rename(columns={column: name})


def refuse_files(formula: str) -> None:
    """InputError where a formula names a file."""
    if found := FILE.search(formula):
        raise InputError(
            f"a formula names columns, and {found[0]!r} is a file: 'visanda add --metadata {found[0]}' brings its "
            "columns into the corpus, and 'visanda columns' lists them"
        )


class Dates:
    """The dates of files, from the column of media that holds them.

    Args:
        store: the corpus.
        column: named by the user; None: the only one that holds dates.
        names: the columns that a formula names, in which a column of dates has to be of use.

    Attributes:
        words: what was made of dates, in sentences.

    Raises:
        InputError: a column is named, and nothing is made of it.
    """

    def __init__(self, store: Store, column: str | None, names: Sequence[str] = ()) -> None:
        self._store, self._column = store, column
        self.words: list[str] = []
        if column is not None and column not in names and not any(self.makes(name) for name in names):
            raise InputError(
                f"--date {column}: the formula has no {', '.join(list(PERIODS)[:-1])} or {list(PERIODS)[-1]} to make "
                "of dates; a cluster may be one, too"
            )

    def makes(self, name: str) -> bool:
        """Whether a name of a formula is a period, and no table has a column of this name."""
        return name in PERIODS and not any(name in self._store.column_names(table) for table in self._store.tables())

    def period(self, name: str, ids: pd.Series) -> pd.Series:
        """The period of each id: its year as a number, of others a label such as ``2024-03``.

        Raises:
            InputError: no column holds dates, or several do.
        """
        source, stamps = self._dates(name)
        made = labels(stamps, name)
        found = ids.map(lambda id: str(id).split("#")[0]).map(made)  # units may lie inside of files
        held = found.dropna()
        such = f", such as {held.iloc[0]}" if len(held) and name != "year" else ""
        lost = f"; {len(found) - len(held):,} of {len(found):,} units have no date" if len(held) < len(found) else ""
        self.words.append(f"{name} is made of the column {source}{such}{lost}.")
        return found

    def as_days(self, name: str, column: pd.Series) -> pd.Series:
        """A column of the formula; days since the earliest of its dates, where it holds dates."""
        stamps = dates(column)
        if stamps is None:
            return column
        first = stamps.min()
        self.words.append(f"{name} counts days from {first:%Y-%m-%d} on.")
        return (stamps.dt.normalize() - first.normalize()).dt.days.astype(float)

    def _dates(self, name: str) -> tuple[str, pd.Series]:
        media = self._store.frame("SELECT * FROM media").set_index("id")
        try:
            return date_column(media, self._column)
        except InputError as error:
            raise InputError(f"no table has a column {name!r}, and it cannot be made of dates: {error}") from error
