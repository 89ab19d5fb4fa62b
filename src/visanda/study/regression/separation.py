"""Separation: why a logit has no solution, in the words of the data: values, numbers or terms that tell the outcome.

Where all rows of a group have the same outcome, its coefficient would have to be infinite (Albert & Anderson 1984).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog

from visanda.errors import DesignError
from visanda.study.columns import numeric, written
from visanda.study.regression.formula import design, outcome_of, sides
from visanda.study.regression.moments import NoSolution
from visanda.study.regression.named import categories_of
from visanda.study.wording import readable

Array = NDArray[np.float64]
MOST_ROWS = 20_000  # for which combinations of terms are looked at
FEW = 10  # rows with a value below which they are named
SHOWN = 8  # values that are named
MODELS = ("logit", "multinomial", "poisson", "negbin", "ordinal")
WAY_OUT = "Merge such values with others, leave their rows out, code more of them, or take a linear model (lm)."
WAY_OUT_OF_TERMS = "Take it out of the formula, code more rows, or take a linear model (lm)."


class Alike(NamedTuple):
    """A value of a variable with which all ``rows`` have one outcome, or (``every`` is false) none has it."""

    variable: str
    value: str
    outcome: str
    every: bool
    rows: int


def explained(error: NoSolution, rows: pd.DataFrame, formula: str, model: str, called: str = "rows") -> DesignError:
    """The error to raise in its place, which names what separates the outcome, where something does.

    Args:
        error: of the fit.
        rows: the complete rows that were fitted, outcome and all.
        formula: R-style, without random effects.
        model: as users name it.
        called: what rows are, for the message.
    """
    if model not in MODELS:
        return error
    if found := separated(rows, formula, model, called):
        return DesignError(f"the {model} has no solution: {found}")
    if thin := _thin(rows, formula, called):
        return DesignError(f"the {model} has no solution: there are too few {called} for so many terms. {thin}")
    return error


def separated(rows: pd.DataFrame, formula: str, model: str, called: str = "rows") -> str | None:
    """What tells the outcome of ``rows`` without an error, and what to do; None where nothing does.

    Arguments as of :func:`explained`.

    Example:
        >>> table = pd.DataFrame({"y": [0, 0, 0, 1, 0, 1.0], "outlet": ["A", "A", "B", "B", "C", "C"]})
        >>> separated(table, "y ~ outlet", "logit").split(". ")[0]
        'where outlet is A, all 2 rows have y = 0'
    """
    name, outcome = outcome_of(formula).strip("`"), _outcome(rows, formula, model)
    if outcome.nunique() == 1:
        return f"all {len(outcome):,} {called} have {name} = {written(outcome.iloc[0])}"
    if found := alike(rows, formula, model):
        return f"{'; '.join(_sentences(found, name, called))}. {WAY_OUT}"
    if model != "logit":
        return None
    made, y = design(formula, rows), outcome.to_numpy(dtype=float)
    said = _number(made.matrix, made.names, y, name, called) or _terms(made.matrix, made.names, y, name, called)
    return f"{said}. {WAY_OUT_OF_TERMS}" if said else None


def alike(rows: pd.DataFrame, formula: str, model: str) -> list[Alike]:
    """The values of categories, and of numbers that have two, with which the outcome does not vary.

    Arguments as of :func:`explained`.
    """
    outcome = _outcome(rows, formula, model)
    ends = {outcome.min(), outcome.max()} if model in ("logit", "ordinal") else {0.0}
    found = []
    for variable in sorted(sides(formula)[1]):
        level = numeric(rows[variable])
        if pd.api.types.is_float_dtype(level) and level.nunique() != 2:
            continue  # a slope through many values needs no outcome of each
        for value, inside in outcome.groupby(level, observed=True):
            there = variable, written(value)
            if model == "multinomial":
                found += [Alike(*there, one, False, len(inside)) for one in sorted(set(outcome) - set(inside))]
            elif inside.nunique() == 1 and inside.iloc[0] in ends:
                found.append(Alike(*there, written(inside.iloc[0]), True, len(inside)))
    return found


def _outcome(rows: pd.DataFrame, formula: str, model: str) -> pd.Series:
    name = outcome_of(formula).strip("`")
    if categories_of(rows, formula, model):
        return rows[name].astype(str)
    return numeric(rows[name]) if name in rows else pd.Series(design(formula, rows).outcome[:, 0])


def _sentences(found: Sequence[Alike], name: str, called: str) -> Iterable[str]:
    """A sentence a variable and what the outcome is there."""
    groups: dict[tuple[str, str, bool], list[Alike]] = {}
    for one in found:
        groups.setdefault((one.variable, one.outcome, one.every), []).append(one)
    for (variable, outcome, every), those in groups.items():
        where = f"where {variable} is {_listed([one.value for one in those])}"
        n = sum(one.rows for one in those)
        yield (
            f"{where}, all {n:,} {called} have {name} = {outcome}"
            if every
            else f"{where}, none of {n:,} {called} has {name} = {outcome}"
        )


def _thin(rows: pd.DataFrame, formula: str, called: str) -> str | None:
    """The values of categories that fewest rows have."""
    few = [
        (int(count), f"{variable} = {value}")
        for variable in sorted(sides(formula)[1])
        if not pd.api.types.is_float_dtype(numeric(rows[variable]))
        for value, count in rows[variable].astype(str).value_counts().items()
        if count < FEW
    ]
    said = [f"{count} have {value}" for count, value in sorted(few)[:SHOWN]]
    return f"Of these {len(rows):,} {called} only {', '.join(said)}. {WAY_OUT}" if said else None


def _number(matrix: Array, names: Sequence[str], y: Array, name: str, called: str) -> str | None:
    """A term above some value of which all rows have one outcome, and below which all have the other."""
    ones = y == y.max()
    for column, term in zip(matrix.T, names, strict=True):
        if np.ptp(column) == 0:
            continue
        for high, low, word in ((ones, ~ones, y.max()), (~ones, ones, y.min())):
            least, most = column[high].min(), column[low].max()
            above, below = ("above {:g}", "below {:g}") if least == most else ("of {:g} or more", "of {:g} or less")
            if least >= most:
                return (
                    f"{readable(term)} tells {name} without an error: all {called} with a value {above.format(least)} "
                    f"have {name} = {word:g}, and none with one {below.format(most)}"
                )
    return None


def _terms(matrix: Array, names: Sequence[str], y: Array, name: str, called: str) -> str | None:
    """Terms that tell the outcome together, by linear programming (Konis 2007)."""
    if len(y) > MOST_ROWS:
        return None
    size = np.sqrt((matrix**2).mean(axis=0))
    signed = matrix / np.where(size > 0, size, 1.0) * np.where(y == y.max(), 1.0, -1.0)[:, None]
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(y)), bounds=(-1, 1), method="highs")
    if found.status != 0 or -found.fun < 1e-6 * len(y):
        return None
    used = [readable(term) for term, b in zip(names, found.x, strict=True) if abs(b) > 1e-6 and term != "Intercept"]
    return f"{_listed(used, 'and')} together tell {name} of these {called} without an error" if used else None


def _listed(words: Sequence[str], between: str = "or") -> str:
    shown = list(words[:SHOWN])
    if len(words) > SHOWN:
        return f"{', '.join(shown)} and {len(words) - SHOWN} more"
    return f" {between} ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
