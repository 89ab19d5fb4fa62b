"""The runner: what a table lacks → measured once → written in parts that no kill can take back."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace as changed

import cv2
import pandas as pd

from visanda.errors import InputError
from visanda.run import pictures, videos
from visanda.run.orders import Order
from visanda.run.tasks import Count, Task, fits, prepare, summary
from visanda.store import Store


def measure(
    store: Store,
    tasks: Sequence[Task],
    *,
    on: str = "image",
    workers: int = 0,
    limit: int | None = None,
    where: str | None = None,
    replace: bool = False,
    retry: bool = False,
) -> pd.DataFrame:
    """Measure every unit that a table lacks; a row a table of what was done.

    Measures of video watch the videos; measures of pictures look at pictures, or at frames inside videos. Every
    file is decoded once for all of them.

    Args:
        store: the corpus.
        tasks: the measures and their tables.
        on: what measures of pictures look at: ``image``, or the table of units inside videos.
        workers: threads; 0 for one a core.
        limit: at most so many pictures, or videos.
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
        for table in (table for task in tasks for table in task.tables):
            held.enter_context(store.parts(table).writing())
        for task in tasks:
            if task.measure.feed:
                held.enter_context(store.progress(task.table).writing())
        asked = {
            "on": None if on == "image" else on,
            "where": where,
            "limit": limit,
            "replace": replace,
            "retry": retry,
        }
        arguments = {"tables": {t.table: t.measure.arguments for t in tasks}, **asked}
        run = held.enter_context(store.record("measure", arguments))
        same = [fits(store, task, replace) for task in tasks]  # all are looked at before one is touched
        for task, fit in zip(tasks, same, strict=True):
            prepare(store, task, fit, retry, run.stem)
        order = Order(store, tasks, on, where, limit, workers, run.stem)
        order.counts.update({table: Count() for task in tasks for table in task.tables})
        start = time.monotonic()
        with _one_thread_a_worker():
            try:
                before = _measure(order)
            finally:
                run.counts = {name: vars(count) for name, count in order.counts.items()}
        for task in tasks:
            if store.parts(task.listing).files() and not store.parts(task.table).files():
                store.parts(task.table).append(task.measure.schema.empty_table(), run.stem)  # nothing was found
            for table in task.tables:
                store.parts(table).compact(run.stem)
            if task.measure.feed:
                store.progress(task.table).compact(run.stem)
        return summary(order.counts, before, time.monotonic() - start)


def _measure(order: Order) -> dict[str, int]:
    """Measure pictures and then videos; how many units each table had already."""
    before = dict.fromkeys(order.counts, 0)
    before |= {task.table: len(order.store.parts(task.table)) for task in order.seen if task.measure.finds}
    if order.on == "image":
        return before | pictures.measure(order) | videos.measure(order, seen=False)
    before |= pictures.measure(order)
    counts = [order.counts[task.listing] for task in order.seen]
    done = max((count.measured + count.failed for count in counts), default=0)
    rest = order if order.limit is None else changed(order, limit=max(0, order.limit - done))
    in_videos = videos.measure(rest, seen=True)
    return before | {table: before[table] + number for table, number in in_videos.items()}


@contextmanager
def _one_thread_a_worker() -> Iterator[None]:
    """OpenCV's own threads would fight with the workers."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _at_least(name: str, value: int, least: int) -> int:
    if value < least:
        raise InputError(f"--{name} must be at least {least}, not {value}")
    return value
