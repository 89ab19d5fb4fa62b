"""Checkpoints: how far training has come, written after each epoch; a run that was killed goes on there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from visanda.aside import written_aside
from visanda.errors import InputError
from visanda.learn.finetune.settings import Settings
from visanda.learn.finetune.task import Task

NAME = "checkpoint.pt"


def key_of(settings: Settings, known: Mapping[str, str], tasks: Mapping[str, Task], sets: np.ndarray) -> dict[str, str]:
    """What a run is, as digests: a checkpoint serves only the run that wrote it."""
    learnt = hashlib.sha256(" ".join(sets.tolist()).encode())
    for name, task in tasks.items():
        learnt.update(json.dumps([name, task.weight, task.target.scale, task.target.classes]).encode())
        learnt.update(np.ascontiguousarray(task.numbers()).tobytes())
    return {
        "settings": json.dumps(settings.that_matter(), sort_keys=True),
        "backbone": known.get("sha256", ""),
        "codes": learnt.hexdigest(),
    }


def write(folder: Path, key: Mapping[str, str], state: Mapping[str, Any]) -> None:
    """Write a checkpoint, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with written_aside(folder / NAME) as path:
        torch.save({"key": dict(key), "state": dict(state)}, path)


def read(folder: Path, key: Mapping[str, str]) -> dict[str, Any] | None:
    """The state that was written, or ``None`` where there is none.

    Raises:
        InputError: it is of another run, or damaged.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
        differs = _differences(held["key"], key)
        state: dict[str, Any] = held["state"]
    except Exception as error:  # torch's and zip's kinds of errors have no common base
        raise InputError(f"{path} is damaged ({error}): delete it to train from the beginning") from error
    if differs:
        raise InputError(
            f"{path} is of a training that was interrupted, with other {' and '.join(differs)}: repeat that one to go "
            "on with it, or delete the file to train from the beginning"
        )
    return state


def delete(folder: Path) -> None:
    """Take the checkpoint of a finished run away."""
    (folder / NAME).unlink(missing_ok=True)


def _differences(one: Mapping[str, str], other: Mapping[str, str]) -> Sequence[str]:
    if one["settings"] != other["settings"]:
        mine, theirs = (json.loads(each["settings"]) for each in (one, other))
        names = [name for name in theirs if mine.get(name) != theirs[name]]
        return [f"settings ({', '.join(f'{name} {mine.get(name)}' for name in names)})"]
    return [name for name in ("backbone", "codes") if one[name] != other[name]]
