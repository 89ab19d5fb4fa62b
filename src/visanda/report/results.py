"""Saved results: what estimates, shares, plans and audits left in ``results/``, each with words, table and figure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from visanda.report.pictures import png_data
from visanda.store import Store

Kind = Literal["estimate", "shares", "plan", "audit", "other"]
# Of a note, what does not say how the numbers were made; the rest are its arguments.
TOLD = {
    "title",
    "words",
    "warnings",
    "formula",
    "made",
    "why",
    "prediction",
    "predicted_var",
    "label",
    "effects",
    "question",
}
TOLD |= {
    "codes",
    "codes_alone",
    "n",
    "n_coded",
    "n_dropped",
    "n_clusters",
    "sampling",
    "sample_prob",
    "variable",
    "classes",
    "truth",
    "refined",
}
BOOTSTRAP = "resamples"


@dataclass(frozen=True)
class Saved:
    """A result as it was saved.

    Attributes:
        name: of its files.
        note: title, words, warnings and provenance.
        table: the numbers.
        figure: as a data address; empty where there is none.
        made: when, as people write it.
    """

    name: str
    note: dict[str, Any]
    table: pd.DataFrame
    figure: str
    made: str

    @property
    def kind(self) -> Kind:
        """What it is, by its table: notes of all kinds have the same fields."""
        columns = set(self.table.columns)
        if {"group", "method", "estimate"} <= columns or {"class", "adjusted"} <= columns:
            return "shares"
        if {"method", "term", "estimate"} <= columns and "formula" in self.note:
            return "estimate"
        if "target_se" in self.note or {"stratum", "units", "coded", "share"} <= columns:
            return "plan"
        return "audit" if re.search(r"-audit(-|$)", self.name) else "other"

    @property
    def heading(self) -> str:
        """The question of an estimate; the title of all else."""
        asked = self.kind == "estimate" and "effects" not in self.note
        return str(self.note["formula"] if asked else self.note.get("title", self.name))

    @property
    def arguments(self) -> str:
        """How it was asked for, as far as that was no default or none."""
        planned = {"formula": self.note.get("formula")} if self.kind == "plan" else {}
        asked = self.note.get("question") or {}
        given = planned | {name: value for name, value in (asked | self.note).items() if name not in TOLD}
        if given.get("method") != "debias":
            given.pop(BOOTSTRAP, None)
        if given.get("method") != "dsl":
            given = {name: value for name, value in given.items() if name not in ("learner", "folds", "splits")}
        said = {name: value for name, value in given.items() if value not in (None, False, [], {}, "")}
        return ", ".join(f"{name} {_said(value)}" for name, value in said.items())


def saved(store: Store) -> list[Saved]:
    """Every result in ``results/``, oldest first."""
    found = [one for path in sorted(store.results.glob("*.json")) if (one := _read(path))]
    return sorted(found, key=lambda one: (one.made, one.name))


def _read(path: Path) -> Saved | None:
    """A result; None for a file of somebody else's."""
    table = path.with_suffix(".csv")
    try:
        note = json.loads(path.read_text("utf-8"))
        numbers = pd.read_csv(table, dtype={"group": str, "class": str, "stratum": str})
    except (OSError, ValueError):
        return None
    if not isinstance(note, dict) or "title" not in note:
        return None
    figure = path.with_suffix(".png")
    data = png_data(figure.read_bytes()) if figure.exists() else ""
    when = datetime.fromisoformat(note["made"]) if "made" in note else datetime.fromtimestamp(path.stat().st_mtime)
    return Saved(path.stem, note, numbers, data, f"{when:%Y-%m-%d %H:%M}")


def _said(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
