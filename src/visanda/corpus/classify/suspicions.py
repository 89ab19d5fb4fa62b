"""Suspicions: what a comparison of looks says, in words and as a figure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import pandas as pd
from matplotlib.figure import Figure

from visanda.corpus.classify.looks import BORDER, CENTRE, NO_CORNERS, NO_TEXT, WHOLE

LOSS = 0.02  # of the area under the curve, from which on a loss that is not chance matters
TELLS = 0.6  # the area under the curve from which on facts alone tell something
AS_GOOD = 0.03  # by which the border may be worse than the centre and still be as good
FILES, WITHIN = "size, format and light alone", "within sources"


def suspicious(table: pd.DataFrame, numbers: bool) -> pd.Series:
    """Which rows of the comparison give cause for suspicion.

    Args:
        table: look, value, low, high, less, less_low, less_high, as ``shortcuts.compared`` gives them.
        numbers: whether values are correlations, of an interval scale, and not areas under the curve.
    """
    by = table.set_index("look")
    chance = 0.0 if numbers else 0.5
    tells = chance + (TELLS - 0.5) * (2 if numbers else 1)
    flags = {}
    centre = float(by["value"].astype(float)[CENTRE])
    for row in table.to_dict("records"):
        name = str(row["look"])
        if name in (WHOLE, CENTRE):
            flags[name] = False
        elif name == BORDER:
            flags[name] = row["low"] > tells and row["value"] > centre - AS_GOOD
        elif name.startswith("without ") or name == WITHIN:
            flags[name] = row["less_low"] > LOSS
        else:
            flags[name] = row["low"] > tells
    return table["look"].map(flags).astype(bool)


def said(table: pd.DataFrame, what: str) -> tuple[list[str], list[str]]:
    """What a comparison says, and what to be careful about.

    Args:
        table: with a column ``suspicious``.
        what: the quality that is compared, such as ``AUC``.
    """
    found = {str(row["look"]): row for row in table.to_dict("records")}
    flagged = [name for name, row in found.items() if row["suspicious"]]
    words = [
        f"Whole pictures: {what} {_number(found[WHOLE])}. Of the centre alone (70 % of each side): "
        f"{_number(found[CENTRE])}; of the border alone: {_number(found[BORDER])}. Borders show scenes too: they may "
        "tell something."
    ]
    careful = []
    if BORDER in flagged:
        careful.append(
            "the border tells as much as the centre: look for frames, logos and backgrounds that go with a value"
        )
    if hidden := [name for name in flagged if name.endswith((" corner", " corners"))]:
        worst = max(hidden, key=lambda name: found[name]["less"])
        where = " and ".join(name.removeprefix("without ") for name in hidden if name != NO_CORNERS) or "four corners"
        careful.append(
            f"hiding the {where} costs {what} {found[worst]['less']:.2f} [{found[worst]['less_low']:.2f}, "
            f"{found[worst]['less_high']:.2f}]: look there for watermarks and logos, with visanda explain"
        )
    if NO_TEXT in flagged:
        careful.append(
            f"hiding text costs {what} {found[NO_TEXT]['less']:.2f}: the model goes by text, or by where there is some"
        )
    for name in flagged:
        if name.endswith(" alone"):
            careful.append(
                f"{name} predicts the codes with {what} {_number(found[name])}, whatever pictures show: a model can "
                "learn that instead"
            )
    if WITHIN in found:
        words.append(f"Within sources, where the source tells nothing: {_number(found[WITHIN])}.")
    if WITHIN in flagged:
        careful.append(
            f"within sources the model is worse by {found[WITHIN]['less']:.2f}: part of what it knows is where "
            "pictures come from"
        )
    if not careful:
        words.append("Nothing suspicious was found. That rules out these shortcuts, not others.")
    return words, careful


def _number(row: Mapping[Hashable, float]) -> str:
    return f"{row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def plot(table: pd.DataFrame, what: str, chance: float) -> Figure:
    """Dots with intervals, a row a look; suspicious ones are filled."""
    figure = Figure(figsize=(7, 0.34 * len(table) + 1.2), layout="constrained")
    axes = figure.subplots()
    whole = table.iloc[0]
    axes.axvspan(whole["low"], whole["high"], color="0.92", zorder=0)
    axes.axvline(chance, color="0.6", linewidth=1, linestyle=":", zorder=0)
    for kind, ink, fill in ((False, "0.35", "white"), (True, "#B2182B", "#B2182B")):
        chosen = table[table["suspicious"] == kind]
        at = [len(table) - 1 - row for row in chosen.index]
        axes.hlines(at, chosen["low"], chosen["high"], color=ink, linewidth=1.6)
        label = "suspicious" if kind else "not suspicious"
        axes.scatter(chosen["value"], at, s=42, facecolor=fill, edgecolor=ink, linewidth=1.6, zorder=3, label=label)
    axes.set_yticks(range(len(table)), table["look"][::-1])
    axes.set_ylim(-0.7, len(table) - 0.3)
    axes.set_xlabel(f"{what}, with 95 % intervals (band: whole picture; dotted: chance)")
    axes.spines[["top", "right"]].set_visible(False)
    if table["suspicious"].any():
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    return figure
