"""What is said of a sample: strata and probabilities, how sure estimates will be, what to run next."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from visanda.result import Result
from visanda.study.sampling.precision import clustered_effect, codes_needed, design_effect, half_width
from visanda.study.sampling.rounds import rounds_of
from visanda.study.sampling.sample_plot import sample_plot, worth_drawing

GOAL = 0.05  # half the interval that people mostly hope for
ALIKE = 0.1  # an intraclass correlation as an example
WHOLE = "image"


def sample_result(
    variables: Sequence[str],
    design: pd.DataFrame,
    sheets: dict[str, Path],
    said: list[str],
    warnings: list[str],
    arguments: dict[str, Any],
    pairs: int = 0,
) -> Result:
    """The result of drawing a sample.

    Args:
        variables: what will be coded.
        design: all rounds.
        sheets: by coder; by ``""`` where nobody is named.
        said: how it was drawn.
        warnings: what to be careful about.
        arguments: of this round.
        pairs: comparisons that were drawn in this round.
    """
    drawn = design[design["order"] > 0]
    last = len(rounds_of(design))
    new = int((drawn["round"] == last).sum())
    unit = "pictures" if arguments.get("on", WHOLE) == WHOLE else "units"
    opening = f"{new:,} of {len(design):,} {unit} were drawn at random, each with a known probability"
    words = [f"{opening}, in round {last}: {len(drawn):,} so far." if last > 1 else f"{opening}.", *said]
    if pairs:
        words.append(f"{pairs:,} random pairs of them are to be compared, {2 * pairs / len(drawn):.1f} a unit.")
    words += [*_double(drawn, last), *_precision(drawn)] if not pairs else []
    words += _next(variables, sheets)
    return Result(
        f"Sample for {', '.join(variables)}",
        _table(design),
        words,
        warnings,
        draw=partial(sample_plot, design) if worth_drawing(design) else None,
        provenance=dict(arguments),
    )


def _table(design: pd.DataFrame) -> pd.DataFrame:
    """A row a stratum: units, drawn, and their mean probability, with its range where it differs."""
    groups = design.assign(drawn=design["order"] > 0).groupby("stratum", sort=True)
    table = groups.agg(pictures=("id", "size"), drawn=("drawn", "sum"), pi=("pi", "mean"))
    low, high = groups["pi"].min(), groups["pi"].max()
    if ((high - low) > 1e-9).any():
        table = table.assign(lowest=low, highest=high)
    if design["cluster"].notna().any():
        table["clusters"] = design[design["order"] > 0].groupby("stratum")["cluster"].nunique().reindex(table.index)
    return table.reset_index()


def _double(drawn: pd.DataFrame, last: int) -> list[str]:
    """Who codes what."""
    coders = drawn.loc[drawn["round"] == last, "coders"]
    given = coders[coders != ""].str.split("|", regex=False)
    if given.empty:
        return []
    twice = int((given.map(len) > 1).sum())
    load = given.explode().value_counts().sort_index()
    shares = ", ".join(f"{name} {count:,}" for name, count in load.items())
    several = (
        f"{twice:,} of them are coded by more than one coder, and nobody sees which" if twice else "each by one coder"
    )
    return [f"Coders get {shares}; {several}. Each has an order of their own."]


def _precision(drawn: pd.DataFrame) -> list[str]:
    """How sure a share will be, from the codes alone."""
    effect = design_effect(drawn["pi"].to_numpy(dtype=float))
    half = half_width(len(drawn) / effect)
    tenth = half_width(len(drawn) / effect, 0.1)
    words = (
        f"With all {len(drawn):,} coded, a share of about a half is known to ± {100 * half:.1f} points from the codes "
        f"alone (95 %), a share of a tenth to ± {100 * tenth:.1f}; ± {100 * GOAL:.0f} points of "
        f"a half take {codes_needed(GOAL, effect):,} codes drawn like this. Predictions make intervals narrower."
    )
    if effect > 1.05:
        words += (
            f" Unequal probabilities make the variance up to {effect:.1f} times as large, unless they favour what is "
            "in doubt."
        )
    found = [words]
    held = drawn["cluster"].dropna()
    sizes = held.value_counts().to_numpy().astype(np.float64)
    if len(sizes) and sizes.max() > 1:
        times = clustered_effect(sizes, ALIKE)
        found.append(
            f"Units of one cluster are alike: with an intraclass correlation of {ALIKE} the interval is "
            f"{np.sqrt(times):.1f} times as wide. Give the column to 'visanda estimate' with --cluster."
        )
    return found


def _next(variables: Sequence[str], sheets: dict[str, Path]) -> list[str]:
    variable = ",".join(variables)
    columns = f"the columns {' and '.join(map(repr, variables))}" if len(variables) > 1 else "the column 'value'"
    if list(sheets) == [""]:
        sheet = sheets[""]
        return [
            f"Fill in {columns} of {sheet}, one copy a coder; then",
            f"visanda code {variable} --import results/{sheet.name} --coder NAME",
        ]
    return [
        f"Each coder fills in {columns} of their own sheet, without knowing the others'; then",
        *(f"visanda code {variable} --import results/{sheet.name} --coder {coder}" for coder, sheet in sheets.items()),
    ]
