"""Names: of models, of the coefficients of a design, of the categories of an outcome."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from visanda.errors import DesignError
from visanda.study.columns import require_columns
from visanda.study.regression.formula import Design, outcome_of

Model = Literal["lm", "logit", "poisson", "multinomial"]


def named(made: Design, model: Model) -> tuple[str, ...]:
    """The names of the coefficients: terms, or ``category: term`` where the outcome has several."""
    if model != "multinomial":
        return made.names
    return tuple(f"{value}: {name}" for value in made.categories[1:] for name in made.names)


def categories_of(rows: pd.DataFrame, formula: str, model: Model) -> tuple[str, ...]:
    """The values of the outcome of a multinomial, sorted; the first is the reference. Empty for other models.

    Raises:
        DesignError: there are fewer than two.
    """
    if model != "multinomial":
        return ()
    name = outcome_of(formula)
    require_columns(rows, [name], "the outcome")
    values = tuple(sorted(set(rows[name].dropna().astype(str))))
    if len(values) < 2:
        raise DesignError(f"{name} has one category ({', '.join(values)}): a multinomial needs two or more")
    return values
