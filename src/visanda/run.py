"""The runner: pending pictures → shards → one decode for all measures → one Parquet part a measure.

The shard is the unit of resuming, of parallelism and of provenance: kill a run at any moment and start it
again; nothing is lost and nothing is done twice.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date

import cv2
import pandas as pd
import pyarrow as pa

from visanda import runs
from visanda.errors import CorpusError, InputError, MediaError, VisandaError
from visanda.measure import Measure, nulls, rows
from visanda.media import Image, decode_at, read_file
from visanda.progress import progress
from visanda.store import Store, quoted

SHARD = 256  # units, at most: what a kill can cost each worker
BATCH = 16  # units decoded at a time
BATCH_BYTES = 64 * 2**20  # of pixels decoded at a time, so that memory does not grow with the pictures


@dataclass(frozen=True)
class Task:
    """A measure and the table it fills."""

    table: str
    measure: Measure


@dataclass(frozen=True)
class Item:
    """A picture that some tables still lack."""

    id: str
    path: str
    error: str | None
    tables: frozenset[str]


@dataclass
class Count:
    """What became of the units of one table."""

    measured: int = 0
    failed: int = 0
    reasons: dict[str, str] = field(default_factory=dict)


def measure(
    store: Store,
    tasks: Sequence[Task],
    *,
    workers: int = 0,
    limit: int | None = None,
    where: str | None = None,
    replace: bool = False,
    retry: bool = False,
) -> pd.DataFrame:
    """Measure every picture that a table lacks; a row a table of what was done.

    Args:
        store: the corpus.
        tasks: the measures and their tables.
        workers: threads; 0 for one a core.
        limit: at most so many pictures.
        where: a condition in SQL on the table ``media``.
        replace: throw away a table that was made with other arguments.
        retry: try again those that failed, unless the file could not even be read when it was added.

    Raises:
        InputError: a table was made with other arguments and ``replace`` was not asked for.
        CorpusError: another process writes one of the tables, or the disk is full.
    """
    workers = _at_least("workers", workers, 0) or os.cpu_count() or 1
    _at_least("limit", limit or 0, 0)
    store.require("media", "add pictures first, with 'visanda add FOLDER'")
    with ExitStack() as held:
        for task in tasks:
            held.enter_context(store.parts(task.table).writing())
        asked = {"where": where, "limit": limit, "replace": replace, "retry": retry}
        arguments = {"tables": {t.table: t.measure.arguments for t in tasks}, **asked}
        run = held.enter_context(store.record("measure", arguments))
        fits = [_fits(store, task, replace) for task in tasks]  # all are looked at before one is touched
        for task, same in zip(tasks, fits, strict=True):
            _prepare(store, task, same, retry, run.stem)
        todo, before = _pending(store, tasks, where, limit)
        counts = {task.table: Count() for task in tasks}
        start = time.monotonic()
        try:
            _run_shards(store, tasks, todo, run.stem, workers, counts)
        finally:
            run.counts = {name: vars(count) for name, count in counts.items()}
        for task in tasks:
            store.parts(task.table).compact(run.stem)
        return _summary(counts, before, time.monotonic() - start)


def _at_least(name: str, value: int, least: int) -> int:
    if value < least:
        raise InputError(f"--{name} must be at least {least}, not {value}")
    return value


def _fits(store: Store, task: Task, replace: bool) -> bool:
    """Whether the table is one that this very measure made.

    Raises:
        InputError: another one made it, and ``replace`` was not asked for; no measure made it.
        CorpusError: what made it cannot be read, and ``replace`` was not asked for.
    """
    parts, wanted = store.parts(task.table), _description(task)
    try:
        there = store.describe(task.table)
    except CorpusError:
        if not replace:
            raise
        return False
    if not there and parts.files():
        raise InputError(f"{task.table!r} names a table that no measure made; choose another --name")
    same = all(there.get(key) == wanted[key] for key in ("name", "arguments", "models"))
    if there and not same and len(parts) and not replace:
        raise InputError(
            f"the table {task.table!r} holds {len(parts):,} rows made by {_said(there)}, not by {_said(wanted)}. "
            f"Replace them with --replace, or keep both with --name {task.table}2"
        )
    return same


def _prepare(store: Store, task: Task, same: bool, retry: bool, stem: str) -> None:
    """Make the table ready for rows of this measure."""
    parts = store.parts(task.table)
    if not same:
        if parts.files():  # emptied first: a kill in between leaves no rows under another's description
            parts.replace_all(task.measure.schema.empty_table(), stem)
        store.write_description(task.table, _description(task))
    elif retry and parts.files():
        failed = store.query(
            f"SELECT id FROM {quoted(task.table)} WHERE error IS NOT NULL "
            "AND id IN (SELECT id FROM media WHERE error IS NULL)"
        )
        parts.drop(failed["id"].to_pylist(), stem)


def _said(described: dict) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in described["arguments"].items())
    return f"{described['name']}({given})"


def _description(task: Task) -> dict:
    """What stands in ``measure.json``: enough to run the measure again, and to cite it."""
    registered = task.measure.registered
    return {
        "name": task.measure.name,
        "arguments": task.measure.arguments,
        "summary": registered.summary,
        "source": registered.source,
        "on": task.measure.on,
        "size": task.measure.size,
        "columns": {name: str(f.type) for name, f in zip(task.measure.columns, _fields(task), strict=True)},
        "models": [card.card() for card in task.measure.models],
        "created": date.today().isoformat(),
        "versions": runs.versions(),
    }


def _fields(task: Task) -> list[pa.Field]:
    return [task.measure.schema.field(name) for name in task.measure.columns]


def _pending(
    store: Store, tasks: Sequence[Task], where: str | None, limit: int | None
) -> tuple[pa.Table, dict[str, int]]:
    """The pictures that at least one table lacks, by id: id, path, error, and a column a table (True: lacks it).

    Also how many of the chosen pictures each table has already.
    """
    there = store.tables()
    lacks = [f"id NOT IN (SELECT id FROM {quoted(task.table)})" if task.table in there else "true" for task in tasks]
    chosen = f"FROM media WHERE kind = 'image' AND ({where or 'true'})"
    counted = ", ".join(f"count(*) FILTER (NOT ({lack})) AS has_{number}" for number, lack in enumerate(lacks))
    before = store.query(f"SELECT {counted} {chosen}").to_pylist()
    named = ", ".join(f"{lack} AS lacks_{number}" for number, lack in enumerate(lacks))
    todo = store.query(
        f"SELECT id, path, error, {named} {chosen} AND ({' OR '.join(lacks)}) ORDER BY id"
        + ("" if limit is None else f" LIMIT {limit}")
    )
    return todo, dict(zip([task.table for task in tasks], before[0].values(), strict=True))


def _shards(store: Store, tasks: Sequence[Task], todo: pa.Table, workers: int) -> Iterator[list[Item]]:
    """Pieces of the work, made when they are needed; small ones where there is little for many workers.

    All but the last hold whole batches, so that how many workers there are changes no batch.
    """
    batches = -(-len(todo) // BATCH)
    size = min(SHARD, BATCH * max(1, batches // (2 * workers)))
    tables = [task.table for task in tasks]
    for start in range(0, len(todo), size):
        rows = todo.slice(start, size).to_pylist()
        yield [
            Item(
                row["id"],
                str(store.resolve(row["path"])),
                row["error"],
                frozenset(table for number, table in enumerate(tables) if row[f"lacks_{number}"]),
            )
            for row in rows
        ]


def _run_shards(
    store: Store, tasks: Sequence[Task], todo: pa.Table, stem: str, workers: int, counts: dict[str, Count]
) -> None:
    """Map shards over threads; a few wait at a time, so that ten million pictures need no more memory."""
    stop = threading.Event()
    shards = enumerate(_shards(store, tasks, todo, workers))
    what = "measure " + " ".join(task.table for task in tasks)
    with _one_thread_a_worker(), progress(what, len(todo)) as advance, ThreadPoolExecutor(workers) as pool:
        waiting: set[Future] = set()
        try:
            while True:
                while len(waiting) < 2 * workers and (shard := next(shards, None)):
                    number, members = shard
                    part = f"{stem}-{number:06d}"
                    waiting.add(pool.submit(measure_shard, store, tasks, members, part, stop, advance))
                if not waiting:
                    break
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    waiting.discard(future)
                    _add(counts, future.result())
        except BaseException:
            stop.set()  # workers write what they have and return
            for future in waiting:
                future.cancel()
            for future in waiting:
                if not future.cancelled() and future.exception() is None:
                    _add(counts, future.result())
            raise


@contextmanager
def _one_thread_a_worker() -> Iterator[None]:
    """OpenCV's own threads would fight with the workers."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _add(counts: dict[str, Count], more: dict[str, Count]) -> None:
    for table, count in more.items():
        counts[table].measured += count.measured
        counts[table].failed += count.failed
        for id, reason in count.reasons.items():
            if len(counts[table].reasons) < 20:
                counts[table].reasons[id] = reason


