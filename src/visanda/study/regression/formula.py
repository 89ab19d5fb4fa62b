"""From an R-style formula and a table to the outcome and design matrix that a model is fitted to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd
import scipy.linalg
from formulaic import Formula, ModelSpecs, model_matrix
from formulaic.errors import FormulaicError
from formulaic.transforms import TRANSFORMS
from formulaic.utils.variables import get_required_variables
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.study.columns import holds_dates, numeric, require_columns
from visanda.study.wording import readable

POWER = re.compile(r"([\w.]+(?:\(\))?) *((?:\*\*|\^) *\d+)")
COLLINEAR = 1e-9  # a column whose part not explained by the others is smaller, relative to its length


@dataclass(frozen=True)
class Chances:
    """The probabilities of a categorical variable in n rows: (n, v) ``of`` each of its ``values``."""

    values: tuple[str, ...]
    of: NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """The numbers a formula makes of a table of n rows.

    Attributes:
        outcome: (n, j) left-hand side: a column of numbers, or one of 0 and 1 for each category.
        matrix: (n, k) right-hand side.
        names: the k terms.
        categories: the j categories of the outcome; empty where it is a number.
        absorbed: (a, n) the fixed effects, each as the number of the row's level. Where there are some, the matrix has
            no intercept.
        spec: the levels and transforms met, so that another table is laid out in the same way.
    """

    outcome: NDArray[np.float64]
    matrix: NDArray[np.float64]
    names: tuple[str, ...]
    categories: tuple[str, ...]
    absorbed: tuple[NDArray[np.intp], ...]
    spec: ModelSpecs

    def of(self, data: pd.DataFrame) -> Design:
        """The same design of other rows: same category levels, same centring, same spline knots."""
        made = _design(data, self.spec, self.categories)
        return _without_intercept(made) if self.absorbed else made

    def expected(self, data: pd.DataFrame, chances: Mapping[str, Chances]) -> Design:
        """The design that is expected where categorical variables are known by their probabilities only.

        The mean of the designs of all their values, each as probable as it is; where several variables are so known,
        as if independently.
        """
        if not chances:
            return self.of(data)
        whole: Design | None = None
        for combination in product(*(range(len(one.values)) for one in chances.values())):
            named = list(zip(chances.items(), combination, strict=True))
            weight = np.prod([one.of[:, place] for (_, one), place in named], axis=0)[:, None]
            part = self.of(data.assign(**{name: one.values[place] for (name, one), place in named}))
            if whole is None:
                whole = replace(part, outcome=weight * part.outcome, matrix=weight * part.matrix)
            else:
                outcome, matrix = whole.outcome + weight * part.outcome, whole.matrix + weight * part.matrix
                whole = replace(whole, outcome=outcome, matrix=matrix)
        assert whole is not None
        return whole

    def columns_of(self, variables: Iterable[str]) -> list[int]:
        """The places of the columns that are made of one of ``variables``."""
        indices, every = self.spec.rhs.variable_indices, tuple(map(str, self.spec.rhs.column_names))
        made = {every[index] for name in variables for index in indices.get(name, [])}
        return [place for place, name in enumerate(self.names) if name in made]

    def columns_without(self, variables: Iterable[str]) -> NDArray[np.float64]:
        """(n, c) the columns of the matrix that are made of none of ``variables``, constant ones left out."""
        made = set(self.columns_of(variables))
        kept = [index for index in range(len(self.names)) if index not in made]
        return self.matrix[:, [index for index in kept if np.ptp(self.matrix[:, index]) > 0]]


def sides(formula: str) -> tuple[set[str], set[str]]:
    """The names of the variables left and right of the ``~`` of ``formula``, those of fixed effects included.

    Raises:
        InputError: the formula does not parse or has not one left-hand and one right-hand side.
    """
    left, right, absorbed = _parts(formula)
    return _variables(left), _variables(right) | {name for names in absorbed for name in names}


def outside_categories(formula: str) -> set[str]:
    """The names that stand left or right of the ``~`` outside of ``C()``, those of fixed effects left out.

    Example:
        >>> sorted(outside_categories("log(y) ~ C(day) + date | city"))
        ['date', 'y']
    """
    left, right, _ = _parts(formula)
    return _variables(left, "C(") | _variables(right, "C(")


def absorbs(formula: str) -> bool:
    """Whether the formula has fixed effects: ``y ~ x | city + month``."""
    return bool(_parts(formula)[2])


def parsed(formula: str) -> Formula:
    """The formula, taken apart.

    Raises:
        InputError: it does not parse, or has a power that a formula reads as an interaction.
    """
    if power := POWER.search(_outside(formula)):
        raise InputError(
            f"in a formula {power[0]} is an interaction of a term with itself, which is that term alone: write "
            f"I({power[1].replace('()', '(...)')}**2) for its square"
        )
    try:
        return Formula(formula)
    except (FormulaicError, SyntaxError) as error:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()[0]  # formulaic colours its errors
        raise InputError(f"the formula {formula!r} does not parse: {plain} Write it as 'y ~ x + z'.") from error


def _outside(formula: str) -> str:
    """The formula without what stands in brackets."""
    depth, kept = 0, []
    for letter in formula:
        depth -= letter == ")"
        if depth == 0:
            kept.append(letter)
        depth += letter == "("
    return "".join(kept)


def _parts(formula: str) -> tuple[Formula, Formula, list[tuple[str, ...]]]:
    """Left side, right side, and of each fixed effect the columns whose combinations are its levels."""
    whole = parsed(formula)
    left, right = getattr(whole, "lhs", None), getattr(whole, "rhs", None)
    if left is None or len(left) != 1 or right is None or (isinstance(right, tuple) and len(right) != 2):
        raise InputError(
            f"the formula {formula!r} needs one outcome, a ~ and terms: 'y ~ x + z', or 'y ~ x | city + month' with "
            "fixed effects."
        )
    if not isinstance(right, tuple):
        return left, right, []
    absorbed = [tuple(factor.expr for factor in term.factors) for term in right[1] if term != "1"]
    if not absorbed or any("(" in name for names in absorbed for name in names):
        raise InputError(f"{formula!r}: right of the | stand columns, such as 'city + month' or 'city:month'")
    return left, right[0], absorbed


def complete(data: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """The rows of ``data`` that miss none of ``columns``, renumbered, booleans and numbers as floats.

    Raises:
        InputError: a column that is not there, or no row is complete.
    """
    columns = sorted(set(columns))
    require_columns(data, columns)
    if data.empty:
        raise InputError("the table has no rows")
    rows = data.assign(**{name: numeric(data[name]) for name in columns})
    rows = rows.dropna(subset=columns).reset_index(drop=True)
    if rows.empty:
        empty = [name for name in columns if data[name].isna().all()]
        which = f"{', '.join(empty)} is empty" if empty else f"each misses one of {', '.join(columns)}"
        raise InputError(f"no row is complete: {which}")
    return rows


def design(formula: str, data: pd.DataFrame, categories: Sequence[str] = ()) -> Design:
    """Lay out ``formula`` on ``data``, which has no missing value in its columns.

    Args:
        formula: R-style; ``y ~ x | city + month`` has fixed effects.
        data: a row a unit.
        categories: the values of an outcome that is a category.

    Raises:
        InputError: a term cannot be computed, gives missing or infinite values, or is a date; the outcome is text.
    """
    left, right, absorbed = _parts(formula)
    _refuse_dates(data, sorted(outside_categories(formula)))
    # An empty context: a formula sees the columns and the transforms, never the variables of our code.
    made = _design(data, Formula(lhs=left, rhs=right), tuple(categories))
    cells = (data.groupby(list(names), observed=True, dropna=False).ngroup() for names in absorbed)
    levels = tuple(np.asarray(number, dtype=np.intp) for number in cells)
    return replace(_without_intercept(made), absorbed=levels) if levels else made


def outcome_of(formula: str) -> str:
    """The outcome as it is written in the formula."""
    return str(_parts(formula)[0])


def uses(formula: str, variables: Iterable[str]) -> bool:
    """Whether the outcome of ``formula`` is made of one of ``variables``."""
    return not set(variables).isdisjoint(_variables(_parts(formula)[0]))


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
    refuse_collinear_matrix(made.matrix, made.names)


def refuse_collinear_matrix(matrix: NDArray[np.float64], names: Sequence[str]) -> None:
    """DesignError naming the columns (n, k) that are a linear combination of others."""
    length = np.sqrt((matrix**2).mean(axis=0))
    empty = [name for name, size in zip(names, length, strict=True) if size == 0]
    if empty:
        said = ", ".join(map(readable, empty))
        raise DesignError(f"always 0 in these rows, so not estimable: {said}. Leave it out.")
    scaled = matrix / length
    _, triangle, order = scipy.linalg.qr(scaled, mode="economic", pivoting=True)
    size = np.abs(np.diag(triangle))
    rank = int((size > COLLINEAR * size[0]).sum())
    if rank == len(names):
        return
    # the last column that fits no more, said together with those it is made of
    extra, basis = order[rank], order[:rank]
    share = np.linalg.lstsq(scaled[:, basis], scaled[:, extra], rcond=None)[0]
    partners = [readable(names[index]) for index, part in zip(basis, share, strict=True) if abs(part) > 1e-6]
    raise DesignError(
        f"collinear terms: {readable(names[extra])} is a combination of {', '.join(partners)} "
        "in these rows. Leave one of them out of the formula."
    )


def _variables(terms: Iterable, but: str | None = None) -> set[str]:
    """The names in ``terms``; those in factors that begin with ``but`` left out."""
    found: set[str] = set()
    for term in terms:
        for factor in term.factors:
            if factor.eval_method.value == "literal" or (but and factor.expr.startswith(but)):
                continue
            text = f"`{factor.expr}`" if factor.eval_method.value == "lookup" else factor.expr
            found |= _named(text)
    return {name for name in found if name not in TRANSFORMS}


def _named(text: str) -> set[str]:
    """The names in a part of a formula; of `log.likes` in backticks formulaic would say that it is log."""
    quoted = re.findall("`([^`]+)`", text)
    for place, name in enumerate(quoted):
        text = text.replace(f"`{name}`", f"quoted{place}__")
    names = {str(name.root) for name in get_required_variables(text) if "value" in name.roles}
    return {name for name in names if not re.fullmatch(r"quoted\d+__", name)} | set(quoted)


def _design(data: pd.DataFrame, spec: Formula | ModelSpecs, categories: tuple[str, ...]) -> Design:
    try:
        with np.errstate(divide="ignore", invalid="ignore"):  # infinite values are refused below, in words
            made = model_matrix(spec, data, context={}, na_action="ignore")
    except (FormulaicError, ValueError, TypeError) as error:
        plain = str(error).splitlines()[0]
        raise InputError(
            f"the formula cannot be computed on this table: {plain} A formula knows the columns, "
            "arithmetic inside I(), and log, exp, np.*, C, center, scale, poly, bs."
        ) from error
    name = _outcome_name(made)
    if categories:
        if name not in data:
            raise InputError(f"the outcome {name} must be a column of categories, not made of several columns")
        said = data[name].astype(str).to_numpy()
        outcome = np.stack([said == value for value in categories], axis=1).astype(float)
    elif made.lhs.shape[1] != 1 or made.model_spec.lhs.factor_contrasts:
        raise InputError(f"the outcome {name} is text or categories: recode it to 0/1 or to a number")
    else:
        outcome = np.asarray(made.lhs, dtype=float)
    matrix = np.asarray(made.rhs, dtype=float)
    names = tuple(str(term) for term in made.rhs.columns)
    for label, values in [(name, outcome[:, 0]), *zip(names, matrix.T, strict=True)]:
        if not np.isfinite(values).all():
            count = int((~np.isfinite(values)).sum())
            raise InputError(f"{label} is missing or infinite in {count:,} rows (the log of 0?): mend or drop them")
    return Design(outcome, matrix, names, categories, (), made.model_spec)


def _without_intercept(made: Design) -> Design:
    kept = [place for place, name in enumerate(made.names) if name != "Intercept"]
    return replace(made, matrix=made.matrix[:, kept], names=tuple(made.names[place] for place in kept))


def _refuse_dates(data: pd.DataFrame, names: Iterable[str]) -> None:
    for name in names:
        if name in data and holds_dates(data[name]):
            first = pd.to_datetime(pd.Series([data[name].dropna().iloc[0]]).astype(str)).iloc[0]
            raise InputError(
                f"{name!r} holds dates, such as {first:%Y-%m-%d}, which are neither numbers nor categories: make a "
                f"column of days since the first of them, or of years, and name that one; C({name}) takes each date "
                "for a category"
            )


def _outcome_name(made: object) -> str:
    """The outcome as it was written in the formula."""
    return str(made.model_spec.lhs.formula)  # type: ignore[attr-defined]
