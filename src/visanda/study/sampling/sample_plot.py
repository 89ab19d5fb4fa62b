"""The figure of a sample: what share of each stratum was drawn, and how probabilities are spread."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

INK, PALE = "#0072B2", "#BBD4E6"
MOST_STRATA = 30
BINS = 30


def worth_drawing(design: pd.DataFrame) -> bool:
    """Whether there are strata, or probabilities that differ."""
    return bool(design["stratum"].nunique() > 1 or design["pi"].round(9).nunique() > 1)


def sample_plot(design: pd.DataFrame) -> Figure:
    """Draw strata, where there are several, and probabilities, where they differ.

    Args:
        design: id, stratum, pi and order (0: not drawn), a row a unit of the population.
    """
    several = bool(design["stratum"].nunique() > 1)
    unequal = not several or bool(design["pi"].round(9).nunique() > 1)
    rows = min(design["stratum"].nunique(), MOST_STRATA) if several else 1
    figure = Figure(figsize=(5.0 * (several + unequal), max(3.4, 1.2 + 0.24 * rows)), layout="constrained")
    axes = list(np.atleast_1d(figure.subplots(1, several + unequal)))
    if several:
        _strata(axes.pop(0), design)
    if unequal:
        _probabilities(axes.pop(0), design)
    return figure


def _strata(axes: Axes, design: pd.DataFrame) -> None:
    groups = design.assign(drawn=design["order"] > 0).groupby("stratum")["drawn"]
    table = groups.agg(["size", "sum"]).sort_values("size", ascending=False)
    shown = table.head(MOST_STRATA)[::-1]
    places = range(len(shown))
    axes.barh(places, shown["size"] / table["size"].sum(), color=PALE, height=0.8, label="of the population")
    axes.barh(places, shown["sum"] / table["sum"].sum(), color=INK, height=0.4, label="of the sample")
    axes.set_yticks(places, [str(name)[:40] for name in shown.index])
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    hidden = len(table) - len(shown)
    axes.set_title("Share of each stratum" + (f" (the largest; {hidden} more)" if hidden else ""), fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    axes.tick_params(length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _probabilities(axes: Axes, design: pd.DataFrame) -> None:
    edges = np.linspace(0, float(design["pi"].max()), BINS + 1).tolist()
    axes.hist(design["pi"], edges, color=PALE, label="population")
    axes.hist(design.loc[design["order"] > 0, "pi"], edges, color=INK, rwidth=0.5, label="drawn")
    axes.set_xlabel("Probability of being drawn (π)")
    axes.set_ylabel("Units")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
