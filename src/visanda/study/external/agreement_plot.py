"""The figure of agreement: both sources, and their differences against their means."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from visanda.study.external.correlations import BIAS, CONCORDANCE, LOWER, PEARSON, UPPER, Ends

INK, BAND, LINE = "#0072B2", "#D55E00", "0.2"
MOST = 400  # pairs beyond which dots are faint


def agreement_plot(pairs: pd.DataFrame, found: dict[str, Ends], names: tuple[str, str]) -> Figure:
    """Draw measured against external, and Bland & Altman's differences with their limits.

    Args:
        pairs: (n,) columns measured, external, mean and difference.
        found: value and interval of each measure.
        names: of the two sources.
    """
    figure = Figure(figsize=(10.2, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[4.4, 5])
    faint = 0.7 if len(pairs) <= MOST else 0.25
    both = pairs[["measured", "external"]].to_numpy()
    ends = (both.min(), both.max())
    left.scatter(pairs["external"], pairs["measured"], s=16, alpha=faint, color=INK, linewidth=0)
    reach = pairs["external"].agg(["min", "max"]).to_numpy()
    slope, base = np.polyfit(pairs["external"], pairs["measured"], 1)
    left.plot(reach, base + slope * reach, color=BAND, linewidth=1.5, label="least squares")
    overlap = min(both.max(axis=0)) - max(both.min(axis=0))
    if overlap > 0:  # else the sources count in other units, and identity lies outside of the picture
        left.plot(ends, ends, color="0.7", linewidth=1, zorder=0, label="identity")
    left.legend(fontsize=8, frameon=False, loc="best")
    left.set(xlabel=names[1], ylabel=names[0])
    left.set_title(f"r = {found[PEARSON].value:.2f}, concordance {found[CONCORDANCE].value:.2f}", fontsize=10)
    right.scatter(pairs["mean"], pairs["difference"], s=16, alpha=faint, color=INK, linewidth=0)
    for name, text, style in ((BIAS, "mean", "-"), (LOWER, "limit", "--"), (UPPER, "limit", "--")):
        at = found[name]
        right.axhspan(at.low, at.high, color=BAND, alpha=0.15, linewidth=0, zorder=0)
        right.axhline(at.value, color=LINE, linewidth=1, linestyle=style)
        right.annotate(
            f"{text} {at.value:+.3g}", (0.995, at.value), xycoords=("axes fraction", "data"), fontsize=8, ha="right",
            va="bottom",
        )  # fmt: skip
    right.axhline(0, color="0.8", linewidth=1, zorder=0)
    right.set(xlabel="Mean of both", ylabel=f"{names[0]} − {names[1]}")
    right.set_title("Differences (Bland & Altman), with 95 % intervals", fontsize=10)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure
