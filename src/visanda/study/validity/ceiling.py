"""Ceiling: how well one coder would do if coders were held against each other as a machine is held against gold."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.result import Result
from visanda.study.reliability.coders import Coded, Scale
from visanda.study.resampling import Array, spread
from visanda.study.validity.classes import ClassCodes
from visanda.study.validity.judged import Judged
from visanda.study.validity.labels import LabelCodes
from visanda.study.validity.numbers import NumberCodes

Index = NDArray[np.intp]
Decide = Callable[[Coded], Array]  # (u,) or (u, labels) what the coders of each unit decide, NaN where split
COMPARISONS = {"coder": "one coder against another", "others": "one coder against the gold of the others"}
CLASSES = ("accuracy", "balanced accuracy", "macro F1")
SHOWN: dict[Scale, tuple[str, ...]] = {
    "nominal": CLASSES,
    "pairwise": CLASSES,
    "ordinal": (*CLASSES, "within one step", "mean absolute error (steps)", "quadratic weighted kappa"),
    "interval": ("mean absolute error", "correlation", "ICC(A,1)"),
    "multilabel": ("exact match", "Hamming loss", "micro F1", "macro F1"),
}
FEW_UNITS = 50


def ceiling(
    codes: pd.DataFrame,
    *,
    scale: Scale = "nominal",
    order: Sequence[Hashable] | None = None,
    resamples: int = 1000,
    seed: int = 1,
) -> Result:
    """The measures of ``validity``, of one human coder instead of a machine: what a machine can be asked to reach.

    Args:
        codes: columns id, coder and value, of coders who did not know each other's codes.
        scale: of the variable.
        order: the values of the codebook, of ordinal scales from the lowest to the highest.
        resamples: of the bootstrap over units.
        seed: of the bootstrap.

    Returns:
        A Result with columns against (``"coder"``: each code against each other code of its unit, both ways;
        ``"others"``: against what the other coders of the unit decide, where two or more do), measure, as
        ``validity`` names it, value, low, high (95 %), and units. Every unit counts the same. The others decide
        as gold does: by majority, the median of ordered values, the mean of numbers; where they are split there is
        none. Empty where no unit has two codes.

    Raises:
        InputError: as ``reliability``.

    Example:
        >>> codes = pd.DataFrame({"id": [*"abcd"] * 2, "coder": [*"xxxxyyyy"], "value": [*"nnyynyyy"]})
        >>> ceiling(codes, resamples=100).table[["measure", "value"]].head(1).to_numpy().tolist()
        [['accuracy', 0.75]]
    """
    coded = Coded.of(codes, scale, order).twice()
    tables = []
    for against, find, many in (("coder", _each_other, 2), ("others", _the_others, 3)):
        if not (coded.many >= many).any():
            continue
        unit, judged = find(coded)
        if len(unit):
            tables.append(_measured(unit, judged, SHOWN[scale], resamples, seed).assign(against=against))
            tables[-1]["units"] = len(np.unique(unit))
    columns = ["against", "measure", "value", "low", "high", "units"]
    table = pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
    return Result(
        title="What one human coder reaches",
        table=table,
        words=_words(table),
        warnings=_warnings(table),
        provenance={"scale": scale, "resamples": resamples, "seed": seed},
    )


def _measured(unit: Index, judged: Judged, names: tuple[str, ...], resamples: int, seed: int) -> pd.DataFrame:
    """Measures of rows that belong to units, each unit counting the same."""
    place = np.unique(unit, return_inverse=True)[1]
    even = (1 / np.bincount(place))[place]

    def shown(weight: Array) -> dict[str, Array]:
        found = judged.measure(weight[..., place] * even)
        return {name: found[name] for name in names}

    units = int(place.max()) + 1
    found = spread(shown, np.ones(units), pd.Series(range(units)), resamples, seed)
    return found.table(list(names))


def _each_other(coded: Coded) -> tuple[Index, Judged]:
    """Each code as what a machine said, each other code of the unit as gold: the rows' units, and the rows."""
    units, true, said = [], [], []
    for a, b in coded.pairs():
        shared = np.flatnonzero(coded.given[:, a] & coded.given[:, b])
        units += [shared, shared]
        true += [coded.code[shared, a], coded.code[shared, b]]
        said += [coded.code[shared, b], coded.code[shared, a]]
    gold, one = np.concatenate(true), np.concatenate(said)
    if coded.scale == "interval":
        numbers = np.asarray(coded.values, dtype=float)
        return np.concatenate(units), NumberCodes(numbers[gold], numbers[one])
    if coded.scale == "multilabel":
        labels, member = coded.membership()
        return np.concatenate(units), LabelCodes(tuple(labels), member[gold] > 0, member[one] > 0, None)
    return np.concatenate(units), ClassCodes(tuple(coded.labels), gold, one, None, coded.scale == "ordinal")


