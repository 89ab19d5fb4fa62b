"""Listing frames: which moments of each video are chosen, as rows of a table; nothing is written but these."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from visanda import runs
from visanda.errors import InputError, MediaError
from visanda.measure import TIMED, timed_failure, timed_id
from visanda.media import Video
from visanda.media.choose import LOOKS, Moment, at_steps, by_looks, distinct, every_nth, in_shots, key_frames
from visanda.progress import progress
from visanda.run.jobs import PROGRESS
from visanda.run.tasks import Count, add, count
from visanda.run.videos import THREADS, done
from visanda.store import Store, quoted

SCHEMA = pa.schema([*TIMED, pa.field("key", pa.bool_()), pa.field("shot", pa.string()), pa.field("error", pa.string())])


@dataclass(frozen=True)
class Choice:
    """Which frames to choose; one of the first four.

    Attributes:
        every: seconds between frames.
        nth: each n-th frame.
        keyframes: the frames that are decoded without others.
        per_shot: first, middle, last, sharpest or representative of each shot.
        count: how many a shot.
        distinct: leave out frames that differ less than this from the one kept before, 0 to 1.
    """

    every: float | None = None
    nth: int | None = None
    keyframes: bool = False
    per_shot: str | None = None
    count: int = 1
    distinct: float | None = None

    def __post_init__(self) -> None:
        ways = [self.every is not None, self.nth is not None, self.keyframes, self.per_shot is not None]
        if sum(ways) != 1:
            raise InputError("choose frames in one way: --every 1s, --nth 25, --keyframes or --per-shot middle")
        if self.every is not None and self.every < 0.001:
            raise InputError(f"--every must be at least a millisecond, not {self.every:g} seconds")
        if (self.nth is not None and self.nth < 1) or self.count < 1:
            raise InputError("--nth and --count must be at least 1")
        if self.count > 1 and self.per_shot in (None, "first", "last"):
            raise InputError("--count goes with --per-shot middle, sharpest or representative")
        if self.distinct is not None and not 0 < self.distinct < 1:
            raise InputError(f"--distinct must lie between 0 and 1, such as 0.02, not {self.distinct:g}")

    def arguments(self) -> dict[str, Any]:
        """What was asked for."""
        given = {name: value for name, value in asdict(self).items() if value not in (None, False)}
        return given if self.per_shot else {name: value for name, value in given.items() if name != "count"}

    def of(self, video: Video, shots: Sequence[tuple[float, float]]) -> list[Moment]:
        """The frames of one video, in order."""
        if self.per_shot in LOOKS:
            found = by_looks(video, shots, self.per_shot, self.count)
        else:
            times, keys = video.moments()
            if self.every is not None:
                found = at_steps(times, keys, self.every, video.facts.duration or 0.0)
            elif self.nth is not None:
                found = every_nth(times, keys, self.nth)
            elif self.keyframes:
                found = key_frames(times, keys)
            else:
                found = in_shots(times, keys, shots, self.per_shot or "middle", self.count)
        return found if self.distinct is None else distinct(video, found, self.distinct)


def description(choice: Choice) -> dict[str, Any]:
    """What stands in ``measure.json`` of a table of frames."""
    return {
        "name": "frames",
        "arguments": choice.arguments(),
        "summary": "Frames of videos, by the time at which they are shown.",
        "source": "presentation time stamps; ids as W3C Media Fragments (Troncy et al. 2012)",
        "on": "video",
        "size": None,
        "columns": {field.name: str(field.type) for field in SCHEMA if field.name in ("key", "shot")},
        "models": [],
        "created": date.today().isoformat(),
        "versions": runs.versions(),
    }


def list_frames(
    store: Store, table: str, choice: Choice, stem: str, *, where: str | None, workers: int
) -> tuple[Count, int]:
    """List the chosen frames of every video that the table lacks; what was listed, and how many were done before."""
    videos = store.query(
        f"SELECT id, path, error FROM media WHERE kind = 'video' AND ({where or 'true'}) ORDER BY id"
    ).to_pylist()
    finished = {id for id, (_, ended) in done(store, table).items() if ended}
    todo = [row for row in videos if row["id"] not in finished]
    if table in store.tables():
        ids = [row["id"] for row in todo]
        late = store.query(f"SELECT id FROM {quoted(table)} WHERE parent IN (SELECT unnest(?))", [ids])
        store.parts(table).drop(late["id"].to_pylist(), stem)  # written by a run that was killed
    shots = _shots(store) if choice.per_shot else {}
    whole, stop = Count(), threading.Event()
    threads = max(1, min(THREADS, workers // max(1, len(todo))))

    def one(number: int, row: dict[str, Any]) -> Count:
        if stop.is_set():
            return Count()
        path, mine = str(store.resolve(row["path"])), shots.get(row["id"], [])
        found = _of_one(choice, row["id"], path, row["error"], mine, threads)
        if len(found):
            store.parts(table).append(found, f"{stem}-{number:06d}")
        said = pa.table({"id": [row["id"]], "until": [0.0], "finished": [True]}, schema=PROGRESS)
        store.progress(table).append(said, f"{stem}-{number:06d}")
        return count(found)

    with progress("frames, videos", len(todo)) as advance, ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(one, number, row) for number, row in enumerate(todo)]
        try:
            for future in as_completed(futures):
                add({"": whole}, {"": future.result()})
                advance(1)
        except BaseException:
            stop.set()
            raise
    store.parts(table).compact(stem)
    store.progress(table).compact(stem)
    return whole, len(finished & {row["id"] for row in videos})


def _shots(store: Store) -> dict[str, list[tuple[str, float, float]]]:
    store.require("shots", "'visanda measure shots' first")
    rows = store.query("SELECT id, parent, start, stop FROM shots WHERE error IS NULL ORDER BY parent, start")
    found: dict[str, list[tuple[str, float, float]]] = {}
    for row in rows.to_pylist():
        found.setdefault(row["parent"], []).append((row["id"], row["start"], row["stop"]))
    return found


def _of_one(
    choice: Choice, id: str, path: str, error: str | None, shots: list[tuple[str, float, float]], threads: int
) -> pa.Table:
    """The rows of one video; what could not be read is a row that says so."""
    if error:
        return timed_failure(SCHEMA, id, None, None, error)
    try:
        with Video(path, threads=threads) as video:
            found = choice.of(video, [(start, stop) for _, start, stop in shots])
            length = video.facts.duration or 0.0
            failed = [
                timed_failure(
                    SCHEMA, id, one.start, one.stop if one.stop is not None else max(one.start, length), one.why
                )
                for one in video.damage
            ]
    except MediaError as trouble:
        return timed_failure(SCHEMA, id, None, None, str(trouble))
    except Exception as trouble:  # whatever a decoder lets escape concerns this video only
        return timed_failure(SCHEMA, id, None, None, f"cannot be decoded: {type(trouble).__name__}: {trouble}")
    rows = {
        "id": [timed_id(id, one.time, one.time) for one in found],
        "parent": [id] * len(found),
        "start": [one.time for one in found],
        "stop": [one.time for one in found],
        "key": [one.key for one in found],
        "shot": [None if one.shot is None else shots[one.shot][0] for one in found],
        "error": [None] * len(found),
    }
    return pa.concat_tables([pa.table(rows, schema=SCHEMA), *failed])
