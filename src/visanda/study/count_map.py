"""A map of counts: who said what against whom, coloured by the share of each row."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

MOST_COUNTS = 15  # classes above which the cells carry no numbers


def count_map(axes: Axes, counts: pd.DataFrame, rows: str, columns: str) -> None:
    """A table of counts, coloured by the share of its row; ``rows`` and ``columns`` name the axes."""
    values = counts.to_numpy(dtype=float)
    total = values.sum(axis=1, keepdims=True)
    share = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    if len(counts) <= MOST_COUNTS:
        for (row, column), value in np.ndenumerate(values):
            colour = "white" if share[row, column] > 0.6 else "0.15"
            text = f"{value:,.0f}\n{share[row, column]:.0%}" if total[row] else "0"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    turned = max(len(str(label)) for label in counts.columns) * len(counts) > 30
    axes.set_xticks(
        range(counts.shape[1]),
        counts.columns,
        rotation=45 if turned else 0,
        ha="right" if turned else "center",
    )
    axes.set_yticks(range(counts.shape[0]), counts.index)
    axes.set_xlabel(columns)
    axes.set_ylabel(rows)
    axes.set_title("Rows of each class, and share of gold" if rows == "Gold" else "", fontsize=10)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
