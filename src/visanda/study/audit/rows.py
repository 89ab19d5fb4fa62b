"""Rows of an audit: what machine and people said of the same units, in groups, and intervals of shares of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from visanda.errors import DesignError, InputError
from visanda.study.audit.clusters import (
    FEW_CLUSTERS,
    Clusters,
    correlation,
    count,
    independent_rows,
    numbered,
    variance_of_mean,
)
from visanda.study.columns import numeric
from visanda.study.sampling.sample import strata

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
        together: (n,) the number of each row's cluster; ``None`` where rows are independent.
    """

    machine: pd.Series
    hand: pd.Series
    weight: Array
    failed: Flags
    groups: pd.DataFrame
    uncoded: int
    together: Clusters | None = None

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

    def share(self, happened: Flags, among: Flags, z: float = Z) -> tuple[float, float, float]:
        """The weighted share of the rows ``among``, (n,), in which it happened, (n,), and its interval."""
        return proportion(happened[among], self.weight[among], z, self.of(among))

    def of(self, among: Flags) -> Clusters | None:
        """The clusters of some rows."""
        return None if self.together is None else self.together[among]

    def clusters(self) -> dict[tuple[str, str], int]:
        """By column and group, how many clusters its rows lie in; empty where rows are independent."""
        if self.together is None:
            return {}
        return {(by, group): count(self.together[members]) for by, group, members in self.cells()}

    def apart(self, happened: Flags, one: Flags, other: Flags, z: float = Z) -> tuple[float, float, float]:
        """The share of the rows ``one``, (n,), less that of ``other``, and its interval."""
        first, second = self.share(happened, one, z), self.share(happened, other, z)
        if self.together is None:
            return difference(first, second)
        return difference(
            first,
            second,
            correlation(self._added(happened, one, first[0]), self._added(happened, other, second[0]), self.together),
        )

    def _added(self, happened: Flags, among: Flags, share: float) -> Array:
        """(n,) what each row adds to the error of a share, up to a factor."""
        return np.where(among, self.weight * (happened - share), 0.0)

    def counted(self, members: Flags) -> dict[str, float]:
        """How many rows these are, with how many values of the machine, and the weighted share that has one."""
        silent = members & ~self.answered
        return {
            "n": int(members.sum()),
            "failed": int((silent & self.failed).sum()),
            "abstained": int((silent & ~self.failed).sum()),
            "coverage": self.share(self.answered, members)[0],
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
    cluster: pd.Series | None = None,
) -> Rows:
    """The rows that have a hand code.

    Raises:
        InputError: about different units, without a hand code or a value of the machine, weights of 0 or below, rows
            without a cluster.
        DesignError: all rows in one cluster.
    """
    given = {"hand codes": hand, "groups": groups, "weights": weights, "failures": failed, "clusters": cluster}
    for name, one in given.items():
        if one is not None and not machine.index.equals(one.index):
            raise InputError(f"the machine's values and the {name} are not about the same units: join them by id first")
    coded = hand.notna().to_numpy()
    if not coded.any():
        raise InputError("no unit has a hand code: code some first")
    weight = np.ones(len(hand)) if weights is None else weights.to_numpy(dtype=float)
    if not ((weight[coded] > 0) & np.isfinite(weight[coded])).all():
        raise InputError(
            "weights must be numbers above 0 wherever there is a hand code: they are 1 / probability of the draw"
        )
    labels = pd.DataFrame(index=hand.index) if groups is None else groups
    rows = Rows(
        numeric(machine)[coded],
        numeric(hand)[coded],
        weight[coded],
        (np.zeros(len(hand), bool) if failed is None else failed.to_numpy(dtype=bool))[coded],
        pd.DataFrame({str(name): group_labels(labels[name][coded]) for name in labels}, index=hand.index[coded]),
        int((~coded).sum()),
        numbered(cluster, coded),
    )
    if not rows.answered.any():
        raise InputError("the machine has no value for any of the units with a hand code")
    for column in map(str, rows.groups):
        spread = [n for (by, _), n in rows.clusters().items() if by == column]
        if len(spread) > 1 and max(spread) < 2:
            raise DesignError(
                f"each group of {column!r} lies in one cluster of {str(getattr(cluster, 'name', 'cluster'))!r}: what "
                "groups differ by cannot be told from what clusters do. Cluster by something smaller"
            )
    return rows


