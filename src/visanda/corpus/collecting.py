"""Collect: make a corpus and bring pictures into it, with what is known about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from visanda.collect.folder import VIDEOS, Found, Search, class_columns, find, inspect, printable
from visanda.collect.match import Match, match
from visanda.collect.tables import as_arrow, read_table, settle
from visanda.corpus.share.retention import reminder
from visanda.errors import InputError
from visanda.progress import Advance, progress
from visanda.result import Result
from visanda.store import Store, quoted

CHUNK = 2000  # files looked at before their rows are written

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
        "duration": pa.float64(),
        "frame_rate": pa.float64(),
        "nominal_rate": pa.float64(),
        "codec": pa.string(),
        "rotation": pa.int16(),
        "first": pa.float64(),
        "audio": pa.string(),
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
        """Add pictures and videos, and what a table says about them; what is there already is left as it is.

        Files that could not be read, or that have moved, are looked at again. Without sources, the table is joined
        to the pictures and videos that are there.

        Args:
            sources: folders (searched recursively), globs or files.
            metadata: a table (CSV, TSV, Excel, Parquet, JSON lines) with a row a picture or video.
            key: the column that names the file: its id, path in the folder, file name or stem.
            prefix: begin ids with this instead of the folder's name.
            gps: keep the place where pictures were taken; left out by default.

        Raises:
            InputError: no pictures or videos; a source, the table or its key is not there; a key repeats; ids collide.
        """
        arguments = {"sources": sources, "metadata": _named(metadata), "key": key, "prefix": prefix, "gps": gps}
        search = find(sources, prefix)
        if not search.found and (sources or metadata is None):
            raise InputError(_nothing(sources, search))
        table = _table(metadata)
        with self.parts("media").writing(), self.record("add", arguments) as run:
            there = self._there()
            news = _sort(search.found, there, self.resolve)
            originals = [id for id, known in there.items() if known.parent is None]
            ids = [*originals, *(item.id for item in news.new)]
            matched = None if table is None else match(table, key, ids)
            columns, more = self._columns(search.found, news.new, table, matched)
            with progress("read", len(news.again) + len(news.new)) as advance:
                mended = self._look_again(news.again, gps, run.stem, advance)
                failed = self._write_new(news.new, columns, gps, run.stem, advance)
            if matched is not None:
                known = [id for id in matched.rows if id in there]
                self._update(known, more, run.stem + "-metadata")
            self.parts("media").compact(run.stem)
            run.counts = {"new": len(news.new), "failed": len(failed), "looked at again": len(news.again)}
            if matched is not None:
                run.counts |= {"rows matched": len(matched.rows), "rows unmatched": len(matched.unmatched)}
        result = _summary(search, news, failed, mended, matched, news.asked if sources else ids)
        if table is not None:
            result.words += _said_of_names(list(map(str, table.columns)))
        return result

    def status(self) -> Result:
        """How far the study has come: pictures, tables and their failures, codes, models."""
        rows = []
        for table in self.tables():
            failed = "count(error)" if "error" in self.column_names(table) else "0"
            counts = self.query(f"SELECT count(*) AS n, {failed} AS failed FROM {quoted(table)}").to_pylist()[0]
            made = self.describe(table)
            given = ", ".join(
                f"{name}={value}" for name, value in made.get("arguments", {}).items() if value is not None
            )
            rows.append((table, counts["n"], counts["failed"], given))
        frame = pd.DataFrame(rows, columns=["table", "rows", "failed", "arguments"])
        words = [] if rows else ["Nothing is here yet: add pictures or videos with 'visanda add FOLDER'."]
        if rows:
            errors = self.frame("SELECT id, error FROM media WHERE error IS NOT NULL ORDER BY id LIMIT 5")
            words += [f"{row.id}: {row.error}" for row in errors.itertuples()]
        words += self._said_of_codes()
        return Result(f"{self.name} in {self.folder}", frame, words, reminder(self))

    def _said_of_codes(self) -> list[str]:
        words = []
        for folder in sorted((self.folder / "codes").glob("*")):
            coders = ", ".join(path.stem for path in sorted(folder.glob("*.csv")))
            trained = "; a model is trained" if (self.models / folder.name).exists() else ""
            words.append(f"Coded: {folder.name} by {coders}{trained}.")
        return words

    def _there(self) -> dict[str, Known]:
        if "media" not in self.tables():
            return {}
        rows = self.query("SELECT id, path, error, parent FROM media").columns
        return {id: Known(*facts) for id, *facts in zip(*(column.to_pylist() for column in rows), strict=True)}

    def _columns(
        self, found: list[Found], new: list[Found], table: pd.DataFrame | None, matched: Match | None
    ) -> tuple[pa.Table, pa.Table]:
        """What folders and the table say, a row for each new picture; what the table says of known ones.

        A column keeps the type that it has in the corpus.
        """
        ids = pd.Index([item.id for item in new], dtype=object)
        folders = pd.DataFrame(class_columns(found), index=[item.id for item in found], dtype=object)
        folders = folders[~folders.index.duplicated()].reindex(ids)
        if table is None or matched is None:
            return self._fitted(as_arrow(folders)), pa.table({})
        said = table.iloc[list(matched.rows.values())].set_axis(pd.Index(list(matched.rows), dtype=object))
        said.columns = pd.Index(_own_names([str(name) for name in table]))
        own = {name.lower() for name in said.columns}
        spare = [name for name in folders if str(name).lower() not in own]
        known = said.index[~said.index.isin(ids)]
        both = self._fitted(as_arrow(said.reindex(ids.append(known)).join(folders[spare])))
        return both.slice(0, len(ids)), both.slice(len(ids)).select(list(range(len(own))))

    def _fitted(self, columns: pa.Table) -> pa.Table:
        if "media" not in self.tables():
            return columns
        there = self.query("SELECT * FROM media LIMIT 0").schema
        for position, here in enumerate(columns.schema):
            known = next((one for one in there if one.name.lower() == here.name.lower()), None)
            if known is not None:
                column = columns.column(position).cast(_one_type(here, known))
                columns = columns.set_column(position, known.name, column)
        return columns

    def _write_new(self, items: list[Found], columns: pa.Table, gps: bool, stem: str, advance: Advance) -> pd.DataFrame:
        failed = [pa.schema([MEDIA.field("id"), MEDIA.field("error")]).empty_table()]
        for number, start in enumerate(range(0, len(items), CHUNK)):
            rows = self._inspected(items[start : start + CHUNK], gps, advance)
            failed.append(rows.select(["id", "error"]).filter(rows["error"].is_valid()))
            for name in columns.column_names:
                rows = rows.append_column(name, columns[name].slice(start, CHUNK))
            self.parts("media").append(rows, f"{stem}-{number:06d}")
        return pa.concat_tables(failed).to_pandas()

    def _inspected(self, items: list[Found], gps: bool, advance: Advance) -> pa.Table:
        rows = inspect(items, gps=gps, advance=advance)
        return pa.Table.from_pylist([row | {"path": self.stored(row["path"])} for row in rows], schema=MEDIA)

    def _look_again(self, items: list[Found], gps: bool, stem: str, advance: Advance) -> list[str]:
        """Renew what is known of these files; returns the ids of those that can be read."""
        if not items:
            return []
        rows = self._inspected(items, gps, advance)
        kept = {"id", "parent"} | (set() if gps else {"latitude", "longitude"})
        names = [name for name in MEDIA.names if name not in kept]
        self._update(rows["id"].to_pylist(), rows.select(names), stem + "-again")
        return rows.filter(rows["error"].is_null())["id"].to_pylist()

    def _update(self, ids: list[str], columns: pa.Table, stem: str) -> None:
        """Write these columns into the rows of these ids."""
        wanted = pa.array(ids, pa.string())

        def updated(rows: pa.Table) -> pa.Table:
            position = pc.index_in(rows["id"].cast(pa.string()), value_set=wanted)
            changed = rows
            if position.null_count == len(position):
                return rows
            for name in columns.column_names:
                new = columns[name].take(position)
                if name in rows.column_names:
                    new = pc.if_else(position.is_valid(), new, rows[name].cast(new.type))
                    if not new.equals(rows[name]):
                        changed = changed.set_column(changed.column_names.index(name), name, new)
                elif new.null_count < len(new):
                    changed = changed.append_column(name, new)
            return changed

        if ids and columns.num_columns:
            self.parts("media").rewrite(updated, stem)


@dataclass(frozen=True)
class Known:
    """What a row of the media table says of a picture that is there."""

    path: str
    error: str | None
    parent: str | None


@dataclass
class News:
    """What a search means for the corpus.

    Attributes:
        new: pictures to add.
        again: pictures that are there, to be looked at again: unreadable before, or moved since.
        elsewhere: ids that pictures have already, where this search would give them others.
        asked: the ids of all pictures that the search found.
    """

    new: list[Found] = field(default_factory=list)
    again: list[Found] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def _sort(found: list[Found], there: dict[str, Known], resolve: Callable[[str], Path]) -> News:
    """Tell new pictures from known ones.

    Raises:
        InputError: two files would share an id.
    """
    id_of = {str(resolve(known.path)): id for id, known in there.items()}
    news = News()
    seen: dict[str, str] = {}
    for item in found:
        path = printable(str(item.path))
        id = id_of.get(path, item.id)
        if seen.get(id, path) != path:
            raise InputError(
                f"{path} and {seen[id]} would share the id {id!r}: add them one by one, each with a --prefix"
            )
        if id in seen:
            continue
        seen[id] = path
        news.asked.append(id)
        known = there.get(id)
        if known is None:
            news.new.append(item)
        elif id != item.id:
            news.elsewhere.append(id)
        elif path not in id_of and resolve(known.path).exists():
            raise InputError(
                f"{path} would get the id {id!r}, which {resolve(known.path)} has: give these pictures another --prefix"
            )
        elif path not in id_of or known.error:
            news.again.append(item)
    return news


def _one_type(here: pa.Field, there: pa.Field) -> pa.DataType:
    """The type for a column of the table (here) that the corpus has already (there).

    Raises:
        InputError: there is none.
    """
    if pa.types.is_string(there.type) and pa.types.is_integer(here.type):
        return there.type
    try:
        both = [pa.schema([pa.field("", field.type)]) for field in (there, here)]
        return pa.unify_schemas(both, promote_options="permissive").field(0).type
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        raise InputError(
            f"the column {here.name!r} holds {there.type} in the corpus and {here.type} in this table: give it "
            "another name, or bring it to the same type"
        ) from None


def _own_names(names: list[str]) -> list[str]:
    """Names of a table's columns; those that visanda uses itself get ``_given`` appended."""
    taken = {name.lower() for name in names}
    found = []
    for name in names:
        if name.lower() in MEDIA.names:
            name += "_given"
            while name.lower() in taken:
                name += "_given"
        found.append(name)
    return found


