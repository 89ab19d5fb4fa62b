"""Jackknife: how far an estimate moves without each unit or cluster, and what that says of its bias and error.

Solutions of estimating equations are a little off where they rest on few units, and their sandwich is a little too
narrow, since each unit has drawn the solution towards itself. Leaving each unit out in turn undoes the bias (Quenouille
1956; Miller 1974), and half of what that adds to a unit's influence the narrowness: the errors called HC2, and CR2 of
clusters (MacKinnon & White 1985; Bell & McCaffrey 2002). Nothing is fitted again: how far a unit moves the solution is
expanded to second order in the unit's own weight, and fixed effects are taken out anew without it. What that leaves of
the bias of a curved model is half its second derivative along the coefficients' own uncertainty (Cox & Snell 1968).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from visanda.study.regression.families import Family
from visanda.study.regression.moments import Rows, expected, information, moments, sandwich

Array = NDArray[np.float64]
Numbers = NDArray[np.intp]
NOTHING_LEFT = 1e-9  # of a level's weight, below which it has no other rows


def jackknifed(
    family: Family, b: Array, rows: Rows, *, group: Numbers | None = None, levels: Sequence[Numbers] = ()
) -> tuple[Array, Array]:
    """Coefficients without their bias of second order, and influences whose squares add up to no less than they vary.

    Args:
        family: the model.
        b: (p,) the solution, p = j × k.
        rows: of n units, fixed effects taken out.
        group: (n,) number of the unit's cluster from 0; None: each unit is left out alone.
        levels: of each fixed effect that was taken out, (n,) the number of the unit's level.

    Returns:
        (p,) coefficients; (n, p) influences of units, for a sandwich.

    Example:
        >>> from visanda.study.regression.families import LM
        >>> y = np.arange(50.0)
        >>> mean, influences = jackknifed(LM, np.array([24.5]), Rows.of(np.ones((50, 1)), y))
        >>> mean.tolist(), sandwich(influences).round(2).tolist(), round(float(y.var(ddof=1)) / 50, 2)
        ([24.5], [[4.25]], 4.25)
    """
    back = _to_even(rows.X)  # a year lies 2,000 from 0: beside an intercept, squares of both would leave no digit
    even = replace(rows, X=np.asarray(rows.X @ back, dtype=float))
    b_even = np.asarray(np.linalg.solve(back, b.reshape(-1, len(back)).T).T.ravel(), dtype=float)
    bread = np.asarray(np.linalg.inv(information(family, b_even, even)), dtype=float)
    first = moments(family, b_even, even) @ bread.T
    further = drawn(family, b_even, even, first, group, levels) @ bread.T
    influences = first + further / 2
    bias = _bias_of_curve(family, b_even, even, bread, sandwich(influences, group)) - further.mean(axis=0)
    terms = np.asarray(np.kron(np.eye(len(b) // len(back)), back.T), dtype=float)
    return b - bias @ terms, influences @ terms


def _to_even(X: Array) -> Array:
    """(k, k) what the (m, k) terms are multiplied by to lie at right angles to each other, each of mean square 1."""
    triangle = np.linalg.qr(X / np.sqrt(len(X)), mode="r")
    return np.asarray(np.linalg.inv(triangle), dtype=float)


def drawn(
    family: Family, b: Array, rows: Rows, influence: Array, group: Numbers | None, levels: Sequence[Numbers]
) -> Array:
    """(n, p) how far units or clusters have drawn the moments' solution towards themselves.

    Times the inverse information and added to their ``influence`` (n, p), that is n times how far the solution moves
    without them, to second order. Other arguments as of :func:`jackknifed`.
    """
    of = np.arange(rows.n) if group is None else group
    whole = influence if group is None else summed(influence, group, int(group.max()) + 1)
    found = _by_information(family, b, rows, whole[of])
    for level in levels:
        found += _by_means(level, b, rows, of, whole)
    return found


def summed(values: Array, owner: Numbers, owners: int) -> Array:
    """(owners, c) sums of the (m, c) values that each owner has."""
    return np.stack([np.bincount(owner, column, owners) for column in values.T], axis=1)


def _by_information(family: Family, b: Array, rows: Rows, influence: Array) -> Array:
    """Their share of the information, times the (n, p) ``influence`` of the unit or of its cluster."""
    mean = expected(family, b, rows.X)
    shape = (len(rows.X), mean.shape[1], rows.X.shape[1])
    along = np.einsum("mk,mjk->mj", rows.X, influence[rows.unit].reshape(shape)) / rows.n
    change = np.einsum("mij,mj->mi", family.curve(mean), along) * rows.weight[:, None]
    return rows.by_unit(np.concatenate([rows.X * column[:, None] for column in change.T], axis=1))


def _by_means(level: Numbers, b: Array, rows: Rows, group: Numbers, influence: Array) -> Array:
    """What they do by drawing the means of a fixed effect towards them.

    The rows that a group has in a level lie around the level's mean, which without them would lie elsewhere. Linear
    models only, as fixed effects are.

    Args:
        level: (n,) of each unit.
        b: (k,) the solution.
        rows: fixed effects taken out.
        group: (n,) what is left out together.
        influence: (groups, k) on the coefficients.
    """
    total = np.bincount(level[rows.unit], rows.weight)
    cells, cell = np.unique(np.stack([group, level]), axis=1, return_inverse=True)
    cell, count = cell.ravel(), cells.shape[1]
    values = summed(np.hstack([rows.X, rows.y]) * rows.weight[:, None], cell[rows.unit], count)
    left = total[cells[1]] - np.bincount(cell[rows.unit], rows.weight, count)
    apart, residual = values[:, :-1], values[:, -1] - values[:, :-1] @ b
    change = residual + (apart * influence[cells[0]]).sum(axis=1) / rows.n
    share = np.divide(change, left, out=np.zeros(count), where=left > NOTHING_LEFT * total[cells[1]])
    return np.asarray((apart * (share / np.bincount(cell))[:, None])[cell])


def _bias_of_curve(family: Family, b: Array, rows: Rows, bread: Array, cov: Array) -> Array:
    """(p,) half the second derivative of the moments along the covariance of ``b``."""
    if family.bend is None:
        return np.zeros(len(b))
    mean = expected(family, b, rows.X)
    bent = np.zeros_like(mean)
    sizes, directions = np.linalg.eigh(cov)
    for size, direction in zip(sizes, directions.T, strict=True):
        along = rows.X @ (direction * np.sqrt(max(size, 0.0))).reshape(mean.shape[1], -1).T
        bent += family.bend(mean, along)
    score = (bent * rows.weight[:, None]).T @ rows.X
    return np.asarray(-0.5 * bread @ score.ravel() / rows.n)
