"""The files of a result: the same question is written over its last answer, another one beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from visanda.result import Result

QUESTION = "question"  # in the note of a result


def save(
    result: Result,
    folder: Path,
    name: str | None,
    default: str,
    question: Mapping[str, Any],
    more: Callable[[Result, Path], list[Path]] | None = None,
) -> str:
    """Write a result, and say where.

    Args:
        result: what was found; a sentence on where it was written is added to its words after they were written.
        folder: ``results`` of the corpus.
        name: that was asked for, and is written over; None: ``default``, or ``default-2`` and so on where an earlier
            one holds the answer to another question.
        default: the name by itself.
        question: what was asked, as options by name. Seeds and numbers of resamples are none of the question.
        more: writes further files, beginning with this path without an ending.

    Returns:
        The name of the files.
    """
    asked = json.loads(json.dumps(dict(question), default=str))
    chosen = name or _free(folder, default, asked)
    result.provenance[QUESTION] = asked
    files = [*result.save(folder, chosen), *(more(result, folder / chosen) if more else [])]
    result.words.append(f"Written to {folder.name}: {', '.join(path.name for path in files)}.")
    return chosen


def _free(folder: Path, default: str, asked: dict[str, Any]) -> str:
    for number in count(1):
        name = default if number == 1 else f"{default}-{number}"
        note = folder / f"{name}.json"
        if not note.exists() or _asked(note) == asked:
            return name
    raise AssertionError("unreachable")


def _asked(note: Path) -> object:
    """The question that a note answers; None where it cannot be read, or says none."""
    try:
        said = json.loads(note.read_text("utf-8"))
    except ValueError:
        return None
    return said.get(QUESTION) if isinstance(said, dict) else None
