"""Allocation: how many are drawn from each stratum."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Allocate = Literal["proportional", "equal", "neyman"]
PRIOR = 2.0  # codes that each stratum is lent from all, lest three equal ones mean: no spread


def allocation(share: NDArray[np.float64], size: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    """(h,) rows to draw from each stratum, ``n`` in sum, by the method of the largest remainder.

    Args:
        share: (h,) what the numbers are proportional to, as far as ``size`` and the least number allow.
        size: (h,) rows in each stratum, 1 or more.
        n: from h to the sum of ``size``.
    """
    least = np.minimum(2, size)
    if least.sum() > n:
        least = np.ones_like(size)
    low, high = 0.0, float((size / share).max())
    for _ in range(200):  # bisection for the factor that makes the bounded numbers add up to n
        factor = (low + high) / 2
        low, high = (factor, high) if np.clip(factor * share, least, size).sum() < n else (low, factor)
    exact = np.clip(high * share, least, size)
    whole = np.floor(exact + 1e-9).astype(np.int64)
    remainder = np.argsort(whole - exact, kind="stable")[: n - whole.sum()]
    whole[remainder] += 1
    return whole


def neyman(size: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """(h,) what numbers should be proportional to, size × standard deviation (Neyman 1934).

    A stratum without any spread counts as if it had a tenth of the mean one: the guess may be wrong.

    Args:
        size: (h,) rows in each stratum.
        spread: (h,) guessed standard deviation in each, 0 or more.
    """
    middle = float(np.average(spread, weights=size))
    return size * np.maximum(spread, middle / 10) if middle > 0 else size


def spread_of_residuals(stratum: pd.Series, doubt: pd.Series) -> pd.Series:
    """The standard deviation, by stratum, of what predictions leave open: the root of the mean squared ``doubt``.

    That is what the corrected estimate's error is made of (Egami et al. 2023).

    Args:
        stratum: by id.
        doubt: by id, the standard deviation of each unit's value around its prediction; missing where unpredicted.
    """
    squared = (doubt.reindex(stratum.index) ** 2).groupby(stratum.to_numpy()).mean()
    return np.sqrt(squared.fillna(squared.mean()))


def spread_of_codes(stratum: pd.Series, codes: pd.Series) -> pd.Series:
    """The standard deviation of codes by stratum; of categories, of the 0/1 columns that they make, together.

    Each stratum is lent two codes from all strata.

    Args:
        stratum: by id.
        codes: by id, of some of these; numbers, or text.
    """
    columns = codes.to_frame().astype(float) if pd.api.types.is_numeric_dtype(codes) else pd.get_dummies(codes) * 1.0
    groups = stratum.reindex(columns.index)
    overall = float(columns.var(ddof=0).sum())
    count = groups.value_counts().reindex(stratum.unique()).fillna(0)
    within = columns.groupby(groups.to_numpy()).var(ddof=0).sum(axis=1).reindex(count.index).fillna(0)
    return np.sqrt((count * within + PRIOR * overall) / (count + PRIOR)).rename("spread")
