"""Doubt: how far a unit's value may lie from its prediction, and sizes to draw by that favour some units."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEAST, MOST = -2.0, 3.0  # standard deviations of a score beyond which likeness tells no more


def doubt(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) √Σ_v p_v (1 − p_v): the standard deviation, of all 0/1 columns together, of values around predictions.

    Drawing in proportion to it makes corrected estimates as sure as a number of codes can (the optimum of Särndal,
    Swensson & Wretman 1992, chapter 12; π ∝ √E[(Y − g)² | X], as in Zrnic & Candès 2024). At most 1/√2 for two values
    that exclude each other, where both are as probable.

    Args:
        probabilities: (N, v) of each value; missing where there is no prediction.

    >>> doubt(np.array([[0.5, 0.5], [1.0, 0.0]])).round(3).tolist()
    [0.707, 0.0]
    """
    clipped = np.clip(probabilities, 0.0, 1.0)
    return np.asarray(np.sqrt((clipped * (1 - clipped)).sum(axis=1)))


def likeness(score: pd.Series) -> pd.Series:
    """Sizes from scores of a search: e to the power of the score, in standard deviations from −2 to 3.

    A unit three standard deviations above the mean is so favoured twenty times as much as one at the mean.

    Args:
        score: by id; the higher, the more alike.
    """
    spread = score.std(ddof=0)
    standard = (score - score.mean()) / spread if spread > 0 else score * 0.0
    return np.exp(standard.clip(LEAST, MOST))
