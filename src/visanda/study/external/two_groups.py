"""Two groups on one measure: difference in means, standardised, and as a probability, each with its interval.

Welch (1947); Hedges & Olkin (1985), chapter 5; Newcombe (2006), "Confidence intervals for an effect size measure based
on the Mann–Whitney statistic", part 2, method 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq
from scipy.special import gammaln

from visanda.study.resampling import Array, spread
from visanda.study.validity.agreement import ratio

Z = 1.959963984540054


@dataclass(frozen=True)
class Compared:
    """What two groups differ by.

    Attributes:
        n_higher: units of the group that is expected to be higher.
        n_lower: units of the other.
        mean_higher: its mean.
        mean_lower: the other's.
        difference: higher less lower, in units of the measure.
        low: lower end of its 95 % interval.
        high: upper end.
        p: two-sided, of no difference.
        d: difference in pooled standard deviations.
        g: the same without the bias of small samples.
        g_low: lower end of its 95 % interval.
        g_high: upper end.
        auc: probability that a unit of the higher group has the larger value, 0 to 1, ties half.
        auc_low: lower end of its 95 % interval.
        auc_high: upper end.
        sd_ratio: standard deviation of the higher group over that of the lower.
    """

    n_higher: int
    n_lower: int
    mean_higher: float
    mean_lower: float
    difference: float
    low: float
    high: float
    p: float
    d: float
    g: float
    g_low: float
    g_high: float
    auc: float
    auc_low: float
    auc_high: float
    sd_ratio: float


@dataclass(frozen=True)
class TwoGroups:
    """Values of units of two groups.

    Attributes:
        values: (n,) numbers.
        higher: (n,) which are of the group that is expected to be higher.
    """

    values: Array
    higher: NDArray[np.bool_]

    @property
    def flat(self) -> bool:
        """Whether values never vary within either group."""
        return all(np.ptp(self.values[who]) == 0 for who in (self.higher, ~self.higher))

    def by_formula(self) -> Compared:
        """With intervals of independent units."""
        one, other = self.values[self.higher], self.values[~self.higher]
        points = self._points()
        welch = stats.ttest_ind(one, other, equal_var=False)
        ends = welch.confidence_interval(0.95)
        n, m, g = len(one), len(other), points["g"]
        se = np.sqrt((n + m) / (n * m) + g**2 / (2 * (n + m)))
        return self._compared(
            points,
            (float(ends.low), float(ends.high)),
            float(welch.pvalue),
            (g - Z * se, g + Z * se),
            auc_interval(points["auc"], n, m),
        )

    def by_bootstrap(self, cluster: pd.Series, resamples: int, seed: int) -> Compared:
        """With intervals from resampling whole clusters."""
        drawn = spread(self._weighted, np.ones(len(self.values)), cluster, resamples, seed)
        se = float(np.nanstd(drawn.drawn["difference"])) if resamples else np.nan
        p = float(2 * stats.norm.sf(abs(drawn.point["difference"]) / se)) if se > 0 else np.nan
        return self._compared(drawn.point, drawn.interval("difference"), p, drawn.interval("g"), drawn.interval("auc"))

    def _points(self) -> dict[str, float]:
        return {name: float(value) for name, value in self._weighted(np.ones(len(self.values))).items()}

    def _compared(
        self,
        points: dict[str, float],
        ends: tuple[float, float],
        p: float,
        of_g: tuple[float, float],
        of_auc: tuple[float, float],
    ) -> Compared:
        one, other = self.values[self.higher], self.values[~self.higher]
        spreads = one.std(ddof=1), other.std(ddof=1)
        sd_ratio = float(spreads[0] / spreads[1]) if spreads[1] > 0 else np.inf
        return Compared(
            n_higher=len(one),
            n_lower=len(other),
            mean_higher=float(one.mean()),
            mean_lower=float(other.mean()),
            difference=points["difference"],
            low=float(ends[0]),
            high=float(ends[1]),
            p=p,
            d=points["d"],
            g=points["g"],
            g_low=float(of_g[0]),
            g_high=float(of_g[1]),
            auc=points["auc"],
            auc_low=float(of_auc[0]),
            auc_high=float(of_auc[1]),
            sd_ratio=sd_ratio,
        )

    def _weighted(self, weight: Array) -> dict[str, Array]:
        """Difference, d, g and AUC with weights (..., n)."""
        means, squares, totals = [], [], []
        centre = self.values.mean()
        for who in (self.higher, ~self.higher):
            values, mine = self.values[who] - centre, weight[..., who]
            total = mine.sum(axis=-1)
            mean = ratio(mine @ values, total)
            means.append(mean)
            totals.append(total)
            squares.append(mine @ values**2 - total * mean**2)
        difference = np.asarray(means[0] - means[1])
        df = totals[0] + totals[1] - 2
        pooled = np.sqrt(np.maximum(ratio(squares[0] + squares[1], df), 0))
        d = ratio(difference, pooled)
        return {"difference": difference, "d": d, "g": d * small_sample(np.maximum(df, 2)), "auc": self._auc(weight)}

    def _auc(self, weight: Array) -> Array:
        """Mann & Whitney's statistic as a share of all pairs."""
        place = np.unique(self.values, return_inverse=True)[1]
        order = np.argsort(place, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(place[order]) > 0])
        low, high = weight * ~self.higher, weight * self.higher
        each = np.add.reduceat(low[..., order], starts, axis=-1)
        below = (np.cumsum(each, axis=-1) - each / 2)[..., place]
        return ratio((high * below).sum(axis=-1), high.sum(axis=-1) * low.sum(axis=-1))


def small_sample(df: Array | float) -> Array:
    """Hedges' (1981) exact factor that takes the bias of small samples out of d.

    >>> round(float(small_sample(18.0)), 4)
    0.9576
    """
    df = np.asarray(df, dtype=float)
    return np.asarray(np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2))


def auc_interval(auc: float, n: int, m: int) -> tuple[float, float]:
    """Newcombe's (2006) 95 % interval of an AUC of n against m units; never beyond 0 and 1, nor empty at them.

    >>> tuple(round(end, 3) for end in auc_interval(1.0, 20, 20))
    (0.899, 1.0)
    """
    more = (n + m) / 2 - 1

    def off(theta: float) -> float:
        variance = theta * (1 - theta) / (n * m) * (1 + more * ((1 - theta) / (2 - theta) + theta / (1 + theta)))
        return float((theta - auc) ** 2 - Z**2 * variance)

    low = 0.0 if auc <= 0 else float(brentq(off, 0.0, min(auc, 1 - 1e-9)))
    high = 1.0 if auc >= 1 else float(brentq(off, max(auc, 1e-9), 1.0))
    return low, high
