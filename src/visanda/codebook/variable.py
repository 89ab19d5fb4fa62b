"""A variable: what coders are asked, on which scale, with which values; and whether that makes sense."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from math import isfinite
from typing import Literal, TypeVar

from visanda.errors import InputError

Scale = Literal["nominal", "ordinal", "interval", "multilabel", "pairwise"]
SCALES: tuple[Scale, ...] = ("nominal", "ordinal", "interval", "multilabel", "pairwise")
SPLIT = "|"  # between the labels of one multi-label code
NONE = "none"  # the multi-label code that says: none of the labels
PAIR = " <> "  # between the ids of the two units of a pairwise comparison
LEFT, RIGHT, TIE = "left", "right", "tie"  # the values of a pairwise comparison: which has more of it
BORDERLINE = "borderline"  # under which examples in doubt stand
ENDS = ("low", "high")  # of an interval scale, which meanings and prompts may speak of
SHEET = ("order", "id", "left", "right", "path", "picture", "value", "note")  # columns of sheets: no label's name

T = TypeVar("T")


@dataclass(frozen=True)
class Variable:
    """What coders are asked.

    Attributes:
        name: of the variable; a column and a table will be called so.
        scale: nominal (one of the values), ordinal (one of the values, which are in order), interval (a number),
            multilabel (any of the values), pairwise (which of two units has more; Bradley & Terry 1952).
        values: allowed ones, in order; empty for interval and pairwise, and for a variable that nobody has defined,
            which takes any.
        definition: what is asked, in words that coders, prompts and readers see.
        meanings: a definition a value, where there is one; of an interval scale, of some numbers.
        prompts: phrases a value by which models that know words look for it; the values themselves by default.
        examples: ids a value, with which coders are trained; ``not <value>`` holds what looks like it and is not, and
            ``borderline`` cases in doubt.
        low: of an interval scale, its lower end.
        high: of an interval scale, its upper end.
        on: the kind of unit that is coded: image, frame, shot, face, object, or a table's name.
        version: 1, and one more for each change after coding had begun. Prompts may change without: no coder sees
            them.
    """

    name: str
    scale: Scale = "nominal"
    values: tuple[str, ...] = ()
    definition: str = ""
    meanings: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    on: str = "image"
    version: int = 1

    @property
    def answers(self) -> tuple[str, ...]:
        """What a coder may say, where that can be listed: values, or left, right and tie."""
        return (LEFT, RIGHT, TIE) if self.scale == "pairwise" else self.values


def fold(text: str) -> str:
    """A value as it is compared: without regard to case, spaces, and how accents are written.

    >>> fold(" Not  Sure ")
    'not sure'
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def check_name(what: str, name: str) -> str:
    """A name of a variable or a coder that can name a file and a column.

    Raises:
        InputError: it cannot.
    """
    if not re.fullmatch(r"[^\W\d]\w*", name):
        raise InputError(f"{name!r} cannot name a {what}: use letters, digits and '_', a letter first")
    return name


def negative(value: str) -> str:
    """Under which examples stand that look like a value and are not.

    >>> negative("flag")
    'not flag'
    """
    return f"not {value}"


def column_name(variable: str, value: str) -> str:
    """The name of the 0/1 column that says whether a variable has a value.

    >>> column_name("kind", "Power plant")
    'kind_power_plant'
    """
    return f"{variable}_" + re.sub(r"\W+", "_", value.strip().lower()).strip("_")


