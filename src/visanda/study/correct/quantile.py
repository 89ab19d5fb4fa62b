"""A quantile of a predicted variable: where its distribution function, corrected by codes, reaches a share.

F(t) = λ F_uncoded(t; f) + F_coded(t; y) − λ F_coded(t; f) (Angelopoulos et al. 2023). Its interval holds every t at
which F(t) is not significantly other than the share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.regression.coefficients import Z95, Estimates

Array = NDArray[np.float64]
STEPS = 4000  # of values, at most, at which the distribution function is taken


@dataclass(frozen=True, kw_only=True)
class Quantile(Estimates):
    """A quantile with the interval that inverts a test; ``se`` is its width / (2 · 1.96).

    Attributes:
        lam: how much the predictions are relied on, 0 to 1.
        low: of the 95 % interval.
        high: of the 95 % interval.
    """

    lam: float
    low: float
    high: float

    def frame(self) -> pd.DataFrame:
        """As of all estimates, with the interval of the test."""
        return super().frame().assign(low=self.low, high=self.high)

    def combined(self, **combinations: Mapping[str, float]) -> Quantile:
        """A multiple of the quantile, whose interval is that of the quantile, times as much.

        Raises:
            InputError: several, a term that is not there.
        """
        if len(combinations) != 1:
            raise InputError("a quantile is one number: ask for one multiple of it")
        times = float(self._weights(next(iter(combinations.values())))[0])
        low, high = sorted((times * self.low, times * self.high))
        found = super().combined(**combinations)
        return replace(self, names=found.names, coef=found.coef, se=found.se, cov=found.cov, low=low, high=high)


def rectified_quantile(
    y: Array,
    said: Array,
    coded: NDArray[np.bool_],
    share: float,
    cluster: NDArray[np.intp] | None = None,
    lam: float | None = None,
    variable: str = "y",
    n_dropped: int = 0,
) -> Quantile:
    """The quantile of ``share``.

    Args:
        y: (n,) codes; missing where not coded.
        said: (n,) predictions.
        coded: (n,) whether a row is coded.
        share: between 0 and 1.
        cluster: (n,) number of the row's cluster from 0, or None.
        lam: 0 to 1; None: what makes F least uncertain at the quantile of lambda = 1.
        variable: its name.
        n_dropped: rows left out before.
    """
    grid = np.unique(np.concatenate([y[coded], said]))
    if len(grid) > STEPS:
        grid = np.unique(np.quantile(grid, np.linspace(0, 1, STEPS)))
    rows = np.where(coded, np.searchsorted(grid, y), 0), np.searchsorted(grid, said)
    by_code, by_said, uncoded = (
        _distribution(place[group], len(grid))
        for place, group in zip((*rows, rows[1]), (coded, coded, ~coded), strict=True)
    )
    by_prediction = uncoded - by_said
    if lam is None:
        lam = _best(rows, coded, cluster, _reached(by_code + by_prediction, share))
    value = by_code + lam * by_prediction
    spread = _spread(rows, coded, cluster, lam, len(grid))
    inside = np.flatnonzero(np.abs(value - share) <= Z95 * spread)
    place = _reached(value, share)
    ends = (inside[0], inside[-1]) if len(inside) else (place, place)
    low, high = grid[min(ends[0], place)], grid[max(ends[1], place)]
    se = np.array([max((high - low) / (2 * Z95), 1e-300)])
    return Quantile(
        (f"quantile {share:g} of {variable}",),
        grid[[place]],
        se,
        np.diag(se**2),
        len(y),
        int(coded.sum()),
        n_dropped,
        lam=lam,
        low=float(low),
        high=float(high),
    )


def _distribution(place: NDArray[np.intp], steps: int) -> Array:
    """(steps,) the share of rows at or below each value of the grid."""
    return np.asarray(np.bincount(place, minlength=steps)[:steps].cumsum() / len(place), dtype=float)


def _reached(value: Array, share: float) -> int:
    """Where the distribution function, which corrections may let fall here and there, first is at ``share``."""
    return int(np.argmax(np.maximum.accumulate(value) >= share)) if value.max() >= share else len(value) - 1


def _added(rows: tuple[NDArray[np.intp], NDArray[np.intp]], coded: NDArray[np.bool_], step: int) -> tuple[Array, Array]:
    """(n,) what each row adds to F at a value: by its code, and by its prediction at lambda = 1; centred."""
    below, said = ((place <= step).astype(float) for place in rows)
    n, left = coded.sum(), (~coded).sum()
    by_code = np.where(coded, below - below[coded].mean(), 0.0) / n
    return by_code, np.where(coded, -(said - said[coded].mean()) / n, (said - said[~coded].mean()) / left)


def _summed(values: Array, cluster: NDArray[np.intp] | None) -> Array:
    return values if cluster is None else np.bincount(cluster, values).astype(float)


def _best(
    rows: tuple[NDArray[np.intp], NDArray[np.intp]],
    coded: NDArray[np.bool_],
    cluster: NDArray[np.intp] | None,
    step: int,
) -> float:
    by_code, by_prediction = (_summed(part, cluster) for part in _added(rows, coded, step))
    least = float(by_prediction @ by_prediction)
    return 0.0 if least == 0 else float(np.clip(-(by_code @ by_prediction) / least, 0, 1))


def _spread(
    rows: tuple[NDArray[np.intp], NDArray[np.intp]],
    coded: NDArray[np.bool_],
    cluster: NDArray[np.intp] | None,
    lam: float,
    steps: int,
) -> Array:
    """(steps,) the standard error of F at each value."""
    if cluster is not None:
        parts = (_added(rows, coded, step) for step in range(steps))
        return np.array([np.sqrt((_summed(one + lam * two, cluster) ** 2).sum()) for one, two in parts])
    n, left = int(coded.sum()), int((~coded).sum())
    code, said, other = (
        _distribution(place[group], steps) for place, group in ((rows[0], coded), (rows[1], coded), (rows[1], ~coded))
    )
    both = _distribution(np.maximum(rows[0], rows[1])[coded], steps)
    of_coded = code + lam**2 * said - 2 * lam * both - (code - lam * said) ** 2
    return np.sqrt(np.maximum(of_coded, 0) / n + lam**2 * other * (1 - other) / left)
