"""Small samples: the factor by which a sandwich is widened for the coefficients that were fitted."""

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
