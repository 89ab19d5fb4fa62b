"""Sentences about bias, and what a careful reader is warned of."""

from __future__ import annotations

import numpy as np
import pandas as pd

from visanda.study.audit.rows import FEW, Array
from visanda.study.bias.calibrated import GAP
from visanda.study.bias.rates import ERRORS, FALSE_NEGATIVE, FALSE_POSITIVE, FEWEST
from visanda.study.bias.worst import PARITY
from visanda.study.wording import SIGNIFICANT, p_value

MOST_NAMED = 8
ONE = f"since fewer than two groups have {FEWEST} rows of either kind"


def bias_words(
    table: pd.DataFrame, extra: dict[str, pd.DataFrame], columns: list[str], classes: list[str]
) -> list[str]:
    """What is found, a few sentences for each column of groups.

    Args:
        table: rates by group.
        extra: further tables of ``bias``: tests, worst groups, differences and perhaps calibration.
        columns: of groups.
        classes: that rates are about.
    """
    words = [_everybody(table, name) for name in classes[:MOST_NAMED]]
    for column in columns:
        mine = {name: one[one["by"] == column] for name, one in extra.items() if "by" in one}
        told = [_worst(mine["worst groups"], mine["tests"], rate) for rate in ERRORS]
        told += [_difference(row) for _, row in _clearest(mine["differences"], "difference").iterrows()]
        told += [_gaps(mine["calibration"], mine["tests"])] if "calibration" in mine else []
        told = [sentence for sentence in told if sentence]
        words += [f"By {column}: {' '.join(told)}" if told else f"By {column}: nothing to compare, {ONE}."]
    return words


def bias_warnings(small: list[str], uncompared: list[str], weight: Array, tests: pd.DataFrame) -> list[str]:
    """Small groups, groups that are left out, and what weights and tests assume."""
    found = []
    if small:
        found.append(f"Fewer than {FEW} hand codes of: {_some(small)}. Their rates are rough: code more of them.")
    if uncompared:
        found.append(f"Fewer than {FEWEST} rows, so not compared: {_some(uncompared)}.")
    if len(tests) and (tests["test"] == "Fisher").any() and np.ptp(weight) > 0:
        found.append("Fisher's tests take weighted rows as so many whole ones: of few rows, they are approximate.")
    return found


def _everybody(table: pd.DataFrame, name: str) -> str:
    whole = table[(table["by"] == "") & (table["class"] == name)]
    missed, wrong = (_share(whole[whole["rate"] == rate].iloc[0]) for rate in (FALSE_NEGATIVE, FALSE_POSITIVE))
    return (
        f"{name} is missed in {missed} of those that people coded so (false negative rate), and said in {wrong} of "
        "those that they did not (false positive rate)."
    )


def _share(row: pd.Series) -> str:
    if not row["n"]:
        return "none (n = 0)"
    return f"{row['value']:.1%} (95 % CI [{row['low']:.1%}, {row['high']:.1%}], n = {row['n']:,.0f})"


def _worst(worst: pd.DataFrame, tests: pd.DataFrame, rate: str) -> str:
    """The highest rate, of the class whose groups differ most clearly."""
    mine = worst[worst["rate"] == rate].merge(tests, on=["by", "rate", "class"], suffixes=("", "_tested"))
    if mine.empty:
        return ""
    row = mine.iloc[int(mine["p"].fillna(2.0).argmin())]
    tested = f"{p_value(row['p_holm'])} after Holm ({row['test']})"
    p = f"equal rates: {tested if row['p'] <= 1 else 'too few clusters for a test'}"
    if row["value"] == 0:
        return f"The {rate} of {row['class']} is 0 in every group."
    chance = "" if row["gap_low"] > 0 else ", which may be chance"
    several = row["groups"] > 2
    level = f"an interval for all {row['groups']} groups at once" if several else "95 % interval"
    pulled = (
        f" The worst of several is partly chance: pulled towards the others by that, its rate is {row['shrunk']:.1%}."
    )
    return (
        f"The {rate} of {row['class']} is highest in {row['group']}, {row['value']:.1%} (n = {row['n']:,}), "
        f"{row['gap'] * 100:+.1f} percentage points against the rest, [{row['gap_low'] * 100:+.1f}, "
        f"{row['gap_high'] * 100:+.1f}] as {level}{chance}; {p}." + (pulled if several else "")
    )


def _clearest(apart: pd.DataFrame, name: str) -> pd.DataFrame:
    """Of each kind of difference the widest over classes."""
    return apart.sort_values("value", ascending=False, kind="stable").drop_duplicates(name).sort_values(name)


def _difference(row: pd.Series) -> str:
    size = f"{row['value'] * 100:.1f} percentage points, [{row['low'] * 100:.1f}, {row['high'] * 100:.1f}]"
    if row["difference"] == PARITY:
        return (
            f"{row['class']} is said most often in {row['highest']} and least in {row['lowest']} ({PARITY} {size}), "
            "which need not be an error: people may have coded them as differently."
        )
    return (
        f"The largest gap in errors between any two groups is the {row['rate']} of {row['class']}, {row['highest']} "
        f"against {row['lowest']} ({row['difference']} {size})."
    )


def _gaps(calibrated: pd.DataFrame, tests: pd.DataFrame) -> str:
    """Where probabilities lie furthest above or below what people found."""
    known = calibrated[calibrated["n"] >= FEWEST].dropna(subset=["gap"])
    tested = tests[tests["rate"] == GAP]
    if len(known) < 2 or tested.empty:
        return ""
    row = known.iloc[int(known["gap"].abs().argmax())]
    p = tested[tested["class"] == row["class"]]["p_holm"].fillna(1.0).iloc[0]
    clear = "" if p < SIGNIFICANT else ", which may be chance"
    return (
        f"Probabilities of {row['class']} are furthest off in {row['group']}: {row['predicted']:.1%} on average where "
        f"people found {row['observed']:.1%} (equal gaps: {p_value(p)} after Holm{clear})."
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
