"""One table as a folder of Parquet parts: written aside and renamed, so that a kill loses nothing finished.

A change that touches several files (compaction, rewriting rows) is committed by renaming one small file,
``change.json``, into place; readers honour it at once and the next writer finishes the work.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from visanda.errors import CorpusError

PART_BYTES = 64 * 2**20  # parts are merged up to about this size
GROUP_BYTES = 16 * 2**20  # what a merge holds in memory
LOOKS = 5  # at a table that a writer is merging meanwhile


def write_bytes(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all.

    Raises:
        CorpusError: the disk is full, or the folder may not be written.
    """
    with _safely(path, path.with_name(f".{path.name}.{os.getpid()}")) as file:
        file.write(data)


@contextmanager
def _safely(path: Path, aside: Path, *, place: bool = True) -> Iterator[BinaryIO]:
    """A file written aside, seen safe on the disk, and renamed into place unless ``place`` is false."""
    try:
        try:
            with aside.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if place:
                aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> CorpusError:
    return CorpusError(
        f"cannot write {path}: {error.strerror or error}. What was finished is kept: make room or mend the "
        "permissions, and run the same command again."
    )


@contextmanager
def locked(path: Path, seconds: float = 60) -> Iterator[None]:
    """Hold a small file that several processes may change, one after the other.

    Args:
        path: the file; its folder is made.
        seconds: to wait for whoever holds it.

    Raises:
        CorpusError: it was held for longer, or the folder may not be written.
    """
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=seconds)
    except Timeout:
        raise CorpusError(f"another process has held {path} for {seconds:g} seconds: wait until it has ended") from None
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield
    finally:
        lock.release()


