"""Clusters of an audit: rows of one account, video or picture are alike, and say less than as many rows apart.

Standard errors are those of sums over whole clusters (linearisation; Binder 1983). Shares keep Wilson's interval, on
the number of independent rows that would leave the same variance, with Student's t on clusters less one (Korn &
Graubard 1998). Two groups that share clusters are no independent samples: their correlation enters the interval of
their difference (Zou 2008). Groups are compared by the score test of equal means with that variance (Rao, Scott &
Skinner 1998).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from visanda.errors import DesignError, InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Clusters = NDArray[np.intp]

FEW_CLUSTERS = 10  # of a group, below which its interval is said to be rough


@dataclass(frozen=True)
class Tested:
    """A test of equal means.

    Attributes:
        statistic: chi-square.
        df: groups less one.
        p: of equal means.
    """

    statistic: float
    df: int
    p: float


def numbered(cluster: pd.Series | None, coded: Flags) -> Clusters | None:
    """(coded rows,) the number of each row's cluster; ``None`` where rows are independent.

    Raises:
        InputError: coded rows without a cluster.
        DesignError: all of them in one.
    """
    if cluster is None:
        return None
    mine = cluster[coded]
    if missing := int(mine.isna().sum()):
        raise InputError(
            f"{missing} coded rows have no {cluster.name or 'cluster'}: fill it in, or leave these rows out"
        )
    together = pd.factorize(mine)[0].astype(np.intp)
    if together.max() == 0:
        raise DesignError(
            f"all coded rows lie in one cluster of {str(cluster.name or 'cluster')!r}: nothing is known of others. "
            "Cluster by something smaller, or code rows of other clusters"
        )
    return together


def count(together: Clusters) -> int:
    """How many clusters rows lie in."""
    return len(np.unique(together))


def sums(values: Array, together: Clusters) -> Array:
    """(clusters, ...) values (n, ...) added up within clusters."""
    found = np.zeros((int(together.max()) + 1, *values.shape[1:]))
    np.add.at(found, together, values)
    return found


def variance_of_mean(residual: Array, weight: Array, together: Clusters) -> tuple[float, int]:
    """Of a weighted mean of rows: its variance, and how many clusters they lie in.

    Args:
        residual: (n,) values less their mean.
        weight: (n,) above 0.
        together: (n,) the number of each row's cluster.
    """
    clusters = count(together)
    if clusters < 2:
        return np.nan, clusters
    total = np.bincount(together, weight * residual)
    return float((total**2).sum() / weight.sum() ** 2 * clusters / (clusters - 1)), clusters


def independent_rows(share: float, happened: Flags, weight: Array, together: Clusters, most: float) -> float:
    """How many independent rows say as much of a share, at most ``most``; of 0 or 1, where no spread is seen, clusters.

    >>> pairs = np.repeat(np.arange(50), 2)  # of rows that are always alike: half as many rows, less one
    >>> round(independent_rows(0.4, pairs < 20, np.ones(100), pairs, 100))
    49
    """
    variance, clusters = variance_of_mean(np.asarray(happened - share, float), weight, together)
    if share in (0.0, 1.0):
        return float(min(clusters, most))
    return min(most, share * (1 - share) / variance) if variance > 0 else most


def correlation(one: Array, other: Array, together: Clusters) -> float:
    """Of two estimates, from what each row adds to either, (n,): not 0 where both have rows in the same clusters."""
    first, second = sums(one, together), sums(other, together)
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float(first @ second) / size if size > 0 else 0.0


def equal_means(value: Array, weight: Array, group: NDArray[np.intp], together: Clusters) -> Tested | None:
    """Score test that groups have the same mean; ``None`` where there are too few clusters to test.

    With few clusters it finds differences more seldom than it should, and not, as Wald's, more often.

    Args:
        value: (n,) numbers, or 0 and 1.
        weight: (n,) above 0.
        group: (n,) numbers of groups, from 0.
        together: (n,) the number of each row's cluster.
    """
    k = int(group.max()) + 1
    together = np.unique(together, return_inverse=True)[1].astype(np.intp)
    clusters = int(together.max()) + 1
    residual = weight * (value - np.average(value, weights=weight))
    member = np.eye(k)[group]
    share = (weight @ member) / weight.sum()
    score = (residual[:, None] * (member - share))[:, 1:]  # the groups' scores add up to 0: the first is left out
    each = sums(score, together)
    if clusters <= k or np.linalg.matrix_rank(each) < k - 1:
        return None
    total = score.sum(axis=0)
    apart = float(total @ np.linalg.solve(each.T @ each * clusters / (clusters - 1), total))
    return Tested(apart, k - 1, float(stats.chi2.sf(apart, k - 1)))
