"""Estimates: coefficients with their uncertainty, the same for every method of fitting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2, f, norm, t

from visanda.errors import InputError

Z95 = float(norm.ppf(0.975))


@dataclass(frozen=True)
class Estimates:
    """What one fit found.

    Attributes:
        names: the k terms.
        coef: (k,) coefficients, in the units of the outcome (lm, mean), log odds (logit) or logs (poisson).
        se: (k,) standard errors.
        cov: (k, k) covariance of the coefficients; its diagonal is ``se`` squared.
        n: rows the fit rests on.
        n_coded: rows among them whose human codes were used.
        n_dropped: rows left out before the fit, for a missing value in an observed column.
        df: (k,) degrees of freedom of the standard errors, for intervals and tests by Student's t; None: they are
            taken as known, for the normal distribution.
    """

    names: tuple[str, ...]
    coef: NDArray[np.float64]
    se: NDArray[np.float64]
    cov: NDArray[np.float64]
    n: int
    n_coded: int
    n_dropped: int = 0
    df: NDArray[np.float64] | None = None

    def frame(self) -> pd.DataFrame:
        """One row a term: term, estimate, se, low and high (95 % interval), p (two-sided)."""
        df = np.full(len(self.coef), np.inf) if self.df is None else self.df
        with np.errstate(divide="ignore", invalid="ignore"):  # what is known for certain has no p
            p = 2 * t.sf(np.abs(self.coef) / self.se, df)
        half = t.ppf(0.975, df) * self.se
        low, high = self.coef - half, self.coef + half
        columns = {"estimate": self.coef, "se": self.se, "low": low, "high": high, "p": p}
        return pd.DataFrame({"term": list(self.names), **columns})

    def combined(self, **combinations: Mapping[str, float]) -> Estimates:
        """Linear combinations of coefficients, such as the slope in one of two groups.

        Degrees of freedom are the fewest of the terms that are combined.

        Args:
            combinations: by the name of each, the weight of each term in it.

        Raises:
            InputError: a term that is not there.

        Example:
            >>> both = Estimates(("a", "b"), np.ones(2), np.ones(2), np.eye(2), 9, 9)
            >>> both.combined(sum={"a": 1, "b": 1}).se.round(3).tolist()
            [1.414]
        """
        weights = np.array([self._weights(one) for one in combinations.values()])
        cov = weights @ self.cov @ weights.T
        df = None if self.df is None else np.array([self.df[one != 0].min(initial=np.inf) for one in weights])
        se = np.sqrt(np.diag(cov))
        return replace(self, names=tuple(combinations), coef=weights @ self.coef, se=se, cov=cov, df=df)

    def joint_p(self, terms: Sequence[str]) -> float:
        """The p of Wald's test that the coefficients of all ``terms`` are 0 (an F test where there are ``df``).

        Raises:
            InputError: a term that is not there.
        """
        chosen = np.array([self._weights({term: 1.0}) for term in terms])
        b = chosen @ self.coef
        wald = float(b @ np.linalg.solve(chosen @ self.cov @ chosen.T, b))
        if self.df is None:
            return float(chi2.sf(wald, len(b)))
        return float(f.sf(wald / len(b), len(b), self.df[(chosen != 0).any(axis=0)].min()))

    def _weights(self, combination: Mapping[str, float]) -> NDArray[np.float64]:
        strange = [term for term in combination if term not in self.names]
        if strange:
            raise InputError(f"no term {', '.join(strange)}: the terms are {', '.join(self.names)}")
        return np.array([combination.get(name, 0.0) for name in self.names])
