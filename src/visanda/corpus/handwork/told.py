"""What is told once codes have come in, or disagreements were settled."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from visanda import codes
from visanda.codebook import NONE, SPLIT, Variable
from visanda.corpus.handwork.defining import warned_of_unfit
from visanda.corpus.handwork.sheets import sided
from visanda.corpus.handwork.taking import Taken
from visanda.result import Result
from visanda.store import Store

CHANGED = 6  # spellings that are listed


def codes_result(store: Store, one: Variable, taken: Taken, new: int, unmatched: Path | None) -> Result:
    """The result of `code`: how often each value was given, what was left out and what must be known."""
    given = taken.codes
    coders = sorted(given["coder"].unique())
    words = [f"{len(given)} codes of {one.name} by {', '.join(coders)}, {new} of them new or changed."]
    if taken.repeated:
        words.append(f"{taken.repeated} rows say again what another row says, and count once.")
    if len(taken.changed):
        rows = taken.changed.head(CHANGED).itertuples()
        shown = ", ".join(f"{row.given!r} as {row.value or 'no code'!r} ({row.codes})" for row in rows)
        more = f" and {len(taken.changed) - CHANGED} more" if len(taken.changed) > CHANGED else ""
        words.append(f"Taken as the codebook writes it: {shown}{more}.")
    if taken.empty:
        words.append(f"{taken.empty} rows have no value and are not counted as coded.")
    warnings = _slips(store, one, given["value"])
    if unmatched is not None and len(taken.unmatched):
        lost = taken.unmatched
        first = f"such as {lost['key'].iloc[0]!r}"
        warnings.append(f"{len(lost)} rows name no picture of this corpus, or several, {first}: see {unmatched}")
    warnings += _of_design(store, one.name, given["id"].tolist())
    return Result(f"Codes of {one.name}", _counts(given["value"], one), words, warnings)


def _counts(values: pd.Series, one: Variable) -> pd.DataFrame:
    """How many pictures have each value, or how numbers are spread."""
    if one.scale == "interval":
        numbers = values.astype(float)
        spread = numbers.describe()[["min", "25%", "50%", "mean", "75%", "max"]]
        return (
            spread.rename({"25%": "lower quartile", "50%": "median", "75%": "upper quartile"})
            .rename_axis("value")
            .rename(one.name)
            .reset_index()
        )
    if one.scale == "multilabel":
        values = values.str.split(SPLIT, regex=False).explode()
    counts = values.value_counts()
    if one.answers:
        order = [*one.answers, *([NONE] if one.scale == "multilabel" else [])]
        counts = counts.reindex([*order, *(value for value in counts.index if value not in order)], fill_value=0)
    return counts.rename_axis("value").rename("pictures").reset_index()


def _slips(store: Store, one: Variable, values: pd.Series) -> list[str]:
    """What looks like a slip: a new variable named almost like another, values that differ in case only."""
    warnings = []
    close = get_close_matches(one.name, codes.variables(store.folder), n=2, cutoff=0.8)
    if close := [name for name in close if name != one.name]:
        warnings.append(f"there is also a variable {close[0]!r}: if {one.name!r} is a slip, delete codes/{one.name}")
    folded = values.drop_duplicates().groupby(values.str.casefold()).agg(list)
    warnings += [f"{' and '.join(map(repr, same))} differ in case only" for same in folded if len(same) > 1]
    return [*warnings, *warned_of_unfit(store.folder, one.name)]


def _of_design(store: Store, name: str, ids: list[str]) -> list[str]:
    design = codes.read_design(store.folder, name)
    if design is None:
        return [
            "no sample was drawn for this variable: without known probabilities, an estimate can only assume "
            "that the coded pictures are a simple random sample"
        ]
    outside = {unit for id in ids for unit in sided(id)} - set(design.loc[design["order"] > 0, "id"])
    if not outside:
        return []
    return [
        f"{len(outside)} coded pictures are not in the sample: they train the classifier, but do not enter estimates"
    ]


def disagreements_result(name: str, found: pd.DataFrame, twice: int, words: Sequence[str]) -> Result:
    """The result of `adjudicate`: how many disagreements there are, were settled, and remain."""
    left = found[found["gold"] == ""]
    said = [
        f"{twice:,} units of {name} were coded by two coders or more; they disagree on {len(found):,}, of which "
        f"{len(found) - len(left):,} are settled and {len(left):,} remain."
    ]
    if left.empty:
        said.append("Nothing is left to settle: gold is what coders agree on, and what was settled.")
    return Result(f"Disagreements about {name}", left.drop(columns="gold"), [*said, *words])
