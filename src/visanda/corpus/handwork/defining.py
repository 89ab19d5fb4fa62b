"""Defining a variable from options, and what is to be said of the codebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from visanda import codes
from visanda.codebook import Variable, changes, undefined, versions
from visanda.codebook.variable import fold
from visanda.corpus.handwork.names import Names
from visanda.errors import InputError
from visanda.store import Store


def redefined(before: Variable, options: Mapping[str, Any]) -> Variable:
    """The variable with what options say in place of what was said before.

    Args:
        before: the variable as it is.
        options: values, definition, scale, low, high, on; and meaning, prompt and example, each a list of texts such
            as ``yes=people march``; ``None`` leaves a thing as it is.
    """
    plain = {name: options[name] for name in ("definition", "scale", "low", "high", "on") if options[name] is not None}
    if options["values"] is not None:
        listed = [value.strip() for text in options["values"] for value in text.split(",")]
        plain["values"] = tuple(value for value in listed if value)
    if plain.get("scale", before.scale) != before.scale:  # what belonged to the old scale goes with it
        before = replace(before, low=None, high=None)
        before = replace(before, values=()) if plain["scale"] in ("interval", "pairwise") else before
    return replace(
        before,
        **plain,
        meanings=_with(before.meanings, options["meaning"], "--meaning", lambda text: text),
        prompts=_with(before.prompts, options["prompt"], "--prompt", _several),
        examples=_with(before.examples, options["example"], "--example", _several),
    )


def _with(
    before: Mapping[str, Any], given: Sequence[str] | None, option: str, read: Callable[[str], Any]
) -> dict[str, Any]:
    """What is said a value, with new texts; an empty one takes out what was said."""
    found = dict(before)
    for text in given or []:
        value, sign, said = text.partition("=")
        if not sign or not value.strip():
            raise InputError(f"{option} {text!r} names no value: write value=text, as in {option} 'yes=people march'")
        there = next((name for name in found if fold(name) == fold(value)), value.strip())
        found.pop(there, None)
        if read(said.strip()):
            found[there] = read(said.strip())
    return found


def _several(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def said_of_version(folder: Path, now: Variable) -> list[str]:
    """What has changed since coders were last asked, and how many codes were given under which version."""
    if undefined(folder, now.name):
        return []
    said = codes.in_force(folder, now.name)
    kept = versions(folder, now.name)
    words = []
    if kept and now.version > kept[-1].version:
        words.append(
            f"The codebook of {now.name} has changed since version {kept[-1].version}: "
            f"{'; '.join(changes(kept[-1], now))}. Codes from now on are given under version {now.version}."
        )
    counts = said["codebook"].value_counts().sort_index()
    under = [f"{n:,} under {f'version {number}' if number else 'none'}" for number, n in counts.items()]
    if len(under) > 1 or (len(said) and str(counts.index[0]) != str(now.version)):
        words.append(f"Codes so far: {', '.join(under)}; 'code --again' marks those that were given anew.")
    return words


def said_of_versions(said: pd.DataFrame) -> list[str]:
    """Codes (codebook) that were given under several versions of the codebook, and are compared all the same."""
    versions = sorted(version for version in said["codebook"].astype(str).unique() if version)
    if len(versions) < 2:
        return []
    counts = said["codebook"].astype(str).value_counts()
    each = ", ".join(f"{counts[version]:,} under version {version}" for version in versions)
    return [f"Codes of several versions of the codebook are compared here: {each}."]


def warned_of_unfit(folder: Path, name: str) -> list[str]:
    """Codes in force that the codebook does not allow: they do not count."""
    if undefined(folder, name) or not any((folder / "codes" / name).glob("*.csv")):
        return []
    left = codes.unfit(folder, name)
    if left.empty:
        return []
    shown = ", ".join(f"{row.value!r} ({row.codes})" for row in left.head(5).itertuples())
    return [
        f"{left['codes'].sum():,} codes of {name} have values that the codebook does not allow, and do not count: "
        f"{shown}. Code those pictures anew, or bring the value back"
    ]


def warned_of_undecided(folder: Path, name: str) -> list[str]:
    """Units on which coders are split: they count as not coded, though they were drawn."""
    split = codes.undecided(folder, name)
    if not split:
        return []
    return [
        f"coders are split over {len(split)} units of {name}, and nobody settled them: they count as not coded. These "
        f"are the hard ones, without which a model seems better than it is: visanda adjudicate {name}"
    ]


def warned_of(store: Store, one: Variable) -> list[str]:
    """Codes that do not fit, and examples that are nothing in this corpus."""
    warnings = warned_of_unfit(store.folder, one.name)
    names = [id for ids in one.examples.values() for id in ids]
    if names and "media" in store.tables():
        ids, _ = Names(store, one).find([[name] for name in names])
        if lost := [name for name, id in zip(names, ids, strict=True) if id is None]:
            warnings.append(f"examples of {one.name} that are nothing here, or several: {', '.join(lost[:5])}")
    return warnings


def as_table(defined: Sequence[Variable], folder: Path) -> pd.DataFrame:
    """A row a variable."""
    rows = [
        {
            "variable": one.name,
            "scale": one.scale,
            "values": _ends(one) if one.scale == "interval" else ", ".join(one.answers),
            "on": one.on,
            "version": one.version,
            "codes": len(codes.in_force(folder, one.name)),
            "definition": one.definition,
        }
        for one in defined
    ]
    return pd.DataFrame(rows)


def as_values(one: Variable, folder: Path) -> pd.DataFrame:
    """A row a value of one variable."""
    given = codes.in_force(folder, one.name)
    tidy = codes.tidied(one, given)["value"] if len(given) else pd.Series(dtype=str)
    keys = list(dict.fromkeys([*one.answers, *one.meanings, *one.prompts, *one.examples]))
    if one.scale == "multilabel":
        tidy = tidy.str.split("|", regex=False).explode()
        keys.append("none")
    counts = tidy.value_counts()
    rows = [
        {
            "value": key,
            "meaning": one.meanings.get(key, ""),
            "prompts": "; ".join(one.prompts.get(key, ())),
            "examples": "; ".join(one.examples.get(key, ())),
            "codes": int(counts.get(key, 0)),
        }
        for key in keys
    ]
    columns = ["value", "meaning", "prompts", "examples", "codes"]
    return pd.DataFrame(rows, columns=columns[:-1] if one.scale == "interval" else columns)


def _ends(one: Variable) -> str:
    return f"{'' if one.low is None else f'{one.low:g}'} to {'' if one.high is None else f'{one.high:g}'}".strip()
