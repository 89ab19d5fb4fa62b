"""The figure of an estimate: a panel a term, a line a method, with 95 % intervals."""

from __future__ import annotations

from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visanda.study.wording import in_focus, readable

# Okabe & Ito's colours, told apart by colour-blind readers.
COLOURS = {"naive": "#D55E00", "gold only": "#7F7F7F", "corrected": "#0072B2", "truth": "#009E73"}
MOST_PANELS = 12
PANELS_A_ROW = 3


def coefficient_plot(table: pd.DataFrame, title: str, scale: str, zero: bool) -> Figure:
    """Draw ``table`` (method, term, estimate, low, high).

    Args:
        table: a row a method and term. A method named "truth" becomes a vertical line.
        title: above the panels.
        scale: what the estimates measure, below the panels.
        zero: whether 0 means "no effect" and is marked.
    """
    terms = in_focus(list(dict.fromkeys(table["term"])))
    shown = terms[:MOST_PANELS]
    methods = [method for method in dict.fromkeys(table["method"]) if method != "truth"]
    across = 2 if len(shown) == 4 else min(PANELS_A_ROW, len(shown))  # four stand better as two by two
    down = ceil(len(shown) / across)
    figure = Figure(figsize=(1.6 + 2.7 * across, 1.0 + (0.6 + 0.36 * len(methods)) * down), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False, sharey=True)
    for axes, term in zip(grid.flat, shown, strict=False):
        _panel(axes, table[table["term"] == term], methods, zero)
        axes.set_title(readable(term), fontsize=10)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    more = f"; {len(terms) - len(shown)} more terms in the table" if len(terms) > len(shown) else ""
    truth = "; dashed: truth" if "truth" in set(table["method"]) else ""
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    figure.supxlabel(f"{scale}, with 95 % intervals{truth}{more}", fontsize=9)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, methods: list[str], zero: bool) -> None:
    if zero:
        axes.axvline(0, color="0.6", linewidth=0.8, zorder=0)
    for height, method in enumerate(methods):
        colour = COLOURS[method.split(" (")[0]]
        mine = rows[rows["method"] == method]
        axes.hlines([height] * len(mine), mine["low"], mine["high"], color=colour, linewidth=2)
        axes.plot(mine["estimate"], [height] * len(mine), "o", color=colour, markersize=6)
    for value in rows.loc[rows["method"] == "truth", "estimate"]:
        axes.axvline(value, color=COLOURS["truth"], linewidth=1.5, linestyle=(0, (4, 2)), zorder=1)
    axes.set_yticks(np.arange(len(methods)), methods, fontsize=9)
    axes.set_ylim(len(methods) - 0.4, -0.6)
    axes.margins(x=0.08)
    axes.tick_params(axis="x", labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=5)
    axes.spines[["top", "right", "left"]].set_visible(False)
