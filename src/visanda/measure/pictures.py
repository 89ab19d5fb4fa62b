"""Measures of pictures: a batch of pictures in, columns out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import numpy as np
import pyarrow as pa

from visanda.errors import InputError
from visanda.measure.columns import ID, Columns, arrow_type, schema_of, table_of
from visanda.measure.registry import Measure, Registered, register
from visanda.media import Detail, Image, at_sizes, load
from visanda.models import Model

P = ParamSpec("P")


def measure(
    *,
    columns: Columns | Callable[..., Columns],
    on: str = "image",
    size: int | Callable[..., int | None] | None = None,
    models: Sequence[str] | Callable[..., Sequence[Model]] = (),
    source: str,
    example: Mapping[str, Any] | None = None,
) -> Callable[[Callable[Concatenate[Any, P], Mapping[str, Any]]], Registered[P]]:
    """Register a function ``(images, *, arguments) -> columns``.

    A function defined again under the same name in the same module, as in a notebook's cell, takes its place.

    Args:
        columns: name → type of each column; a function of the arguments where they decide.
        on: the kind of unit measured.
        size: the shorter side, in pixels, that pictures are reduced to (never enlarged) before they are
            measured, so that values compare between resolutions; ``None``: every pixel is needed; a function of the
            arguments where they decide.
        models: names of the models it runs, or a function of the arguments that gives their cards.
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

    def decorate(implementation: Callable[Concatenate[Any, P], Mapping[str, Any]]) -> Registered[P]:
        name = implementation.__name__
        given = dict(example or {})
        cards = models if callable(models) else tuple(models)
        made = Registered(name, on, columns, size, cards, source, given, implementation, call_on_pictures)
        return register(made)

    return decorate


def call_on_pictures(measure: Measure, images: Any) -> Mapping[str, Any]:
    """Run a measure on a list of pictures, or on faces in them."""
    return measure.registered.implementation(prepared(measure, images), **measure.arguments)


def prepared(measure: Measure, images: Any) -> list[Any]:
    """Pictures as the measure must see them: what the runner decodes, or reduced to the same size.

    Raises:
        InputError: a single picture instead of a list; no picture, or no part of one where it measures parts.
        MediaError: a file cannot be read.
    """
    if isinstance(images, str | Path | Image | Detail) or (isinstance(images, np.ndarray) and images.ndim != 4):
        raise InputError(f"{measure.name} measures a list of pictures: put a single one in [ ]")
    if measure.on == "face":
        for one in images:
            if not isinstance(one, Detail):
                raise InputError(f"{measure.name} measures faces: give visanda.media.Detail, not {type(one).__name__}")
        return list(images)
    return [_reduced(image, measure.size) for image in images]


def _reduced(thing: Any, size: int | None) -> Image:
    if isinstance(thing, str | Path):
        return load(thing, size)
    return at_sizes(Image.of(thing), [size])[size]


def nulls(measure: Measure, ids: Sequence[str], errors: Sequence[str]) -> pa.Table:
    """Rows of pictures that could not be measured: every column null, and why."""
    declared = measure.per_picture if measure.finds else measure.columns
    columns = {name: pa.nulls(len(ids), arrow_type(kind)) for name, kind in declared.items()}
    return pa.table({"id": list(ids), **columns, "error": list(errors)}, schema=schema_of([ID], declared))


def rows(measure: Measure, ids: Sequence[str], values: Mapping[str, Any]) -> pa.Table:
    """What a measure returned, as rows of its table; NaN, which nothing could compute, is null.

    Raises:
        InputError: columns that it did not declare, not one value a unit, or values of another type.
    """
    return table_of(measure.name, [ID], {"id": list(ids)}, measure.columns, values)
