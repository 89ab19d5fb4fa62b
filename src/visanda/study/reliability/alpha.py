"""Krippendorff's alpha: agreement of coders beyond chance, for any number of coders and missing codes.

Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability"; for sets of labels, Passonneau (2006).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.reliability.coders import Coded

Array = NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval", "ratio", "masi", "jaccard"]
Measure = Callable[[Array], Array]  # weights of units (r, u) to (r,) values


def krippendorff(codes: pd.DataFrame, level: Level = "nominal", order: Sequence[Hashable] | None = None) -> float:
    """Alpha of codes, NaN where nobody shares a unit or all codes are one value.

    Args:
        codes: columns id, coder and value.
        level: of measurement: nominal, ordinal, interval, ratio (numbers of 0 or above); for sets of labels
            (``"flag|fire"``, ``"none"``) masi, where subsets are near, or jaccard.
        order: the values from the lowest to the highest; needed for ordinal ones that are no numbers.

    Example:
        >>> krippendorff(pd.DataFrame({"id": [1, 1, 2, 2], "coder": [*"abab"], "value": [*"ccdd"]}))
        1.0
    """
    scale = {"ratio": "interval", "masi": "multilabel", "jaccard": "multilabel"}.get(level, level)
    coded = Coded.of(codes, scale, order).twice()  # type: ignore[arg-type]
    return float(alpha_of(coded, level)(np.ones((1, len(coded.ids))))[0])


def alpha_of(coded: Coded, level: Level) -> Measure:
    """Alpha of units that have two codes or more, as a function of their weights."""
    if level == "interval":
        return partial(_of_numbers, coded.numbers)
    categories = CodedTwice(coded.counts)
    if level == "ordinal":
        return categories.ordinal
    if level == "nominal":
        return partial(categories.alpha, 1 - np.eye(len(coded.values)))
    if level == "ratio":
        values = np.asarray(coded.values, dtype=float)
        if (values < 0).any():
            raise InputError(f"the ratio level knows no values below 0, such as {values.min():g}")
        total = values[:, None] + values
        ratio = np.divide(values[:, None] - values, total, out=np.zeros_like(total), where=total > 0)
        return partial(categories.alpha, ratio**2)
    return partial(categories.alpha, set_distance(coded.sets(), masi=level == "masi"))


@dataclass(frozen=True)
class CodedTwice:
    """The codes of the u units that have two or more, as counts.

    Attributes:
        counts: (u, v) how many coders gave each value to each unit.
    """

    counts: Array

    def coincidences(self) -> Array:
        """(v, v) how often two coders of a unit gave each pair of values; sums to the number of codes."""
        scaled = self.counts / (self.counts.sum(axis=1, keepdims=True) - 1)
        return scaled.T @ self.counts - np.diag(scaled.sum(axis=0))

    def alpha(self, distance: Array, weight: Array) -> Array:
        """(r,) alpha with each unit counted ``weight`` (r, u) times; NaN where all codes are one value.

        Args:
            distance: (v, v) how far apart two values are, 0 on the diagonal.
            weight: (r, u) of the units.
        """
        coders = self.counts.sum(axis=1)
        # a unit's disagreement: the distance of each two of its codes, over the other codes it has
        disagreement = (self.counts @ distance * self.counts).sum(axis=1) / (coders - 1)
        marginal = weight @ self.counts
        expected = (marginal @ distance * marginal).sum(axis=1) / (weight @ coders - 1)
        return beyond(weight @ disagreement, expected)

    def ordinal(self, weight: Array) -> Array:
        """(r,) alpha for values in order: as far apart as there are codes between them, half of their own included."""
        coders = self.counts.sum(axis=1)
        scaled = self.counts / (coders - 1)[:, None]
        values = self.counts.shape[1]
        marginal = weight @ self.counts
        upto = np.cumsum(marginal, axis=1) - marginal / 2
        observed, expected = np.zeros(len(weight)), np.zeros(len(weight))
        for low in range(values):
            apart = (upto[:, low + 1 :] - upto[:, [low]]) ** 2
            together = scaled[:, [low]] * self.counts[:, low + 1 :]
            observed += (weight @ together * apart).sum(axis=1)
            expected += marginal[:, low] * (marginal[:, low + 1 :] * apart).sum(axis=1)
        return beyond(observed, expected / (weight @ coders - 1))

    def alpha_of_first(self, weight: Array) -> Array:
        """(r,) alpha of the first value against all others."""
        coders, mine = self.counts.sum(axis=1), self.counts[:, 0]
        marginal, total = weight @ mine, weight @ coders
        return beyond(weight @ (mine * (coders - mine) / (coders - 1)), marginal * (total - marginal) / (total - 1))

    def agreement(self, weight: Array) -> Array:
        """(r,) share of pairs of codes of a unit that are the same, over all pairs."""
        coders = self.counts.sum(axis=1)
        same = (self.counts * (self.counts - 1)).sum(axis=1)
        return ratio(weight @ same, weight @ (coders * (coders - 1)))

    def specific(self, weight: Array) -> Array:
        """(r, v) specific agreement: where one coder gives a value, the share of others who give it too."""
        others = self.counts.sum(axis=1, keepdims=True) - 1
        return ratio(weight @ (self.counts * (self.counts - 1)), weight @ (self.counts * others))


def set_distance(sets: list[frozenset[str]], masi: bool) -> Array:
    """(v, v) distances of sets of labels in 0-1: of Jaccard, or MASI, which is milder where one holds the other."""
    labels = sorted(frozenset().union(*sets))
    member = np.array([[name in one for name in labels] for one in sets], dtype=float).reshape(len(sets), len(labels))
    both, size = member @ member.T, member.sum(axis=1)
    either = size[:, None] + size - both
    near = np.divide(both, either, out=np.ones_like(both), where=either > 0)
    if masi:
        within = (both == np.minimum(size[:, None], size)) & (both > 0)
        near = near * np.select([near == 1, within, both > 0], [1, 2 / 3, 1 / 3], 0.0)
    return 1 - near


def _of_numbers(numbers: Array, weight: Array) -> Array:
    """(r,) alpha of the interval level from sums, however many values there are."""
    numbers = numbers - np.nanmean(numbers) if np.isfinite(numbers).any() else numbers
    coders = np.isfinite(numbers).sum(axis=1)
    total, squares = np.nansum(numbers, axis=1), np.nansum(numbers**2, axis=1)
    # of units that are all one number exactly 0, which rounding would miss
    spread = np.where(np.ptp(_filled(numbers), axis=1) == 0, 0.0, coders * squares - total**2)
    n, sums = weight @ coders, weight @ total
    expected = np.maximum(n * (weight @ squares) - sums**2, 0)
    expected[expected < 1e-12 * n * (weight @ squares)] = 0
    return beyond(weight @ (spread / (coders - 1)), expected / (n - 1))


def _filled(numbers: Array) -> Array:
    """Gaps filled with a number of the same row."""
    first = np.take_along_axis(numbers, np.isfinite(numbers).argmax(axis=1)[:, None], axis=1)
    return np.where(np.isfinite(numbers), numbers, first)


def beyond(observed: Array, expected: Array) -> Array:
    """1 - observed / expected disagreement; NaN where none is expected."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, 1 - observed / expected, np.nan)


def ratio(above: Array, below: Array) -> Array:
    """Above / below; NaN where below is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, np.nan)
