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
        chosen = self.frame(
            "SELECT id, path FROM media WHERE kind = 'image' AND error IS NULL "
            f"AND ({where or 'parent IS NULL'}) ORDER BY id"
        )
        there = set(self.query("SELECT id FROM media")["id"].to_pylist())
        todo = [
            (row.id, self.resolve(row.path), _target(folder, row.id))
            for row in chosen.itertuples()
            if Unit(f"{folder.name}/{_target_name(row.id)}").id not in there
        ][:limit]
        described = {"step": step, "out": str(folder), "where": where, **arguments}
        with self.parts("media").writing(), self.record("process", described) as run:
            rows = _derive(change, todo, folder)
            if rows:
                self.parts("media").append(pa.Table.from_pylist(rows, schema=MEDIA), run.stem)
            self.parts("media").compact(run.stem)
            failed = [row for row in rows if row["error"]]
            run.counts = {"derived": len(rows), "failed": len(failed)}
        counts = [("derived", len(rows) - len(failed)), ("failed", len(failed)),
                  ("already there", len(chosen) - len(todo) if limit is None else 0)]
        words = [f"{row['parent']}: {row['error']}" for row in failed[:10]]
        if rows:
            words.append(f"They are in {folder}; their ids begin with {folder.name}/")
        return Result(f"Processed: {step}", pd.DataFrame(counts, columns=["what", "count"]), words)


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


def _target(folder: Path, id: str) -> Path:
    return folder / _target_name(id).lstrip("/")


def _derive(
    change: Callable[[Image], Image], todo: list[tuple[str, Path, Path]], folder: Path
) -> list[dict[str, Any]]:
    """Make derived pictures; a row of the media table for each, in order."""
    with progress("process", len(todo)) as advance, ThreadPoolExecutor(os.cpu_count()) as pool:

        def derive(one: tuple[str, Path, Path]) -> dict[str, Any]:
            parent, source, target = one
            id = Unit(f"{folder.name}/{_target_name(parent)}").id
            try:
                made = change(load(source))
                target.parent.mkdir(parents=True, exist_ok=True)
                save(made, target)
                row = describe(Found(id, target, ()))
            except (MediaError, InputError) as error:  # a box that fits one picture may lie outside another
                row = {"id": id, "kind": "image", "path": str(target), "error": str(error)}
            advance()
            return row | {"parent": parent}

        return list(pool.map(derive, todo))
