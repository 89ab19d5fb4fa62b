"""The runner: what a table lacks → measured once → written in parts that no kill can take back."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import cv2
import pandas as pd

from visanda.errors import InputError
from visanda.run import pictures, videos
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
    watched = [task for task in tasks if task.measure.feed]
    seen = [task for task in tasks if not task.measure.feed]
    with ExitStack() as held:
        for task in tasks:
            held.enter_context(store.parts(task.table).writing())
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
        counts = {task.table: Count() for task in tasks}
        before = dict.fromkeys(counts, 0)
        start = time.monotonic()
        with _one_thread_a_worker():
            try:
                if on == "image":
                    before |= pictures.measure(store, seen, run.stem, counts, workers, where, limit)
                    before |= videos.measure(store, watched, [], on, run.stem, counts, workers, where, limit)
                else:
                    before |= videos.measure(store, watched, seen, on, run.stem, counts, workers, where, limit)
            finally:
                run.counts = {name: vars(count) for name, count in counts.items()}
        for task in tasks:
            store.parts(task.table).compact(run.stem)
            if task.measure.feed:
                store.progress(task.table).compact(run.stem)
        return summary(counts, before, time.monotonic() - start)


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
