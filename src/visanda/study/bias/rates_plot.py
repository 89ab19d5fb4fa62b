"""The figure of bias: rates by group with their intervals, and everybody's as a line."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from visanda.study.audit.plot import INK, LINE
from visanda.study.audit.rows import EVERYBODY

APART = "#D55E00"
MOST_PANELS = 4


def rates_plot(table: pd.DataFrame, panels: list[tuple[str, str]]) -> Figure:
    """Draw a panel for each rate and class, a line a group, everybody first.

    Args:
        table: by, group, rate, class, n, value, low, high, difference_low and difference_high.
        panels: rate and class of each, at most 4 of which are drawn.
    """
    lines = table[["by", "group"]].drop_duplicates(ignore_index=True)
    panels = panels[:MOST_PANELS]
    height = max(3.0, 1.5 + LINE * (len(lines) + lines["by"].nunique()))
    figure = Figure(figsize=(2.0 + 2.4 * len(panels), height), layout="constrained")
    drawn = np.atleast_1d(figure.subplots(1, len(panels), sharey=True))
    places = np.arange(len(lines)) + 0.6 * pd.factorize(lines["by"])[0]
    for axes, (rate, name) in zip(drawn, panels, strict=True):
        one = table[(table["rate"] == rate) & (table["class"] == name)].set_index(["by", "group"])
        _panel(axes, one.reindex(pd.MultiIndex.from_frame(lines)), places)
        axes.set_title(f"{rate}\nof {name}" if name else rate, fontsize=9)
    labels = [f"{by}: {group}" if by else EVERYBODY for by, group in lines.astype(str).to_numpy()]
    drawn[0].set_yticks(places, labels)
    drawn[0].set_ylim(places.max() + 0.6, -0.6)
    figure.supxlabel("95 % intervals, and rows that a rate is of; orange: differs from all others", fontsize=8)
    return figure


def _panel(axes: Axes, one: pd.DataFrame, places: np.ndarray) -> None:
    apart = ((one["difference_low"] > 0) | (one["difference_high"] < 0)).to_numpy()
    colours = np.where(apart, APART, INK)
    axes.axvline(one["value"].iloc[0], color="0.6", linewidth=1, linestyle=":", zorder=0)
    axes.hlines(places, one["low"], one["high"], color=colours, linewidth=1.8)
    axes.scatter(one["value"], places, color=colours, s=22, zorder=3)
    ends = one[["low", "value", "high"]].to_numpy(dtype=float)
    left, right = (np.nanmin(ends), np.nanmax(ends)) if np.isfinite(ends).any() else (0.0, 1.0)
    for place, n in zip(places, one["n"], strict=True):
        axes.annotate(
            f"{n:,.0f}", (1.0, place), xycoords=("axes fraction", "data"), fontsize=6.5, color="0.45", ha="right"
        )
    width = max(float(right - left), 0.02)
    axes.set_xlim(left - 0.05 * width, right + 0.22 * width)  # room for the numbers of rows
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
