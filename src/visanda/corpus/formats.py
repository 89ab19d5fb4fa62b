"""Tables for other programs: R, Stata, Excel, SPSS and whatever reads CSV."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from visanda.aside import written_aside
from visanda.errors import InputError

Format = Literal["csv", "tsv", "xlsx", "parquet", "jsonl", "dta"]

EXCEL_ROWS = 1_048_576
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # what Excel's files cannot hold
STATA_WORDS = {"_all", "_b", "byte", "_coef", "_cons", "double", "float", "if", "in", "int", "long", "_n", "_N"}
STATA_WORDS |= {"_pi", "_pred", "_rc", "_skip", "strL", "using", "with"}


def write_table(frame: pd.DataFrame, out: Path, format: str | None = None) -> None:
    """Write a table for other programs; lists become JSON text where the format has no lists.

    Raises:
        InputError: an unknown format, too many rows for it, or the file cannot be written.
    """
    out = out.expanduser()
    format = format or out.suffix.lstrip(".").lower()
    if format not in get_args(Format):
        raise InputError(f"the format {format!r} is not known: use {', '.join(get_args(Format))}")
    if format == "xlsx" and len(frame) >= EXCEL_ROWS:
        raise InputError(f"Excel holds at most {EXCEL_ROWS - 1:,} rows and this table has {len(frame):,}: use csv")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(out) as aside:
            _write(frame, aside, format)
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror or error}") from error


def _write(frame: pd.DataFrame, out: Path, format: str) -> None:
    if format == "parquet":
        frame.to_parquet(out, index=False)
    elif format == "jsonl":
        _write_json_lines(frame, out)
    elif format == "xlsx":
        _write_excel(_flat(frame), out)
    elif format == "dta":
        _write_stata(_flat(frame), out)
    else:
        # The format says what is written, whatever the file is called: also to a name that ends in .gz.
        _flat(frame).to_csv(out, index=False, sep="\t" if format == "tsv" else ",", compression=None)


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Lists as JSON text."""
    flat = frame.copy()
    for name in flat:
        if flat[name].dtype == object and any(_is_list(value) for value in flat[name]):
            flat[name] = [
                json.dumps(_plain(value), ensure_ascii=False) if _is_list(value) else None for value in flat[name]
            ]
    return flat


def _is_list(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str)


def _plain(value: Any) -> Any:
    """A value as JSON has it; what is missing is null."""
    if _is_list(value):
        return [_plain(one) for one in value]
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def _write_json_lines(frame: pd.DataFrame, out: Path) -> None:
    with out.open("w", encoding="utf-8") as file:
        for row in frame.itertuples(index=False, name=None):
            values = {name: _plain(value) for name, value in zip(frame.columns, row, strict=True)}
            file.write(json.dumps(values, ensure_ascii=False) + "\n")


def _without_zones(frame: pd.DataFrame) -> pd.DataFrame:
    zoned = [name for name, kind in frame.dtypes.items() if isinstance(kind, pd.DatetimeTZDtype)]
    return frame.assign(**{str(name): frame[name].dt.tz_convert("UTC").dt.tz_localize(None) for name in zoned})


def _exact(column: pd.Series) -> pd.Series:
    """Whole numbers that a double cannot hold, as text."""
    large = pd.api.types.is_integer_dtype(column) and (column.dropna().abs() > 2**53).any()
    return column.astype("string") if large else column


def _write_excel(frame: pd.DataFrame, out: Path) -> None:
    """Excel's rules: no time zones, no control characters, and text that begins with '=' is still text."""
    frame = _without_zones(frame).apply(_exact)
    for name, kind in frame.dtypes.items():
        if pd.api.types.is_string_dtype(kind) or pd.api.types.is_object_dtype(kind):
            frame[name] = frame[name].map(lambda v: CONTROL.sub("", v) if isinstance(v, str) else v)
    with out.open("wb") as file, pd.ExcelWriter(file, engine="openpyxl") as writer:
        frame.to_excel(writer, index=False)
        for row in writer.book.active.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    cell.data_type = "s"


def _write_stata(frame: pd.DataFrame, out: Path) -> None:
    """Stata's rules: names of at most 32 letters, no time zones, no nulls in text, no 64-bit integers."""
    frame = _without_zones(frame).convert_dtypes().apply(_exact)
    for name, kind in frame.dtypes.items():
        if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_numeric_dtype(kind):
            frame[name] = frame[name].astype("float64")
        elif not pd.api.types.is_datetime64_any_dtype(kind):
            frame[name] = frame[name].astype(object).where(frame[name].notna(), "").astype(str).astype(object)
    frame.columns = pd.Index(_stata_names([str(name) for name in frame]))
    with out.open("wb") as file:
        frame.to_stata(file, write_index=False, version=118)


def _stata_names(names: list[str]) -> list[str]:
    """Names of letters, digits and '_', at most 32 characters, none twice."""
    found: list[str] = []
    for name in names:
        base = re.sub(r"\W", "_", name)
        base = f"_{base}" if base[:1].isdigit() or base in STATA_WORDS else base
        short, number = base[:32], 1
        while short in found:
            number += 1
            short = base[: 31 - len(str(number))] + f"_{number}"
        found.append(short)
    return found
