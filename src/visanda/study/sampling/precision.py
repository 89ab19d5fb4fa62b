"""What a sample will be able to say: the width of an interval before anything is coded, and the codes it needs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Z = 1.96


def design_effect(pi: Array) -> float:
    """How many times as large unequal probabilities make a mean's variance, where they have nothing to do with it.

    1 + the squared coefficient of variation of the weights 1 / π (Kish 1992).

    Args:
        pi: (n,) probabilities of what was drawn.
    """
    weight = 1 / pi
    return float(len(pi) * (weight**2).sum() / weight.sum() ** 2)


def clustered_effect(units: Array, alike: float) -> float:
    """How many times as large clusters make a mean's variance (Kish 1965).

    Args:
        units: (g,) drawn units in each cluster.
        alike: the intraclass correlation, how alike units of a cluster are, 0 to 1.
    """
    return float(1 + ((units**2).sum() / units.sum() - 1) * alike)


def half_width(n: float, share: float = 0.5) -> float:
    """Half the 95 % interval of a share of 0 to 1 that is estimated from ``n`` codes of a simple random sample.

    >>> round(half_width(400), 3)
    0.049
    """
    return Z * math.sqrt(share * (1 - share) / n)


def codes_needed(half: float, effect: float = 1.0, share: float = 0.5) -> int:
    """How many codes give a share an interval of ± ``half`` (0 to 1) under a design effect.

    >>> codes_needed(0.05)
    385
    """
    return math.ceil(Z**2 * share * (1 - share) * effect / half**2)


def corrected_error(pi: Array, doubt: Array) -> float:
    """The standard error that the corrected mean will have, if predictions are as sure as they say.

    √(Σ doubt² / π) / N: what the codes of a sample with these probabilities leave open (Särndal, Swensson & Wretman
    1992, chapter 6, the difference estimator).

    Args:
        pi: (N,) probability of each unit of the population.
        doubt: (N,) standard deviation of each unit's value around its prediction.
    """
    return float(np.sqrt((doubt**2 / pi).sum()) / len(pi))
