"""Every regression, by the name that users write as ``model``."""

from __future__ import annotations

from typing import Protocol

import pandas as pd

from visanda.errors import InputError
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.fixed import fepois
from visanda.study.regression.mixed import mixed
from visanda.study.regression.named import Model
from visanda.study.regression.negbin import negbin
from visanda.study.regression.ordinal import ordinal
from visanda.study.regression.ordinary import ordinary


class Regression(Protocol):
    """A formula fitted to the complete rows of a table."""

    def __call__(
        self, data: pd.DataFrame, formula: str, *, cluster: str | None = None, weights: str | None = None
    ) -> Estimates:
        """Coefficients; ``weights`` is the column of how much each row counts."""


def _family(model: Model) -> Regression:
    def fit(data: pd.DataFrame, formula: str, *, cluster: str | None = None, weights: str | None = None) -> Estimates:
        return ordinary(data, formula, model, cluster, weights)

    return fit


REGRESSIONS: dict[str, Regression] = {
    "lm": _family("lm"),
    "logit": _family("logit"),
    "poisson": _family("poisson"),
    "multinomial": _family("multinomial"),
    "negbin": negbin,
    "ordinal": ordinal,
    "mixed": mixed,
    "fepois": fepois,
}


def regression(model: str) -> Regression:
    """The function of a name.

    Raises:
        InputError: there is none; lists the names.

    Example:
        >>> table = pd.DataFrame({"y": [1, 3, 2, 5.0], "x": [0, 1, 1, 2.0]})
        >>> regression("lm")(table, "y ~ x").coef.round(2).tolist()
        [0.75, 2.0]
    """
    if model not in REGRESSIONS:
        raise InputError(f"model={model!r} is unknown: {', '.join(REGRESSIONS)}")
    return REGRESSIONS[model]
