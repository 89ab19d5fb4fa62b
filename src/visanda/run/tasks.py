"""Tasks: measures and the tables that they fill; what became of their units."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from visanda import runs
from visanda.errors import CorpusError, InputError
from visanda.measure import Measure, arrow_type
from visanda.store import Store, quoted

BY_PICTURE = "_by_picture"  # ends the name of the table with a row a picture, beside a table of things found


@dataclass(frozen=True)
class Task:
    """A measure and the table it fills."""

    table: str
    measure: Measure

    @property
    def listing(self) -> str:
        """The table that tells which units are done: where things are found in pictures, that of the pictures."""
        return f"{self.table}{BY_PICTURE}" if self.measure.finds else self.table

    @property
    def tables(self) -> list[str]:
        """All tables that it fills, in the order in which parts are written: a unit is done when it is listed."""
        return list(dict.fromkeys([self.table, self.listing]))

    @property
    def view(self) -> View:
        """How it wants to see a picture: the shorter side in pixels, or as a part that knows the whole."""
        return "detail" if self.measure.on == "face" else self.measure.size


View = int | None | Literal["detail"]


@dataclass
class Count:
    """What became of the units of one table."""

    measured: int = 0
    failed: int = 0
    reasons: dict[str, str] = field(default_factory=dict)


def fits(store: Store, task: Task, replace: bool) -> bool:
    """Whether the table is one that this very measure made.

    Raises:
        InputError: another one made it, and ``replace`` was not asked for; no measure made it.
        CorpusError: what made it cannot be read, and ``replace`` was not asked for.
    """
    wanted = description(task)
    try:
        there, listing = store.describe(task.table), store.describe(task.listing)
    except CorpusError:
        if not replace:
            raise
        return False
    if not there and store.parts(task.table).files():
        raise InputError(f"{task.table!r} names a table that no measure made; choose another --name")
    if "counts" in there:
        raise InputError(f"{task.table!r} names the table of the pictures of {there['counts']}; choose another --name")
    if task.measure.finds and store.parts(task.listing).files() and listing.get("counts") != task.table:
        raise InputError(f"{task.listing!r} names a table of something else; choose another --name")
    same = all(there.get(key) == wanted[key] for key in ("name", "arguments", "models"))
    rows = max(len(store.parts(table)) for table in task.tables)  # where nothing was found, pictures were looked at
    if there and not same and rows and not replace:
        raise InputError(
            f"the table {task.table!r} holds {rows:,} rows made by {_said(there)}, not by {_said(wanted)}. "
            f"Replace them with --replace, or keep both with --name {task.table}2"
        )
    return same


def prepare(store: Store, task: Task, same: bool, retry: bool, stem: str) -> None:
    """Make its tables ready for rows of this measure."""
    parts = store.parts(task.table)
    if not same:
        if task.measure.feed:
            store.progress(task.table).drop_all(stem)
        for table, schema in reversed(list(_schemas(task).items())):
            if store.parts(table).files():  # emptied first: a kill in between leaves no rows under another's words
                store.parts(table).replace_all(schema.empty_table(), stem)
        for table in task.tables:
            store.write_description(table, description(task, table))
        return
    if retry and store.parts(task.listing).files():
        unit = "parent" if task.measure.feed else "id"
        failed = store.query(
            f"SELECT DISTINCT {unit} AS id FROM {quoted(task.listing)} WHERE error IS NOT NULL "
            f"AND {unit} NOT IN (SELECT id FROM media WHERE error IS NOT NULL)"
        )["id"].to_pylist()
        if task.measure.feed:
            store.progress(task.table).drop(failed, stem)  # its rows are taken out when it is watched again
        else:
            store.parts(task.listing).drop(failed, stem)
    if task.measure.finds and parts.files():
        _take_back(store, task, stem)


def _take_back(store: Store, task: Task, stem: str) -> None:
    """Take out things that a killed run wrote of pictures which it did not come to list."""
    listed = task.listing in store.tables()
    unlisted = f"WHERE picture NOT IN (SELECT id FROM {quoted(task.listing)})" if listed else ""
    lost = store.query(f"SELECT id FROM {quoted(task.table)} {unlisted}")["id"].to_pylist()
    if lost:
        store.parts(task.table).drop(lost, stem)


def _schemas(task: Task) -> dict[str, pa.Schema]:
    schemas = {task.table: task.measure.schema}
    return schemas | {task.listing: task.measure.schema_per_picture} if task.measure.finds else schemas


def _said(described: dict) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in described["arguments"].items())
    return f"{described['name']}({given})"


def description(task: Task, table: str | None = None) -> dict[str, Any]:
    """What stands in ``measure.json``: enough to run the measure again, and to cite it."""
    registered, measure = task.measure.registered, task.measure
    per_picture = table is not None and table != task.table
    return {
        "name": measure.name,
        "arguments": measure.arguments,
        "summary": registered.summary,
        "source": registered.source,
        "on": measure.on,
        "size": measure.size,
        **({"pairs": True} if measure.feed and measure.feed.pairs else {}),
        **({"finds": measure.finds.kind} if measure.finds and not per_picture else {}),
        **({"counts": task.table} if per_picture else {}),
        "columns": {
            name: str(arrow_type(declared))
            for name, declared in (measure.per_picture if per_picture else measure.columns).items()
        },
        "models": [card.card() for card in measure.models],
        "created": date.today().isoformat(),
        "versions": runs.versions(),
    }


def add(counts: dict[str, Count], more: dict[str, Count]) -> None:
    """Count what a worker did."""
    for table, count in more.items():
        counts[table].measured += count.measured
        counts[table].failed += count.failed
        for id, reason in count.reasons.items():
            if len(counts[table].reasons) < 20:
                counts[table].reasons[id] = reason


def count(table: pa.Table) -> Count:
    """How many of these rows hold values, how many failed, and why the first did."""
    failed = table.filter(table["error"].is_valid()).select(["id", "error"]).to_pylist()
    reasons = {row["id"]: row["error"] for row in failed[:20]}
    return Count(len(table) - len(failed), len(failed), reasons)


def summary(counts: dict[str, Count], before: dict[str, int], seconds: float) -> pd.DataFrame:
    """What a run says at its end: a row a table."""
    frame = pd.DataFrame(
        {
            "table": list(counts),
            "measured": [count.measured for count in counts.values()],
            "failed": [count.failed for count in counts.values()],
            "already there": [before[table] for table in counts],
            "first failure": [
                next((f"{id}: {why}" for id, why in count.reasons.items()), "") for count in counts.values()
            ],
        }
    )
    frame.attrs["seconds"] = seconds
    return frame
