"""Pictures: what is pending → shards → one decode for all measures → one Parquet part a measure.

The shard is the unit of resuming, of parallelism and of provenance: kill a run at any moment and start it
again; nothing is lost and nothing is done twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import pyarrow as pa

from visanda.errors import MediaError, VisandaError
from visanda.measure import Measure, nulls, rows
from visanda.media import Image, decode_at, read_file
from visanda.progress import progress
from visanda.run.tasks import Count, Task, add, count
from visanda.store import Store, quoted

SHARD = 256  # units, at most: what a kill can cost each worker
BATCH = 16  # units decoded at a time
BATCH_BYTES = 64 * 2**20  # of pixels decoded at a time, so that memory does not grow with the pictures


@dataclass(frozen=True)
class Item:
    """A picture that some tables still lack."""

    id: str
    path: str
    error: str | None
    tables: frozenset[str]


def measure(
    store: Store,
    tasks: Sequence[Task],
    stem: str,
    counts: dict[str, Count],
    workers: int,
    where: str | None,
    limit: int | None,
) -> dict[str, int]:
    """Measure every picture that a table lacks; returns how many each table had already."""
    if not tasks:
        return {}
    todo, before = _pending(store, tasks, where, limit)
    _run_shards(store, tasks, todo, stem, workers, counts)
    return before


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
    with progress(what, len(todo)) as advance, ThreadPoolExecutor(workers) as pool:
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
                    add(counts, future.result())
        except BaseException:
            stop.set()  # workers write what they have and return
            for future in waiting:
                future.cancel()
            for future in waiting:
                if not future.cancelled() and future.exception() is None:
                    add(counts, future.result())
            raise


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
            made[task.table] += measure_batch(task, batch, lists)
        advance(len(batch))
        if stop.is_set():
            break
    counts = {}
    for table, tables in made.items():
        if tables:
            whole = pa.concat_tables(tables)
            store.parts(table).append(whole, stem)
            counts[table] = count(whole)
    return counts


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


def measure_batch(task: Task, batch: list[Decoded], lists: dict[tuple, list[Image]]) -> list[pa.Table]:
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
