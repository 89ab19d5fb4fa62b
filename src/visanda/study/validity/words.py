"""Sentences about validity, and what a careful reader is warned of."""

from __future__ import annotations

from typing import Any

import pandas as pd

from visanda.study.validity.judged import FEW_OF_CLASS, Rows
from visanda.study.validity.probabilities import ECE
from visanda.study.wording import number

PERFECT = {"balanced accuracy", "macro F1", "AUC", "average precision", "micro F1"}
BETTER = 0.02  # of F1: another threshold is worth a sentence


def class_words(
    table: pd.DataFrame,
    rows: Rows,
    labels: list[str],
    ordered: bool,
    grouped: bool,
    thresholds: pd.DataFrame | None,
    believed: tuple[float, float] | None,
) -> list[str]:
    """What the numbers of classes mean."""
    value = table.set_index("measure")
    said = value.loc["accuracy"]
    words = [
        f"On {len(rows.gold):,} rows with gold, {said.value:.1%} of the machine's codes are right (95 % interval "
        f"{said.low:.1%} to {said.high:.1%}; bootstrap over {over(rows, grouped)}). Always saying the commonest class "
        f"would be right in {said.baseline:.1%}; the column baseline has what that, with the shares of gold as "
        "probabilities, would get."
    ]
    if ordered:
        words.append(
            f"{value.loc['within one step'].value:.1%} are right or one step off; on average a code is off by "
            f"{interval(value.loc['mean absolute error (steps)'])} steps; quadratic weighted kappa "
            f"{interval(value.loc['quadratic weighted kappa'])}."
        )
    if "AUC" in value.index and len(labels) == 2 and pd.notna(value.loc["AUC"].value):
        words.append(
            f"Given a row that is {labels[1]} and one that is not, the machine gives the first the higher "
            f"probability in {value.loc['AUC'].value:.1%} of pairs (AUC); "
            f"Brier score {value.loc['Brier score'].value:.3f}."
        )
    if believed is not None:
        error = value.loc[ECE].value
        far = "which is more than chance" if error > believed[1] else "so that this much may be chance"
        words.append(
            f"Expected calibration error {error:.3f}; probabilities that are right would show {believed[0]:.3f} on so "
            f"many rows, and less than {believed[1]:.3f} in 95 % of draws, {far}."
        )
    if thresholds is not None and thresholds["F1"].notna().any():
        best = thresholds.sort_values("F1", kind="stable").dropna(subset=["F1"]).iloc[-1]
        now = value.loc[f"F1 of {labels[1]}"].value
        if best["F1"] > now + BETTER:
            words.append(
                f"On these very rows, F1 of {labels[1]} would be {best['F1']:.3f} at a threshold of "
                f"{best['threshold']:.2f}, and is {now:.3f} as predicted. To use another threshold, choose it on "
                "training rows: one that is chosen on the test rows flatters."
            )
    return words


def class_warnings(table: pd.DataFrame, counts: pd.DataFrame, lost: dict[str, float]) -> list[str]:
    """What to know before believing the numbers of classes."""
    accuracy = table.set_index("measure").loc["accuracy"]
    found = []
    if accuracy.low <= accuracy.baseline:
        found.append("The accuracy is not clearly above that of always saying the same class.")
    support, said = counts.sum(axis=1), counts.sum(axis=0)
    rare = [label for label in counts.index if 0 < support[label] < FEW_OF_CLASS]
    if rare:
        found.append(f"Fewer than {FEW_OF_CLASS} gold rows of: {', '.join(rare)}. Their recall is rough.")
    if unseen := [label for label in counts.index if support[label] == 0 and said[label]]:
        found.append(f"Predicted but never gold: {', '.join(unseen)}.")
    if unsaid := [label for label in counts.index if said[label] == 0 and support[label]]:
        found.append(f"In gold but never predicted: {', '.join(unsaid)}.")
    if nowhere := [label for label in counts.index if said[label] == 0 and support[label] == 0]:
        found.append(f"Neither in gold nor predicted, and in no mean over classes: {', '.join(nowhere)}.")
    return found + flat(table) + left_out(lost)


def flat(table: pd.DataFrame) -> list[str]:
    """Means that are perfect in all resamples, of which the bootstrap says nothing."""
    perfect = table[(table["value"] == 1) & (table["low"] == 1) & table["measure"].isin(PERFECT)]["measure"]
    if perfect.empty:
        return []
    return [
        f"{', '.join(perfect)}: 1 in every resample, so that the interval has no width. It does not mean that no other "
        "row would be an error: see the interval of the accuracy."
    ]


def left_out(lost: dict[str, float]) -> list[str]:
    """Measures that some resamples do not give."""
    never = [name for name, share in lost.items() if share == 1]
    said = [f"Cannot be computed, since the rows have one class only: {', '.join(never)}."] if never else []
    return said + [
        f"{name} could not be computed in {share:.1%} of resamples, which its interval leaves out."
        for name, share in lost.items()
        if 0 < share < 1
    ]


def over(rows: Rows, grouped: bool) -> str:
    """What the bootstrap drew."""
    return f"{rows.group.nunique():,} groups" if grouped else "rows"


def interval(row: Any, digits: int = 3) -> str:
    """A number with its interval."""
    if digits != 3:
        return f"{row.value:.{digits}f} (95 % interval {row.low:.{digits}f} to {row.high:.{digits}f})"
    return f"{number(row.value)} (95 % interval {number(row.low)} to {number(row.high)})"
