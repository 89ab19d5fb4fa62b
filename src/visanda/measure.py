"""What a measure is: a batch of pictures in, columns out; and the registry of all there are."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Any, get_origin, get_type_hints

import numpy as np
import pyarrow as pa

from visanda.errors import InputError
from visanda.media import Image
from visanda.models import Model, model


@dataclass(frozen=True)
class Vector:
    """A column that holds one vector of ``length`` numbers a unit, stored as float16."""

    length: int


ColumnType = type | Vector | Any  # float, int, bool, str, list[float], list[str] or a Vector
Columns = Mapping[str, ColumnType]

ARROW = {
    float: pa.float64(),
    int: pa.int64(),
    bool: pa.bool_(),
    str: pa.string(),
    list[float]: pa.list_(pa.float64()),
    list[str]: pa.list_(pa.string()),
}


def arrow_type(declared: ColumnType) -> pa.DataType:
    """The Arrow type that a declared column is stored as.

    Vectors are lists of variable length, because Parquet readers lose a null inside a fixed-size list.
    """
    return pa.list_(pa.float16()) if isinstance(declared, Vector) else ARROW[declared]


@dataclass(frozen=True)
class Registered:
    """What ``@measure`` recorded: calling it with arguments makes a :class:`Measure`."""

    name: str
    on: str
    columns: Columns | Callable[..., Columns]
    size: int | None
    models: tuple[str, ...]
    source: str
    implementation: Callable[..., Any]

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.implementation) or self.name).splitlines()[0]

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """The arguments it takes, by name."""
        found = inspect.signature(self.implementation).parameters.values()
        return {p.name: p for p in found if inspect.isclass(self.implementation) or p.kind == p.KEYWORD_ONLY}

    def __call__(self, **arguments: Any) -> Measure:
        """The measure with these arguments.

        Raises:
            InputError: an argument it does not take, or one it needs and did not get.
        """
        known = self.parameters
        for given in arguments:
            if given not in known:
                takes = ", ".join(known) or "no arguments"
                raise InputError(f"the measure {self.name} has no argument {given!r}; it takes: {takes}")
        hints = get_type_hints(
            self.implementation.__init__ if inspect.isclass(self.implementation) else self.implementation
        )
        full = {}
        for name, parameter in known.items():
            if name not in arguments and parameter.default is parameter.empty:
                raise InputError(f"the measure {self.name} needs --{name}")
            value = arguments.get(name, parameter.default)
            full[name] = _as_declared(f"{self.name}'s {name}", value, hints.get(name, str))
        return Measure(self.name, full)


def _as_declared(what: str, value: Any, hint: Any) -> Any:
    """An argument from the command line or from JSON, as the signature declares it."""
    if get_origin(hint) is list:
        items = value.split(",") if isinstance(value, str) else value
        return [str(item).strip() for item in items if str(item).strip()]
    try:
        return hint(value) if isinstance(hint, type) and not isinstance(value, hint) else value
    except ValueError:
        raise InputError(f"{what} must be {hint.__name__}, not {value!r}") from None


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
    def registered(self) -> Registered:
        """What was registered under its name."""
        return find(self.name)

    @property
    def on(self) -> str:
        """The kind of unit it measures."""
        return self.registered.on

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
        """The Arrow schema of its table: id, its columns, error."""
        fields = [pa.field(name, arrow_type(declared)) for name, declared in self.columns.items()]
        return pa.schema([pa.field("id", pa.string()), *fields, pa.field("error", pa.string())])

    def __call__(self, images: Sequence[Any]) -> dict[str, Any]:
        """Measure pictures: columns by name, each with one value a picture, in order.

        Args:
            images: pictures (:class:`visanda.media.Image`), arrays (H, W, 3) of uint8 RGB, or paths.
        """
        if not all(isinstance(image, Image) for image in images):
            images = [Image.of(image) for image in images]
        implementation = self.registered.implementation
        if inspect.isclass(implementation):
            return implementation(**self.arguments)(images)
        return implementation(images, **self.arguments)

    def to_json(self) -> str:
        """Name and arguments as JSON; :meth:`from_json` builds the measure again."""
        return json.dumps({"name": self.name, "arguments": self.arguments}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Measure:
        """The measure that :meth:`to_json`, or a table's ``measure.json``, describes."""
        described = json.loads(text)
        return find(described["name"])(**described["arguments"])


