"""Timed tables as text for annotation tools and players: SubRip (.srt) and tab-delimited (.tsv).

A timed table has ``start`` and ``stop`` in seconds from the start of a video, and columns with values.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from visanda.aside import written_aside
from visanda.errors import InputError
from visanda.timecode import Timecode, seconds

WHERE = ("id", "parent", "start", "stop", "error")  # columns that are no values

_TIMES = re.compile(r"([\d:]+[,.]\d+)\s*-->\s*([\d:]+[,.]\d+)", re.ASCII)


def timed(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that have times, in order of time.

    Raises:
        InputError: there are no columns ``start`` and ``stop``, they hold no seconds, or a row stops before it starts.
    """
    missing = [name for name in ("start", "stop") if name not in frame]
    if missing:
        raise InputError(f"not a timed table: it has no column {' and no column '.join(missing)}")
    try:
        rows = frame.astype({"start": float, "stop": float})
    except (ValueError, TypeError) as error:
        raise InputError(f"start and stop are seconds from the start of the video: {error}") from error
    rows = rows.dropna(subset=["start", "stop"]).sort_values(["start", "stop"], kind="stable", ignore_index=True)
    wrong = rows[(rows["start"] < 0) | (rows["stop"] < rows["start"])]
    if len(wrong):
        first = wrong.iloc[0]
        raise InputError(f"a stretch from {first['start']:g} to {first['stop']:g} seconds is none: mend start and stop")
    return rows


def plain(value: Any) -> str | None:
    """A value as people read it; ``None`` for one that is missing.

    >>> [plain(value) for value in (0.1 + 0.2, True, ["red", "blue"], None)]
    ['0.3', 'true', 'red; blue', None]
    """
    if hasattr(value, "__len__") and not isinstance(value, str):
        return "; ".join(plain(one) or "" for one in value)
    if pd.isna(value):
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def write_srt(frame: pd.DataFrame, path: str | Path, text: str = "text") -> Path:
    """Write a transcript as SubRip subtitles, in UTF-8; rows without text are left out.

    Args:
        frame: a timed table.
        path: the file to write; it appears whole or not at all.
        text: the column to show.

    Raises:
        InputError: it is no timed table, has no such column, or the file cannot be written.
    """
    if text not in frame:
        raise InputError(
            f"there is no column {text!r} to show as subtitles: the columns are {', '.join(map(str, frame))}"
        )
    rows = timed(frame)
    said = [(start, stop, _subtitle(value)) for start, stop, value in rows[["start", "stop", text]].to_numpy()]
    blocks = [
        f"{number}\n{_comma(start)} --> {_comma(stop)}\n{words}\n"
        for number, (start, stop, words) in enumerate((row for row in said if row[2]), 1)
    ]
    return write_text(path, "\n".join(blocks))


def read_srt(path: str | Path) -> pd.DataFrame:
    """SubRip subtitles as a timed table: ``start`` and ``stop`` in seconds, ``text``; in order of time.

    Raises:
        InputError: the file cannot be read, or is none of subtitles.
    """
    rows: list[list[Any]] = []
    for block in re.split(r"\n\s*\n", read_text(path).strip()):
        found = _TIMES.search(block)
        if found:
            start, stop = (_moment(time, path) for time in found.groups())
            rows.append([start, stop, block[found.end() :].partition("\n")[2].strip()])
        elif rows:
            rows[-1][2] += f"\n{block.strip()}"  # a subtitle with an empty line in it
    if not rows:
        raise InputError(f"{path}: no subtitles: there is no line such as 00:00:01,000 --> 00:00:04,000")
    return timed(pd.DataFrame(rows, columns=["start", "stop", "text"]))


def write_tsv(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a timed table as tab-delimited text, in UTF-8, as ELAN and others import it.

    After ``start`` and ``stop`` in seconds come ``start_time`` and ``stop_time`` as HH:MM:SS.mmm. Nothing is quoted:
    tabs and new lines within values become spaces.

    Args:
        frame: a timed table.
        path: the file to write; it appears whole or not at all.

    Raises:
        InputError: it is no timed table, or the file cannot be written.
    """
    rows = timed(frame)
    columns: dict[str, list[Any]] = {}
    for name in rows:
        columns[str(name)] = list(rows[name])
        if name == "stop":
            columns |= {f"{end}_time": [str(Timecode(time)) for time in rows[end]] for end in ("start", "stop")}
    lines = [list(columns), *zip(*columns.values(), strict=True)]
    return write_text(path, "".join("\t".join(_cell(value) for value in line) + "\n" for line in lines))


def write_text(path: str | Path, text: str) -> Path:
    """Write a file in UTF-8, whole or not at all: beside its place, and renamed.

    Raises:
        InputError: it cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(path) as aside:
            aside.write_text(text, "utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def read_text(path: str | Path) -> str:
    """The text of a file in UTF-8.

    Raises:
        InputError: it cannot be read, or is not in UTF-8.
    """
    try:
        return Path(path).read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not in UTF-8: open it in an editor and save it as UTF-8") from error


def _subtitle(value: Any) -> str:
    """Without empty lines, which would end it, and without arrows, which would begin the next."""
    lines = (plain(value) or "").replace("-->", "->").splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())


def _comma(time: float) -> str:
    return str(Timecode(time)).replace(".", ",")


def _moment(time: str, path: str | Path) -> float:
    try:
        return seconds(time)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _cell(value: Any) -> str:
    return " ".join((plain(value) or "").replace("\t", " ").splitlines())
