"""Compared with: the categories that coefficients are differences from."""

from __future__ import annotations

from collections.abc import Sequence

from visanda.study.estimating.question import Question
from visanda.study.regression.formula import outcome_of
from visanda.study.regression.separation import MODELS, alike
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


def resting_on_one_outcome(asked: Question, terms: Sequence[str]) -> list[str]:
    """The terms of values with which all coded rows have one outcome; all of a variable, where its reference is one."""
    if asked.model not in MODELS:
        return []
    coded = asked.rows.data[asked.rows.coded].reset_index(drop=True)
    found = {(one.variable, one.value) for one in alike(coded, asked.fixed, asked.model)}
    against = {tuple(text.split(" = ", 1)) for text in references(asked, terms)}
    whole = {variable for variable, value in found if (variable, value) in against}
    numbers = {variable for variable, _ in found}
    return [
        term
        for term in terms
        if any(level in found or level[0] in whole for level in levels_of(term))
        or not numbers.isdisjoint(term.split(": ")[-1].split(":"))
    ]


def not_to_be_read(asked: Question, terms: Sequence[str]) -> list[str]:
    """The terms whose estimates or standard errors mean nothing, and of which no sentence speaks."""
    return [*own_levels(terms, asked.cluster), *resting_on_one_outcome(asked, terms)]


def own_levels(terms: Sequence[str], variable: str | None) -> list[str]:
    """The terms that are made of the values of a variable."""
    return [term for term in terms if any(name == variable for name, _ in levels_of(term))]
