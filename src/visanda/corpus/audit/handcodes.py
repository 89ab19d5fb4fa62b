"""Hand codes of faces and pictures, out of coders' tables or the corpus, by the ids of what is audited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from visanda.codebook import Variable, variable
from visanda.codes import read, read_design, tidied, variables
from visanda.collect.match import match
from visanda.collect.tables import SUFFIXES, read_table
from visanda.corpus.audit.audited import Audited
from visanda.errors import InputError
from visanda.store import Store
from visanda.study.sampling.sample import strata
from visanda.units import Unit, parse

NAMES = ("id", "face", "filename", "file", "picture")  # of the column that says what was coded


@dataclass(frozen=True)
class HandCodes:
    """What people said.

    Attributes:
        codes: id, coder and value (text), a row a code.
        column: the column that they were in.
        pi: by id, the probability of the draw; ``None`` where none is given.
        columns: by id, the other columns of the tables.
        names: of the tables or variables.
        warnings: what did not match, and what was chosen.
        variable: what was coded, as the codebook defines it; ``None`` where codes come from tables.
        design: the sample that was drawn for it; ``None`` where none was.
    """

    codes: pd.DataFrame
    column: str
    pi: pd.Series | None
    columns: pd.DataFrame
    names: list[str]
    warnings: list[str]
    variable: Variable | None = None
    design: pd.DataFrame | None = None


def hand_codes(store: Store, given: list[str] | pd.DataFrame, column: str | None, said: Audited) -> HandCodes:
    """Read hand codes.

    Args:
        store: the corpus.
        given: tables, names of files, or of coded variables.
        column: the column of codes; ``None``: ``value``, or one named like what is audited.
        said: what is audited: its units are what codes belong to.

    Raises:
        InputError: a table or column is not there, names nothing of what is audited, or holds no code.
    """
    places = _Places(store, said)
    codes, columns, names, warnings = [], [], [], []
    used = column or ""
    for name, coder, frame in _tables(store, given):
        value = _column(name, frame, column or (name if name in frame else None), said)
        ids, more = places.find(name, frame)
        warnings += more
        texts = strata(frame[[value]], [value]).where(frame[value].notna(), "").str.strip()
        coders = frame["coder"].astype(str) if "coder" in frame else coder
        codes.append(pd.DataFrame({"id": ids, "coder": coders, "value": texts}).dropna(subset=["id"]))
        others = frame.drop(columns=[value]).assign(id=pd.Series(ids, frame.index, dtype=object)).dropna(subset=["id"])
        columns.append(others.drop_duplicates("id").set_index("id"))
        names.append(name)
        used = used or value
    asked = pd.concat(codes, ignore_index=True)
    found = asked[asked["value"] != ""]
    if found.empty:
        raise InputError(f"no code in the column {used!r} of {' and '.join(names)}: fill it in first")
    if left := asked["id"].nunique() - found["id"].nunique():
        warnings.append(f"{left} of {asked['id'].nunique()} have no code and are left out, such as {_left(asked)!r}")
    if found.duplicated(["id", "coder"]).any():
        twice = found.loc[found.duplicated(["id", "coder"]), "id"].iloc[0]
        raise InputError(f"{twice!r} is coded twice by one coder: keep one row a unit, in one table a coder")
    beside = columns[0]
    for more_columns in columns[1:]:
        beside = beside.combine_first(more_columns)
    pi = pd.to_numeric(beside["pi"], errors="coerce") if "pi" in beside else None
    if pi is not None and not pi.dropna().between(0, 1, inclusive="right").all():
        raise InputError("the column pi holds probabilities: above 0, and 1 at most")
    alone = names[0] if names[0] in variables(store.folder) and len(names) == 1 else None
    if alone is None:
        return HandCodes(found, used, pi, beside, names, warnings)
    defined = variable(store.folder, alone)
    design = read_design(store.folder, alone)
    return HandCodes(tidied(defined, found), used, pi, beside, names, warnings, defined, design)


def _left(asked: pd.DataFrame) -> str:
    """The first unit that nobody gave a code."""
    coded = asked.loc[asked["value"] != "", "id"]
    return str(asked.loc[~asked["id"].isin(coded), "id"].iloc[0])


def _tables(store: Store, given: list[str] | pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Name, coder and rows of each table."""
    if isinstance(given, pd.DataFrame):
        yield "codes", "coder", given.reset_index(drop=True)
        return
    texts = [given] if isinstance(given, str | Path) else given
    names = [str(text) for text in texts if Path(text).expanduser().exists()]
    names += [one.strip() for text in texts if str(text) not in names for one in str(text).split(",")]
    for name in names:
        if Path(name).suffix.lower() in SUFFIXES:
            yield name, Path(name).stem, read_table(name)
        elif name in variables(store.folder):
            if variable(store.folder, name).scale == "pairwise":
                raise InputError(f"{name!r} was coded by comparing pairs: 'visanda evaluate {name}' judges its model")
            frame = read(store.folder, name).rename(columns={"value": name})
            design = read_design(store.folder, name)
            if design is not None:
                drawn = design[design["order"] > 0].set_index("id")["pi"]
                frame["pi"] = frame["id"].map(drawn)
            yield name, name, frame
        else:
            coded = ", ".join(variables(store.folder)) or "none"
            raise InputError(f"{name!r} is neither a table ({', '.join(SUFFIXES)}) nor a coded variable: {coded}")


