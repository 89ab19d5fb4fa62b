"""Wording: numbers, p values and terms of formulas as people write them."""

from __future__ import annotations

import re

SIGNIFICANT = 0.05
FEW_CLUSTERS = 30
# C(genre, ...)[T.news] or genre[T.news]; a spline's poly(x, 2)[1] is none
# intercepts, also those of a category (rally: Intercept); thresholds between steps (1|2); a dispersion
NO_EFFECT = re.compile(r"^(?:(?:.*: )?Intercept|[^\[\]]*\|[^\[\]]*|alpha \(dispersion\))$")
CATEGORY = re.compile(r"^(?:C\(`?([^,`)]+)`?.*\)|`?([\w .]+)`?)\[(?:T\.)?(.*)\]$")
POWER = re.compile(r"^(?:I\(|\{)\s*(.+?)\s*(?:\*\*|\^)\s*(\d+)\s*[)}]$")


def number(value: float) -> str:
    """``value`` with the digits a table prints: three decimals, or three significant digits."""
    return f"{value:.3f}" if 0.01 <= abs(value) < 1000 or value == 0 else f"{value:.3g}"


def p_value(p: float) -> str:
    """``p`` as papers print it: ``p = .031`` or ``p < .001``."""
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)


def readable(term: str, of: str = " = ") -> str:
    """A term as people say it: ``C(genre)[T.news]:np.log(x)`` is ``genre = news × log(x)``, ``I(x ** 2)`` is ``x²``.

    Args:
        term: as the formula made it.
        of: what stands between a category and its value; tables have ``genre: news``.

    Example:
        >>> readable("art: genre[T.news]:x")  # of an outcome of categories
        'art: genre = news × x'
    """
    value, apart, rest = term.partition(": ")
    if apart and "[" not in value:
        return f"{value}: {readable(rest, of)}"
    parts = [CATEGORY.sub(lambda found: _level(found, of), part) for part in _factors(term)]
    return " × ".join(_transform(part.replace("np.", "").replace("`", "")) for part in parts)


def levels_of(term: str) -> list[tuple[str, str]]:
    """The variables and values that a term names: ``art: C(genre)[T.news]:x`` has ``("genre", "news")``."""
    value, apart, rest = term.partition(": ")
    found = (CATEGORY.match(part) for part in _factors(rest if apart and "[" not in value else term))
    return [((one[1] or one[2]).strip(), one[3].removesuffix(".0")) for one in found if one]


def _factors(term: str) -> list[str]:
    return re.split(r":(?! )(?![^\[(]*[\])])", term)


def in_focus(terms: list[str]) -> list[str]:
    """The terms people ask about: no intercept, threshold or dispersion, where there are others.

    Example:
        >>> in_focus(["Intercept", "x", "1|2", "news: Intercept", "alpha (dispersion)"])
        ['x']
    """
    return [term for term in terms if not NO_EFFECT.match(term)] or terms


def _level(found: re.Match[str], of: str) -> str:
    return f"{found[1] or found[2]}{of}{found[3].removesuffix('.0')}"


def _transform(part: str) -> str:
    """``I(x ** 2)`` as x², other arithmetic without its I()."""
    if power := POWER.match(part):
        base = power[1] if re.fullmatch(r"[\w .]+|\w*\([^()]*\)", power[1]) else f"({power[1]})"
        return base + "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in power[2])
    inside = re.match(r"^I\((.*)\)$|^\{(.*)\}$", part)
    return (inside[1] or inside[2]).strip() if inside else part
