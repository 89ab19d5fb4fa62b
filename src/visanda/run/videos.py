"""Videos: each is decoded once; its frames go to every measure that lacks it, through bounded queues.

A measure that watches videos runs in a thread of its own, and writes its rows every minute of video. How far it
has come is written after the rows: killed at any moment, a run goes on in the middle of a video, and rows that
were written beyond that point are taken out before. Memory does not grow with the length of a video.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from queue import Full, Queue
from typing import Any

import numpy as np
import pyarrow as pa

from visanda.errors import InputError, MediaError, VisandaError
from visanda.measure import Row, Stream, nulls, timed_failure, timed_rows, watch
from visanda.media import Damage, Facts, Frame, Picker, Video, at_sizes, seconds_of_sound
from visanda.media.frames import Decoded as DecodedFrame
from visanda.progress import progress
from visanda.run.pictures import BATCH, BATCH_BYTES, SHARD, Decoded, Item, measure_batch
from visanda.run.tasks import Count, Task, add, count
from visanda.store import Store, quoted

QUEUE = 32  # frames that wait for a measure
KEPT = 60.0  # seconds of video after which rows are written: what a kill can cost
PROGRESS = pa.schema({"id": pa.string(), "until": pa.float64(), "finished": pa.bool_()})
TABLES = {"frame": "frames", "shot": "shots"}  # where the units of a kind are listed


@dataclass(frozen=True)
class Resume:
    """Where a measure goes on in a video: from when, and the last row that is kept."""

    until: float = 0.0
    last: Row | None = None


@dataclass
class Job:
    """A video, and what tables lack of it.

    Attributes:
        watched: tables of measures that watch it → where they go on.
        pictures: units in it that measures of pictures lack, in order of time: when, and what.
        keys: all of these are key frames.
    """

    id: str
    path: str
    error: str | None
    duration: float
    number: int = 0
    watched: dict[str, Resume] = field(default_factory=dict)
    pictures: list[tuple[float, Item]] = field(default_factory=list)
    keys: bool = False


def measure(
    store: Store,
    watched: Sequence[Task],
    seen: Sequence[Task],
    on: str,
    stem: str,
    counts: dict[str, Count],
    workers: int,
    where: str | None,
    limit: int | None,
) -> dict[str, int]:
    """Measure videos, and units inside them; returns how many each table had already."""
    if not watched and not seen:
        return {}
    jobs: dict[str, Job] = {}
    before = _pending_videos(store, watched, jobs, stem, where, limit)
    before |= _pending_units(store, seen, jobs, on, where, limit)
    for number, job in enumerate(jobs.values()):
        job.number = number
    _run_jobs(store, [*watched, *seen], list(jobs.values()), stem, counts, workers)
    return before


# what is pending


def _pending_videos(
    store: Store, tasks: Sequence[Task], jobs: dict[str, Job], stem: str, where: str | None, limit: int | None
) -> dict[str, int]:
    if not tasks:
        return {}
    if "duration" not in store.column_names("media"):
        raise InputError("there are no videos here: add some with 'visanda add FOLDER'")
    videos = store.query(
        f"SELECT id, path, error, duration FROM media WHERE kind = 'video' AND ({where or 'true'}) ORDER BY id"
    ).to_pylist()
    before = {}
    for task in tasks:
        ended = done(store, task.table)
        finished = {id for id, (_, whole) in ended.items() if whole}
        lacking = [row for row in videos if row["id"] not in finished]
        before[task.table] = len(videos) - len(lacking)
        chosen = lacking[:limit]
        last = _take_back(store, task, {row["id"]: ended.get(row["id"], (0.0, False))[0] for row in chosen}, stem)
        for row in chosen:
            until = ended.get(row["id"], (0.0, False))[0]
            _job(jobs, store, row).watched[task.table] = Resume(until, last.get(row["id"]))
    return before


def _job(jobs: dict[str, Job], store: Store, row: Mapping[str, Any]) -> Job:
    made = Job(row["id"], str(store.resolve(row["path"])), row["error"], row["duration"] or 0.0)
    return jobs.setdefault(row["id"], made)


def done(store: Store, table: str) -> dict[str, tuple[float, bool]]:
    """How far each video was watched, and whether to its end."""
    rows = store.progress(table).read()
    done: dict[str, tuple[float, bool]] = {}
    if rows.num_columns:
        for id, until, finished in zip(*(rows[name].to_pylist() for name in PROGRESS.names), strict=True):
            there = done.get(id, (0.0, False))
            done[id] = (max(until, there[0]), finished or there[1])
    return done


def _take_back(store: Store, task: Task, until: dict[str, float], stem: str) -> dict[str, Row]:
    """Take out rows that a killed run wrote beyond what it said was done; the last row that stays of each video."""
    if not until or task.table not in store.tables():
        return {}
    there = store.query(
        f"SELECT * FROM {quoted(task.table)} WHERE parent IN (SELECT unnest(?)) ORDER BY stop", [list(until)]
    )
    beyond, last = [], {}
    for row in there.to_pylist():
        certain = row["stop"] if row["error"] is None else row["start"]
        if certain is None or certain > until[row["parent"]] or not until[row["parent"]]:
            beyond.append(row["id"])
        elif row["error"] is None:
            last[row["parent"]] = row
    store.parts(task.table).drop(beyond, stem)
    return last


def _pending_units(
    store: Store, tasks: Sequence[Task], jobs: dict[str, Job], on: str, where: str | None, limit: int | None
) -> dict[str, int]:
    if not tasks:
        return {}
    units = TABLES.get(on, on)
    hint = "'visanda measure shots'" if units == "shots" else "'visanda frames --every 1s' or other ways to choose"
    store.require(units, f"list them with {hint}")
    names = store.column_names(units)
    if not {"id", "parent", "start", "stop"} <= set(names):
        raise InputError(f"the table {units!r} holds no units inside videos: give --on frame or --on shot")
    there = store.tables()
    lacks = [f"id NOT IN (SELECT id FROM {quoted(task.table)})" if task.table in there else "true" for task in tasks]
    key = "key" if "key" in names else "false"
    chosen = (
        f"FROM (SELECT unit.*, media.* EXCLUDE (id, parent, error), media.error AS file_error "
        f"FROM {quoted(units)} AS unit JOIN media ON unit.parent = media.id WHERE unit.error IS NULL) "
        f"WHERE ({where or 'true'})"
    )
    counted = ", ".join(f"count(*) FILTER (NOT ({lack})) AS has_{number}" for number, lack in enumerate(lacks))
    has = store.query(f"SELECT {counted} {chosen}").to_pylist()[0].values()
    named = ", ".join(f"{lack} AS lacks_{number}" for number, lack in enumerate(lacks))
    rows = store.query(
        f"SELECT id, parent, start, stop, path, file_error, duration, {key} AS key, {named} {chosen} "
        f"AND ({' OR '.join(lacks)}) ORDER BY parent, start, id" + ("" if limit is None else f" LIMIT {limit}")
    ).to_pylist()
    for video, group in groupby(rows, key=lambda row: row["parent"]):
        members = list(group)
        job = _job(jobs, store, {**members[0], "id": video, "error": members[0]["file_error"]})
        job.keys = all(row["key"] for row in members)
        for row in members:
            lacking = frozenset(task.table for number, task in enumerate(tasks) if row[f"lacks_{number}"])
            middle = row["start"] if row["start"] == row["stop"] else (row["start"] + row["stop"]) / 2
            job.pictures.append((middle, Item(row["id"], job.path, job.error, lacking)))
        job.pictures.sort(key=lambda one: one[0])
    return dict(zip([task.table for task in tasks], has, strict=True))


# running


def _run_jobs(
    store: Store, tasks: Sequence[Task], jobs: list[Job], stem: str, counts: dict[str, Count], workers: int
) -> None:
    """Some videos at a time, each decoded by its share of the cores."""
    abreast = max(1, min(len(jobs), workers // 2))
    run = Run(store, tasks, stem, max(1, workers // abreast), threading.Event())
    watching = any(job.watched for job in jobs)
    total = sum(round(job.duration) if watching else len(job.pictures) for job in jobs)
    what = "measure " + " ".join(task.table for task in tasks) + (", seconds of video" if watching else "")
    with progress(what, total) as advance, ThreadPoolExecutor(abreast) as pool:
        run.advance = advance
        run.in_seconds = watching
        waiting = deque(jobs)
        futures: set[Future] = set()
        try:
            while waiting or futures:
                while waiting and len(futures) < 2 * abreast:
                    futures.add(pool.submit(run.job, waiting.popleft()))
                done = next(iter(futures))
                for future in [one for one in futures if one.done()] or [done]:
                    add(counts, future.result())
                    futures.discard(future)
        except BaseException:
            run.stop.set()  # measures write what they have and return
            for future in futures:
                future.cancel()
            for future in futures:
                if not future.cancelled() and future.exception() is None:
                    add(counts, future.result())
            raise


class Run:
    """What all videos of one run share."""

    def __init__(self, store: Store, tasks: Sequence[Task], stem: str, threads: int, stop: threading.Event) -> None:
        self.store = store
        self.tasks = {task.table: task for task in tasks}
        self.stem = stem
        self.threads = threads
        self.stop = stop
        self.advance: Callable[[int], None] = lambda done=1: None
        self.in_seconds = True

    def job(self, job: Job) -> dict[str, Count]:
        """Do one video; an error in it is rows, unless it concerns the measures themselves."""
        if self.stop.is_set():
            return {}
        counts = {table: Count() for table in self.tasks}
        if job.error:
            self._fail(job, job.error, counts)
            return counts
        meter = Meter(self, job)
        try:
            with Video(job.path, threads=self.threads) as video:
                self._watch(job, video, meter, counts)
        except MediaError as error:
            self._fail(job, str(error), counts)
        meter.end()
        return counts

    def _fail(self, job: Job, why: str, counts: dict[str, Count]) -> None:
        """No frame of it can be had: a row a table that says why."""
        for table in job.watched:
            task = self.tasks[table]
            rows = timed_failure(task.measure.schema, job.id, None, None, why)
            self.write(table, f"{job.number:06d}-failed", rows, counts[table])
            self.said(table, f"{job.number:06d}-failed", job.id, 0.0, finished=True)
        for task in self.tasks.values():
            mine = [item for _, item in job.pictures if task.table in item.tables]
            if mine:
                rows = nulls(task.measure, [item.id for item in mine], [why] * len(mine))
                self.write(task.table, f"{job.number:06d}-failed", rows, counts[task.table])

    def write(self, table: str, part: str, rows: pa.Table, into: Count) -> None:
        """Write rows as one part, and count them."""
        if len(rows):
            self.store.parts(table).append(rows, f"{self.stem}-{part}")
            add({"": into}, {"": count(rows)})

    def said(self, table: str, part: str, video: str, until: float, *, finished: bool) -> None:
        """Write how far a video was watched."""
        row = pa.table({"id": [video], "until": [until], "finished": [finished]}, schema=PROGRESS)
        self.store.progress(table).append(row, f"{self.stem}-{part}")

    def _watch(self, job: Job, video: Video, meter: Meter, counts: dict[str, Count]) -> None:
        watchers = [
            Watcher(self, job, self.tasks[table], resume, video.facts, video.damage, counts[table])
            for table, resume in job.watched.items()
        ]
        by_eye = [one for one in watchers if one.feed.of != "sound"]
        by_ear = [one for one in watchers if one.feed.of == "sound"]
        wanted = [task for task in self.tasks.values() if any(task.table in item.tables for _, item in job.pictures)]
        album = Album(self, job, wanted, counts) if wanted else None
        try:
            for one in watchers:
                one.start()
            if by_ear:
                self._listen(job, by_ear)
            if by_eye:
                self._look(video, by_eye, album, meter)
            elif album:
                for time, frame in video.pictures(album.times, keys=job.keys):
                    album.take(time, frame)
                    meter.at(frame.time)
                    if self.stop.is_set():
                        break
            stopped = self.stop.is_set()
        except BaseException:
            for one in watchers:
                one.end(whole=False)
            raise
        for one in watchers:
            one.end(whole=not stopped)
        if album:
            album.end(whole=not stopped, damage=video.damage)
        for one in watchers:
            if one.error:
                raise one.error

    def _look(self, video: Video, watchers: list[Watcher], album: Album | None, meter: Meter) -> None:
        """Decode the video once, for measures that watch it and for pictures inside it."""
        picker = Picker(album.times if album else [])
        first = picker.left[-1] if picker.left else float("inf")
        for frame in video.frames(min([one.since for one in watchers] + [max(0.0, first - 1.0)])):
            made: dict[tuple[str, int], np.ndarray] = {}
            for one in watchers:
                if frame.time >= one.since:
                    one.put(Frame(frame.time, frame.duration, frame.key, _reduced(frame, one, made)))
            if album:
                for time, picked in picker.push(frame):
                    album.take(time, picked)
            meter.at(frame.time)
            if self.stop.is_set():
                return
        if album:
            for time, picked in picker.end():
                album.take(time, picked)

    def _listen(self, job: Job, watchers: list[Watcher]) -> None:
        try:
            for sound in seconds_of_sound(job.path, since=min(one.since for one in watchers)):
                for one in watchers:
                    if sound.time >= one.since:
                        one.put(sound)
                if self.stop.is_set():
                    return
        except MediaError as error:
            for one in watchers:
                one.trouble = str(error)


def _reduced(frame: DecodedFrame, one: Watcher, made: dict[tuple[str, int], np.ndarray]) -> np.ndarray:
    """A frame as a measure wants it; made once for all that want the same."""
    key = (one.feed.of, one.size)
    if key not in made:
        made[key] = frame.grey(one.size) if one.feed.of == "grey" else frame.rgb(one.size)
    return made[key]


class Meter:
    """How far a video has come, for the bar."""

    def __init__(self, run: Run, job: Job) -> None:
        self.run = run
        self.total = round(job.duration) if run.in_seconds else len(job.pictures)
        self.done = 0

    def at(self, time: float) -> None:
        """So many seconds are decoded; or one more picture."""
        now = min(self.total, int(time)) if self.run.in_seconds else min(self.total, self.done + 1)
        if now > self.done:
            self.run.advance(now - self.done)
            self.done = now

    def end(self) -> None:
        """What was left out counts as done."""
        self.run.advance(self.total - self.done)
        self.done = self.total


class Stopped(Exception):
    """Ends a measure's generator where the run was stopped."""


