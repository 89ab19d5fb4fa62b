"""Collect: make a corpus and bring pictures into it, with what is known about them."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from visanda.collect.folder import Found, class_columns, find, inspect
from visanda.collect.match import Match, match
from visanda.collect.tables import as_arrow, read_table, settle
from visanda.corpus.adding.media_table import MEDIA, one_type, own_names
from visanda.corpus.adding.news import Known, sort_out
from visanda.corpus.adding.said import nothing_found, said_of_names, summary
from visanda.corpus.state import state_of
from visanda.errors import InputError
from visanda.progress import Advance, progress
from visanda.result import Result
from visanda.store import Store

CHUNK = 2000  # files looked at before their rows are written


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
            raise InputError(nothing_found(sources, search))
        table = _table(metadata)
        with self.parts("media").writing(), self.record("add", arguments) as run:
            there = self._there()
            news = sort_out(search.found, there, self.resolve)
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
        result = summary(search, news, failed, mended, matched, news.asked if sources else ids)
        if table is not None:
            result.words += said_of_names(list(map(str, table.columns)))
        return result

    def status(self) -> Result:
        """How far the study has come: pictures, tables and their failures, codes, models."""
        return state_of(self)

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
        said.columns = pd.Index(own_names([str(name) for name in table]))
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
                column = columns.column(position).cast(one_type(here, known))
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


def _table(metadata: str | Path | pd.DataFrame | None) -> pd.DataFrame | None:
    if metadata is None:
        return None
    return settle(metadata) if isinstance(metadata, pd.DataFrame) else read_table(metadata)


def _named(metadata: str | Path | pd.DataFrame | None) -> str | None:
    return "a DataFrame" if isinstance(metadata, pd.DataFrame) else None if metadata is None else str(metadata)
