"""What a measure is: a batch of pictures in, columns out; and the registry of all there are."""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import GenericAlias
from typing import Any, Concatenate, Generic, Literal, ParamSpec

import numpy as np
import pyarrow as pa

from visanda.arguments import Argument, arguments_of
from visanda.errors import InputError, VisandaWarning
from visanda.media import Facts, Image, Video, at_sizes, load, seconds_of_sound
from visanda.models import Model, model
from visanda.units import KINDS, Unit, parse

P = ParamSpec("P")

ENTRY_POINTS = "visanda.measures"
OWN = EntryPoint("visanda", "visanda.measures", ENTRY_POINTS)  # ours come in as those of other packages do


@dataclass(frozen=True)
class Vector:
    """A column that holds one vector of ``length`` numbers a unit, stored as float16."""

    length: int


ColumnType = type | GenericAlias | Vector  # float, int, bool, str, list[float], list[str] or a Vector
Columns = Mapping[str, ColumnType]
Row = Mapping[str, Any]  # of a measure that watches videos: start, stop and its columns

ARROW: dict[object, pa.DataType] = {
    float: pa.float64(),
    int: pa.int64(),
    bool: pa.bool_(),
    str: pa.string(),
    list[float]: pa.list_(pa.float64()),
    list[str]: pa.list_(pa.string()),
}
SMALLER = 180  # the shorter side of frames for a measure of video that names none
TIMED = [  # the columns that every table of units inside videos begins with
    pa.field("id", pa.string()),
    pa.field("parent", pa.string()),
    pa.field("start", pa.float64()),
    pa.field("stop", pa.float64()),
]


def arrow_type(declared: ColumnType) -> pa.DataType:
    """The Arrow type that a declared column is stored as.

    Vectors are lists of variable length, because Parquet readers lose a null inside a fixed-size list.
    """
    return pa.list_(pa.float16()) if isinstance(declared, Vector) else ARROW[declared]


@dataclass(frozen=True)
class Feed:
    """What a measure that watches videos is fed with.

    Attributes:
        of: ``grey`` or ``rgb`` pictures, every frame in order; or ``sound``, a second at a time.
        before: seconds of video that it must have seen before its rows are right: what is watched again where
            a run goes on in the middle of a video.
        behind: seconds by which its rows may come later than the frames that they are about.
        pairs: a row compares the frame at ``start`` with the frame at ``stop``, so that it is inside a shot only if
            both are.
    """

    of: Literal["grey", "rgb", "sound"]
    before: float
    behind: float
    pairs: bool = False


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


@dataclass(frozen=True)
class Registered(Generic[P]):
    """What ``@measure`` recorded: calling it with arguments makes a :class:`Measure`.

    Attributes:
        name: the function's.
        on: the kind of unit measured.
        columns: name → type of each column, or a function of the arguments that gives them.
        size: the shorter side in pixels that pictures are reduced to before; ``None``: every pixel.
        models: names of the models it runs.
        source: whom to cite.
        example: arguments to try it with; those without a default must be among them.
        implementation: the function.
        feed: how a measure that watches videos is fed; ``None`` for measures of pictures.
    """

    name: str
    on: str
    columns: Columns | Callable[..., Columns]
    size: int | None
    models: tuple[str, ...]
    source: str
    example: Mapping[str, Any]
    implementation: Callable[Concatenate[Any, P], Any]
    feed: Feed | None = None

    def __post_init__(self) -> None:
        signature = inspect.signature(self.implementation)
        mine = [signature.parameters[name] for name in self.parameters]
        # help(vi.colour) and a notebook's completion show the function's words and arguments.
        object.__setattr__(self, "__doc__", inspect.getdoc(self.implementation))
        object.__setattr__(self, "__signature__", signature.replace(parameters=mine, return_annotation=Measure))

    def __reduce__(self) -> tuple[Callable[[str], Registered[...]], tuple[str]]:
        return find, (self.name,)

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (self.__doc__ or self.name).splitlines()[0]

    @property
    def parameters(self) -> dict[str, Argument]:
        """The arguments it takes, by name."""
        return arguments_of(self.implementation)

    def __call__(self, *positional: P.args, **arguments: P.kwargs) -> Measure:
        """The measure with these arguments.

        Raises:
            InputError: an argument it does not take, or one it needs and did not get, or a value that does not fit.
        """
        known = self.parameters
        takes = ", ".join(known) or "no arguments"
        if positional:
            raise InputError(f"name the arguments of {self.name}, as in name=value; it takes: {takes}")
        for given in arguments:
            if given not in known:
                raise InputError(f"the measure {self.name} has no argument {given!r}; it takes: {takes}")
        made = Measure(self.name, {name: one.read(self.name, arguments) for name, one in known.items()})
        _check_columns(self.name, made.columns)
        return made


