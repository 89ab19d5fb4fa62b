"""Retention: until when media may be kept, which files are due, and how they go while the measures stay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import tomlkit

from visanda import runs
from visanda.collect.folder import PICTURES, VIDEOS
from visanda.errors import InputError
from visanda.progress import progress
from visanda.result import Result
from visanda.runs import Run
from visanda.store import Store

WORD = re.compile(r"\w+")
MADE = PICTURES | VIDEOS | {".wav"}
KEPT_FOLDERS = ("tables", "codes", "models", "runs", "samples", "private")
SHOWN = 10  # files on the screen
GONE = "expired-"  # how the path of a deleted file begins


@dataclass(frozen=True)
class Rule:
    """The last day on which some media may be kept.

    Attributes:
        until: that day.
        where: which, as a condition in SQL; empty for all.
    """

    until: date
    where: str = ""

    def __str__(self) -> str:
        return f"{self.where or 'all media'} until {self.until}"


@dataclass
class Due:
    """What is due.

    Attributes:
        rows: id → the file of a picture or video.
        until: id → the day until which it could be kept.
        others: files made from media: frames, sound, sheets, reports.
        elsewhere: files outside of the corpus, which stay.
        gone: rows of deleted files that say so already.
    """

    rows: dict[str, Path] = field(default_factory=dict)
    until: dict[str, date] = field(default_factory=dict)
    others: list[Path] = field(default_factory=list)
    elsewhere: list[Path] = field(default_factory=list)
    gone: int = 0


def rules(settings: dict[str, Any]) -> list[Rule]:
    """The rules in a corpus's settings, earliest first.

    Raises:
        InputError: one has no date.
    """
    found = []
    for one in settings.get("expire", []):
        if not isinstance(one, dict) or not isinstance(one.get("until"), date):
            raise InputError("each [[expire]] of corpus.toml needs a date, such as until = 2027-06-30")
        found.append(Rule(one["until"], str(one.get("where", ""))))
    return sorted(found, key=lambda rule: (rule.until, rule.where))


def read_day(text: str) -> date:
    """A day, written 2027-06-30.

    Raises:
        InputError: it is not one.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a day: write it like 2027-06-30, or never") from None


def with_rule(settings: str, until: date | None, where: str | None) -> str:
    """The text of corpus.toml with this rule in place of an earlier one of the same condition.

    Args:
        settings: the text before.
        until: the day; ``None`` takes the rule out.
        where: its condition; all media by default.
    """
    document = tomlkit.parse(settings)
    kept = [one for one in document.pop("expire", []) if one.get("where", "") != (where or "")]
    if until is not None:
        kept.append({"until": until, **({"where": where} if where else {})})
    if kept:
        rows = tomlkit.aot()
        for one in kept:
            table = tomlkit.table()
            table.update(one)
            rows.append(table)
        document["expire"] = rows
    return tomlkit.dumps(document)


def reminder(store: Store) -> list[str]:
    """What to say when a corpus is looked at: media whose day has passed and which are still there."""
    due = [rule for rule in rules(store.settings()) if rule.until < date.today()]
    if not due or "media" not in store.tables():
        return []
    found = find(store, due, originals=True)
    if not found.rows and not found.others:
        return []
    return [
        f"{len(found.rows):,} pictures and videos should have been deleted after {min(rule.until for rule in due)}: "
        "see 'visanda expire'"
    ]


def find(store: Store, due: Sequence[Rule], originals: bool) -> Due:
    """The files that are due under some rules.

    Raises:
        InputError: a condition is wrong.
    """
    found = Due()
    if not due:
        return found
    for rule in due:
        ids = store.query(f"SELECT id FROM media WHERE {rule.where or 'true'}")["id"].to_pylist()
        for id in _with_derived(store, ids):
            found.until.setdefault(id, rule.until)
    facts = store.query("SELECT id, path FROM media ORDER BY id")
    registered = set()
    for id, path in zip(facts["id"].to_pylist(), facts["path"].to_pylist(), strict=True):
        file = store.resolve(path or "")
        registered.add(file.resolve())
        if id not in found.until:
            continue
        if path.startswith(GONE):
            found.gone += 1
        elif originals or _inside(store, file):
            found.rows[id] = file
        elif file.exists():
            found.elsewhere.append(file)
    if found.until:
        found.others = _made_of(store, set(found.until), registered)
    return found


def _with_derived(store: Store, ids: list[str]) -> list[str]:
    """These files and all that was derived from them."""
    question = (
        "WITH RECURSIVE due AS (SELECT unnest(?::VARCHAR[]) AS id UNION "
        "SELECT media.id FROM media JOIN due ON media.parent = due.id) SELECT id FROM due ORDER BY id"
    )
    return list(store.query(question, [ids])["id"].to_pylist())


def _inside(store: Store, file: Path) -> bool:
    return file.resolve().is_relative_to(store.folder)


