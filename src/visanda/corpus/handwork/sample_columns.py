"""Columns to draw a sample by: strata and clusters, from any table; numbers are cut into bins of equally many."""

from __future__ import annotations

import re
from difflib import get_close_matches
from itertools import pairwise

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.store import Store, quoted
from visanda.study.sampling.sample import MISSING, strata

QUARTERS = 4
MANY_WHOLE, MANY = 31, 12  # distinct whole numbers, and other numbers, up to which each is a stratum


def strata_of(store: Store, population: pd.DataFrame, by: list[str]) -> tuple[pd.Series, list[str]]:
    """The stratum of each unit, and what is to be said of how it came about.

    Args:
        store: the corpus.
        population: a row a unit, with id, perhaps parent, and columns of the table media.
        by: names of columns of any tables; ``brightness:3`` cuts numbers into three bins of equally many units. Numbers
            of many values are cut into four.

    Raises:
        InputError: no table has such a column, or several have; what should be cut into bins is no number.
    """
    frame, said = population[["id"]].copy(), []
    for name in by:
        plain, _, bins = name.partition(":")
        values = column_of(store, population, plain)
        if bins and not re.fullmatch(r"[1-9]\d?", bins):
            raise InputError(f"{name!r}: after the colon comes the number of bins, such as {plain}:4")
        frame[name] = values.to_numpy()
        many = _many(values)
        if bins or many:
            if not pd.api.types.is_numeric_dtype(values):
                raise InputError(f"{plain!r} holds text: only numbers are cut into bins")
            frame[name] = _binned(values.astype(float), int(bins or QUARTERS)).to_numpy()
            if not bins:
                said.append(f"{plain} has many values and was cut into quarters; choose the number with {plain}:5")
    return strata(frame, by), said


def column_of(store: Store, population: pd.DataFrame, name: str) -> pd.Series:
    """A column of any table, for each unit of the population; of the file, where the unit itself has none.

    Raises:
        InputError: no table has it, or several have.
    """
    if name in population:
        return population[name].reset_index(drop=True)
    table, column = _home(store, population, name)
    if table == "media" and column == "id":
        return population["id"].reset_index(drop=True)
    rows = (
        store.frame(f"SELECT id, {quoted(column)} FROM {quoted(table)}").drop_duplicates("id").set_index("id")[column]
    )
    found = population["id"].map(rows)
    if "parent" in population and found.isna().all():
        found = population["parent"].map(rows)
    return found.reset_index(drop=True)


def _home(store: Store, population: pd.DataFrame, name: str) -> tuple[str, str]:
    """The table that a column is in, and its name there."""
    every = {table: store.column_names(table) for table in store.tables()}
    homes = [(table, name) for table, columns in every.items() if name in columns and "id" in columns]
    for table, columns in every.items():  # as table_column names a column that two tables have
        if not homes and name.startswith(f"{table}_") and name.removeprefix(f"{table}_") in columns:
            homes = [(table, name.removeprefix(f"{table}_"))]
    if len(homes) > 1:
        named = " or ".join(f"{table}_{column}" for table, column in homes)
        raise InputError(f"several tables have a column {name!r}: write {named}")
    if not homes:
        known = sorted({*map(str, population), *(column for columns in every.values() for column in columns)})
        close = get_close_matches(name, known, n=3)
        hint = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
        raise InputError(f"no table has a column {name!r}: {hint}'visanda columns' lists them all")
    return homes[0]


def _many(values: pd.Series) -> bool:
    """Whether these are numbers of which each would be a stratum of few units."""
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return False
    there = values.dropna().astype(float)
    whole = bool((there == there.round()).all())
    return there.nunique() > (MANY_WHOLE if whole else MANY)


def _binned(values: pd.Series, bins: int) -> pd.Series:
    """Labels of bins of about equally many units, such as ``0.21 to 0.4``, sorted as numbers are; missing ones stay."""
    edges = np.unique(values.quantile(np.linspace(0, 1, bins + 1)).to_numpy())
    if len(edges) < 2:
        return values.map(lambda value: MISSING if pd.isna(value) else f"{value:.4g}")
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    names = [f"{number}: {low:.4g} to {high:.4g}" for number, (low, high) in enumerate(pairwise(edges), 1)]
    return pd.Series([None if pd.isna(value) else names[at] for value, at in zip(values, place, strict=True)])


def clusters_of(store: Store, population: pd.DataFrame, name: str) -> pd.Series:
    """The cluster of each unit, as text; a unit without one is a cluster of its own."""
    values = column_of(store, population, name)
    own = population["id"].reset_index(drop=True)
    return values.astype("string").where(values.notna(), own).astype("string")
