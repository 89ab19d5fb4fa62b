"""The folder of a corpus: its settings, its tables, and how to ask them questions."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import tomlkit
from tomlkit.exceptions import TOMLKitError

from visanda import runs
from visanda.errors import CorpusError, InputError
from visanda.media import Detail, Still
from visanda.parts import Parts, write_bytes
from visanda.units import Unit, parse

FORMAT = 1
SETTINGS = "corpus.toml"


class Store:
    """An open corpus folder.

    Args:
        folder: the corpus; the current folder by default, as in git.

    Raises:
        CorpusError: there is no corpus there, it was made by a newer visanda, or it is damaged.
    """

    def __init__(self, folder: Path | str = ".") -> None:
        self.folder = Path(folder).expanduser().resolve()
        self._check_format()
        self._check_parts()

    def __repr__(self) -> str:
        tables = ", ".join(f"{table} ({len(self.parts(table)):,})" for table in self.tables()) or "no tables yet"
        return f"<Corpus {self.name!r} in {self.folder}: {tables}>"

    @classmethod
    def _create(cls, folder: Path | str, name: str | None, about: str | None) -> None:
        folder = Path(folder).expanduser().resolve()
        if (folder / SETTINGS).exists():
            raise CorpusError(f"there is a corpus in {folder} already")
        document = tomlkit.document()
        document.add(tomlkit.comment("A corpus of visanda. Edit freely; keep the format number."))
        document["format"] = FORMAT
        document["name"] = name or folder.name
        if about:
            document["about"] = about
        document["created"] = date.today()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CorpusError(f"cannot make {folder}: {error.strerror}") from error
        write_bytes(folder / SETTINGS, tomlkit.dumps(document).encode())

    # settings

    def _check_format(self) -> None:
        path = self.folder / SETTINGS
        if not path.exists():
            raise CorpusError(
                f"there is no corpus in {self.folder} (no {SETTINGS}): make one with 'visanda init', or name "
                "one with -C"
            )
        number = self.settings().get("format")
        if not isinstance(number, int) or isinstance(number, bool):
            raise CorpusError(f"{path} has no format number: add the line 'format = {FORMAT}'")
        if number > FORMAT:
            raise CorpusError(
                f"{self.folder} was made by a newer visanda (format {number}; this one reads up to {FORMAT}): "
                "upgrade visanda"
            )
        if number < 1:
            raise CorpusError(f"{path} says format {number}, which no visanda ever wrote: put 'format = {FORMAT}'")

    def settings(self) -> dict[str, Any]:
        """What ``corpus.toml`` says."""
        path = self.folder / SETTINGS
        try:
            return dict(tomlkit.parse(path.read_text("utf-8")).unwrap())
        except (TOMLKitError, ValueError, OSError) as error:
            raise CorpusError(f"{path} cannot be read: {error}. Mend it, or restore it from a backup") from error

    @property
    def name(self) -> str:
        """The study's name."""
        return str(self.settings().get("name", self.folder.name))

    # places

    @property
    def results(self) -> Path:
        """Where tables, figures and reports go."""
        return self.folder / "results"

    @property
    def models(self) -> Path:
        """Where trained models are."""
        return self.folder / "models"

    @contextmanager
    def record(self, verb: str, arguments: dict[str, Any]) -> Iterator[runs.Run]:
        """Record a command in ``runs/``."""
        with runs.record(self.folder / "runs", verb, arguments) as run:
            yield run

    # tables

    def parts(self, table: str) -> Parts:
        """The files of a table, there or not yet."""
        if not re.fullmatch(r"\w[\w-]*", table):
            raise InputError(f"{table!r} cannot name a table: use letters, digits, '_' and '-'")
        return Parts(self.folder / "tables" / table)

    def progress(self, table: str) -> Parts:
        """How far each video was watched for a table: id, until (seconds), finished."""
        return Parts(self.parts(table).folder / "progress")

    def tables(self) -> list[str]:
        """The tables that hold rows: ``media`` first, then by name."""
        found = sorted(path.name for path in (self.folder / "tables").glob("*") if Parts(path).files())
        return sorted(found, key=lambda name: name != "media")

    def describe(self, table: str) -> dict[str, Any]:
        """What a table's ``measure.json`` says; empty for tables that no measure made.

        Raises:
            CorpusError: it is damaged.
        """
        path = self.folder / "tables" / table / "measure.json"
        try:
            described = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, OSError) as error:
            raise self._damaged_description(path, str(error)) from error
        if not isinstance(described, dict) or not {"name", "arguments"} <= described.keys():
            raise self._damaged_description(path, "it does not say what made the table")
        return described

    def _damaged_description(self, path: Path, why: str) -> CorpusError:
        return CorpusError(f"{path} is damaged: {why}. Restore it, or make the table again with --replace")

    def write_description(self, table: str, described: dict[str, Any]) -> None:
        """Put a table's ``measure.json`` in place."""
        text = json.dumps(described, indent=2, ensure_ascii=False)
        write_bytes(self.folder / "tables" / table / "measure.json", text.encode())

    def column_names(self, table: str) -> list[str]:
        """The names of a table's columns."""
        return self.query(f"SELECT * FROM {quoted(table)} LIMIT 0").column_names

    def require(self, table: str, because: str) -> None:
        """See that a table is there.

        Raises:
            InputError: it is not; says what to run.
        """
        if table not in self.tables():
            close = get_close_matches(table, self.tables(), n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise InputError(f"there is no table {table!r} yet{hint}: {because}")

    # questions

    @contextmanager
    def connect(self, named: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """DuckDB in memory with a view on every table, and ``codes``, a view on all that coders said.

        Args:
            named: only views whose names occur in this text; opening a table costs milliseconds.
        """
        with duckdb.connect(config={"temp_directory": tempfile.gettempdir()}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            tables = self.tables()
            for table in tables:
                if named is not None and table.casefold() not in named.casefold():
                    continue
                connection.execute(
                    f"CREATE VIEW {quoted(table)} AS SELECT * FROM "
                    f"read_parquet({_listed(self.parts(table).files())}, union_by_name = true)"
                )
            coded = sorted((self.folder / "codes").glob("*/*.csv"))
            if coded and "codes" not in tables:
                connection.execute(
                    f"CREATE VIEW codes AS SELECT * FROM read_csv({_listed(coded)}, "
                    "header = true, delim = ',', quote = '\"', all_varchar = true, union_by_name = true)"
                )
            yield connection

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Ask all tables a question in SQL (DuckDB's); the answer as an Arrow table.

        Raises:
            InputError: the question is wrong; says how DuckDB puts it.
            CorpusError: a table is damaged.
        """
        for last in (False, False, True):
            try:
                with self.connect(None if re.search("(?i)show|duckdb_|information_", sql) else sql) as connection:
                    answer = connection.sql(sql, params=list(parameters))
                    return pa.table({}) if answer is None else answer.to_arrow_table()
            except duckdb.OutOfMemoryException as error:
                raise InputError(f"this question needs more memory than there is: {error}") from error
            except duckdb.Error as error:
                self._check_parts()
                if last or not isinstance(error, duckdb.IOException):
                    raise _refused(error) from error
                # otherwise a writer merged parts between listing and reading: ask again
        raise AssertionError("unreachable")

    def _check_parts(self) -> None:
        for table in self.tables():
            self.parts(table).check()

    def vector_batches(self, table: str, column: str) -> Iterator[tuple[list[str], np.ndarray]]:
        """A column of vectors, some thousands at a time: ids and vectors (n, length), float32, of rows that have it."""
        if table in self.tables() and column not in self.column_names(table):
            raise InputError(f"the table {table!r} has no {column!r} here: a shared copy leaves them out (MANIFEST.md)")
        for batch in self.parts(table).batches(["id", column]):
            whole = batch.filter(batch.column(column).is_valid())
            if len(whole):
                flat = whole.column(column).flatten().to_numpy(zero_copy_only=False)
                yield whole.column("id").to_pylist(), flat.reshape(len(whole), -1).astype(np.float32)

    def vectors(self, table: str, column: str, ids: Iterable[str] | None = None) -> tuple[list[str], np.ndarray]:
        """A column of vectors in memory: ids and vectors (n, length), float32; of these ids only, where given."""
        wanted = None if ids is None else set(ids)
        found: list[str] = []
        blocks: list[np.ndarray] = []
        for names, vectors in self.vector_batches(table, column):
            keep = [i for i, name in enumerate(names) if wanted is None or name in wanted]
            found += [names[i] for i in keep]
            blocks.append(vectors[keep])
        return found, np.concatenate(blocks) if blocks else np.empty((0, 0), np.float32)

    def paths(self, ids: Sequence[str]) -> dict[str, Path | Still | Detail]:
        """Where these pictures are: their files, or moments of videos (of a stretch or a whole video, its middle).

        A part of a picture, such as a face, is a detail of it.
        """
        units = {id: parse(id) for id in ids}
        files = list({Unit(unit.name).id for unit in units.values()})
        rows = self.query("SELECT * FROM media WHERE id IN (SELECT unnest(?))", [files]).to_pylist()
        where = {row["id"]: self.resolve(row["path"]) for row in rows}
        middle = {row["id"]: (row["duration"] or 0.0) / 2 for row in rows if row["kind"] == "video"}
        found: dict[str, Path | Still | Detail] = {}
        for id, unit in units.items():
            file = Unit(unit.name).id
            path = where.get(file)
            if path is None:
                continue
            time = middle.get(file) if unit.time is None else sum(unit.time) / len(unit.time)
            whole = path if time is None else Still(path, time)
            found[id] = whole if unit.box is None else Detail(whole, unit.box)
        return found

    def resolve(self, path: str) -> Path:
        """A path of the media table: relative ones lie in the corpus."""
        return self.folder / path

    def stored(self, path: Path | str) -> str:
        """A path as the media table holds it: files in the corpus move with it."""
        path = Path(path)
        return str(path.relative_to(self.folder) if path.is_relative_to(self.folder) else path)

    def frame(self, sql: str, parameters: Sequence[Any] = ()) -> pd.DataFrame:
        """Like :meth:`query`, as a pandas DataFrame."""
        return self.query(sql, parameters).to_pandas()


def _refused(error: duckdb.Error) -> InputError | CorpusError:
    if isinstance(error, (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError)):
        return InputError(f"SQL: {error}")
    return CorpusError(f"a file cannot be read: {error}")


def _listed(files: Sequence[Path]) -> str:
    """Files for DuckDB, which would read ``[``, ``*`` and ``?`` in their names as patterns."""
    return "[" + ", ".join(literal(re.sub(r"[\[*?]", r"[\g<0>]", str(path))) for path in files) + "]"


def quoted(name: str) -> str:
    """A name of a table or column for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string for SQL."""
    return "'" + text.replace("'", "''") + "'"
