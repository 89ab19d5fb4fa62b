"""The figure of a calibration: distances of both kinds of pairs, error rates by threshold, and their trade-off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

Array = npt.NDArray[np.float64]

SAME, DIFFERENT = "#0072B2", "#D55E00"
MOST_BINS = 60


def calibration_plot(
    same: Array, different: Array, curve: pd.DataFrame, recommended: float, in_use: float, groups: pd.DataFrame | None
) -> Figure:
    """Draw the distributions of distances, both error rates, and the detection error trade-off.

    Args:
        same: distances of pairs of one person.
        different: of pairs of different people.
        curve: threshold, false_match_rate and false_non_match_rate.
        recommended: threshold, marked with a line.
        in_use: threshold, marked with a dotted line where it is another.
        groups: with both rates of each group, as points in the trade-off; None: no points.
    """
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    _histograms(left, same, different)
    _rates(middle, curve)
    for axes in (left, middle):
        axes.axvline(recommended, color="0.1", linewidth=1.2, label=f"recommended: {recommended:.3f}")
        if in_use != recommended:
            axes.axvline(in_use, color="0.5", linewidth=1.2, linestyle=":", label=f"in use: {in_use:.3f}")
        axes.set_xlabel("Distance")
        axes.set_xlim(0, float(curve["threshold"].iloc[-1]) * 1.02)
    _trade_off(right, curve, recommended, 0.5 / max(len(same), len(different)), groups)
    shown: dict[str, Artist] = {}
    for axes in (left, middle, right):
        axes.spines[["top", "right"]].set_visible(False)
        shown |= {name: drawn for drawn, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(list(shown.values()), list(shown), loc="outside lower center", ncols=4, fontsize=9, frameon=False)
    return figure


def _histograms(axes: Axes, same: Array, different: Array) -> None:
    bins = min(MOST_BINS, max(8, int(np.sqrt(min(len(same), len(different)))) * 3))
    edges = np.linspace(0, max(same[-1], different[-1]), bins + 1)
    for values, colour, name in ((same, SAME, "same person"), (different, DIFFERENT, "different")):
        weights = np.full(len(values), 1 / len(values))
        axes.hist(values, edges.tolist(), weights=weights, color=colour, alpha=0.6, label=f"{name} ({len(values):,})")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_ylabel("Share of pairs of its kind")
    axes.set_title("Distances of pairs", fontsize=10)


def _rates(axes: Axes, curve: pd.DataFrame) -> None:
    axes.plot(curve["threshold"], curve["false_match_rate"], color=DIFFERENT, label="false match rate")
    axes.plot(curve["threshold"], curve["false_non_match_rate"], color=SAME, label="false non-match rate")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_ylabel("Error rate")
    axes.set_title("Errors by threshold", fontsize=10)


def _trade_off(axes: Axes, curve: pd.DataFrame, recommended: float, least: float, groups: pd.DataFrame | None) -> None:
    """Both rates on log scales; what is 0 is drawn at the edge."""
    false_match = curve["false_match_rate"].clip(lower=least)
    false_non_match = curve["false_non_match_rate"].clip(lower=least)
    axes.plot(false_match, false_non_match, color="0.2", linewidth=1.5)
    axes.plot([least, 1], [least, 1], color="0.8", linewidth=1, zorder=0)
    at = int(curve["threshold"].searchsorted(recommended, side="right")) - 1
    axes.plot(false_match.iloc[at], false_non_match.iloc[at], "o", color="0.1")
    if groups is not None:
        columns = [groups[name] for name in ("group", "false_match_rate", "false_non_match_rate")]
        for number, (name, *rates) in enumerate(zip(*columns, strict=True)):
            at_edge = np.maximum(np.array(rates, dtype=float), least)
            axes.plot(at_edge[0], at_edge[1], "s", markersize=5, color=f"C{number}", label=str(name))
    axes.set(xscale="log", yscale="log", xlim=(least * 0.8, 1.2), ylim=(least * 0.8, 1.2))
    axes.set_xlabel("False match rate")
    axes.set_ylabel("False non-match rate")
    axes.set_title("Trade-off (dot: recommended)", fontsize=10)
