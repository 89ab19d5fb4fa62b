"""What is said and drawn of coders' drift."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from visanda.study.reliability.coders import Scale
from visanda.study.wording import number, p_value

THIRDS = ("first", "middle", "last")
FEW_SHARED = 30  # units shared with others, below which a coder's drift is not tested
FEW_REPEATED = 5  # units that a coder coded again, below which nothing is said of them
CLEAR = 0.05
CHANGE, OF_MEAN = "change of ", "change of the mean"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#000000")


def describe(trend: pd.DataFrame, again: pd.DataFrame) -> list[str]:
    """A sentence a coder about the trend, and one about units that the same coder coded again."""
    measure = "mean absolute difference from the others" if OF_MEAN in trend else "agreement with others"
    said = [
        f"From the first to the last code of {line['coder']}, {measure} changes by {line['change']:+.3f} "
        f"({p_value(line['p'])}, permutation test on {line['units']:,} units)."
        for line in trend.dropna(subset=["p"]).to_dict("records")
    ]
    said += [
        f"{line['coder']} coded {line['units']:,} units again, and gave the same value to {line['agreement']:.1%} of "
        f"them (alpha {number(line['alpha'])})."
        for line in again.to_dict("records")
        if line["agreement"] > 0 and line["units"] >= FEW_REPEATED
    ]
    return said or ["Nothing can be said of drift yet."]


def warn(trend: pd.DataFrame, again: pd.DataFrame, codes: pd.DataFrame) -> list[str]:
    """Who drifts, who could not be tested, and what the order of coding rests on."""
    clear = CLEAR / max(int(trend["p"].notna().sum()), 1)  # Bonferroni, over coders
    found = []
    for line in trend.to_dict("records"):
        if pd.isna(line["p"]):
            found.append(
                f"{line['coder']} shares {line['units']} units with others: drift is not tested below {FEW_SHARED}."
            )
            continue
        if line["p"] < clear:
            found.append(f"{line['coder']} agrees with the others differently as coding goes on: go over the codebook.")
        if line["p_of_values"] < clear:
            found.append(_leaning({str(name): value for name, value in line.items()}))
    if len(trend) == 2 and (trend[["p", "p_of_values"]] < clear).any(axis=None):
        found.append("With two coders it cannot be told which of them changed: have them code some units again.")
    corrected = again.loc[again["agreement"] == 0, "coder"]
    if len(corrected):
        found.append(
            f"Where {', '.join(corrected)} coded a unit again, the value was always another one: these are "
            "corrections, and say nothing of how stable coding is."
        )
    if "time" not in codes or codes.groupby("coder")["time"].nunique().le(1).all():
        found.append("Codes carry no times of their own: they are taken to stand in the order of coding.")
    return found


def _leaning(line: dict[str, float]) -> str:
    """What a coder gives more or less of than the others."""
    changes = {name: change for name, change in line.items() if name.startswith(CHANGE)}
    most = max(changes, key=lambda name: abs(changes[name]))
    goes = f"as coding goes on ({p_value(line['p_of_values'])})."
    if most == OF_MEAN:
        return f"{line['coder']}'s numbers {'rise' if changes[most] > 0 else 'fall'} against the others' {goes}"
    more = "more" if changes[most] > 0 else "less"
    return f"{line['coder']} gives {most.removeprefix(CHANGE)} {more} often than the others {goes}"


def drift_plot(thirds: pd.DataFrame, scale: Scale) -> Figure:
    """Draw each coder's agreement with the others, or difference from them, by thirds of the coding."""
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    measure = "mean_difference" if scale == "interval" else "agreement"
    coders = list(thirds["coder"].unique())
    for place, coder in enumerate(coders[: len(COLOURS)]):
        own = thirds[(thirds["coder"] == coder) & (thirds["units"] > 0)]
        across = [
            THIRDS.index(name) + 0.08 * (place - (min(len(coders), len(COLOURS)) - 1) / 2) for name in own["third"]
        ]
        axes.vlines(across, own["low"], own["high"], color=COLOURS[place], alpha=0.4, linewidth=3)
        axes.plot(across, own[measure], "o-", color=COLOURS[place], linewidth=1.3, markersize=5, label=coder)
    axes.set_xticks(range(3), [f"{name} third" for name in THIRDS])
    axes.set_ylabel("Mean absolute difference" if scale == "interval" else "Agreement with other coders")
    axes.set_xlabel("Of a coder's own codes, in the order of coding (95 % intervals)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    return figure
