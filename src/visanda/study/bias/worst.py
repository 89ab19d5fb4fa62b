"""The worst group and the widest gap: with intervals that know that the worst of many is partly chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.study.audit.rows import Rows
from visanda.study.bias.rates import ERRORS, SELECTION, Cell, Rate, at_once, compared

Array = NDArray[np.float64]

PARITY, ODDS = "demographic parity difference", "equalised odds difference"


def worst_groups(rows: Rows, asked: Sequence[Rate]) -> pd.DataFrame:
    """For each column of groups and error rate: the group with the highest rate, and its gap to all other rows.

    The interval of the gap holds for all groups of the column at once (Bonferroni), so also for the one that was
    chosen because it is the highest. ``shrunk`` is the rate pulled towards the others by as much as their spread is
    chance (empirical Bayes, with DerSimonian & Laird's (1986) variance between groups): the better guess of what new
    rows of this group would show. Groups of fewer than 10 rows are not compared.

    Returns:
        by, rate, class, groups (compared), group, n, value, shrunk, rest, gap, gap_low, gap_high.
    """
    found = []
    for column in rows.groups:
        for rate in (one for one in asked if one.name in ERRORS):
            cells = compared(rows, str(column), rate)
            if len(cells) < 2:
                continue
            place = int(np.argmax([cell.value for cell in cells]))
            worst, z = cells[place], at_once(len(cells) if len(cells) > 2 else 1)  # of two, both gaps are one
            rest, gap = rate.within(rows, ~worst.members)[0], rate.apart(rows, worst.members, ~worst.members, z)
            found.append(
                {"by": str(column), "rate": rate.name, "class": rate.of, "groups": len(cells), "group": worst.group}
                | {"n": worst.n, "value": worst.value, "shrunk": float(shrunk(cells)[place]), "rest": rest}
                | dict(zip(("gap", "gap_low", "gap_high"), gap, strict=True))
            )
    names = ["by", "rate", "class", "groups", "group", "n", "value", "shrunk", "rest", "gap", "gap_low", "gap_high"]
    return pd.DataFrame(found, columns=names)


def widest_differences(rows: Rows, asked: Sequence[Rate]) -> pd.DataFrame:
    """For each column of groups and class: the differences that the literature on fairness names.

    Demographic parity: the highest less the lowest selection rate. Equalised odds (Hardt, Price & Srebro 2016): the
    same of false positive or of false negative rates, whichever is larger. Intervals hold for all pairs of groups at
    once; since the largest of several differences is never below 0, a lower end of 0 means that it may be chance.

    Returns:
        by, class, difference, rate (that differs), groups, highest, lowest, value, low, high.
    """
    found = []
    for column in rows.groups:
        for name in dict.fromkeys(rate.of for rate in asked if rate.of):
            mine = [rate for rate in asked if rate.of == name]
            for title, kinds in ((PARITY, (SELECTION,)), (ODDS, ERRORS)):
                spans = [_span(rows, str(column), rate, len(kinds)) for rate in mine if rate.name in kinds]
                known = [span for span in spans if span]
                if known:
                    widest = max(known, key=lambda span: float(str(span["value"])))
                    found.append({"by": str(column), "class": name, "difference": title, **widest})
    names = ["by", "class", "difference", "rate", "groups", "highest", "lowest", "value", "low", "high"]
    return pd.DataFrame(found, columns=names)


def _span(rows: Rows, column: str, rate: Rate, kinds: int) -> dict[str, object]:
    """The highest group's rate less the lowest's; empty of fewer than two groups."""
    cells = compared(rows, column, rate)
    if len(cells) < 2:
        return {}
    order = sorted(cells, key=lambda cell: cell.value)
    low, high = order[0], order[-1]
    z = at_once(kinds * len(cells) * (len(cells) - 1) // 2)
    apart = rate.apart(rows, high.members, low.members, z)
    return {
        "rate": rate.name,
        "groups": len(cells),
        "highest": high.group,
        "lowest": low.group,
        "value": apart[0],
        "low": max(0.0, apart[1]),
        "high": apart[2],
    }


def shrunk(cells: Sequence[Cell]) -> Array:
    """(groups,) rates pulled towards their common mean, the more the less is known of a group.

    The variance of a group's rate is that of the pooled rate on its rows; between groups, DerSimonian & Laird's (1986).

    >>> rows = np.ones(1, bool)
    >>> alike = [Cell("a", rows, 50, 50, 0.2), Cell("b", rows, 50, 50, 0.24)]
    >>> shrunk(alike).round(2).tolist()
    [0.22, 0.22]
    """
    value, size = np.array([cell.value for cell in cells]), np.array([cell.size for cell in cells])
    pooled = float(np.average(value, weights=size))
    if pooled in (0.0, 1.0):
        return value
    within = pooled * (1 - pooled) / size
    precision = 1 / within
    spread = float((precision * (value - pooled) ** 2).sum()) - (len(cells) - 1)
    between = max(0.0, spread / float(precision.sum() - (precision**2).sum() / precision.sum()))
    middle = float(np.average(value, weights=1 / (between + within)))
    kept = between / (between + within)
    return np.asarray(middle + kept * (value - middle))


def left_out(rows: Rows, asked: Sequence[Rate]) -> list[str]:
    """Groups that have too few rows of some error rate to be compared, by name."""
    found = []
    for column in rows.groups:
        for rate in (one for one in asked if one.name in ERRORS):
            named = {cell.group for cell in compared(rows, str(column), rate)}
            every = {group for by, group, _ in rows.cells() if by == str(column)}
            found += [f"{column} = {group} ({rate})" for group in sorted(every - named)]
    return found
