"""Adjusted counts, shown: the figure of shares by stratum, sentences, and what a careful reader is warned of."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from visanda.study.correct.coded import CodedRows
from visanda.study.correct.error_rates import ErrorRates
from visanda.study.sampling.sample import strata
from visanda.study.wording import p_value

# Of the coefficient plot: Okabe & Ito's colours, told apart by colour-blind readers.
LINES = (
    ("naive", "naive", "#D55E00", -0.22),
    ("gold", "gold only", "#7F7F7F", 0.0),
    ("adjusted", "adjusted", "#0072B2", 0.22),
)
DIFFER = 0.05  # p below which error rates are said to differ
FEW_OF_CLASS = 20  # coded rows below which an error rate is rough
MOST_WIDER = 0.5  # of intervals
MOST_SAID = 6  # strata; more are read in the table
MOST_PANELS = 6
PANELS_A_ROW = 3


def counts_plot(table: pd.DataFrame, columns: list[str], variable: str) -> Figure:
    """Draw shares by stratum: naive, gold only and adjusted, with 95 % intervals.

    Args:
        table: of :func:`visanda.study.correct.counts.adjusted_shares`.
        columns: of the strata.
        variable: for the title.
    """
    classes = _classes(table)[:MOST_PANELS]
    across, count = min(PANELS_A_ROW, len(classes)), int(table["class"].value_counts().max())
    down = -(-len(classes) // across)
    figure = Figure(figsize=(2.4 + 3.2 * across, 0.9 + down * (0.7 + 0.42 * count)), layout="constrained")
    panels = figure.subplots(down, across, sharey=True, squeeze=False)
    for axes, name in zip(panels.flat, classes, strict=False):
        rows = table[table["class"] == name]
        _panel(axes, rows, strata(rows, columns).tolist() if columns else [""])
        axes.set_title(f"{variable} = {name}", fontsize=10)
    for axes in panels.flat[len(classes) :]:
        axes.set_visible(False)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=3, frameon=False, fontsize=9)
    more = len(_classes(table)) - len(classes)
    figure.supxlabel("Share of rows, with 95 % intervals" + (f"; {more} more in the table" if more else ""), fontsize=9)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, labels: list[str]) -> None:
    places = np.arange(len(rows))
    for name, said, colour, offset in LINES:
        low, high = ("low", "high") if name == "adjusted" else (f"{name}_low", f"{name}_high")
        axes.hlines(places + offset, rows[low], rows[high], color=colour, linewidth=1.8)
        axes.plot(rows[name], places + offset, "o", color=colour, markersize=5, label=said)
    axes.set_yticks(places, labels, fontsize=9)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    axes.locator_params(axis="x", nbins=5)
    axes.tick_params(axis="x", labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def counts_words(
    variable: str, table: pd.DataFrame, columns: list[str], rows: CodedRows, tested: pd.DataFrame, errors: str
) -> list[str]:
    """What was counted and by how much the adjustment moves it; and whether error rates differ."""
    dropped = f"; {rows.n_dropped:,} more were left out for missing values" if rows.n_dropped else ""
    rates = "the error rates of all strata together" if errors == "pooled" and columns else "its error rates"
    rates = "the error rates of each stratum" if errors == "strata" and columns else rates
    found = [
        f"{rows.n:,} rows, of which {rows.n_coded:,} are coded by hand{dropped}.",
        f"The machine's counts were adjusted by {rates} (Rogan & Gladen 1978).",
    ]
    shown = table[table["class"].isin(_classes(table))]
    names = strata(shown, columns) if columns else pd.Series("", index=shown.index)
    for place, row in enumerate(shown.to_dict("records")[: MOST_SAID * len(_classes(table))]):
        where = f" in {names.iloc[place]}" if columns else ""
        gold = "" if np.isnan(row["gold"]) else f"; the {row['n_coded']:,} hand codes alone give {row['gold']:.1%}"
        found.append(
            f"{variable} = {row['class']}{where}: {row['naive']:.1%} by the machine's labels, {row['adjusted']:.1%} "
            f"adjusted (95 % CI {row['low']:.1%} to {row['high']:.1%}){gold}."
        )
    if names.nunique() > MOST_SAID:
        found.append(f"The other {names.nunique() - MOST_SAID} strata are in the table.")
    return found + (_equality(tested) if columns else [])


def rates_said(each: pd.DataFrame, variable: str) -> str:
    """How often the machine's label is that of people, by true class, in all strata together."""
    right = each[(each["stratum"] == "all") & (each["true"] == each["said"])]
    coded = each[each["stratum"] == "all"].groupby("true")["rows"].sum()
    said = [f"{row['share']:.0%} of {coded[row['true']]:,} coded {row['true']}" for row in right.to_dict("records")]
    more = f" and {len(said) - MOST_SAID} more classes" if len(said) > MOST_SAID else ""
    return f"The machine's label of {variable} is right for {', '.join(said[:MOST_SAID])}{more}."


