"""Videos: each is decoded once; its frames go to every measure that lacks it, through bounded queues.

A measure that watches videos runs in a thread of its own, and writes its rows every minute of video. How far it
has come is written after the rows: killed at any moment, a run goes on in the middle of a video, and rows that
were written beyond that point are taken out before. Memory does not grow with the length of a video.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import accumulate
from typing import Any

from visanda.errors import InputError, MediaError, VisandaError
from visanda.measure import Row, timed_failure
from visanda.media import Damage, Frame, Picker, Video, seconds_of_sound
from visanda.progress import Advance, progress
from visanda.run.album import Album
from visanda.run.jobs import PROGRESS, Job, Meter, Resume, Run
from visanda.run.orders import Order, pending
from visanda.run.pictures import failed
from visanda.run.tasks import Count, Task, add
from visanda.run.watcher import Watcher
from visanda.store import Store, quoted

THREADS = 8  # that decode one video, at most: each holds frames of its own
MERGED = 2000  # parts after which a run merges them on the way


def measure(order: Order, *, seen: bool) -> dict[str, int]:
    """Measure videos, and with ``seen`` units inside them; returns how many each table had already."""
    pictures = order.seen if seen else []
    if not order.watched and not pictures:
        return {}
    jobs: dict[str, Job] = {}
    before = _pending_videos(order, jobs)
    if pictures:
        before |= _pending_units(order, jobs)
    for number, job in enumerate(jobs.values()):
        job.number = number
    abreast = max(1, min(len(jobs), order.workers // 2))
    run = Run(order.store, order.watched, pictures, order.stem, max(1, min(THREADS, order.workers // abreast)))
    _run_jobs(run, list(jobs.values()), order.counts, abreast)
    return before


# what is pending


def _pending_videos(order: Order, jobs: dict[str, Job]) -> dict[str, int]:
    """Jobs for the videos that a measure has not watched to their end; how many each has."""
    store, tasks = order.store, order.watched
    if not tasks:
        return {}
    if not store.query("SELECT id FROM media WHERE kind = 'video' LIMIT 1").num_rows:
        raise InputError("there are no videos here: add some with 'visanda add FOLDER'")
    videos = store.query(
        f"SELECT id, path, error, duration FROM media WHERE kind = 'video' AND ({order.where or 'true'}) ORDER BY id"
    ).to_pylist()
    ended = {task.table: done(store, task.table) for task in tasks}
    lacking = {
        row["id"]: [table for table, there in ended.items() if not there.get(row["id"], (0.0, False))[1]]
        for row in videos
    }
    chosen = [row for row in videos if lacking[row["id"]]][: order.limit]
    for task in tasks:
        until = {
            row["id"]: ended[task.table].get(row["id"], (0.0, False))[0]
            for row in chosen
            if task.table in lacking[row["id"]]
        }
        last = _take_back(store, task, until, order.stem)
        for row in chosen:
            if row["id"] in until:
                resume = Resume(until[row["id"]], last.get(row["id"]))
                _job(jobs, store, row).watched[task.table] = resume
    return {table: sum(table not in tables for tables in lacking.values()) for table in ended}


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
    asked = [list(until), list(until.values())]
    there = (
        f"FROM (SELECT unnest(?) AS video, unnest(?::DOUBLE[]) AS until) "
        f"JOIN {quoted(task.table)} AS found ON found.parent = video"
    )
    beyond = store.query(f"SELECT id {there} WHERE until = 0 OR stop IS NULL OR stop > until", asked)
    last = store.query(
        f"SELECT found.* {there} WHERE until > 0 AND stop <= until AND error IS NULL "
        "QUALIFY row_number() OVER (PARTITION BY parent ORDER BY stop DESC, start DESC) = 1",
        asked,
    )
    store.parts(task.table).drop(beyond["id"].to_pylist(), stem)
    return {row["parent"]: row for row in last.to_pylist()}


def _pending_units(order: Order, jobs: dict[str, Job]) -> dict[str, int]:
    """Jobs for the videos in which a measure of pictures lacks units; how many units each has."""
    rows, has = pending(order, "video")
    videos = rows.group_by("parent", use_threads=False).aggregate([("id", "count")])
    counts = videos["id_count"].to_pylist()
    for begin, number in zip(accumulate(counts, initial=0), counts, strict=False):
        first = rows.slice(begin, 1).to_pylist()[0]
        job = _job(jobs, order.store, {**first, "id": first["parent"]})
        job.units = rows.slice(begin, number).sort_by("middle")
    return has


# running


def _run_jobs(run: Run, jobs: Sequence[Job], counts: dict[str, Count], abreast: int) -> None:
    """Some videos at a time, each decoded by its share of the cores."""
    in_seconds = any(job.watched for job in jobs)
    total = sum(round(job.duration) if in_seconds else job.pictures for job in jobs)
    what = "measure " + " ".join(run.tables) + (", seconds of video" if in_seconds else "")
    with progress(what, total) as advance, ThreadPoolExecutor(abreast) as pool:
        waiting = deque(jobs)
        futures: set[Future] = set()
        merged = 0
        try:
            while waiting or futures:
                while waiting and len(futures) < 2 * abreast:
                    futures.add(pool.submit(_do, run, waiting.popleft(), in_seconds, advance))
                for future in wait(futures, return_when=FIRST_COMPLETED).done:
                    futures.discard(future)
                    add(counts, future.result())
                if run.written - merged > MERGED:
                    merged = run.written
                    _merge(run)
        except BaseException:
            run.stop.set()  # measures write what they have and return
            for future in futures:
                future.cancel()
            for future in futures:
                if not future.cancelled() and future.exception() is None:
                    add(counts, future.result())
            raise


def _merge(run: Run) -> None:
    for table in run.tables:
        run.store.parts(table).compact(run.stem)
    for table in run.watching:
        run.store.progress(table).compact(run.stem)


def _do(run: Run, job: Job, in_seconds: bool, advance: Advance) -> dict[str, Count]:
    """Do one video; an error in it is rows, unless it concerns the measures themselves."""
    counts = {table: Count() for table in run.tables}
    if run.stop.is_set():
        return counts
    meter = Meter(advance, round(job.duration) if in_seconds else job.pictures, in_seconds)
    try:
        _open_and_watch(run, job, meter, counts)
    except BaseException:
        run.stop.set()
        raise
    meter.end()
    return counts


def _open_and_watch(run: Run, job: Job, meter: Meter, counts: dict[str, Count]) -> None:
    if job.error:
        return _fail(run, job, job.error, counts)
    try:
        video = Video(job.path, threads=run.threads)
    except MediaError as error:
        return _fail(run, job, str(error), counts)
    except Exception as error:  # whatever a decoder lets escape concerns this video only
        return _fail(run, job, f"cannot be decoded: {type(error).__name__}: {error}", counts)
    with video:
        _watch(run, job, video, meter, counts)


def _fail(run: Run, job: Job, why: str, counts: dict[str, Count]) -> None:
    """No frame of it can be had: a row a table that says why."""
    part = f"{job.number:06d}-failed"
    for table in job.watched:
        rows = timed_failure(run.watching[table].measure.schema, job.id, None, None, why)
        run.write(table, part, rows, counts[table])
        run.said(table, part, job.id, 0.0, finished=True)
    items = [item for _, item in job.items(list(run.seeing))]
    for table, task in run.seeing.items():
        if mine := [item.id for item in items if table in item.tables]:
            into, rows = failed(task, mine, [why] * len(mine))
            run.write(into, part, rows, counts[into])


def _watch(run: Run, job: Job, video: Video, meter: Meter, counts: dict[str, Count]) -> None:
    watchers = [
        Watcher(run, job, run.watching[table], resume, video.facts, video.damage, counts[table])
        for table, resume in job.watched.items()
    ]
    album = Album(run, job, counts) if job.pictures else None
    try:
        for one in watchers:
            one.start()
        _feed(run, job, video, watchers, album, meter)
        stopped = run.stop.is_set()
        for one in watchers:
            one.end(whole=not stopped)
        if album and stopped:
            album.stop()
        elif album:
            album.end(video.damage)
    except BaseException:
        run.stop.set()
        for one in watchers:
            one.end(whole=False)
        if album:
            album.close()
        raise
    if error := next((one.error for one in watchers if one.error), None):
        raise error


def _feed(run: Run, job: Job, video: Video, watchers: list[Watcher], album: Album | None, meter: Meter) -> None:
    """Decode the video once; where decoding breaks off, that is damage to its end."""
    by_ear = [one for one in watchers if one.feed.of == "sound"]
    by_eye = [one for one in watchers if one.feed.of != "sound"]
    if by_ear:
        _listen(run, job, by_ear)
    try:
        if by_eye:
            _look(run, video, by_eye, album, meter)
        elif album:
            for time, frame in video.pictures(album.times, keys=job.keys):
                album.take(time, frame)
                meter.at(time)
                if run.stop.is_set():
                    return
    except Exception as error:
        if isinstance(error, VisandaError) and not isinstance(error, MediaError):
            raise
        video.damage.append(Damage(meter.time, None, f"cannot be decoded: {type(error).__name__}: {error}"))


def _look(run: Run, video: Video, watchers: list[Watcher], album: Album | None, meter: Meter) -> None:
    """Decode the video for measures that watch it and for pictures inside it."""
    picker = Picker(album.times if album else [])
    since = min([one.since for one in watchers] + picker.left[-1:])
    for frame in video.frames(since, lead=True):
        reduced: dict[tuple[str, int], Frame] = {}  # made once for all that want the same
        for one in watchers:
            if frame.time >= one.since:
                kind = one.feed.of, one.size
                reduced[kind] = reduced.get(kind) or frame.reduced(*kind)
                one.put(reduced[kind])
        if album:
            for time, picked in picker.push(frame):
                album.take(time, picked)
        meter.at(frame.time)
        if run.stop.is_set() or (not picker.left and all(one.deaf.is_set() for one in watchers)):
            return
    if album:
        for time, picked in picker.end():
            album.take(time, picked)


def _listen(run: Run, job: Job, watchers: list[Watcher]) -> None:
    try:
        for sound in seconds_of_sound(job.path, since=min(one.since for one in watchers)):
            for one in watchers:
                if sound.time > one.since - 1:
                    one.put(sound)
            if run.stop.is_set():
                return
    except MediaError as error:
        for one in watchers:
            one.trouble = str(error)
