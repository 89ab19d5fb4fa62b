"""Misclassification matrices, given or estimated; and their powers: what a machine says that errs twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import expm, logm

from visanda.errors import DesignError, InputError
from visanda.study.columns import numbers, require_columns
from visanda.study.correct.coded import coded_rows
from visanda.study.correct.error_rates import class_names, error_rates

Array = NDArray[np.float64]

ROUNDING = 1e-9  # of a probability
FURTHEST = 0.02  # that a probability may be moved to make powers possible
LEAST_EIGENVALUE = 0.05  # below which a class is lost


def misclassified(
    data: pd.DataFrame, variable: str, label: str, given: pd.DataFrame | None, sample_prob: str | None
) -> tuple[tuple[str, ...], Array, int]:
    """Classes, the (v, v) share said (row) of each true class (column), and the coded rows it rests on, 0 where given.

    Args:
        data: a row a unit.
        variable: column coded by hand.
        label: column with the machine's class.
        given: the matrix, or None: to be estimated.
        sample_prob: column with the probability that a row was drawn for coding.

    Raises:
        InputError: a column or a matrix that does not fit.
        DesignError: too few codes, a class never coded.
    """
    require_columns(data, [label], "the label")
    if given is not None:
        return _given(given), given.to_numpy(dtype=float), 0
    if variable not in data:
        raise InputError(f"there are no codes of {variable!r} to learn errors from: give the misclassification matrix")
    rows = coded_rows(data, f"`{variable}` ~ 1", [variable], [label], sample_prob, None)
    true, said = (class_names(rows.data.loc[rows.coded, name]) for name in (variable, label))
    everywhere = class_names(rows.data[label])
    if set(true).isdisjoint(everywhere):
        raise InputError(f"{variable!r} and {label!r} have no class in common: recode one of them")
    classes = tuple(sorted(set(true) | set(everywhere)))
    number_of = {name: place for place, name in enumerate(classes)}
    hand, machine = (np.asarray(one.map(number_of), dtype=np.intp) for one in (true, said))
    return classes, error_rates(hand, machine, rows.weight[rows.coded], classes).matrix, rows.n_coded


def _given(matrix: pd.DataFrame) -> tuple[str, ...]:
    rows, columns = (tuple(class_names(pd.Series(list(axis)))) for axis in (matrix.index, matrix.columns))
    if rows != columns or len(rows) < 2:
        raise InputError(
            f"the misclassification matrix needs the same classes in rows (said) and columns (true): {rows}, {columns}"
        )
    named = matrix.set_axis(list(columns), axis=1)
    values = np.stack([numbers(named, name).to_numpy() for name in columns], axis=1)
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError("the misclassification matrix must hold probabilities, from 0 to 1")
    totals = values.sum(axis=0)
    if not np.allclose(totals, 1, atol=1e-6):
        turned = ": rows do, so transpose it" if np.allclose(values.sum(axis=1), 1, atol=1e-6) else ""
        raise InputError(
            "columns of the misclassification matrix, the true classes, must add up to 1, not "
            f"{totals.round(3).tolist()}{turned}"
        )
    return rows


def power(matrix: Array, exponent: float) -> Array:
    """(v, v) the matrix to a real power; Π¹ Π¹ = Π² is to err twice.

    Example:
        >>> power(np.array([[0.9, 0.2], [0.1, 0.8]]), 2).round(2).tolist()
        [[0.83, 0.34], [0.17, 0.66]]
    """
    values, vectors = np.linalg.eig(matrix)
    return np.real(vectors @ np.diag(np.asarray(values, dtype=complex) ** exponent) @ np.linalg.inv(vectors))


def with_powers(matrix: Array, exponents: tuple[float, ...]) -> tuple[Array, float]:
    """The matrix, or the nearest by its generator, whose powers are probabilities; and by how much it was moved.

    Sample matrices often have a cell of 0 beside cells that are not, and then no root that is a matrix of
    probabilities. Negative rates of its generator log Π are set to 0, the diagonal taking what is left (Israel,
    Rosenthal & Wei 2001).

    Args:
        matrix: (v, v) the share said (row) of each true class (column); columns add up to 1.
        exponents: above 0.

    Raises:
        DesignError: the machine hardly tells classes apart, errs more often than not, or would have to be moved by more
            than 0.02.
    """
    values = np.linalg.eigvals(matrix)
    if np.abs(np.imag(values)).max() > ROUNDING or np.real(values).min() < LEAST_EIGENVALUE:
        raise DesignError(
            "the misclassification matrix has no powers: it hardly tells some classes apart, or confuses them more "
            f"often than not (eigenvalues {', '.join(f'{one:.2g}' for one in values)}; all must be real and above "
            f"{LEAST_EIGENVALUE}). Merge the classes that it confuses, or correct by DSL."
        )
    if all(_stochastic(power(matrix, exponent)) for exponent in exponents):
        return matrix, 0.0
    rates = np.real(logm(matrix))
    rates = np.where(np.eye(len(matrix), dtype=bool), 0.0, rates.clip(min=0))
    near = expm(rates - np.diag(rates.sum(axis=0)))
    moved = float(np.abs(near - matrix).max())
    if moved > FURTHEST:
        raise DesignError(
            "powers of the misclassification matrix have negative entries, which are no probabilities, and the nearest "
            f"matrix that has proper ones is {moved:.3f} away. Add whole errors only (lambdas=(1, 2, 3)), whose powers "
            "always are, merge rare classes, or correct by DSL."
        )
    return near, moved


def _stochastic(matrix: Array) -> bool:
    return bool((matrix >= -ROUNDING).all() and np.allclose(matrix.sum(axis=0), 1, atol=1e-6))
