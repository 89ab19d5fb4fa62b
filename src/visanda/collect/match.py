"""Join the rows of a table to pictures by their names, and say what did not match, in both directions."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import pandas as pd

from visanda.errors import InputError
from visanda.units import parse


@dataclass(frozen=True)
class Match:
    """Which row belongs to which picture.

    Attributes:
        rows: id → position of its row.
        unmatched: keys that name no picture, or more than one.
        ambiguous: those of them that name more than one.
    """

    rows: dict[str, int]
    unmatched: list[str]
    ambiguous: list[str]


def match(frame: pd.DataFrame, key: str, ids: Sequence[str]) -> Match:
    """Match ``frame[key]`` to ids: as the whole id, the path inside the folder, the file name, or its stem.

    Names are compared as Unicode NFC, because macOS writes ``ü`` as two characters and others as one.

    Raises:
        InputError: there is no such column, or a key repeats.
    """
    tiers = _tiers(ids)
    if key not in frame:
        raise InputError(_no_column(frame, key, tiers))
    keys = [_plain(str(value)) if pd.notna(value) else "" for value in frame[key]]
    _refuse_repeats(keys, key)
    rows: dict[str, int] = {}
    unmatched, ambiguous = [], []
    for position, name in enumerate(keys):
        hits = _hits(name, tiers)
        if len(hits) == 1 and hits[0] not in rows:
            rows[hits[0]] = position
        else:
            unmatched.append(name or f"(row {position + 1}: empty)")
            if len(hits) > 1:
                ambiguous.append(name)
    return Match(rows, unmatched, ambiguous)


def fitting(names: Sequence[str], ids: Sequence[str]) -> list[list[str]]:
    """The ids that each name fits, in the most exact way in which it fits any.

    >>> fitting(["a.jpg", "new/a.jpg", "b"], ["old/a.jpg", "new/a.jpg"])
    [['old/a.jpg', 'new/a.jpg'], ['new/a.jpg'], []]
    """
    tiers = _tiers(ids)
    return [_hits(_plain(name), tiers) for name in names]


def _hits(name: str, tiers: list[dict[str, list[str]]]) -> list[str]:
    return next((tier[name] for tier in tiers if name in tier), [])


def _no_column(frame: pd.DataFrame, key: str, tiers: list[dict[str, list[str]]]) -> str:
    """What to say where the key is not there: the column that names most pictures is the one that was meant."""
    hits = {
        str(name): sum(any(_plain(str(value)) in tier for tier in tiers) for value in frame[name].dropna())
        for name in frame
    }
    best = max(hits, key=lambda name: hits[name], default="")
    if hits.get(best):
        hint = f"{best!r} names {hits[best]} of the pictures: --key {best}. "
    else:
        close = get_close_matches(key, hits, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
    return f"the table has no column {key!r}: {hint}Its columns are: {', '.join(hits)}"


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip().replace("\\", "/").removeprefix("./"))


def _refuse_repeats(keys: list[str], key: str) -> None:
    repeated = pd.Series([name for name in keys if name]).value_counts()
    repeated = repeated[repeated > 1]
    if len(repeated):
        shown = ", ".join(f"{name!r} ({count} times)" for name, count in repeated.head(3).items())
        raise InputError(
            f"the key must name each picture once: {len(repeated)} values of {key!r} repeat, such as {shown}. "
            "Bring the table to one row a picture first, or choose another --key"
        )


def _tiers(ids: Sequence[str]) -> list[dict[str, list[str]]]:
    """Ways to call a picture, the most exact first: name → the ids that it fits."""
    tiers: list[dict[str, list[str]]] = [{}, {}, {}, {}]
    for id in ids:
        name = _plain(parse(id).name)
        inside = name.split("/", 1)[-1]
        last = name.rsplit("/", 1)[-1]
        for tier, called in zip(tiers, (name, inside, last, last.rsplit(".", 1)[0]), strict=True):
            tier.setdefault(called, []).append(id)
    return tiers