@dataclass(frozen=True)
class Measure:
    """One registered measure with its arguments: runs on pictures, pickles, and stands in ``measure.json``.

    >>> import visanda as vi
    >>> vi.colour(colours=3).columns["colourfulness"]
    <class 'float'>
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def registered(self) -> Registered[...]:
        """What was registered under its name."""
        return find(self.name)

    @property
    def on(self) -> str:
        """The kind of unit it measures."""
        return self.registered.on

    @property
    def feed(self) -> Feed | None:
        """How it is fed where it watches videos; ``None`` where it measures pictures."""
        return self.registered.feed

    @property
    def size(self) -> int | None:
        """The shorter side in pixels that pictures are reduced to before; ``None``: every pixel."""
        return self.registered.size

    @property
    def columns(self) -> dict[str, ColumnType]:
        """Its columns and their types."""
        declared = self.registered.columns
        return dict(declared(**self.arguments) if callable(declared) else declared)

    @property
    def models(self) -> list[Model]:
        """The cards of the models it runs."""
        return [model(name) for name in self.registered.models]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of its table: id, its columns, error; with parent, start and stop inside videos."""
        fields = [pa.field(name, arrow_type(declared)) for name, declared in self.columns.items()]
        own = TIMED if self.feed else [pa.field("id", pa.string())]
        return pa.schema([*own, *fields, pa.field("error", pa.string())])

    def __call__(self, images: Sequence[Any]) -> Mapping[str, Any]:
        """Measure pictures: columns by name, each with one value a picture, in order. Or watch one video.

        Args:
            images: a list of pictures, each of which :meth:`visanda.media.Image.of` accepts; larger ones are
                reduced to the measure's size first, so that a corpus and a list give the same numbers. For a
                measure of video, the path of a video: the columns then begin with ``start`` and ``stop``.

        Raises:
            InputError: a single picture instead of a list, or something that is no picture or no video.
            MediaError: a file cannot be read.
        """
        if self.feed:
            return self._of_video(images)
        if isinstance(images, str | Path | Image) or (isinstance(images, np.ndarray) and images.ndim != 4):
            raise InputError(f"{self.name} measures a list of pictures: put a single one in [ ]")
        prepared = [_prepared(image, self.size) for image in images]
        return self.registered.implementation(prepared, **self.arguments)

    def _of_video(self, path: Any) -> dict[str, list[Any]]:
        if not isinstance(path, str | Path):
            raise InputError(f"{self.name} watches a video: give the path of one, not {type(path).__name__}")
        found = list(watch_file(self, path))
        return {name: [row[name] for row in found] for name in ("start", "stop", *self.columns)}

    def to_json(self) -> str:
        """Name and arguments as JSON; :meth:`from_json` builds the measure again."""
        return json.dumps({"name": self.name, "arguments": self.arguments}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Measure:
        """The measure that :meth:`to_json`, or a table's ``measure.json``, describes.

        Raises:
            InputError: the text is no such description, or the measure is not installed.
        """
        try:
            described = json.loads(text)
            name, arguments = described["name"], described["arguments"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"this does not describe a measure: {text[:80]!r}") from error
        return find(name)(**arguments)


def _prepared(thing: Any, size: int | None) -> Image:
    """A picture as the measure must see it: what the runner decodes, or reduced to the same size."""
    if isinstance(thing, str | Path):
        return load(thing, size)
    return at_sizes(Image.of(thing), [size])[size]


class _Registry(dict[str, Registered[...]]):
    """All measures by name; visanda's own and other packages' are loaded when a name is not known yet."""

    def __missing__(self, name: str) -> Registered[...]:
        for entry in (OWN, *entry_points(group=ENTRY_POINTS, name=name)):
            if name not in self:
                entry.load()
        if name in self:
            return self[name]
        close = get_close_matches(name, self, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        raise InputError(f"there is no measure {name!r}{hint} There are: {', '.join(sorted(self))}")


_registry = _Registry()


def measure(
    *,
    columns: Columns | Callable[..., Columns],
    on: str = "image",
    size: int | None = None,
    models: Sequence[str] = (),
    source: str,
    example: Mapping[str, Any] | None = None,
) -> Callable[[Callable[Concatenate[Sequence[Image], P], Mapping[str, Any]]], Registered[P]]:
    """Register a function ``(images, *, arguments) -> columns``.

    A function defined again under the same name in the same module, as in a notebook's cell, takes its place.

    Args:
        columns: name → type of each column; a function of the arguments where they decide.
        on: the kind of unit measured.
        size: the shorter side, in pixels, that pictures are reduced to (never enlarged) before they are
            measured, so that values compare between resolutions; ``None``: every pixel is needed.
        models: names of the models it runs.
        source: whom to cite.
        example: arguments to try it with, needed where some have no default.

    Raises:
        InputError: there is already a measure of that name elsewhere; a column, an argument or a kind of unit
            that is not known.

    Example:
        >>> @measure(columns={"greenness": float}, size=64, source="this example")
        ... def greenness(images):
        ...     '''Mean of the green channel, 0 to 1.'''
        ...     return {"greenness": [image.pixels[:, :, 1].mean() / 255 for image in images]}
        >>> greenness()([np.full((2, 2, 3), 255, np.uint8)])
        {'greenness': [np.float64(1.0)]}
    """
    if on not in KINDS:
        raise InputError(f"a measure is on one of {', '.join(KINDS)}, not {on!r}")

    def register(implementation: Callable[Concatenate[Sequence[Image], P], Mapping[str, Any]]) -> Registered[P]:
        name = implementation.__name__
        made = Registered(name, on, columns, size, tuple(models), source, dict(example or {}), implementation)
        return _registered(made)

    return register


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

    def register(implementation: Callable[Concatenate[Stream, P], Iterator[Row]]) -> Registered[P]:
        name, given = implementation.__name__, dict(example or {})
        seen = None if of == "sound" else size
        made = Registered(name, "video", columns, seen, tuple(models), source, given, implementation, feed)
        return _registered(made)

    return register


def _registered(made: Registered[P]) -> Registered[P]:
    there = _registry.get(made.name)
    if there and there.implementation.__module__ != made.implementation.__module__:
        raise InputError(f"there is already a measure {made.name!r}, in {there.implementation.__module__}")
    if not callable(made.columns):
        _check_columns(made.name, made.columns)
    _registry[made.name] = made
    return made


def _check_columns(name: str, columns: Columns) -> None:
    for column, declared in columns.items():
        if column in ("id", "parent", "start", "stop", "error"):
            raise InputError(f"the measure {name} cannot have a column {column!r}: every table has its own")
        if not isinstance(declared, Vector) and declared not in ARROW:
            kinds = ", ".join(getattr(one, "__name__", str(one)) for one in (float, int, bool, str))
            raise InputError(
                f"the column {column!r} of {name} must be {kinds}, list[float], list[str] or Vector(length), "
                f"not {declared!r}"
            )


def find(name: str) -> Registered[...]:
    """The measure registered under ``name``.

    Raises:
        InputError: there is none; says which there are.
    """
    return _registry[name]


def registered() -> Iterator[Registered[...]]:
    """Every registered measure, by name, those of installed packages included.

    Warns:
        VisandaWarning: an installed package's measure cannot be loaded; the others are there.
    """
    OWN.load()
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            find(entry.name)
        except Exception as error:  # whatever another package's code does must not take our measures away
            warnings.warn(f"{entry.value} brings no measure {entry.name!r}: {error}", VisandaWarning, stacklevel=2)
    return iter([_registry[name] for name in sorted(_registry)])


def nulls(measure: Measure, ids: Sequence[str], errors: Sequence[str]) -> pa.Table:
    """Rows of units that could not be measured: every column null, and why."""
    columns = {name: pa.nulls(len(ids), arrow_type(declared)) for name, declared in measure.columns.items()}
    return pa.table({"id": list(ids), **columns, "error": list(errors)}, schema=measure.schema)


def rows(measure: Measure, ids: Sequence[str], values: Mapping[str, Any]) -> pa.Table:
    """What a measure returned, as rows of its table; NaN, which nothing could compute, is null.

    Raises:
        InputError: columns that it did not declare, not one value a unit, or values of another type.
    """
    declared = measure.columns
    if set(values) != set(declared):
        raise InputError(f"the measure {measure.name} declared {sorted(declared)} and returned {sorted(values)}")
    columns: dict[str, Any] = {"id": list(ids)}
    for name, kind in declared.items():
        if len(values[name]) != len(ids):
            raise InputError(f"{measure.name}: {len(values[name])} values of {name} for {len(ids)} units")
        try:
            columns[name] = _arrow_array(values[name], kind)
        except (ValueError, TypeError) as error:  # Arrow's own errors are among them
            raise InputError(f"{measure.name}: the values of {name} are not {kind}: {error}") from error
    columns["error"] = pa.nulls(len(ids), pa.string())
    return pa.table(columns, schema=measure.schema)


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
    ids = [timed_id(video, *times) for times in zip(start, stop, strict=True)]
    values = {name: [row[name] for row in found] for name in measure.columns}
    table = {"id": ids, "parent": [video] * len(ids), "start": start, "stop": stop}
    for name, kind in measure.columns.items():
        try:
            table[name] = _arrow_array(values[name], kind)
        except (ValueError, TypeError) as error:
            raise InputError(f"{measure.name}: the values of {name} are not {kind}: {error}") from error
    table["error"] = pa.nulls(len(ids), pa.string())
    return pa.table(table, schema=measure.schema)


def timed_id(video: str, start: float, stop: float) -> str:
    """The id of a moment or a stretch of a video."""
    return Unit(parse(video).name, (start,) if start == stop else (start, stop)).id


def timed_failure(schema: pa.Schema, video: str, start: float | None, stop: float | None, why: str) -> pa.Table:
    """A row that says what of a video could not be measured: a stretch, or with no times all of it."""
    id = video if start is None or stop is None else timed_id(video, start, stop)
    own = {"id": [id], "parent": [video], "start": [start], "stop": [stop], "error": [why]}
    columns = [pa.array(own.get(field.name, [None]), field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _arrow_array(values: Any, declared: ColumnType) -> pa.Array:
    if isinstance(declared, Vector):
        matrix = np.asarray(values, np.float16).reshape(len(values), declared.length)
        offsets = pa.array(np.arange(len(matrix) + 1, dtype=np.int32) * declared.length)
        unknown = pa.array(~np.isfinite(matrix).all(axis=1))
        return pa.ListArray.from_arrays(offsets, pa.array(matrix.ravel()), mask=unknown)
    if isinstance(values, np.ndarray):
        values = values.tolist()
    return pa.array(values, arrow_type(declared), from_pandas=True)
