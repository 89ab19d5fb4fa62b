"""Rows of an audit: what machine and people said of the same units, in groups, and intervals of shares of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.columns import numeric
from visanda.study.sample import strata

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

EVERYBODY = "all"
FEW = 30  # rows of a group below which its numbers are rough
MOST_VALUES = 8  # of a column of numbers that are groups by themselves; more are cut into
QUARTERS = 4
MOST_GROUPS = 30
Z = 1.959963984540054  # of a 95 % interval


@dataclass(frozen=True)
class Rows:
    """The n units that people coded.

    Attributes:
        machine: (n,) the machine's values, missing where it has none.
        hand: (n,) the hand codes, none missing.
        weight: (n,) above 0.
        failed: (n,) where the machine failed, rather than abstained.
        groups: (n, columns) labels of the groups.
        uncoded: units without a hand code, which were left out.
    """

    machine: pd.Series
    hand: pd.Series
    weight: Array
    failed: Flags
    groups: pd.DataFrame
    uncoded: int

    @property
    def answered(self) -> Flags:
        """(n,) where the machine has a value."""
        return self.machine.notna().to_numpy()

    def cells(self) -> Iterator[tuple[str, str, Flags]]:
        """Column, label and members, (n,), of everybody and of each group."""
        yield "", EVERYBODY, np.ones(len(self.hand), bool)
        for column in self.groups:
            for label in sorted(self.groups[column].unique()):
                yield str(column), str(label), (self.groups[column] == label).to_numpy()

    def counted(self, members: Flags) -> dict[str, float]:
        """How many rows these are, with how many values of the machine, and the weighted share that has one."""
        silent = members & ~self.answered
        return {
            "n": int(members.sum()),
            "failed": int((silent & self.failed).sum()),
            "abstained": int((silent & ~self.failed).sum()),
            "coverage": proportion(self.answered[members], self.weight[members])[0],
        }

    def words(self) -> str:
        """For how many units the machine has a value."""
        everybody = self.counted(np.ones(len(self.hand), bool))
        return (
            f"Of {len(self.hand):,} hand-coded units, the machine has a value for {int(self.answered.sum()):,} "
            f"(coverage {everybody['coverage']:.1%}); it abstained in {everybody['abstained']:,} and failed in "
            f"{everybody['failed']:,}."
        )


def collect(
    machine: pd.Series,
    hand: pd.Series,
    groups: pd.DataFrame | None,
    weights: pd.Series | None,
    failed: pd.Series | None,
) -> Rows:
    """The rows that have a hand code.

    Raises:
        InputError: about different units, without a hand code or a value of the machine, weights of 0 or below.
    """
    given = {"hand codes": hand, "groups": groups, "weights": weights, "failures": failed}
    for name, one in given.items():
        if one is not None and not machine.index.equals(one.index):
            raise InputError(f"the machine's values and the {name} are not about the same units: join them by id first")
    coded = hand.notna().to_numpy()
    if not coded.any():
        raise InputError("no unit has a hand code: code some first")
    weight = np.ones(len(hand)) if weights is None else weights.to_numpy(dtype=float)
    if not (weight[coded] > 0).all():
        raise InputError("weights must be above 0 wherever there is a hand code: they are 1 / probability of the draw")
    labels = pd.DataFrame(index=hand.index) if groups is None else groups
    rows = Rows(
        numeric(machine)[coded],
        numeric(hand)[coded],
        weight[coded],
        (np.zeros(len(hand), bool) if failed is None else failed.to_numpy(dtype=bool))[coded],
        pd.DataFrame({str(name): group_labels(labels[name][coded]) for name in labels}, index=hand.index[coded]),
        int((~coded).sum()),
    )
    if not rows.answered.any():
        raise InputError("the machine has no value for any of the units with a hand code")
    return rows


def proportion(happened: Flags, weight: Array, z: float = Z) -> tuple[float, float, float]:
    """A weighted share and its interval (Wilson 1927), on the effective number of rows (Kish 1965); NaN of none.

    Args:
        happened: (n,) of which rows it is true.
        weight: (n,) of the rows, above 0.
        z: standard errors on each side: 1.96 for 95 %; more where several intervals are to hold at once.

    >>> [round(one, 3) for one in proportion(np.array([True] * 8 + [False] * 2), np.ones(10))]
    [0.8, 0.49, 0.943]
    """
    if not len(happened):
        return np.nan, np.nan, np.nan
    return wilson(float(np.average(happened, weights=weight)), effective(weight), z)


def wilson(share: float, n: float, z: float = Z) -> tuple[float, float, float]:
    """A share of ``n`` independent rows, and Wilson's (1927) interval of ``z`` standard errors on each side."""
    middle = share + z**2 / (2 * n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    below = 1 + z**2 / n
    low, high = max(0.0, float((middle - half) / below)), min(1.0, float((middle + half) / below))
    return share, low if share > 0 else 0.0, high if share < 1 else 1.0  # without what rounding leaves


def difference(one: tuple[float, float, float], other: tuple[float, float, float]) -> tuple[float, float, float]:
    """Of two independent shares with their intervals: the difference and its interval (Newcombe 1998, method 10).

    >>> one, other = (proportion(np.arange(n) < k, np.ones(n)) for k, n in ((56, 70), (48, 80)))
    >>> [round(limit, 4) for limit in difference(one, other)]
    [0.2, 0.0524, 0.3339]
    """
    apart = one[0] - other[0]
    low = apart - float(np.hypot(one[0] - one[1], other[2] - other[0]))
    return apart, low, apart + float(np.hypot(one[2] - one[0], other[0] - other[1]))


def effective(weight: Array) -> float:
    """How many equally weighted rows say as much as these (Kish 1965)."""
    return float(weight.sum() ** 2 / np.square(weight).sum())


def group_warnings(table: pd.DataFrame) -> list[str]:
    """What to know of the groups: small ones, and that several were looked at."""
    groups = table[table["by"] != ""]
    found = []
    small = [f"{row.group} ({row.n})" for row in groups[groups["n"] < FEW].itertuples()]
    if small:
        found.append(f"Fewer than {FEW} hand codes of: {', '.join(small)}. Their numbers are rough: code more of them.")
    if len(groups) > 2:
        found.append(
            f"{len(groups)} groups were looked at, each with an interval of its own: some differ by chance alone."
        )
    return found


def group_labels(column: pd.Series) -> pd.Series:
    """Names of groups; a column of many numbers is cut into quarters of as many rows each.

    Raises:
        InputError: more than 30 groups.
    """
    truth = pd.api.types.infer_dtype(column, skipna=True) == "boolean"
    values = column.astype(object) if truth else numeric(column)
    if pd.api.types.is_float_dtype(values) and values.nunique() > MOST_VALUES:
        number, edges = pd.qcut(values, QUARTERS, labels=False, retbins=True, duplicates="drop")
        values = number.map(
            lambda place: f"{place + 1:.0f}: {edges[int(place)]:.3g} to {edges[int(place) + 1]:.3g}", "ignore"
        )
    labels = strata(values.to_frame("group"), ["group"])
    if labels.nunique() > MOST_GROUPS:
        raise InputError(
            f"{str(column.name)!r} has {labels.nunique()} values: an audit is by {MOST_GROUPS} groups at most"
        )
    return labels
