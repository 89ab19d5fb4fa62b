"""Known groups: does a measure tell apart groups that are known to differ, and in the right direction?"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from visanda.errors import DesignError, InputError
from visanda.result import Result
from visanda.study.columns import numbers
from visanda.study.external.groups_plot import groups_plot
from visanda.study.external.two_groups import Compared, TwoGroups
from visanda.study.regression.multiple import adjusted
from visanda.study.reliability.coders import label
from visanda.study.wording import number, p_value

FEWEST = 3  # units, or clusters, of each group
FEW = 20
SIGNIFICANT = 0.05
YES, REVERSED, UNCLEAR = "yes", "no, reversed", "not shown"
FIRST = ("higher", "lower", "as_expected", "difference", "low", "high", "p_holm", "g")  # what a screen has room for
MOST_SAID = 8  # pairs; more are read in the table

Pair = tuple[Hashable, Hashable]


def known_groups(
    measured: pd.Series,
    group: pd.Series,
    *,
    order: Sequence[Hashable] | None = None,
    pairs: Sequence[Pair] | None = None,
    clusters: pd.Series | None = None,
    resamples: int = 1000,
    seed: int = 1,
) -> Result:
    """Known-groups validity: groups that theory or common knowledge orders, and what the measure says of them.

    Args:
        measured: (n,) what the measure says; rows that miss it or a group are left out and counted.
        group: (n,) labels, with the same index.
        order: groups from the lowest to the highest expected mean; each is compared with the next.
        pairs: instead of an order, pairs (higher, lower) as they are expected.
        clusters: (n,) what is not independent: intervals and p then come from a bootstrap of whole clusters.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        A Result with a row a pair: means of both; their difference with 95 % interval and two-sided p (Welch 1947),
        and p after Holm's (1979) correction for the number of pairs; Cohen's d (pooled standard deviation) and
        Hedges' g, without the bias of small samples, with interval (Hedges & Olkin 1985); AUC, the probability that a
        unit of the higher group has the larger value, with interval (Newcombe 2006); ``as_expected``: ``yes`` or
        ``no, reversed`` where the corrected p is below .05, else ``not shown``.

    Raises:
        InputError: series of different rows, neither or both of order and pairs, a group that is not there.
        DesignError: a group with fewer than three units (or clusters); a measure that never varies.

    Example:
        >>> people = pd.Series([5.0, 7, 6, 8, 1, 2, 0, 1], name="faces")
        >>> scene = pd.Series(["rally"] * 4 + ["landscape"] * 4)
        >>> found = known_groups(people, scene, order=["landscape", "rally"])
        >>> found.table["as_expected"].tolist(), found.table["auc"].tolist()
        (['yes'], [1.0])
    """
    rows, left_out = _rows(measured, group, clusters)
    asked = _asked(rows, order, pairs)
    found = list(_compared(rows, asked, clusters is not None, resamples, seed))
    table = pd.DataFrame([_row(pair, one) for pair, one in zip(asked, found, strict=True)])
    table.insert(list(table).index("p") + 1, "p_holm", adjusted(table)["p_adjusted"])
    sure = table["p_holm"] < SIGNIFICANT
    table["as_expected"] = np.where(sure & (table["difference"] > 0), YES, np.where(sure, REVERSED, UNCLEAR))
    table = table[[*FIRST, *(column for column in table if column not in FIRST)]]
    name = str(measured.name or "the measure")
    shown = list(dict.fromkeys([*(order or []), *(one for pair in asked for one in reversed(pair))]))
    values = {str(label(one)): rows.loc[rows["group"] == one, "measured"] for one in shown}
    means = rows.groupby("group")["measured"].agg(["size", "mean", "std", "min", "median", "max"])
    return Result(
        title=f"Known groups: {name} by {group.name or 'group'}",
        table=table,
        words=_words(table, name, left_out, clusters is not None),
        warnings=_warnings(table, rows, clusters is not None),
        draw=partial(groups_plot, values, table, name),
        provenance={
            "n": len(rows),
            "left_out": left_out,
            "pairs": [f"{higher} > {lower}" for higher, lower in asked],
            "clusters": rows["cluster"].nunique() if clusters is not None else None,
            "resamples": resamples if clusters is not None else None,
            "seed": seed,
        },
        extra={"groups": means.rename(columns={"size": "n"}).reset_index()},
    )


def _rows(measured: pd.Series, group: pd.Series, clusters: pd.Series | None) -> tuple[pd.DataFrame, int]:
    for name, one in {"group": group, "clusters": clusters}.items():
        if one is not None and not measured.index.equals(one.index):
            raise InputError(
                f"measured and {name} are not about the same rows in the same order: join them by id first"
            )
    made = pd.DataFrame({"measured": measured, "group": group})
    made["measured"] = numbers(made, "measured")
    made["group"] = made["group"].astype(object)
    made["cluster"] = np.arange(len(made)) if clusters is None else clusters
    rows = made.dropna()
    if len(rows) and rows["measured"].nunique() == 1:
        raise DesignError(f"{measured.name or 'the measure'} is {rows['measured'].iloc[0]:g} in every row")
    return rows, len(made) - len(rows)


def _asked(rows: pd.DataFrame, order: Sequence[Hashable] | None, pairs: Sequence[Pair] | None) -> list[Pair]:
    """The pairs (higher, lower) to compare."""
    if (order is None) == (pairs is None):
        raise InputError(
            "say what is expected: order=[lowest, ..., highest], or pairs=[(higher, lower), ...]; known groups are "
            "those of which it is known beforehand"
        )
    asked = [(high, low) for low, high in pairwise(order)] if order is not None else list(map(tuple, pairs or []))
    if not asked or any(len(pair) != 2 or pair[0] == pair[1] for pair in asked):
        raise InputError("name two groups or more: order=[lowest, ..., highest], or pairs of two different groups")
    there = set(rows["group"])
    for pair in asked:
        for one in pair:
            if one not in there:
                some = ", ".join(sorted(label(value) if isinstance(value, float) else repr(value) for value in there))
                raise InputError(f"no row with a value is in the group {one!r}: the groups are {some or 'none'}")
            if (n := rows.loc[rows["group"] == one, "cluster"].nunique()) < FEWEST:
                raise DesignError(
                    f"the group {one!r} has only {n} units (or clusters): compare groups of {FEWEST} or more"
                )
    return asked  # type: ignore[return-value]


def _compared(
    rows: pd.DataFrame, asked: Sequence[Pair], clustered: bool, resamples: int, seed: int
) -> Iterator[Compared]:
    for higher, lower in asked:
        both = rows[rows["group"].isin([higher, lower])]
        groups = TwoGroups(both["measured"].to_numpy(), (both["group"] == higher).to_numpy())
        if groups.flat:
            raise DesignError(
                f"within {higher!r} and {lower!r} the measure never varies: there is nothing to weigh a difference by"
            )
        yield groups.by_bootstrap(both["cluster"], resamples, seed) if clustered else groups.by_formula()


def _row(pair: Pair, one: Compared) -> dict[str, object]:
    return {"higher": pair[0], "lower": pair[1], **vars(one)}


def _words(table: pd.DataFrame, name: str, left_out: int, clustered: bool) -> list[str]:
    well = int((table["as_expected"] == YES).sum())
    lost = f" {left_out:,} rows without a value or a group are left out." if left_out else ""
    how = "bootstrap of clusters" if clustered else "Welch's t test"
    holm_ = f", Holm's correction for {len(table)} pairs" if len(table) > 1 else ""
    words = [
        f"{name} tells {well} of {len(table)} pairs of known groups apart as expected ({how}{holm_}, α = .05).{lost}"
    ]
    words += [_pair_said(row) for row in table.head(MOST_SAID).to_dict("records")]
    if len(table) > MOST_SAID:
        words.append(f"The other {len(table) - MOST_SAID} pairs are in the table.")
    return words


def _pair_said(row: dict[Hashable, Any]) -> str:
    return (
        f"{label(row['higher'])} over {label(row['lower'])}: {number(row['mean_higher'])} against "
        f"{number(row['mean_lower'])}, a difference of {number(row['difference'])} (95 % CI {number(row['low'])} to "
        f"{number(row['high'])}, {p_value(row['p_holm'])}), g = {number(row['g'])} ({number(row['g_low'])} to "
        f"{number(row['g_high'])}), AUC {number(row['auc'])} ({number(row['auc_low'])} to {number(row['auc_high'])}): "
        f"{row['as_expected']}."
    )


def _warnings(table: pd.DataFrame, rows: pd.DataFrame, clustered: bool) -> list[str]:
    found = []
    if wrong := [f"{row.higher} over {row.lower}" for row in table.itertuples() if row.as_expected == REVERSED]:
        found.append(f"The measure orders these groups the other way round: {', '.join(wrong)}.")
    sizes = rows[rows["group"].isin([*table["higher"], *table["lower"]])].groupby("group")["cluster"].nunique()
    if len(small := sizes[sizes < FEW]):
        what = "clusters" if clustered else "units"
        found.append(f"Fewer than {FEW} {what} in {', '.join(map(str, small.index))}: a difference may be missed.")
    if (unlike := (table["sd_ratio"] > 2) | (table["sd_ratio"] < 0.5)).any():
        which = ", ".join(f"{row.higher} and {row.lower}" for row in table[unlike].itertuples())
        found.append(f"The spread differs much between {which}: d and g, which pool it, say less than AUC there.")
    return found
