"""Orders: what one run was asked to do, and which units its tables still lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from visanda.errors import InputError
from visanda.run.tasks import Count, Task
from visanda.store import Store, quoted

TABLES = {"frame": "frames", "shot": "shots", "face": "faces", "object": "objects", "line": "text"}
"""Where the units of a kind are listed."""

HINTS = {
    "frames": "list them with 'visanda frames --every 1s' or other ways to choose",
    **{table: f"find them with 'visanda measure {table}'" for table in ("shots", "faces", "objects", "text")},
}
BOX = ("x", "y", "width", "height")


@dataclass(frozen=True)
class Order:
    """What one run was asked to do.

    Attributes:
        store: the corpus.
        tasks: the measures and their tables.
        on: what measures of pictures look at: ``image``, or a kind or a table of units inside files.
        where: a condition in SQL on the table ``media``.
        limit: at most so many units, or videos.
        workers: threads.
        stem: the run's name, with which names of parts begin.
        counts: where rows are counted.
    """

    store: Store
    tasks: Sequence[Task]
    on: str
    where: str | None
    limit: int | None
    workers: int
    stem: str
    counts: dict[str, Count] = field(default_factory=dict)

    @property
    def watched(self) -> list[Task]:
        """Those that watch videos."""
        return [task for task in self.tasks if task.measure.feed]

    @property
    def seen(self) -> list[Task]:
        """Those that look at pictures."""
        return [task for task in self.tasks if not task.measure.feed]


def pending(order: Order, kind: Literal["image", "video"]) -> tuple[pa.Table, dict[str, int]]:
    """The units in pictures, or in videos, that at least one table lacks; and how many each table has already.

    Returns:
        Units in order of file and time: id, parent, path, error, duration, middle (seconds), key (whether it is a key
        frame), x, y, width, height and landmarks (null for whole pictures), and a column a task (lacks_0, ...; True:
        lacks it).

    Raises:
        InputError: the units are not listed yet, or are none that these measures can look at.
    """
    store, there = order.store, order.store.tables()
    lacks = [
        f"id NOT IN (SELECT id FROM {quoted(task.listing)})" if task.listing in there else "true" for task in order.seen
    ]
    if order.on == "image":
        columns = (
            "id, id AS parent, path, error, duration, NULL AS middle, false AS key, "
            "NULL AS x, NULL AS y, NULL AS width, NULL AS height, NULL AS landmarks"
        )
        chosen = f"FROM media WHERE kind = '{kind}' AND ({order.where or 'true'})"
        by = "id"
    else:
        columns, chosen = _units(order, kind)
        by = "parent, start, id"
    counted = ", ".join(f"count(*) FILTER (NOT ({lack})) AS has_{number}" for number, lack in enumerate(lacks))
    has = store.query(f"SELECT {counted} {chosen}").to_pylist()[0].values()
    named = ", ".join(f"{lack} AS lacks_{number}" for number, lack in enumerate(lacks))
    todo = store.query(
        f"SELECT {columns}, {named} {chosen} AND ({' OR '.join(lacks)}) ORDER BY {by}"
        + ("" if order.limit is None else f" LIMIT {order.limit}")
    )
    return todo, dict(zip([task.listing for task in order.seen], has, strict=True))


def _units(order: Order, kind: str) -> tuple[str, str]:
    """The columns, and where they come from, of units inside files of a kind."""
    store, units = order.store, TABLES.get(order.on, order.on)
    store.require(units, HINTS.get(units, "list its units first"))
    names = store.column_names(units)
    if not {"id", "parent", "start", "stop"} <= set(names):
        raise InputError(f"the table {units!r} holds no units inside files: give --on frame, shot, face or object")
    parts = set(BOX) <= set(names)
    for task in order.seen:
        if task.measure.on == "face" and "landmarks" not in names:
            raise InputError(
                f"{task.measure.name} measures faces: find them with 'visanda measure faces', then --on face"
            )
        if task.measure.finds and parts:
            raise InputError(f"{task.measure.name} looks for things in whole pictures, not in {units}")
    other = [quoted(name) for name in store.column_names("media") if name not in names]
    key = "key" if store.describe(units).get("name") == "frames" else "false"
    where_in = ", ".join(f'"/{name}" AS {name}' for name in BOX) if parts else ", ".join(f"NULL AS {n}" for n in BOX)
    columns = (
        f'id, parent, "/path" AS path, "/error" AS error, "/duration" AS duration, '
        f"if(start = stop, start, (start + stop) / 2) AS middle, {key} AS key, {where_in}, "
        + ("landmarks" if "landmarks" in names else "NULL AS landmarks")
    )
    boxes = "".join(f', unit.{name} AS "/{name}"' for name in BOX) if parts else ""
    chosen = (
        f"FROM (SELECT unit.*, {', '.join(f'media.{name}' for name in other)}{boxes}, "
        'media.path AS "/path", media.error AS "/error", media.duration AS "/duration", media.kind AS "/kind" '
        f"FROM {quoted(units)} AS unit JOIN media ON unit.parent = media.id WHERE unit.error IS NULL) "
        f"WHERE \"/kind\" = '{kind}' AND ({order.where or 'true'})"
    )
    return columns, chosen
