"""Estimates: coefficients with their uncertainty, the same for every method of fitting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

Z95 = float(norm.ppf(0.975))


@dataclass(frozen=True)
class Estimates:
    """What one fit found.

    Attributes:
        names: the k terms.
        coef: (k,) coefficients, in the units of the outcome (lm, mean) or log odds (logit).
        se: (k,) standard errors.
        cov: (k, k) covariance of the coefficients; its diagonal is ``se`` squared.
        n: rows the fit rests on.
        n_coded: rows among them whose human codes were used.
        n_dropped: rows left out before the fit, for a missing value in an observed column.
    """

    names: tuple[str, ...]
    coef: NDArray[np.float64]
    se: NDArray[np.float64]
    cov: NDArray[np.float64]
    n: int
    n_coded: int
    n_dropped: int = 0

    def frame(self) -> pd.DataFrame:
        """One row a term: term, estimate, se, low and high (95 % interval), p (two-sided, normal)."""
        p = 2 * norm.sf(np.abs(self.coef) / self.se)
        low, high = self.coef - Z95 * self.se, self.coef + Z95 * self.se
        columns = {"estimate": self.coef, "se": self.se, "low": low, "high": high, "p": p}
        return pd.DataFrame({"term": list(self.names), **columns})
