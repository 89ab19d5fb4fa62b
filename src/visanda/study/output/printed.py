"""Printed table: the cells of a regression table as text, before any file format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

ESTIMATE: Final = "estimate"
UNCERTAINTY: Final = "uncertainty"
FACT: Final = "fact"


@dataclass(frozen=True)
class Cell:
    """One cell: its ``text``, numbers with a hyphen as minus, and its ``stars``."""

    text: str = ""
    stars: str = ""


@dataclass(frozen=True)
class Line:
    """One line of a printed table: of estimates, of their uncertainty, or of facts about the models."""

    kind: Literal["estimate", "uncertainty", "fact"]
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Printed:
    """A table as papers print it.

    Attributes:
        title: above it; may be empty.
        heads: of the columns, one a model.
        lines: estimates, each followed by its uncertainty; then the facts.
        notes: sentences below it.
    """

    title: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def facts_from(self) -> int:
        """The place of the first line of facts, above which a rule is drawn."""
        return next((place for place, line in enumerate(self.lines) if line.kind == FACT), len(self.lines))


def minus(text: str) -> str:
    """``text`` with a typographic minus before numbers: ``(-0.1)`` is ``(−0.1)``."""
    return "".join(
        "−" if mark == "-" and following.isdigit() and not before.isalnum() else mark
        for before, mark, following in zip(" " + text, text, text[1:] + " ", strict=False)
    )