def _equality(tested: pd.DataFrame) -> list[str]:
    whole = tested.iloc[-1]
    if np.isnan(whole["p"]):
        return ["Error rates of strata cannot be compared: no class is coded, and mistaken, in two strata."]
    said = f"G² = {whole['statistic']:.1f}, {whole['df']:.0f} degrees of freedom, {p_value(whole['p'])}"
    if whole["p"] < DIFFER:
        return [f"The machine's error rates differ between strata ({said})."]
    return [f"Error rates do not differ detectably between strata ({said}); with few codes, little is detectable."]


def counts_warnings(
    table: pd.DataFrame,
    columns: list[str],
    rates: dict[str, ErrorRates],
    tested: pd.DataFrame,
    errors: str,
    sample_prob: str | None,
) -> list[str]:
    """What to know before believing adjusted counts."""
    found = []
    whole = tested.iloc[-1]
    if columns and errors == "pooled" and whole["p"] < DIFFER:
        found.append(
            f"Error rates differ between strata ({p_value(whole['p'])}), so adjusting all by the same is wrong: take "
            "those of each stratum (errors='strata')."
        )
    if columns and whole["rough"]:
        found.append("The test of equal error rates is rough: more than a fifth of its cells expect under 5 rows.")
    found += _few(rates)
    if (clipped := table[table["clipped"]]).shape[0]:
        where = f" in {', '.join(dict.fromkeys(strata(clipped, columns)))}" if columns else ""
        found.append(
            f"Adjusted shares below 0 or above 1{where} were set to the limit (and the others made to add up to 1): "
            "the machine says a class less often than its errors alone would. Error rates may be others here."
        )
    known = table[table["gold"].notna()]
    wider = (known["high"] - known["low"]) > (known["gold_high"] - known["gold_low"])
    if wider.mean() > MOST_WIDER:
        found.append(
            "Most intervals of adjusted shares are wider than those of the hand codes alone: if these are a random "
            "sample of all rows, they, or DSL, are surer. Adjusting is for codes that are not, such as those of a "
            "sample in which rare classes were sought."
        )
    if sample_prob is None:
        found.append(
            "No sample_prob was given: the coded rows of each true class are assumed to be a random sample of it. If "
            "they were picked by what the machine says, adjusted shares are not valid."
        )
    return found


def _few(rates: dict[str, ErrorRates]) -> list[str]:
    """Classes of which too little is coded for error rates to be sure."""
    few = [
        f"{name}{f' in {title}' if len(rates) > 1 else ''} ({n:.0f})"
        for title, one in rates.items()
        for name, n in zip(one.classes, one.counts.sum(axis=0), strict=True)
        if n < FEW_OF_CLASS
    ]
    more = f" and {len(few) - MOST_SAID} more" if len(few) > MOST_SAID else ""
    return (
        [f"Fewer than {FEW_OF_CLASS} hand codes of {', '.join(few[:MOST_SAID])}{more}: rough error rates."]
        if few
        else []
    )


def _classes(table: pd.DataFrame) -> list[str]:
    """The classes to show: of two, the second."""
    classes = list(dict.fromkeys(table["class"]))
    return classes[1:] if len(classes) == 2 else classes
