"""Validity: how well a machine's codes agree with gold, and what its probabilities are worth; on every scale."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import pandas as pd

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.validity.classes import ClassCodes, class_codes, classes_validity
from visanda.study.validity.judged import Rows, rows_of
from visanda.study.validity.labels import LabelCodes, label_codes, labels_validity
from visanda.study.validity.numbers import NumberCodes, number_codes, numbers_validity

Scale = Literal["nominal", "ordinal", "interval", "multilabel"]


def validity(
    gold: pd.Series,
    predicted: pd.Series,
    probability: pd.Series | pd.DataFrame | None = None,
    *,
    scale: Scale = "nominal",
    values: Sequence[Hashable] | None = None,
    weights: pd.Series | None = None,
    positive: Hashable | None = None,
    resamples: int = 1000,
    seed: int = 1,
    groups: pd.Series | None = None,
) -> Result:
    """Compare predicted with gold codes.

    Args:
        gold: (n,) adjudicated human codes; rows without gold are left out.
        predicted: (n,) the machine's codes of the same rows, in the same order and with the same index.
        probability: (n,) probability in [0, 1] of the positive class, or a DataFrame with a column for each
            class or label; nothing for numbers.
        scale: nominal; ordinal, of classes in order; interval, of numbers; multilabel, of codes such as
            ``"flag|fire"`` and ``"none"``.
        values: the classes, in order, or the labels; None: those that occur, sorted.
        weights: (n,) of rows, 1 / probability of being drawn, where gold is no simple random sample.
        positive: of two classes the one that is asked for; None: the last in order (1, True, "yes").
        resamples: of the bootstrap.
        seed: of the bootstrap.
        groups: (n,) what belongs together (account, video): whole groups are resampled.

    Returns:
        A Result with a row for each measure: its value, its bootstrap 95 % interval, and ``baseline``, what
        saying the same of every row would get (the commonest class, of ordered ones the median, the mean of
        numbers; with the shares of gold as probabilities; for accuracy always the commonest class). A share of 0
        or 1 has the exact interval instead.
        ``extra`` has, by scale, ``"confusion"`` (gold in rows, predicted in columns), ``"by class"`` or
        ``"by label"`` (precision, recall, F1, support), ``"calibration"``, and for two classes ``"thresholds"``
        and ``"precision-recall"``; for numbers ``"errors"``. A class missing from a resample, on both sides, is
        left out of that resample's means; a resample in which a measure cannot be computed at all is left out of
        its interval.

    Raises:
        InputError: series of different rows, no row with both codes, no class in common, bad probabilities.

    Example:
        >>> gold, machine = pd.Series(["cat", "dog", "dog", None]), pd.Series(["cat", "dog", "cat", "dog"])
        >>> found = validity(gold, machine, resamples=100)
        >>> round(float(found.table.loc[0, "value"]), 3)
        0.667
    """
    rows, codes = judge(gold, predicted, probability, scale, values, weights, positive, groups)
    grouped = groups is not None
    if isinstance(codes, NumberCodes):
        found = numbers_validity(rows, codes, resamples, seed, grouped)
    elif isinstance(codes, LabelCodes):
        found = labels_validity(rows, codes, resamples, seed, grouped)
    else:
        found = classes_validity(rows, codes, resamples, seed, grouped)
    found.title = f"Validity of {predicted.name or 'the predictions'} against {gold.name or 'gold'}"
    found.provenance |= {
        "n": len(rows.gold),
        "left_out": rows.left_out,
        "scale": scale,
        "weighted": weights is not None,
        "grouped": grouped,
        "resamples": resamples,
        "seed": seed,
    }
    return found


def judge(
    gold: pd.Series,
    predicted: pd.Series,
    probability: pd.Series | pd.DataFrame | None = None,
    scale: Scale = "nominal",
    values: Sequence[Hashable] | None = None,
    weights: pd.Series | None = None,
    positive: Hashable | None = None,
    groups: pd.Series | None = None,
) -> tuple[Rows, ClassCodes | NumberCodes | LabelCodes]:
    """The rows that can be judged, and their codes as numbers; see ``validity``.

    Raises:
        InputError: as ``validity``.
    """
    rows = rows_of(gold, predicted, probability, weights, groups)
    if scale == "interval":
        return rows, number_codes(rows)
    if scale == "multilabel":
        return rows, label_codes(rows, values)
    if scale in ("nominal", "ordinal"):
        return rows, class_codes(rows, values, positive, scale == "ordinal")
    raise InputError(f"scale={scale!r}: choose nominal, ordinal, interval or multilabel")
