"""Times as people write and read them: ``1:02:03.5``, ``90s``, ``2m``; always seconds inside."""

from __future__ import annotations

import math
import re

from visanda.errors import InputError

UNITS = {"ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}

_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d*)?)", re.ASCII)
_AMOUNT = re.compile(rf"({_NUMBER})\s*(ms|sec|s|min|m|h|)", re.ASCII)


class Timecode(float):
    """Seconds that print as ``HH:MM:SS.mmm``.

    >>> Timecode(3723.5)
    01:02:03.500
    >>> Timecode("1:02:03.5") + 1
    3724.5
    """

    def __new__(cls, time: float | str) -> Timecode:
        """Read a time.

        Args:
            time: seconds, or text as :func:`seconds` reads it.

        Raises:
            InputError: the text is no time.
        """
        return super().__new__(cls, seconds(time))

    def __str__(self) -> str:
        if not math.isfinite(self):
            return float.__repr__(self)
        milliseconds = round(abs(self) * 1000)
        rest, thousandths = divmod(milliseconds, 1000)
        minutes, whole = divmod(rest, 60)
        hours, minutes = divmod(minutes, 60)
        sign = "-" if self < 0 and milliseconds else ""
        return f"{sign}{hours:02d}:{minutes:02d}:{whole:02d}.{thousandths:03d}"

    __repr__ = __str__

    def __format__(self, how: str) -> str:
        """As a timecode, or as a number where the format asks for one."""
        return float.__format__(self, how) if how else str(self)


def seconds(time: float | str) -> float:
    """A time in seconds: a number, ``HH:MM:SS.mmm``, ``MM:SS``, or a number with ms, s, min or h.

    >>> [seconds(text) for text in ("90", "1.5min", "250ms", "1:02:03,5", "-0:30")]
    [90.0, 90.0, 0.25, 3723.5, -30.0]

    Raises:
        InputError: it is no time.
    """
    if isinstance(time, int | float):
        return float(time)
    text = str(time).strip()
    sign = -1.0 if text.startswith("-") else 1.0
    plain = text[1:] if text[:1] in ("+", "-") else text
    if clock := _CLOCK.fullmatch(plain):
        hours, minutes, rest = clock.groups()
        whole = float(rest.replace(",", "."))
        if whole < 60 and (hours is None or int(minutes) < 60):
            return sign * (int(hours or 0) * 3600 + int(minutes) * 60 + whole)
    if amount := _AMOUNT.fullmatch(plain.lower()):
        return sign * float(amount[1]) * UNITS[amount[2] or "s"]
    raise InputError(f"{text!r} is no time: give seconds (90, 1.5), 250ms, 2min, 1h, MM:SS or HH:MM:SS.mmm")
