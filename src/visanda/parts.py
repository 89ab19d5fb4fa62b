"""One table as a folder of Parquet parts: written aside and renamed, so that a kill loses nothing finished.

A change that touches several files (compaction, dropping rows) is committed by renaming one small file,
``change.json``, into place; readers honour it at once and the next writer finishes the work.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from visanda.errors import CorpusError

PART_BYTES = 64 * 2**20  # parts are merged up to about this size
GROUP_BYTES = 16 * 2**20  # what a merge holds in memory


def write_bytes(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> CorpusError:
    return CorpusError(
        f"cannot write {path}: {error.strerror or error}. What was finished is kept: make room or mend the "
        "permissions, and run the same command again."
    )


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
        tables = list(self._tables(columns))
        return pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})

    def _tables(self, columns: Sequence[str] | None) -> Iterator[pa.Table]:
        for path in self.files():
            try:
                file = pq.ParquetFile(path)
                wanted = None if columns is None else [c for c in columns if c in file.schema_arrow.names]
                yield file.read(columns=wanted)
            except (pa.ArrowInvalid, OSError) as error:
                raise self.damaged(path) from error

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """All rows, a batch at a time, for tables that do not fit into memory."""
        for path in self.files():
            yield from pq.ParquetFile(path).iter_batches(batch_size=8192, columns=list(columns))

    def ids(self) -> list[str]:
        """The ids of all rows, in order."""
        return self.read(["id"])["id"].to_pylist() if self.files() else []

    def __len__(self) -> int:
        return sum(pq.read_metadata(path).num_rows for path in self.files())

    def check(self) -> None:
        """Look at both ends of every part.

        Raises:
            CorpusError: a part is not a whole Parquet file; says which and what to do.
        """
        for path in self.files():
            with path.open("rb") as file:
                head = file.read(4)
                file.seek(max(0, path.stat().st_size - 4))
                if head != b"PAR1" or file.read(4) != b"PAR1":
                    raise self.damaged(path)

    def damaged(self, path: Path) -> CorpusError:
        """The error that says that a part cannot be read."""
        again = "add the same folders" if self.folder.name == "media" else "run the same measure"
        return CorpusError(
            f"{path} is damaged (not a whole Parquet file). Restore it from a backup, or delete it and {again} "
            "again: only its rows are done anew."
        )

    # writing, by whoever holds the lock

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the table for writing.

        Raises:
            CorpusError: another process holds it; says which.
        """
        self._make_folder()
        lock, owner = FileLock(self.folder / ".lock"), self.folder / ".writer"
        try:
            lock.acquire(timeout=0)
        except Timeout:
            who = owner.read_text("utf-8") if owner.exists() else "another process"
            raise CorpusError(
                f"{who} is writing the table {self.folder.name!r} now; wait until it has ended, or stop it"
            ) from None
        except OSError as error:
            raise _cannot_write(self.folder / ".lock", error) from error
        try:
            since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
            write_bytes(owner, f"process {os.getpid()} on {platform.node()}, since {since},".encode())
            self._clean()
            yield
        finally:
            owner.unlink(missing_ok=True)
            lock.release()

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(self.folder, error) from error

    def append(self, rows: pa.Table, stem: str) -> None:
        """Add rows as one part, ``part-<stem>.parquet``, whole or not at all."""
        name = f"part-{stem}.parquet"
        self._write(rows, name)
        self._aside(name).replace(self.folder / name)

    def replace_all(self, rows: pa.Table, stem: str) -> None:
        """Put these rows in place of all that are there, in one step."""
        name = f"part-{stem}.parquet"
        old = [path.name for path in self.files()]
        self._write(rows, name)
        self._commit([name], [other for other in old if other != name])

    def drop(self, ids: Iterable[str], stem: str) -> int:
        """Take out the rows of these ids, in one step; returns how many there were."""
        gone = pa.array(sorted(set(ids)), pa.string())
        new, old, count = [], [], 0
        for number, path in enumerate(self.files()):
            table = pq.ParquetFile(path).read()
            keep = table.filter(pa.compute.invert(pa.compute.is_in(table["id"], value_set=gone)))
            if len(keep) == len(table):
                continue
            count += len(table) - len(keep)
            old.append(path.name)
            if len(keep):
                new.append(f"part-{stem}-{number:05d}.parquet")
                self._write(keep, new[-1])
        if old:
            self._commit(new, old)
        return count

    def compact(self, stem: str) -> None:
        """Merge small parts, so that a large table has hundreds of files and not tens of thousands."""
        small = [path for path in self.files() if path.stat().st_size < PART_BYTES / 2]
        groups: list[list[Path]] = [[]]
        for path in small:
            if sum(other.stat().st_size for other in groups[-1]) > PART_BYTES:
                groups.append([])
            groups[-1].append(path)
        groups = [group for group in groups if len(group) > 1]
        new = []
        for number, group in enumerate(groups):
            new.append(f"{group[0].stem}-{stem}-{number:03d}.parquet")
            self._merge(group, new[-1])
        if new:
            self._commit(new, [path.name for group in groups for path in group])

    def _merge(self, paths: list[Path], name: str) -> None:
        schema = pa.unify_schemas([pq.read_schema(path) for path in paths], promote_options="permissive")
        try:
            with pq.ParquetWriter(self._aside(name), schema) as writer:
                waiting: list[pa.Table] = []
                for path in paths:
                    waiting += [pa.concat_tables([pq.ParquetFile(path).read(), schema.empty_table()],
                                                 promote_options="permissive").select(schema.names)]
                    if sum(table.nbytes for table in waiting) > GROUP_BYTES:
                        writer.write_table(pa.concat_tables(waiting).combine_chunks())
                        waiting = []
                if waiting:
                    writer.write_table(pa.concat_tables(waiting).combine_chunks())
        except OSError as error:
            self._aside(name).unlink(missing_ok=True)
            raise _cannot_write(self.folder / name, error) from error

    def _write(self, rows: pa.Table, name: str) -> None:
        """Write ``name`` aside and see it safe on the disk."""
        aside = self._aside(name)
        self._make_folder()
        try:
            with aside.open("wb") as file:
                pq.write_table(rows, file)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise _cannot_write(self.folder / name, error) from error

    def _aside(self, name: str) -> Path:
        return self.folder / f".new-{name}"

    # changes of several files

    def _change(self) -> dict[str, list[str]] | None:
        try:
            return json.loads((self.folder / "change.json").read_text("utf-8"))
        except FileNotFoundError:
            return None

    def _commit(self, new: list[str], old: list[str]) -> None:
        write_bytes(self.folder / "change.json", json.dumps({"new": new, "old": old}).encode())
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
        for path in [*self.folder.glob(".new-part-*"), *self.folder.glob(".change.json.*")]:
            path.unlink(missing_ok=True)
