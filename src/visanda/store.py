"""The folder of a corpus: its settings, its tables, and how to ask them questions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
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
from tomlkit.exceptions import ParseError

from visanda import runs
from visanda.errors import CorpusError, InputError
from visanda.parts import Parts, write_bytes

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
        for table in self.tables():
            self.parts(table).check()

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
        if not (self.folder / SETTINGS).exists():
            raise CorpusError(
                f"there is no corpus in {self.folder} (no {SETTINGS}): make one with 'visanda init', or name "
                "one with -C"
            )
        number = self.settings().get("format")
        if not isinstance(number, int):
            raise CorpusError(f"{self.folder / SETTINGS} has no format number: add the line 'format = {FORMAT}'")
        if number > FORMAT:
            raise CorpusError(
                f"{self.folder} was made by a newer visanda (format {number}; this one reads up to {FORMAT}): "
                "upgrade visanda"
            )

    def settings(self) -> dict[str, Any]:
        """What ``corpus.toml`` says."""
        try:
            return dict(tomlkit.parse((self.folder / SETTINGS).read_text("utf-8")).unwrap())
        except (ParseError, UnicodeDecodeError) as error:
            raise CorpusError(f"{self.folder / SETTINGS} cannot be read: {error}") from error

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

    def tables(self) -> list[str]:
        """The tables that hold rows: ``media`` first, then by name."""
        found = sorted(path.name for path in (self.folder / "tables").glob("*") if Parts(path).files())
        return sorted(found, key=lambda name: name != "media")

    def describe(self, table: str) -> dict[str, Any]:
        """What a table's ``measure.json`` says; empty for tables that no measure made."""
        path = self.folder / "tables" / table / "measure.json"
        if not path.exists():
            return {}
        try:
            return json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise CorpusError(f"{path} is damaged: {error}; restore it, or measure again with --replace") from error

    def write_description(self, table: str, described: dict[str, Any]) -> None:
        """Put a table's ``measure.json`` in place."""
        folder = self.folder / "tables" / table
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / "measure.json", json.dumps(described, indent=2, ensure_ascii=False).encode())

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

    def connect(self) -> duckdb.DuckDBPyConnection:
        """DuckDB in memory with a view on every table, and ``codes`` on all codes; the caller closes it."""
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        for table in self.tables():
            files = ", ".join(literal(str(path)) for path in self.parts(table).files())
            connection.execute(
                f"CREATE VIEW {quoted(table)} AS SELECT * FROM read_parquet([{files}], union_by_name = true)"
            )
        if any(self.folder.glob("codes/*/*.csv")):
            files = literal(str(self.folder / "codes" / "*" / "*.csv"))
            connection.execute(
                f"CREATE VIEW codes AS SELECT * FROM read_csv({files}, all_varchar = true, union_by_name = true)"
            )
        return connection

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Ask all tables a question in SQL (DuckDB's); the answer as an Arrow table.

        Raises:
            InputError: the question is wrong; says how DuckDB puts it.
        """
        for attempt in (1, 2):
            with self.connect() as connection:
                try:
                    return connection.sql(sql, params=list(parameters)).to_arrow_table()
                except duckdb.IOException as error:
                    if attempt == 2:  # once, a writer may have merged parts between listing and reading
                        raise CorpusError(str(error)) from error
                except duckdb.Error as error:
                    raise InputError(f"SQL: {error}") from error
        raise AssertionError("unreachable")

    def vectors(self, table: str, column: str) -> tuple[list[str], np.ndarray]:
        """A column of vectors: ids of the rows that have one, and the vectors (n, length) as float32."""
        ids: list[str] = []
        blocks: list[np.ndarray] = []
        for batch in self.parts(table).batches(["id", column]):
            whole = batch.filter(batch.column(column).is_valid())
            if len(whole):
                ids += whole.column("id").to_pylist()
                flat = whole.column(column).flatten().to_numpy(zero_copy_only=False)
                blocks.append(flat.reshape(len(whole), -1).astype(np.float32))
        return ids, np.concatenate(blocks) if blocks else np.empty((0, 0), np.float32)

    def paths(self, ids: Sequence[str]) -> dict[str, Path]:
        """Where the files of these pictures are."""
        wanted = pa.table({"id": pa.array(list(ids), pa.string())})
        with self.connect() as connection:
            connection.register("wanted", wanted)
            found = connection.execute("SELECT id, path FROM media JOIN wanted USING (id)").fetchall()
        return {id: self.resolve(path) for id, path in found}

    def resolve(self, path: str) -> Path:
        """A path of the media table: relative ones lie in the corpus."""
        return self.folder / path

    def frame(self, sql: str, parameters: Sequence[Any] = ()) -> pd.DataFrame:
        """Like :meth:`query`, as a pandas DataFrame."""
        return self.query(sql, parameters).to_pandas()


def quoted(name: str) -> str:
    """A name of a table or column for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string for SQL."""
    return "'" + text.replace("'", "''") + "'"
