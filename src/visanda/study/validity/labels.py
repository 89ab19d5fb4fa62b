"""Validity of labels, any number of which can be true of one row."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.reliability.coders import NO_LABEL, labels_of
from visanda.study.resampling import Array, Spread, spread, unanimous
from visanda.study.validity.agreement import mean_known, ratio
from visanda.study.validity.judged import FEW_OF_CLASS, Rows, chances, few
from visanda.study.validity.labels_plot import labels_plot
from visanda.study.validity.probabilities import TINY, auc, average_precision
from visanda.study.validity.words import flat, interval, left_out, over

Flags = NDArray[np.bool_]
EACH = ("precision", "recall", "F1", "AUC", "average precision", "Brier score")


@dataclass(frozen=True)
class LabelCodes:
    """Labels of n rows.

    Attributes:
        labels: their names.
        true: (n, labels) what people said.
        said: (n, labels) what the machine says.
        chance: (n, labels) its probabilities, or none.
    """

    labels: tuple[str, ...]
    true: Flags
    said: Flags
    chance: Array | None

    def measure(self, weight: Array) -> dict[str, Array]:
        """What is said of all labels together, and of each; see ``validity``."""
        total = weight.sum(axis=-1)
        hit, true, said = weight @ (self.true & self.said), weight @ self.true, weight @ self.said
        each = {"precision": ratio(hit, said), "recall": ratio(hit, true), "F1": ratio(2 * hit, true + said)}
        wrong = self.true ^ self.said
        found = {
            "exact match": ratio(weight @ ~wrong.any(axis=1), total),
            "Hamming loss": ratio(weight @ wrong.mean(axis=1), total),
            "micro F1": ratio(2 * hit.sum(axis=-1), (true + said).sum(axis=-1)),
            "macro F1": mean_known(each["F1"]),
        }
        if self.chance is not None:
            columns = [(self.true[:, k], self.chance[:, k]) for k in range(len(self.labels))]
            each["AUC"] = np.stack([auc(*column, weight) for column in columns], axis=-1)
            each["average precision"] = np.stack([average_precision(*column, weight) for column in columns], axis=-1)
            each["Brier score"] = ratio(weight @ (self.chance - self.true) ** 2, total[..., None])
            right = np.where(self.true, self.chance, 1 - self.chance)
            found |= {
                "macro AUC": mean_known(each["AUC"]),
                "macro average precision": mean_known(each["average precision"]),
                "log loss": ratio(weight @ -np.log(np.clip(right, TINY, 1)).mean(axis=1), total),
                "Brier score": each["Brier score"].mean(axis=-1),
            }
        for k, name in enumerate(self.labels):
            found |= {f"{measure} of {name}": values[..., k] for measure, values in each.items()}
        return found

    def constant(self, weight: Array) -> LabelCodes:
        """Of each label, always whether most have it, with its share in gold as probability."""
        shares = weight @ self.true / weight.sum()
        n = len(self.true)
        chance = None if self.chance is None else np.tile(shares, (n, 1))
        return replace(self, said=np.tile(shares >= 0.5, (n, 1)), chance=chance)


def label_codes(rows: Rows, values: Sequence[Hashable] | None) -> LabelCodes:
    """Rows as flags of labels.

    Raises:
        InputError: a label that is none of ``values``, no label at all, probabilities that do not fit.
    """
    gold, said = ([labels_of(str(value)) for value in column] for column in (rows.gold, rows.predicted))
    used = set().union(*gold, *said)
    labels = sorted(used) if values is None else [str(value) for value in values]
    if strange := sorted(used - set(labels)):
        raise InputError(f"{', '.join(strange)}: none of the labels {', '.join(labels)}. Recode them.")
    if not labels:
        raise InputError(f"no row has a label: all gold and predictions are {NO_LABEL!r}")
    flags = [np.array([[name in one for name in labels] for one in column]) for column in (gold, said)]
    if isinstance(rows.probability, pd.Series) and len(labels) > 1:
        raise InputError(f"there are {len(labels)} labels: probability must be a DataFrame with a column for each")
    chance = None if rows.probability is None else chances(rows.probability, labels)
    return LabelCodes(tuple(labels), flags[0], flags[1], chance)


def labels_validity(rows: Rows, codes: LabelCodes, resamples: int, seed: int, grouped: bool) -> Result:
    """Numbers, words and figure of labels."""
    found = spread(codes.measure, rows.weight, rows.group, resamples, seed)
    each = {f"{measure} of {name}" for measure in EACH for name in codes.labels}
    names = [name for name in found.point if name not in each]
    table = found.table(names)
    baseline = codes.constant(rows.weight).measure(rows.weight)
    table["baseline"] = [float(baseline[name]) for name in names]
    table.loc[0, ["low", "high"]] = unanimous(found.point[names[0]], found.interval(names[0]), rows.units)
    by_label = _each_label(rows, codes, found)
    return Result(
        title="",
        table=table,
        words=_words(table, by_label, rows, grouped),
        warnings=few(rows, grouped) + _warnings(table, by_label) + left_out({n: found.lost(n) for n in names}),
        draw=partial(labels_plot, by_label),
        provenance={"classes": list(codes.labels)},
        extra={"by label": by_label},
    )


def _each_label(rows: Rows, codes: LabelCodes, found: Spread) -> pd.DataFrame:
    lines = []
    for k, name in enumerate(codes.labels):
        line: dict[str, object] = {"label": name, "support": int(codes.true[:, k].sum())}
        line["share in gold"] = float(np.average(codes.true[:, k], weights=rows.weight))
        line["share predicted"] = float(np.average(codes.said[:, k], weights=rows.weight))
        for measure in EACH:
            if f"{measure} of {name}" not in found.point:
                continue
            point, ends = found.point[f"{measure} of {name}"], found.interval(f"{measure} of {name}")
            if measure in ("precision", "recall"):
                ends = unanimous(point, ends, rows.of((codes.true if measure == "recall" else codes.said)[:, k]))
            line |= {measure: point, f"{measure} low": ends[0], f"{measure} high": ends[1]}
        lines.append(line)
    return pd.DataFrame(lines)


def _words(table: pd.DataFrame, by_label: pd.DataFrame, rows: Rows, grouped: bool) -> list[str]:
    value = table.set_index("measure")
    exact = value.loc["exact match"]
    known = by_label.dropna(subset=["F1"])
    words = [
        f"On {len(rows.gold):,} rows with gold and {len(by_label)} labels, all labels are right in "
        f"{exact.value:.1%} of rows (95 % interval {exact.low:.1%} to {exact.high:.1%}; bootstrap over "
        f"{over(rows, grouped)}); {value.loc['Hamming loss'].value:.1%} of single labels are wrong, and "
        f"{value.loc['Hamming loss'].baseline:.1%} would be by always saying of each label what is commonest.",
        f"Micro F1 {interval(value.loc['micro F1'])}; macro F1 {interval(value.loc['macro F1'])}.",
    ]
    if len(known) > 1:
        ranked = known.sort_values("F1", kind="stable")
        best, worst = ranked.iloc[-1], ranked.iloc[0]
        words.append(
            f"F1 is highest for {best['label']} ({best['F1']:.2f}), lowest for {worst['label']} ({worst['F1']:.2f})."
        )
    return words


def _warnings(table: pd.DataFrame, by_label: pd.DataFrame) -> list[str]:
    found = []
    support = by_label.set_index("label")["support"]
    if never := [name for name, n in support.items() if n == 0]:
        found.append(f"Never in gold: {', '.join(map(str, never))}. Nothing is known of how well they are found.")
    if rare := [str(name) for name, n in support.items() if 0 < n < FEW_OF_CLASS]:
        found.append(f"Fewer than {FEW_OF_CLASS} gold rows of: {', '.join(rare)}. Their recall is rough.")
    unsaid = by_label[(by_label["share predicted"] == 0) & (by_label["support"] > 0)]["label"]
    if len(unsaid):
        found.append(f"In gold but never predicted: {', '.join(unsaid)}.")
    return found + flat(table)
