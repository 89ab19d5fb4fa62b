"""Averages: weighted means, shares and sums of units, or parts of units, in the cells of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.columns import numbers, numeric, require_columns
from visanda.study.time.clock import rows
from visanda.study.time.overlap import Numbers

Floats = NDArray[np.float64]

ABOUT_UNITS = {"id", "parent", "start", "stop", "start_clock", "stop_clock", "error"}
COUNTS = ("units", "failed", "seconds")


@dataclass(frozen=True)
class Pieces:
    """Parts of n units, each in one of the cells of a table.

    Attributes:
        unit: (m,) number of the unit.
        cell: (m,) number of the cell.
        share: (m,) of the unit, above 0 and up to 1.
        cells: how many cells there are.
    """

    unit: Numbers
    cell: Numbers
    share: Floats
    cells: int

    def add(self, amount: Floats | NDArray[np.bool_]) -> Floats:
        """(cells,) sums of the (m,) amounts of pieces."""
        return np.bincount(self.cell, amount, self.cells).astype(float)


def averages(
    units: pd.DataFrame,
    seconds: Floats,
    pieces: Pieces,
    values: Sequence[str],
    weights: str,
    sums: bool = False,
) -> pd.DataFrame:
    """Counts, and weighted means of ``values``, in each cell.

    Args:
        units: n rows.
        seconds: (n,) how long each unit lasts; 0 for a moment, NaN where it has no time.
        pieces: where the units lie.
        values: columns of numbers, booleans or text.
        weights: ``"duration"``, ``"equal"`` or a column.
        sums: add sums of numbers and booleans.

    Returns:
        A row a cell, with the columns that ``aggregate`` describes.

    Raises:
        InputError: values or weights that are not there, or of a kind that cannot be averaged.
    """
    measured = units["error"].isna().to_numpy() if "error" in units else np.ones(len(units), bool)
    if weights == "duration":
        measured = measured & ~np.isnan(seconds)
    counts = measured[pieces.unit]
    table: dict[str, NDArray] = {
        "units": pieces.add(counts).astype(np.int64),
        "failed": pieces.add(~counts).astype(np.int64),
        "seconds": pieces.add(np.where(counts, np.nan_to_num(seconds)[pieces.unit] * pieces.share, 0.0)),
    }
    weight = np.where(counts, _weights(units, seconds, weights)[pieces.unit] * pieces.share, 0.0)
    if weights not in ("duration", "equal"):
        table[weights] = pieces.add(weight)
    for name in values:
        column = numeric(units[name])
        if not pd.api.types.is_float_dtype(column):
            table[name] = _commonest(column, pieces, weight)
            continue
        value = column.to_numpy()[pieces.unit]
        there = counts & ~np.isnan(value)
        value = np.where(there, value, 0.0)
        total = pieces.add(weight * there)
        table[name] = np.divide(pieces.add(weight * value), total, out=np.full(pieces.cells, np.nan), where=total > 0)
        if sums:
            known = pieces.add(there) > 0
            table[f"{name}_sum"] = np.where(known, pieces.add(value * pieces.share), np.nan)
    return pd.DataFrame(table)


def valued(units: pd.DataFrame, values: Sequence[str] | None, used: Sequence[str]) -> list[str]:
    """The columns to average: ``values``, or all of numbers and booleans that are not ``used`` otherwise.

    Raises:
        InputError: a column that is not there, that is used otherwise, or whose name is that of a count.
    """
    if values is None:
        free = [str(name) for name in units if name not in {*used, *ABOUT_UNITS, *COUNTS}]
        return [name for name in free if pd.api.types.is_float_dtype(numeric(units[name]))]
    require_columns(units, values, "the value")
    if taken := [name for name in values if name in {*used, *COUNTS, "start", "stop"}]:
        raise InputError(f"{', '.join(taken)} cannot be averaged under that name: rename the column, or leave it out")
    return list(values)


def _weights(units: pd.DataFrame, seconds: Floats, weights: str) -> Floats:
    if weights == "duration":
        return np.where(seconds > 0, seconds, 1.0)
    if weights == "equal":
        return np.ones(len(units))
    require_columns(units, [weights], "the weight")
    weight = numbers(units, weights).fillna(0.0).to_numpy()
    if (weight < 0).any():
        raise InputError(f"the weight {weights!r} is below 0 in {rows(weight < 0)}")
    return weight


def _commonest(column: pd.Series, pieces: Pieces, weight: Floats) -> NDArray[np.object_]:
    """(cells,) the text that has the most weight; None where there is none."""
    held = column.dropna()
    if len(held) and pd.api.types.infer_dtype(held.head(1000).astype(object)) != "string":
        raise InputError(f"column {column.name!r} holds neither numbers nor text, such as {held.iloc[0]!r}")
    code, texts = pd.factorize(column.astype(object), sort=True)
    there = (code[pieces.unit] >= 0) & (weight > 0)
    key = pieces.cell[there] * max(len(texts), 1) + code[pieces.unit][there]
    seen, place = np.unique(key, return_inverse=True)
    cell, text = np.divmod(seen, max(len(texts), 1))
    order = np.lexsort((text, -np.bincount(place, weight[there], len(seen)), cell))
    first = order[np.flatnonzero(np.diff(cell[order], prepend=-1))]
    found = np.full(pieces.cells, None, dtype=object)
    found[cell[first]] = np.asarray(texts, dtype=object)[text[first]]
    return found
