"""The table ``media``: its own columns, and how columns of one's own go beside them."""

from __future__ import annotations

import pyarrow as pa

from visanda.errors import InputError

MEDIA = pa.schema(
    {
        "id": pa.string(),
        "kind": pa.string(),
        "parent": pa.string(),
        "path": pa.string(),
        "sha256": pa.string(),
        "bytes": pa.int64(),
        "format": pa.string(),
        "mode": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "frames": pa.int32(),
        "orientation": pa.int8(),
        "icc": pa.string(),
        "taken": pa.timestamp("us"),
        "camera": pa.string(),
        "latitude": pa.float64(),
        "longitude": pa.float64(),
        "duration": pa.float64(),
        "frame_rate": pa.float64(),
        "nominal_rate": pa.float64(),
        "codec": pa.string(),
        "rotation": pa.int16(),
        "first": pa.float64(),
        "audio": pa.string(),
        "error": pa.string(),
    }
)


def own_names(names: list[str]) -> list[str]:
    """Names of a table's columns; those that visanda uses itself get ``_given`` appended."""
    taken = {name.lower() for name in names}
    found = []
    for name in names:
        if name.lower() in MEDIA.names:
            name += "_given"
            while name.lower() in taken:
                name += "_given"
        found.append(name)
    return found


def one_type(here: pa.Field, there: pa.Field) -> pa.DataType:
    """The type for a column of the table (here) that the corpus has already (there).

    Raises:
        InputError: there is none.
    """
    if pa.types.is_string(there.type) and pa.types.is_integer(here.type):
        return there.type
    try:
        both = [pa.schema([pa.field("", field.type)]) for field in (there, here)]
        return pa.unify_schemas(both, promote_options="permissive").field(0).type
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        raise InputError(
            f"the column {here.name!r} holds {there.type} in the corpus and {here.type} in this table: give it "
            "another name, or bring it to the same type"
        ) from None
