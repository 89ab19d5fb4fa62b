"""Codes: what people said of pictures, one append-only CSV a coder; and the samples that they were asked about.

``codes/<variable>/<coder>.csv`` holds id, variable, coder, value, time and note: merged by copying, readable in
twenty years. ``samples/<variable>.parquet`` holds every picture of the population that was sampled from, with its
inclusion probability.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from visanda.errors import InputError
from visanda.parts import write_bytes
from visanda.store import Store, quoted

GOLD = "gold"  # the coder who settles disagreements: what it says counts, and is no second opinion
FIELDS = ["id", "variable", "coder", "value", "time", "note"]
YES = {"1", "true", "yes", "y", "present", "positive", "ja", "oui", "si", "sí"}
NO = {"0", "false", "no", "n", "absent", "negative", "nein", "non"}


def check_name(what: str, name: str) -> str:
    """A name of a variable or a coder that can name a file and a column.

    Raises:
        InputError: it cannot.
    """
    if not re.fullmatch(r"[^\W\d]\w*", name):
        raise InputError(f"{name!r} cannot name a {what}: use letters, digits and '_', a letter first")
    return name


def variables(folder: Path) -> list[str]:
    """The variables that were coded or sampled for."""
    coded = {path.parent.name for path in folder.glob("codes/*/*.csv")}
    sampled = {path.stem for path in folder.glob("samples/*.parquet")}
    return sorted(coded | sampled)


def append(folder: Path, variable: str, coder: str, codes: pd.DataFrame) -> int:
    """Add codes (columns id, value and perhaps note) to a coder's file; what it says already is left out.

    Returns:
        How many were new or changed.
    """
    path = folder / "codes" / check_name("variable", variable) / f"{check_name('coder', coder)}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    before = latest(read_coder(path)).set_index("id")["value"].to_dict() if path.exists() else {}
    new = codes[[before.get(id) != value for id, value in zip(codes["id"], codes["value"], strict=True)]]
    if new.empty:
        return 0
    text = io.StringIO()
    text.write(path.read_text("utf-8") if path.exists() else ",".join(FIELDS) + "\n")
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    writer = csv.writer(text, lineterminator="\n")
    notes = new["note"] if "note" in new else [""] * len(new)
    for id, value, note in zip(new["id"], new["value"], notes, strict=True):
        writer.writerow([id, variable, coder, value, now, "" if pd.isna(note) else note])
    write_bytes(path, text.getvalue().encode())
    return len(new)


def read_coder(path: Path) -> pd.DataFrame:
    """One coder's file, every code ever given."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    if missing := [name for name in ("id", "value") if name not in frame]:
        raise InputError(f"{path} has no column {missing[0]!r}: a coder's file has {', '.join(FIELDS)}")
    return frame.assign(coder=path.stem)


def latest(codes: pd.DataFrame) -> pd.DataFrame:
    """The last code that each coder gave each picture; an empty value takes a code back."""
    last = codes.drop_duplicates(["id", "coder"], keep="last")
    return last[last["value"] != ""]


def read(folder: Path, variable: str) -> pd.DataFrame:
    """The codes of a variable in force: id, coder, value.

    Raises:
        InputError: nobody has coded it.
    """
    paths = sorted((folder / "codes" / variable).glob("*.csv"))
    if not paths:
        raise InputError(
            f"nobody has coded {variable!r} yet: 'visanda sample {variable} --n 100', then "
            f"'visanda code {variable} --import FILE --coder NAME'"
        )
    return latest(pd.concat([read_coder(path) for path in paths]))[["id", "coder", "value"]].reset_index(drop=True)


def gold(codes: pd.DataFrame) -> pd.Series:
    """The value each picture counts as, by id: what ``gold`` says, else what most coders say.

    Where coders are split evenly and nobody settled it there is none.
    """
    settled = codes[codes["coder"] == GOLD].set_index("id")["value"]
    codes = codes[~codes["id"].isin(settled.index)]
    votes = codes.groupby(["id", "value"]).size().rename("votes").reset_index()
    most = votes.groupby("id")["votes"].transform("max")
    winners = votes[votes["votes"] == most]
    alone = ~winners["id"].duplicated(keep=False)
    return pd.concat([winners[alone].set_index("id")["value"], settled]).sort_index()


def independent(codes: pd.DataFrame) -> pd.DataFrame:
    """The codes that say how reliable coding is: those of coders who did not know the others'."""
    return codes[codes["coder"] != GOLD]


def positive(classes: list[str]) -> str:
    """Of two values, the one that counts as 1: yes, true, 1 and the like; otherwise the later in the alphabet."""
    affirmed = [value for value in classes if value.strip().lower() in YES]
    denied = [value for value in classes if value.strip().lower() in NO]
    if len(affirmed) == 1:
        return affirmed[0]
    if len(denied) == 1 and len(classes) == 2:
        return next(value for value in classes if value not in denied)
    return max(classes)


def column_name(variable: str, value: str) -> str:
    """The name of the 0/1 column that says whether a variable has a value.

    >>> column_name("kind", "Power plant")
    'kind_power_plant'
    """
    return f"{variable}_" + re.sub(r"\W+", "_", value.strip().lower()).strip("_")


# samples


def write_design(folder: Path, variable: str, design: pd.DataFrame) -> None:
    """Store a sample: every picture of the population with stratum, pi and order (0 where not drawn)."""
    buffer = io.BytesIO()
    design.to_parquet(buffer, index=False)
    target = folder / "samples" / f"{check_name('variable', variable)}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, buffer.getvalue())


def read_design(folder: Path, variable: str) -> pd.DataFrame | None:
    """The stored sample of a variable; ``None`` where none was drawn."""
    path = folder / "samples" / f"{variable}.parquet"
    return pd.read_parquet(path) if path.exists() else None


# a variable as columns


def variable_frame(store: Store, variable: str) -> pd.DataFrame:
    """A variable, a row a picture: gold codes, predictions, inclusion probabilities.

    Returns:
        Columns id, ``<variable>`` (gold, missing where not coded), ``<variable>_predicted``,
        ``<variable>_p_<value>``, ``<variable>_pi``, and whatever else ``apply`` wrote.
    """
    columns: list[Any] = []
    if any((store.folder / "codes" / variable).glob("*.csv")):
        columns.append(gold(read(store.folder, variable)).rename(variable))
    if variable in store.tables():
        columns.append(store.frame(f"SELECT * FROM {quoted(variable)}").set_index("id"))
    design = read_design(store.folder, variable)
    if design is not None:
        columns.append(design.set_index("id")["pi"].rename(f"{variable}_pi"))
    frame = pd.concat(columns, axis=1)
    frame.index.name = "id"
    return frame.reset_index()
