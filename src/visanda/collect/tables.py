"""Tables people bring: CSV, TSV, Excel, Parquet, JSON lines; read with the types they meant."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from visanda.errors import InputError

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".parquet", ".jsonl", ".ndjson")
MISSING = {"", "NA"}  # in a column of text: "None" and "null" are answers that people give
NOT_A_NUMBER = MISSING | {"N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "."}
DIGITS = 15  # whole numbers with more are names: R, Excel and JavaScript could not hold them exactly
FIELD_CHARACTERS = 2**31 - 1
WHOLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
}


def read_table(path: Path | str) -> pd.DataFrame:
    """Read a table; every column gets the narrowest type that all its values allow.

    Numbers that are names stay text: a column with ``007``, or with whole numbers of more than 15 digits.

    Raises:
        InputError: the file is missing, empty, of an unknown kind, or cannot be read; says why.
    """
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    if suffix not in SUFFIXES:
        raise InputError(f"{path.name} is no table that can be read here: those end in {', '.join(SUFFIXES)}")
    try:
        return _read(path, suffix)
    except (OSError, ValueError, KeyError, BadZipFile, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a table: {error}") from error


def _read(path: Path, suffix: str) -> pd.DataFrame:
    if suffix == ".parquet":
        frame = settle(pq.read_table(path).to_pandas(types_mapper=WHOLE.get, date_as_object=False))
    elif suffix == ".xlsx":
        frame = settle(pd.read_excel(path, dtype=object, keep_default_na=False, na_values=[""]))
    elif suffix in (".jsonl", ".ndjson"):
        frame = _read_json_lines(path)
    else:
        frame = _read_text(path, suffix)
    if frame.empty:
        raise InputError(f"{path} is empty: it has no rows")
    return frame


def _read_json_lines(path: Path) -> pd.DataFrame:
    rows = []
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"{path}, line {number}: not JSON: {error}") from error
        if not isinstance(row, dict):
            raise InputError(f"{path}, line {number}: not an object with a value a column, as in {{...}}")
        rows.append(row)
    names = list(dict.fromkeys(name for row in rows for name in row))
    return settle(pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names}))


def _read_text(path: Path, suffix: str) -> pd.DataFrame:
    text = _decoded(path.read_bytes())
    if not text.strip():
        raise InputError(f"{path} is empty")
    separator = _separator(text, suffix)
    rows = _rows(path, text, separator)
    header = rows.pop(0)
    columns = [pd.Series([row[position] for row in rows], dtype=object) for position in range(len(header))]
    if separator == ";":
        columns = [_with_points(column) for column in columns]
    frame = pd.DataFrame({position: narrow(column) for position, column in enumerate(columns)})
    return frame.set_axis(pd.Index(_unique(header)), axis=1)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # Excel's "Unicode text"
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")  # what Excel writes when it does not write UTF-8


def _separator(text: str, suffix: str) -> str:
    first = next(line for line in text.splitlines() if line.strip())
    plain = re.sub(r'"[^"]*"', "", first)
    return "\t" if suffix == ".tsv" else max(",;\t", key=plain.count)


def _rows(path: Path, text: str, separator: str) -> list[list[str]]:
    """The header and the rows, all of the same length; a row that is too long is an error, never cut."""
    csv.field_size_limit(FIELD_CHARACTERS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows: list[list[str]] = []
    for row in reader:
        if not any(field.strip() for field in row):
            continue
        if rows and any(field.strip() for field in row[len(rows[0]) :]):
            raise InputError(
                f"{path}, line {reader.line_num}: {len(row)} values for {len(rows[0])} columns; put values that "
                f"contain {separator!r} in double quotes"
            )
        width = len(rows[0]) if rows else len(row)
        rows.append((row + [""] * width)[:width])
    return rows


def _with_points(text: pd.Series) -> pd.Series:
    """Decimal commas as points, where all that is known are numbers written so: Excel's CSV in most of Europe."""
    known = text[~text.str.strip().isin(NOT_A_NUMBER)].str.strip()
    decimal = known.str.fullmatch(r"[+-]?\d+(,\d+)?([eE][+-]?\d+)?")
    return text.str.replace(",", ".") if decimal.all() and known.str.contains(",").any() else text