def _said_of_names(names: list[str]) -> list[str]:
    pairs = [(old, new) for old, new in zip(names, _own_names(names), strict=True) if old != new]
    return [f"Your column {old!r} is called {new!r} here: the first name is visanda's own." for old, new in pairs]


def _table(metadata: str | Path | pd.DataFrame | None) -> pd.DataFrame | None:
    if metadata is None:
        return None
    return settle(metadata) if isinstance(metadata, pd.DataFrame) else read_table(metadata)


def _named(metadata: str | Path | pd.DataFrame | None) -> str | None:
    return "a DataFrame" if isinstance(metadata, pd.DataFrame) else None if metadata is None else str(metadata)


# what add says


def _nothing(sources: tuple[str, ...], search: Search) -> str:
    if not sources:
        return "name folders, globs or files to add, or a table with --metadata"
    closed = "".join(f"; cannot be searched: {text}" for text in search.unreadable[:3])
    places = ", ".join(printable(str(one)) for one in sources)
    return f"there are no pictures or videos in {places}{_others(search)}{closed}"


def _others(search: Search) -> str:
    if not search.other_files:
        return ""
    kinds = ", ".join(f"{count} {suffix}" for suffix, count in search.other_files.most_common(5))
    return f" (other files: {kinds})"


def _summary(
    search: Search, news: News, failed: pd.DataFrame, mended: list[str], matched: Match | None, ids: list[str]
) -> Result:
    one, many = _noun(ids)
    rows = [(f"{many} found", len(search.found)), ("new", len(news.new)), ("of these with an error", len(failed))]
    rows += [("already there", len(news.asked) - len(news.new)), ("other files", search.other_files.total())]
    words = [f"{row.id}: {row.error}" for row in failed.head(10).itertuples()]
    if len(failed) > 10:
        words.append(
            f'... and {len(failed) - 10} more: visanda sql "select id, error from media where error is not null"'
        )
    if news.again:
        rows.append(("looked at again", len(news.again)))
        again = "; where they were measured before, measure with --retry" if mended else ""
        words.append(f"{len(mended)} of {len(news.again)} {many} looked at again can be read now{again}.")
    if news.elsewhere:
        words.append(f"{len(news.elsewhere)} are there under other ids, such as {news.elsewhere[0]!r}.")
    warnings = [f"cannot be searched: {text}" for text in search.unreadable]
    extra = {"errors": failed}
    if search.other_files:
        words.append(f"Left out{_others(search)}.")
    if matched is not None:
        without = [id for id in ids if id not in matched.rows]
        rows += [("rows matched", len(matched.rows)), (f"rows without a {one}", len(matched.unmatched))]
        rows += [(f"{many} without a row", len(without))]
        extra[f"rows without a {one}"] = pd.DataFrame({"key": matched.unmatched})
        extra[f"{many} without a row"] = pd.DataFrame({"id": without})
        warnings += _unmatched(matched, without, ids)
    return Result("Added", pd.DataFrame(rows, columns=["what", "count"]), words, warnings, extra=extra)


