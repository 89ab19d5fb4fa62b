"""What coders said, out of whatever they said it in: tables, Label Studio, class folders, columns of media."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from visanda.codebook import NO, NONE, PAIR, SPLIT, YES, Variable
from visanda.codebook.variable import fold
from visanda.collect.class_folders import read_class_folders
from visanda.collect.label_studio import names_of, read_label_studio
from visanda.collect.match import match
from visanda.collect.tables import read_table
from visanda.corpus.handwork.taking import Said
from visanda.errors import InputError
from visanda.store import Store, quoted

KEYS = ("id", "filename", "file", "picture")  # columns that may name the unit
TICKS = YES | {"x", "✓", "✔", "☑"}  # in the column of a label: it fits
BLANKS = NO | {"-", "☐"}


def read_said(
    store: Store, variable: Variable, source: Path | str | pd.DataFrame, key: str | None, value: str | None
) -> Said:
    """Read what coders said.

    Args:
        store: the corpus.
        variable: what was coded.
        source: a table, or a file that holds one; an export of Label Studio (.json); a folder of class folders.
        key: the column that names the unit.
        value: the column of values, or the control of Label Studio.

    Raises:
        InputError: it cannot be read, or a column is not there.
    """
    if isinstance(source, pd.DataFrame):
        return from_table(store, source.reset_index(drop=True), variable, key, value)
    path = Path(source).expanduser()
    if path.is_dir():
        return _from_folders(store, path)
    if path.suffix.lower() == ".json":
        return _from_label_studio(path, variable, key, value)
    return from_table(store, read_table(path), variable, key, value)


def from_table(
    store: Store, frame: pd.DataFrame, variable: Variable, key: str | None = None, value: str | None = None
) -> Said:
    """What a table says, a row a unit."""
    values = _values(frame, variable, value)
    keys = _keys(store, frame, variable, key)
    notes = frame["note"] if "note" in frame else pd.Series("", index=frame.index)
    made = pd.DataFrame({"key": keys, "value": values, "note": [text(one) for one in notes]})
    version = next((name for name in (f"{variable.name}_codebook", "codebook") if name in frame), None)
    made["codebook"] = [text(one) for one in frame[version]] if version else ""
    return Said(made, [[one] for one in keys])


def from_column(store: Store, column: str) -> Said:
    """What a column of media says."""
    names = store.column_names("media")
    if column not in names:
        raise InputError(f"the table media has no column {column!r}; it has: {', '.join(names)}")
    rows = store.frame(f"SELECT id, {quoted(column)} AS value FROM media WHERE parent IS NULL ORDER BY id")
    made = pd.DataFrame({"key": rows["id"], "value": [text(one) for one in rows["value"]], "note": "", "codebook": ""})
    return Said(made, [[id] for id in rows["id"]], ids=rows["id"].tolist())


def _from_label_studio(path: Path, variable: Variable, key: str | None, value: str | None) -> Said:
    if variable.scale == "pairwise":
        raise InputError("comparisons of two pictures come in as a table: columns left, right and value")
    made = read_label_studio(path, variable.name, key, value).assign(codebook="")
    if variable.scale != "multilabel":
        made["value"] = made["value"].replace(NONE, "") if NONE not in variable.values else made["value"]
    return Said(made, [names_of(one) for one in made["key"]])


def _from_folders(store: Store, folder: Path) -> Said:
    """Class folders: by the content of the files, and by name where the content is another."""
    found = read_class_folders(folder)
    hashes = store.frame("SELECT id, sha256 FROM media WHERE sha256 IS NOT NULL AND parent IS NULL")
    once = hashes.drop_duplicates("sha256", keep=False).set_index("sha256")["id"]
    named = [[one for one in (key, name) if one] for key, name in zip(found["key"], found["name"], strict=True)]
    by_content = found["sha256"].map(once)
    ids = [None if pd.isna(id) else str(id) for id in by_content]
    words = []
    if other := ids.count(None):
        words.append(f"{other:,} files of {folder} have another content than all pictures here, and go by their names.")
    return Said(found[["key", "value"]].assign(note="", codebook=""), named, ids=ids, words=words)


def _keys(store: Store, frame: pd.DataFrame, variable: Variable, key: str | None) -> list[str]:
    """How each row calls its unit; of a pair, both with ``<>`` between them."""
    if key is None and variable.scale == "pairwise" and {"left", "right"} <= set(frame) and "id" not in frame:
        return [f"{text(left)}{PAIR}{text(right)}" for left, right in zip(frame["left"], frame["right"], strict=True)]
    key = key or next((name for name in KEYS if name in frame), "id")
    if key not in frame:
        match(frame, key, store.query("SELECT id FROM media")["id"].to_pylist())  # says which column was meant
    return [text(one) or f"(row {number}: empty)" for number, one in enumerate(frame[key], 1)]


def _values(frame: pd.DataFrame, variable: Variable, value: str | None) -> list[str]:
    usual = (variable.name, "value", *(("winner",) if variable.scale == "pairwise" else ()))
    name = value or next((one for one in usual if one in frame), None)
    if name is None and variable.scale == "multilabel":
        columns = {fold(str(column).removeprefix(f"{variable.name}=")): column for column in frame}
        there = [label for label in variable.values if fold(label) in columns]
        if there:
            return _ticked(frame, variable, columns, there)
    name = name or "value"
    if name not in frame:
        raise InputError(f"the table has no column {name!r}; its columns are: {', '.join(map(str, frame))}")
    return [text(one) for one in frame[name]]


def _ticked(frame: pd.DataFrame, variable: Variable, columns: dict[str, object], there: Sequence[str]) -> list[str]:
    """Labels out of a column of 0 and 1 each; a row without an entry is not coded."""
    if missing := [label for label in variable.values if label not in there]:
        raise InputError(
            f"the table has columns for {', '.join(there)}, and none for {', '.join(missing)}: add them, or give the "
            "labels in a column 'value' with '|' between them"
        )
    cells = {label: [fold(text(one)) for one in frame[columns[fold(label)]]] for label in there}
    odd = sorted({one for column in cells.values() for one in column if one and one not in TICKS | BLANKS})
    if odd:
        raise InputError(f"a label's column has 1 where it fits and 0 where not, and not {', '.join(odd[:8])}")
    found = []
    for row in zip(*cells.values(), strict=True):
        labels = [label for label, cell in zip(there, row, strict=True) if cell in TICKS]
        found.append((SPLIT.join(labels) or NONE) if any(row) else "")
    return found


def text(value: object) -> str:
    """A code as text: 1.0 from a spreadsheet is the code 1."""
    if pd.isna(value):  # type: ignore[call-overload]
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