def _made_of(store: Store, due: set[str], registered: set[Path]) -> list[Path]:
    """Files in the corpus that show or sound media: frames and sound of those that are due, and all sheets."""
    found = []
    for path in sorted(store.folder.rglob("*")):
        place = path.relative_to(store.folder)
        if place.parts[0] in KEPT_FOLDERS or not path.is_file() or not _inside(store, path):
            continue
        suffix = path.suffix.lower()
        if place.parts[0] == "results":
            shows = suffix in MADE | {".html"} and not path.with_suffix(".json").exists()
            if shows:
                found.append(path)
        elif suffix in MADE and path.resolve() not in registered and _names_of(place) & due:
            found.append(path)
    return found


def _names_of(place: Path) -> set[str]:
    """The ids that a file made by ``frames`` or ``sound`` may be of: every stretch of its path."""
    parts = list(place.with_suffix("").parts) if place.suffix == ".wav" else list(place.parent.parts)
    return {"/".join(parts[i:]) for i in range(len(parts))} | {"/".join(place.parts[i:]) for i in range(len(parts))}


# deleting


def said(found: Due, due: Sequence[Rule], every: Sequence[Rule]) -> Result:
    """What would be deleted."""
    if not every:
        return Result("Nothing expires", _table(found), ["Set a date with 'visanda expire 2027-06-30'."])
    words = [*map(str, every), *(str(path) for path in [*found.rows.values(), *found.others][:SHOWN])]
    if due and (found.rows or found.others):
        words.append("Nothing was deleted: 'visanda expire --yes' does it, and cannot be undone.")
    elif not due:
        words.append("Nothing is due yet.")
    files = pd.DataFrame({"file": [str(path) for path in [*found.rows.values(), *found.others]]})
    return Result("Due to be deleted", _table(found), words, _left(found), extra={"files": files})


def delete(store: Store, found: Due, due: Sequence[Rule], run: Run) -> Result:
    """Delete what is due and say so in the table media; killed at any moment, the next time finishes it.

    A row says that its file is gone only after it is: ``path`` begins with ``expired-`` and the day, so that whoever
    measures again is told why there is nothing, and ``expired`` holds the day.
    """
    gone: list[str] = []
    failed: list[str] = []
    with progress("expire", len(found.rows) + len(found.others)) as advance:
        for id, path in [*found.rows.items(), *((None, path) for path in found.others)]:
            try:
                path.unlink(missing_ok=True)
                gone += [] if id is None else [id]
            except OSError as error:
                failed.append(f"{path}: {error.strerror or error}")
            advance()
    _mark(store, {id: found.until[id] for id in gone}, run.stem)
    for path in {path.parent for path in (*found.rows.values(), *found.others)}:
        _remove_empty(store, path)
    run.counts = {"deleted": len(gone), "other files": len(found.others), "failed": len(failed)}
    run.counts |= {"elsewhere": len(found.elsewhere)}
    words = [f"{len(gone):,} pictures and videos are gone; what was measured of them stays.", *failed[:10]]
    words.append(f"Rules that were due: {'; '.join(map(str, due))}.")
    return Result("Deleted", _table(found), words, _left(found) + [f"{len(failed):,} files stay"] * bool(failed))


def _mark(store: Store, gone: dict[str, date], stem: str) -> None:
    wanted = pa.array(sorted(gone), pa.string())

    def marked(rows: pa.Table) -> pa.Table:
        hit = pc.is_in(rows["id"].cast(pa.string()), value_set=wanted)
        if not (pc.sum(hit).as_py() or 0):
            return rows
        ids, paths = rows["id"].to_pylist(), rows["path"].to_pylist()
        before = rows["expired"].to_pylist() if "expired" in rows.column_names else [None] * len(rows)
        days = [gone.get(id, day) for id, day in zip(ids, before, strict=True)]
        new = [f"{GONE}{gone[id]}/{id}" if id in gone else path for id, path in zip(ids, paths, strict=True)]
        rows = rows.set_column(rows.column_names.index("path"), "path", pa.array(new, pa.string()))
        if "expired" in rows.column_names:
            return rows.set_column(rows.column_names.index("expired"), "expired", pa.array(days, pa.date32()))
        return rows.append_column("expired", pa.array(days, pa.date32()))

    if gone:
        store.parts("media").rewrite(marked, stem)


def _remove_empty(store: Store, folder: Path) -> None:
    """Remove folders of the corpus that are empty now: their names are those of files."""
    while (
        folder != store.folder and folder.is_relative_to(store.folder) and folder.is_dir() and not any(folder.iterdir())
    ):
        folder.rmdir()
        folder = folder.parent


def _table(found: Due) -> pd.DataFrame:
    files = [
        ("pictures and videos", list(found.rows.values())),
        ("frames, sound, sheets and reports", found.others),
        ("files outside of the corpus, which stay", found.elsewhere),
    ]
    rows = [(what, len(paths), sum(p.stat().st_size for p in paths if p.is_file()) / 1e6) for what, paths in files]
    return pd.DataFrame(rows, columns=["what", "files", "megabytes"])


def _left(found: Due) -> list[str]:
    if not found.elsewhere:
        return []
    return [
        f"{len(found.elsewhere):,} files lie outside of the corpus, such as {found.elsewhere[0]}: they stay, unless "
        "you say --originals"
    ]


def past_runs(folder: Path, verb: str) -> list[dict[str, Any]]:
    """The recorded runs of a verb that came to their end."""
    return [run for run in runs.read(folder / "runs") if run["verb"] == verb and run["outcome"] == "done"]