def _noun(ids: list[str]) -> tuple[str, str]:
    """What these files are called: one, and many."""
    kinds = {Path(id).suffix.lower() in VIDEOS for id in ids}
    return ("file", "files") if len(kinds) != 1 else ("video", "videos") if kinds.pop() else ("picture", "pictures")


def _unmatched(matched: Match, without: list[str], ids: list[str]) -> list[str]:
    one, many = _noun(ids)
    warnings = []
    if matched.unmatched:
        shown = ", ".join(repr(name) for name in matched.unmatched[:5])
        folded = {id.rsplit("/", 1)[-1].casefold() for id in ids}
        case = sum(name.rsplit("/", 1)[-1].casefold() in folded for name in matched.unmatched)
        hint = f"; {case} of them would match if upper and lower case were the same" if case else ""
        warnings.append(f"{len(matched.unmatched)} rows of the table have no {one}, such as {shown}{hint}")
    if matched.ambiguous:
        shown = ", ".join(repr(name) for name in matched.ambiguous[:5])
        warnings.append(f"{len(matched.ambiguous)} keys fit several {many}, such as {shown}: use the whole id")
    if without:
        shown = ", ".join(repr(id) for id in without[:5])
        warnings.append(f"{len(without)} {many} have no row in the table, such as {shown}")
    return warnings