def proportion(
    happened: Flags, weight: Array, z: float = Z, together: Clusters | None = None
) -> tuple[float, float, float]:
    """A weighted share and its interval (Wilson 1927), on the effective number of rows; NaN of none.

    The effective number is Kish's (1965); with clusters, that of independent rows which say as much, with Student's t
    (Korn & Graubard 1998), and rows of a single cluster have no interval.

    Args:
        happened: (n,) of which rows it is true.
        weight: (n,) of the rows, above 0.
        z: standard errors on each side: 1.96 for 95 %; more where several intervals are to hold at once.
        together: (n,) the number of each row's cluster; ``None``: rows are independent.

    >>> [round(one, 3) for one in proportion(np.array([True] * 8 + [False] * 2), np.ones(10))]
    [0.8, 0.49, 0.943]
    """
    if not len(happened):
        return np.nan, np.nan, np.nan
    share, size = float(np.average(happened, weights=weight)), effective(weight)
    if together is None:
        return wilson(share, size, z)
    clusters = count(together)
    if clusters < 2:
        return share, np.nan, np.nan
    size = independent_rows(share, happened, weight, together, size)
    return wilson(share, size, float(stats.t.isf(stats.norm.sf(z), clusters - 1)))


def wilson(share: float, n: float, z: float = Z) -> tuple[float, float, float]:
    """A share of ``n`` independent rows, and Wilson's (1927) interval of ``z`` standard errors on each side."""
    middle = share + z**2 / (2 * n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    below = 1 + z**2 / n
    low, high = max(0.0, float((middle - half) / below)), min(1.0, float((middle + half) / below))
    return share, low if share > 0 else 0.0, high if share < 1 else 1.0  # without what rounding leaves


def difference(
    one: tuple[float, float, float], other: tuple[float, float, float], together: float = 0.0
) -> tuple[float, float, float]:
    """Of two shares with their intervals: the difference and its interval (Newcombe 1998, method 10).

    Args:
        one: share, low and high.
        other: the same.
        together: their correlation, where they are not independent (Zou 2008).

    >>> one, other = (proportion(np.arange(n) < k, np.ones(n)) for k, n in ((56, 70), (48, 80)))
    >>> [round(limit, 4) for limit in difference(one, other)]
    [0.2, 0.0524, 0.3339]
    """
    apart = one[0] - other[0]
    below, above = one[0] - one[1], one[2] - one[0]
    other_below, other_above = other[0] - other[1], other[2] - other[0]
    return (
        apart,
        apart - float(np.sqrt(np.maximum(0, below**2 + other_above**2 - 2 * together * below * other_above))),
        apart + float(np.sqrt(np.maximum(0, above**2 + other_below**2 - 2 * together * above * other_below))),
    )


def standard_error(residual: Array, weight: Array, together: Clusters | None) -> tuple[float, float]:
    """Of a weighted mean: its standard error and the degrees of freedom; NaN of one row, or one cluster.

    Args:
        residual: (n,) values less their mean.
        weight: (n,) above 0.
        together: (n,) the number of each row's cluster; ``None``: rows are independent.
    """
    if together is not None:
        variance, clusters = variance_of_mean(residual, weight, together)
        return float(np.sqrt(variance)), clusters - 1
    n = effective(weight)
    return (float(np.sqrt(np.average(residual**2, weights=weight) / (n - 1))) if n > 1 else np.nan), n - 1


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


def clusters_said(rows: Rows, cluster: pd.Series | None) -> list[str]:
    """How many clusters the rows lie in, and what follows."""
    if rows.together is None or cluster is None:
        return []
    n = int(rows.together.max()) + 1
    return [
        f"Intervals and tests are those of a sample of clusters: the {len(rows.hand):,} rows lie in {n:,} of "
        f"{cluster.name}, and those of one may be alike."
    ]


def cluster_warnings(rows: Rows) -> list[str]:
    """Groups of one cluster, which have no interval, and of few."""
    named = {(f"{by} = {group}" if by else EVERYBODY): n for (by, group), n in rows.clusters().items()}
    found = []
    if one := [name for name, n in named.items() if n < 2]:
        found.append(f"All rows lie in one cluster, so that there is no interval, of: {', '.join(one[:8])}.")
    if few := [f"{name} ({n})" for name, n in named.items() if 2 <= n < FEW_CLUSTERS]:
        found.append(
            f"Fewer than {FEW_CLUSTERS} clusters, so that intervals are wide and rough, of: {', '.join(few[:8])}."
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
