"""Correlations and agreement of two series of numbers, with intervals from formulas.

Fisher (1921), z of Pearson's r; Bonett & Wright (2000), of Spearman's; Lin (1989, corrected 2000), concordance
correlation; Bland & Altman (1986, 1999), limits of agreement; their regression of the difference on the mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import stats

from visanda.study.resampling import Array
from visanda.study.validity.agreement import ratio
from visanda.study.validity.numbers import NumberCodes

Z = 1.959963984540054
PEARSON, SPEARMAN, CONCORDANCE = "Pearson correlation", "Spearman correlation", "concordance correlation"
BIAS, LOWER, UPPER = "mean difference", "lower limit of agreement", "upper limit of agreement"
SLOPE = "slope of difference on mean"
MEASURES = (PEARSON, SPEARMAN, CONCORDANCE, BIAS, LOWER, UPPER, SLOPE)


@dataclass(frozen=True)
class Ends:
    """A number with its 95 % interval.

    Attributes:
        value: the number.
        low: lower end.
        high: upper end.
        p: two-sided, of the hypothesis that it is 0; NaN where nobody asks that.
    """

    value: float
    low: float
    high: float
    p: float = np.nan


@dataclass(frozen=True)
class Paired:
    """n pairs of numbers.

    Attributes:
        measured: (n,) by the measure.
        external: (n,) by the other source.
    """

    measured: Array
    external: Array

    def weighted(self, weight: Array) -> dict[str, Array]:
        """All of ``MEASURES`` with weights (..., n), for the bootstrap."""
        found = NumberCodes(self.external, self.measured).measure(weight)
        total = weight.sum(axis=-1)
        difference = self.measured - self.external
        middle = (self.measured + self.external) / 2
        middle = middle - middle.mean()
        at, bias = ratio(weight @ middle, total), found["mean error"]
        spread = ratio(weight @ middle**2, total) - at**2
        together = ratio(weight @ (middle * difference), total) - at * bias
        both = self._moments(weight)
        return {
            PEARSON: found["correlation"],
            SPEARMAN: found["Spearman correlation"],
            CONCORDANCE: ratio(2 * both["together"], both["variances"] + bias**2),
            BIAS: bias,
            LOWER: found[LOWER],
            UPPER: found[UPPER],
            SLOPE: ratio(together, spread),
        }

    def _moments(self, weight: Array) -> dict[str, Array]:
        """Covariance, and the sum of the variances, of weighted rows."""
        total = weight.sum(axis=-1)
        one, other = self.measured - self.measured.mean(), self.external - self.external.mean()
        means = [ratio(weight @ values, total) for values in (one, other)]
        variances = ratio(weight @ (one**2 + other**2), total) - means[0] ** 2 - means[1] ** 2
        return {"together": ratio(weight @ (one * other), total) - means[0] * means[1], "variances": variances}

    @cached_property
    def points(self) -> dict[str, float]:
        """All of ``MEASURES`` of the rows as they are."""
        return {name: float(value) for name, value in self.weighted(np.ones(len(self.measured))).items()}

    def by_formula(self) -> dict[str, Ends]:
        """All of ``MEASURES`` with the intervals of independent pairs that are about normal."""
        return {
            PEARSON: self._fisher(PEARSON, 1.0),
            SPEARMAN: self._fisher(SPEARMAN, 1 + self.points[SPEARMAN] ** 2 / 2),
            CONCORDANCE: self._concordance(),
            **self._limits(),
            SLOPE: self._proportional(),
        }

    def _fisher(self, name: str, inflation: float) -> Ends:
        r, n = self.points[name], len(self.measured)
        if abs(r) >= 1 - 1e-12:
            return Ends(r, r, r, 0.0)
        z, se = np.arctanh(r), np.sqrt(inflation / (n - 3))
        p = 2 * stats.t.sf(abs(r) * np.sqrt((n - 2) / (1 - r**2)), n - 2)
        return Ends(r, float(np.tanh(z - Z * se)), float(np.tanh(z + Z * se)), float(p))

    def _concordance(self) -> Ends:
        """Lin's interval on the scale of Fisher's z."""
        c, r, n = self.points[CONCORDANCE], self.points[PEARSON], len(self.measured)
        if abs(c) >= 1 - 1e-12 or r == 0:
            return Ends(c, c, c)
        spreads = self.measured.std() * self.external.std()
        shift = self.points[BIAS] ** 2 / spreads  # u²
        left = 1 - c**2
        variance = (
            (1 - r**2) * c**2 / (left * r**2)
            + 2 * c**3 * (1 - c) * shift / (r * left**2)
            - c**4 * shift**2 / (2 * r**2 * left**2)
        ) / (n - 2)
        z, se = np.arctanh(c), np.sqrt(max(variance, 0.0))
        return Ends(c, float(np.tanh(z - Z * se)), float(np.tanh(z + Z * se)))

    def _limits(self) -> dict[str, Ends]:
        """Bias and limits, each with its interval (Bland & Altman 1999, section 2)."""
        n, bias = len(self.measured), self.points[BIAS]
        spread = float((self.measured - self.external).std(ddof=1))
        t = stats.t.ppf(0.975, n - 1)
        of_bias = spread / np.sqrt(n)
        of_limit = spread * np.sqrt(1 / n + Z**2 / (2 * (n - 1)))
        p = float(2 * stats.t.sf(abs(bias) / of_bias, n - 1)) if of_bias > 0 else float(bias == 0)
        found = {BIAS: Ends(bias, bias - t * of_bias, bias + t * of_bias, p)}
        for name in (LOWER, UPPER):
            at = self.points[name]
            found[name] = Ends(at, at - t * of_limit, at + t * of_limit)
        return found

    def _proportional(self) -> Ends:
        """Slope of the difference on the mean: not 0 where one source spreads more than the other."""
        middle, difference = (self.measured + self.external) / 2, self.measured - self.external
        if np.ptp(middle) == 0:
            return Ends(np.nan, np.nan, np.nan)
        line = stats.linregress(middle, difference)
        wide = stats.t.ppf(0.975, len(middle) - 2) * line.stderr
        return Ends(line.slope, line.slope - wide, line.slope + wide, float(line.pvalue))

    def of(self, members: np.ndarray) -> Paired:
        """Some of the pairs."""
        return replace(self, measured=self.measured[members], external=self.external[members])
