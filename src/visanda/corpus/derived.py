"""Tables that verbs derive from other tables: replaced only when asked, and in one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from visanda import runs
from visanda.errors import InputError
from visanda.models import model
from visanda.store import Store


def refuse_other(
    store: Store, name: str, made_by: str, arguments: Mapping[str, Any], *, replace: bool, option: str | None = None
) -> bool:
    """See that a table may be written; whether it was made with these very arguments.

    Args:
        store: the corpus.
        name: the table's.
        made_by: what ``measure.json`` calls that which makes such tables.
        arguments: those of now.
        replace: whether rows made with others may go.
        option: the option that gives the table another name, where there is one.

    Raises:
        InputError: something else made it; it was made with other arguments, and ``replace`` was not asked for.
    """
    there = store.describe(name)
    other = f"; keep it under another name, or choose another {option}" if option else ""
    if name in store.tables() and there.get("name") != made_by:
        raise InputError(f"{name!r} is a table that something else made{other}")
    before = there.get("arguments")
    if before != arguments and store.parts(name).files() and len(store.parts(name)) and not replace:
        both = f", or keep both with {option} {name}2" if option else ""
        raise InputError(
            f"the table {name!r} was made with {_changes(before or {}, arguments)}. Make it anew with --replace{both}"
        )
    return before == arguments


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What was different, in words."""
    differ = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    said = [
        "another gallery"
        if key == "gallery"
        else f"no --{key}"
        if before.get(key) is None
        else f"--{key} {before[key]!r}"
        for key in differ
    ]
    return " and ".join(said)


def describe(
    made_by: str, summary: str, source: str, arguments: Mapping[str, Any], table: pa.Table, models: Sequence[str] = ()
) -> dict[str, Any]:
    """What stands in the ``measure.json`` of a derived table.

    Args:
        made_by: names what makes such tables.
        summary: what it holds.
        source: whom to cite.
        arguments: with which it was made.
        table: the rows.
        models: names of the models on whose output it rests.
    """
    return {
        "name": made_by,
        "arguments": dict(arguments),
        "summary": summary,
        "source": source,
        "columns": {field.name: str(field.type) for field in table.schema if field.name not in ("id", "error")},
        "models": [model(name).card() for name in models],
        "created": date.today().isoformat(),
        "versions": runs.versions(),
    }


def put_in_place(store: Store, name: str, table: pa.Table, described: Mapping[str, Any], stem: str) -> None:
    """Put rows and their description in the place of what is there; whoever calls it holds the table for writing.

    A kill leaves the old rows, no rows or the new rows, and never rows under the description of others.
    """
    parts = store.parts(name)
    if store.describe(name).get("arguments") != described["arguments"]:
        parts.drop_all(stem)
    store.write_description(name, dict(described))
    parts.replace_all(table, stem)
