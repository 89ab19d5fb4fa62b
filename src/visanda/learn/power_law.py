"""The inverse power law that learning curves follow: error = a + b n^(−c) (Figueroa et al. 2012)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

POWER = 1.0
STEEP = np.linspace(0.1, 1.5, 29)  # values of c that are tried: the others are then found at once


@dataclass(frozen=True)
class Law:
    """Laws fitted to m curves.

    Attributes:
        least: (m,) a, the error that no number of codes goes below.
        height: (m,) b.
        steep: (m,) c.
    """

    least: np.ndarray
    height: np.ndarray
    steep: np.ndarray

    def at(self, sizes: np.ndarray) -> np.ndarray:
        """Errors (m, s) with so many codes (s,)."""
        return self.least[:, None] + self.height[:, None] * np.asarray(sizes, float) ** -self.steep[:, None]


def fitted(sizes: np.ndarray, errors: np.ndarray) -> Law:
    """The law nearest to each curve by least squares, with a and b not below 0, so that errors never grow.

    What is far out on the curve says more of how it goes on: a point counts as its number of codes does.

    Args:
        sizes: (s,) numbers of codes, 2 or more different ones.
        errors: (m, s) at each.

    >>> law = fitted(np.array([10, 20, 40, 80]), 0.1 + np.array([[10, 20, 40, 80]]) ** -0.5)
    >>> law.at(np.array([1000])).round(3).tolist()
    [[0.132]]
    """
    sizes, errors = np.asarray(sizes, float), np.asarray(errors, float)
    best = Law(*(np.zeros(len(errors)) for _ in range(3)))
    misses = np.full(len(errors), np.inf)
    counts = sizes**POWER / (sizes**POWER).sum()
    level = errors @ counts
    for steep in STEEP:
        x = sizes**-steep
        moved = x - counts @ x
        height = errors @ (counts * moved) / (counts @ moved**2)
        least = level - height * (counts @ x)
        through = errors @ (counts * x) / (counts @ x**2)  # where no error is left in the end
        height = np.where(least < 0, through, height)
        least = np.where(least < 0, 0.0, least)
        flat = height < 0
        height, least = np.where(flat, 0.0, height), np.where(flat, level, least)
        miss = ((least[:, None] + height[:, None] * x - errors) ** 2) @ counts
        better = miss < misses
        misses = np.where(better, miss, misses)
        best = Law(
            np.where(better, least, best.least),
            np.where(better, height, best.height),
            np.where(better, steep, best.steep),
        )
    return best
