"""Archive: a copy of a corpus for replication, written anew from what may leave home; nothing is copied unseen."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import tomlkit

from visanda import codes
from visanda.corpus.share.disclosure import (
    OWN,
    UNKNOWN,
    WHO,
    Verdict,
    Wanted,
    is_of_people,
    of_measured,
    of_media,
    plain_error,
    tells_names,
)
from visanda.corpus.share.pseudonyms import Pseudonyms, split
from visanda.errors import InputError, MediaError
from visanda.media import decode, read_file, resize, save
from visanda.privacy import clean, how_made
from visanda.store import FORMAT, SETTINGS, Store

THUMBNAIL = 256  # pixels of the longer side
FREE = 30  # values of a coded variable beyond which they look like free text
DESCRIBED = ("name", "summary", "source", "on", "size", "columns", "models", "created", "versions", "pairs", "finds")
SAID = {"formula", "model", "learner", "allocate", "variable", "detector", "labels", "on", "per_shot", "engine", "name"}
SAID |= {"by", "cluster", "group", "truth", "clock"}  # arguments whose text names no file, path or person


@dataclass(frozen=True)
class Removed:
    """What stays at home: a column or a file, how many values it has, and why."""

    what: str
    count: int
    why: str


@dataclass
class Archive:
    """A copy under way.

    Attributes:
        store: the corpus at home.
        out: an empty folder.
        wanted: what was asked for.
        pseudonyms: of files, coders and groups.
        redacted: a folder of redacted pictures to take thumbnails from.
        removed: what stays at home.
        rows: of each table in the copy.
        warnings: what must be known before this is published.
        thumbnails: pictures in the copy, by the id at home.
    """

    store: Store
    out: Path
    wanted: Wanted
    pseudonyms: Pseudonyms
    redacted: Path | None = None
    removed: list[Removed] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
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
        shared = [name for name in codes.variables(self.store.folder) if self._may_share(name)]
        hidden = set(codes.variables(self.store.folder)) - set(shared)
        for table in tables:
            if table != "media" and table not in hidden:
                self._table(table)
        for variable in shared:
            self._variable(variable)
        self._runs()
        self._results(hidden)

    def _settings(self) -> None:
        given = self.store.settings()
        document = tomlkit.document()
        document.add(tomlkit.comment("A copy of a corpus of visanda, without identities: see MANIFEST.md."))
        document["format"] = FORMAT
        for name in ("name", "about", "created"):
            if name in given:
                document[name] = given[name]
        self._text(SETTINGS, tomlkit.dumps(document))

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
            self._json(f"tables/{table}/measure.json", said | {"arguments": self._arguments(described["arguments"])})
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

    # variables

    def _may_share(self, variable: str) -> bool:
        """Whether the codes of a variable look like categories; free text may name people."""
        if variable in self.wanted.keep or not any((self.store.folder / "codes" / variable).glob("*.csv")):
            return True
        values = codes.read(self.store.folder, variable)["value"]
        free = values.nunique() > FREE or (len(values) > FREE and values.nunique() > len(values) / 2)
        free = free or tells_names(pa.chunked_array([pa.array(values.astype(str), pa.string())]), frozenset())
        if free:
            self.removed.append(
                Removed(
                    f"variable {variable}", len(values), f"{values.nunique():,} values look like free text; {UNKNOWN}"
                )
            )
        return not free

    def _variable(self, variable: str) -> None:
        home = self.store.folder
        for path in sorted((home / "codes" / variable).glob("*.csv")):
            self._coder(variable, path)
        design = codes.read_design(home, variable)
        if design is not None:
            strata = {name: f"stratum_{i}" for i, name in enumerate(design["stratum"].value_counts().index, 1)}
            shared = design.assign(stratum=design["stratum"].map(strata), id=design["id"].map(self.pseudonyms.unit))
            buffer = io.BytesIO()
            columns = [name for name in ("id", "stratum", "pi", "order") if name in shared]
            shared[columns].sort_values("id", kind="stable").to_parquet(buffer, index=False)
            self._bytes(f"samples/{variable}.parquet", buffer.getvalue())
        folder = self.store.models / variable
        if (folder / "card.json").exists():
            self._model(variable, folder)

    def _coder(self, variable: str, path: Path) -> None:
        said = codes.read_coder(path)
        coder = path.stem if path.stem == codes.GOLD else self.pseudonyms.coder(path.stem)
        if "note" in said and (notes := int((said["note"] != "").sum())):
            self.removed.append(Removed(f"notes of {variable} by {coder}", notes, "free text"))
        said = said.assign(id=said["id"].map(self.pseudonyms.unit), variable=variable, coder=coder, time="", note="")
        text = said[codes.FIELDS].sort_values("id", kind="stable").to_csv(index=False, lineterminator="\n")
        self._text(f"codes/{variable}/{coder}.csv", text)

    def _model(self, variable: str, folder: Path) -> None:
        split_ = pd.read_csv(folder / "split.csv", dtype=str, keep_default_na=False)
        split_ = split_.assign(
            id=split_["id"].map(self.pseudonyms.unit),
            group=[self.pseudonyms.value("group", group) for group in split_["group"]],
        )
        columns = ["id", "set", "group", "value"]
        self._text(f"models/{variable}/split.csv", split_[columns].sort_values("id").to_csv(index=False))
        card = json.loads((folder / "card.json").read_text("utf-8"))
        card["coders"] = sorted(c if c == codes.GOLD else self.pseudonyms.coder(c) for c in card.get("coders", []))
        card["arguments"] = self._arguments(card["arguments"])
        card["embedding"] = {key: value for key, value in card["embedding"].items() if key in DESCRIBED}
        self._json(f"models/{variable}/card.json", card)
        self._bytes(f"models/{variable}/heads.npz", (folder / "heads.npz").read_bytes())

    # runs and results

    def _runs(self) -> None:
        for path in sorted((self.store.folder / "runs").glob("*.json")):
            text = path.read_text("utf-8")
            if not text or path.stem.rpartition("-")[2] in ("share", "expire"):
                continue
            run = json.loads(text)
            shared = {
                "verb": run["verb"],
                "arguments": self._arguments(run["arguments"]),
                "started": str(run["started"])[:10],
                "outcome": str(run["outcome"]).partition(":")[0],
                "seconds": run["seconds"],
                "counts": _numbers(run["counts"]),
                "versions": run["versions"],
            }
            self._json(f"runs/{path.name}", shared)

    def _arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """Arguments without paths, names and conditions on them."""
        found: dict[str, Any] = {}
        for name, value in given.items():
            if isinstance(value, dict):
                found[name] = self._arguments(value)
            elif name == "coder" and isinstance(value, str):
                found[name] = value if value == codes.GOLD else self.pseudonyms.coder(value)
            elif value is None or isinstance(value, (bool, int, float)) or (name in SAID and _is_plain(value)):
                found[name] = value
            else:
                found[name] = "(left out)"
        return found

    def _results(self, hidden: set[str]) -> None:
        """Estimates and validity: tables, words and figures; everything else may show pictures or names."""
        kept: set[Path] = set()
        for note in sorted(self.store.results.glob("*.json")):
            said = json.loads(note.read_text("utf-8"))
            about = set(re.findall(r"\w+", str(said.get("formula", said.get("variable", "")))))
            if not {"formula", "classes"} & said.keys() or any(a.startswith(tuple(hidden)) for a in about if hidden):
                continue
            self._json(f"results/{note.name}", said | ({"where": "(left out)"} if said.get("where") else {}))
            kept.add(note)
            for other in (note.with_suffix(".csv"), note.with_suffix(".png")):
                if other.exists():
                    self._bytes(f"results/{other.name}", other.read_bytes())
                    kept.add(other)
        others = [path for path in self.store.results.rglob("*") if path.is_file() and path not in kept]
        for suffix in sorted({path.suffix for path in others}):
            count = sum(path.suffix == suffix for path in others)
            self.removed.append(Removed(f"results, files {suffix}", count, "may show pictures, or names of files"))

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

    # files

    def _json(self, name: str, what: dict[str, Any]) -> None:
        self._text(name, json.dumps(what, indent=2, ensure_ascii=False, default=str) + "\n")

    def _text(self, name: str, text: str) -> None:
        self._bytes(name, text.encode())

    def _bytes(self, name: str, data: bytes) -> None:
        target = self.out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


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


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(one) for one in value)
    return not isinstance(value, str) or not re.search(r"[/\\@]", value.replace(" / ", ""))
