"""The figure of MC-SIMEX: each coefficient against added error, followed back to a machine without errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visanda.study.wording import in_focus, readable

# As in the coefficient plot: Okabe & Ito's colours.
NAIVE, CORRECTED, ADDED = "#D55E00", "#0072B2", "#7F7F7F"
MOST_PANELS = 12
PANELS_A_ROW = 3
DEGREE = 2


def simex_plot(path: pd.DataFrame, table: pd.DataFrame, title: str) -> Figure:
    """Draw a panel a term.

    Args:
        path: method, term, added, estimate; -1 added is a machine without errors.
        table: method, term, low and high (95 %).
        title: above the panels.
    """
    terms = in_focus(list(dict.fromkeys(path["term"])))
    shown = terms[:MOST_PANELS]
    across = 2 if len(shown) == 4 else min(PANELS_A_ROW, len(shown))
    down = -(-len(shown) // across)
    figure = Figure(figsize=(1.2 + 3.4 * across, 1.1 + 2.6 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False)
    for axes, term in zip(panels.flat, shown, strict=False):
        _panel(axes, path[path["term"] == term], table[table["term"] == term].set_index("method"))
        axes.set_title(readable(term), fontsize=10)
    for axes in panels.flat[len(shown) :]:
        axes.set_visible(False)
    more = f"; {len(terms) - len(shown)} more terms in the table" if len(terms) > len(shown) else ""
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    figure.supxlabel(f"Added error (0: the machine as it is, −1: a machine without errors){more}", fontsize=9)
    figure.supylabel("Coefficient, with 95 % intervals", fontsize=9)
    return figure


def _panel(axes: Axes, path: pd.DataFrame, intervals: pd.DataFrame) -> None:
    known = path[path["added"] >= 0]
    curve = np.polyfit(known["added"], known["estimate"], DEGREE)
    beyond, within = np.linspace(-1, 0, 50), np.linspace(0, known["added"].max(), 50)
    axes.axhline(0, color="0.85", linewidth=0.8, zorder=0)
    axes.plot(within, np.polyval(curve, within), color=ADDED, linewidth=1.5)
    axes.plot(beyond, np.polyval(curve, beyond), color=CORRECTED, linewidth=1.5, linestyle=(0, (4, 2)))
    rest = known[known["added"] > 0]
    axes.plot(rest["added"], rest["estimate"], "o", color=ADDED, markersize=4.5)
    for method, place, colour, marker in (("naive", 0, NAIVE, "o"), ("MC-SIMEX", -1, CORRECTED, "D")):
        line = intervals.loc[method]
        axes.vlines(place, line["low"], line["high"], color=colour, linewidth=2)
        axes.plot(place, line["estimate"], marker, color=colour, markersize=6)
        axes.annotate(method, (place, line["high"]), (4, 3), textcoords="offset points", fontsize=8, color=colour)
    axes.set_xticks([-1, 0, *sorted(rest["added"])])
    axes.margins(y=0.15)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
