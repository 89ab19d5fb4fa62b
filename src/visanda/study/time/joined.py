"""Joined: a table made from two, with what was joined and what was not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.time.overlap import Numbers


@dataclass
class Joined:
    """A table made from two, and what a careful reader asks about it.

    Attributes:
        table: the rows.
        words: sentences that say how many of what were joined.
        warnings: what must be known before believing the table.
        unmatched: the intervals, events or windows, as they were given, that no unit lies in.
    """

    table: pd.DataFrame
    words: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unmatched: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True)
class Pairs:
    """Which unit lies in which of m others.

    Attributes:
        unit: (k,) numbers of units, ascending.
        other: (k,) numbers of intervals or events.
        each: (n,) in how many each unit lies.
        held: (m,) whether there is a unit in each of the others.
    """

    unit: Numbers
    other: Numbers
    each: Numbers
    held: NDArray[np.bool_]

    @classmethod
    def collect(cls, blocks: Iterable[tuple[Numbers, Numbers]], n: int, m: int) -> Pairs:
        """Put blocks of pairs of ``n`` units with ``m`` others together."""
        found = [*blocks, (np.empty(0, np.int64), np.empty(0, np.int64))]
        unit, other = (np.concatenate(column) for column in zip(*found, strict=True))
        return cls(unit, other, np.bincount(unit, minlength=n), np.bincount(other, minlength=m) > 0)

    def table(
        self, units: pd.DataFrame, others: pd.DataFrame, extra: dict[str, NDArray], keep: bool, name: str
    ) -> pd.DataFrame:
        """The units' columns, (k,) ``extra`` ones of the pairs, and those of ``others``.

        Args:
            units: n rows.
            others: m rows.
            extra: (k,) columns by name.
            keep: keep units that have no pair, with nulls.
            name: suffix of the new columns whose names the units' have already.

        Raises:
            InputError: a name would be there twice even with the suffix.
        """
        row, pair = self.unit, np.arange(len(self.unit))
        if keep:
            row = np.repeat(np.arange(len(units)), np.maximum(self.each, 1))
            pair = np.full(len(row), -1)
            pair[self.each[row] > 0] = np.arange(len(self.unit))
        once = len(row) == len(units) and (row == np.arange(len(row))).all()
        left = units.reset_index(drop=True) if once else units.take(row).reset_index(drop=True)
        other = np.append(self.other, -1)[pair]
        right = {key: _take(pd.Series(values), pair) for key, values in extra.items()}
        right |= {key: _take(others[key], other) for key in others.columns}
        return pd.concat([left, pd.DataFrame(right).rename(columns=_renamed(units, right, name))], axis=1)

    def words(self, others: str) -> str:
        """How many units lie in none, one or several of ``others``."""
        none, one = int((self.each == 0).sum()), int((self.each == 1).sum())
        several = len(self.each) - none - one
        return (
            f"Of {len(self.each):,} units, {one:,} lie in one of the {len(self.held):,} {others}, {several:,} in "
            f"several and {none:,} in none; {(~self.held).sum():,} {others} hold no unit."
        )


def _take(column: pd.Series, places: Numbers) -> pd.api.extensions.ExtensionArray:
    """The values at ``places``, null at -1; whole numbers and booleans stay what they are."""
    if not len(places) or places.min() >= 0:
        return column.array.take(places)
    if column.dtype.kind in "iub" and not pd.api.types.is_extension_array_dtype(column.dtype):
        column = column.astype("boolean" if column.dtype == bool else "Int64")
    return column.array.take(places, allow_fill=True)


def _renamed(units: pd.DataFrame, new: Iterable[str], name: str) -> dict[str, str]:
    names = {column: f"{column}_{name}" for column in new if column in units.columns}
    taken = {*units.columns, *new} & set(names.values())
    if taken:
        raise InputError(f"both tables have columns {sorted(taken)} under that name: rename one of them")
    return names


def listed(names: Sequence[object], most: int = 3) -> str:
    """``a, b, c, ... (12 in all)``."""
    shown = ", ".join(str(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown}, ... ({len(names):,} in all)"
