"""From an R-style formula and a table to the outcome and design matrix that a model is fitted to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.linalg
from formulaic import Formula, ModelSpecs, model_matrix
from formulaic.errors import FormulaicError
from formulaic.transforms import TRANSFORMS
from formulaic.utils.variables import get_required_variables
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.study.columns import numeric, require_columns

COLLINEAR = 1e-9  # a column whose part not explained by the others is smaller, relative to its length


@dataclass(frozen=True)
class Design:
    """The numbers a formula makes of a table of n rows.

    Attributes:
        outcome: (n,) left-hand side.
        matrix: (n, k) right-hand side.
        names: the k terms.
        spec: the levels and transforms met, so that another table is laid out in the same way.
    """

    outcome: NDArray[np.float64]
    matrix: NDArray[np.float64]
    names: tuple[str, ...]
    spec: ModelSpecs

    def of(self, data: pd.DataFrame) -> Design:
        """The same design of other rows: same category levels, same centring, same spline knots."""
        return _design(data, self.spec)

    def columns_without(self, variables: Iterable[str]) -> NDArray[np.float64]:
        """(n, j) the columns of the matrix that are made of none of ``variables``, constant ones left out."""
        indices = self.spec.rhs.variable_indices
        made = {index for name in variables for index in indices.get(name, [])}
        kept = [index for index in range(len(self.names)) if index not in made]
        return self.matrix[:, [index for index in kept if np.ptp(self.matrix[:, index]) > 0]]

    def outcome_uses(self, variables: Iterable[str]) -> bool:
        """Whether the outcome is made of one of ``variables``."""
        return not set(variables).isdisjoint(_variables(self.spec.lhs.formula))


def sides(formula: str) -> tuple[set[str], set[str]]:
    """The names of the variables left and right of the ``~`` of ``formula``.

    Raises:
        InputError: the formula does not parse or has not one left-hand and one right-hand side.
    """
    try:
        parsed = Formula(formula)
    except (FormulaicError, SyntaxError) as error:
        plain = str(error).splitlines()[0]
        raise InputError(f"the formula {formula!r} does not parse: {plain} Write it as 'y ~ x + z'.") from error
    left, right = getattr(parsed, "lhs", None), getattr(parsed, "rhs", None)
    if left is None or len(left) != 1 or right is None or isinstance(right, tuple):
        raise InputError(f"the formula {formula!r} needs one outcome, a ~ and terms: 'y ~ x + z'.")
    return _variables(left), _variables(right)


def complete(data: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """The rows of ``data`` that miss none of ``columns``, renumbered, booleans and numbers as floats.

    Raises:
        InputError: a column that is not there, or no row is complete.
    """
    columns = sorted(set(columns))
    require_columns(data, columns)
    rows = data.assign(**{name: numeric(data[name]) for name in columns})
    rows = rows.dropna(subset=columns).reset_index(drop=True)
    if rows.empty:
        empty = [name for name in columns if data[name].isna().all()]
        which = f"{', '.join(empty)} is empty" if empty else f"each misses one of {', '.join(columns)}"
        raise InputError(f"no row is complete: {which}")
    return rows


def design(formula: str, data: pd.DataFrame) -> Design:
    """Lay out ``formula`` on ``data``, which has no missing value in its columns.

    Raises:
        InputError: a term cannot be computed, gives missing or infinite values, or the outcome is text.
    """
    # An empty context: a formula sees the columns and the transforms, never the variables of our code.
    return _design(data, Formula(formula))


def refuse_categories_of(made: Design, variables: Iterable[str]) -> None:
    """InputError where a predicted variable is used as a category; predictions lie between codes."""
    for factor in made.spec.rhs.factor_contrasts:
        for name in variables:
            if name in made.spec.rhs.factor_variables[factor]:
                raise InputError(
                    f"{factor} makes categories of the predicted variable {name!r}: write {name} itself "
                    "where it is 0/1, or one 0/1 variable for each of its categories"
                )


def refuse_collinear(made: Design) -> None:
    """DesignError naming the terms that are a linear combination of others."""
    length = np.sqrt((made.matrix**2).mean(axis=0))
    empty = [name for name, size in zip(made.names, length, strict=True) if size == 0]
    if empty:
        raise DesignError(f"always 0 in these rows, so not estimable: {', '.join(empty)}. Leave it out.")
    scaled = made.matrix / length
    _, triangle, order = scipy.linalg.qr(scaled, mode="economic", pivoting=True)
    size = np.abs(np.diag(triangle))
    rank = int((size > COLLINEAR * size[0]).sum())
    if rank == len(made.names):
        return
    # the last column that fits no more, said together with those it is made of
    extra, basis = order[rank], order[:rank]
    share = np.linalg.lstsq(scaled[:, basis], scaled[:, extra], rcond=None)[0]
    partners = [made.names[index] for index, part in zip(basis, share, strict=True) if abs(part) > 1e-6]
    raise DesignError(
        f"collinear terms: {made.names[extra]} is a combination of {', '.join(partners)} "
        f"in these {len(scaled):,} rows. Leave one of them out of the formula."
    )


def _variables(terms: Iterable) -> set[str]:
    found: set[str] = set()
    for term in terms:
        for factor in term.factors:
            if factor.eval_method.value == "literal":
                continue
            text = f"`{factor.expr}`" if factor.eval_method.value == "lookup" else factor.expr
            names = get_required_variables(text)
            found |= {str(name.root) for name in names if "value" in name.roles}
    return {name for name in found if name not in TRANSFORMS}


def _design(data: pd.DataFrame, spec: Formula | ModelSpecs) -> Design:
    try:
        with np.errstate(divide="ignore", invalid="ignore"):  # infinite values are refused below, in words
            made = model_matrix(spec, data, context={}, na_action="ignore")
    except (FormulaicError, ValueError, TypeError) as error:
        plain = str(error).splitlines()[0]
        raise InputError(
            f"the formula cannot be computed on this table: {plain} A formula knows the columns, "
            "arithmetic inside I(), and log, exp, np.*, C, center, scale, poly, bs."
        ) from error
    if made.lhs.shape[1] != 1 or made.model_spec.lhs.factor_contrasts:
        raise InputError(f"the outcome {_outcome_name(made)} is text or categories: recode it to 0/1 or to a number")
    outcome = np.asarray(made.lhs, dtype=float).ravel()
    matrix = np.asarray(made.rhs, dtype=float)
    names = tuple(str(name) for name in made.rhs.columns)
    for name, values in [(_outcome_name(made), outcome), *zip(names, matrix.T, strict=True)]:
        if not np.isfinite(values).all():
            count = int((~np.isfinite(values)).sum())
            raise InputError(f"{name} is missing or infinite in {count:,} rows (the log of 0?): mend or drop them")
    return Design(outcome, matrix, names, made.model_spec)


def _outcome_name(made: object) -> str:
    """The outcome as it was written in the formula."""
    return str(made.model_spec.lhs.formula)  # type: ignore[attr-defined]