def measure_shard(
    store: Store,
    tasks: Sequence[Task],
    items: Sequence[Item],
    stem: str,
    stop: threading.Event,
    advance: Callable[[int], None],
) -> dict[str, Count]:
    """Measure one shard and write one part a table; on ``stop`` write what is done and return."""
    made: dict[str, list[pa.Table]] = {task.table: [] for task in tasks}
    for batch in _decoded(items, {task.measure.size for task in tasks}):
        lists: dict[tuple, list[Image]] = {}
        for task in tasks:
            made[task.table] += _measure_batch(task, batch, lists)
        advance(len(batch))
        if stop.is_set():
            break
    counts = {}
    for table, tables in made.items():
        if tables:
            whole = pa.concat_tables(tables)
            store.parts(table).append(whole, stem)
            counts[table] = _count(whole)
    return counts


def _count(table: pa.Table) -> Count:
    failed = table.filter(table["error"].is_valid()).select(["id", "error"]).to_pylist()
    reasons = {row["id"]: row["error"] for row in failed[:20]}
    return Count(len(table) - len(failed), len(failed), reasons)


@dataclass(frozen=True)
class Decoded:
    """A picture in the sizes wanted, or why there is none."""

    item: Item
    images: dict[int | None, Image]
    error: str | None


def _decoded(items: Sequence[Item], sizes: set[int | None]) -> Iterator[list[Decoded]]:
    """Decode each picture once for all measures, a few pictures at a time."""
    batch: list[Decoded] = []
    held = 0
    for item in items:
        batch.append(_decode(item, sizes))
        held += sum(image.pixels.nbytes for image in batch[-1].images.values())
        if len(batch) == BATCH or held > BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _decode(item: Item, sizes: set[int | None]) -> Decoded:
    if item.error:
        return Decoded(item, {}, item.error)
    try:
        return Decoded(item, decode_at(read_file(item.path), sizes), None)
    except MediaError as error:
        return Decoded(item, {}, str(error))
    except MemoryError:
        return Decoded(item, {}, "not enough memory to decode it")
    except Exception as error:  # whatever a decoder lets escape concerns this picture only
        return Decoded(item, {}, f"cannot be decoded: {type(error).__name__}: {error}")


