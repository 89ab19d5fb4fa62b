"""The figure of drift between coded pictures and the rest: differences of numbers, and of looks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visanda.study.drift.told_apart import Look

SMALL = 0.1  # standard deviations, shaded (Austin 2009)
MOST_DRAWN = 15
INK, OTHER = "#0072B2", "#D55E00"


def drift_plot(table: pd.DataFrame, look: Look | None) -> Figure:
    """Draw standardised differences, the largest first, beside how well coded pictures can be told from the rest.

    Args:
        table: column, difference, low and high.
        look: scores of the classifier; None: not drawn.
    """
    shown = table.dropna(subset=["difference"]).head(MOST_DRAWN)
    panels = int(len(shown) > 0) + int(look is not None)
    figure = Figure(figsize=(5.4 * max(panels, 1), max(3.2, 1.4 + 0.3 * len(shown))), layout="constrained")
    all_axes = list(np.atleast_1d(figure.subplots(1, max(panels, 1))))
    if len(shown):
        _differences(all_axes.pop(0), shown)
    if look is not None:
        _scores(all_axes.pop(0), look)
    return figure


def _differences(axes: Axes, shown: pd.DataFrame) -> None:
    places = np.arange(len(shown))
    axes.axvspan(-SMALL, SMALL, color="0.93", zorder=0)
    axes.axvline(0, color="0.7", linewidth=1, zorder=1)
    axes.hlines(places, shown["low"], shown["high"], color="#9ecae1", linewidth=4)
    axes.plot(shown["difference"], places, "o", color=INK, markersize=5)
    axes.set_yticks(places, shown["column"].tolist(), fontsize=9)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    reach = max(0.5, float(shown[["low", "high"]].abs().to_numpy().max()) * 1.05)
    axes.set_xlim(-reach, reach)
    axes.set_xlabel("Coded − rest, in standard deviations (95 % intervals)")
    axes.spines[["top", "right"]].set_visible(False)


def _scores(axes: Axes, look: Look) -> None:
    least, most = np.quantile(np.r_[look.coded, look.rest], [0.002, 0.998])
    edges = np.linspace(float(least), float(most), 31).tolist()
    for values, colour, name in ((look.coded, INK, "coded"), (look.rest, OTHER, "rest")):
        share = np.full(len(values), 1 / len(values))
        axes.hist(np.clip(values, edges[0], edges[-1]), edges, weights=share, color=colour, alpha=0.55, label=name)
    axes.set_xlabel("Looks like a coded picture (log odds)")
    axes.set_ylabel("Share of pictures")
    axes.set_title(f"Told apart with AUC {look.auc:.2f} (0.5: not at all)", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
