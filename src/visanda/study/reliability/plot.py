"""The figure of a reliability: what goes together, how far beyond chance, and for which values."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visanda.study.count_map import count_map
from visanda.study.reliability.coders import Coded
from visanda.study.reliability.measures import AGREEMENT, DIFFERENCE, SIMILARITY
from visanda.study.reliability.words import RELIABLE, TENTATIVE

INK = "#0072B2"
LINE = 0.32  # inches a measure or value
MOST_MAPPED = 12  # values above which no map is drawn
MOST_VALUES = 20
NOT_BEYOND_CHANCE = (AGREEMENT, DIFFERENCE, SIMILARITY)
ROOM = 1.5  # inches of a panel for its title and axis


def reliability_plot(twice: Coded, table: pd.DataFrame, extra: dict[str, pd.DataFrame]) -> Figure:
    """Draw which values go together, the measures with their intervals, and alpha by value.

    Args:
        twice: units with two codes or more.
        table: measure, value, low and high.
        extra: "coincidences" and "by value" where there are, "by coder".
    """
    beyond = table[~table["measure"].isin(NOT_BEYOND_CHANCE)]
    values = extra.get("by value")
    if values is not None:
        values = values[values["codes"] > 0]
        values = values.loc[values["codes"].nlargest(MOST_VALUES).index.sort_values()]
    panels = [beyond.rename(columns={"measure": "name"})]
    if values is not None and len(values) > 2:  # of two values each has the alpha of the whole
        panels.append(values.rename(columns={"value": "name", "alpha": "value"}))
    heights = [ROOM + LINE * len(panel) for panel in panels]
    map_of = extra.get("coincidences")
    mapped = twice.scale == "interval" or (
        twice.scale != "multilabel" and map_of is not None and len(map_of) <= MOST_MAPPED
    )
    side = 4.2 if map_of is None else min(6.0, max(3.4, 1.6 + 0.55 * len(map_of)))
    height = max(sum(heights), side if mapped else 0)
    figure = Figure(figsize=(5.2 + (side if mapped else 0), height), layout="constrained")
    grid = figure.add_gridspec(len(panels), 2 if mapped else 1, height_ratios=heights)
    if mapped:
        grid.set_width_ratios([side, 5.2])
        left = figure.add_subplot(grid[:, 0])
        if twice.scale == "interval" or map_of is None:
            _scatter(left, twice)
        else:
            count_map(left, map_of.set_index("value"), "One coder's value", "Another coder's value of the same unit")
            left.set_title("Pairs of codes, and share of the row", fontsize=10)
    for row, (panel, title) in enumerate(zip(panels, ["Agreement beyond chance", "Alpha by value"], strict=False)):
        _intervals(figure.add_subplot(grid[row, -1]), panel, title)
    return figure


def _intervals(axes: Axes, panel: pd.DataFrame, title: str) -> None:
    """A point and its 95 % interval a row, against Krippendorff's thresholds."""
    places = np.arange(len(panel))
    known = panel["value"].notna().to_numpy()
    middle = panel["value"].to_numpy(dtype=float)
    low, high = (panel[name].fillna(panel["value"]).to_numpy(dtype=float) for name in ("low", "high"))
    axes.hlines(places[known], low[known], high[known], color="#9ecae1", linewidth=5)
    axes.plot(middle[known], places[known], "o", color=INK, markersize=6)
    for threshold in (TENTATIVE, RELIABLE):
        axes.axvline(threshold, color="0.55", linewidth=1, linestyle=":", zorder=0)
        axes.annotate(
            str(threshold),
            (threshold, 1),
            xycoords=("data", "axes fraction"),
            fontsize=7.5,
            color="0.4",
            ha="center",
            va="bottom",
        )
    names = [str(name) + ("" if here else " (undefined)") for name, here in zip(panel["name"], known, strict=True)]
    axes.set_yticks(places, names, fontsize=9)
    axes.set_ylim(len(panel) - 0.4, -0.6)
    axes.set_xlim(min(-0.02, float(np.min(low, initial=0, where=known)) - 0.05), 1.03)
    axes.set_title(f"{title} (95 % intervals)", fontsize=10, pad=14)
    axes.spines[["top", "right"]].set_visible(False)


def _scatter(axes: Axes, twice: Coded) -> None:
    """Each pair of codes of a unit: that of the coder whose name comes first across."""
    pairs = [
        np.column_stack([twice.numbers[:, a], twice.numbers[:, b]])[twice.given[:, a] & twice.given[:, b]]
        for a, b in twice.pairs()
    ]
    points = np.concatenate(pairs)
    ends = [float(points.min()), float(points.max())]
    axes.plot(ends, ends, color="0.7", linewidth=1, zorder=0)
    axes.scatter(
        points[:, 0], points[:, 1], s=14, alpha=max(0.15, min(0.7, 150 / len(points))), color=INK, linewidths=0
    )
    axes.set_aspect("equal")
    axes.set_xlabel("One coder's value")
    axes.set_ylabel("Another coder's value of the same unit")
    axes.set_title("Pairs of codes", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
