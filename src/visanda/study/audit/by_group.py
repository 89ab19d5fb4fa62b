"""Audit: how far a machine's values agree with hand codes, and whether that differs by group."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.audit.numbers import audit_numbers
from visanda.study.audit.plot import classes_plot
from visanda.study.audit.rows import Flags, Rows, cluster_warnings, clusters_said, collect, group_warnings
from visanda.study.sampling.sample import strata
from visanda.study.validity.agreement import BASELINE, confusion, overall
from visanda.study.validity.judged import FEW_GOLD, FEW_OF_CLASS
from visanda.study.validity.probabilities import calibration, sure, with_probability

SILENT = "(no value)"


def audit(
    machine: pd.Series,
    hand: pd.Series,
    groups: pd.DataFrame | None = None,
    weights: pd.Series | None = None,
    *,
    kind: Literal["classes", "numbers"] = "classes",
    probability: pd.DataFrame | None = None,
    failed: pd.Series | None = None,
    cluster: pd.Series | None = None,
) -> Result:
    """Compare a machine's values with what people coded, as a whole and by group.

    A machine that was measured elsewhere may fail here, and fail some groups more than others (Buolamwini & Gebru
    2018). Where it has no value, it abstained or failed: both are counted, and accuracy is of the rest.

    Shares have Wilson's intervals (1927), their differences Newcombe's (1998), the mean error Student's; with weights,
    on the effective number of rows. Faces of one person or frames of one video are alike: with ``cluster``, intervals
    are those of a sample of whole clusters, with Student's t on clusters less one.

    Args:
        machine: (n,) the machine's values, missing where it abstained or failed.
        hand: (n,) hand codes of the same units, with the same index; rows without are left out.
        groups: (n, columns) what to compare: a column each. Numbers of more than 8 values are cut into quarters.
        weights: (n,) 1 / probability of being drawn, where the coded units are no simple random sample.
        kind: ``classes`` to be right or wrong about, or ``numbers`` to be near, such as ages.
        probability: (n, classes) the machine's probabilities, a column a class; of two, the second is asked for.
        failed: (n,) where a missing value is a failure.
        cluster: (n,) what rows have in common (an account, a video); None: rows are independent.

    Returns:
        A Result with a row for everybody and for each group: n, coverage (share with a value), and for classes
        accuracy (share of values that agree) with its interval and its difference to all other rows; for numbers the
        mean error (bias), mean absolute error, root mean square error, correlation, and limits of agreement (Bland &
        Altman 1986). For classes, ``extra["by class"]`` has recall, precision and coverage of each class in each
        group, and the class's share by hand and by machine; ``extra["confusion"]`` hand codes in rows;
        ``extra["calibration"]`` the reliability of the probabilities.

    Raises:
        InputError: about different units, without hand codes, no class in common, text where numbers are needed,
            probabilities that are none.

    Example:
        >>> hand = pd.Series(["woman", "woman", "man", "man"])
        >>> found = audit(pd.Series(["woman", "man", "man", None]), hand)
        >>> found.table[["n", "abstained", "coverage", "accuracy"]].round(2).values.tolist()
        [[4.0, 1.0, 0.75, 0.67]]
    """
    rows = collect(machine, hand, groups, weights, failed, cluster)
    if kind == "numbers":
        found = audit_numbers(rows)
    elif kind == "classes":
        chance = None if probability is None else probability.loc[hand.notna()]
        found = _audit_classes(rows, chance)
    else:
        raise InputError(f"kind={kind!r}: choose classes or numbers")
    found.title = f"Audit of {machine.name or 'the machine'} against hand codes"
    if rows.weight.min() < rows.weight.max():
        found.words.append(
            "Numbers are weighted by one over each unit's probability of being drawn, so that they speak of all units; "
            "n and the confusion matrix are plain counts."
        )
    if len(rows.hand) < FEW_GOLD:
        found.warnings.insert(0, f"Only {len(rows.hand)} units have hand codes: intervals are wide.")
    found.provenance |= {
        "n": len(rows.hand),
        "uncoded": rows.uncoded,
        "kind": kind,
        "groups": list(rows.groups),
        "weighted": weights is not None,
        "cluster": None if cluster is None else str(cluster.name),
    }
    found.words += clusters_said(rows, cluster)
    found.warnings += cluster_warnings(rows)
    return found


def _audit_classes(rows: Rows, probability: pd.DataFrame | None) -> Result:
    hand, machine = _named(rows.hand), _named(rows.machine)
    said, true = set(machine.dropna()), set(hand)
    if said.isdisjoint(true):
        raise InputError(
            f"no class in common: the hand codes are {_some(true)}, the machine's {_some(said)}. Recode the hand codes"
        )
    classes = sorted(said | true) if probability is None else [str(name) for name in probability]
    classes += sorted((said | true) - set(classes))
    table = _by_group(rows, (hand == machine).to_numpy())
    by_class = _by_class(rows, hand, machine, classes)
    counts = pd.crosstab(hand, machine.fillna(SILENT)).reindex(index=classes, columns=[*classes, SILENT], fill_value=0)
    counts = counts.loc[counts.sum(axis=1) > 0, counts.sum() > 0]
    words = [rows.words(), *_words(rows, hand, machine, classes, table, by_class)]
    extra = {"by class": by_class, "confusion": counts.rename_axis("hand").rename_axis(None, axis=1).reset_index()}
    if probability is not None:
        more, said_of = _calibrated(rows, hand, probability)
        extra |= more
        words += said_of
    warnings = group_warnings(table) + _class_warnings(by_class, said)
    return Result("", table, words, warnings, partial(classes_plot, table, counts), {"classes": classes}, extra)


def _by_group(rows: Rows, right: Flags) -> pd.DataFrame:
    """A row for everybody and for each group."""
    found = []
    for by, group, members in rows.cells():
        inside, outside = members & rows.answered, ~members & rows.answered
        accuracy, apart = rows.share(right, inside), rows.apart(right, inside, outside)
        counted = rows.counted(members)
        found.append(
            {"by": by, "group": group, "n": counted["n"], "coverage": counted["coverage"]}
            | dict(zip(("accuracy", "low", "high"), accuracy, strict=True))
            | dict(zip(("difference", "difference_low", "difference_high"), apart, strict=True))
            | {name: counted[name] for name in ("abstained", "failed")}
        )
    return pd.DataFrame(found)


def _by_class(rows: Rows, hand: pd.Series, machine: pd.Series, classes: list[str]) -> pd.DataFrame:
    """Recall, precision, coverage and shares of each class in each group."""
    found = []
    for by, group, members in rows.cells():
        answered = members & rows.answered
        for name in classes:
            true, said = (hand == name).to_numpy(), (machine == name).to_numpy()
            found.append(
                {"by": by, "group": group, "class": name, "n": int((true & members).sum())}
                | _share("recall", said, true & answered, rows)
                | _share("precision", true, said & answered, rows)
                | {"coverage": rows.share(rows.answered, true & members)[0]}
                | {"share_hand": rows.share(true, members)[0]}
                | {"share_machine": rows.share(said, answered)[0]}
            )
    return pd.DataFrame(found)


def _share(name: str, happened: Flags, among: Flags, rows: Rows) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), rows.share(happened, among), strict=True))


def _calibrated(rows: Rows, hand: pd.Series, probability: pd.DataFrame) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """The reliability of the probabilities, those of rows without a class included, and what to say of it."""
    classes = [str(name) for name in probability]
    chance = probability.to_numpy(dtype=float)
    there = np.isfinite(chance).all(axis=1) & hand.isin(classes).to_numpy()
    if not there.any():
        return {}, []
    if not ((chance[there] >= 0) & (chance[there] <= 1)).all():
        raise InputError("probabilities must lie between 0 and 1")
    true = hand[there].map({name: place for place, name in enumerate(classes)}).to_numpy(dtype=np.intp)
    scores = with_probability(true, chance[there], rows.weight[there])
    bins = pd.DataFrame(calibration(*sure(true, chance[there]), rows.weight[there])).dropna()
    of = f"the probability of {classes[1]}" if len(classes) == 2 else "the highest probability"
    words = (
        f"Brier score of {of}: {scores['Brier score']:.3f}; expected calibration error "
        f"{scores['expected calibration error']:.3f}; AUC {scores['AUC']:.3f} (n = {there.sum():,}, also where the "
        "machine gave no class)."
    )
    return {"calibration": bins}, [words]


def _words(
    rows: Rows, hand: pd.Series, machine: pd.Series, classes: list[str], table: pd.DataFrame, by_class: pd.DataFrame
) -> list[str]:
    number_of = {name: place for place, name in enumerate(classes)}
    there = rows.answered
    true, said = (one[there].map(number_of).to_numpy(dtype=np.intp) for one in (hand, machine))
    whole = overall(confusion(true, said, len(classes), rows.weight[there]))
    first = table.iloc[0]
    words = [
        f"Where it has a value, it agrees with the hand codes in {_interval(first, 'accuracy')}; always saying the "
        f"commonest class would in {whole[BASELINE]:.1%}; balanced accuracy {whole['balanced accuracy']:.1%}."
    ]
    everybody = by_class[(by_class["by"] == "") & (by_class["n"] > 0)]
    for row in everybody.to_dict("records"):
        recall, right = (_known(row, name) for name in ("recall", "precision"))
        words.append(
            f"{row['class']} (n = {row['n']:,}): {recall}; {right}; {row['share_hand']:.1%} by hand, "
            f"{row['share_machine']:.1%} by machine."
        )
    return words + [_worst(str(column), table[table["by"] == column]) for column in rows.groups]


def _worst(column: str, groups: pd.DataFrame) -> str:
    """Where a machine is right least often."""
    known = groups.dropna(subset=["difference"])
    if known.empty:
        return f"By {column}: nothing to compare, since only one group has values of the machine."
    worst = known.iloc[int(known["accuracy"].argmin())]
    low, high = worst["difference_low"] * 100, worst["difference_high"] * 100
    clear = "" if low > 0 or high < 0 else ", which may be chance"
    covered = ", ".join(f"{row.group} {row.coverage:.1%}" for row in groups.itertuples()) if len(groups) <= 6 else ""
    return (
        f"By {column}: accuracy is lowest in {worst['group']}, {_interval(worst, 'accuracy')}, against the rest "
        f"{worst['difference'] * 100:+.1f} percentage points, 95 % CI [{low:+.1f}, {high:+.1f}]{clear}."
        + (f" Coverage: {covered}." if covered else "")
    )


def _known(row: Mapping[Hashable, Any], name: str) -> str:
    """A share with its interval; or that there is none, as precision where the machine never says a class."""
    if np.isnan(row[name]):
        return f"no {name}, since the machine {'says nothing of them' if name == 'recall' else 'never says it'}"
    ends = f"[{row[f'{name}_low']:.1%}, {row[f'{name}_high']:.1%}]"
    return f"{name} {row[name]:.1%}, 95 % CI {ends if np.isfinite(row[f'{name}_low']) else 'unknown'}"


def _interval(row: pd.Series, name: str) -> str:
    return f"{row[name]:.1%}, 95 % CI [{row['low']:.1%}, {row['high']:.1%}]"


def _class_warnings(by_class: pd.DataFrame, said: set[str]) -> list[str]:
    everybody = by_class[by_class["by"] == ""].set_index("class")["n"]
    found = []
    if rare := [f"{name} ({n})" for name, n in everybody.items() if 0 < n < FEW_OF_CLASS]:
        found.append(f"Fewer than {FEW_OF_CLASS} hand codes of: {', '.join(rare)}. Their recall is rough.")
    if unsaid := [str(name) for name, n in everybody.items() if n and name not in said]:
        found.append(
            f"In the hand codes but never said by the machine: {', '.join(unsaid)}. A value of the machine counts as "
            "wrong there; take such codes back (leave them empty) if they mean that nobody can tell."
        )
    if uncoded := [str(name) for name, n in everybody.items() if not n and name in said]:
        found.append(f"Said by the machine but never in the hand codes: {', '.join(uncoded)}.")
    return found


def _named(column: pd.Series) -> pd.Series:
    """Classes by their names; missing where there is none."""
    return strata(column.to_frame("class"), ["class"]).where(column.notna(), None)


def _some(values: set[str]) -> str:
    return ", ".join(sorted(map(repr, values))[:6])
