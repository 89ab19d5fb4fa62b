"""Where further codes should come from: strata in which the machine moves the estimate most (Neyman 1934)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.correct.problem import Problem
from visanda.study.planning.parts import Parts
from visanda.study.sampling.sample import strata

FLOOR = 0.05  # least share of a stratum that is drawn
LENT = 2  # codes of all that each stratum is lent, lest a few equal ones mean: no error


def strata_of_codes(asked: Problem, parts: Parts, place: int, by: str | Sequence[str]) -> pd.DataFrame:
    """Where the machine moves the coefficient most, and from where further codes should come."""
    columns = [by] if isinstance(by, str) else list(by)
    rows = asked.rows
    missing = [name for name in columns if name not in rows.data]
    if missing:
        raise InputError(f"there is no column {missing[0]!r} to draw by")
    stratum = strata(rows.data, columns)
    units = stratum.value_counts().sort_index()
    coded = stratum[rows.coded]
    squares = pd.Series(parts.error[:, place] ** 2, index=coded.index).groupby(coded).mean()
    count = coded.value_counts().reindex(units.index).fillna(0).astype(int)
    overall = float((parts.error[:, place] ** 2).mean())
    error = np.sqrt((count * squares.reindex(units.index).fillna(0) + LENT * overall) / (count + LENT))
    size = units.to_numpy(dtype=float)
    share = size * np.asarray(error, dtype=float)
    share = np.maximum(share / share.sum(), FLOOR * size / size.sum())
    return pd.DataFrame(
        {
            "stratum": units.index,
            "units": units.to_numpy(),
            "coded": count.to_numpy(),
            "error": np.asarray(error, dtype=float),
        }
    ).assign(share=share / share.sum())


def which_to_code(table: pd.DataFrame, codes: float, parts: Parts) -> Result:
    """Which units to code next."""
    more = max(codes - parts.n_coded, 0) if np.isfinite(codes) else np.nan
    shown = table.assign(more=np.ceil(table["share"] * more)) if np.isfinite(more) and more > 0 else table
    first = table.iloc[int((table["share"] / table["units"]).argmax())]
    return Result(
        "Which units to code next",
        shown,
        [
            f"The machine's errors matter most in {first['stratum']}: {first['share']:.0%} of further codes belong "
            f"there, where {first['units'] / table['units'].sum():.0%} of the units are (Neyman 1934). Draw with "
            "'visanda sample --more --allocate neyman --by ...'; probabilities stay known."
        ],
        name="strata",
    )
