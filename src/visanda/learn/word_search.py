"""Search for words in texts that a machine read or heard, and that may therefore be misspelt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from visanda.errors import InputError

PHRASE = re.compile(r'["“”„]([^"“”„]*)["“”„]|([^\s"“”„]+)')
DIVIDED = re.compile(r"(?<=\w)[-‐\u00ad]\s*\n\s*(?=\w)")  # a word divided at a line's end
LETTERS_AN_ERROR = 5  # a word of fewer letters must be spelt right, one of twice as many may have two errors,
MOST_ERRORS = 3  # and none may have more
PART = 0.9  # a word inside a longer one; so short a word
SHORTEST_PART = 3  # is inside too many
UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")  # Thai, Lao, Japanese, Chinese
WORD = re.compile(r"[^\W_]+")
PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "’": "'", "ħ": "h"}
)


class _Text(NamedTuple):
    """A text's words as they follow each other, and the same with divided words joined."""

    versions: list[list[str]]
    vocabulary: set[str]


def find_words(texts: Sequence[str | None], query: str, *, errors: int | None = None) -> list[float]:
    """How well a query's words occur in each text, whatever their case and accents.

    Args:
        texts: n texts; ``None`` where there is none.
        query: words, all of which must occur; a phrase in quotation marks must occur just so, word by word.
        errors: letters that may be wrong, missing or too many in each word outside quotation marks; ``None``: one for
            every five letters of the word, three at most, so that short words must be spelt right.

    Returns:
        n scores, 0 to 1, the mean of the words': 1 for a word that occurs; 0.9 for one of three letters or more inside
        a longer one, as happens where spaces are lost and in compounds; 1 less the share of its letters that are
        wrong otherwise. 0 where any does not occur. Words divided at a line's end are found whole and in parts, and
        several words also where they were read as one (NOPARKING).

    Raises:
        InputError: there is no word in the query, or a negative number of errors.

    Example:
        >>> find_words(["CAFÉ CENTRAL", "Cafe Centra1", "Car park"], "café central")
        [1.0, 0.9285714285714286, 0.0]
    """
    if errors is not None and errors < 0:
        raise InputError(f"errors must not be negative, as {errors} is")
    wanted = list(_terms(query, errors))
    if not wanted:
        raise InputError(f"there is no word to search for in {query!r}")
    joined = _joined(query)
    found = []
    for given in texts:
        text = _read(given or "")
        scores = [score(text) for score in wanted]
        apart = sum(scores) / len(scores) if all(scores) else 0.0
        found.append(max(apart, PART if joined and any(joined in word for word in text.vocabulary) else 0.0))
    return found


def plain(text: str) -> str:
    """Text without case and accents: ``straße`` as ``strasse``, ``Łódź`` as ``lodz``."""
    if text.isascii():  # many times as fast
        return text.lower()
    parted = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in parted if not unicodedata.combining(letter)).translate(PLAIN)


def edits(one: str, other: str, most: int) -> int:
    """Letters to insert, delete or replace to make one word of another (Levenshtein 1966); ``most`` + 1 if more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        now = [row]
        for column, same in enumerate(other, 1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (letter != same)))
        if min(now) > most:
            return most + 1
        before = now
    return before[-1]


def _joined(query: str) -> str:
    """The words of a query as one, as they are read where spaces are lost; empty for one word."""
    words = _words(plain(query))
    return "".join(words) if len(words) > 1 else ""


def _read(text: str) -> _Text:
    lines = plain(text)
    versions = (lines, DIVIDED.sub("", lines)) if "\n" in lines else (lines,)
    words = [_words(version) for version in versions]
    return _Text(words, set().union(*words))


def _words(text: str) -> list[str]:
    """Words of a plain text: runs of letters and digits."""
    return WORD.findall(text)


def _terms(query: str, errors: int | None) -> Iterable[Callable[[_Text], float]]:
    """What scores a text, for each word and phrase of a query."""
    for match in PHRASE.finditer(query):
        words = tuple(_words(plain(match[1] or match[2] or "")))
        if match[1] is not None or len(words) > 1:  # o'clock is a phrase, too
            if words:
                yield _phrase(words)
        elif words:
            yield _word(words[0], errors)


def _phrase(words: tuple[str, ...]) -> Callable[[_Text], float]:
    whole = " ".join(words)
    unspaced = bool(UNSPACED.search(whole))

    def score(text: _Text) -> float:
        for version in text.versions:
            if unspaced and "".join(words) in "".join(version):
                return 1.0
            if f" {whole} " in f" {' '.join(version)} ":
                return 1.0
        return 0.0

    return score


def _word(word: str, errors: int | None) -> Callable[[_Text], float]:
    if UNSPACED.search(word):
        return _phrase((word,))
    most = min(len(word) // LETTERS_AN_ERROR, MOST_ERRORS) if errors is None else min(errors, len(word) - 1)
    # A word with so many errors has one of so many pieces and one more without any: the others need no comparison.
    bounds = [len(word) * piece // (most + 1) for piece in range(most + 2)]
    pieces = [word[begin:end] for begin, end in pairwise(bounds)]

    @cache
    def likeness(other: str) -> float:
        if other == word:
            return 1.0
        part = PART if len(word) >= SHORTEST_PART and word in other else 0.0
        if not any(piece in other for piece in pieces):
            return part
        wrong = edits(word, other, most)
        return max(part, 1 - wrong / len(word) if wrong <= most else 0.0)

    return lambda text: max(map(likeness, text.vocabulary), default=0.0)
