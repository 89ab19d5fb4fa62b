"""Prepared: complete rows of a table, their weights, their clusters and their design, for one fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.study.columns import require_columns
from visanda.study.regression.formula import Design, absorbs, complete, design, refuse_collinear, sides

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prepared:
    """What a fit needs.

    Attributes:
        rows: the n complete rows.
        weight: (n,) how much each counts, as given; 1 where no weights are.
        cluster: (n,) number of the row's cluster from 0, or None.
        n_dropped: rows that miss a value.
    """

    rows: pd.DataFrame
    weight: Array
    cluster: NDArray[np.intp] | None
    n_dropped: int

    def laid_out(self, formula: str) -> Design:
        """The design of a formula without fixed effects, none of whose terms repeats another."""
        made = design(formula, self.rows)
        refuse_collinear(made)
        return made


def prepared(
    data: pd.DataFrame, formula: str, cluster: str | None, weights: str | None, also: Iterable[str] = ()
) -> Prepared:
    """The complete rows of ``data``.

    Args:
        data: a row a unit.
        formula: R-style, with a ``~``.
        cluster: column of clusters, or None.
        weights: column of how much each row counts, above 0, or None.
        also: further columns that may not be missing.

    Raises:
        InputError: a column that is not there, weights that are not above 0.
        DesignError: all rows lie in one cluster.
    """
    used = set().union(*sides(formula)) | set(also)
    require_columns(data, sorted(used), "the formula's variable")
    rows = complete(data, used | {name for name in (cluster, weights) if name})
    weight = np.ones(len(rows)) if weights is None else rows[weights].to_numpy(dtype=float)
    if not (weight > 0).all():
        raise InputError(f"the weight {weights!r} is 0 or below in {(weight <= 0).sum():,} rows: leave them out")
    groups = None if cluster is None else pd.factorize(rows[cluster])[0]
    if groups is not None and groups.max() == 0:
        raise DesignError(f"all rows lie in one cluster of {cluster!r}: standard errors need several")
    return Prepared(rows, weight, groups, len(data) - len(rows))


def refuse_fixed_effects(formula: str, model: str) -> None:
    """DesignError where a formula absorbs fixed effects that the model cannot absorb."""
    if absorbs(formula):
        raise DesignError(
            f"a {model} cannot absorb fixed effects: write C(city) for some levels, or use a linear model (lm), or "
            "fepois for counts"
        )


def refuse_few(n: int, parameters: int) -> None:
    """DesignError where there are not more rows than parameters."""
    if n <= parameters:
        raise DesignError(f"{n} rows for {parameters} parameters: take terms out, or use more rows")
