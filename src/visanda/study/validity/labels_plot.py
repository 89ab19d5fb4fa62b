"""The figure of labels: how well each is found, and how often it is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

INK, OTHER = "#0072B2", "#D55E00"


def labels_plot(by_label: pd.DataFrame) -> Figure:
    """Draw F1 with its interval and the share of rows, in gold and as predicted, a line a label.

    Args:
        by_label: label, support, F1, F1 low, F1 high, share in gold, share predicted.
    """
    rows = by_label.sort_values("share in gold", ascending=False)
    places = np.arange(len(rows))
    figure = Figure(figsize=(9.4, max(2.8, 1.4 + 0.36 * len(rows))), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    reach = np.stack([rows["F1"] - rows["F1 low"], rows["F1 high"] - rows["F1"]])
    left.errorbar(rows["F1"], places, xerr=np.nan_to_num(reach).clip(min=0), fmt="o", color=INK, capsize=2.5)
    left.set_yticks(places, [f"{row.label} (n = {row.support:,})" for row in rows.itertuples()])
    left.set(xlim=(-0.02, 1.02), ylim=(len(rows) - 0.4, -0.6))
    left.set_title("F1 (95 % intervals)", fontsize=10)
    right.hlines(places, rows["share in gold"], rows["share predicted"], color="0.75", linewidth=2, zorder=0)
    right.scatter(rows["share in gold"], places, color="0.2", s=34, label="gold")
    right.scatter(rows["share predicted"], places, s=34, label="predicted", color="white", edgecolor=OTHER, linewidth=2)
    right.set_xlim(left=0)
    right.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    right.set_title("Share of rows that have it", fontsize=10)
    right.legend(fontsize=8, frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure
