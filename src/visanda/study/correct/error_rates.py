"""Error rates: what a machine says of each true class, whether that tells classes apart, and differs between strata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2, chi2_contingency

from visanda.errors import DesignError
from visanda.study.columns import numeric
from visanda.study.sampling.sample import strata
from visanda.study.validity.agreement import confusion

Array = NDArray[np.float64]
Numbers = NDArray[np.integer]

LEAST_SEPARATION = 0.1  # below which a share is divided by next to nothing
Z95 = 1.959963984540054
FEW_EXPECTED = 5.0  # rows in a cell below which a chi-square is rough (Cochran 1954),
MOST_FEW = 0.2  # in more than this share of the cells


@dataclass(frozen=True)
class ErrorRates:
    """What a machine says of rows of v classes.

    Attributes:
        classes: their names.
        matrix: (v, v) the share of the rows of each true class (column) of which the machine says each class (row);
            a column adds up to 1.
        counts: (v, v) coded rows of each true class (column) and said class (row).
        effective: (v,) equally weighted rows of each true class that say as much as the coded ones (Kish 1965).
    """

    classes: tuple[str, ...]
    matrix: Array
    counts: Array
    effective: Array

    def covariance(self, true: int) -> Array:
        """(v, v) of the shares said of the class with number ``true``: multinomial sampling of its coded rows."""
        said = self.matrix[:, true]
        return (np.diag(said) - np.outer(said, said)) / self.effective[true]

    def separation(self) -> tuple[float, float]:
        """How well the machine tells the classes apart, and the standard error of that.

        Of two classes Youden's J: sensitivity + specificity − 1; of more, the smallest singular value of the matrix.
        Both are 1 where the machine never errs, and 0 where what it says tells nothing of some class.
        """
        if len(self.classes) == 2:
            value, slope = float(np.trace(self.matrix) - 1), np.eye(2)
        else:
            left, values, right = np.linalg.svd(self.matrix)
            value, slope = float(values[-1]), np.outer(left[:, -1], right[-1])
        variance = sum(column @ self.covariance(true) @ column for true, column in enumerate(slope.T))
        return value, float(np.sqrt(variance))

    def frame(self) -> pd.DataFrame:
        """A row a true and said class: true, said, rows (coded by hand), share (of the true class)."""
        cells = [(true, said) for true in range(len(self.classes)) for said in range(len(self.classes))]
        return pd.DataFrame(
            {
                "true": [self.classes[true] for true, _ in cells],
                "said": [self.classes[said] for _, said in cells],
                "rows": [int(self.counts[said, true]) for true, said in cells],
                "share": [self.matrix[said, true] for true, said in cells],
            }
        )


def class_names(column: pd.Series) -> pd.Series:
    """Classes by their names, numbers as whole ones where they are; missing where there is none.

    Example:
        >>> class_names(pd.Series([1.0, 0.0, 2.5])).tolist()
        ['1', '0', '2.5']
    """
    values = numeric(column)
    return strata(values.to_frame("class"), ["class"]).where(values.notna(), None)


def error_rates(true: Numbers, said: Numbers, weight: Array, classes: tuple[str, ...], where: str = "") -> ErrorRates:
    """The error rates of n coded rows.

    Args:
        true: (n,) number of the class that people gave.
        said: (n,) number of the class that the machine says.
        weight: (n,) above 0: 1 / probability of being coded.
        classes: their names.
        where: which rows these are, for messages: `` in 2019``.

    Raises:
        DesignError: a class that was never coded.
    """
    v = len(classes)
    counts = confusion(true, said, v, np.ones(len(true))).T
    if missing := [classes[b] for b in range(v) if not counts[:, b].sum()]:
        raise DesignError(
            f"never coded by hand{where}: {', '.join(missing)}, so nobody knows what the machine says of it. Code rows "
            "that the machine takes for it, drawn with a known probability, or merge it with another class."
        )
    mass = confusion(true, said, v, weight).T
    effective = mass.sum(axis=0) ** 2 / np.bincount(true, weight**2, v)
    return ErrorRates(classes, mass / mass.sum(axis=0), counts, effective)


def refuse_inseparable(rates: ErrorRates, where: str = "") -> None:
    """DesignError where what the machine says tells too little of the true class to be undone."""
    value, se = rates.separation()
    two = len(rates.classes) == 2
    name = "sensitivity + specificity − 1" if two else "the smallest singular value of the error rates"
    instead = "Use the hand codes alone, estimate by DSL (which needs no such matrix), or train a better machine."
    if two and value < -LEAST_SEPARATION:
        raise DesignError(
            f"the machine is wrong more often than chance{where}: {name} is {value:.2f}. Are its labels swapped?"
        )
    if value < LEAST_SEPARATION:
        raise DesignError(
            f"the machine hardly tells the classes {', '.join(rates.classes)} apart{where}: {name} is {value:.2f}, and "
            f"adjusted counts divide by it. {instead}"
        )
    if value <= Z95 * se:
        raise DesignError(
            f"{int(rates.counts.sum())} coded rows{where} do not show that the machine tells the classes apart: {name} "
            f"is {value:.2f} with a standard error of {se:.2f}, and adjusted counts divide by it. Code more rows of "
            f"the rarer classes. {instead}"
        )


def equal_error_rates(strata: Mapping[str, ErrorRates]) -> pd.DataFrame:
    """Test whether error rates are the same in all strata: a likelihood ratio for each true class, and for all.

    For each true class the table of strata by said classes; where rows were drawn with unequal probabilities, of
    weighted shares on effective numbers of rows (in the manner of Rao & Scott 1984). Rows are taken as independent.

    Returns:
        A row a true class and one for ``all``: class, statistic (G²), df, p, and rough: whether more than a fifth of
        the cells expect fewer than 5 rows. Without a degree of freedom p is missing.

    Example:
        >>> said = {"a": [[90, 10], [10, 90]], "b": [[70, 10], [30, 90]]}
        >>> found = {}
        >>> for name, counts in said.items():
        ...     table = np.array(counts, dtype=float)
        ...     found[name] = ErrorRates(("no", "yes"), table / 100, table, np.array([100.0, 100.0]))
        >>> equal_error_rates(found).round(3)[["class", "statistic", "df"]].values.tolist()
        [['no', 12.972, 1], ['yes', 0.0, 1], ['all', 12.972, 2]]
    """
    classes = next(iter(strata.values())).classes
    lines = [
        (name, *_equal(np.stack([one.matrix[:, b] * one.effective[b] for one in strata.values()])))
        for b, name in enumerate(classes)
    ]
    found = pd.DataFrame(lines, columns=["class", "statistic", "df", "rough"])
    whole = {
        "class": "all",
        "statistic": found["statistic"].sum(),
        "df": found["df"].sum(),
        "rough": found["rough"].any(),
    }
    found = pd.concat([found, pd.DataFrame([whole])], ignore_index=True)
    found["p"] = np.where(found["df"] > 0, chi2.sf(found["statistic"], found["df"].clip(lower=1)), np.nan)
    return found[["class", "statistic", "df", "p", "rough"]]


def _equal(table: Array) -> tuple[float, int, bool]:
    """G², its degrees of freedom and whether it is rough, of strata (rows) by said classes (columns)."""
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return 0.0, 0, False
    found = chi2_contingency(table, correction=False, lambda_="log-likelihood")
    return float(found.statistic), int(found.dof), bool((found.expected_freq < FEW_EXPECTED).mean() > MOST_FEW)
