"""Archive: a copy of a corpus for replication, written anew from what may leave home; nothing is copied unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import tomlkit

from visanda.corpus.share.coded import may_share, variables, write_codebook, write_codes, write_sample
from visanda.corpus.share.disclosure import (
    OWN,
    WHO,
    Verdict,
    is_of_people,
    of_measured,
    of_media,
    plain_error,
    tells_names,
)
from visanda.corpus.share.pseudonyms import split
from visanda.corpus.share.results import write_results
from visanda.corpus.share.trained_models import write_models
from visanda.corpus.share.writing import DESCRIBED, Removed, Writing
from visanda.errors import InputError, MediaError
from visanda.media import decode, read_file, resize, save
from visanda.privacy import clean, how_made
from visanda.store import FORMAT, SETTINGS

THUMBNAIL = 256  # pixels of the longer side


@dataclass
class Archive(Writing):
    """A copy under way, with all that goes into it.

    Attributes:
        redacted: a folder of redacted pictures to take thumbnails from.
        rows: of each table in the copy.
        thumbnails: pictures in the copy, by the id at home.
    """

    redacted: Path | None = None
    rows: dict[str, int] = field(default_factory=dict)
    thumbnails: dict[str, str] = field(default_factory=dict)
    _files: frozenset[str] = frozenset()

    def write(self, tables: Iterable[str]) -> None:
        """Write everything but the manifest."""
        ids = self.store.query("SELECT id FROM media")["id"].to_pylist()
        self._files = frozenset(self.pseudonyms.files(ids))
        self._settings()
        if self.redacted is not None:
            self._thumbnails(self.redacted)
        self._media()
        every = variables(self.store)
        shared = [name for name in every if may_share(self, name)]
        hidden = set(every) - set(shared)
        for table in tables:
            if table != "media" and table not in hidden:
                self._table(table)
        write_codebook(self, shared, self._files)
        for variable in shared:
            write_codes(self, variable)
            write_sample(self, variable)
            write_models(self, variable)
        self._runs()
        write_results(self, hidden, self._files)

    def _settings(self) -> None:
        given = self.store.settings()
        document = tomlkit.document()
        document.add(tomlkit.comment("A copy of a corpus of visanda, without identities: see MANIFEST.md."))
        document["format"] = FORMAT
        for name in ("name", "about", "created"):
            if name in given:
                document[name] = given[name]
        self.text(SETTINGS, tomlkit.dumps(document))

    # tables

    def _media(self) -> None:
        rows = self.store.parts("media").read()
        names = {part for id in self._files for part in _names(id)}
        for name in (name for name in rows.column_names if name in self.wanted.keep):
            if not self.wanted.identities and tells_names(rows[name], names):
                raise InputError(
                    f"the column {name!r} holds names of files, paths or addresses, which give pictures away: leave "
                    "it out of --keep; with --groups its values become pseudonyms"
                )
        self._write("media", rows, {name: of_media(name, self.wanted) for name in rows.column_names})

    def _table(self, table: str) -> None:
        parts = self.store.parts(table)
        rows = parts.read()
        if is_of_people(table) and not self.wanted.identities:
            self.removed.append(Removed(f"table {table}", len(rows), WHO))
            return
        described = self.store.describe(table)
        measure = str(described.get("name", table)).removesuffix("_by_picture")
        verdicts = {
            name: of_measured(table, measure, name, rows[name], self.wanted, self._files) for name in rows.column_names
        }
        kept = self._write(table, rows, verdicts)
        if described:
            said = {key: described[key] for key in DESCRIBED if key in described}
            said["columns"] = {name: kind for name, kind in described.get("columns", {}).items() if name in kept}
            self.json(f"tables/{table}/measure.json", said | {"arguments": self.arguments(described["arguments"])})
        progress = self.store.progress(table)
        if progress.files():
            self._put(f"tables/{table}/progress", self._units(progress.read(), ["id"]))

    def _write(self, table: str, rows: pa.Table, verdicts: dict[str, Verdict]) -> list[str]:
        """Write what may leave of a table, and note what may not; returns the names of its columns."""
        files = [split(id)[0] for id in rows["id"].to_pylist()]
        made: dict[str, Any] = {}
        for name, verdict in verdicts.items():
            column = rows[name]
            if verdict.action == "out":
                self._out(table, name, column, verdict.why)
                continue
            if verdict.action == "group":
                column = _each(column, lambda value, name=name: self.pseudonyms.value(name, str(value)))  # type: ignore[misc]
            elif verdict.action == "unit":
                column = _each(column, self.pseudonyms.unit)
            elif verdict.action == "path":
                column = pa.array([self._path(file) for file in files], pa.string())
            elif verdict.action == "error":
                texts = zip(column.to_pylist(), files, strict=True)
                column = pa.array(
                    [None if text is None else plain_error(text, file) for text, file in texts], pa.string()
                )
            made[name] = column
        self._put(f"tables/{table}", self._ordered(pa.table(made)))
        self.rows[table] = len(rows)
        return list(made)

    def _out(self, table: str, name: str, column: pa.ChunkedArray, why: str) -> None:
        there = len(column) - column.null_count
        if table == "media" and why == OWN:
            why += f" ({_distinct(column):,} distinct values)"
        if there:
            self.removed.append(Removed(f"{table}.{name}", there, why))

    def _path(self, file: str) -> str:
        """Where the copy says that a picture is: its thumbnail, or a name that tells that it was not shared."""
        return self.thumbnails.get(file, f"not-shared/{self.pseudonyms.unit(file)}")

    def _units(self, rows: pa.Table, columns: list[str]) -> pa.Table:
        for name in columns:
            position = rows.column_names.index(name)
            rows = rows.set_column(position, name, _each(rows[name], self.pseudonyms.unit))
        return self._ordered(rows)

    def _ordered(self, rows: pa.Table) -> pa.Table:
        """Rows by pseudonym: their order at home would tell how names follow each other in the alphabet."""
        files = np.array([split(id)[0] for id in rows["id"].to_pylist()], dtype=object)
        return rows.take(np.argsort(files, kind="stable"))

    def _put(self, folder: str, rows: pa.Table) -> None:
        target = self.out / folder
        target.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows.replace_schema_metadata(None), target / "part-00000.parquet")

    # runs and results

    def _runs(self) -> None:
        for path in sorted((self.store.folder / "runs").glob("*.json")):
            text = path.read_text("utf-8")
            if not text or path.stem.rpartition("-")[2] in ("share", "expire"):
                continue
            run = json.loads(text)
            shared = {
                "verb": run["verb"],
                "arguments": self.arguments(run["arguments"]),
                "started": str(run["started"])[:10],
                "outcome": str(run["outcome"]).partition(":")[0],
                "seconds": run["seconds"],
                "counts": _numbers(run["counts"]),
                "versions": run["versions"],
            }
            self.json(f"runs/{path.name}", shared)

    # pictures

    def _thumbnails(self, folder: Path) -> None:
        """Thumbnails of the clean copies that a folder of 'visanda redact' lists."""
        copies = clean(folder)
        made = how_made(folder) or {}
        if not any(made.get(kind) for kind in ("faces", "people", "text")):
            raise InputError(f"nothing was hidden in {folder}: name a folder that 'visanda redact --faces' filled")
        if not (made.get("faces") or made.get("people")):
            self.warnings.append(f"Only text was hidden in the pictures of {folder.name}: their thumbnails show people")
        without = 0
        rows = self.store.query("SELECT id, sha256 FROM media WHERE kind = 'image'").to_pylist()
        for row in rows:
            path = copies.get(row["id"])
            if path is None:
                without += 1
                continue
            data = read_file(path)
            if hashlib.sha256(data).hexdigest() == row["sha256"]:
                raise InputError(f"{path} is an original: take it out of the folder, and run 'visanda redact' again")
            target = f"thumbnails/{self.pseudonyms.unit(row['id'])}.jpg"
            if self._thumbnail(data, target):
                self.thumbnails[row["id"]] = target
            else:
                without += 1
        if without:
            self.warnings.append(f"{without:,} pictures have no clean copy listed in {folder.name} and no thumbnail")

    def _thumbnail(self, data: bytes, target: str) -> bool:
        try:
            image = decode(data)
        except MediaError:
            return False
        (self.out / target).parent.mkdir(exist_ok=True, parents=True)
        side = min(THUMBNAIL, max(image.pixels.shape[:2]))
        save(resize(image, side, side), self.out / target, quality=85)
        return True


def _names(id: str) -> set[str]:
    """What a column might call a file: its id, its name, its stem where that could be nothing else."""
    name = id.rsplit("/", 1)[-1]
    return {id, name}


def _each(column: pa.ChunkedArray, change: Callable[[str], str]) -> pa.Array:
    """A column of text with each value changed; missing values stay missing."""
    return pa.array([None if value is None else change(value) for value in column.to_pylist()], pa.string())


def _distinct(column: pa.ChunkedArray) -> int:
    try:
        return int(pc.count_distinct(column).as_py())
    except pa.ArrowNotImplementedError:
        return len({str(value) for value in column.to_pylist()})


def _numbers(counts: Any) -> Any:
    """Counts without reasons, which name files."""
    if isinstance(counts, dict):
        return {name: _numbers(value) for name, value in counts.items() if name != "reasons"}
    return counts if isinstance(counts, (int, float)) else "(left out)"