class Watcher(threading.Thread):
    """One measure that watches one video, in a thread of its own."""

    def __init__(
        self, run: Run, job: Job, task: Task, resume: Resume, facts: Facts, damage: list[Damage], into: Count
    ) -> None:
        super().__init__(daemon=True, name=f"{task.table} of {job.id}")
        feed = task.measure.feed
        assert feed is not None
        self.feed, self.size = feed, task.measure.size or 180
        self.run_, self.job, self.task, self.facts, self.damage, self.into = run, job, task, facts, damage, into
        self.until, self.last = resume.until, resume.last
        certain = min(resume.until, resume.last["stop"]) if resume.last else resume.until
        self.since = max(0.0, certain - feed.before) if resume.until else 0.0
        self.queue: Queue[Any] = Queue(QUEUE)
        self.rows: list[Row] = []
        self.parts = 0
        self.seen = self.since
        self.trouble: str | None = None
        self.error: Exception | None = None
        self.deaf = threading.Event()  # it has ended, and what comes is thrown away

    def put(self, item: Any) -> None:
        """Give it a frame, or a second of sound; waits while it has many."""
        while not self.deaf.is_set():
            with suppress(Full):
                return self.queue.put(item, timeout=1.0)

    def end(self, *, whole: bool) -> None:
        """No more comes; waits until it has written its rows."""
        self.put(None if whole else Stopped())
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Watch, and write rows as they become certain."""
        try:
            for row in watch(self.task.measure, Stream(self._items(), self.facts, self.last)):
                self.rows.append(row)
            self._drain()
            self._write(float("inf"), finished=True)
        except Stopped:
            self._stopped()
        except VisandaError as error:
            if isinstance(error, MediaError):
                self._failed(str(error))
            else:
                self.error = error
                self._drain()
        except Exception as error:
            self._failed(f"{self.task.measure.name}: {type(error).__name__}: {error}")
        finally:
            self.deaf.set()

    def _items(self) -> Iterator[Any]:
        kept = self.until
        while (item := self.queue.get()) is not None:
            if isinstance(item, Stopped):
                raise item
            if self.seen - self.feed.behind >= kept + KEPT:
                kept = self.seen - self.feed.behind
                self._write(kept, finished=False)
            self.seen = item.time
            yield item
        self.queue.put(None)  # for _drain, where the generator has read to the end

    def _drain(self) -> None:
        """Take what still comes and throw it away, so that the others are not kept waiting."""
        while True:
            item = self.queue.get()
            if item is None or isinstance(item, Stopped):
                return

    def _stopped(self) -> None:
        certain = self.seen - self.feed.behind
        if certain > self.until:
            self._try(certain)

    def _failed(self, why: str) -> None:
        """The measure broke: what it has found stays, and a row says from when on there is nothing."""
        self.rows = [row for row in self.rows if row["stop"] <= self.seen]
        self._try(float("inf"), (self.seen, why))
        self._drain()

    def _try(self, until: float, failure: tuple[float, str] | None = None) -> None:
        try:
            self._write(until, finished=failure is not None, failure=failure)
        except Exception as error:  # raised where the video ends: this thread must go on emptying its queue
            self.error = error

    def _write(self, until: float, *, finished: bool, failure: tuple[float, str] | None = None) -> None:
        """Write the rows that end up to ``until``, what could not be decoded, and then how far this is."""
        task, video = self.task, self.job.id
        ready = [row for row in self.rows if self.until < row["stop"] <= until]
        self.rows = [row for row in self.rows if row["stop"] > until]
        tables = [timed_rows(task.measure, video, ready)] if ready else []
        schema = task.measure.schema
        for one in self.damage if self.feed.of != "sound" else []:
            if self.until <= one.start < until:
                stop = one.stop if one.stop is not None else max(one.start, self.job.duration)
                tables.append(timed_failure(schema, video, one.start, stop, one.why))
        if failure:
            start, why = failure
            tables.append(timed_failure(schema, video, start, max(start, self.job.duration), why))
        if finished and self.trouble:
            tables.append(timed_failure(schema, video, None, None, self.trouble))
        part = f"{self.job.number:06d}-{self.parts:06d}"
        self.parts += 1
        if tables:
            self.run_.write(task.table, part, pa.concat_tables(tables), self.into)
        self.until = self.seen if until == float("inf") else until
        self.run_.said(task.table, part, video, self.until, finished=finished)


class Album:
    """Pictures taken out of one video, for measures of pictures: measured a batch at a time, written in order."""

    def __init__(self, run: Run, job: Job, tasks: Sequence[Task], counts: dict[str, Count]) -> None:
        self.run, self.job, self.tasks, self.counts = run, job, list(tasks), counts
        self.sizes = {task.measure.size for task in tasks}
        self.left: dict[float, list[Item]] = {}
        for time, item in job.pictures:
            self.left.setdefault(time, []).append(item)
        self.times = sorted(self.left)
        self.pool = ThreadPoolExecutor(run.threads)
        self.batch: list[Decoded] = []
        self.held = 0
        self.measured: deque[Future] = deque()
        self.made: dict[str, list[pa.Table]] = {task.table: [] for task in tasks}
        self.units = self.parts = 0

    def take(self, time: float, frame: DecodedFrame) -> None:
        """The frame that is shown at a time."""
        images = at_sizes(frame.image(), self.sizes)
        for item in self.left.pop(time):
            self.batch.append(Decoded(item, images, None))
            self.held += sum(image.pixels.nbytes for image in images.values())
        if len(self.batch) >= BATCH or self.held > BATCH_BYTES:
            self._send()

    def _send(self) -> None:
        self.measured.append(self.pool.submit(self._measure, self.batch))
        self.batch, self.held = [], 0
        while len(self.measured) > 2 * self.run.threads:
            self._collect()

    def _measure(self, batch: list[Decoded]) -> dict[str, list[pa.Table]]:
        lists: dict[tuple, list] = {}
        return {task.table: measure_batch(task, batch, lists) for task in self.tasks}

    def _collect(self) -> None:
        for table, tables in self.measured.popleft().result().items():
            self.made[table] += tables
        self.units += BATCH
        if self.units >= SHARD:
            self._write()

    def _write(self) -> None:
        for table, tables in self.made.items():
            if tables:
                part = f"{self.job.number:06d}-{self.parts:06d}"
                self.run.write(table, part, pa.concat_tables(tables), self.counts[table])
        self.made = {table: [] for table in self.made}
        self.units = 0
        self.parts += 1

    def end(self, *, whole: bool, damage: Sequence[Damage]) -> None:
        """Write what there is; times at which nothing could be decoded become rows that say so."""
        try:
            if whole:
                why = "no frame can be decoded at this time" + (f": {damage[-1].why}" if damage else "")
                for items in self.left.values():
                    self.batch += [Decoded(item, {}, why) for item in items]
            if self.batch:
                self._send()
            while self.measured:
                self._collect()
            self._write()
        finally:
            self.pool.shutdown()
