"""Rates of a machine in groups: how often it says a class wrongly, misses it, says it at all, or says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from visanda.study.audit_rows import Array, Flags, Rows, difference, effective, proportion

FALSE_POSITIVE, FALSE_NEGATIVE = ERRORS = ("false positive rate", "false negative rate")
SELECTION, ACCEPTANCE = "selection rate", "acceptance rate"
FEWEST = 10  # rows that a rate is of, below which its group is not compared with others


@dataclass(frozen=True)
class Rate:
    """What happened in some of the rows that it could have happened in.

    Attributes:
        name: one of ``ERRORS``, ``SELECTION`` and ``ACCEPTANCE``.
        of: the class it is about, against all others; empty for acceptance.
        happened: (n,) where it did.
        among: (n,) where it could have.
    """

    name: str
    of: str
    happened: Flags
    among: Flags

    def __str__(self) -> str:
        return f"{self.name} of {self.of}" if self.of else self.name

    def within(self, members: Flags, weight: Array, z: float | None = None) -> tuple[float, float, float]:
        """Its share among ``members``, (n,), and Wilson's interval; NaN where there are none."""
        inside = self.among & members
        return proportion(self.happened[inside], weight[inside], *([] if z is None else [z]))


@dataclass(frozen=True)
class Cell:
    """A group's part in a rate.

    Attributes:
        group: its name.
        members: (n,) its rows.
        n: rows that the rate is of.
        size: how many equally weighted rows say as much.
        value: the rate.
    """

    group: str
    members: Flags
    n: int
    size: float
    value: float


def rates(rows: Rows, hand: pd.Series, machine: pd.Series, classes: Sequence[str]) -> list[Rate]:
    """The rates of each class against all others, and that of having a value at all.

    Args:
        rows: the units that people coded.
        hand: (n,) classes by hand, as text.
        machine: (n,) classes of the machine, as text; missing where it has none.
        classes: those to look at.
    """
    found, there = [], rows.answered
    for name in classes:
        true, said = (hand == name).to_numpy(dtype=bool), (machine == name).to_numpy(dtype=bool)
        found += [
            Rate(FALSE_POSITIVE, name, said, there & ~true),
            Rate(FALSE_NEGATIVE, name, ~said, there & true),
            Rate(SELECTION, name, said, there),
        ]
    if not there.all():
        found.append(Rate(ACCEPTANCE, "", there, np.ones(len(there), bool)))
    return found


def rates_by_group(rows: Rows, asked: Sequence[Rate]) -> pd.DataFrame:
    """A row for everybody and for each group, in each rate.

    Returns:
        by, group, rate, class, n (rows that the rate is of), value, low and high (95 %, Wilson 1927), and the
        difference to all other rows with its interval (Newcombe 1998); NaN where there is nothing to compare.
    """
    found = []
    for by, group, members in rows.cells():
        for rate in asked:
            here = rate.within(members, rows.weight)
            apart = difference(here, rate.within(~members, rows.weight))
            found.append(
                {"by": by, "group": group, "rate": rate.name, "class": rate.of, "n": int((rate.among & members).sum())}
                | dict(zip(("value", "low", "high"), here, strict=True))
                | dict(zip(("difference", "difference_low", "difference_high"), apart, strict=True))
            )
    return pd.DataFrame(found)


def compared(rows: Rows, column: str, rate: Rate, fewest: int = FEWEST) -> list[Cell]:
    """The groups of a column that a rate is of ``fewest`` rows of or more."""
    return [cell for cell in _cells(rows, column, rate) if cell.n >= fewest]


def _cells(rows: Rows, column: str, rate: Rate) -> Iterator[Cell]:
    for by, group, members in rows.cells():
        inside = rate.among & members
        if by == column and inside.any():
            weight = rows.weight[inside]
            share = float(np.average(rate.happened[inside], weights=weight))
            yield Cell(group, members, int(inside.sum()), effective(weight), share)


def at_once(intervals: int) -> float:
    """Standard errors on each side for ``intervals`` intervals that hold at once in 95 % of samples (Bonferroni).

    >>> round(at_once(1), 2), round(at_once(10), 2)
    (1.96, 2.81)
    """
    return float(norm.isf(0.025 / max(1, intervals)))
