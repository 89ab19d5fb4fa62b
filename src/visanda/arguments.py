"""Arguments of measures: what a signature declares, read from Python, from JSON or from the command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from visanda.errors import InputError

NEEDED = inspect.Parameter.empty


@dataclass(frozen=True)
class Between:
    """The values a number may have, both ends included: ``colours: Annotated[int, Between(1, 32)]``."""

    low: float
    high: float


@dataclass(frozen=True)
class Argument:
    """One argument of a measure.

    Attributes:
        name: of the parameter.
        kind: int, float, bool, str, list[str] or list[int].
        default: ``NEEDED`` where there is none.
        between: the values that a number may have.
    """

    name: str
    kind: Any
    default: Any
    between: Between | None

    def read(self, measure: str, given: Mapping[str, Any]) -> Any:
        """Its value among those given, as declared.

        Raises:
            InputError: it is needed and not there, or it does not fit.
        """
        value = given.get(self.name, self.default)
        if value is NEEDED:
            raise InputError(f"the measure {measure} needs {self.name}: give {self.name}=... (or --{self.name})")
        read, what = READERS[self.kind]
        try:
            value = read(value)
        except (ValueError, TypeError):
            raise InputError(f"{measure}'s {self.name} must be {what}, not {value!r}") from None
        if self.between and not self.between.low <= value <= self.between.high:
            low, high = self.between.low, self.between.high
            raise InputError(f"{measure}'s {self.name} must be from {low:,} to {high:,}, not {value:,}")
        return value


def arguments_of(function: Callable[..., Any]) -> dict[str, Argument]:
    """The arguments by keyword that a measure's function declares.

    Raises:
        InputError: one of a type that cannot be read from the command line and from JSON.
    """
    hints = get_type_hints(function, include_extras=True)
    found = {}
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        kind, between = hints.get(name), None
        if get_origin(kind) is Annotated:
            kind, *notes = get_args(kind)
            between = next((note for note in notes if isinstance(note, Between)), None)
        if parameter.kind is not parameter.KEYWORD_ONLY or kind not in READERS:
            raise InputError(
                f"the argument {name!r} of {function.__name__} must stand after * and be of one of the types "
                "int, float, bool, str, list[str], list[int]"
            )
        found[name] = Argument(name, kind, parameter.default, between)
    return found


def _whole(value: Any) -> int:
    number = _number(value)
    if not number.is_integer():
        raise ValueError
    return int(number)


def _number(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not isfinite(number):
        raise ValueError
    return number


def _truth(value: Any) -> bool:
    if str(value).lower() not in ("true", "false"):
        raise ValueError
    return str(value).lower() == "true"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _words(value: Any) -> list[str]:
    words = [_text(word).strip() for word in (value.split(",") if isinstance(value, str) else value)]
    return [word for word in words if word]


def _wholes(value: Any) -> list[int]:
    return [_whole(number) for number in (_words(value) if isinstance(value, str) else value)]


READERS: dict[Any, tuple[Callable[[Any], Any], str]] = {
    int: (_whole, "a whole number"),
    float: (_number, "a number"),
    bool: (_truth, "true or false"),
    str: (_text, "text"),
    list[str]: (_words, "a list of words"),
    list[int]: (_wholes, "a list of whole numbers"),
}
