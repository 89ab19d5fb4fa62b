"""Tasks: measures and the tables that they fill; what became of their units."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import pandas as pd
import pyarrow as pa

from visanda import runs
from visanda.errors import CorpusError, InputError
from visanda.measure import Measure
from visanda.store import Store, quoted


@dataclass(frozen=True)
class Task:
    """A measure and the table it fills."""

    table: str
    measure: Measure


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
    parts, wanted = store.parts(task.table), description(task)
    try:
        there = store.describe(task.table)
    except CorpusError:
        if not replace:
            raise
        return False
    if not there and parts.files():
        raise InputError(f"{task.table!r} names a table that no measure made; choose another --name")
    same = all(there.get(key) == wanted[key] for key in ("name", "arguments", "models"))
    if there and not same and len(parts) and not replace:
        raise InputError(
            f"the table {task.table!r} holds {len(parts):,} rows made by {_said(there)}, not by {_said(wanted)}. "
            f"Replace them with --replace, or keep both with --name {task.table}2"
        )
    return same


def prepare(store: Store, task: Task, same: bool, retry: bool, stem: str) -> None:
    """Make the table ready for rows of this measure."""
    parts = store.parts(task.table)
    if not same:
        if task.measure.feed:
            store.progress(task.table).drop_all(stem)
        if parts.files():  # emptied first: a kill in between leaves no rows under another's description
            parts.replace_all(task.measure.schema.empty_table(), stem)
        store.write_description(task.table, description(task))
    elif retry and parts.files():
        unit = "parent" if task.measure.feed else "id"
        failed = store.query(
            f"SELECT DISTINCT {unit} AS id FROM {quoted(task.table)} WHERE error IS NOT NULL "
            f"AND {unit} NOT IN (SELECT id FROM media WHERE error IS NOT NULL)"
        )["id"].to_pylist()
        if task.measure.feed:
            store.progress(task.table).drop(failed, stem)  # its rows are taken out when it is watched again
        else:
            parts.drop(failed, stem)


def _said(described: dict) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in described["arguments"].items())
    return f"{described['name']}({given})"


def description(task: Task) -> dict:
    """What stands in ``measure.json``: enough to run the measure again, and to cite it."""
    registered = task.measure.registered
    return {
        "name": task.measure.name,
        "arguments": task.measure.arguments,
        "summary": registered.summary,
        "source": registered.source,
        "on": task.measure.on,
        "size": task.measure.size,
        **({"pairs": True} if task.measure.feed and task.measure.feed.pairs else {}),
        "columns": {name: str(f.type) for name, f in zip(task.measure.columns, _fields(task), strict=True)},
        "models": [card.card() for card in task.measure.models],
        "created": date.today().isoformat(),
        "versions": runs.versions(),
    }


def _fields(task: Task) -> list[pa.Field]:
    return [task.measure.schema.field(name) for name in task.measure.columns]


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