def _measure_batch(task: Task, batch: list[Decoded], lists: dict[tuple, list[Image]]) -> list[pa.Table]:
    """Rows of one batch. Measures of one size get the very same list, so that they share an inference."""
    mine = [decoded for decoded in batch if task.table in decoded.item.tables]
    bad = [decoded for decoded in mine if decoded.error]
    good = [decoded for decoded in mine if not decoded.error]
    made = []
    if bad:
        made.append(nulls(task.measure, [d.item.id for d in bad], [d.error or "" for d in bad]))
    if good:
        ids, size = [decoded.item.id for decoded in good], task.measure.size
        images = lists.setdefault((size, *ids), [decoded.images[size] for decoded in good])
        made += measure_images(task.measure, ids, images)
    return made


def measure_images(measure: Measure, ids: list[str], images: list[Image]) -> list[pa.Table]:
    """Rows for pictures; where the measure fails on one, that one's row says so and the others go on."""
    try:
        return [rows(measure, ids, measure(images))]
    except Exception as error:
        if isinstance(error, VisandaError) and not isinstance(error, MediaError):
            raise  # it concerns the measure, and would be the same for every picture
        if len(ids) == 1:
            return [nulls(measure, ids, [f"{measure.name}: {type(error).__name__}: {error}"])]
        return [
            table for id, image in zip(ids, images, strict=True) for table in measure_images(measure, [id], [image])
        ]


def _summary(counts: dict[str, Count], before: dict[str, int], seconds: float) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "table": list(counts),
            "measured": [count.measured for count in counts.values()],
            "failed": [count.failed for count in counts.values()],
            "already there": [before[table] for table in counts],
            "first failure": [
                next((f"{id}: {why}" for id, why in count.reasons.items()), "") for count in counts.values()
            ],
        }
    )
    frame.attrs["seconds"] = seconds
    return frame