class _Registry(dict[str, Registered]):
    """All measures by name; those of other packages are looked for when a name is not known."""

    def __missing__(self, name: str) -> Registered:
        for entry in entry_points(group="visanda.measures"):
            if entry.name == name:
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
) -> Callable[[Callable[..., Any]], Registered]:
    """Register a function ``(images, *, arguments) -> columns``, or a class whose ``__call__`` does that.

    Args:
        columns: name → type of each column; a function of the arguments where they decide.
        on: the kind of unit measured.
        size: the shorter side, in pixels, that pictures are reduced to (never enlarged) before they are
            measured, so that values compare between resolutions; ``None``: every pixel is needed.
        models: names of the models it runs.
        source: whom to cite.

    Raises:
        InputError: there is already a measure of that name.
    """

    def register(implementation: Callable[..., Any]) -> Registered:
        name = implementation.__name__
        if name in _registry:
            raise InputError(f"there is already a measure {name!r}")
        registered = Registered(name, on, columns, size, tuple(models), source, implementation)
        object.__setattr__(registered, "__doc__", inspect.getdoc(implementation))
        _registry[name] = registered
        return registered

    return register


def find(name: str) -> Registered:
    """The measure registered under ``name``.

    Raises:
        InputError: there is none; says which there are.
    """
    return _registry[name]


def registered() -> Iterator[Registered]:
    """Every registered measure, by name, those of installed packages included."""
    for entry in entry_points(group="visanda.measures"):
        if entry.name not in _registry:
            entry.load()
    return iter([_registry[name] for name in sorted(_registry)])


def nulls(measure: Measure, ids: Sequence[str], errors: Sequence[str]) -> pa.Table:
    """Rows of units that could not be measured: every column null, and why."""
    columns = {name: pa.nulls(len(ids), measure.schema.field(name).type) for name in measure.columns}
    return pa.table({"id": list(ids), **columns, "error": list(errors)}, schema=measure.schema)


def rows(measure: Measure, ids: Sequence[str], values: Mapping[str, Any]) -> pa.Table:
    """What a measure returned, as rows of its table.

    Raises:
        InputError: columns that it did not declare, or not one value a unit.
    """
    if set(values) != set(measure.columns):
        raise InputError(
            f"the measure {measure.name} declared {sorted(measure.columns)} and returned {sorted(values)}"
        )
    columns: dict[str, Any] = {"id": list(ids)}
    for name, declared in measure.columns.items():
        if len(values[name]) != len(ids):
            raise InputError(f"{measure.name}: {len(values[name])} values of {name} for {len(ids)} units")
        columns[name] = _arrow_array(values[name], declared)
    columns["error"] = pa.nulls(len(ids), pa.string())
    return pa.table(columns, schema=measure.schema)


def _arrow_array(values: Any, declared: ColumnType) -> pa.Array:
    if isinstance(declared, Vector):
        matrix = np.asarray(values, np.float16).reshape(len(values), declared.length)
        offsets = pa.array(np.arange(len(matrix) + 1, dtype=np.int32) * declared.length)
        return pa.ListArray.from_arrays(offsets, pa.array(matrix.ravel()))
    if declared is float:
        array = np.asarray(values, float)
        return pa.array(array, mask=np.isnan(array))  # what cannot be computed is null, not NaN
    if isinstance(values, np.ndarray):
        values = values.tolist()
    return pa.array(values, arrow_type(declared))
