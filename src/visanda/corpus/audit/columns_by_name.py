"""Columns by the names that people type: of media, of a table of the same units, of what was coded."""

from __future__ import annotations

from difflib import get_close_matches

import pandas as pd

from visanda import codes
from visanda.errors import InputError
from visanda.store import Store, quoted
from visanda.units import Unit, parse

MEDIA = "media"


def column_of(store: Store, name: str, ids: pd.Index, beside: pd.DataFrame | None = None) -> pd.Series:
    """A column of some units, by id; what is known of a file is known of all faces, frames and shots in it.

    Args:
        store: the corpus.
        name: a column; ``table.column`` or ``table_column`` where several tables have it; a coded variable: its gold.
        ids: of the units.
        beside: by id, columns that people brought; they come before all others.

    Raises:
        InputError: a column that is not there, or in several tables.
    """
    if beside is not None and name in beside:
        return beside[name].reindex(ids)
    if name in codes.variables(store.folder):
        return codes.gold_of(store.folder, name).reindex(ids).rename(name)
    table, column = home_of(store, name, ids, None if beside is None else list(map(str, beside)))
    values = store.frame(f"SELECT id, {quoted(column)} AS value FROM {quoted(table)}").set_index("id")["value"]
    return pd.Series(values.reindex(files_of(ids) if table == MEDIA else ids).to_numpy(), index=ids, name=name)


def files_of(ids: pd.Index) -> pd.Index:
    """The file that each unit lies in."""
    return pd.Index([Unit(parse(id).name).id for id in ids])


def ids_of(store: Store, name: str) -> pd.Index:
    """The units of the table that a column is in, or those that a variable was coded of.

    Raises:
        InputError: a column that is not there, or in several tables.
    """
    if name in codes.variables(store.folder):
        return pd.Index(sorted(codes.gold_of(store.folder, name).index))
    table, _ = home_of(store, name)
    return pd.Index(store.frame(f"SELECT id FROM {quoted(table)} ORDER BY id")["id"])


def home_of(store: Store, name: str, ids: pd.Index | None = None, brought: list[str] | None = None) -> tuple[str, str]:
    """The table that a column is in, and its name there; ``media`` before all others.

    Args:
        store: the corpus.
        name: as it was typed.
        ids: units, of which a table must know some; any table will do by default.
        brought: columns that people brought, for the message.

    Raises:
        InputError: no table has it, or several have.
    """
    every = {table: store.column_names(table) for table in store.tables()}
    table, dot, column = name.rpartition(".")
    if dot:
        store.require(table, f"there are: {', '.join(every)}")
        if column not in every[table]:
            raise InputError(f"the table {table!r} has no column {column!r}; it has: {', '.join(every[table])}")
        return table, column
    if name in every[MEDIA]:
        return MEDIA, name
    there = {table: name for table, columns in every.items() if {"id", name} <= set(columns)}
    if not there:
        pairs = ((table, name.removeprefix(f"{table}_")) for table in every if name.startswith(f"{table}_"))
        there = {table: column for table, column in pairs if column in every[table]}
    if ids is not None and there:
        known = set(ids)
        there = {table: column for table, column in there.items() if known & _units(store, table)}
    if len(there) > 1:
        named = " or ".join(f"{table}.{column}" for table, column in there.items())
        raise InputError(f"{name!r} is in several tables: say {named}")
    if not there:
        raise _not_there(store, name, every, brought)
    return next(iter(there.items()))


def _units(store: Store, table: str) -> set[str]:
    return set(store.query(f"SELECT id FROM {quoted(table)}")["id"].to_pylist())


def _not_there(store: Store, name: str, every: dict[str, list[str]], brought: list[str] | None) -> InputError:
    known = [
        *(brought or []),
        *(column for columns in every.values() for column in columns),
        *codes.variables(store.folder),
    ]
    close = get_close_matches(name, list(dict.fromkeys(known)), n=3)
    hint = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    where = (
        "no column of the hand codes, of media or of a table of the same units"
        if brought is not None
        else "in no table"
    )
    return InputError(f"{name!r} is {where}: {hint}'visanda columns' lists all of them")
