"""Codes of several coders as a matrix: a row a unit, a column a coder, gaps where somebody did not code."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.columns import numeric, require_columns

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Scale = Literal["nominal", "ordinal", "interval", "multilabel", "pairwise"]

SPLIT, NO_LABEL = "|", "none"  # of a multi-label code: between its labels, and where it has none


@dataclass(frozen=True)
class Coded:
    """What coders gave, the last code of each coder of each unit.

    Rows are in an order that depends on the codes only, not on ids, coders' names or the order of the table, so
    that these change no bootstrap.

    Attributes:
        scale: of the variable.
        ids: (u,) of the units.
        coders: (c,) names, sorted.
        values: (v,) the values, in order where they have one; of interval scales, those used.
        code: (u, c) number of the value that each coder gave each unit, -1 where none.
        replaced: how many codes a later one of the same coder replaced.
    """

    scale: Scale
    ids: NDArray[np.object_]
    coders: list[str]
    values: list[Hashable]
    code: Index
    replaced: int

    @classmethod
    def of(cls, codes: pd.DataFrame, scale: Scale = "nominal", order: Sequence[Hashable] | None = None) -> Coded:
        """Read columns id, coder and value.

        Raises:
            InputError: a column that is not there, no codes, values that do not fit the scale.
        """
        if scale not in get_args(Scale):
            raise InputError(f"scale={scale!r}: choose one of {', '.join(get_args(Scale))}")
        require_columns(codes, ["id", "coder", "value"])
        given = codes[["id", "coder", "value"]].dropna()
        if given.empty:
            raise InputError("there are no codes: each row needs an id, a coder and a value")
        last = given.drop_duplicates(["id", "coder"], keep="last")
        value, values = _values(last["value"], scale, list(order or []))
        unit, ids = pd.factorize(last["id"], sort=True)
        coder, coders = pd.factorize(last["coder"].astype(str), sort=True)
        code = np.full((len(ids), len(coders)), -1, np.intp)
        code[unit, coder] = value
        rows = _canonical(code, len(values))
        return cls(scale, np.asarray(ids, dtype=object)[rows], list(coders), values, code[rows], len(given) - len(last))

    @property
    def given(self) -> NDArray[np.bool_]:
        """(u, c) where a coder coded a unit."""
        return self.code >= 0

    @property
    def many(self) -> Array:
        """(u,) how many codes each unit has."""
        return self.given.sum(axis=1).astype(float)

    @property
    def numbers(self) -> Array:
        """(u, c) the values as numbers: of an ordinal scale their places from 0; NaN where there is no code."""
        known = np.asarray(self.values if self.scale == "interval" else np.arange(len(self.values)), dtype=float)
        return np.where(self.given, known[self.code], np.nan)

    @property
    def counts(self) -> Array:
        """(u, v) how many coders gave each value to each unit."""
        unit, coder = np.nonzero(self.given)
        at = unit * len(self.values) + self.code[unit, coder]
        flat = np.bincount(at, minlength=len(self.code) * len(self.values))
        return flat.reshape(len(self.code), len(self.values)).astype(float)

    @property
    def labels(self) -> list[str]:
        """(v,) the values as people write them."""
        return [label(value) for value in self.values]

    def sets(self) -> list[frozenset[str]]:
        """(v,) of a multi-label scale: the labels that each value stands for."""
        return [labels_of(str(value)) for value in self.values]

    def membership(self) -> tuple[list[str], Array]:
        """Of a multi-label scale: the labels, sorted, and (v, labels) which of them each value holds, 1 or 0."""
        sets = self.sets()
        names = sorted(frozenset().union(*sets))
        held = np.array([[name in one for name in names] for one in sets], dtype=float)
        return names, held.reshape(len(sets), len(names))

    def rows(self, keep: NDArray[np.bool_]) -> Coded:
        """Only the units where ``keep``, (u,), holds."""
        return Coded(self.scale, self.ids[keep], self.coders, self.values, self.code[keep], self.replaced)

    def twice(self) -> Coded:
        """Only the units that have two codes or more."""
        return self.rows(self.many >= 2)

    def without(self, coder: int) -> Coded:
        """The codes of the others."""
        code = self.code.copy()
        code[:, coder] = -1
        return Coded(self.scale, self.ids, self.coders, self.values, code, self.replaced)

    def pairs(self) -> list[tuple[int, int]]:
        """Pairs of coders who coded a unit in common."""
        shared = self.given.T.astype(np.intp) @ self.given.astype(np.intp)
        return [(a, b) for a, b in combinations(range(len(self.coders)), 2) if shared[a, b]]


def label(value: Hashable) -> str:
    """A value as people write it: 1.0 is 1."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def labels_of(value: str) -> frozenset[str]:
    """The labels of a multi-label code.

    >>> sorted(labels_of("flag|fire")), sorted(labels_of("none"))
    (['fire', 'flag'], [])
    """
    return frozenset(part.strip() for part in value.split(SPLIT)) - {NO_LABEL, ""}


def _values(column: pd.Series, scale: Scale, order: list[Hashable]) -> tuple[Index, list[Hashable]]:
    """Number of the value of each code, and the values."""
    if scale == "interval":
        number = pd.to_numeric(column, errors="coerce").astype(float)
        if not np.isfinite(number).all():
            wrong = column[~np.isfinite(number)].iloc[0]
            raise InputError(f"value {wrong!r} is no number, but the scale is interval: mend it or drop the row")
        at, found = pd.factorize(number, sort=True)
        return at, list(found)
    if scale == "multilabel":
        column = column.map(lambda value: SPLIT.join(sorted(labels_of(str(value)))) or NO_LABEL)
        at, found = pd.factorize(column, sort=True)
        return at, list(found)
    column = numeric(column)
    if (
        order
        and pd.api.types.is_numeric_dtype(column)
        and pd.to_numeric(pd.Series(order), errors="coerce").notna().all()
    ):
        order = [float(str(value)) for value in order]
    elif order:
        column, order = column.map(label).astype(str), [label(value) for value in order]
    used = set(column)
    if scale == "ordinal" and not order:
        order = _ascending(used)
    outside = used - set(order)
    if scale == "ordinal" and outside:
        raise InputError(
            f"value {sorted(map(label, outside))[0]!r} has no place in the order {', '.join(map(label, order))}"
        )
    values = order + sorted(outside, key=lambda value: (isinstance(value, str), value))
    number_of = {value: place for place, value in enumerate(values)}
    return column.map(number_of).to_numpy(dtype=np.intp), values


def _ascending(values: set[Hashable]) -> list[Hashable]:
    number = pd.to_numeric(pd.Series(list(values)), errors="coerce")
    if number.isna().any():
        raise InputError("an ordinal scale whose values are no numbers: give order=, from the lowest to the highest")
    return [value for _, value in sorted(zip(number, values, strict=True), key=lambda both: both[0])]


def _canonical(code: Index, values: int) -> Index:
    """An order of rows that neither ids nor coders' names change: by the codes, whoever gave them, then by whom."""
    frequency = [np.bincount(column[column >= 0], minlength=values) for column in code.T]
    coders = sorted(range(code.shape[1]), key=lambda coder: tuple(frequency[coder]))
    keys = np.column_stack([np.sort(code, axis=1), code[:, coders]])
    return np.lexsort(keys.T[::-1])
