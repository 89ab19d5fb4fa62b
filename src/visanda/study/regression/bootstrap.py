"""Bootstrap: how much coefficients scatter where rows, or whole clusters, are drawn again (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError, VisandaError
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.mixed import mixed_formula
from visanda.study.regression.prepared import prepared
from visanda.study.regression.refits import Fit, Refit, function_refits, refits
from visanda.study.resampling import HIGH, LOW, resampled

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]  # resamples done, resamples in all
FEWEST = 50  # resamples of which a percentile can be taken
MOST_FAILED = 0.05  # of resamples: with more, those that are left are not like all


@dataclass(frozen=True, kw_only=True)
class Resampled(Estimates):
    """Estimates with the coefficients of each resample.

    Attributes:
        drawn: (resamples, k) the coefficients of the resamples that could be fitted.
        failed: resamples that could not.
    """

    drawn: Array
    failed: int = 0

    def frame(self) -> pd.DataFrame:
        """As of all estimates, with ``low`` and ``high`` the percentiles 2.5 and 97.5 of the resamples."""
        low, high = np.quantile(self.drawn, [LOW, HIGH], axis=0, method="weibull")  # holds 95 % whatever their number
        return super().frame().assign(low=low, high=high)

    def combined(self, **combinations: Mapping[str, float]) -> Resampled:
        """As of all estimates, with the percentiles of the same combinations of each resample."""
        found = super().combined(**combinations)
        drawn = self.drawn @ np.array([self._weights(one) for one in combinations.values()]).T
        kept = {one.name: getattr(found, one.name) for one in fields(Estimates)}
        return Resampled(**kept, drawn=drawn, failed=self.failed)

    @property
    def warnings(self) -> list[str]:
        """What a careful reader should know."""
        if not self.failed:
            return []
        total = self.failed + len(self.drawn)
        return [
            f"{self.failed:,} of {total:,} resamples could not be fitted (separation, or a lost category): left out."
        ]


def bootstrap(
    data: pd.DataFrame,
    formula: str,
    *,
    model: str | None = None,
    fit: Fit | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    resamples: int = 1000,
    seed: int = 1,
    progress: Progress | None = None,
) -> Resampled:
    """Fit a regression to the data, and to ``resamples`` resamples of them.

    Args:
        data: a row a unit.
        formula: R-style, with a ``~``; of a function ``fit``, what names the columns that may not be missing.
        model: a name of :data:`visanda.study.regression.every.REGRESSIONS`, or None where there is a ``fit``.
        fit: a function of a table and (n,) weights of its rows that returns names and coefficients.
        cluster: column of clusters, drawn whole; None: rows are drawn.
        weights: column of how much each row counts, above 0; None: all alike.
        resamples: how many, 50 or more.
        seed: the same seed, the same draws.
        progress: called with the resamples done and those in all.

    Raises:
        InputError: a column, formula or argument that does not fit.
        DesignError: more than 5 % of the resamples cannot be fitted.

    Example:
        >>> random = np.random.default_rng(1)
        >>> data = pd.DataFrame({"x": random.normal(size=80)}).assign(y=lambda d: 2 * d.x + random.normal(size=80))
        >>> found = bootstrap(data, "y ~ x", model="lm", resamples=200)
        >>> found.names, found.drawn.shape
        (('Intercept', 'x'), (200, 2))
    """
    asked = mixed_formula(formula)
    ready = prepared(data, asked.fixed, cluster, weights, asked.columns if asked.group else ())
    names, (refit,) = one_of(model, fit, formula, [ready.rows])
    point = refit(ready.weight, None)
    unit = np.arange(len(ready.rows)) if ready.cluster is None else ready.cluster
    drawn, failed = draws(lambda times: refit(ready.weight * times, point), unit, resamples, seed, progress)
    cov = np.atleast_2d(np.cov(drawn.T))
    n = len(ready.rows)
    return Resampled(names, point, np.sqrt(np.diag(cov)), cov, n, n, ready.n_dropped, drawn=drawn, failed=failed)


def one_of(
    model: str | None, fit: Fit | None, formula: str, tables: list[pd.DataFrame]
) -> tuple[tuple[str, ...], list[Refit]]:
    """The refits of a model's name or of a function, of which one is given.

    Raises:
        InputError: both or neither are.
    """
    if (model is None) == (fit is None):
        raise InputError("give either model, a name such as 'negbin', or fit, a function of a table and weights")
    if fit is not None:
        return function_refits(fit, tables)
    assert model is not None
    return refits(model, formula, tables)


def draws(
    of: Callable[[Array], Array], unit: NDArray[np.intp], resamples: int, seed: int, progress: Progress | None = None
) -> tuple[Array, int]:
    """(resamples, c) numbers of resamples that could be fitted, and how many could not.

    Args:
        of: (n,) how often each row is drawn, to (c,) numbers.
        unit: (n,) what is drawn together.
        resamples: how many, 50 or more.
        seed: of the draws.
        progress: called with the resamples done and those in all.

    Raises:
        InputError: too few resamples.
        DesignError: more than 5 % cannot be fitted; says why the last one could not.
    """
    if resamples < FEWEST:
        raise InputError(f"resamples={resamples}: 2000 are usual, {FEWEST} the least of which percentiles can be taken")
    found: list[Array] = []
    failed, why = 0, ""
    for block in resampled(pd.Series(unit), resamples, seed):
        for times in block:
            try:
                numbers = of(times)
                if not np.isfinite(numbers).all():
                    raise DesignError("its coefficients are not finite")
                found.append(numbers)
            except (VisandaError, ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
                failed, why = failed + 1, str(error)
            if progress is not None:
                progress(len(found) + failed, resamples)
    if failed > MOST_FAILED * resamples:
        raise DesignError(
            f"{failed:,} of {resamples:,} resamples cannot be fitted, so that the others are not like all of them. The "
            f"last one: {why} Code more rows, merge rare categories, or take terms out."
        )
    return np.array(found), failed
