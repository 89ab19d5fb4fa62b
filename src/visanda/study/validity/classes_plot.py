"""The figure of a validity: confusion matrix, beside it how far probabilities can be believed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visanda.study.count_map import count_map

Curve = tuple[pd.DataFrame, float, str]


def validity_plot(counts: pd.DataFrame, bins: pd.DataFrame | None, asked: str, curve: Curve | None = None) -> Figure:
    """Draw the confusion matrix and, where there are probabilities, the calibration curve.

    Args:
        counts: rows of each gold class (rows) and predicted class (columns).
        bins: probability, share and weight of each bin of probabilities; None: no curve.
        asked: what the probability is of, for the axis.
        curve: of a rare class: recall and precision from the highest probability down, the share of rows that it is
            true of, its name; None: no such curve.
    """
    side = min(7.0, max(3.6, 1.6 + 0.5 * len(counts)))
    if bins is None:
        figure = Figure(figsize=(side, side), layout="constrained")
        count_map(figure.subplots(), counts, "Gold", "Predicted")
        return figure
    widths = [side, 3.6] + ([3.6] if curve else [])
    figure = Figure(figsize=(sum(widths) + 0.4, side), layout="constrained")
    panels = figure.subplots(1, len(widths), width_ratios=widths)
    count_map(panels[0], counts, "Gold", "Predicted")
    _calibration(panels[1], bins, asked)
    if curve:
        _precision_recall(panels[2], *curve)
    return figure


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


def _precision_recall(axes: Axes, curve: pd.DataFrame, share: float, name: str) -> None:
    axes.axhline(share, color="0.7", linewidth=1, linestyle=":")
    axes.annotate("by chance", (1, share), fontsize=8, color="0.4", ha="right", va="bottom")
    recall, precision = np.r_[0, curve["recall"]], np.r_[curve["precision"].iloc[0], curve["precision"]]
    axes.step(recall, precision, where="pre", color="#0072B2", linewidth=1.5)
    now = curve[curve["threshold"] >= 0.5].tail(1)
    axes.scatter(now["recall"], now["precision"], s=36, color="#D55E00", zorder=3, label="threshold .5")
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal", xlabel="Recall", ylabel="Precision")
    axes.set_title(f"Precision and recall of {name}", fontsize=10)
    if len(now):
        axes.legend(fontsize=8, frameon=False, loc="lower left")
    axes.spines[["top", "right"]].set_visible(False)
