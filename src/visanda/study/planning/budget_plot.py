"""The figure of a budget: the standard error by the number of codes, corrected and from the codes alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

OURS, ALONE = "#0072B2", "#7F7F7F"
NEAR = 0.07  # of the width of the axis, at which numbers run into each other


def budget_plot(table: pd.DataFrame, called: str, wanted: float, now: int) -> Figure:
    """Draw ``table`` (codes, se, se_alone).

    Args:
        table: a row a number of codes.
        called: what is estimated.
        wanted: the standard error that is aimed at.
        now: codes that there are.
    """
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(table["codes"], table["se_alone"], "o-", color=ALONE, markersize=4, label="codes alone")
    axes.plot(table["codes"], table["se"], "o-", color=OURS, markersize=4, label="corrected")
    axes.axhline(wanted, color="#D55E00", linewidth=1, linestyle=(0, (4, 2)))
    axes.annotate("wanted", (1, wanted), xycoords=("axes fraction", "data"), ha="right", va="bottom", color="#D55E00")
    axes.axvline(now, color="0.7", linewidth=0.8)
    axes.annotate(" codes now", (now, 0.97), xycoords=("data", "axes fraction"), va="top", color="0.4", fontsize=8)
    axes.set_xscale("log")
    ticks = _apart(table["codes"].tolist())
    axes.set_xticks(ticks, [f"{one:,}" for one in ticks], fontsize=8)
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel("codes")
    axes.set_ylabel(f"Standard error of {called}", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    return figure


def _apart(codes: list[int]) -> list[int]:
    """Numbers of codes that can be written beside each other on a logarithmic axis; the last is always among them."""
    kept: list[int] = []
    for one in reversed(codes):
        if not kept or np.log(kept[-1] / one) > NEAR * np.log(codes[-1] / codes[0]):
            kept.append(one)
    return kept[::-1]