def narrow(text: pd.Series) -> pd.Series:
    """The narrowest type that all values of a column of text allow: bool, int, float, time, or text.

    >>> narrow(pd.Series(["1", "2", ""])).tolist()
    [1, 2, <NA>]
    >>> narrow(pd.Series(["007", "1"])).tolist()
    ['007', '1']
    """
    plain = text.str.strip()
    as_text = text.where(~plain.isin(MISSING), None).astype(object)
    plain = plain.where(~plain.isin(NOT_A_NUMBER))
    known = plain.dropna()
    if known.empty:
        return as_text
    if known.str.lower().isin({"true", "false"}).all():
        return plain.str.lower().map({"true": True, "false": False}).astype("boolean")
    if known.str.contains(rf"^[+-]?\d{{{DIGITS + 1},}}$").any():
        return as_text
    if known.str.fullmatch(r"-?(0|[1-9]\d*)").all():
        return plain.astype("Int64")
    if known.str.fullmatch(r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?").all():
        return pd.to_numeric(plain).astype(float)
    times = _times(plain, known)
    return as_text if times is None else times


def _times(plain: pd.Series, known: pd.Series) -> pd.Series | None:
    """Times as ISO 8601 writes them, all with a time zone or all without; otherwise none."""
    if not known.str.match(r"\d{4}-\d{2}-\d{2}").all():
        return None
    zoned = known.str.contains(r"\d(?:Z|[+-]\d{2}:?\d{2})$") & known.str.contains(":")
    if zoned.any() != zoned.all():
        return None
    times = pd.to_datetime(plain, errors="coerce", format="ISO8601", utc=bool(zoned.all()))
    return times if times.notna().sum() == len(known) else None


def settle(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose columns can be stored: text names, no two alike, one type a column.

    Columns of Python objects become whole numbers, numbers, bools, times or text, whichever holds them all.
    """
    columns = {position: _settled(frame.iloc[:, position]) for position in range(frame.shape[1])}
    return pd.DataFrame(columns, index=frame.index).set_axis(pd.Index(_unique(list(frame.columns))), axis=1)


def _settled(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if column.dtype != object:
        storable = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)
        return column if storable else _as_text(column)
    known = [value for value in column if not _is_missing(value)]
    kinds = {type(value) for value in known}
    if kinds == {bool}:
        return column.astype("boolean")
    if kinds == {int}:
        names = any(abs(value) >= 10**DIGITS for value in known)
        return _as_text(column) if names else column.astype("Int64")
    if kinds and kinds <= {int, float}:
        return column.astype(float)
    if kinds and kinds <= {datetime, date, pd.Timestamp}:
        return pd.to_datetime(column)
    return _as_text(column)


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value if _is_single(value) else False


def _is_single(value: Any) -> bool:
    return isinstance(value, str) or not hasattr(value, "__len__")


def _as_text(column: pd.Series) -> pd.Series:
    texts = [None if _is_missing(value) else _text(value) for value in column]
    return pd.Series(texts, index=column.index, dtype=object)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()  # JSON can hold half a character
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _unique(names: Sequence[Any]) -> list[str]:
    """Names as text, none empty, no two that differ in case only: SQL takes those for one."""
    found: dict[str, str] = {}
    for position, given in enumerate(names, 1):
        base = str(given).strip() or f"column_{position}"
        name, number = base, 1
        while name.lower() in found:
            number += 1
            name = f"{base}_{number}"
        found[name.lower()] = name
    return list(found.values())


def as_arrow(frame: pd.DataFrame) -> pa.Table:
    """A settled table for storing: text is ``string``, categories and row numbers are gone."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    fields = [
        pa.field(field.name, pa.string()) if pa.types.is_large_string(field.type) else field for field in table.schema
    ]
    return table.cast(pa.schema(fields))
