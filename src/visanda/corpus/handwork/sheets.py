"""Sheets that coders fill in: a row a unit, in the order of coding, as CSV or as a spreadsheet with the pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from visanda.codebook import NONE, PAIR, SPLIT, Variable, pin, undefined
from visanda.corpus.formats import write_table
from visanda.corpus.handwork.spreadsheet import write_spreadsheet
from visanda.errors import InputError
from visanda.media import Detail, Still
from visanda.media.image import ImageLike
from visanda.store import Store

KINDS = (".csv", ".xlsx")
MARGIN = 0.4  # of a box, around it: coders see hair and chin
Source = Path | Still | Detail


def write_sheet(
    store: Store,
    variables: Sequence[Variable],
    ids: Sequence[str],
    path: Path,
    given: Mapping[str, pd.DataFrame] | None = None,
) -> None:
    """Write a sheet to fill in; what coders are asked now is kept as a version of the codebook.

    Columns are order, id, path (in a spreadsheet the picture; of pairs, left and right), value (of labels, a column
    of 0 and 1 each), note, and codebook, the version, where the variable is defined. Where several variables are
    asked, columns bear their names: protest in place of value, protest_codebook in place of codebook, and
    ``symbols=flag`` for a label.

    Args:
        store: the corpus.
        variables: what is asked; a pairwise comparison is asked alone.
        ids: of the units, in the order of coding; of pairs, both ids with ``<>`` between them.
        path: a file that ends in .csv or .xlsx; what is there is written over.
        given: by variable, what the coder said already: id, value, and perhaps note.

    Raises:
        InputError: the file's name ends otherwise, or it cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise InputError(f"a sheet is written as {' or '.join(KINDS)}, not as {path.name!r}")
    rows = _rows(store, variables, ids, given or {})
    sources = sources_of(store, ids)
    sides = ["left", "right"] if variables[0].scale == "pairwise" else ["path"]
    for number, side in enumerate(sides):
        rows.insert(2 + number, side, [_place(sources, sided(id)[number]) for id in ids])
    if kind == ".csv":
        write_table(rows, path)
        return
    shown = rows.rename(columns={"path": "picture"})
    pictures = {side: [look(sources.get(sided(id)[n])) for id in ids] for n, side in enumerate(sides)}
    pictures = {name if name != "path" else "picture": found for name, found in pictures.items()}
    alone = len(variables) == 1
    write_spreadsheet(shown, pictures, [(one, answer_columns(one, alone=alone)) for one in variables], path)


def answer_columns(variable: Variable, *, alone: bool = True) -> list[str]:
    """The columns of a sheet that are filled in for a variable.

    Args:
        variable: what is asked.
        alone: nothing else is asked on the sheet.
    """
    if variable.scale == "multilabel":
        return [label if alone else f"{variable.name}={label}" for label in variable.values]
    return ["value" if alone else variable.name]


def _rows(
    store: Store, variables: Sequence[Variable], ids: Sequence[str], given: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Order, id, what was said, note, version."""
    rows = pd.DataFrame({"order": range(1, len(ids) + 1), "id": list(ids)})
    alone = len(variables) == 1
    notes = pd.Series("", index=list(ids))
    for one in variables:
        said = given.get(one.name, pd.DataFrame(columns=["id", "value", "note"])).set_index("id")
        values = said["value"].reindex(list(ids)).fillna("").astype(str).tolist()
        columns = answer_columns(one, alone=alone)
        if one.scale == "multilabel":
            for column, label in zip(columns, one.values, strict=True):
                rows[column] = [_tick(label, value) for value in values]
        else:
            rows[columns[0]] = values
        if "note" in said:
            noted = said["note"].reindex(list(ids)).fillna("").astype(str)
            notes = notes.where(notes != "", noted)
    rows["note"] = notes.tolist()
    for one in variables:
        if not undefined(store.folder, one.name):
            rows["codebook" if alone else f"{one.name}_codebook"] = str(pin(store.folder, one.name))
    return rows


def _tick(label: str, value: str) -> str:
    return "" if not value else "1" if value != NONE and label in value.split(SPLIT) else "0"


def sided(id: str) -> list[str]:
    """The ids of the two units of a pair; of one unit, its own.

    >>> sided("a.jpg <> b.jpg")
    ['a.jpg', 'b.jpg']
    """
    return id.split(PAIR, 1)


def sources_of(store: Store, ids: Sequence[str]) -> dict[str, Source]:
    """Where units are, and those of pairs."""
    return store.paths(list(dict.fromkeys(one for id in ids for one in sided(id))))


def _place(sources: Mapping[str, Source], id: str) -> str:
    """The file that a unit is or lies in."""
    source: object = sources.get(id)
    while isinstance(source, Detail):
        source = source.source
    return str(source.path if isinstance(source, Still) else source or "")


def look(source: Source | None) -> ImageLike | None:
    """What a coder sees of a unit: of a part of a picture, also a little of what is around it."""
    if not isinstance(source, Detail):
        return source
    x, y, width, height = source.box
    across, down = round(MARGIN * width), round(MARGIN * height)
    left, top = max(0, x - across), max(0, y - down)
    return Detail(source.source, (left, top, x + width + across - left, y + height + down - top))
