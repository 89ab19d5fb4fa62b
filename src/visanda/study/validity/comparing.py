"""Comparing: two machines on the same rows, and what of their difference is chance."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import binomtest

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.reliability.coders import labels_of
from visanda.study.resampling import Array, spread
from visanda.study.validity.against_gold import Scale, judge
from visanda.study.validity.classes import ClassCodes
from visanda.study.validity.judged import Judged, few
from visanda.study.wording import p_value

SHOWN: dict[Scale, tuple[str, ...]] = {
    "nominal": ("accuracy", "balanced accuracy", "macro F1", "AUC", "average precision", "log loss", "Brier score"),
    "ordinal": (
        "accuracy",
        "within one step",
        "mean absolute error (steps)",
        "quadratic weighted kappa",
        "log loss",
        "ranked probability score",
    ),
    "interval": ("mean absolute error", "root mean square error", "correlation", "R²", "ICC(A,1)"),
    "multilabel": ("exact match", "Hamming loss", "micro F1", "macro F1", "macro AUC", "log loss"),
}
LESS_IS_BETTER = (
    "log loss",
    "Brier score",
    "Hamming loss",
    "mean absolute error",
    "mean absolute error (steps)",
    "root mean square error",
    "ranked probability score",
)


def compare(
    gold: pd.Series,
    first: pd.Series,
    second: pd.Series,
    probabilities: tuple[pd.DataFrame | None, pd.DataFrame | None] = (None, None),
    *,
    names: tuple[str, str] = ("first", "second"),
    scale: Scale = "nominal",
    values: Sequence[Hashable] | None = None,
    weights: pd.Series | None = None,
    positive: Hashable | None = None,
    groups: pd.Series | None = None,
    resamples: int = 1000,
    seed: int = 1,
) -> Result:
    """Hold two machines against gold of the very same rows.

    Args:
        gold: (n,) codes of people.
        first: (n,) what one machine says.
        second: (n,) what the other says.
        probabilities: of both, as of ``validity``.
        names: of both.
        scale: as of ``validity``.
        values: as of ``validity``.
        weights: as of ``validity``.
        positive: as of ``validity``.
        groups: as of ``validity``.
        resamples: of the bootstrap; both machines are judged on the same resamples.
        seed: of the bootstrap.

    Returns:
        A Result with columns measure, a column a machine, difference (first less second), low and high (95 %). Of
        classes, ``provenance`` has ``mcnemar``: rows that only the first, and only the second, has right, and the exact
        p (McNemar 1947) of rows that are independent of each other and count the same.

    Raises:
        InputError: as ``validity``; or the machines did not predict the same rows.

    Example:
        >>> gold, one, other = pd.Series([*"nnyyny"]), pd.Series([*"nnyynn"]), pd.Series([*"nnnynn"])
        >>> compare(gold, one, other, resamples=100).table.loc[0, ["first", "second"]].round(2).tolist()
        [0.83, 0.67]
    """
    if not first.notna().equals(second.notna()):
        raise InputError("the machines did not predict the same rows: leave out those that one of them has not")
    if values is None and scale in ("nominal", "multilabel"):
        occur = {*gold.dropna(), *first.dropna(), *second.dropna()}
        labels = {label for one in occur for label in labels_of(str(one))}
        values = sorted(labels if scale == "multilabel" else occur, key=str)
    rows, one = judge(gold, first, probabilities[0], scale, values, weights, positive, groups)
    _, other = judge(gold, second, probabilities[1], scale, values, weights, positive, groups)
    both = partial(_differences, one, other, SHOWN[scale])
    found = spread(both, rows.weight, rows.group, resamples, seed)
    mine, theirs = (judged.measure(rows.weight) for judged in (one, other))
    table = found.table(list(found.point)).rename(columns={"value": "difference"})
    table.insert(1, names[0], [float(mine[name]) for name in table["measure"]])
    table.insert(2, names[1], [float(theirs[name]) for name in table["measure"]])
    provenance = {"machines": list(names), "n": len(rows.gold), "scale": scale, "resamples": resamples, "seed": seed}
    words = [_said(table.iloc[0], names, len(rows.gold))]
    if isinstance(one, ClassCodes) and isinstance(other, ClassCodes):
        mcnemar = _mcnemar(one, other)
        provenance["mcnemar"] = mcnemar
        words.append(
            f"{names[0]} alone is right in {mcnemar['first only']} rows, {names[1]} alone in "
            f"{mcnemar['second only']} (exact McNemar test, rows counted alike, {p_value(mcnemar['p'])})."
        )
    return Result(
        f"{names[0]} against {names[1]}",
        table,
        words,
        few(rows, groups is not None),
        draw=partial(_plot, table, names),
        provenance=provenance,
    )


def _differences(one: Judged, other: Judged, shown: Sequence[str], weight: Array) -> dict[str, Array]:
    mine, theirs = one.measure(weight), other.measure(weight)
    return {name: mine[name] - theirs[name] for name in shown if name in mine and name in theirs}


def _mcnemar(one: ClassCodes, other: ClassCodes) -> dict[str, float]:
    right, rival = one.said == one.true, other.said == other.true
    first, second = int((right & ~rival).sum()), int((rival & ~right).sum())
    p = float(binomtest(first, first + second).pvalue) if first + second else 1.0
    return {"first only": first, "second only": second, "p": p}


def _said(row: pd.Series, names: tuple[str, str], n: int) -> str:
    measure, apart = str(row["measure"]), f"{row['low']:+.3f} to {row['high']:+.3f}"
    text = (
        f"On the same {n:,} rows, {measure} is {row[names[0]]:.3f} of {names[0]} and {row[names[1]]:.3f} of "
        f"{names[1]}: a difference of {row['difference']:+.3f} (95 % interval {apart})"
    )
    if not row["low"] <= 0 <= row["high"]:
        better = names[0] if (row["difference"] > 0) != (measure in LESS_IS_BETTER) else names[1]
        return f"{text}. {better} is better."
    return f"{text}. The interval has 0 in it: which of them is better cannot be told from so many rows."


def _plot(table: pd.DataFrame, names: tuple[str, str]) -> Figure:
    """Each difference with its interval."""
    figure = Figure(figsize=(6.4, 1.3 + 0.36 * len(table)), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(table))
    better = ~table["measure"].isin(LESS_IS_BETTER)
    sign = np.where(better, 1.0, -1.0)
    ends = np.sort(np.stack([table["low"] * sign, table["high"] * sign]), axis=0)
    point = table["difference"] * sign
    axes.axvline(0, color="0.6", linewidth=1)
    axes.hlines(place, *ends, color="#0072B2", linewidth=2)
    axes.plot(point, place, "o", color="#0072B2")
    labels = [name if up else f"{name} (turned)" for name, up in zip(table["measure"], better, strict=True)]
    axes.set_yticks(place, labels)
    axes.invert_yaxis()
    axes.set_xlabel(f"{names[1]} is better  ←   difference, 95 % intervals   →  {names[0]} is better")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
