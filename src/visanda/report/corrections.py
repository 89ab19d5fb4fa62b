"""Corrections: of each estimate and share how the machine's errors were taken out, as it was really done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from visanda.errors import InputError
from visanda.report.gather import Facts
from visanda.report.results import Saved
from visanda.result import Result
from visanda.study.output.methods_text import methods_text
from visanda.study.output.references import Reference

UNITS = {"image": "pictures", "frame": "frames", "face": "faces", "shot": "shots"}


@dataclass(frozen=True)
class Told:
    """What was said of one estimate: how it was asked for, and all else."""

    name: str
    asked: str
    rest: tuple[str, ...]


def corrections(facts: Facts) -> tuple[list[str], list[Reference]]:
    """A paragraph an estimate, and the papers that they cite.

    What was done as in an earlier estimate is not told twice.
    """
    told: list[Told] = []
    papers: dict[Reference, None] = {}
    for one in [*(one for one in facts.estimates if "effects" not in one.note), *facts.shares]:
        said, cited = _told(one, _units(facts, one))
        told.append(said)
        papers |= dict.fromkeys(cited)
    return [_paragraph(said, told[:place]) for place, said in enumerate(told)], list(papers)


def _told(one: Saved, units: str) -> tuple[Told, Sequence[Reference]]:
    try:
        found = methods_text(Result(one.heading, one.table, provenance=one.note), units=units)
    except InputError:  # a result of somebody else's
        return Told(one.name, f"{one.heading}: how this was estimated is not known.", ()), []
    asked, *rest = [text for text in found.sentences if not text.startswith("Computed with")]
    seed = f" Random numbers were drawn with the seed {one.note['seed']}." if one.note.get("seed") is not None else ""
    rest[-1] += seed
    return Told(one.name, asked, tuple(rest)), found.references


def _paragraph(said: Told, before: Sequence[Told]) -> str:
    same = next((one.name for one in before if one.rest == said.rest), None) if said.rest else None
    rest = f"All else was done as for {same}." if same else " ".join(said.rest)
    return f"{said.name}: {said.asked} {rest}".rstrip()


def _units(facts: Facts, one: Saved) -> str:
    """What the rows of an estimate are: the units that its variable was coded on."""
    predicted = one.note.get("prediction")
    names = [str(name) for name in (predicted if isinstance(predicted, dict) else [one.note.get("variable", "")])]
    for variable in sorted(facts.variables, key=lambda variable: -len(variable.name)):
        if any(name == variable.name or name.startswith(f"{variable.name}_") for name in names):
            return UNITS.get(variable.asked.on, f"{variable.asked.on}s")
    return "pictures"
