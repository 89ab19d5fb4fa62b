"""The figure of a retest: a heat map of how stable each column is under each change."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

DARK = 0.6  # of the scale, below which numbers are written in white
LOWEST = 0.5  # where the scale of colours begins, unless something is lower still
MOST = 60  # columns; the least stable are shown


def retest_plot(table: pd.DataFrame) -> Figure:
    """Draw column × change, the least stable columns at the top.

    Args:
        table: columns column, change and stability.
    """
    changes = table["change"].unique()
    wide = table.pivot(index="column", columns="change", values="stability")[list(changes)]
    wide = wide.loc[wide.min(axis=1).sort_values(kind="stable").index[:MOST]]
    figure = Figure(figsize=(2.6 + 0.8 * len(changes), 1.5 + 0.3 * len(wide)), layout="constrained")
    axes = figure.subplots()
    values = wide.to_numpy(float)
    known = values[np.isfinite(values)]
    low = max(0.0, min(LOWEST, float(known.min()))) if len(known) else LOWEST
    drawn = axes.imshow(values, cmap="viridis", vmin=low, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        dark = (value - low) / (1 - low) < DARK
        text = "–" if np.isnan(value) else f"{round(value, 2) + 0.0:.2f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else "0.1")
    axes.set_xticks(range(len(changes)), list(changes), rotation=35, ha="right", fontsize=9)
    axes.set_yticks(range(len(wide)), list(wide.index), fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(drawn, ax=axes, label="Stability: 1 where nothing moves", shrink=0.8)
    return figure
