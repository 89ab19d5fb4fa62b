"""Validity of classes: nominal ones, of two or more, and ordinal ones."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.reliability.coders import label
from visanda.study.resampling import Array, Spread, spread, unanimous
from visanda.study.validity.agreement import BASELINE, by_class, confusion, in_order, overall
from visanda.study.validity.classes_plot import validity_plot
from visanda.study.validity.judged import Rows, chances, few, some
from visanda.study.validity.probabilities import (
    ECE,
    calibrated_error,
    calibration,
    precision_recall,
    ranked_probability_score,
    sure,
    thresholds,
    with_probability,
)
from visanda.study.validity.words import class_warnings, class_words

EACH = ("precision", "recall", "F1")
SHARES = ("accuracy", "within one step")
RARE = 0.3  # share of positive rows below which the precision-recall curve is drawn: AUC flatters there


@dataclass(frozen=True)
class ClassCodes:
    """Classes of n rows.

    Attributes:
        labels: the classes, in order; of two, the second is asked for.
        true: (n,) number of the class that people gave.
        said: (n,) number of the one that the machine gave.
        chance: (n, classes) the machine's probabilities, or none.
        ordered: whether the classes are in order.
    """

    labels: tuple[str, ...]
    true: NDArray[np.intp]
    said: NDArray[np.intp]
    chance: Array | None
    ordered: bool

    def table(self, weight: Array) -> Array:
        """(..., classes, classes) the confusion matrix, gold in rows."""
        return confusion(self.true, self.said, len(self.labels), weight)

    def measure(self, weight: Array) -> dict[str, Array]:
        """What is said of the classes together, and of each; see ``validity``."""
        table = self.table(weight)
        found = overall(table)
        del found[BASELINE]
        if self.ordered:
            found |= in_order(table)
        if self.chance is not None:
            found |= with_probability(self.true, self.chance, weight)
            if self.ordered:
                found["ranked probability score"] = ranked_probability_score(self.true, self.chance, weight)
        each = by_class(table)
        for k, name in enumerate(self.labels):
            found |= {f"{measure} of {name}": each[measure][..., k] for measure in EACH}
        return found

    def constant(self, weight: Array) -> ClassCodes:
        """Always the commonest class, or of ordered ones the median, with the shares of gold as probabilities."""
        shares = np.bincount(self.true, weight, len(self.labels)) / weight.sum()
        best = int((np.cumsum(shares) < 0.5).sum()) if self.ordered else int(shares.argmax())
        n = len(self.true)
        chance = None if self.chance is None else np.tile(shares, (n, 1))
        return replace(self, said=np.full(n, best, np.intp), chance=chance)


def class_codes(rows: Rows, values: Sequence[Hashable] | None, positive: Hashable | None, ordered: bool) -> ClassCodes:
    """Rows as numbers of classes.

    Raises:
        InputError: no class in common, a value that is none of ``values``, probabilities that do not fit.
    """
    classes = _classes(rows.gold, rows.predicted, values, positive)
    if ordered and values is None and any(isinstance(value, str) for value in classes):
        raise InputError(f"an ordinal scale needs its values in order: values=[{some(classes)}] from low to high")
    labels = [label(value) for value in classes]
    number = {name: place for place, name in enumerate(labels)}
    true, said = (one.map(lambda value: number[label(value)]).to_numpy(np.intp) for one in (rows.gold, rows.predicted))
    chance = None
    if rows.probability is not None:
        if len(labels) == 1:
            raise InputError(
                f"gold and predictions are all {classes[0]!r}: probabilities cannot be judged by one class"
            )
        if isinstance(rows.probability, pd.Series) and len(labels) > 2:
            raise InputError(
                f"there are {len(labels)} classes: probability must be a DataFrame with a column for each class"
            )
        chance = chances(rows.probability, labels)
    return ClassCodes(tuple(labels), true, said, chance, ordered)


def _without_dust(value: float) -> float:
    """0 for what only rounding makes different from it."""
    return 0.0 if abs(value) < 1e-12 else value


def _classes(
    gold: pd.Series, predicted: pd.Series, values: Sequence[Hashable] | None, positive: Hashable | None
) -> list[Hashable]:
    true, said = set(gold), set(predicted)
    if {label(one) for one in true}.isdisjoint({label(one) for one in said}) and values is None:
        raise InputError(
            f"no class in common: gold has {some(true)}, the predictions have {some(said)}. Recode one of them."
        )
    if values is not None:
        known = {label(value) for value in values}
        if strange := [one for one in true | said if label(one) not in known]:
            raise InputError(f"{some(strange)}: none of the values {', '.join(map(label, values))}. Recode them.")
        classes = list(values)
    else:
        zero_one = {0, 1} if (true | said) <= {0, 1} else set()  # also where nobody is 0, or nobody 1
        classes = sorted(true | said | zero_one, key=lambda value: (isinstance(value, str), value))
    if positive is None:
        return classes
    if positive not in classes:
        raise InputError(f"positive={positive!r} is none of the classes: {some(classes)}")
    if len(classes) != 2:
        raise InputError(f"positive is for two classes; here are {len(classes)}: leave it out")
    return [value for value in classes if value != positive] + [positive]


def classes_validity(rows: Rows, codes: ClassCodes, resamples: int, seed: int, grouped: bool) -> Result:
    """Numbers, words and figure of classes."""
    found = spread(codes.measure, rows.weight, rows.group, resamples, seed)
    labels = list(codes.labels)
    binary = len(labels) == 2
    each = {f"{measure} of {name}" for measure in EACH for name in labels}
    asked = {f"{measure} of {labels[1]}" for measure in EACH} if binary else set()
    names = [name for name in found.point if name not in each or name in asked]
    table = found.table(names)
    baseline = codes.constant(rows.weight).measure(rows.weight)
    if codes.ordered:  # the median is what is nearest to all, and the commonest what is right most often
        baseline |= {"accuracy": replace(codes, ordered=False).constant(rows.weight).measure(rows.weight)["accuracy"]}
    table["baseline"] = [_without_dust(float(baseline[name])) for name in names]
    for place, name in enumerate(names):
        if name in SHARES:
            ends = unanimous(found.point[name], found.interval(name), rows.units)
            table.loc[place, ["low", "high"]] = ends
    table.loc[table["measure"] == ECE, ["low", "high", "baseline"]] = np.nan  # see calibrated_error
    classes = _each_class(rows, codes, found)
    if binary:
        for measure in ("precision", "recall"):
            limits = classes.loc[1, [f"{measure} low", f"{measure} high"]].to_numpy()
            table.loc[table["measure"] == f"{measure} of {labels[1]}", ["low", "high"]] = limits
    counts = pd.DataFrame(codes.table(np.ones(len(codes.true))).astype(int), labels, labels)
    extra = {"confusion": counts.rename_axis("gold").reset_index(), "by class": classes}
    bins, curve, believed = None, None, None
    if codes.chance is not None:
        bins = pd.DataFrame(calibration(*sure(codes.true, codes.chance), rows.weight)).dropna()
        extra["calibration"] = bins
        believed = calibrated_error(sure(codes.true, codes.chance)[0], rows.weight, seed)
        if binary:
            positive, score = codes.true == 1, codes.chance[:, 1]
            curve = precision_recall(positive, score, rows.weight)
            extra |= {"thresholds": thresholds(positive, score, rows.weight), "precision-recall": curve}
    share = float(np.average(codes.true == 1, weights=rows.weight))
    drawn_curve = (curve, share, labels[1]) if curve is not None and 0 < share < RARE else None
    asked_of = f"the probability of {labels[1]}" if binary else "the highest probability"
    return Result(
        title="",
        table=table,
        words=class_words(table, rows, labels, codes.ordered, grouped, extra.get("thresholds"), believed),
        warnings=few(rows, grouped)
        + class_warnings(table, counts, {name: found.lost(name) for name in names if name != ECE}),
        draw=partial(validity_plot, counts, bins, asked_of, drawn_curve),
        provenance={"classes": labels},
        extra=extra,
    )


def _each_class(rows: Rows, codes: ClassCodes, found: Spread) -> pd.DataFrame:
    columns: dict[str, list[float]] = {}
    for measure in EACH:
        for k, name in enumerate(codes.labels):
            point, ends = found.point[f"{measure} of {name}"], found.interval(f"{measure} of {name}")
            if measure != "F1":
                ends = unanimous(point, ends, rows.of((codes.true if measure == "recall" else codes.said) == k))
            for column, value in zip((measure, f"{measure} low", f"{measure} high"), (point, *ends), strict=True):
                columns.setdefault(column, []).append(value)
    support = np.bincount(codes.true, minlength=len(codes.labels))
    return pd.DataFrame({"class": list(codes.labels), **columns, "support": support})
