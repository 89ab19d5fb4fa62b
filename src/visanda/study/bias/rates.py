"""Rates of a machine in groups: how often it says a class wrongly, misses it, says it at all, or says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from visanda.study.audit.clusters import count, independent_rows
from visanda.study.audit.rows import Flags, Rows, Z, effective

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

    def within(self, rows: Rows, members: Flags, z: float = Z) -> tuple[float, float, float]:
        """Its share among ``members``, (n,), and its interval; NaN where there are none."""
        return rows.share(self.happened, self.among & members, z)

    def apart(self, rows: Rows, members: Flags, others: Flags, z: float = Z) -> tuple[float, float, float]:
        """Its share among ``members``, (n,), less that among ``others``, and its interval."""
        return rows.apart(self.happened, self.among & members, self.among & others, z)


@dataclass(frozen=True)
class Cell:
    """A group's part in a rate.

    Attributes:
        group: its name.
        members: (n,) its rows.
        n: rows that the rate is of.
        size: how many equally weighted, independent rows say as much.
        value: the rate.
        clusters: that its rows lie in; where rows are independent, more than can be counted.
    """

    group: str
    members: Flags
    n: int
    size: float
    value: float
    clusters: float = np.inf


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
        difference to all other rows with its interval (Newcombe 1998); NaN where there is nothing to compare, or all
        of it lies in one cluster.
    """
    found = []
    for by, group, members in rows.cells():
        for rate in asked:
            here, apart = rate.within(rows, members), rate.apart(rows, members, ~members)
            found.append(
                {"by": by, "group": group, "rate": rate.name, "class": rate.of, "n": int((rate.among & members).sum())}
                | dict(zip(("value", "low", "high"), here, strict=True))
                | dict(zip(("difference", "difference_low", "difference_high"), apart, strict=True))
            )
    return pd.DataFrame(found)


def side_by_side(table: pd.DataFrame) -> pd.DataFrame:
    """A row for everybody and each group (and class): its rates beside each other, then their intervals.

    Args:
        table: as ``rates_by_group`` gives it, perhaps with further rates.
    """
    kinds = list(dict.fromkeys(table["rate"]))
    classes = [name for name in dict.fromkeys(table["class"]) if name] or [""]
    made = []
    for (by, group), mine in table.groupby(["by", "group"], sort=False):
        for name in classes:
            rows = {row["rate"]: row for row in mine.to_dict("records") if row["class"] in (name, "")}
            made.append(
                {"by": by, "group": group, "class": name, "n": int(mine["n"].max())}
                | {rate: rows[rate]["value"] for rate in kinds if rate in rows}
                | {f"{rate} {end}": rows[rate][end] for rate in kinds if rate in rows for end in ("low", "high", "n")}
            )
    found = pd.DataFrame(made)
    return found if len(classes) > 1 else found.drop(columns="class")


def compared(rows: Rows, column: str, rate: Rate, fewest: int = FEWEST) -> list[Cell]:
    """The groups of a column that a rate is of ``fewest`` rows of or more, and of more than one cluster."""
    return [cell for cell in _cells(rows, column, rate) if cell.n >= fewest and cell.clusters > 1]


def _cells(rows: Rows, column: str, rate: Rate) -> Iterator[Cell]:
    for by, group, members in rows.cells():
        inside = rate.among & members
        if by == column and inside.any():
            weight = rows.weight[inside]
            share, size = float(np.average(rate.happened[inside], weights=weight)), effective(weight)
            if rows.together is None:
                yield Cell(group, members, int(inside.sum()), size, share)
                continue
            together = rows.together[inside]
            size = independent_rows(share, rate.happened[inside], weight, together, size)
            yield Cell(group, members, int(inside.sum()), size, share, count(together))


def at_once(intervals: int) -> float:
    """Standard errors on each side for ``intervals`` intervals that hold at once in 95 % of samples (Bonferroni).

    >>> round(at_once(1), 2), round(at_once(10), 2)
    (1.96, 2.81)
    """
    return float(norm.isf(0.025 / max(1, intervals)))
