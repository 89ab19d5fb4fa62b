"""Label Studio's exports: what annotators said of whole pictures, as rows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd

from visanda.errors import InputError

NAMES = ("id", "filename", "file", "image", "img", "picture", "photo", "url", "path")
"""Keys of a task's data that may name its picture, the best first."""
PREFIX = re.compile(r"^[0-9a-f]{8}-(?=.)")  # Label Studio's, before the name of a file that was uploaded
KINDS = ("choices", "rating", "number", "taxonomy", "text", "textarea")
NOBODY = "annotator"


def read_label_studio(path: Path, variable: str, key: str | None = None, control: str | None = None) -> pd.DataFrame:
    """Read an export of Label Studio (JSON or JSON-MIN), one annotation a row.

    Args:
        path: the file.
        variable: what was coded: of several controls of the labelling interface, the one of this name counts.
        key: of a task's data, what names the picture; ``id``, ``filename``, ``image`` and the like by default.
        control: the name of the control whose answers are wanted, where it is not called like the variable.

    Returns:
        Columns key (the picture's name, as Label Studio has it), coder (by e-mail or number), value (several choices
        with ``|`` between them, ``none`` where an annotator chose nothing), note (of a control for text).

    Raises:
        InputError: it is no such export, or it is not clear which control or which name is meant.
    """
    try:
        tasks = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(tasks, list) or not tasks or not all(isinstance(task, dict) for task in tasks):
        raise InputError(f"{path} is no export of Label Studio: a list of tasks is expected (export as JSON)")
    if not any("annotations" in task or "completions" in task for task in tasks):
        return _minimal(path, tasks, variable, key, control)
    wanted = control or _control(path, tasks, variable)
    rows = []
    for task in tasks:
        name = _name(path, task.get("data") or {}, key)
        for said in task.get("annotations") or task.get("completions") or []:
            if not said.get("was_cancelled"):
                value, note = _answer(said.get("result") or [], wanted)
                rows.append((name, _coder(said.get("completed_by")), value, note))
    if not rows:
        raise InputError(f"{path} has {len(tasks)} tasks and no annotation: export after annotating")
    return pd.DataFrame(rows, columns=["key", "coder", "value", "note"])


def names_of(key: str) -> list[str]:
    """Names that a picture in Label Studio may have outside of it, the most exact first.

    >>> names_of("/data/local-files/?d=photos/old%20town.jpg")
    ['photos/old town.jpg', 'old town.jpg']
    >>> names_of("/data/upload/3/1a2b3c4d-koala.webp")
    ['/data/upload/3/1a2b3c4d-koala.webp', '1a2b3c4d-koala.webp', 'koala.webp']
    """
    parts = urlsplit(key)
    inside = parse_qs(parts.query).get("d")
    path = inside[0] if inside else unquote(parts.path) if parts.scheme or "%" in key else key
    last = path.rsplit("/", 1)[-1]
    return list(dict.fromkeys([path, last, PREFIX.sub("", last)]))


def _name(path: Path, data: dict[str, Any], key: str | None) -> str:
    named = [name for name in data if isinstance(data[name], (str, int))]
    wanted = key or next((name for name in NAMES if name in named), named[0] if len(named) == 1 else None)
    if wanted is None or wanted not in data:
        raise InputError(f"{path}: say with --key what names the picture; a task's data has: {', '.join(data)}")
    return str(data[wanted])


def _control(path: Path, tasks: list[dict[str, Any]], variable: str) -> str | None:
    """The control of the labelling interface that asked for the variable; none where nobody chose anything."""
    kinds: dict[str, str] = {}
    for task in tasks:
        for said in task.get("annotations") or task.get("completions") or []:
            kinds |= {str(one.get("from_name")): str(one.get("type")) for one in said.get("result") or []}
    asked = [name for name, kind in kinds.items() if kind in KINDS]
    if variable in asked:
        return variable
    asked = [name for name in asked if kinds[name] not in ("text", "textarea")] or asked
    if len(asked) > 1:
        raise InputError(f"{path}: say with --value which control holds {variable!r}; there are: {', '.join(asked)}")
    if kinds and not asked:
        raise InputError(
            f"{path}: its annotations ({', '.join(sorted(set(kinds.values())))}) are not about whole pictures: use "
            f"{', '.join(KINDS[:3])} in Label Studio"
        )
    return asked[0] if asked else None


def _answer(result: list[dict[str, Any]], control: str | None) -> tuple[str, str]:
    """Value and note of one annotation."""
    value, notes = "none" if not any(one.get("from_name") == control for one in result) else "", []
    for one in result:
        said = one.get("value") or {}
        if one.get("from_name") == control:
            value = _plain(next((said[kind] for kind in KINDS if kind in said), ""))
        elif "text" in said:
            notes.append(_plain(said["text"], " "))
    return value, " ".join(notes)


def _plain(said: Any, between: str = "|") -> str:
    if isinstance(said, dict):
        return _plain(said.get("choices", list(said.values())), between)
    if isinstance(said, list):  # a taxonomy's answer is a path, of which the last counts
        return between.join(str(one[-1] if isinstance(one, list) else one) for one in said)
    return str(int(said)) if isinstance(said, float) and said.is_integer() else str(said)


def _coder(who: Any) -> str:
    """A coder's name: letters and digits of the e-mail's first part, or ``annotator_3``."""
    if isinstance(who, dict):
        who = who.get("email") or who.get("username") or who.get("id")
    name = re.sub(r"\W+", "_", str(who).split("@")[0] if who is not None else "").strip("_")
    return name if name and not name[0].isdigit() else f"{NOBODY}_{name}".strip("_")


def _minimal(
    path: Path, tasks: list[dict[str, Any]], variable: str, key: str | None, control: str | None
) -> pd.DataFrame:
    """The export JSON-MIN: a flat object a task."""
    there = list(dict.fromkeys(name for task in tasks for name in task))
    wanted = next((name for name in (control, variable, "choice", "rating", "number") if name in there), None)
    if wanted is None or (control and wanted != control):
        raise InputError(f"{path}: say with --value what holds {variable!r}; a task has: {', '.join(there)}")
    rows = []
    for task in tasks:
        data = {name: value for name, value in task.items() if name != "id" or key == "id"}  # the task's number
        rows.append((_name(path, data, key), _coder(task.get("annotator")), _plain(task.get(wanted, "none")), ""))
    return pd.DataFrame(rows, columns=["key", "coder", "value", "note"])
