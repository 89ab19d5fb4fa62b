"""Which of the coded variables of a formula the machine predicts, and what the others are taken from."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import pandas as pd

from visanda import codes
from visanda.corpus.classify.coded import Coded
from visanda.errors import DesignError, InputError
from visanda.store import Store

UNCODED = 0.05  # share of units without a code up to which a variable counts as coded throughout


def split_predicted(
    store: Store, formula: str, names: Sequence[str], asked: Sequence[Coded], predicted: Sequence[str]
) -> tuple[list[Coded], list[Coded], list[str]]:
    """The coded variables that are predicted, those taken from their codes, and those that a table holds.

    Args:
        store: the corpus.
        formula: for messages.
        names: of all columns of the formula.
        asked: those among them that are coded variables.
        predicted: the variables that were named as predicted; none: all that are coded.

    Raises:
        InputError: a name that is not in the formula, or not coded.
    """
    if not asked:
        there = codes.variables(store.folder)
        close = [found for name in names for found in get_close_matches(name, there, n=1)]
        hint = f"did you mean {close[0]!r}? " if close else ""
        way = way_to_codes(store, names[0] if names else formula)
        raise InputError(f"no coded variable is in {formula!r}: {hint}{way}")
    if not predicted:
        return list(asked), [], []
    for name in predicted:
        if any(name in (c.column, c.variable) for c in asked):
            continue
        coded = ", ".join(c.column for c in asked)
        if name in names:
            raise InputError(
                f"--predicted {name}: nobody coded {name!r}, so that it is a column like any other. Coded in the "
                f"formula: {coded}"
            )
        close = get_close_matches(name, names, n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise InputError(f"--predicted {name}: {name!r} is not in {formula!r}. {hint}Coded in the formula: {coded}")
    mine = [c for c in asked if c.column in predicted or c.variable in predicted]
    rest = [c for c in asked if c not in mine]
    columns = {name for table in store.tables() for name in store.column_names(table)}
    return mine, [c for c in rest if c.column not in columns], [c.column for c in rest if c.column in columns]


def observed_codes(store: Store, one: Coded, ids: pd.Series) -> pd.DataFrame:
    """Columns id and the codes of a variable that is not predicted, for these units.

    Raises:
        DesignError: it is not coded of nearly all of them.
    """
    given = one.of(codes.gold_of(store.folder, one.variable)).reindex(ids)
    if given.isna().mean() > UNCODED:
        raise DesignError(
            f"{one.column} is coded of {int(given.notna().sum()):,} of {len(given):,} units, and is not among the "
            f"predicted variables: name it too (--predicted ...,{one.column}), so that the machine speaks where nobody "
            "coded"
        )
    return given.rename(one.column).rename_axis("id").reset_index()


def way_to_codes(store: Store, variable: str) -> str:
    """What is coded; or how to come to codes, where nothing is."""
    if there := codes.variables(store.folder):
        return f"there are {', '.join(there)}"
    return (
        f"nothing is coded yet. Draw pictures to code ('visanda sample {variable} --n 200'), bring the codes in "
        f"('visanda code {variable} --import SHEET --coder NAME'), then 'visanda train {variable}' and 'visanda apply "
        f"{variable}'"
    )
