"""The figure of numbers against gold: both, and the errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, LINE = "#0072B2", "0.2"
MOST = 400  # rows beyond which dots are faint
JITTERED = 12  # values of gold at most that are spread a little, so that dots do not hide each other


def numbers_plot(errors: pd.DataFrame, value: pd.Series) -> Figure:
    """Draw gold against predictions with the line of identity, and errors with the limits of agreement.

    Args:
        errors: (n,) columns gold, predicted and error.
        value: by measure.
    """
    figure = Figure(figsize=(10.2, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[4.4, 5])
    faint = 0.7 if len(errors) <= MOST else 0.25
    gold, said = errors["gold"].to_numpy(float), errors["predicted"].to_numpy(float)
    shown = _spread(gold)
    both = np.r_[gold, said]
    margin = 0.04 * (np.ptp(both) or 1.0)
    ends = (both.min() - margin, both.max() + margin)
    left.plot(ends, ends, color="0.7", linewidth=1, zorder=0)
    left.scatter(said, shown, s=16, alpha=faint, color=INK, linewidth=0)
    slope = value["slope of gold on prediction"]
    if np.isfinite(slope):
        reach = np.array([said.min(), said.max()])
        left.plot(reach, gold.mean() + slope * (reach - said.mean()), color="#D55E00", linewidth=1.5)
        left.plot([], [], color="#D55E00", label=f"gold on prediction, slope {slope:.2f}")
    left.plot([], [], color="0.7", label="identity")
    left.legend(fontsize=8, frameon=False, loc="upper left")
    left.set(xlim=ends, ylim=ends, aspect="equal", xlabel="Machine", ylabel="Gold")
    left.set_title("r undefined" if np.isnan(value["correlation"]) else f"r = {value['correlation']:.2f}", fontsize=10)
    middle = (gold + said) / 2
    right.scatter(middle, errors["error"], s=16, alpha=faint, color=INK, linewidth=0)
    for name, text, style in (
        ("mean error", "mean error", "-"),
        ("lower limit of agreement", "limit of agreement", "--"),
        ("upper limit of agreement", "limit of agreement", "--"),
    ):
        _level(right, value[name], text, style)
    right.axhline(0, color="0.8", linewidth=1, zorder=0)
    right.set(xlabel="Mean of machine and gold", ylabel="Machine − gold")
    right.set_title("Errors (Bland & Altman)", fontsize=10)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _level(axes: Axes, at: float, text: str, style: str) -> None:
    if not np.isfinite(at):
        return
    axes.axhline(at, color=LINE, linewidth=1, linestyle=style)
    axes.annotate(
        f"{text} {at:+.3g}", (0.995, at), xycoords=("axes fraction", "data"), fontsize=8, ha="right", va="bottom"
    )


def _spread(gold: np.ndarray) -> np.ndarray:
    """Values, moved a little where there are few of them."""
    levels = np.unique(gold)
    if not 1 < len(levels) <= JITTERED:
        return gold
    reach = 0.18 * np.diff(levels).min()
    return gold + np.random.default_rng(1).uniform(-reach, reach, len(gold))
