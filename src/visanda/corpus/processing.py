"""Process: crop, resize, turn; derived pictures become rows whose parent is the original."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from visanda import runs
from visanda.collect.folder import Found, describe
from visanda.corpus.adding.media_table import MEDIA
from visanda.errors import CorpusError, InputError, MediaError
from visanda.media import Image, load, save
from visanda.media.transform import STEPS
from visanda.progress import Advance, progress
from visanda.result import Result
from visanda.runs import Run
from visanda.store import Store
from visanda.units import Unit, parse

Step = Literal["crop", "crop_centre", "resize", "rotate", "flip", "greyscale", "equalise"]
CHUNK = 256  # pictures made before their rows are written
KEPT = {".jpg", ".jpeg", ".png", ".webp"}  # by derived pictures; other formats become PNG


class Processing(Store):
    """Process."""

    def process(
        self, step: Step, *, out: Path, where: str | None = None, limit: int | None = None, **arguments: Any
    ) -> Result:
        """Derive pictures from pictures and add them, each with its original as parent.

        Derived pictures can be measured like any other; samples, clusters and estimates are about originals.

        Args:
            step: crop, crop_centre, resize, rotate, flip, greyscale or equalise.
            out: the folder for the derived pictures; its name begins their ids. What is there is not made again.
            where: which pictures, as a condition in SQL on the table media; originals by default.
            limit: at most so many.
            arguments: those of the step, such as box for crop; see visanda.media.

        Raises:
            InputError: an unknown step, or arguments that do not fit it.
        """
        change = _change(step, arguments)
        folder = Path(out).expanduser().resolve()
        self.require("media", "add pictures first, with 'visanda add FOLDER'")
        given = {name: _number(value) for name, value in arguments.items()}
        described = {"step": step, "out": str(folder), "arguments": given, "where": where, "limit": limit}
        with self.parts("media").writing():
            self._refuse_other_step(step, str(folder), given)
            chosen = self.query(
                "SELECT id, path FROM media WHERE kind = 'image' AND error IS NULL "
                f"AND ({where or 'parent IS NULL'}) ORDER BY id"
            ).to_pylist()
            todo, there = self._to_derive(chosen, folder, limit)
            with self.record("process", described) as run:
                failed = self._derive(change, todo, run)
                self.parts("media").compact(run.stem)
        counts = [("derived", len(todo) - len(failed)), ("failed", len(failed)), ("already there", there)]
        words = [f"{row['parent']}: {row['error']}" for row in failed[:10]]
        if todo:
            words.append(f"They are in {folder}; their ids begin with {folder.name}/")
        return Result(f"Processed: {step}", pd.DataFrame(counts, columns=["what", "count"]), words)

    def _refuse_other_step(self, step: str, out: str, arguments: dict[str, Any]) -> None:
        """A folder holds what one step made: names alone do not tell two steps' pictures apart."""
        for run in runs.read(self.folder / "runs"):
            made = run["arguments"]
            if run["verb"] != "process" or made["out"] != out:
                continue
            if run["outcome"].startswith("failed") and not run["counts"]:
                continue  # it made nothing
            before = made.get("arguments", {})
            if made["step"] != step or before != json.loads(json.dumps(arguments)):
                said = ", ".join(f"{name}={value}" for name, value in before.items())
                raise InputError(f"{out} holds pictures made by {made['step']}({said}): name another folder with --out")

    def _to_derive(self, chosen: list[dict[str, str]], folder: Path, limit: int | None) -> tuple[list[Derived], int]:
        """What is still to be made, and how many are there."""
        there = set(self.query("SELECT id FROM media")["id"].to_pylist())
        todo: dict[str, Derived] = {}
        known = 0
        for row in chosen:
            name = _target_name(row["id"])
            id = Unit(f"{folder.name}/{name}").id
            if id in there:
                known += 1
            elif id in todo:
                raise InputError(f"{todo[id].parent} and {row['id']} would both become {id}: choose with --where")
            else:
                target = folder / name.lstrip("/")
                todo[id] = Derived(id, row["id"], self.resolve(row["path"]), target)
        return list(todo.values())[:limit], known

    def _derive(self, change: Callable[[Image], Image], todo: list[Derived], run: Run) -> list[dict[str, Any]]:
        """Make derived pictures and add them, some at a time; returns the rows that failed."""
        failed: list[dict[str, Any]] = []
        with progress("process", len(todo)) as advance, ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(todo), CHUNK):
                made = list(pool.map(lambda one: _made(change, one, advance), todo[start : start + CHUNK]))
                refused = [why for _, why in made if why]
                if start == 0 and len(refused) == len(made):
                    raise InputError(f"none of the first {len(made):,} pictures can be made so: {refused[0]}")
                rows = [row | {"path": self.stored(row["path"])} for row, _ in made]
                failed += [row for row in rows if row["error"]]
                self.parts("media").append(pa.Table.from_pylist(rows, schema=MEDIA), f"{run.stem}-{start:08d}")
                run.counts = {"derived": start + len(rows) - len(failed), "failed": len(failed)}
        return failed


@dataclass(frozen=True)
class Derived:
    """A picture to make: its id, the id and file of its original, and its own file."""

    id: str
    parent: str
    source: Path
    target: Path


def _made(change: Callable[[Image], Image], one: Derived, advance: Advance) -> tuple[dict[str, Any], InputError | None]:
    """Make one picture: its row of the media table, and the error of a step that did not fit it.

    Raises:
        CorpusError: it cannot be written, and so no other can.
    """
    row = {"id": one.id, "kind": "image", "path": str(one.target), "error": None}
    refused = None
    try:
        changed = change(load(one.source))
        one.target.parent.mkdir(parents=True, exist_ok=True)
        save(changed, one.target)
        row = describe(Found(one.id, one.target, ()))
    except MediaError as error:
        row["error"] = str(error)
    except InputError as error:  # a box that fits one picture may lie outside another
        if isinstance(error.__cause__, OSError) and error.__cause__.errno:
            raise CorpusError(f"{error}. What was finished is kept: run the same command again") from error
        row["error"], refused = str(error), error
    except OSError as error:
        raise CorpusError(f"{one.target}: cannot be written: {error.strerror or error}") from error
    advance()
    return row | {"parent": one.parent}, refused


def _change(step: str, arguments: dict[str, Any]) -> Callable[[Image], Image]:
    """The step with its arguments, read as the step's signature declares them."""
    if step not in STEPS:
        raise InputError(f"there is no step {step!r}: {', '.join(STEPS)}")
    function = STEPS[step]
    parameters = inspect.signature(function).parameters
    known = [name for name in parameters if name != "image"]
    for name in arguments:
        if name not in known:
            raise InputError(f"{step} has no argument {name!r}; it takes: {', '.join(known) or 'none'}")
    missing = [n for n in known if parameters[n].default is inspect.Parameter.empty and n not in arguments]
    if missing:
        raise InputError(f"{step} needs --{missing[0]}")
    given = {name: _number(value) for name, value in arguments.items()}
    return lambda image: function(image, **given)


def _number(value: Any) -> Any:
    """Arguments come as text from the command line."""
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _target_name(id: str) -> str:
    name = PurePosixPath(parse(id).name)
    return str(name if name.suffix.lower() in KEPT else name.with_name(name.name + ".png"))
