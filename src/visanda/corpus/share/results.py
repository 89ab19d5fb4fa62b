"""Results, as a copy has them: estimates and tests as tables, words and figures; what shows or names stays at home."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from visanda.corpus.adding.media_table import MEDIA
from visanda.corpus.estimate.result_files import QUESTION
from visanda.corpus.share.coded import coders_of
from visanda.corpus.share.writing import LEFT_OUT, Removed, Writing

KINDS = {"formula", "classes", "times tested", "drift of", "tuned"}  # an estimate, a test, a drift, a tuning
MAY_SHOW = "may show pictures, or names of files"
NAMES_CODERS = "names coders; 'visanda reliability' makes it again from the codes"
SHORTEST = 5  # characters of a file's name by which it is looked for in words


def write_results(to: Writing, hidden: set[str], files: Iterable[str]) -> None:
    """Write what may leave of the folder results.

    Args:
        to: the copy.
        hidden: variables that stay at home.
        files: the ids of all files.
    """
    results, kept = to.store.results, set[Path]()
    names = _names(to, files)
    for note in sorted(results.glob("*.json")):
        said = json.loads(note.read_text("utf-8"))
        if not _may_leave(to, said, hidden):
            continue
        table = note.with_suffix(".csv")
        if table.exists() and any(name in table.read_text("utf-8") for name in names):
            continue
        to.json(f"results/{note.name}", _plain(said, names))
        kept.add(note)
        for other in (table, note.with_suffix(".png")):
            if other.exists():
                to.bytes(f"results/{other.name}", other.read_bytes())
                kept.add(other)
    others = [path for path in results.rglob("*") if path.is_file() and path not in kept]
    agreed = [path for path in others if path.stem.endswith("-reliability")]
    if agreed:
        to.removed.append(Removed("results, files of reliability", len(agreed), NAMES_CODERS))
    rest = [path for path in others if path not in agreed]
    for suffix in sorted({path.suffix for path in rest}):
        count = sum(path.suffix == suffix for path in rest)
        to.removed.append(Removed(f"results, files {suffix}", count, MAY_SHOW))


def _may_leave(to: Writing, said: dict[str, Any], hidden: set[str]) -> bool:
    """Whether it is of a kind that names nobody, about a variable that is shared, by columns that are kept."""
    if not KINDS & said.keys():
        return False
    about = " ".join(str(said.get(key, "")) for key in ("formula", "variable", "drift of", "tuned"))
    if any(word.startswith(tuple(hidden)) for word in re.findall(r"\w+", about) if hidden):
        return False
    by = said.get("by") or []
    own = set(to.store.column_names("media")) - set(MEDIA.names) - to.wanted.keep
    return not own & {name for text in ([by] if isinstance(by, str) else by) for name in re.findall(r"\w+", str(text))}


def _names(to: Writing, files: Iterable[str]) -> set[str]:
    """What no word may hold: the corpus's folder, ids and names of files, coders."""
    coders = coders_of(to.store)
    if to.pseudonyms.kept:
        return {str(to.store.folder), *coders}
    named = {name for id in files for name in (id, id.rsplit("/", 1)[-1]) if len(name) >= SHORTEST}
    return {str(to.store.folder), *coders, *named}


def _plain(said: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """Words without paths and names, and no condition on them."""
    shared = {key: value for key, value in said.items() if key != QUESTION}  # which holds the condition, too
    shared |= {"where": LEFT_OUT} if said.get("where") else {}
    for key in ("words", "warnings"):
        shared[key] = [text for text in said.get(key, []) if not any(name in text for name in names)]
    return shared
