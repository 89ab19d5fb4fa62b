"""Writing: the files of a copy, what is noted of those that stay at home, and arguments without names."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from visanda import codes
from visanda.corpus.share.disclosure import Wanted
from visanda.corpus.share.pseudonyms import Pseudonyms
from visanda.store import Store

DESCRIBED = ("name", "summary", "source", "on", "size", "columns", "models", "created", "versions", "pairs", "finds")
SAID = {"formula", "model", "learner", "allocate", "variable", "detector", "labels", "on", "per_shot", "engine", "name"}
SAID |= {"by", "cluster", "group", "truth", "clock"}  # arguments whose text names no file, path or person
LEFT_OUT = "(left out)"


@dataclass(frozen=True)
class Removed:
    """What stays at home: a column or a file, how many values it has, and why."""

    what: str
    count: int
    why: str


@dataclass
class Writing:
    """A copy under way.

    Attributes:
        store: the corpus at home.
        out: an empty folder.
        wanted: what was asked for.
        pseudonyms: of files, coders and groups.
        removed: what stays at home.
        warnings: what must be known before this is published.
    """

    store: Store
    out: Path
    wanted: Wanted
    pseudonyms: Pseudonyms
    removed: list[Removed] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def coder(self, name: str) -> str:
        """What a coder is called in the copy; who settles disagreements is no person."""
        return name if name == codes.GOLD else self.pseudonyms.coder(name)

    def arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """Arguments without paths, names and conditions on them."""
        found: dict[str, Any] = {}
        for name, value in given.items():
            if isinstance(value, dict):
                found[name] = self.arguments(value)
            elif name == "coder" and isinstance(value, str):
                found[name] = self.coder(value)
            elif name == "coders" and isinstance(value, list):
                found[name] = [self.coder(str(one)) for one in value]
            elif value is None or isinstance(value, (bool, int, float)) or (name in SAID and _is_plain(value)):
                found[name] = value
            else:
                found[name] = LEFT_OUT
        return found

    def json(self, name: str, what: dict[str, Any]) -> None:
        """Write a file of JSON."""
        self.text(name, json.dumps(what, indent=2, ensure_ascii=False, default=str) + "\n")

    def text(self, name: str, text: str) -> None:
        """Write a file of text."""
        self.bytes(name, text.encode())

    def bytes(self, name: str, data: bytes) -> None:
        """Write a file, by its path in the copy."""
        target = self.out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(one) for one in value)
    return not isinstance(value, str) or not re.search(r"[/\\@]", value.replace(" / ", ""))