def _the_others(coded: Coded) -> tuple[Index, Judged]:
    """Each code as what a machine said, what two or more others decide as gold."""
    rules: dict[str, Decide] = {"interval": _mean, "ordinal": _median, "multilabel": _labels}
    decide = rules.get(coded.scale, _majority)
    units, true, said = [], [], []
    for coder in range(len(coded.coders)):
        rows = np.flatnonzero(coded.given[:, coder] & (coded.many >= 3))
        gold = decide(coded.rows(np.isin(np.arange(len(coded.ids)), rows)).without(coder))
        known = ~np.isnan(gold).reshape(len(rows), -1).any(axis=1)
        units.append(rows[known])
        true.append(gold[known])
        said.append(coded.code[rows[known], coder])
    unit, gold, one = np.concatenate(units), np.concatenate(true), np.concatenate(said)
    if coded.scale == "interval":
        return unit, NumberCodes(gold, np.asarray(coded.values, dtype=float)[one])
    if coded.scale == "multilabel":
        labels, member = coded.membership()
        return unit, LabelCodes(tuple(labels), gold > 0, member[one] > 0, None)
    return unit, ClassCodes(tuple(coded.labels), gold.astype(np.intp), one, None, coded.scale == "ordinal")


def _majority(coded: Coded) -> Array:
    counts = coded.counts
    alone = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) == 1
    return np.where(alone, counts.argmax(axis=1), np.nan)


def _median(coded: Coded) -> Array:
    middle = np.nanmedian(coded.numbers, axis=1) if len(coded.ids) else np.empty(0)
    return np.where(middle % 1 == 0, middle, np.nan)


def _mean(coded: Coded) -> Array:
    return np.nansum(coded.numbers, axis=1) / coded.many


def _labels(coded: Coded) -> Array:
    """(u, labels) 1 or 0."""
    share = coded.counts @ coded.membership()[1] / coded.many[:, None]
    return np.where(share == 0.5, np.nan, (share > 0.5).astype(float))


def _words(table: pd.DataFrame) -> list[str]:
    said = []
    for against, part in table.groupby("against", sort=False):
        first = part.iloc[0]
        each = ", ".join(
            f"{row.measure} {row.value:.3f} ({row.low:.3f} to {row.high:.3f})" for row in part.itertuples()
        )
        said.append(f"{COMPARISONS[str(against)].capitalize()}, on {first['units']:,} units: {each}.")
    if said:
        said.append(
            "A machine that does as well against gold is as good as another coder. Gold that several coders decided "
            "has fewer errors than one coder has, so a machine may do better than this."
        )
    return said


def _warnings(table: pd.DataFrame) -> list[str]:
    if table.empty:
        return ["No unit was coded by two people: what a human coder reaches is unknown."]
    units = int(table["units"].iloc[0])
    return [f"Only {units} units were coded twice: below {FEW_UNITS} this is rough."] if units < FEW_UNITS else []
