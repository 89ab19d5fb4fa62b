"""Coders' files: append-only, one a coder, so that what was said before stays."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path

import pandas as pd

from visanda.codebook import check_name, pin
from visanda.errors import InputError
from visanda.parts import locked, write_bytes

FIELDS = ["id", "variable", "coder", "value", "time", "note", "codebook"]


def variables(folder: Path) -> list[str]:
    """The variables that were coded or sampled for."""
    coded = {path.parent.name for path in folder.glob("codes/*/*.csv")}
    sampled = {path.stem for path in folder.glob("samples/*.parquet")}
    return sorted(coded | sampled)


def append(folder: Path, variable: str, coder: str, codes: pd.DataFrame, *, again: bool = False) -> int:
    """Add codes (columns id, value, perhaps note and codebook) to a coder's file; what it says already is left out.

    Each code is given under the present version of the codebook, which is kept; or under the one that its row names.

    Args:
        folder: the corpus.
        variable: what was coded.
        coder: who coded.
        codes: a row a unit; an empty value takes a code back.
        again: also those that stay the same, since they were given anew under another version.

    Returns:
        How many were new or changed.
    """
    path = folder / "codes" / check_name("variable", variable) / f"{check_name('coder', coder)}.csv"
    with locked(path):
        version = "" if codes.empty else str(pin(folder, variable) or "")
        under = [one or version for one in codes["codebook"]] if "codebook" in codes else [version] * len(codes)
        codes = codes.assign(codebook=under if version else "")
        before, nothing = _before(path), ("", version)
        wanted = [
            before.get(id, nothing)[0] != value or (again and before.get(id, nothing)[1] != under)
            for id, value, under in zip(codes["id"], codes["value"], codes["codebook"], strict=True)
        ]
        new = codes[wanted]
        if new.empty:
            return 0
        write_bytes(path, (_there(path) + _rows(new, variable, coder)).encode())
    return len(new)


def _before(path: Path) -> dict[str, tuple[str, str]]:
    """What a coder's file says of each unit: value, and version of the codebook."""
    if not path.exists():
        return {}
    said = latest(read_coder(path))
    return {
        id: (value, version) for id, value, version in zip(said["id"], said["value"], said["codebook"], strict=True)
    }


def _there(path: Path) -> str:
    """What a coder's file holds, with all columns that a new row has."""
    if not path.exists():
        return ",".join(FIELDS) + "\n"
    text = path.read_text("utf-8-sig")
    header = next(csv.reader(io.StringIO(text)))
    if header == FIELDS:
        return text if text.endswith("\n") else text + "\n"
    there = read_coder(path)
    columns = [*FIELDS, *(name for name in there if name not in FIELDS)]
    return there[columns].to_csv(index=False, lineterminator="\n")


def _rows(new: pd.DataFrame, variable: str, coder: str) -> str:
    text = io.StringIO()
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    writer = csv.writer(text, lineterminator="\n")
    notes = new["note"] if "note" in new else [""] * len(new)
    for id, value, note, version in zip(new["id"], new["value"], notes, new["codebook"], strict=True):
        writer.writerow([id, variable, coder, value, now, "" if pd.isna(note) else note, version])
    return text.getvalue()


def read_coder(path: Path) -> pd.DataFrame:
    """One coder's file, every code ever given; fields that an older file lacks are empty.

    Raises:
        InputError: it has no ids or values.
    """
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    if missing := [name for name in ("id", "value") if name not in frame]:
        raise InputError(
            f"{path} has no column {missing[0]!r}: a coder's file has {', '.join(FIELDS)}, separated by commas"
        )
    empty = {name: "" for name in FIELDS if name not in frame}
    return frame.assign(**empty, coder=path.stem)


def latest(codes: pd.DataFrame) -> pd.DataFrame:
    """The last code that each coder gave each picture; an empty value takes a code back."""
    last = codes.drop_duplicates(["id", "coder"], keep="last")
    return last[last["value"] != ""]


def in_force(folder: Path, variable: str) -> pd.DataFrame:
    """The codes of a variable in force, with all fields of the coders' files; empty where nobody has coded."""
    paths = sorted((folder / "codes" / variable).glob("*.csv"))
    if not paths:
        return pd.DataFrame(columns=FIELDS, dtype=str)
    return latest(pd.concat([read_coder(path)[FIELDS] for path in paths])).reset_index(drop=True)


def every_code(folder: Path, variable: str) -> pd.DataFrame:
    """All codes of a variable that were ever given, replaced ones too, but for those that take a code back."""
    paths = sorted((folder / "codes" / variable).glob("*.csv"))
    said = pd.concat([pd.DataFrame(columns=FIELDS, dtype=str), *(read_coder(path)[FIELDS] for path in paths)])
    return said[said["value"] != ""].reset_index(drop=True)


def read(folder: Path, variable: str) -> pd.DataFrame:
    """The codes of a variable in force: id, coder, value.

    Raises:
        InputError: nobody has coded it.
    """
    if not any((folder / "codes" / variable).glob("*.csv")):
        raise InputError(
            f"nobody has coded {variable!r} yet: 'visanda sample {variable} --n 100', then "
            f"'visanda code {variable} --import FILE --coder NAME'"
        )
    return in_force(folder, variable)[["id", "coder", "value"]]
