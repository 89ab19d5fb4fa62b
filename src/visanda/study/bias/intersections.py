"""Intersections: groups of groups, such as the old in one newspaper."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from visanda.errors import InputError
from visanda.study.audit.rows import MOST_GROUPS
from visanda.study.columns import require_columns
from visanda.study.sampling.sample import MISSING

BETWEEN = " × "
ALL = "*"


def with_intersections(groups: pd.DataFrame, crossed: Sequence[str]) -> pd.DataFrame:
    """``groups`` and, behind them, the columns that were asked for by crossing some of them.

    Args:
        groups: (n, columns) labels of groups, as text.
        crossed: names of columns with a ``*`` between them, as ``age*outlet``; ``*`` alone: every pair of columns.

    Returns:
        The columns of ``groups``, and one for each crossing: ``age × outlet`` with groups such as ``60+ × taz``.

    Raises:
        InputError: a column that is not there, fewer than two columns to cross, more than 30 groups.

    Example:
        >>> faces = pd.DataFrame({"age": ["old", "young"], "outlet": ["taz", "FAZ"]})
        >>> with_intersections(faces, ["age*outlet"])["age × outlet"].tolist()
        ['old × taz', 'young × FAZ']
    """
    made = groups.copy()
    for asked in crossed:
        if asked.strip() == ALL and groups.shape[1] < 2:
            raise InputError("* asks for pairs of columns: name two or more of them besides")
        pairs = list(combinations(map(str, groups), 2)) if asked.strip() == ALL else [columns_of(asked)]
        for names in pairs:
            require_columns(groups, names)
            if len(set(names)) < 2:
                raise InputError(f"{asked!r} crosses one column with itself: name two different ones")
            column = BETWEEN.join(names)
            made[column] = groups[list(names)].fillna(MISSING).astype(str).agg(BETWEEN.join, axis=1)
            if made[column].nunique() > MOST_GROUPS:
                raise InputError(
                    f"{column} makes {made[column].nunique()} groups, more than {MOST_GROUPS}: cross columns of fewer "
                    "values, or put values together first"
                )
    return made


def columns_of(asked: str) -> tuple[str, ...]:
    """``age`` and ``outlet`` of ``age*outlet``."""
    return tuple(name.strip() for name in asked.split(ALL) if name.strip())
