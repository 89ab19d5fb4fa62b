"""The figure of a validity: confusion matrix, beside it how far probabilities can be believed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

MOST_COUNTS = 15  # classes above which the cells carry no numbers


def validity_plot(counts: pd.DataFrame, bins: pd.DataFrame | None, asked: str) -> Figure:
    """Draw the confusion matrix and, where there are probabilities, the calibration curve.

    Args:
        counts: rows of each gold class (rows) and predicted class (columns).
        bins: probability, share and weight of each bin of probabilities; None: no curve.
        asked: what the probability is of, for the axis.
    """
    side = min(7.0, max(3.6, 1.6 + 0.5 * len(counts)))
    figure = Figure(figsize=(side if bins is None else side + 4.0, side), layout="constrained")
    if bins is None:
        count_map(figure.subplots(), counts, "Gold", "Predicted")
        return figure
    left, right = figure.subplots(1, 2, width_ratios=[side, 3.6])
    count_map(left, counts, "Gold", "Predicted")
    _calibration(right, bins, asked)
    return figure


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


def _calibration(axes: Axes, bins: pd.DataFrame, asked: str) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, zorder=0)
    axes.plot(bins["probability"], bins["share"], color="#0072B2", linewidth=1.5)
    size = 20 + 180 * bins["weight"] / bins["weight"].sum()
    axes.scatter(bins["probability"], bins["share"], s=size, color="#0072B2", zorder=2)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axes.set_xlabel(asked[:1].upper() + asked[1:])
    axes.set_ylabel("Share it is true of")
    axes.set_title("Calibration (dots: size by rows)", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
