"""Process: crop, resize, turn; derived pictures become rows whose parent is the original."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from visanda.collect.folder import Found, describe
from visanda.corpus.collecting import MEDIA
from visanda.errors import InputError, MediaError
from visanda.media import Image, load, save
from visanda.media.transform import STEPS
from visanda.progress import progress
from visanda.result import Result
from visanda.store import Store
from visanda.units import Unit, parse

Step = Literal["crop", "crop_centre", "resize", "rotate", "flip", "greyscale", "equalise"]
KEPT = {".jpg", ".jpeg", ".png", ".webp"}  # formats that derived pictures keep; others become PNG


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
        described = {"step": step, "out": str(folder), "arguments": arguments, "where": where, "limit": limit}
        with self.parts("media").writing():
            self._refuse_other_step(step, str(folder), arguments)
            chosen = self.query(
                "SELECT id, path FROM media WHERE kind = 'image' AND error IS NULL "
                f"AND ({where or 'parent IS NULL'}) ORDER BY id"
            ).to_pylist()
            todo, there = self._to_derive(chosen, folder, limit)
            with self.record("process", described) as run:
                failed = self._derive(change, todo, run.stem)
                self.parts("media").compact(run.stem)
                run.counts = {"derived": len(todo) - len(failed), "failed": len(failed)}
        counts = [("derived", len(todo) - len(failed)), ("failed", len(failed)), ("already there", there)]
        words = [f"{row['parent']}: {row['error']}" for row in failed[:10]]
        if todo:
            words.append(f"They are in {folder}; their ids begin with {folder.name}/")
        return Result(f"Processed: {step}", pd.DataFrame(counts, columns=["what", "count"]), words)

    def _refuse_other_step(self, step: str, out: str, arguments: dict[str, Any]) -> None:
        """A folder holds what one step made: names alone do not tell two steps' pictures apart."""
        for run in self.runs():
            made = run["arguments"]
            if run["verb"] != "process" or made["out"] != out or not any(run["counts"].values()):
                continue
            if made["step"] != step or made.get("arguments", {}) != json.loads(json.dumps(arguments)):
                given = ", ".join(f"{name}={value}" for name, value in made.get("arguments", {}).items())
                raise InputError(
                    f"{out} holds pictures made by {made['step']}({given}): name another folder with --out"
                )

    def _to_derive(
        self, chosen: list[dict[str, str]], folder: Path, limit: int | None
    ) -> tuple[list[Derived], int]:
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

    def _derive(self, change: Callable[[Image], Image], todo: list[Derived], stem: str) -> list[dict[str, Any]]:
        """Make derived pictures and add them, some at a time; returns the rows that failed."""
        failed: list[dict[str, Any]] = []
        with progress("process", len(todo)) as advance, ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, start in enumerate(range(0, len(todo), CHUNK)):
                rows = list(pool.map(lambda one: _made(change, one, advance), todo[start : start + CHUNK]))
                for row in rows:
                    row["path"] = self.stored(row["path"])
                failed += [row for row in rows if row["error"]]
                self.parts("media").append(pa.Table.from_pylist(rows, schema=MEDIA), f"{stem}-{number:06d}")
        return failed


@dataclass(frozen=True)
class Derived:
    """A picture to make: its id, the id and file of its original, and its own file."""

    id: str
    parent: str
    source: Path
    target: Path


def _made(change: Callable[[Image], Image], one: Derived, advance: Callable[[], None]) -> dict[str, Any]:
    """Make one picture; its row of the media table."""
    try:
        made = change(load(one.source))
        one.target.parent.mkdir(parents=True, exist_ok=True)
        save(made, one.target)
        row = describe(Found(one.id, one.target, ()))
    except OSError as error:
        raise CorpusError(f"cannot write {one.target}: {error.strerror or error}") from error
    except (MediaError, InputError) as error:  # a box that fits one picture may lie outside another
        _refuse_full_disk(one.target)
        row = {"id": one.id, "kind": "image", "path": str(one.target), "error": str(error)}
    advance()
    return row | {"parent": one.parent}


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
