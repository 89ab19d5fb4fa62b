"""What a unit counts as, once coders have spoken: gold, by the scale of the variable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from visanda.codebook import NO, NONE, PAIR, SPLIT, YES, Variable, fit, variable
from visanda.codes.files import in_force, read
from visanda.study.pairwise.bradley_terry import bradley_terry

GOLD = "gold"  # the coder who settles disagreements: what it says counts, and is no second opinion


def gold(codes: pd.DataFrame) -> pd.Series:
    """The value each picture counts as, by id: what ``gold`` says, else what most coders say.

    Where coders are split evenly and nobody settled it there is none.
    """
    settled, codes = _settled(codes)
    votes = codes.groupby(["id", "value"]).size().rename("votes").reset_index()
    most = votes.groupby("id")["votes"].transform("max")
    winners = votes[votes["votes"] == most]
    alone = ~winners["id"].duplicated(keep=False)
    return pd.concat([winners[alone].set_index("id")["value"], settled]).sort_index()


def gold_of(folder: Path, name: str) -> pd.Series:
    """The value each unit counts as, by id, as the scale of the variable wants it.

    Returns:
        nominal: text, what most coders say; ordinal: text, the median where it is one of the values; multilabel: text
        such as ``flag|fire``, each label by majority; interval: numbers, the mean; pairwise: numbers, the unit's
        Bradley-Terry score, from all comparisons. What ``gold`` says counts instead. A unit on which coders are
        split evenly has none. Codes that the codebook no longer allows do not count: see :func:`unfit`.

    Raises:
        InputError: nobody has coded it.
    """
    defined = variable(folder, name)
    return decide(tidied(defined, read(folder, name)), defined).rename_axis("id").rename(name)


def undecided(folder: Path, name: str) -> list[str]:
    """Ids of units that were coded and count as nothing: coders are split, and nobody settled it."""
    defined = variable(folder, name)
    said = tidied(defined, read(folder, name))
    return sorted(set(said["id"]) - set(decide(said, defined).index)) if defined.scale != "pairwise" else []


def given(folder: Path, defined: Variable) -> pd.DataFrame:
    """The codes in force as the codebook writes them, with all fields of the coders' files.

    Raises:
        InputError: nobody has coded it.
    """
    read(folder, defined.name)
    return tidied(defined, in_force(folder, defined.name))


def tidied(defined: Variable, codes: pd.DataFrame) -> pd.DataFrame:
    """Codes (id, coder, value) as the codebook writes them; those that it does not allow are left out."""
    meant = {text: fit(defined, text) for text in codes["value"].unique()}
    return codes.assign(value=codes["value"].map(meant)).dropna(subset=["value"]).reset_index(drop=True)


def unfit(folder: Path, name: str) -> pd.DataFrame:
    """Values in force that the codebook does not allow now, and how many codes have each: value, codes."""
    defined = variable(folder, name)
    counts = read(folder, name)["value"].value_counts()
    counts = counts[[fit(defined, text) is None for text in counts.index]]
    return counts.rename_axis("value").rename("codes").reset_index()


def decide(codes: pd.DataFrame, defined: Variable) -> pd.Series:
    """Gold by id, of tidied codes (id, coder, value)."""
    if defined.scale == "ordinal":
        return _by_unit(codes, lambda values: _median(values, defined.values))
    if defined.scale == "multilabel":
        return _by_unit(codes, lambda values: _labels(values, defined.values))
    if defined.scale == "interval":
        settled, rest = _settled(codes.assign(value=codes["value"].astype(float)))
        return pd.concat([rest.groupby("id")["value"].mean(), settled]).sort_index()
    if defined.scale == "pairwise":
        return _scores(codes)
    return gold(codes)


def _settled(codes: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """What ``gold`` said, by id; and the codes of units of which it said nothing."""
    settled = codes[codes["coder"] == GOLD].set_index("id")["value"]
    return settled, codes[~codes["id"].isin(settled.index)]


def _by_unit(codes: pd.DataFrame, one: Callable[[list[str]], str | None]) -> pd.Series:
    """What ``gold`` said; what all coders of a unit say; and what is made of the codes where they differ."""
    settled, rest = _settled(codes)
    alike = rest.groupby("id")["value"].agg(["first", "nunique"])
    differ = rest[rest["id"].isin(alike.index[alike["nunique"] > 1])]
    found = {id: one(values.tolist()) for id, values in differ.groupby("id")["value"]}
    decided = pd.Series({id: value for id, value in found.items() if value is not None}, dtype=object)
    return pd.concat([alike.loc[alike["nunique"] == 1, "first"], decided, settled]).sort_index()


def _median(given: list[str], values: tuple[str, ...]) -> str | None:
    """The median of ordered values; none where it lies between two."""
    ranks = sorted(values.index(value) for value in given)
    lower, upper = ranks[(len(ranks) - 1) // 2], ranks[len(ranks) // 2]
    return values[lower] if lower == upper else None


def _labels(given: list[str], labels: tuple[str, ...]) -> str | None:
    """The labels that most coders gave; none where they are split evenly on one."""
    shares = np.array([[label in one.split(SPLIT) for label in labels] for one in given]).mean(axis=0)
    if (shares == 0.5).any():
        return None
    return SPLIT.join(label for label, share in zip(labels, shares, strict=True) if share > 0.5) or NONE


def _scores(codes: pd.DataFrame) -> pd.Series:
    """The score of each unit that was compared."""
    settled, rest = _settled(codes)
    said = pd.concat([rest[["id", "value"]], settled.rename_axis("id").reset_index()], ignore_index=True)
    sides = said["id"].str.split(PAIR, n=1, expand=True, regex=False).reindex(columns=[0, 1])
    pairs = pd.DataFrame({"left": sides[0], "right": sides[1], "winner": said["value"]}).dropna()
    if pairs.empty:
        return pd.Series(dtype=float)
    return bradley_terry(pairs).set_index("id")["score"].sort_index()


def independent(codes: pd.DataFrame) -> pd.DataFrame:
    """The codes that say how reliable coding is: those of coders who did not know the others'."""
    return codes[codes["coder"] != GOLD]


def positive(classes: list[str]) -> str:
    """Of two values, the one that counts as 1: yes, true, 1 and the like; otherwise the later in the alphabet."""
    affirmed = [value for value in classes if value.strip().lower() in YES]
    denied = [value for value in classes if value.strip().lower() in NO]
    if len(affirmed) == 1:
        return affirmed[0]
    if len(denied) == 1 and len(classes) == 2:
        return next(value for value in classes if value not in denied)
    return max(classes)
