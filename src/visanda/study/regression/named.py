"""Names: of models, of the coefficients of a design, of the categories of an outcome."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from visanda.errors import DesignError, InputError
from visanda.study.columns import numeric, require_columns
from visanda.study.regression.formula import Design, outcome_of, sides

MOST = 20  # categories of an outcome
Model = Literal["lm", "logit", "poisson", "multinomial"]


def named(made: Design, model: Model) -> tuple[str, ...]:
    """The names of the coefficients: terms, or ``category: term`` where the outcome has several."""
    if not made.categories:
        return made.names
    values = made.categories[first_modelled(model) :]
    if made.names == ("Intercept",) and model == "lm":
        return values
    return tuple(f"{value}: {name}" for value in values for name in made.names)


def first_modelled(model: str) -> int:
    """The first column of an outcome of categories that is modelled: a multinomial's first is the reference."""
    return 1 if model == "multinomial" else 0


def categories_of(rows: pd.DataFrame, formula: str, model: str) -> tuple[str, ...]:
    """The values of an outcome that is a category, sorted; empty where it is a number.

    A multinomial takes any column for categories; a mean takes text for the shares of its values.

    Raises:
        InputError: more than 20 of them.
        DesignError: fewer than two.
    """
    name = outcome_of(formula).strip("`")
    if model == "multinomial":
        require_columns(rows, [name], "the outcome")
    elif model != "lm" or sides(formula)[1] or name not in rows or pd.api.types.is_float_dtype(numeric(rows[name])):
        return ()
    values = tuple(sorted(set(rows[name].dropna().astype(str))))
    if len(values) > MOST:
        raise InputError(
            f"the outcome {name} has {len(values)} values, such as {values[0]!r}: more than {MOST} are no categories "
            "to model. Group them first, or make it a number"
        )
    if len(values) < 2:
        raise DesignError(f"{name} has one category ({', '.join(values)}): nothing to estimate")
    return values
