"""Printed table: the cells of a regression table as text, before any file format."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
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
        parameters: how many lines of estimates, the last ones, are thresholds, dispersions and the like.
    """

    title: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = field(default=())
    parameters: int = 0

    @property
    def blocks(self) -> list[tuple[Line, ...]]:
        """The lines of terms, of parameters and of facts, as far as there are some; rules are drawn between them."""
        facts = next((place for place, line in enumerate(self.lines) if line.kind == FACT), len(self.lines))
        ends = [0, facts - self.parameters, facts, len(self.lines)]
        return [self.lines[start:stop] for start, stop in pairwise(ends) if stop > start]


def minus(text: str) -> str:
    """``text`` with a typographic minus before numbers: ``(-0.1)`` is ``(−0.1)``."""
    return "".join(
        "−" if mark == "-" and following.isdigit() and not before.isalnum() else mark
        for before, mark, following in zip(" " + text, text, text[1:] + " ", strict=False)
    )
