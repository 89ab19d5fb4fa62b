"""One measure that watches one video, in a thread of its own; its rows are written as they become certain."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from queue import Full, Queue
from typing import Any

import pyarrow as pa

from visanda.errors import InputError, MediaError, VisandaError
from visanda.measure import SMALLER, Measure, Row, Stream, timed_failure, timed_rows, watch
from visanda.media import Damage, Facts
from visanda.run.jobs import Job, Resume, Run
from visanda.run.tasks import Count, Task

QUEUE = 32  # frames that wait for a measure
KEPT = 60.0  # seconds of video after which rows are written: what a kill can cost


class Stopped(BaseException):
    """Ends a measure's generator where the run ends; none that a generator would take for an error of its own."""


class Watcher(threading.Thread):
    """One measure that watches one video.

    Args:
        run: what it belongs to.
        job: the video.
        task: the measure and its table.
        resume: where it goes on.
        facts: what the video is.
        damage: of the video, to which its decoder adds.
        into: where rows are counted.

    Attributes:
        since: seconds from which on it wants to be fed.
        trouble: why there is nothing to watch; set before it ends.
        error: what must end the run.
        deaf: set where it has ended, and wants nothing more.
    """

    def __init__(
        self, run: Run, job: Job, task: Task, resume: Resume, facts: Facts, damage: list[Damage], into: Count
    ) -> None:
        super().__init__(daemon=True, name=f"{task.table} of {job.id}")
        feed = task.measure.feed
        assert feed is not None
        self.feed, self.size = feed, task.measure.size or SMALLER
        self.of_run, self.job, self.task, self.facts, self.into = run, job, task, facts, into
        self.damage = damage if feed.of != "sound" else []
        self.begun = self.until = resume.until or -math.inf  # a moment may end at 0
        self.last = resume.last
        certain = min(resume.until, resume.last["stop"]) if resume.last else resume.until
        self.since = max(0.0, round(certain - feed.before, 6)) if resume.until else 0.0
        self.queue: Queue[Any] = Queue(QUEUE)
        self.rows: list[Row] = []
        self.parts = 0
        self.seen = self.since
        self.ended = False  # the video has, and all of it was seen
        self.trouble: str | None = None
        self.error: Exception | None = None
        self.deaf = threading.Event()

    # called from the thread that decodes

    def put(self, item: Any) -> None:
        """Give it a frame, or a second of sound; waits while it has many."""
        while not self.deaf.is_set():
            with suppress(Full):
                return self.queue.put(item, timeout=0.2)

    def end(self, *, whole: bool) -> None:
        """No more comes; waits until it has written its rows."""
        self.put(None if whole else Stopped())
        if self.is_alive():
            self.join()

    # its own thread

    def run(self) -> None:
        """Watch, and write rows as they become certain."""
        try:
            self._watch()
        except Exception as error:
            self.error = error
        finally:
            if self.error:
                self.of_run.stop.set()
            self.deaf.set()

    def _watch(self) -> None:
        stream = Stream(self._items(), self.facts, self.last)
        try:
            for row in watch(self.task.measure, stream):
                self._keep(row)
        except Stopped:
            certain = self._certain()
            if not self.error and certain > max(self.until, 0):
                self._write(certain)
        except MediaError as error:
            self._fail(str(error))
        except VisandaError:
            raise  # it concerns the measure, and would be the same for every video
        except Exception as error:
            self._fail(f"{self.task.measure.name}: {type(error).__name__}: {error}")
        else:
            self.deaf.set()
            self._finish()

    def _items(self) -> Iterator[Any]:
        while (item := self.queue.get()) is not None:
            if isinstance(item, Stopped):
                raise item
            if self._certain() >= max(self.until, 0) + KEPT:
                try:
                    self._write(self._certain())
                except Exception as error:  # no business of the generator's
                    self.error = error
                    raise Stopped from error
            self.seen = item.time
            yield item
        self.ended = True

    def _certain(self) -> float:
        """Seconds up to which all rows are there."""
        return round(self.seen - self.feed.behind, 6)

    def _keep(self, row: Row) -> None:
        stop = _checked(self.task.measure, row)
        if stop > self.until:
            self.rows.append(row)
        elif stop > self.begun:
            raise InputError(
                f"the measure {self.task.measure.name} yielded a row that ends at {stop:g} s when it had seen "
                f"{self.seen:g} s: rows must come in order of their stop, at most behind={self.feed.behind:g} s late"
            )

    # writing

    def _fail(self, why: str) -> None:
        """The measure broke: what it has found stays, and a row says from when on there is nothing."""
        self.deaf.set()
        stop = max(self.seen, self.job.duration)
        self._finish(timed_failure(self.task.measure.schema, self.job.id, self.seen, stop, why))

    def _finish(self, *more: pa.Table) -> None:
        if self.trouble:
            more += (timed_failure(self.task.measure.schema, self.job.id, None, None, self.trouble),)
        self._write(math.inf, *more)

    def _write(self, until: float, *more: pa.Table) -> None:
        """Write the rows that end up to ``until``, what could not be decoded, and then how far this is."""
        measure, video = self.task.measure, self.job.id
        ready = [row for row in self.rows if _stop(row) <= until]
        self.rows = [row for row in self.rows if _stop(row) > until]
        tables = [timed_rows(measure, video, ready)] if ready else []
        for one in list(self.damage):
            if self.until < _end(one) <= until and (self.ended or one.start <= self.seen):
                stop = max(one.start, self.job.duration) if one.stop is None else one.stop
                tables.append(timed_failure(measure.schema, video, one.start, stop, one.why))
        tables += more
        part = f"{self.job.number:06d}-{self.parts:06d}"
        self.parts += 1
        if tables:
            self.of_run.write(self.task.table, part, pa.concat_tables(tables), self.into)
        finished = until == math.inf
        self.until = self.seen if finished else until
        self.of_run.said(self.task.table, part, video, self.until, finished=finished)


def _stop(row: Row) -> float:
    return round(float(row["stop"]), 6)


def _end(damage: Damage) -> float:
    return math.inf if damage.stop is None else damage.stop


def _checked(measure: Measure, row: Row) -> float:
    """When a row ends.

    Raises:
        InputError: it is no row of this measure.
    """
    wanted = {"start", "stop", *measure.columns}
    if not isinstance(row, Mapping) or set(row) != wanted:
        got = sorted(map(str, row)) if isinstance(row, Mapping) else type(row).__name__
        raise InputError(f"the measure {measure.name} declared {sorted(wanted)} and yielded {got}")
    try:
        start, stop = round(float(row["start"]), 6), _stop(row)
    except (TypeError, ValueError):
        start = stop = math.nan
    if not (0 <= start <= stop < math.inf):
        raise InputError(
            f"the measure {measure.name} yielded a row from {row['start']!r} to {row['stop']!r}: these must be "
            "seconds, and start no later than stop"
        )
    return stop
