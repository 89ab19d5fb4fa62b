"""Details of reliability: a table a question, to be printed and kept beside the whole."""

from __future__ import annotations

from visanda.result import Result

TITLES = {  # tables that ``study.reliability`` gives beside the whole, and what each is called
    "by value": "Agreement by value",
    "by coder": "Agreement by coder",
    "values by coder": "Values by coder",
    "by pair": "Agreement by pair of coders",
    "coincidences": "Coincidences",
}


def details_of(found: Result) -> list[Result]:
    """A Result for each further table of a reliability: by value, by coder, by pair, and who gave what how often."""
    return [Result(title, found.extra[name]) for name, title in TITLES.items() if name in found.extra]