def checked(given: Variable) -> Variable:
    """The variable, if coders can be asked so; meanings, prompts and examples under the values as they are written.

    Raises:
        InputError: an unknown scale, values that cannot be told apart or cannot be columns, too few, ends of a scale
            that are none, or something said of a value that does not exist.
    """
    check_name("variable", given.name)
    if given.scale not in SCALES:
        close = get_close_matches(str(given.scale), SCALES, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise _wrong(given, f"there is no scale {given.scale!r}{hint}: use {', '.join(SCALES)}")
    _check_values(given)
    _check_ends(given)
    if not re.fullmatch(r"\w[\w-]*", given.on):
        raise _wrong(given, f"on = {given.on!r} is no kind of unit: use image, frame, shot, face, object, or a table")
    return replace(
        given,
        meanings=_by_value(given, "meanings", given.meanings, ENDS),
        prompts=_by_value(given, "prompts", given.prompts, ENDS),
        examples=_by_value(given, "examples", given.examples, (*ENDS, BORDERLINE, *map(negative, given.answers))),
    )


def _check_values(given: Variable) -> None:
    if given.scale in ("interval", "pairwise"):
        if given.values:
            what = "a number" if given.scale == "interval" else f"{LEFT}, {RIGHT} or {TIE}"
            raise _wrong(given, f"a code of the scale {given.scale} is {what}: leave values out")
        return
    least = {"nominal": 2, "ordinal": 2, "multilabel": 1}[given.scale]
    if len(given.values) < least and (given.values or given.scale != "nominal"):
        raise _wrong(given, f"the scale {given.scale} needs {least} values or more, not {len(given.values)}")
    for value in given.values:
        if value != value.strip() or not value or re.search(r"[\x00-\x1f]", value):
            raise _wrong(given, f"the value {value!r} is empty, or has spaces around it or line breaks in it")
        if SPLIT in value:
            raise _wrong(given, f"the value {value!r} holds {SPLIT!r}, which stands between values: use another sign")
        if given.scale == "multilabel" and fold(value) in (NONE, *SHEET):
            why = "says that no label fits" if fold(value) == NONE else "is a column of the coders' sheets"
            raise _wrong(given, f"{value!r} cannot be a label: it {why}")
    _refuse_alike(given, fold, "differ in case or spaces only, if at all: coders would mix them up")
    _refuse_alike(given, lambda value: column_name("", value), "would be columns of the same name: change one")
    if given.values and (bare := [value for value in given.values if not column_name("", value).strip("_")]):
        raise _wrong(given, f"the value {bare[0]!r} has no letter or digit, and cannot be part of a column's name")


def _refuse_alike(given: Variable, key: Callable[[str], str], why: str) -> None:
    seen: dict[str, str] = {}
    for value in given.values:
        same = key(value)
        if same in seen:
            raise _wrong(given, f"the values {seen[same]!r} and {value!r} {why}")
        seen[same] = value


def _check_ends(given: Variable) -> None:
    ends = {name: end for name, end in (("low", given.low), ("high", given.high)) if end is not None}
    if ends and given.scale != "interval":
        raise _wrong(given, f"{' and '.join(ends)} are for the scale interval, and this one is {given.scale}")
    if any(not isfinite(end) for end in ends.values()):
        raise _wrong(given, "low and high must be numbers")
    if given.low is not None and given.high is not None and given.low >= given.high:
        raise _wrong(given, f"low ({given.low:g}) must be below high ({given.high:g})")


def _by_value(given: Variable, what: str, said: Mapping[str, T], others: Iterable[str]) -> dict[str, T]:
    """What is said of values, in their order and under their spelling."""
    if not given.answers and given.scale == "nominal":  # any value goes
        return dict(said)
    apart = [name for name in others if given.scale == "interval" or name not in ENDS]
    allowed = {fold(name): name for name in apart} | {fold(value): value for value in given.answers}
    found: dict[str, T] = {}
    for value, one in said.items():
        place = allowed.get(fold(value))
        if place is None and given.scale == "interval":
            place = _number_within(given, value)
        if place is None:
            close = get_close_matches(fold(value), allowed, n=1)
            hint = f" (did you mean {allowed[close[0]]!r}?)" if close else ""
            values = ", ".join(given.answers) or "numbers"
            raise _wrong(given, f"{what} of the value {value!r}, which does not exist{hint}; the values are: {values}")
        found[place] = one
    order = {value: place for place, value in enumerate([*given.answers, *apart])}
    return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))


def _number_within(given: Variable, text: str) -> str | None:
    try:
        number = float(text)
    except ValueError:
        return None
    above = given.low is None or number >= given.low
    return text if above and (given.high is None or number <= given.high) else None


def _wrong(given: Variable, why: str) -> InputError:
    return InputError(f"the codebook's variable {given.name!r}: {why}")
