"""The figure of known groups: their values in the order expected, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

INK = {"yes": "#0072B2", "no, reversed": "#D55E00", "not shown": "0.5"}
DOTS = 300  # of a group at most


def groups_plot(values: Mapping[str, pd.Series], table: pd.DataFrame, name: str) -> Figure:
    """Draw values by group, and Hedges' g of each pair.

    Args:
        values: of each group, from the lowest to the highest expected.
        table: of :func:`visanda.study.external.known_groups`.
        name: of the measure.
    """
    tall = max(3.2, 0.42 * max(len(values), len(table)) + 1.6)
    figure = Figure(figsize=(10.2, tall), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[5, 4])
    random = np.random.default_rng(1)
    for place, each in enumerate(values.values()):
        some = each if len(each) <= DOTS else each.sample(DOTS, random_state=1)
        left.scatter(some, place + random.uniform(-0.22, 0.22, len(some)), s=9, alpha=0.35, color="0.4", linewidth=0)
        left.plot([each.mean()] * 2, [place - 0.32, place + 0.32], color=INK["yes"], linewidth=2.5)
    left.set_yticks(range(len(values)), [f"{group} ({len(each):,})" for group, each in values.items()], fontsize=9)
    left.set_xlabel(name)
    left.set_title("Values and means, lowest expected below", fontsize=10)
    right.axvline(0, color="0.7", linewidth=1)
    for place, row in enumerate(table.itertuples()):
        ink = INK[str(row.as_expected)]
        right.plot([row.g_low, row.g_high], [place] * 2, color=ink, linewidth=1.5)
        right.plot([row.g], [place], "o", color=ink, markersize=6)
    right.set_yticks(range(len(table)), [f"{row.higher} > {row.lower}" for row in table.itertuples()], fontsize=9)
    right.set_ylim(-0.6, len(table) - 0.4)
    right.set_xlabel("Hedges' g with 95 % interval")
    for ink, shade in INK.items():
        if ink in set(table["as_expected"]):
            right.plot([], [], "o", color=shade, label=ink)
    right.legend(title="as expected", fontsize=8, title_fontsize=8, frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure
