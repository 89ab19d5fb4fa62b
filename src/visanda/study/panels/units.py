"""Units above the picture: an article, a programme, a user, a day in a city, with what pictures say of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.columns import numbers, numeric, require_columns
from visanda.study.correct.coded import EQUAL
from visanda.study.panels.corrected import corrected
from visanda.study.time.averages import Pieces, averages, valued
from visanda.study.time.stretches import several

MOST_VALUES = 20  # of a column of text that becomes shares


def units_of(
    rows: pd.DataFrame,
    by: str | Sequence[str],
    *,
    values: Sequence[str] | None = None,
    sums: Sequence[str] = (),
    predicted_var: str | Sequence[str] = (),
    prediction: str | Sequence[str] = (),
    sample_prob: str | None = None,
    weights: str | None = None,
    learner: Literal["raw", "linear"] = "raw",
    seed: int = 1,
) -> Result:
    """Pictures (faces, frames) to units that hold many of them, with the machine's errors taken out of their means.

    Where the outcome of a linear model is a unit's mean of what a machine says, the machine's errors bias it. The
    mean of the image-level corrected value ỹ = ŷ − w (ŷ − y), with w = coded / π, does not, whatever the machine's
    errors are: it is ŷ where nobody coded, and no unit is lost (Egami, Hinck, Stewart & Wei 2023, 2024). Single units
    may lie below 0 or above 1; that is right, and setting them to 0 or 1 would bring bias back.

    Args:
        rows: a row a picture. With a column ``error``, rows that have one are counted as failed and not averaged.
        by: columns whose combinations are the units; rows that miss one of them are left out and counted.
        values: observed columns; None: all numbers and booleans, and text that is the same throughout each unit.
            Named text that differs within units becomes a share (0 to 1) for each value, ``column_value``.
        sums: observed columns of numbers or booleans that are added up too, as ``column_sum``.
        predicted_var: columns with the codes of people, numbers or 0/1, missing where nobody coded.
        prediction: for each of them the column with the machine's number or probability, in every row.
        sample_prob: column with the known probability, in (0, 1], that a row was drawn for coding; ``"equal"`` or
            None: all were as likely. It may be missing in rows that were not drawn.
        weights: column of how much each row counts in its unit's means, 0 or more, such as a picture's reach; rows that
            miss it are left out and counted. None: all alike. The table has its sum in each unit. Counts and sums are
            of rows, whatever they weigh.
        learner: ``"raw"`` takes predictions as they are; ``"linear"`` calibrates them on the codes, cross-fitted,
            which makes errors smaller where predictions are no probabilities.
        seed: of the folds of ``"linear"``.

    Returns:
        A Result with a row a unit: the columns of ``by``; ``n`` rows, ``n_failed``; means and sums; for each predicted
        variable ``y`` the corrected mean ``y``, ``y_naive`` (mean of predictions), ``y_gold`` (weighted mean of its
        coded rows, missing without any), ``y_coded`` (how many), and two standard errors of the corrected mean:
        ``y_se_machine``, around what coding every row would give; ``y_se``, which also takes the unit's rows as a
        sample of those it could have had. Both pool the size of errors, and of differences within units, over all
        units: a unit alone holds too few codes to tell. ``pi_unit`` = 1 − Π(1 − π) is the probability that a unit
        has a coded row at all, for models in which the unit's gold is the outcome; missing where the π of some row is.
        Where units were drawn whole (all rows of each are coded, or none) it is the π of the rows, and errors of a
        unit's rows add up in ``y_se_machine``.

    Raises:
        InputError: a column that is not there, names that clash, text as a predicted variable.
        DesignError: too few codes, probabilities that cannot be.

    Example:
        >>> rows = pd.DataFrame({"outlet": list("aabb"), "faces": [0, 2, 1, 1], "night": [True, False, True, True]})
        >>> found = units_of(rows, "outlet", sums=["faces"]).table
        >>> found[["outlet", "n", "faces", "faces_sum", "night"]].values.tolist()
        [['a', 2, 1.0, 2, 0.5], ['b', 2, 1.0, 2, 1.0]]
    """
    by, variables, machine = several(by), several(predicted_var), several(prediction)
    if len(variables) != len(machine):
        raise InputError(f"{len(variables)} predicted_var but {len(machine)} prediction: name one for each")
    chances = [] if sample_prob in (None, EQUAL) else [str(sample_prob)]
    used = [*by, *variables, *machine, *chances, *([weights] if weights else [])]
    require_columns(rows, used)
    weighted, unweighted = _weighted(rows, weights)
    known, unplaced = _placed(weighted, by)
    code, keys = _units(known, by)
    table, notes = _observed(known, code, len(keys), _values(known, code, values, used), sums, weights)
    if weights:
        lost = f" {unweighted:,} rows have none and are left out." if unweighted else ""
        notes.append(f"Means are of rows that count as much as their {weights}, whose sum is in the table.{lost}")
    fits = [
        corrected(known, code, len(keys), *pair, sample_prob, weights, learner, seed)
        for pair in zip(variables, machine, strict=True)
    ]
    parts = [keys, table, *(one.table() for one in fits)]
    if fits:
        parts.append(pd.DataFrame({"pi_unit": fits[0].pi_unit}))
    _refuse_clashes(parts)
    made = pd.concat(parts, axis=1)
    return Result(
        title=f"{len(made):,} units by {', '.join(by) or 'nothing'}",
        table=made,
        words=[_counted(known, made, by, unplaced), *(one.words() for one in fits), *notes],
        warnings=[text for one in fits for text in one.warnings()],
        provenance={
            "by": by,
            "rows": len(rows),
            "units": len(made),
            "left_out": unplaced,
            "sample_prob": sample_prob,
            "weights": weights,
            "learner": learner,
            "seed": seed,
        },
    )


def _weighted(rows: pd.DataFrame, weights: str | None) -> tuple[pd.DataFrame, int]:
    """Rows with a weight, and how many have none.

    Raises:
        InputError: text, or weights below 0.
    """
    if weights is None:
        return rows, 0
    counts = numbers(rows, weights)
    if (counts < 0).any():
        raise InputError(f"the weight {weights!r} is below 0 in {(counts < 0).sum():,} rows: a row counts 0 or more")
    if not (counts > 0).any():
        raise InputError(f"no row has a weight {weights!r} above 0: nothing would count")
    there = counts.notna()
    return rows.assign(**{weights: counts})[there], int((~there).sum())


def _placed(rows: pd.DataFrame, by: Sequence[str]) -> tuple[pd.DataFrame, int]:
    """Rows that belong to a unit, and how many do not."""
    there = rows[list(by)].notna().all(axis=1)
    if not there.any():
        raise InputError(f"no row has all of {', '.join(by)}: units are made of rows that do")
    return rows[there].reset_index(drop=True), int((~there).sum())


def _units(rows: pd.DataFrame, by: Sequence[str]) -> tuple[np.ndarray, pd.DataFrame]:
    """(n,) number of each row's unit, and the columns ``by`` of each unit, sorted."""
    if not by:
        return np.zeros(len(rows), np.int64), pd.DataFrame(index=range(1))
    code = rows.groupby(list(by), observed=True).ngroup().to_numpy().astype(np.int64)
    first = pd.Series(np.arange(len(code))).groupby(code).first().to_numpy()
    return code, rows[list(by)].take(first).reset_index(drop=True)


@dataclass(frozen=True)
class _Named:
    """Observed columns by what becomes of them."""

    means: list[str]
    same: list[str]
    shares: list[str]


def _values(rows: pd.DataFrame, code: np.ndarray, values: Sequence[str] | None, used: Sequence[str]) -> _Named:
    texts = [] if values is None else [n for n in valued(rows, values, used) if _is_text(rows[n])]
    if values is None:
        free = [str(name) for name in rows if name not in {*used, "id", "parent", "error"}]
        texts = [name for name in free if _is_text(rows[name]) and rows.groupby(code)[name].nunique().max() <= 1]
    means = [name for name in valued(rows, values, used) if name not in texts]
    same = [name for name in texts if rows.groupby(code)[name].nunique().max() <= 1]
    return _Named(means, same, [name for name in texts if name not in same])


def _is_text(column: pd.Series) -> bool:
    held = numeric(column).dropna()
    return len(held) > 0 and not pd.api.types.is_float_dtype(held) and all(isinstance(one, str) for one in held)


def _observed(
    rows: pd.DataFrame, code: np.ndarray, units: int, named: _Named, sums: Sequence[str], weights: str | None
) -> tuple[pd.DataFrame, list[str]]:
    """Counts, means, texts, sums and shares of the observed columns of each unit."""
    pieces = Pieces(np.arange(len(rows)), code, np.ones(len(rows)), units)
    shares = {_column(name, value): _is(rows[name], value) for name in named.shares for value in _few(rows, name)}
    wide = rows.assign(**shares)
    none = np.full(len(rows), np.nan)
    asked = [*named.means, *named.same, *shares]
    found = averages(wide, none, pieces, asked, weights or "equal")
    table = found.rename(columns={"units": "n", "failed": "n_failed"}).drop(columns="seconds")
    for name in sums:
        whole = numbers(rows, name)
        total = averages(rows.assign(**{name: whole}), none, pieces, [name], "equal", sums=True)[f"{name}_sum"]
        exact = (whole.dropna() % 1 == 0).all()
        table[f"{name}_sum"] = total.astype("Int64") if exact else total
    return table, [f"{name} is a share for each of its values." for name in named.shares]


def _column(name: str, value: str) -> str:
    """A name without spaces, that formulas can use."""
    return name + "_" + re.sub(r"\W+", "_", value)


def _is(column: pd.Series, value: str) -> pd.Series:
    """1 where a column has a value, 0 where it has another, missing where it has none."""
    return (column == value).astype(float).where(column.notna())


def _few(rows: pd.DataFrame, name: str) -> list[str]:
    values = sorted(rows[name].dropna().unique())
    if len(values) > MOST_VALUES:
        raise InputError(
            f"{name!r} has {len(values)} values, too many for a share of each ({MOST_VALUES} at most): recode it first"
        )
    return values


def _refuse_clashes(parts: Sequence[pd.DataFrame]) -> None:
    names = [str(name) for part in parts for name in part]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(
            f"two columns of the table would be called {', '.join(twice)}: rename yours, or leave it out of values"
        )


def _counted(rows: pd.DataFrame, made: pd.DataFrame, by: Sequence[str], unplaced: int) -> str:
    lost = f" {unplaced:,} rows miss {' or '.join(by)} and are left out." if unplaced else ""
    each = made["n"].median()
    what = ", ".join(by) or "all"
    return f"{len(rows):,} rows make {len(made):,} units of {what}, {each:g} rows in the middle one.{lost}"
