"""Collect: make a corpus and bring pictures into it, with what is known about them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pandas as pd
import pyarrow as pa

from visanda.collect.folder import Found, Search, class_columns, find, inspect
from visanda.collect.match import Match, match
from visanda.collect.tables import read_table
from visanda.errors import InputError
from visanda.result import Result
from visanda.store import Store

CHUNK = 2000  # pictures looked at before their rows are written

MEDIA = pa.schema(
    {
        "id": pa.string(),
        "kind": pa.string(),
        "parent": pa.string(),
        "path": pa.string(),
        "sha256": pa.string(),
        "bytes": pa.int64(),
        "format": pa.string(),
        "mode": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "frames": pa.int32(),
        "orientation": pa.int8(),
        "icc": pa.string(),
        "taken": pa.timestamp("us"),
        "camera": pa.string(),
        "latitude": pa.float64(),
        "longitude": pa.float64(),
        "error": pa.string(),
    }
)


class Collecting(Store):
    """Collect."""

    @classmethod
    def init(cls, folder: Path | str = ".", *, name: str | None = None, about: str | None = None) -> Self:
        """Make a corpus in a folder.

        Args:
            folder: where; made if it is not there.
            name: the study's name; the folder's by default.
            about: what the study asks, in a sentence or two; opens its report.

        Raises:
            CorpusError: there is one already, or the folder cannot be written.
        """
        cls._create(folder, name, about)
        return cls(folder)

    def add(
        self,
        *sources: str,
        metadata: str | Path | pd.DataFrame | None = None,
        key: str = "filename",
        prefix: str | None = None,
        gps: bool = False,
    ) -> Result:
        """Add pictures, and what a table says about them; what is there already is left as it is.

        Args:
            sources: folders (searched recursively), globs or files.
            metadata: a table (CSV, TSV, Excel, Parquet, JSON lines) with a row a picture.
            key: the column that names the picture: its id, path in the folder, file name or stem.
            prefix: begin ids with this instead of the folder's name.
            gps: keep the place where pictures were taken; left out by default.

        Raises:
            InputError: no pictures; a source, the table or its key is not there; a key repeats; ids collide.
        """
        arguments = {"sources": sources, "metadata": _named(metadata), "key": key, "prefix": prefix, "gps": gps}
        search = find(sources, prefix)
        if not search.found and not (self.tables() and metadata is not None):
            raise InputError(f"there are no pictures in {', '.join(map(str, sources))}{_others(search)}")
        known = metadata if isinstance(metadata, pd.DataFrame) or metadata is None else read_table(metadata)
        with self.parts("media").writing(), self.record("add", arguments) as run:
            there = self._there()
            new = _new(search.found, there)
            ids = list(dict.fromkeys([*there.index, *(item.id for item in new)]))
            matched = match(known, key, ids) if known is not None else None
            columns = _user_columns(new, known, matched, key)
            self._check_types(columns)
            again = there.index[there["error"].notna()].intersection([item.id for item in search.found])
            self.parts("media").drop(again, run.stem + "-again")
            failed = self._write_new([*new, *_retried(search.found, again)], columns, gps, run.stem)
            if matched is not None:
                self._write_metadata(columns, [id for id in matched.rows if id in there.index], run.stem)
            self.parts("media").compact(run.stem)
            run.counts = {"new": len(new), "failed": len(failed), "looked at again": len(again)}
        return _summary(search, there, new, failed, matched, ids)

    def status(self) -> Result:
        """How far the study has come: pictures, tables and their failures, codes, models."""
        rows = []
        for table in self.tables():
            failed = "count(error)" if "error" in self.column_names(table) else "0"
            counts = self.query(f'SELECT count(*) AS n, {failed} AS failed FROM "{table}"').to_pylist()[0]
            made = self.describe(table)
            given = ", ".join(f"{name}={value}" for name, value in made.get("arguments", {}).items())
            rows.append((table, counts["n"], counts["failed"], given))
        table = pd.DataFrame(rows, columns=["table", "rows", "failed", "arguments"])
        words = [] if rows else ["Nothing is here yet: add pictures with 'visanda add FOLDER'."]
        if rows:
            errors = self.frame("SELECT id, error FROM media WHERE error IS NOT NULL ORDER BY id LIMIT 5")
            words += [f"{row.id}: {row.error}" for row in errors.itertuples()]
        words += self._said_of_codes()
        return Result(f"{self.name} in {self.folder}", table, words)

    def _said_of_codes(self) -> list[str]:
        words = []
        for folder in sorted((self.folder / "codes").glob("*")):
            coders = ", ".join(path.stem for path in sorted(folder.glob("*.csv")))
            trained = "; a model is trained" if (self.models / folder.name).exists() else ""
            words.append(f"Coded: {folder.name} by {coders}{trained}.")
        return words

    def _there(self) -> pd.DataFrame:
        if "media" not in self.tables():
            return pd.DataFrame({"path": [], "error": []}, index=pd.Index([], name="id", dtype=str))
        return self.frame("SELECT id, path, error FROM media").set_index("id")

    def _check_types(self, columns: pd.DataFrame) -> None:
        """A column keeps its type over all additions."""
        if "media" not in self.tables():
            return
        there = self.query("SELECT * FROM media LIMIT 0").schema
        here = pa.Schema.from_pandas(columns, preserve_index=False)
        for field in here:
            position = there.get_field_index(field.name)
            if position < 0 or pa.types.is_null(there.field(position).type) or pa.types.is_null(field.type):
                continue
            try:
                pa.unify_schemas(
                    [pa.schema([there.field(position)]), pa.schema([field])], promote_options="permissive"
                )
            except pa.ArrowTypeError:
                raise InputError(
                    f"the column {field.name!r} holds {there.field(position).type} in the corpus and {field.type} "
                    "in this table: give it another name, or bring it to the same type"
                ) from None

    def _write_new(self, items: list[Found], columns: pd.DataFrame, gps: bool, stem: str) -> pd.DataFrame:
        failed = []
        for number, chunk in enumerate(_chunks(items)):
            rows = pa.Table.from_pylist(inspect(chunk, gps=gps), schema=MEDIA)
            mine = columns.reindex([item.id for item in chunk]).reset_index(drop=True)
            table = pa.Table.from_pandas(mine, preserve_index=False)
            for name in table.column_names:
                rows = rows.append_column(name, table[name])
            self.parts("media").append(rows.replace_schema_metadata(), f"{stem}-{number:06d}")
            failed.append(rows.select(["id", "error"]).filter(rows["error"].is_valid()).to_pandas())
        return pd.concat(failed) if failed else pd.DataFrame({"id": [], "error": []})

    def _write_metadata(self, columns: pd.DataFrame, ids: list[str], stem: str) -> None:
        """Give pictures that were there before what the table says about them now."""
        named = [name for name in columns if name not in ("split", "class", "folder")]
        if not ids or not named:
            return
        media = self.parts("media").read()
        position = {id: i for i, id in enumerate(media["id"].to_pylist())}
        for name in named:
            given = pa.array(columns.loc[ids, name], from_pandas=True)
            old = media[name].to_pylist() if name in media.column_names else [None] * len(media)
            for id, value in zip(ids, given.to_pylist(), strict=True):
                old[position[id]] = value
            there = media.schema.field(name).type if name in media.column_names else given.type
            values = pa.array(old, given.type if pa.types.is_null(there) else there)
            if name in media.column_names:
                media = media.set_column(media.column_names.index(name), name, values)
            else:
                media = media.append_column(name, values)
        self.parts("media").replace_all(media, stem + "-metadata")


def _named(metadata: Any) -> str | None:
    return "a DataFrame" if isinstance(metadata, pd.DataFrame) else metadata and str(metadata)


def _chunks(items: list[Found]) -> Iterator[list[Found]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


def _new(found: list[Found], there: pd.DataFrame) -> list[Found]:
    """Pictures that are not in the corpus; two files must not share an id."""
    seen: dict[str, str] = there["path"].to_dict()
    new = []
    for item in found:
        path = str(item.path)
        if item.id not in seen:
            seen[item.id] = path
            new.append(item)
        elif seen[item.id] != path and item.id in there.index and there.loc[item.id, "path"] != path:
            raise InputError(
                f"{path} would get the id {item.id!r}, which {seen[item.id]} has: give these pictures another "
                "--prefix"
            )
        elif seen[item.id] != path:
            raise InputError(f"{path} and {seen[item.id]} would share the id {item.id!r}: add them one by one, "
                             "each with a --prefix")
    return new


def _retried(found: list[Found], again: pd.Index) -> list[Found]:
    wanted = set(again)
    return [item for item in found if item.id in wanted]


def _user_columns(
    new: list[Found], known: pd.DataFrame | None, matched: Match | None, key: str
) -> pd.DataFrame:
    """What folders and the table say, a row an id; names that visanda uses itself get ``_given`` appended."""
    columns = pd.DataFrame(class_columns(new), index=pd.Index([item.id for item in new], name="id"), dtype=object)
    if known is None or matched is None:
        return columns
    rows = known.iloc[list(matched.rows.values())].set_axis(pd.Index(list(matched.rows), name="id"))
    rows = rows.rename(columns={name: f"{name}_given" for name in rows if name in MEDIA.names})
    return rows.join(columns[[name for name in columns if name not in rows]], how="outer")


def _others(search: Search) -> str:
    if not search.other_files:
        return ""
    kinds = ", ".join(f"{count} {suffix}" for suffix, count in search.other_files.most_common(5))
    return f" (other files: {kinds})"


def _summary(
    search: Search, there: pd.DataFrame, new: list[Found], failed: pd.DataFrame, matched: Match | None, ids: list[str]
) -> Result:
    rows = [("pictures found", len(search.found)), ("new", len(new)), ("of these with an error", len(failed))]
    rows += [("already there", len(search.found) - len(new)), ("other files", search.other_files.total())]
    words = [f"{row.id}: {row.error}" for row in failed.head(10).itertuples()]
    warnings = [f"cannot be searched: {text}" for text in search.unreadable]
    extra = {"errors": failed}
    if search.other_files:
        words.append(f"Left out{_others(search)}.")
    if matched is not None:
        without = [id for id in ids if id not in matched.rows]
        rows += [("rows matched", len(matched.rows)), ("rows without a picture", len(matched.unmatched))]
        rows += [("pictures without a row", len(without))]
        extra["rows without a picture"] = pd.DataFrame({"key": matched.unmatched})
        extra["pictures without a row"] = pd.DataFrame({"id": without})
        warnings += _unmatched(matched, without, ids)
    return Result("Added", pd.DataFrame(rows, columns=["what", "count"]), words, warnings, extra=extra)


def _unmatched(matched: Match, without: list[str], ids: list[str]) -> list[str]:
    warnings = []
    if matched.unmatched:
        shown = ", ".join(repr(name) for name in matched.unmatched[:5])
        folded = {id.rsplit("/", 1)[-1].casefold() for id in ids}
        case = sum(name.rsplit("/", 1)[-1].casefold() in folded for name in matched.unmatched)
        hint = f"; {case} of them would match if upper and lower case were the same" if case else ""
        warnings.append(f"{len(matched.unmatched)} rows of the table have no picture, such as {shown}{hint}")
    if matched.ambiguous:
        shown = ", ".join(repr(name) for name in matched.ambiguous[:5])
        warnings.append(f"{len(matched.ambiguous)} keys fit several pictures, such as {shown}: use the whole id")
    if without:
        shown = ", ".join(repr(id) for id in without[:5])
        warnings.append(f"{len(without)} pictures have no row in the table, such as {shown}")
    return warnings
