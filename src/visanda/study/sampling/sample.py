"""Draw rows for human coding at random, with the known probabilities that a correction needs."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.study.columns import require_columns
from visanda.study.sampling.round import draw_round

MISSING = "(missing)"
EVERYTHING = "all"


def draw(
    frame: pd.DataFrame,
    n: int,
    by: list[str] | None = None,
    seed: int = 1,
    allocate: Literal["proportional", "equal"] = "proportional",
) -> pd.DataFrame:
    """Draw ``n`` rows without replacement, within strata where there are any.

    Args:
        frame: column ``id``, one row each, and the columns of ``by``.
        n: rows to draw, from the number of strata to the number of rows.
        by: columns whose combinations are the strata; missing values are a stratum of their own.
        seed: the same seed and the same rows, in whatever order, give the same sample.
        allocate: ``"proportional"`` to the stratum's size, or ``"equal"`` numbers from each as far as it has
            them. Each stratum gives 2 rows where it and ``n`` allow, else 1: without them it has no variance.

    Returns:
        A row a drawn unit, in the order of coding: id; stratum, such as ``"fish|2019"``; n_stratum, the
        rows of the stratum in ``frame``; pi, the probability in (0, 1] that the row was drawn; order, random
        over all strata, 1 to ``n``, so that coding may stop early and what is coded is still random.

    Raises:
        InputError: a column that is not there, an id twice or missing, an ``n`` that does not fit.

    Example:
        >>> posts = pd.DataFrame({"id": list("abcdef"), "genre": ["fish"] * 4 + ["news"] * 2})
        >>> sample = draw(posts, 4, ["genre"], seed=1)
        >>> sample.groupby("stratum")["pi"].first().to_dict()
        {'fish': 0.5, 'news': 1.0}
    """
    require_columns(frame, ["id", *(by or [])])
    if frame["id"].isna().any() or frame["id"].duplicated().any():
        raise InputError("column 'id' has missing or repeated values: drawing needs one row for each id")
    rows = pd.DataFrame({"id": frame["id"], "stratum": strata(frame, by or [])})
    random = np.random.default_rng(seed)
    drawn = draw_round(rows, n, random, allocate=allocate)
    sizes = drawn.groupby("stratum").size()
    sample = drawn[drawn["taken"]].drop(columns="taken").sort_values(["stratum", "id"])
    sample = sample.assign(n_stratum=sample["stratum"].map(sizes), order=random.permutation(n) + 1)
    return sample.sort_values("order", ignore_index=True)[["id", "stratum", "n_stratum", "pi", "order"]]


def strata(frame: pd.DataFrame, by: list[str]) -> pd.Series:
    """The stratum of each row, such as ``"fish|2019"``; one for all where ``by`` is empty."""
    if not by:
        return pd.Series(EVERYTHING, index=frame.index)
    labels = [frame[column].map({value: _label(value) for value in frame[column].unique()}) for column in by]
    return pd.concat(labels, axis=1).agg("|".join, axis=1) if len(labels) > 1 else labels[0]


def _label(value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return MISSING
    # a column of years with a gap is read as floats; nobody means the stratum "2019.0"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
