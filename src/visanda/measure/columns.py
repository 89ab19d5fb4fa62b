"""Columns: what a measure may return, and how it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import GenericAlias
from typing import Any

import numpy as np
import pyarrow as pa

from visanda.errors import InputError


@dataclass(frozen=True)
class Vector:
    """A column that holds one vector of ``length`` numbers a unit, stored as float16."""

    length: int


ColumnType = type | GenericAlias | Vector  # float, int, bool, str, list[float], list[str] or a Vector
Columns = Mapping[str, ColumnType]
Row = Mapping[str, Any]

ARROW: dict[object, pa.DataType] = {
    float: pa.float64(),
    int: pa.int64(),
    bool: pa.bool_(),
    str: pa.string(),
    list[float]: pa.list_(pa.float64()),
    list[str]: pa.list_(pa.string()),
}
ID = pa.field("id", pa.string())
TIMED = [  # the columns that every table of units inside videos begins with
    ID,
    pa.field("parent", pa.string()),
    pa.field("start", pa.float64()),
    pa.field("stop", pa.float64()),
]
FOUND = [  # and every table of things found in pictures: the file, the picture or frame in it, when, and the box
    ID,
    pa.field("parent", pa.string()),
    pa.field("picture", pa.string()),
    pa.field("start", pa.float64()),
    pa.field("stop", pa.float64()),
    *(pa.field(name, pa.int64()) for name in ("x", "y", "width", "height")),
]


def arrow_type(declared: ColumnType) -> pa.DataType:
    """The Arrow type that a declared column is stored as.

    Vectors are lists of variable length, because Parquet readers lose a null inside a fixed-size list.
    """
    return pa.list_(pa.float16()) if isinstance(declared, Vector) else ARROW[declared]


def check_columns(name: str, columns: Columns, own: Sequence[pa.Field] = TIMED) -> None:
    """See that columns can be stored.

    Raises:
        InputError: a name that every table has itself, or a type that is not known.
    """
    for column, declared in columns.items():
        if column == "error" or column in [field.name for field in own]:
            raise InputError(f"the measure {name} cannot have a column {column!r}: every table has its own")
        if not isinstance(declared, Vector) and declared not in ARROW:
            kinds = ", ".join(getattr(one, "__name__", str(one)) for one in (float, int, bool, str))
            raise InputError(
                f"the column {column!r} of {name} must be {kinds}, list[float], list[str] or Vector(length), "
                f"not {declared!r}"
            )


def schema_of(own: Sequence[pa.Field], declared: Columns) -> pa.Schema:
    """The schema of a table: its own columns, those that a measure declared, and ``error``."""
    fields = [pa.field(name, arrow_type(kind)) for name, kind in declared.items()]
    return pa.schema([*own, *fields, pa.field("error", pa.string())])


def table_of(
    measure: str, own: Sequence[pa.Field], keys: Mapping[str, Any], declared: Columns, values: Mapping[str, Any]
) -> pa.Table:
    """Rows of a table: its own columns, those that the measure declared, and an empty ``error``.

    Args:
        measure: its name, for errors.
        own: the table's own columns.
        keys: their values.
        declared: the measure's columns.
        values: one a row for each of them; NaN, which nothing could compute, becomes null.

    Raises:
        InputError: columns that it did not declare, not one value a row, or values of another type.
    """
    if set(values) != set(declared):
        raise InputError(f"the measure {measure} declared {sorted(declared)} and returned {sorted(values)}")
    number = len(keys["id"])
    columns: dict[str, Any] = dict(keys)
    for name, kind in declared.items():
        if len(values[name]) != number:
            raise InputError(f"{measure}: {len(values[name])} values of {name} for {number} units")
        try:
            columns[name] = _arrow_array(values[name], kind)
        except (ValueError, TypeError) as error:  # Arrow's own errors are among them
            raise InputError(f"{measure}: the values of {name} are not {kind}: {error}") from error
    columns["error"] = pa.nulls(number, pa.string())
    return pa.table(columns, schema=schema_of(own, declared))


def _arrow_array(values: Any, declared: ColumnType) -> pa.Array:
    if isinstance(declared, Vector):
        matrix = np.asarray(values, np.float16).reshape(len(values), declared.length)
        offsets = pa.array(np.arange(len(matrix) + 1, dtype=np.int32) * declared.length)
        unknown = pa.array(~np.isfinite(matrix).all(axis=1))
        return pa.ListArray.from_arrays(offsets, pa.array(matrix.ravel()), mask=unknown)
    if isinstance(values, np.ndarray):
        values = values.tolist()
    return pa.array(values, arrow_type(declared), from_pandas=True)