class Parts:
    """The parts of one table.

    Args:
        folder: ``tables/<name>`` of a corpus; made by the first write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # reading

    def files(self) -> list[Path]:
        """The parts to read, in order; a change that was committed but not finished counts as done."""
        found = self._listed()
        for _ in range(LOOKS):  # a folder that changes while it is listed may show neither old nor new parts
            before, found = found, self._listed()
            if found == before:
                break
        return found

    def _listed(self) -> list[Path]:
        found = {path.name: path for path in self.folder.glob("part-*.parquet")}
        change = self._change()
        if change:
            found.update({name: self._aside(name) for name in change["new"] if name not in found})
            for name in change["old"]:
                found.pop(name, None)
        return [found[name] for name in sorted(found)]

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All rows; columns that older parts lack are null there.

        Raises:
            CorpusError: a part is damaged; says which.
        """
        for _ in range(LOOKS):
            with suppress(FileNotFoundError):  # merged since it was listed
                tables = [self._part(path, columns) for path in self.files()]
                return pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})
        raise self._changing()

    def _part(self, path: Path, columns: Sequence[str] | None = None) -> pa.Table:
        try:
            with pq.ParquetFile(path) as file:
                wanted = None if columns is None else [c for c in columns if c in file.schema_arrow.names]
                return file.read(columns=wanted)
        except FileNotFoundError:
            raise
        except (pa.ArrowException, OSError) as error:
            raise self.damaged(path) from error

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """All rows, a batch at a time, for tables that do not fit into memory.

        Raises:
            CorpusError: a part is damaged, or a writer merged parts meanwhile; says which.
        """
        for path in self.files():
            try:
                with pq.ParquetFile(path) as file:
                    yield from file.iter_batches(batch_size=8192, columns=list(columns))
            except FileNotFoundError:
                raise self._changing() from None
            except (pa.ArrowException, OSError) as error:
                raise self.damaged(path) from error

    def __len__(self) -> int:
        return len(self.read(["id"]))

    def check(self) -> None:
        """Look at both ends of every part.

        Raises:
            CorpusError: a part is not a whole Parquet file; says which and what to do.
        """
        for path in self.files():
            with suppress(FileNotFoundError), path.open("rb") as file:  # a writer may merge parts meanwhile
                head = file.read(4)
                file.seek(max(0, os.fstat(file.fileno()).st_size - 4))
                if head != b"PAR1" or file.read(4) != b"PAR1":
                    raise self.damaged(path)

    def damaged(self, path: Path) -> CorpusError:
        """The error that says that a part cannot be read."""
        again = "add the same folders" if self.folder.name == "media" else "run what made the table"
        return CorpusError(
            f"{path} is damaged (not a whole Parquet file). Restore it from a backup, or delete it and {again} "
            "again: only its rows are done anew."
        )

    def _changing(self) -> CorpusError:
        return CorpusError(
            f"the table {self.folder.name!r} was rewritten while it was read: run the same command again"
        )

    # writing, by whoever holds the lock

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the table for writing.

        Raises:
            CorpusError: another process holds it; says which.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(self.folder, error) from error
        lock, owner = FileLock(self.folder / ".lock"), self.folder / ".writer"
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise CorpusError(
                f"{_said_by(owner)} is writing the table {self.folder.name!r} now; wait until it has ended, or stop it"
            ) from None
        except OSError as error:
            raise _cannot_write(self.folder / ".lock", error) from error
        try:
            self._clean()
            since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
            write_bytes(owner, f"process {os.getpid()} on {platform.node()}, since {since},".encode())
            yield
        finally:
            self._clean()
            owner.unlink(missing_ok=True)
            lock.release()

    def append(self, rows: pa.Table, stem: str) -> None:
        """Add rows as one part, ``part-<stem>.parquet``, whole or not at all."""
        name = f"part-{stem}.parquet"
        with _safely(self.folder / name, self._aside(name)) as file:
            pq.write_table(rows, file)

    def replace_all(self, rows: pa.Table, stem: str) -> None:
        """Put these rows in place of all that are there, in one step."""
        old = self.files()
        name = self._name(f"{stem}-all", 0)
        self._write_aside([rows], rows.schema, name)
        self._commit([name], old)

    def drop_all(self, stem: str) -> None:
        """Take out all rows, in one step."""
        if files := self.files():
            self.replace_all(self._schema(files).empty_table(), stem)

    def rewrite(self, change: Callable[[pa.Table], pa.Table], stem: str) -> None:
        """Put what ``change`` makes of each part in its place, all in one step.

        Args:
            change: rows in, rows out; it returns the very table that it got where nothing is to change.
            stem: the run's name.
        """
        new, old = [], []
        for number, path in enumerate(self.files()):
            there = self._part(path)
            rows = change(there)
            if rows is there:
                continue
            old.append(path)
            if len(rows):
                new.append(self._name(f"{stem}-rewritten", number))
                self._write_aside([rows], rows.schema, new[-1])
        if old:
            self._commit(new, old)

    def drop(self, ids: Iterable[str], stem: str) -> int:
        """Take out the rows of these ids, in one step; returns how many there were."""
        gone = pa.array(sorted(set(ids)), pa.string())
        count = 0

        def without(rows: pa.Table) -> pa.Table:
            nonlocal count
            hit = pc.is_in(rows["id"], value_set=gone.cast(rows["id"].type))
            hits = pc.sum(hit).as_py() or 0
            count += hits
            return rows.filter(pc.invert(hit)) if hits else rows

        if len(gone):
            self.rewrite(without, stem)
        return count

    def compact(self, stem: str) -> None:
        """Merge small parts, so that a large table has hundreds of files and not tens of thousands."""
        groups: list[list[Path]] = [[]]
        held = 0
        for path in self.files():
            size = path.stat().st_size
            if size >= PART_BYTES / 2:
                continue
            if held + size > PART_BYTES:
                groups.append([])
                held = 0
            groups[-1].append(path)
            held += size
        groups = [group for group in groups if len(group) > 1]
        new = []
        for number, group in enumerate(groups):
            new.append(self._name(f"{stem}-merged", number))
            schema = self._schema(group)
            self._write_aside((self._part(path) for path in group), schema, new[-1])
        if new:
            self._commit(new, [path for group in groups for path in group])

    def _schema(self, paths: list[Path]) -> pa.Schema:
        try:
            schemas = [pq.read_schema(path).remove_metadata() for path in paths]
        except (pa.ArrowException, OSError):
            self.check()
            raise
        return pa.unify_schemas(schemas, promote_options="permissive")

    def _name(self, stem: str, number: int) -> str:
        """A part's name that is not taken: a change must not take away what it brings."""
        while (self.folder / (name := f"part-{stem}-{number:05d}.parquet")).exists():
            number += 1
        return name

    def _write_aside(self, tables: Iterable[pa.Table], schema: pa.Schema, name: str) -> None:
        """Write ``name`` aside, some tables at a time, and see it safe on the disk."""
        empty = schema.empty_table()
        with (
            _safely(self.folder / name, self._aside(name), place=False) as file,
            pq.ParquetWriter(file, schema) as writer,
        ):
            waiting: list[pa.Table] = [empty]
            for table in tables:
                waiting.append(table)
                if sum(table.nbytes for table in waiting) > GROUP_BYTES:
                    writer.write_table(_one(waiting, schema))
                    waiting = [empty]
            writer.write_table(_one(waiting, schema))

    def _aside(self, name: str) -> Path:
        return self.folder / f".new-{name}"

    # changes of several files

    def _change(self) -> dict[str, list[str]] | None:
        try:
            return json.loads((self.folder / "change.json").read_text("utf-8"))
        except FileNotFoundError:
            return None

    def _commit(self, new: list[str], old: list[Path]) -> None:
        change = {"new": new, "old": [path.name for path in old]}
        write_bytes(self.folder / "change.json", json.dumps(change).encode())
        self._finish()

    def _finish(self) -> None:
        """Carry out a committed change; safe to repeat from any point at which it was killed."""
        change = self._change()
        if change is None:
            return
        for name in change["new"]:
            with suppress(FileNotFoundError):
                self._aside(name).replace(self.folder / name)
        for name in change["old"]:
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / "change.json").unlink(missing_ok=True)

    def _clean(self) -> None:
        """Finish what a killed writer committed and remove what it did not."""
        self._finish()
        for pattern in (".new-part-*", ".change.json.*", ".measure.json.*", ".writer.*"):
            for path in self.folder.glob(pattern):
                path.unlink(missing_ok=True)


def _one(tables: list[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables(tables, promote_options="permissive").select(schema.names).combine_chunks()


def _said_by(owner: Path) -> str:
    """Who holds the lock, as far as it has said so yet."""
    with suppress(OSError):
        return owner.read_text("utf-8")
    return "another process"