def _column(name: str, frame: pd.DataFrame, column: str | None, said: Audited) -> str:
    """The column of codes."""
    if column is not None:
        if column not in frame:
            raise InputError(f"{name} has no column {column!r}; it has: {', '.join(map(str, frame))}")
        return column
    meant = ["value", said.column, said.table, *said.classes]
    there = {str(one).casefold(): str(one) for one in frame}
    for one in meant:
        if one.casefold() in there:
            return there[one.casefold()]
    raise InputError(f"say with --column which column of {name} holds the codes; it has: {', '.join(map(str, frame))}")


class _Places:
    """Finds what is audited by the names that people use: ids, or names of pictures for their largest face."""

    def __init__(self, store: Store, said: Audited) -> None:
        self._table = said.table
        self._ids = set(said.values.index)
        self._media = store.query("SELECT id FROM media")["id"].to_pylist()
        self._inside: dict[str, list[tuple[int, str]]] = {}
        for id in said.values.index:
            unit = parse(id)
            size = unit.box[2] * unit.box[3] if unit.box else 0
            self._inside.setdefault(Unit(unit.name).id, []).append((size, id))

    def find(self, name: str, frame: pd.DataFrame) -> tuple[list[str | None], list[str]]:
        """The id that each row is about, ``None`` where it names nothing; and what to say of it."""
        key = next((one for one in NAMES if one in frame), None)
        if key is None:
            raise InputError(f"{name} has no column {NAMES[0]!r} or 'filename'; it has: {', '.join(map(str, frame))}")
        given = [str(value).strip() if pd.notna(value) else "" for value in frame[key]]
        pictures = pd.DataFrame(
            {key: sorted({one for one in given if one and one not in self._ids and "#" not in one})}
        )
        matched = match(pictures, key, self._media)
        called = {pictures[key].iloc[row]: id for id, row in matched.rows.items()}
        found: list[str | None] = []
        several = 0
        for one in given:
            inside = self._inside.get(called.get(one, ""), [])
            several += one not in self._ids and len(inside) > 1
            found.append(one if one in self._ids else max(inside)[1] if inside else None)
        if not any(found):
            raise InputError(f"no row of {name} names anything in {self._table!r}, as {given[0]!r} does not")
        warnings = []
        if lost := found.count(None):
            first = given[found.index(None)]
            warnings.append(f"{lost} rows of {name} name nothing in {self._table!r}, such as {first!r}: left out")
        if several:
            warnings.append(f"{several} pictures named in {name} hold several faces: the codes go to the largest")
        return found, warnings
