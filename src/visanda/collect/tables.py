"""Tables people bring: CSV, TSV, Excel, Parquet, JSON lines; read with the types they meant."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pandas as pd

from visanda.errors import InputError

MISSING = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"}
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".parquet", ".jsonl", ".ndjson")


def read_table(path: Path | str) -> pd.DataFrame:
    """Read a table; every column gets the narrowest type that all its values allow.

    Numbers that are names stay text: a column with ``007``, or with integers beyond 64 bits, is not a number.

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
        if suffix == ".parquet":
            return pd.read_parquet(path)
        if suffix in (".jsonl", ".ndjson"):
            return pd.read_json(path, lines=True, dtype=False, convert_dates=False)
        if suffix == ".xlsx":
            return pd.read_excel(path, dtype=object).infer_objects()
        return _read_text(path, suffix)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} cannot be read as a table: {error}") from error


def _read_text(path: Path, suffix: str) -> pd.DataFrame:
    data = path.read_bytes()
    if not data.strip():
        raise InputError(f"{path} is empty")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")  # what Excel writes when it does not write UTF-8
    first = text.splitlines()[0]
    separator = "\t" if suffix == ".tsv" else max(",;\t", key=first.count)
    frame = pd.read_csv(io.StringIO(text), sep=separator, dtype=str, keep_default_na=False)
    for column in frame.columns:
        frame[column] = narrow(frame[column])
    return frame


def narrow(text: pd.Series) -> pd.Series:
    """The narrowest type that all values of a column of text allow: bool, int, float, time, or text.

    >>> narrow(pd.Series(["1", "2", ""])).tolist()
    [1, 2, <NA>]
    >>> narrow(pd.Series(["007", "1"])).tolist()
    ['007', '1']
    """
    values = text.where(~text.str.strip().isin(MISSING))
    known = values.dropna().str.strip()
    if known.empty:
        return values
    if known.str.lower().isin({"true", "false"}).all():
        return values.str.strip().str.lower().map({"true": True, "false": False}).astype("boolean")
    if known.str.fullmatch(r"-?(0|[1-9]\d{0,17})").all():
        return values.str.strip().astype("Int64")
    if known.str.fullmatch(r"[+-]?(0|[1-9]\d*)?(\.\d*)?([eE][+-]?\d+)?").all() and known.str.contains(r"\d").all():
        numbers = pd.to_numeric(values, errors="coerce")
        if numbers.notna().sum() == len(known) and not known.str.fullmatch(r"-?\d{19,}").any():
            return numbers
    if known.str.match(r"\d{4}-\d{2}-\d{2}").all():
        times = pd.to_datetime(values, errors="coerce", format="ISO8601", utc=bool(re.search(r"[+Z]", known.iloc[0])))
        if times.notna().sum() == len(known):
            return times
    return values
