"""Subgroups: whether a machine errs more on some rows than on others, and whether that may be chance."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.resampling import Array, Spread, spread, unanimous
from visanda.study.validity.against_gold import Scale, judge
from visanda.study.validity.agreement import ratio
from visanda.study.validity.classes import ClassCodes
from visanda.study.validity.judged import Judged, Rows
from visanda.study.validity.labels import LabelCodes
from visanda.study.validity.numbers import NumberCodes

FEW = 10  # rows of a group below which its numbers are left out
ROUGH = 30  # below which they are rough
MOST = 20  # groups of one column that are compared, the largest first
MISSING = "(not known)"
OVER = "share said − coded"
SHARES = ("accuracy", "exact match", "within one step")
COLUMNS = ["by", "group", "n", "measure", "value", "low", "high", "difference", "difference low", "difference high"]


def subgroups(
    gold: pd.Series,
    predicted: pd.Series,
    by: pd.DataFrame,
    probability: pd.Series | pd.DataFrame | None = None,
    *,
    scale: Scale = "nominal",
    values: Sequence[Hashable] | None = None,
    weights: pd.Series | None = None,
    positive: Hashable | None = None,
    groups: pd.Series | None = None,
    resamples: int = 1000,
    seed: int = 1,
) -> Result:
    """Validity in each subgroup, and how far it is from that of all other rows.

    Args:
        gold: (n,) codes of people.
        predicted: (n,) the machine's codes of the same rows, in the same order and with the same index.
        by: columns of the same rows, each of which splits them into subgroups; missing values are one of their own.
        probability: as of ``validity``.
        scale: as of ``validity``.
        values: as of ``validity``.
        weights: as of ``validity``.
        positive: as of ``validity``.
        groups: as of ``validity``.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        A Result with columns by, group, n (rows), measure, value, low, high (95 %), and difference, with its own
        interval: what the group has less what all other rows have. Of two classes, ``share said − coded`` is how far
        the machine counts the positive one too often (Chouldechova 2017 and others speak of predictive
        and error balance): where it differs between groups, so do the errors of a regression. Groups of fewer than 10
        rows have n only.

    Raises:
        InputError: as ``validity``; or no column to split by.
    """
    if not len(by.columns):
        raise InputError("no column to split by: name one or more")
    if not by.index.equals(gold.index):
        raise InputError("gold and by are not about the same rows in the same order: join them by id first")
    rows, codes = judge(gold, predicted, probability, scale, values, weights, positive, groups)
    tables, warnings = [], []
    for name in by:
        column = by[name].iloc[rows.place]
        members = column.astype("string").fillna(MISSING).to_numpy(dtype=object)
        table, told = _split(str(name), members, rows, codes, resamples, seed)
        tables.append(table)
        warnings += told
    table = pd.concat(tables, ignore_index=True)[COLUMNS]
    return Result(
        "Validity by subgroup",
        table,
        _words(table),
        warnings,
        draw=partial(subgroups_plot, table),
        provenance={"by": [str(name) for name in by], "n": len(rows.gold), "resamples": resamples, "seed": seed},
    )


def _split(
    name: str, members: np.ndarray, rows: Rows, codes: Judged, resamples: int, seed: int
) -> tuple[pd.DataFrame, list[str]]:
    counts = pd.Series(members).value_counts()
    kept, warnings = list(counts.index[:MOST]), []
    if len(counts) > MOST:
        warnings.append(f"{name} has {len(counts):,} values: the {MOST} most frequent are compared")
    if len(counts) == 1:
        warnings.append(f"{name} has one value only ({kept[0]}): there is nothing to compare")
    found = []
    for group in sorted(kept, key=str):
        mine = members == group
        n = int(mine.sum())
        if n < FEW:
            found.append(pd.DataFrame({"by": [name], "group": [group], "n": [n]}))
            continue
        drawn = spread(partial(_within, codes, mine), rows.weight, rows.group, resamples, seed)
        table = _table(drawn, rows, codes, mine)
        found.append(table.assign(by=name, group=group, n=n))
    small = [group for group in kept if counts[group] < FEW]
    rough = [group for group in kept if FEW <= counts[group] < ROUGH]
    if small:
        warnings.append(f"{name}: fewer than {FEW} rows of {', '.join(sorted(small))}; nothing is said of them")
    if rough:
        warnings.append(f"{name}: fewer than {ROUGH} rows of {', '.join(sorted(rough))}; their numbers are rough")
    return pd.concat(found, ignore_index=True).reindex(columns=COLUMNS), warnings


def _within(codes: Judged, mine: np.ndarray, weight: Array) -> dict[str, Array]:
    """The measures of a group, and by how much they exceed those of the others."""
    inside, outside = _main(codes, weight * mine), _main(codes, weight * ~mine)
    return inside | {f"- {name}": inside[name] - outside[name] for name in inside}


def _main(codes: Judged, weight: Array) -> dict[str, Array]:
    """The measures that groups are compared by."""
    if isinstance(codes, NumberCodes):
        names = ["mean absolute error", "mean error", "correlation"]
    elif isinstance(codes, LabelCodes):
        names = ["exact match", "micro F1", "macro F1"]
    else:
        assert isinstance(codes, ClassCodes)
        binary = f"precision of {codes.labels[-1]}", f"recall of {codes.labels[-1]}"
        names = ["accuracy", *(binary if len(codes.labels) == 2 else ["macro F1"])]
        names += ["within one step"] if codes.ordered else []
    every = codes.measure(weight)
    found = {name: every[name] for name in names}
    if isinstance(codes, ClassCodes) and len(codes.labels) == 2:
        over = (codes.said == 1).astype(float) - (codes.true == 1)
        found[OVER] = ratio(weight @ over, weight.sum(axis=-1))
    return found


def _table(drawn: Spread, rows: Rows, codes: Judged, mine: np.ndarray) -> pd.DataFrame:
    lines = []
    for name in (one for one in drawn.point if not one.startswith("- ")):
        ends = drawn.interval(name)
        if name in SHARES:
            ends = unanimous(drawn.point[name], ends, rows.of(mine))
        elif isinstance(codes, ClassCodes) and name.startswith(("precision of", "recall of")):
            among = (codes.said if name.startswith("precision") else codes.true) == 1
            ends = unanimous(drawn.point[name], ends, rows.of(mine & among))
        lines.append((name, drawn.point[name], *ends, drawn.point[f"- {name}"], *drawn.interval(f"- {name}")))
    return pd.DataFrame(lines, columns=COLUMNS[3:])


def _words(table: pd.DataFrame) -> list[str]:
    """The differences that are not chance; and how many were looked at."""
    known = table.dropna(subset=["difference low"])
    apart = known[(known["difference low"] > 0) | (known["difference high"] < 0)]
    words = [
        f"{row['by']} = {row['group']}: {row['measure']} is {row['value']:.3f}, {row['difference']:+.3f} against the "
        f"others (95 % interval {row['difference low']:+.3f} to {row['difference high']:+.3f})."
        for row in apart.to_dict("records")
    ]
    looked = len(known)
    if not looked:
        return ["No two subgroups are large enough to be compared."]
    if words:
        words.append(
            f"Of {looked} differences that were looked at, about {0.05 * looked:.1f} would seem to be there by chance "
            "alone."
        )
        return words
    return [
        f"None of {looked} differences between subgroups can be told from chance on so many rows. That is not to say "
        "that there are none: see how wide the intervals are."
    ]


def subgroups_plot(table: pd.DataFrame) -> Figure:
    """Each subgroup's first measures with their intervals."""
    known = table.dropna(subset=["value"])
    names = list(dict.fromkeys(known["measure"]))[:4]
    lines = known.drop_duplicates(["by", "group"])[["by", "group", "n"]]
    labels = [f"{row.group} ({row.n})" for row in lines.itertuples()]
    several = lines["by"].nunique() > 1
    if several:
        labels = [f"{row.by}: {label}" for row, label in zip(lines.itertuples(), labels, strict=True)]
    figure = Figure(figsize=(1.6 + 2.1 * max(1, len(names)), 1.3 + 0.3 * max(1, len(lines))), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, max(1, len(names)), sharey=True))
    for axes, name in zip(panels, names, strict=False):
        one = known[known["measure"] == name].set_index(["by", "group"])
        one = one.reindex(pd.MultiIndex.from_frame(lines[["by", "group"]]))
        place = np.arange(len(lines))
        apart = ((one["difference low"] > 0) | (one["difference high"] < 0)).to_numpy()
        colours = np.where(apart, "#D55E00", "#0072B2")
        axes.hlines(place, one["low"], one["high"], color=colours, linewidth=1.8)
        axes.scatter(one["value"], place, color=colours, s=24, zorder=3)
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_yticks(np.arange(len(lines)), labels)
    panels[0].invert_yaxis()
    figure.supxlabel("95 % intervals; orange: differs from all others", fontsize=8)
    return figure
