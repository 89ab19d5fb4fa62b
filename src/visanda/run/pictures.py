"""Pictures: what is pending → shards → one decode for all measures → one Parquet part a measure.

The shard is the unit of resuming, of parallelism and of provenance: kill a run at any moment and start it
again; nothing is lost and nothing is done twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from visanda.errors import MediaError, VisandaError
from visanda.measure import find_in, found_rows, nulls, rows
from visanda.media import Detail, Image, at_sizes, decode_at, load, read_file
from visanda.progress import progress
from visanda.run.orders import Order, pending
from visanda.run.tasks import Count, Task, View, add, count
from visanda.store import Store
from visanda.units import Box

T = TypeVar("T")

SHARD = 256  # units, at most: what a kill can cost each worker
BATCH = 16  # units decoded at a time
BATCH_BYTES = 64 * 2**20  # of pixels decoded at a time, so that memory does not grow with the pictures


@dataclass(frozen=True)
class Item:
    """A picture, or a part of one, that some tables still lack.

    Attributes:
        id: of the unit.
        path: of the file.
        error: why the file cannot be read, where that is known.
        tables: that lack it: the measures' own.
        box: of a part of a picture; ``None`` for all of it.
        landmarks: of a face.
    """

    id: str
    path: str
    error: str | None
    tables: frozenset[str]
    box: Box | None = None
    landmarks: tuple[float, ...] = ()

    @classmethod
    def of(cls, row: Mapping[str, Any], path: str, tables: Sequence[str]) -> Item:
        """From a row of what is pending; ``tables`` in the order of its columns ``lacks_0``, ..."""
        lacking = frozenset(table for number, table in enumerate(tables) if row[f"lacks_{number}"])
        box = None if row["x"] is None else (row["x"], row["y"], row["width"], row["height"])
        return cls(row["id"], path, row["error"], lacking, box, tuple(row["landmarks"] or ()))


def measure(order: Order) -> dict[str, int]:
    """Measure every picture that a table lacks; returns how many each table had already."""
    if not order.seen:
        return {}
    todo, before = pending(order, "image")
    _run_shards(order, todo)
    return before


def _shards(order: Order, todo: pa.Table) -> Iterator[list[Item]]:
    """Pieces of the work, made when they are needed; small ones where there is little for many workers.

    All but the last hold whole batches, so that how many workers there are changes no batch.
    """
    batches = -(-len(todo) // BATCH)
    size = min(SHARD, BATCH * max(1, batches // (2 * order.workers)))
    tables = [task.table for task in order.seen]
    for start in range(0, len(todo), size):
        rows = todo.slice(start, size).to_pylist()
        yield [Item.of(row, str(order.store.resolve(row["path"])), tables) for row in rows]


def _run_shards(order: Order, todo: pa.Table) -> None:
    """Map shards over threads; a few wait at a time, so that ten million pictures need no more memory."""
    stop = threading.Event()
    shards = enumerate(_shards(order, todo))
    what = "measure " + " ".join(task.table for task in order.seen)
    with progress(what, len(todo)) as advance, ThreadPoolExecutor(order.workers) as pool:
        waiting: set[Future] = set()
        try:
            while True:
                while len(waiting) < 2 * order.workers and (shard := next(shards, None)):
                    number, members = shard
                    part = f"{order.stem}-{number:06d}"
                    waiting.add(pool.submit(measure_shard, order.store, order.seen, members, part, stop, advance))
                if not waiting:
                    break
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    waiting.discard(future)
                    add(order.counts, future.result())
        except BaseException:
            stop.set()  # workers write what they have and return
            for future in waiting:
                future.cancel()
            for future in waiting:
                if not future.cancelled() and future.exception() is None:
                    add(order.counts, future.result())
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
    made: dict[str, list[pa.Table]] = {table: [] for task in tasks for table in task.tables}
    for batch in _decoded(items, {task.view for task in tasks}):
        lists: dict[tuple, list[Image | Detail]] = {}
        for task in tasks:
            for table, more in measure_batch(task, batch, lists):
                made[table].append(more)
        advance(len(batch))
        if stop.is_set():
            break
    counts = {}
    for table, tables in made.items():
        if tables:
            whole = pa.concat_tables(tables)
            if len(whole):
                store.parts(table).append(whole, stem)
            counts[table] = count(whole)
    return counts


@dataclass(frozen=True)
class Decoded:
    """A picture, or a part of one, in the views wanted; or why there is none."""

    item: Item
    views: Mapping[View, Image | Detail]
    error: str | None


def see(item: Item, whole: Image, wanted: set[View]) -> Decoded:
    """A picture that is decoded, as measures want to see it: reduced, or a part cut out and then reduced."""
    sizes = _sizes(wanted)
    if item.box is None:
        return Decoded(item, _by_view(at_sizes(whole, sizes)), None)
    detail = Detail(whole, item.box, item.landmarks)
    cut_out = at_sizes(detail.image(), sizes) if sizes else {}
    return Decoded(item, {"detail": detail, **_by_view(cut_out)}, None)


def _sizes(wanted: set[View]) -> set[int | None]:
    return {view for view in wanted if view != "detail"}


def _by_view(images: Mapping[int | None, Image]) -> dict[View, Image | Detail]:
    return {size: image for size, image in images.items()}  # noqa: C416 (sizes are views, as the type must say)


def _decoded(items: Sequence[Item], wanted: set[View]) -> Iterator[list[Decoded]]:
    """Decode each picture once for all measures and all of its parts, a few at a time."""
    batch: list[Decoded] = []
    held: dict[int, int] = {}
    last: tuple[str, Image | str] | None = None  # the picture in which the next part may lie as well
    for item in items:
        if item.box is None:
            batch.append(_decode(item, wanted))
        else:
            if last is None or last[0] != item.path:
                last = item.path, _whole(item)
            batch.append(see(item, last[1], wanted) if isinstance(last[1], Image) else Decoded(item, {}, last[1]))
        held |= {id(view): view.nbytes for view in map(_pixels, batch[-1].views.values())}
        if len(batch) == BATCH or sum(held.values()) > BATCH_BYTES:
            yield batch
            batch, held = [], {}
    if batch:
        yield batch


def _pixels(view: Image | Detail) -> np.ndarray:
    return (view.whole if isinstance(view, Detail) else view).pixels


def _decode(item: Item, wanted: set[View]) -> Decoded:
    def at_their_sizes() -> dict[View, Image | Detail]:
        return _by_view(decode_at(read_file(item.path), _sizes(wanted)))

    found = _or_why(item, at_their_sizes)
    return Decoded(item, {}, found) if isinstance(found, str) else Decoded(item, found, None)


def _whole(item: Item) -> Image | str:
    """The whole picture that a part lies in, or why there is none."""
    return _or_why(item, lambda: load(item.path))


def _or_why(item: Item, decode: Callable[[], T]) -> T | str:
    if item.error:
        return item.error
    try:
        return decode()
    except MediaError as error:
        return str(error)
    except MemoryError:
        return "not enough memory to decode it"
    except Exception as error:  # whatever a decoder lets escape concerns this picture only
        return f"cannot be decoded: {type(error).__name__}: {error}"


def measure_batch(
    task: Task, batch: list[Decoded], lists: dict[tuple, list[Image | Detail]]
) -> list[tuple[str, pa.Table]]:
    """Rows of one batch, by table. Measures of one size get the very same list, so that they share an inference."""
    mine = [decoded for decoded in batch if task.table in decoded.item.tables]
    bad = [decoded for decoded in mine if decoded.error]
    good = [decoded for decoded in mine if not decoded.error]
    made = []
    if bad:
        made.append(failed(task, [d.item.id for d in bad], [d.error or "" for d in bad]))
    if good:
        ids, view = [decoded.item.id for decoded in good], task.view
        images = lists.setdefault((view, *ids), [decoded.views[view] for decoded in good])
        made += _measure_images(task, ids, images)
    return made


def failed(task: Task, ids: Sequence[str], errors: Sequence[str]) -> tuple[str, pa.Table]:
    """Rows of units that could not be measured, and the table where they stand."""
    return task.listing, nulls(task.measure, ids, errors)


def _measure_images(task: Task, ids: list[str], images: list[Any]) -> list[tuple[str, pa.Table]]:
    """Rows for pictures; where the measure fails on one, that one's row says so and the others go on."""
    measure = task.measure
    try:
        if measure.finds:
            found = found_rows(measure, ids, images, find_in(measure, images))
            return list(zip((task.table, task.listing), found, strict=True))
        return [(task.table, rows(measure, ids, measure(images)))]
    except Exception as error:
        if isinstance(error, VisandaError) and not isinstance(error, MediaError):
            raise  # it concerns the measure, and would be the same for every picture
        if len(ids) == 1:
            why = str(error) if isinstance(error, MediaError) else f"{type(error).__name__}: {error}"
            return [failed(task, ids, [f"{measure.name}: {why}"])]
        return [one for id, image in zip(ids, images, strict=True) for one in _measure_images(task, [id], [image])]
