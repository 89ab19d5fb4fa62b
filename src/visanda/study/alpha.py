"""Krippendorff's alpha: agreement of coders beyond chance, for any number of coders and missing codes.

Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Level = Literal["nominal", "interval"]


@dataclass(frozen=True)
class CodedTwice:
    """The codes of the u units that have two or more, as counts: alpha for any weights of units.

    Attributes:
        counts: (u, v) how many coders gave each value to each unit.
        values: (v,) the values, as numbers where the level is interval.
    """

    counts: Array
    values: Array

    def coincidences(self) -> Array:
        """(v, v) how often two coders of a unit gave each pair of values; sums to the number of codes."""
        scaled = self.counts / (self.counts.sum(axis=1, keepdims=True) - 1)
        pairs = scaled.T @ self.counts
        return pairs - np.diag(scaled.sum(axis=0))

    def alpha(self, level: Level, weight: Array) -> Array:
        """(r,) alpha with each unit counted ``weight`` (r, u) times; NaN where all codes are one value."""
        distance = self._distance(level)
        coders = self.counts.sum(axis=1)
        # a unit's disagreement: the distance of each two of its codes, over the other codes it has
        disagreement = np.einsum("uv,vw,uw->u", self.counts, distance, self.counts) / (coders - 1)
        marginal = weight @ self.counts
        expected = np.einsum("rv,vw,rw->r", marginal, distance, marginal) / (weight @ coders - 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(expected > 0, 1 - weight @ disagreement / expected, np.nan)

    def agreement(self, weight: Array) -> Array:
        """(r,) share of pairs of codes of a unit that are the same, over all pairs."""
        coders = self.counts.sum(axis=1)
        same = (self.counts * (self.counts - 1)).sum(axis=1)
        return (weight @ same) / (weight @ (coders * (coders - 1)))

    def _distance(self, level: Level) -> Array:
        if level == "nominal":
            return 1 - np.eye(len(self.values))
        return (self.values[:, None] - self.values[None, :]) ** 2
