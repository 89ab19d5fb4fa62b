"""Small samples: how much a sandwich is widened for the coefficients that were fitted, and how certain it is itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def small_sample(n: int, terms: int, cluster: NDArray[np.intp] | None) -> float:
    """The factor of HC1 (MacKinnon & White 1985), or of clustered errors as in Stata, statsmodels and fixest.

    Args:
        n: rows.
        terms: coefficients.
        cluster: (n,) number of the row's cluster from 0, or None.

    Example:
        >>> small_sample(100, 2, None)
        1.0204081632653061
    """
    if cluster is None:
        return n / (n - terms)
    clusters = int(cluster.max()) + 1
    return clusters / (clusters - 1) * (n - 1) / (n - terms)


def degrees_of_freedom(influences: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """(p,) degrees of freedom of a sandwich's variances: of how many units that move alike they are as certain.

    Satterthwaite's (1946) 2 V² / Var(V), with the variance of V taken from the influences' fourth moments: where few
    units (misclassified ones, large clusters) move an estimate most, its variance rests on these few.

    Args:
        influences: (g, p) of independent units or clusters.
        most: what there can be at most: units or clusters that were coded, less one.

    Example:
        >>> even, few = np.array([1.0, -1] * 50), np.array([5.0, -5] + [0.1, -0.1] * 49)
        >>> degrees_of_freedom(np.stack([even, few], axis=1), 99).round(1).tolist()
        [99.0, 4.2]
    """
    squares = influences**2
    second, fourth = squares.sum(axis=0), (squares**2).sum(axis=0)
    varies = fourth - second**2 / len(influences)
    df = np.divide(2 * second**2, varies, out=np.full(len(second), np.inf), where=varies > 0)
    return np.clip(df, 1.0, most)
