"""Values that coders gave, brought to those of the codebook; or an error with everything that fits none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches

from visanda.codebook.variable import LEFT, NONE, RIGHT, SPLIT, TIE, Variable, fold
from visanda.errors import InputError

YES = {"1", "true", "yes", "y", "present", "positive", "ja", "oui", "si", "sí"}
NO = {"0", "false", "no", "n", "absent", "negative", "nein", "non"}
SIDES = {"left": LEFT, "l": LEFT, "<": LEFT, "right": RIGHT, "r": RIGHT, ">": RIGHT}
SIDES |= {"tie": TIE, "equal": TIE, "same": TIE, "=": TIE}
SHOWN = 12  # unknown values that an error lists
DATE = re.compile(r"\d{4}-\d\d-\d\d( 00:00:00)?")


def fit(variable: Variable, given: str) -> str | None:
    """The allowed value that was meant; ``None`` where that is not clear.

    Exactly, or without regard to case and spaces; 1, true, ja and the like where the values are a yes and a no;
    numbers with a decimal comma; labels split by ``|``, ``;`` or ``,``, in the codebook's order.

    >>> fit(Variable("protest", values=("yes", "no")), " Yes"), fit(Variable("protest", values=("yes", "no")), "Yep")
    ('yes', None)
    >>> fit(Variable("symbols", "multilabel", ("flag", "fire")), "fire; Flag")
    'flag|fire'
    """
    if given in variable.values and variable.scale != "multilabel":
        return given
    if variable.scale == "interval":
        return _number(variable, given)
    if variable.scale == "pairwise":
        return SIDES.get(fold(given))
    if variable.scale == "multilabel":
        return _labels(variable, given)
    return _one(variable.values, given) if variable.values else given


def fitted(variable: Variable, given: Sequence[str]) -> list[str]:
    """All values as the codebook writes them; empty ones stay empty.

    Raises:
        InputError: some fit no value: a table of them, with what to do.
    """
    times = Counter(text for text in given if text)
    found = {text: fit(variable, text) for text in times}
    if unknown := [text for text, value in found.items() if value is None]:
        raise _unknown(variable, {text: times[text] for text in unknown})
    return [found.get(text) or "" for text in given]


def recoded(given: Sequence[str], recode: Sequence[str]) -> list[str]:
    """Values with some put in the place of others, as ``Yep=yes,nope=no`` says; compared without regard to case.

    What becomes nothing, as in ``illegible=``, is no code.

    >>> recoded(["Yep", "yes"], ["yep=yes,nope=no"])
    ['yes', 'yes']

    Raises:
        InputError: a pair without ``=``.
    """
    pairs: dict[str, str] = {}
    for text in recode:
        for pair in [text] if text.count("=") == 1 else text.split(","):
            old, sign, new = pair.rpartition("=")
            if not sign or not old.strip():
                raise InputError(f"--recode {pair!r} says not what becomes what: write old=new, as in Yep=yes,nope=no")
            pairs[fold(old)] = new.strip()
    return [pairs.get(fold(text), text) for text in given]


def _one(values: Sequence[str], given: str) -> str | None:
    """One of the values."""
    allowed = {fold(value): value for value in values}
    text = fold(given)
    if text in allowed:
        return allowed[text]
    whole = re.fullmatch(r"(-?\d+)[.,]0+", text)  # 1.0 out of a spreadsheet is 1
    text = whole[1] if whole else text
    affirmed, denied = [v for v in allowed if v in YES], [v for v in allowed if v in NO]
    named = len(values) == 2 or not any(v.isdigit() for v in [*affirmed, *denied])  # 0 to 4 are no yes and no
    if len(affirmed) == len(denied) == 1 and named and text in YES | NO:
        return allowed[affirmed[0] if text in YES else denied[0]]
    return allowed.get(text)


def _labels(variable: Variable, given: str) -> str | None:
    """Labels in the codebook's order, ``none`` where none was meant."""
    signs = SPLIT + "".join(sign for sign in ";," if not any(sign in label for label in variable.values))
    parts = [part for part in re.split(f"[{re.escape(signs)}]", given) if part.strip()]
    if [fold(part) for part in parts] in ([NONE], ["-"]):
        return NONE
    allowed = {fold(label): label for label in variable.values}
    found = {allowed.get(fold(part)) for part in parts}
    if None in found or not found:
        return None
    return SPLIT.join(label for label in variable.values if label in found)


def _number(variable: Variable, given: str) -> str | None:
    text = given.strip().replace("−", "-")
    if not re.fullmatch(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", text):
        return None
    number = float(text.replace(",", "."))
    if (variable.low is not None and number < variable.low) or (variable.high is not None and number > variable.high):
        return None
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)


def _unknown(variable: Variable, times: dict[str, int]) -> InputError:
    """The error that lists what fits no value."""
    rows = sorted(times.items(), key=lambda row: (-row[1], row[0]))
    nearest = {text: _nearest(variable, text) for text, _ in rows}
    width = min(40, max(len(repr(text)) for text, _ in rows[:SHOWN]))
    lines = [f"  {text!r:<{width}}  {n:>6,} ×   {_hint(variable, nearest[text])}" for text, n in rows[:SHOWN]]
    if len(rows) > SHOWN:
        lines.append(f"  ... and {len(rows) - SHOWN} more")
    pairs = ",".join(f"{text}={near or '...'}" for text, near in list(nearest.items())[:3])
    dates = (
        " Spreadsheets make dates of values such as 1-2: format the cells as text."
        if any(DATE.fullmatch(text) for text in times)
        else ""
    )
    return InputError(
        f"{sum(times.values()):,} codes are not what the codebook allows for {variable.name!r} ({allowed(variable)}), "
        f"and nothing was taken:\n" + "\n".join(lines) + f'\nSay what they mean with --recode "{pairs}", mend the '
        f"table, or change the codebook ('visanda codebook {variable.name}').{dates}"
    )


def allowed(variable: Variable) -> str:
    """What a code may be, in words."""
    if variable.scale == "interval":
        low = "" if variable.low is None else f" from {variable.low:g}"
        return "a number" + low + ("" if variable.high is None else f" to {variable.high:g}")
    return ", ".join(variable.answers) + (f", or {NONE}" if variable.scale == "multilabel" else "")


def _nearest(variable: Variable, text: str) -> str | None:
    """The allowed value that a text resembles most."""
    if variable.scale == "interval":
        free = Variable(variable.name, "interval")
        number = _number(free, text)
        if number is None:
            return None
        end = variable.low if variable.low is not None and float(number) < variable.low else variable.high
        return f"{end:g}"
    folded = {fold(value): value for value in variable.answers}
    close = get_close_matches(fold(text), folded, n=1, cutoff=0.0)
    begun = [value for name, value in folded.items() if name[:1] == fold(text)[:1]]
    sure = get_close_matches(fold(text), folded, n=1, cutoff=0.6)
    return folded[sure[0]] if sure else begun[0] if len(begun) == 1 else folded[close[0]] if close else None


def _hint(variable: Variable, near: str | None) -> str:
    return f"not {allowed(variable)}" if near is None else f"nearest: {near}"
