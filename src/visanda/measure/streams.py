"""Measures that watch videos: generators of rows with their times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec

import pyarrow as pa

from visanda.errors import InputError
from visanda.measure.columns import TIMED, Columns, Row, table_of
from visanda.measure.registry import Feed, Measure, Registered, register
from visanda.media import Facts, Video, seconds_of_sound
from visanda.units import Unit, parse

P = ParamSpec("P")

SMALLER = 180  # the shorter side of frames for a measure of video that names none


@dataclass(frozen=True)
class Stream:
    """A video as a measure watches it: frames (or seconds of sound), in order, once.

    Attributes:
        items: iterate over the stream itself.
        video: what the file is.
        last: the last row that is kept of an earlier run, where this one goes on in the middle of the video.
    """

    items: Iterator[Any]
    video: Facts
    last: Mapping[str, Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        return self.items


def stream(
    *,
    columns: Columns | Callable[..., Columns],
    of: Literal["grey", "rgb", "sound"] = "grey",
    size: int | None = 180,
    before: float = 0.0,
    behind: float = 0.0,
    pairs: bool = False,
    models: Sequence[str] = (),
    source: str,
    example: Mapping[str, Any] | None = None,
) -> Callable[[Callable[Concatenate[Stream, P], Iterator[Row]]], Registered[P]]:
    """Register a generator ``(stream, *, arguments) -> rows`` that watches a video and yields rows with their times.

    A row is a mapping with ``start`` and ``stop`` in seconds and a value for each column, in order of ``stop``.
    Where a run was stopped within a video, the next one watches from ``before`` seconds before the last kept row.

    Args:
        columns: name → type of each column, besides ``start`` and ``stop``; a function of the arguments where
            they decide.
        of: ``grey`` or ``rgb`` pictures of every frame, or ``sound``, a second at a time.
        size: the shorter side, in pixels, that frames are reduced to (never enlarged), at most 180.
        before: seconds that must be watched before rows are right.
        behind: seconds by which rows may come later than their ``stop``.
        pairs: rows compare the frame at ``start`` with the frame at ``stop``.
        models: names of the models it runs.
        source: whom to cite.
        example: arguments to try it with, needed where some have no default.

    Raises:
        InputError: there is already a measure of that name elsewhere; a column that is not known.

    Example:
        >>> @stream(columns={"brightness": float}, size=36, source="this example")
        ... def brightness_over_time(stream):
        ...     '''Mean brightness of each frame, 0 to 1.'''
        ...     for frame in stream:
        ...         yield {"start": frame.time, "stop": frame.time + frame.duration,
        ...                "brightness": frame.pixels.mean() / 255}
    """
    feed = Feed(of, before, behind, pairs)

    def decorate(implementation: Callable[Concatenate[Stream, P], Iterator[Row]]) -> Registered[P]:
        name, given = implementation.__name__, dict(example or {})
        seen = None if of == "sound" else size
        made = Registered(
            name, "video", columns, seen, tuple(models), source, given, implementation, call_on_video, feed
        )
        return register(made)

    return decorate


def call_on_video(measure: Measure, path: Any) -> dict[str, list[Any]]:
    """Run a measure of video on a file."""
    if not isinstance(path, str | Path):
        raise InputError(f"{measure.name} watches a video: give the path of one, not {type(path).__name__}")
    found = list(watch_file(measure, path))
    return {name: [row[name] for row in found] for name in ("start", "stop", *measure.columns)}


def watch(measure: Measure, stream: Stream) -> Iterator[Row]:
    """The rows of a measure that watches videos, as it yields them."""
    return iter(measure.registered.implementation(stream, **measure.arguments))


def watch_file(measure: Measure, path: str | Path, *, since: float = 0.0, last: Row | None = None) -> Iterator[Row]:
    """What a measure of video yields for one file; from a moment on, where ``last`` is the last row before it.

    Raises:
        MediaError: the file cannot be read, or has no pictures or no sound.
    """
    feed, size = measure.feed, measure.size or SMALLER
    assert feed is not None
    with Video(path) as video:
        if feed.of == "sound":
            items: Iterator[Any] = seconds_of_sound(path, since=since)
        else:
            items = (frame.reduced(feed.of, size) for frame in video.frames(since))
        yield from watch(measure, Stream(items, video.facts, last))


def timed_rows(measure: Measure, video: str, found: Sequence[Row]) -> pa.Table:
    """What a measure of video yielded, as rows of its table.

    Args:
        measure: that yielded them.
        video: the video's id.
        found: rows: start, stop and the declared columns.

    Raises:
        InputError: columns that it did not declare, values of another type, or no times.
    """
    wanted = {"start", "stop", *measure.columns}
    if wrong := next((row for row in found if set(row) != wanted), None):
        raise InputError(f"the measure {measure.name} declared {sorted(wanted)} and yielded {sorted(wrong)}")
    start = [round(float(row["start"]), 6) for row in found]
    stop = [round(float(row["stop"]), 6) for row in found]
    keys = {
        "id": [timed_id(video, *times) for times in zip(start, stop, strict=True)],
        "parent": [video] * len(found),
        "start": start,
        "stop": stop,
    }
    values = {name: [row[name] for row in found] for name in measure.columns}
    return table_of(measure.name, TIMED, keys, measure.columns, values)


def timed_id(video: str, start: float, stop: float) -> str:
    """The id of a moment or a stretch of a video."""
    return Unit(parse(video).name, (start,) if start == stop else (start, stop)).id


def timed_failure(schema: pa.Schema, video: str, start: float | None, stop: float | None, why: str) -> pa.Table:
    """A row that says what of a video could not be measured: a stretch, or with no times all of it."""
    id = video if start is None or stop is None else timed_id(video, start, stop)
    own = {"id": [id], "parent": [video], "start": [start], "stop": [stop], "error": [why]}
    columns = [pa.array(own.get(field.name, [None]), field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)
