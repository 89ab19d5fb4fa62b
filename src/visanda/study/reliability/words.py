"""Sentences about reliability, ready for a paper, and what a careful reader is warned of."""

from __future__ import annotations

import numpy as np
import pandas as pd

from visanda.study.reliability.coders import Coded, Scale
from visanda.study.reliability.measures import AC1, AC2, MOST_IN_PAIRS
from visanda.study.wording import number

FEW_UNITS = 50
TENTATIVE, RELIABLE = 0.667, 0.8  # Krippendorff (2004, p. 241)
HIGH_AGREEMENT = 0.8  # of pairs, and the share of one value, with which a low alpha is a paradox
FEW_CODES = 10  # of a value
MOST_NAMED = 8  # coders, values


def who(by_coder: pd.DataFrame, units: int, twice: int) -> str:
    """Who coded how much."""
    each = ", ".join(f"{row.coder} {row.units:,}" for row in by_coder.head(MOST_NAMED).itertuples())
    more = ", ..." if len(by_coder) > MOST_NAMED else ""
    people = "1 coder" if len(by_coder) == 1 else f"{len(by_coder)} coders"
    return f"{people} ({each}{more}) coded {units:,} units; {twice:,} units have two codes or more."


def describe(table: pd.DataFrame, scale: Scale) -> list[str]:
    """Agreement, alpha and one measure more, with intervals."""
    first, alpha = table.iloc[0], table.iloc[1]
    if scale == "interval":
        said = f"Two coders of a unit differ by {number(first['value'])} on average"
    else:
        what = "choose the same set of labels" if scale == "multilabel" else "agree"
        said = f"Two coders of a unit {what} in {first['value']:.1%} of pairs"
    if np.isnan(alpha["value"]):
        return [f"{said}; alpha is not defined: all codes are one value, so no disagreement can be expected."]
    third = {"nominal": AC1, "pairwise": AC1, "ordinal": AC2, "interval": "ICC(A,1)"}.get(scale)
    also = table[table["measure"] == third]
    more = "".join(f"; {third} is {number(row['value'])} ({_interval(row)})" for _, row in also.iterrows())
    return [f"{said}; {alpha['measure']} is {number(alpha['value'])} (95 % interval {_interval(alpha)}){more}."]


def warn(table: pd.DataFrame, coded: Coded, lost: float, by_value: pd.DataFrame | None) -> list[str]:
    """What to be careful about.

    Args:
        table: measure, value, low and high; agreement first, then alpha.
        coded: the codes.
        lost: share of resamples in which alpha was not defined.
        by_value: value, codes and share.
    """
    alpha = float(table["value"].iloc[1])
    twice = int((coded.many >= 2).sum())
    found = []
    if twice < FEW_UNITS:
        found.append(f"Only {twice} units were coded twice or more: below {FEW_UNITS} alpha is rough.")
    if np.isnan(alpha):
        found.append("Alpha is undefined: one value only. Draw units in which the variable varies.")
    elif alpha < TENTATIVE:
        found.append(f"Alpha is below {TENTATIVE}: too low to draw conclusions from. Mend the codebook and code again.")
    elif alpha < RELIABLE:
        found.append(f"Alpha is below {RELIABLE}: for tentative conclusions only (Krippendorff 2004).")
    if np.isfinite(alpha) and alpha >= TENTATIVE and table["low"].iloc[1] < TENTATIVE:
        found.append(f"The interval of alpha reaches below {TENTATIVE}: code more units twice to be sure.")
    if by_value is not None:
        found += _paradox(table, by_value, coded.scale) + _rare(by_value)
    if alpha == 1:
        most = 1 - 0.05 ** (1 / twice)
        found.append(
            f"Coders agree on all {twice} units, so that the intervals beyond chance have no width. It does not mean "
            f"that they always will: up to {most:.1%} of units may be ones they disagree on (95 %)."
        )
    if 0 < lost < 1:
        found.append(f"In {lost:.1%} of resamples all codes were one value; the interval leaves them out.")
    if len(coded.coders) > MOST_IN_PAIRS:
        found.append(f"With more than {MOST_IN_PAIRS} coders, measures of pairs of coders are left out.")
    if coded.replaced:
        found.append(f"{coded.replaced:,} codes were replaced by a later one of the same coder.")
    return found


def _paradox(table: pd.DataFrame, by_value: pd.DataFrame, scale: Scale) -> list[str]:
    """Low alpha in spite of high agreement, since one value is nearly everywhere."""
    agreement, alpha = table["value"].iloc[0], table["value"].iloc[1]
    common = by_value.sort_values("share", kind="stable").iloc[-1] if len(by_value) else None
    if scale == "multilabel" or common is None or not (alpha < TENTATIVE and agreement >= HIGH_AGREEMENT):
        return []
    if common["share"] < HIGH_AGREEMENT:
        return []
    other = table[table["measure"].isin([AC1, AC2])].iloc[0]
    return [
        f"Coders agree in {agreement:.1%} of pairs, yet alpha is low since {common['share']:.1%} of codes are "
        f"{common['value']}: chance alone would agree nearly as often (Feinstein & Cicchetti 1990). "
        f"{other['measure']} ({number(other['value'])}) is less sensitive to that (Gwet 2008): report both, and "
        "see in the table by value whether coders agree on the rare values."
    ]


def _rare(by_value: pd.DataFrame) -> list[str]:
    rare = by_value[by_value["codes"].between(1, FEW_CODES - 1)]
    if rare.empty:
        return []
    names = ", ".join(f"{row.value} ({row.codes})" for row in rare.head(MOST_NAMED).itertuples())
    more = ", ..." if len(rare) > MOST_NAMED else ""
    return [f"Values with fewer than {FEW_CODES} codes in units coded twice, whose own alpha is rough: {names}{more}."]


def _interval(line: pd.Series) -> str:
    return f"{number(line['low'])} to {number(line['high'])}"
