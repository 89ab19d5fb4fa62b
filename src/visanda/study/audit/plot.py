"""The figures of an audit: accuracy by group beside the confusion matrix; errors against values."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from visanda.study.audit.rows import EVERYBODY
from visanda.study.count_map import count_map

Array = NDArray[np.float64]

INK = "#0072B2"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
LINE = 0.34  # inches a group


def classes_plot(table: pd.DataFrame, counts: pd.DataFrame) -> Figure:
    """Draw accuracy by group with its intervals, and the confusion matrix.

    Args:
        table: by, group, n, accuracy, low and high.
        counts: rows of each hand code (rows) and value of the machine (columns).
    """
    height = max(3.6, 1.2 + LINE * (len(table) + table["by"].nunique()), 1.4 + 0.6 * len(counts))
    figure = Figure(figsize=(6 + max(3.2, 0.9 * counts.shape[1]), height), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[5.2, max(3.2, 0.9 * counts.shape[1])])
    _by_group(left, table, "accuracy")
    left.set_xlim(-0.02, 1.02)
    left.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    left.set_title("Agreement with hand codes (95 % intervals)", fontsize=10)
    count_map(right, counts, "Hand codes", "Machine")
    right.set_title("Units, and share of the hand code", fontsize=10)
    return figure


def numbers_plot(table: pd.DataFrame, hand: Array, machine: Array, groups: pd.Series | None) -> Figure:
    """Draw errors against the mean of both values (Bland & Altman 1986), and mean errors by group.

    Args:
        table: by, group, n, bias, low, high, limit_low and limit_high.
        hand: (n,) hand codes.
        machine: (n,) values of the machine.
        groups: (n,) labels to colour points by; null: one colour.
    """
    alone = len(table) == 1
    height = max(4.2, 1.2 + LINE * (len(table) + table["by"].nunique()))
    figure = Figure(figsize=(6.4 if alone else 10.4, height), layout="constrained")
    if alone:
        _bland_altman(figure.subplots(), table.iloc[0], hand, machine, groups)
        return figure
    left, right = figure.subplots(1, 2, width_ratios=[6, 4.4])
    _bland_altman(left, table.iloc[0], hand, machine, groups)
    _by_group(right, table, "bias")
    right.axvline(0, color="0.7", linewidth=1, zorder=0)
    right.set_title("Mean error (95 % intervals)", fontsize=10)
    return figure


def _by_group(axes: Axes, table: pd.DataFrame, value: str) -> None:
    """Points with intervals, a line a group, everybody first; columns of groups are set apart."""
    places = np.arange(len(table)) + 0.6 * pd.factorize(table["by"])[0]
    known = table[value].notna().to_numpy()
    middle = table.loc[known, value]
    reach = np.stack([middle - table.loc[known, "low"], table.loc[known, "high"] - middle])
    axes.errorbar(middle, places[known], xerr=np.nan_to_num(reach).clip(min=0), fmt="o", color=INK, capsize=2.5)
    axes.axvline(table[value].iloc[0], color="0.75", linewidth=1, linestyle=":", zorder=0)
    labels = [f"{row.group} (n = {row.n:,})" for row in table.itertuples()]
    labels[0] = f"{EVERYBODY} (n = {table['n'].iloc[0]:,})"
    axes.set_yticks(places, labels)
    for by, members in pd.Series(places).groupby(table["by"].to_numpy()):
        if by:
            axes.annotate(
                f"by {by}",
                (0.012, members.min() - 0.62),
                xycoords=("axes fraction", "data"),
                fontsize=8,
                color="0.4",
                va="center",
            )
    axes.set_ylim(places.max() + 0.6, -0.9)
    axes.spines[["top", "right"]].set_visible(False)


def _bland_altman(axes: Axes, whole: pd.Series, hand: Array, machine: Array, groups: pd.Series | None) -> None:
    middle, error = (hand + machine) / 2, machine - hand
    labels = np.full(len(error), "") if groups is None else groups.to_numpy()
    for place, label in enumerate(sorted(set(labels))):
        mine = labels == label
        axes.scatter(
            middle[mine], error[mine], s=16, alpha=0.65, color=COLOURS[place % len(COLOURS)], label=label or None
        )
    for name, text, style in (
        ("bias", "mean error", "-"),
        ("limit_low", "limit of agreement", "--"),
        ("limit_high", "limit of agreement", "--"),
    ):
        if np.isfinite(whole[name]):
            axes.axhline(whole[name], color="0.2", linewidth=1, linestyle=style)
            axes.annotate(
                f"{text} {whole[name]:+.1f}",
                (0.995, whole[name]),
                xycoords=("axes fraction", "data"),
                fontsize=8,
                ha="right",
                va="bottom",
            )
    axes.axhline(0, color="0.8", linewidth=1, zorder=0)
    axes.set_xlabel("Mean of machine and hand code")
    axes.set_ylabel("Machine − hand code")
    axes.spines[["top", "right"]].set_visible(False)
    if groups is not None:
        axes.legend(
            fontsize=8,
            frameon=False,
            ncols=6,
            title=f"by {groups.name}",
            title_fontsize=8,
            bbox_to_anchor=(0, 1),
            loc="lower left",
            borderaxespad=0.2,
        )
