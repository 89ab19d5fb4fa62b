"""Figure of shares by group: points with intervals; over time, where groups are numbers or dates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.columns import numbers, numeric, require_columns
from visanda.study.output.coefficients_figure import MARKERS, PALETTE, SPREAD, TITLE, colours, folded
from visanda.study.output.given import called
from visanda.study.regression.coefficients import Z95

ASIDE = 0.12  # of the least distance of two places, between intervals of one
WIDEST = 0.7  # of that distance, from the first interval of a place to the last
LINE = 0.24  # inches a group and method
WHOLE = 0.06  # a range from which whole per cents are marked
OUTSIDE = 0.5  # a corrected share can leave 0-1 by chance, but not by this much
DATE = r"\d{4}-\d{2}(-\d{2})?"


def shares_figure(
    shares: Result | pd.DataFrame,
    *,
    group: str = "group",
    by: str | None = "method",
    title: str = "",
    label: str = "Share",
) -> Figure:
    """Draw the share, or the predicted probability, of each group with its interval.

    Args:
        shares: a row a group (and method), with ``estimate`` in 0-1 and ``low`` and ``high`` or ``se``; where these
            are missing, a point stands without an interval. Rows without an estimate are left out.
        group: column of groups. Numbers and dates (also as text, 2024-05 or 2024-05-01) stand on a line from left to
            right; other text from above to below, in the order of the table.
        by: column of what is compared within a group, each with a colour and a marker; ignored where the table has
            none; None: nothing.
        title: above the figure.
        label: what the shares are of ("Share of posts that show protest").

    Raises:
        InputError: a column is missing or empty in places, shares given in per cent, more than 8 methods, a group
            twice.

    Example:
        >>> table = pd.DataFrame({"group": ["news", "sport"], "estimate": [0.2, 0.4], "se": [0.02, 0.05]})
        >>> figure = shares_figure(table)
        >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
        ['news', 'sport']
    """
    table = shares.table if isinstance(shares, Result) else shares
    if not isinstance(table, pd.DataFrame):
        raise InputError(f"{called(shares)} has no shares: give the Result of shares_by, or a table")
    if isinstance(shares, Result) and "adjusted" in table:
        raise InputError("adjusted counts have a figure of their own: result.figure")
    rows = _rows(table, group, by)
    methods = list(dict.fromkeys(rows["by"]))
    if len(methods) > len(PALETTE):
        raise InputError(f"{len(methods)} {by}s in one figure: at most {len(PALETTE)} can be told apart")
    ordered = not isinstance(rows["group"].iloc[0], str)
    places = list(dict.fromkeys(rows["group"]))
    size = (7.2, 3.6) if ordered else (7.2, 1.3 + len(places) * (0.14 + LINE * len(methods)))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    for place, (method, colour) in enumerate(zip(methods, colours(methods), strict=True)):
        mine = rows[rows["by"] == method]
        if ordered:
            apart = _step(rows["group"]) * min(ASIDE, WIDEST / len(methods))
            aside = (place - (len(methods) - 1) / 2) * apart if len(methods) > 1 else None
            _over_time(axes, mine, colour, MARKERS[place], method, aside)
        else:
            height = np.array([places.index(name) for name in mine["group"]])
            aside = SPREAD * ((place + 0.5) / len(methods) - 0.5)
            _listed(axes, mine, height + aside, colour, MARKERS[place], method)
    _percent(axes.yaxis if ordered else axes.xaxis, rows)
    if rows["low"].min() < 0:  # by chance: nobody should read it as a share
        (axes.axhline if ordered else axes.axvline)(0, color="0.6", linewidth=0.8, zorder=0)
    said = f"{label} (95 % intervals)"
    if ordered:
        axes.set_title(said, fontsize=9, loc="left")
        axes.set_xlabel("" if group == "group" else group)
        if pd.api.types.is_numeric_dtype(rows["group"]) and (rows["group"] % 1 == 0).all():
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        axes.set_xlabel(said, fontsize=9)
        axes.set_yticks(np.arange(len(places)), [folded(place) for place in places])
        axes.set_ylim(len(places) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(folded(title, TITLE), fontsize=11, x=0.01, ha="left")
    if len(methods) > 1:
        figure.legend(loc="outside lower left", frameon=False, fontsize=9, ncols=4)
    return figure


def _rows(table: pd.DataFrame, group: str, by: str | None) -> pd.DataFrame:
    """group, by, estimate, low and high; groups as numbers, dates or text."""
    require_columns(table, [group, "estimate"], "the column")
    if table.empty or table[group].isna().any():
        raise InputError(f"no rows, or rows without {group!r}: name every group, also that of missing values")
    b = numbers(table, "estimate")
    if {"low", "high"} <= set(table.columns):
        low, high = numbers(table, "low"), numbers(table, "high")
    else:
        require_columns(table, ["se"], "low and high, or")
        low, high = b - Z95 * numbers(table, "se"), b + Z95 * numbers(table, "se")
    if b.isna().all():
        raise InputError("no share is known: estimate is missing in all rows")
    if ((b < -OUTSIDE) | (b > 1 + OUTSIDE)).any():
        raise InputError(f"estimate goes up to {b.max():g}: shares lie in 0-1; divide per cents by 100")
    groups = _dates(numeric(table[group]))
    if not (pd.api.types.is_numeric_dtype(groups) or pd.api.types.is_datetime64_any_dtype(groups)):
        groups = groups.astype(str)
    said = table[by].astype(str) if by and by in table else pd.Series("", index=table.index)
    rows = pd.DataFrame({"group": groups, "by": said, "estimate": b, "low": low, "high": high})
    rows = rows[rows["estimate"].notna()]
    if rows.duplicated(["group", "by"]).any():
        twice = rows[rows.duplicated(["group", "by"])].iloc[0]
        raise InputError(f"{group} {twice['group']} stands there twice: name what tells the rows apart with by=")
    return rows


def _step(groups: pd.Series) -> Any:
    """The least distance of two places on the line."""
    far = pd.Series(groups.unique()).sort_values().diff().min()
    return far if pd.notna(far) else groups.iloc[0] - groups.iloc[0]


def _dates(groups: pd.Series) -> pd.Series:
    """Text that holds dates only, as dates."""
    if pd.api.types.is_numeric_dtype(groups) or not groups.astype(str).str.fullmatch(DATE).all():
        return groups
    return pd.to_datetime(groups.astype(str))


def _over_time(axes: Axes, rows: pd.DataFrame, colour: str, marker: str, method: str, aside: Any) -> None:
    """A line with its band; where several lines would hide each other's, with an interval a place, moved ``aside``."""
    rows = rows.sort_values("group")
    if aside is None:
        axes.fill_between(rows["group"], rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0)
        axes.plot(rows["group"], rows["estimate"], "-", marker=marker, color=colour, markersize=5, label=method)
        return
    where = rows["group"] + aside
    axes.vlines(where, rows["low"], rows["high"], color=colour, linewidth=1.6)
    axes.plot(where, rows["estimate"], ":", marker=marker, color=colour, markersize=5, linewidth=0.9, label=method)


def _listed(axes: Axes, rows: pd.DataFrame, height: np.ndarray, colour: str, marker: str, method: str) -> None:
    axes.hlines(height, rows["low"], rows["high"], color=colour, linewidth=2)
    axes.plot(rows["estimate"], height, marker, color=colour, markersize=6, label=method)


def _percent(axis: Axis, rows: pd.DataFrame) -> None:
    narrow = rows["high"].max() - rows["low"].min() < WHOLE
    axis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(PercentFormatter(1, decimals=1 if narrow else 0))
