"""Fixed effects, absorbed: what is left of a design when the means of cities, months or people are taken out.

The coefficients of a linear model with a dummy for every level are those of the remainders (Frisch & Waugh 1933; Lovell
1963), however many levels there are. With the two rows of a corrected unit, whose weights add up to 1, the same holds:
the means that are taken out are those of the corrected values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from scipy.sparse.linalg import lsmr

from visanda.errors import DesignError
from visanda.study.regression.moments import Array, Rows

Levels = Sequence[NDArray[np.intp]]
EXACT = 1e-12
MOST_STEPS = 10_000
NOTHING_LEFT = 1e-9  # of a term, relative to its size


def absorb(rows: Rows, levels: Levels) -> Rows:
    """``rows`` without the part of their design and outcome that fixed effects explain.

    Args:
        rows: of n units, whose weights add up to more than 0 in each unit.
        levels: of each fixed effect, (n,) the number of the unit's level.
    """
    if not levels:
        return rows
    columns = np.hstack([rows.X, rows.y])
    weight = rows.by_unit(rows.weight[:, None])[:, 0]
    total = rows.by_unit(columns * rows.weight[:, None])
    effect = _effects(total / weight[:, None], weight, levels)
    left = columns - effect[rows.unit]
    return replace(rows, X=left[:, : rows.X.shape[1]], y=left[:, rows.X.shape[1] :])


def _effects(values: Array, weight: Array, levels: Levels) -> Array:
    """(n, c) what dummies of all levels explain of the (n, c) values, by weighted least squares."""
    if len(levels) == 1:
        sums = np.bincount(levels[0], weight)
        means = np.stack([np.bincount(levels[0], weight * column) / sums for column in values.T], axis=1)
        return means[levels[0]]
    root, n = np.sqrt(weight), len(weight)
    dummies = hstack([csr_array((root, (np.arange(n), level))) for level in levels], format="csr")
    length = np.sqrt(np.asarray(dummies.multiply(dummies).sum(axis=0)).ravel())
    dummies = dummies.multiply(1 / np.maximum(length, 1e-300)).tocsr()
    found = []
    for column in values.T:
        solution = lsmr(dummies, root * column, atol=EXACT, btol=EXACT, conlim=0, maxiter=MOST_STEPS)[0]
        found.append(dummies @ solution / root)
    return np.stack(found, axis=1)


def refuse_absorbed(names: Sequence[str], before: Array, after: Array) -> None:
    """DesignError naming the terms of which fixed effects leave nothing."""
    size, left = (np.sqrt((matrix**2).mean(axis=0)) for matrix in (before, after))
    gone = [name for name, one, rest in zip(names, size, left, strict=True) if rest <= NOTHING_LEFT * max(one, 1e-300)]
    if gone:
        raise DesignError(
            f"{', '.join(gone)} does not vary within the fixed effects, which explain all of it: leave it out of the "
            "formula, or the fixed effect"
        )


def degrees_absorbed(levels: Levels, cluster: NDArray[np.intp] | None = None) -> int:
    """How many coefficients the fixed effects take.

    As in fixest: those that lie within clusters are not counted, and where all do, the intercept that they hold is.
    """
    if not levels:
        return 0
    counted = [level for level in levels if cluster is None or not _nested(level, cluster)]
    return sum(int(level.max()) + 1 for level in counted) - (len(counted) - 1)


def _nested(level: NDArray[np.intp], cluster: NDArray[np.intp]) -> bool:
    pairs = np.unique(np.stack([level, cluster], axis=1), axis=0)
    return len(pairs) == int(level.max()) + 1
