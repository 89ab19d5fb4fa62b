"""The registry of all measures there are; a measure with its arguments, which runs, pickles and is described."""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Concatenate, Generic, Literal, ParamSpec

import pyarrow as pa

from visanda.arguments import Argument, arguments_of
from visanda.errors import InputError, VisandaWarning
from visanda.measure.columns import FOUND, ID, TIMED, Columns, ColumnType, check_columns, schema_of
from visanda.models import Model, model
from visanda.units import KINDS

P = ParamSpec("P")

ENTRY_POINTS = "visanda.measures"
THINGS = ("face", "object", "line")  # kinds of units that are found in pictures
OURS = EntryPoint("visanda", "visanda.measures", ENTRY_POINTS)  # ours come in as those of other packages do


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
class Finds:
    """What a measure finds in pictures.

    Attributes:
        kind: of the things: ``face``, ``object`` or ``line``.
        per_picture: columns of each picture's own row: name → type, or a function of the arguments that gives them.
    """

    kind: str
    per_picture: Columns | Callable[..., Columns]


@dataclass(frozen=True)
class Registered(Generic[P]):
    """What a decorator such as ``@measure`` recorded: calling it with arguments makes a :class:`Measure`.

    Attributes:
        name: the function's.
        on: the kind of unit measured.
        columns: name → type of each column, or a function of the arguments that gives them.
        size: the shorter side in pixels that pictures are reduced to before, or a function of the arguments that
            gives it; ``None``: every pixel.
        models: names of the models it runs, or a function of the arguments that gives their cards.
        source: whom to cite.
        example: arguments to try it with; those without a default must be among them.
        implementation: the function.
        call: how the measure with its arguments runs on what a user gives it.
        feed: how a measure that watches videos is fed; ``None`` for measures of pictures.
        finds: what a measure finds in pictures; ``None`` for those with one row a picture.
    """

    name: str
    on: str
    columns: Columns | Callable[..., Columns]
    size: int | Callable[..., int | None] | None
    models: tuple[str, ...] | Callable[..., Sequence[Model]]
    source: str
    example: Mapping[str, Any]
    implementation: Callable[Concatenate[Any, P], Any]
    call: Callable[[Measure, Any], Mapping[str, Any]]
    feed: Feed | None = None
    finds: Finds | None = None

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
        check_columns(self.name, made.columns, FOUND if self.finds else TIMED)
        check_columns(self.name, made.per_picture)
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
        size = self.registered.size
        return size(**self.arguments) if callable(size) else size

    @property
    def finds(self) -> Finds | None:
        """What it finds in pictures; ``None`` where it gives one row a picture."""
        return self.registered.finds

    @property
    def columns(self) -> dict[str, ColumnType]:
        """Its columns and their types."""
        return self._declared(self.registered.columns)

    @property
    def per_picture(self) -> dict[str, ColumnType]:
        """The columns of each picture's own row, where it finds things in pictures."""
        return self._declared(self.finds.per_picture) if self.finds else {}

    def _declared(self, declared: Columns | Callable[..., Columns]) -> dict[str, ColumnType]:
        return dict(declared(**self.arguments) if callable(declared) else declared)

    @property
    def models(self) -> list[Model]:
        """The cards of the models it runs."""
        models = self.registered.models
        return list(models(**self.arguments)) if callable(models) else [model(name) for name in models]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of its table: what names a unit, its columns, error."""
        return schema_of(TIMED if self.feed else FOUND if self.finds else [ID], self.columns)

    @property
    def schema_per_picture(self) -> pa.Schema:
        """The Arrow schema of the table with a row a picture, where it finds things in pictures."""
        return schema_of([ID], self.per_picture)

    def __call__(self, images: Any) -> Mapping[str, Any]:
        """Measure pictures: columns by name, each with one value a picture, in order. Or watch one video.

        Args:
            images: a list of pictures, each of which :meth:`visanda.media.Image.of` accepts; larger ones are
                reduced to the measure's size first, so that a corpus and a list give the same numbers. For a
                measure of faces, a list of :class:`visanda.media.Detail`. For a measure of video, the path of a
                video: the columns then begin with ``start`` and ``stop``. Where things are found in pictures, they
                begin with ``picture`` (its number in the list), ``x``, ``y``, ``width`` and ``height``.

        Raises:
            InputError: a single picture instead of a list, or something that is no picture or no video.
            MediaError: a file cannot be read.
        """
        return self.registered.call(self, images)

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


class _Registry(dict[str, Registered[...]]):
    """All measures by name; visanda's own and other packages' are loaded when a name is not known yet."""

    def __missing__(self, name: str) -> Registered[...]:
        for entry in (OURS, *entry_points(group=ENTRY_POINTS, name=name)):
            if name not in self:
                entry.load()
        if name in self:
            return self[name]
        close = get_close_matches(name, self, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        raise InputError(f"there is no measure {name!r}{hint} There are: {', '.join(sorted(self))}")


_registry = _Registry()


def register(made: Registered[P]) -> Registered[P]:
    """Put a measure into the registry.

    Raises:
        InputError: there is already one of that name elsewhere; a column or a kind of unit that is not known.
    """
    if made.on not in KINDS:
        raise InputError(f"a measure is on one of {', '.join(KINDS)}, not {made.on!r}")
    there = _registry.get(made.name)
    if there and there.implementation.__module__ != made.implementation.__module__:
        raise InputError(f"there is already a measure {made.name!r}, in {there.implementation.__module__}")
    if not callable(made.columns):
        check_columns(made.name, made.columns, FOUND if made.finds else TIMED)
    if made.finds and made.finds.kind not in THINGS:
        raise InputError(f"a measure finds one of {', '.join(THINGS)}, not {made.finds.kind!r}")
    if made.finds and not callable(made.finds.per_picture):
        check_columns(made.name, made.finds.per_picture)
    _registry[made.name] = made
    return made


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
    OURS.load()
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            find(entry.name)
        except Exception as error:  # whatever another package's code does must not take our measures away
            warnings.warn(f"{entry.value} brings no measure {entry.name!r}: {error}", VisandaWarning, stacklevel=2)
    return iter([_registry[name] for name in sorted(_registry)])
