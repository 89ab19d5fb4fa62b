"""Rows that are judged: what people said, what a machine said of the same ones, and how much each row counts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.columns import numeric, require_columns
from visanda.study.reliability.coders import label
from visanda.study.resampling import Array

FEW_GOLD = 100  # rows with gold below which intervals are rough,
VERY_FEW_GOLD = 20  # and below which they say next to nothing
FEW_OF_CLASS = 20
LARGE_GROUP = 0.15  # the share of rows of one group from which the numbers hang on it


class Judged(Protocol):
    """Codes of one scale: what their measures are, for any weights of their rows."""

    def measure(self, weight: Array) -> dict[str, Array]:
        """Numbers (...) of rows with weights (..., n)."""

    def constant(self, weight: Array) -> Judged:
        """The same rows, of which a machine says the best that can be said without looking: a baseline."""


@dataclass(frozen=True)
class Rows:
    """The n rows with gold and a prediction.

    Attributes:
        gold: (n,) what people said; numbers as floats, whatever they were given as.
        predicted: (n,) what the machine says.
        probability: (n,) of the positive class, (n, classes), or none.
        weight: (n,) 1 on average.
        group: (n,) what belongs together.
        place: (n,) which rows these are of those that were given.
        left_out: rows without gold or without a prediction.
    """

    gold: pd.Series
    predicted: pd.Series
    probability: pd.Series | pd.DataFrame | None
    weight: Array
    group: pd.Series
    place: NDArray[np.intp]
    left_out: int

    @property
    def units(self) -> float:
        """How many groups of equal weight say as much as these (Kish 1965)."""
        each = np.bincount(pd.factorize(self.group)[0], self.weight)
        return float(each.sum() ** 2 / np.square(each).sum())

    def of(self, members: NDArray[np.bool_]) -> float:
        """``units`` of some of the rows; 0 of none."""
        if not members.any():
            return 0.0
        each = np.bincount(pd.factorize(self.group[members])[0], self.weight[members])
        return float(each.sum() ** 2 / np.square(each).sum())


def rows_of(
    gold: pd.Series,
    predicted: pd.Series,
    probability: pd.Series | pd.DataFrame | None,
    weights: pd.Series | None,
    groups: pd.Series | None,
) -> Rows:
    """The rows that can be judged.

    Raises:
        InputError: series of different rows, no row with both codes, weights of 0 or below.
    """
    given = {"predicted": predicted, "probability": probability, "weights": weights, "groups": groups}
    for name, one in given.items():
        if one is not None and not gold.index.equals(one.index):
            raise InputError(f"gold and {name} are not about the same rows in the same order: join them by id first")
    rows = pd.DataFrame(
        {
            "gold": numeric(gold).astype(object),
            "predicted": numeric(predicted).astype(object),
            "weight": 1.0 if weights is None else weights,
            "group": np.arange(len(gold)) if groups is None else groups,
            "place": np.arange(len(gold)),
        },
        index=gold.index,
    ).dropna()
    if rows.empty:
        raise InputError("no row has both a gold code and a prediction: code some rows, or join the tables by id")
    if not rows["weight"].gt(0).all():
        raise InputError("weights must be above 0 in every row")
    place = rows["place"].to_numpy(dtype=np.intp)
    weight = rows["weight"].to_numpy(dtype=float)
    return Rows(
        rows["gold"],
        rows["predicted"],
        None if probability is None else probability.iloc[place],
        weight / weight.mean(),
        rows["group"],
        place,
        len(gold) - len(rows),
    )


def chances(probability: pd.Series | pd.DataFrame, labels: list[str]) -> Array:
    """(n, labels) probabilities, of a table's columns by name.

    Raises:
        InputError: a column is missing, or a probability is missing or not in 0 to 1.
    """
    if isinstance(probability, pd.DataFrame):
        named = probability.rename(columns=label)
        require_columns(named, labels, "the probability of class")
        made = named[labels].to_numpy(dtype=float, na_value=np.nan)
    elif len(labels) == 1:
        made = probability.to_numpy(dtype=float, na_value=np.nan)[:, None]
    else:
        one = probability.to_numpy(dtype=float, na_value=np.nan)
        made = np.stack([1 - one, one], axis=1)
    if missing := int(np.isnan(made).any(axis=1).sum()):
        raise InputError(
            f"the probability is missing in {missing:,} of {len(made):,} rows that have gold and a prediction: predict "
            "them again, or leave these rows out"
        )
    if outside := int(((made < 0) | (made > 1)).any(axis=1).sum()):
        raise InputError(f"probabilities must lie between 0 and 1, and do not in {outside:,} of {len(made):,} rows")
    return made


def some(values: Iterable[Hashable]) -> str:
    """The first few of some values, for a message."""
    return ", ".join(sorted(label(value) if isinstance(value, float) else repr(value) for value in values)[:6])


def few(rows: Rows, grouped: bool) -> list[str]:
    """What to know of intervals from so few rows."""
    n = len(rows.gold)
    what = f"{rows.group.nunique():,} groups" if grouped else "rows"
    if n < VERY_FEW_GOLD:
        return [
            f"ONLY {n} ROWS have gold: nothing can be concluded from so few; the bootstrap itself is unreliable there, "
            f"and its intervals are too narrow. Code at least {FEW_GOLD} for the test."
        ]
    found = [f"Only {n} rows have gold: intervals are wide, and rough below {FEW_GOLD}."] if n < FEW_GOLD else []
    if grouped and rows.group.nunique() < VERY_FEW_GOLD:
        found.append(f"All rows lie in {what}: the intervals, which resample groups, are too narrow.")
    largest = rows.group.value_counts(normalize=True).iloc[0] if grouped else 0.0
    if largest >= LARGE_GROUP and rows.group.nunique() > 1:
        found.append(
            f"{largest:.0%} of the rows are one group (one scene, one file, near-duplicates): they are right or wrong "
            "together, and the numbers hang on that one."
        )
    return found
