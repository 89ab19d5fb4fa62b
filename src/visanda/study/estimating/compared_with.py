"""Compared with: the categories that coefficients are differences from."""

from __future__ import annotations

from collections.abc import Sequence

from visanda.study.estimating.question import Question
from visanda.study.regression.formula import outcome_of
from visanda.study.wording import levels_of


def outcome_reference(asked: Question) -> str | None:
    """The category of the outcome that the others are compared with, as ``kind = march``; None where there is none."""
    if asked.reference is None:
        return None
    return f"{outcome_of(asked.fixed).strip('`')} = {asked.reference}"


def references(asked: Question, terms: Sequence[str]) -> list[str]:
    """Of each categorical variable among the ``terms`` the value that has none: what the others are compared with."""
    shown: dict[str, set[str]] = {}
    for term in terms:
        for variable, level in levels_of(term):
            shown.setdefault(variable, set()).add(level)
    found = []
    for variable, levels in shown.items():
        every: set[str] = set(asked.rows.categories.get(variable, ()))
        if not every and variable in asked.rows.data:
            every = set(asked.rows.data[variable].astype(str).str.removesuffix(".0"))
        left = every - levels
        if len(left) == 1:
            found.append(f"{variable} = {left.pop()}")
    return found


def own_levels(terms: Sequence[str], variable: str | None) -> list[str]:
    """The terms that are made of the values of a variable."""
    return [term for term in terms if any(name == variable for name, _ in levels_of(term))]
