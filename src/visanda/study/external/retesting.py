"""Retest: measure the same things again, and see how far each column moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.columns import require_columns
from visanda.study.external.moved import kind_of, moved
from visanda.study.external.retest_plot import retest_plot
from visanda.study.wording import number

AGAIN = "again"
FEW = 30
GOOD = 0.9  # an ICC above it is excellent (Koo & Li 2016); of shares and cosines the same line is drawn
POOR = 0.75
MOST_SAID = 6


def retest(
    original: pd.DataFrame,
    again: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    columns: Sequence[str] | None = None,
    key: str = "id",
    resamples: int = 500,
    seed: int = 1,
) -> Result:
    """Test–retest: how far each column moves when the same things are measured again, or after a change.

    Args:
        original: a row a unit, with the column ``key``.
        again: the same units measured again: one table, or by name of a change (``"JPEG 30"``) a table each.
        columns: which; None: all that both tables have. Numbers; labels (text, booleans, lists of labels); vectors
            (lists of numbers, as long as each other).
        key: the column that names units; those that are not in both tables are left out.
        resamples: of the bootstrap of the intraclass correlation; 0 for none.
        seed: of the bootstrap.

    Returns:
        A Result with a row for each column and change: ``kind`` (number, label or vector), ``n`` units with both
        values, ``lost``, with one of the two only, ``same``, the share of units whose value is exactly as before; of
        numbers ``icc``, ICC(2,1) of absolute agreement (Shrout & Fleiss 1979), with interval, and, in standard
        deviations of the original values, ``moved`` and ``moved_p95``, mean and 95th percentile of the absolute
        change, and ``shift``, its mean with sign; of vectors ``cosine``, mean cosine of a unit's two vectors,
        ``cosine_p5``, its 5th percentile, ``cosine_others``, mean cosine of two different units, and
        ``found_again``, the share of units that of all originals are nearest to their own; ``stability``: icc, same
        or cosine, by kind; 1 where nothing moves.

    Raises:
        InputError: no key, keys that repeat, no units or columns in common, a column of another kind in one table.

    Example:
        >>> before = pd.DataFrame({"id": list("abcd"), "brightness": [0.1, 0.4, 0.6, 0.9]})
        >>> after = before.assign(brightness=before["brightness"] + 0.05)
        >>> found = retest(before, {"brighter": after}, resamples=0).table
        >>> found[["moved", "shift", "same"]].round(3).values.tolist()
        [[0.149, 0.149, 0.0]]
    """
    tables = dict(again) if isinstance(again, Mapping) else {AGAIN: again}
    if not tables:
        raise InputError("measure the units again first: there is no second table")
    names = _columns(original, tables, columns, key)
    skipped = [str(name) for name in original if name not in (*names, key, "error")] if columns is None else []
    base = _keyed(original, key, "the original table")
    rows: list[dict[str, object]] = []
    for change, table in tables.items():
        other = _keyed(table, key, f"the table of {change}")
        units = base.index.intersection(other.index, sort=False)
        if units.empty:
            raise InputError(
                f"no unit of {change} is in the original table: are both named by {key!r} in the same way?"
            )
        for name in names:
            one, two = base.loc[units, name], other.loc[units, name]
            rows.append({"column": name, "change": change, **vars(moved(one, two, resamples, seed))})
    table = pd.DataFrame(rows)
    table = table[[name for name in table if name in ("stability", "n") or table[name].notna().any()]]
    return Result(
        title="Test and retest: how far each column moves",
        table=table,
        words=_words(table) + ([f"Of a kind that cannot be compared: {', '.join(skipped)}."] if skipped else []),
        warnings=_warnings(table),
        draw=partial(retest_plot, table),
        provenance={"units": len(base), "changes": list(tables), "resamples": resamples, "seed": seed},
    )


def _columns(
    original: pd.DataFrame, tables: Mapping[str, pd.DataFrame], columns: Sequence[str] | None, key: str
) -> list[str]:
    """What is compared: the columns asked for, or all that every table has and that hold something comparable."""
    require_columns(original, [key], "the key")
    if columns is not None:
        for table in (original, *tables.values()):
            require_columns(table, columns)
        return list(columns)
    free = [str(name) for name in original if name not in (key, "error")]
    shared = [name for name in free if all(name in table for table in tables.values())]
    comparable = [name for name in shared if kind_of(original[name]) is not None]
    if not comparable:
        raise InputError(
            f"the tables share no column of numbers, labels or vectors besides {key!r}; the original's columns are "
            f"{', '.join(map(str, original))}"
        )
    return comparable


def _keyed(table: pd.DataFrame, key: str, what: str) -> pd.DataFrame:
    require_columns(table, [key], "the key")
    if table[key].isna().any() or table[key].duplicated().any():
        raise InputError(f"{key!r} is missing or repeats in {what}: one row a unit")
    return table.set_index(key)


def _words(table: pd.DataFrame) -> list[str]:
    scored = table.dropna(subset=["stability"])
    if scored.empty:
        return ["No column varies enough to say how far it moves."]
    well = int((scored["stability"] >= GOOD).sum())
    words = [
        f"{well} of {len(scored)} pairs of column and change have a stability of {GOOD:g} or more (ICC(2,1) of "
        "numbers, share of equal labels, cosine of vectors)."
    ]
    by_change = scored.groupby("change", sort=False)
    for change, rows in by_change:
        worst = rows.sort_values("stability").iloc[0]
        words.append(
            f"{change}: lowest for {worst['column']} ({number(worst['stability'])}), median "
            f"{number(float(rows['stability'].median()))}{_typical(rows)}."
        )
    weak = scored[scored["stability"] < POOR].sort_values("stability")
    if len(weak):
        few = weak.head(MOST_SAID)[["column", "change", "stability"]].to_numpy().tolist()
        some = "; ".join(f"{column} under {change} ({number(value)})" for column, change, value in few)
        more = f"; and {len(weak) - MOST_SAID} more" if len(weak) > MOST_SAID else ""
        words.append(f"Below {POOR:g}: {some}{more}.")
    return words


def _typical(rows: pd.DataFrame) -> str:
    """How far numbers move under a change, where there are numbers."""
    if "moved" not in rows or rows["moved"].isna().all():
        return ""
    return f"; numbers move by {number(float(rows['moved'].median()))} standard deviations (median of their means)"


def _warnings(table: pd.DataFrame) -> list[str]:
    found = []
    if table["n"].min() < FEW:
        found.append(f"Only {table['n'].min()} units have both values: intervals are wide; measure {FEW} or more.")
    if len(flat := table.loc[table["stability"].isna(), "column"].unique()):
        found.append(f"No stability, for want of values that vary: {', '.join(flat)}.")
    lost = table[table["lost"] > 0]
    if len(lost):
        some = lost.sort_values("lost", ascending=False).iloc[0]
        found.append(
            f"Some units have a value in only one of the two, and are not in these numbers (most: {some['lost']} in "
            f"{some['column']} under {some['change']}): a change can also make a value appear or disappear."
        )
    return found
