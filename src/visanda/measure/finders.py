"""Measures that find things in pictures: faces, objects, lines of text; a picture in, any number of rows out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec

import pyarrow as pa

from visanda.errors import InputError
from visanda.measure.columns import FOUND, ID, Columns, Row, table_of
from visanda.measure.pictures import prepared
from visanda.measure.registry import Finds, Measure, Registered, register
from visanda.media import Image
from visanda.models import Model
from visanda.units import Box, Unit, parse

P = ParamSpec("P")


@dataclass(frozen=True)
class Found:
    """What was found in one picture.

    Attributes:
        things: a row each: ``box``, (x, y, width, height) in pixels of the original upright picture, which may
            reach beyond its border; and a value for each of the measure's columns.
        picture: the picture's own row, with a value for each of the columns ``per_picture``.
    """

    things: Sequence[Row]
    picture: Row


def finder(
    *,
    finds: str,
    columns: Columns | Callable[..., Columns],
    per_picture: Columns | Callable[..., Columns],
    size: int | None = None,
    models: Sequence[str] | Callable[..., Sequence[Model]] = (),
    source: str,
    example: Mapping[str, Any] | None = None,
) -> Callable[[Callable[Concatenate[Sequence[Image], P], Sequence[Found]]], Registered[P]]:
    """Register a function ``(images, *, arguments) -> found`` that gives one :class:`Found` a picture, in order.

    In a corpus it fills two tables: one of its own name with a row a thing, and ``<name>_by_picture`` with a row for
    each picture that was looked at, also for those without a thing and for those that could not be read.

    Args:
        finds: the kind of unit that the things are: ``face``, ``object`` or ``line``.
        columns: name → type of each column of the things, besides the box; a function of the arguments where they
            decide.
        per_picture: name → type of each column of the pictures.
        size: see :func:`visanda.measure.measure`.
        models: names of the models it runs; a function of the arguments that gives cards, where they decide.
        source: whom to cite.
        example: arguments to try it with, needed where some have no default.

    Raises:
        InputError: there is already a measure of that name elsewhere; a column that is not known.

    Example:
        >>> @finder(finds="object", columns={"grey": float}, per_picture={"n_corners": int}, source="this example")
        ... def corners(images):
        ...     '''The upper left pixel of each picture.'''
        ...     return [
        ...         Found([{"box": (0, 0, 1, 1), "grey": image.pixels[0, 0].mean()}], {"n_corners": 1})
        ...         for image in images
        ...     ]
    """

    def decorate(implementation: Callable[Concatenate[Sequence[Image], P], Sequence[Found]]) -> Registered[P]:
        return register(
            Registered(
                implementation.__name__,
                "image",
                columns,
                size,
                models if callable(models) else tuple(models),
                source,
                dict(example or {}),
                implementation,
                call_on_pictures,
                finds=Finds(finds, per_picture),
            )
        )

    return decorate


def find_in(measure: Measure, images: Sequence[Image]) -> list[Found]:
    """What a measure finds in pictures that are prepared for it.

    Raises:
        InputError: it did not return one ``Found`` a picture, or columns other than those that it declared.
    """
    found = list(measure.registered.implementation(images, **measure.arguments))
    if len(found) != len(images) or not all(isinstance(one, Found) for one in found):
        raise InputError(f"the measure {measure.name} must return one Found for each of the {len(images)} pictures")
    of_things, of_pictures = {"box", *measure.columns}, set(measure.per_picture)
    for one in found:
        for wanted, row in [*((of_things, thing) for thing in one.things), (of_pictures, one.picture)]:
            if set(row) != wanted:
                raise InputError(f"the measure {measure.name} declared {sorted(wanted)} and returned {sorted(row)}")
    return found


def call_on_pictures(measure: Measure, images: Any) -> dict[str, list[Any]]:
    """Run a measure that finds things on a list of pictures: a row a thing."""
    ready = prepared(measure, images)
    rows: list[Row] = []
    for number, (image, found) in enumerate(zip(ready, find_in(measure, ready), strict=True)):
        for box, thing in boxed(image, found.things):
            rows.append({"picture": number, **dict(zip(("x", "y", "width", "height"), box, strict=True)), **thing})
    return {name: [row[name] for row in rows] for name in ("picture", "x", "y", "width", "height", *measure.columns)}


def boxed(image: Image, things: Sequence[Row]) -> list[tuple[Box, Row]]:
    """The things with boxes in whole pixels inside the picture; of several with the very same box, the first."""
    kept: dict[Box, Row] = {}
    for thing in things:
        x, y, width, height = (float(number) for number in thing["box"])
        left, top = _within(x, image.width - 1), _within(y, image.height - 1)
        right, bottom = _within(x + width, image.width), _within(y + height, image.height)
        box = (left, top, max(1, right - left), max(1, bottom - top))
        kept.setdefault(box, {name: value for name, value in thing.items() if name != "box"})
    return list(kept.items())


def _within(value: float, most: int) -> int:
    return min(max(round(value), 0), most)


def found_rows(
    measure: Measure, ids: Sequence[str], images: Sequence[Image], found: Sequence[Found]
) -> tuple[pa.Table, pa.Table]:
    """What was found, as rows of the table of things and of the table of pictures.

    Args:
        measure: that found it.
        ids: of the pictures, or of frames in videos.
        images: the pictures.
        found: in each of them.

    Raises:
        InputError: values of another type than it declared.
    """
    keys: dict[str, list[Any]] = {field.name: [] for field in FOUND}
    things: list[Row] = []
    for id, image, one in zip(ids, images, found, strict=True):
        unit = parse(id)
        times = (None, None) if unit.time is None else (unit.time[0], unit.time[-1])
        for box, thing in boxed(image, one.things):
            key = (Unit(unit.name, unit.time, box).id, Unit(unit.name).id, id, *times, *box)
            for name, value in zip(keys, key, strict=True):
                keys[name].append(value)
            things.append(thing)
    per_thing = table_of(measure.name, FOUND, keys, measure.columns, _by_column(things, measure.columns))
    pictures = [one.picture for one in found]
    values = _by_column(pictures, measure.per_picture)
    return per_thing, table_of(measure.name, [ID], {"id": list(ids)}, measure.per_picture, values)


def _by_column(rows: Sequence[Row], declared: Columns) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in declared}
