"""What a learning curve says: in words, as a table, and as a figure."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from visanda.learn.curve import Curve
from visanda.result import Result

WORTH, LITTLE = 0.01, 0.02  # of a balanced accuracy: a gain that is worth something, and one that is not


def said_of_curve(curve: Curve, variable: str, kind: str, rare: Sequence[str] = ()) -> Result:
    """Whether more codes would help, plainly; then with numbers.

    Args:
        curve: that was measured.
        variable: its name.
        kind: of head.
        rare: values of which there are too few codes to learn anything from.
    """
    shares = curve.measure == "balanced error"
    what = "balanced accuracy" if shares else curve.measure
    now, then = (_turned(one) if shares else one for one in (curve.now, curve.then))
    table = _as_told(curve.points, shares, what).assign(how="measured")
    ends = pd.DataFrame([(curve.codes, *now, "fitted"), (curve.codes + curve.more, *then, "fitted")])
    table = pd.concat([table, ends.set_axis(table.columns, axis=1)], ignore_index=True)
    words = [
        f"Would {curve.more} more codes help? {_rare(rare) or _answer(curve, what)}",
        f"The fitted curve puts the {what} of a {kind} head at {_said(now)} with the {curve.codes} codes that "
        f"may be learnt from, and at {_said(then)} with {curve.more} more: {_gain(curve.gain, shares)}. "
        "That holds if further pictures are drawn as these were, and if the curve goes on as it went: an inverse power "
        "law (Figueroa et al. 2012), which tends to promise a little too much.",
    ]
    warnings = []
    if curve.more > curve.codes:
        warnings.append(f"{curve.more} more is further than the {curve.codes} codes that there are: a bold guess")
    provenance = {"learning curve": variable, "model": kind, "more": curve.more, "codes": curve.codes}

    def draw() -> Figure:
        return _figure(curve, variable, what, shares)

    return Result(f"Learning curve of {variable}", table, words, warnings, draw, provenance)


def _rare(values: Sequence[str]) -> str:
    if not values:
        return ""
    named = ", ".join(map(repr, values))
    return (
        f"Codes of {named} would: there are so few that nothing was learnt of them, and the curve cannot tell what "
        "more would bring. Draw where they are likely (visanda sample --favour)."
    )


def _answer(curve: Curve, what: str) -> str:
    _, low, high = curve.gain
    worth, little = WORTH, LITTLE
    if curve.measure != "balanced error":  # a hundredth of what there is, as numbers have no scale of their own
        worth, little = (share * curve.now[0] for share in (WORTH, LITTLE))
    if low > worth:
        return f"Yes: the {what} would get better."
    if high < little:
        return f"Hardly: the {what} would stay as it is."
    return "Perhaps: these codes do not tell; what they would bring may be nothing, and may be worth it."


def _turned(error: tuple[float, float, float]) -> tuple[float, float, float]:
    """An error and its interval as what is right."""
    return 1 - error[0], 1 - error[2], 1 - error[1]


def _as_told(points: pd.DataFrame, shares: bool, what: str) -> pd.DataFrame:
    told = points.rename(columns={"error": what})
    if shares:
        told = told.assign(**{what: 1 - points["error"], "low": 1 - points["high"], "high": 1 - points["low"]})
    return told


def _said(one: tuple[float, float, float]) -> str:
    return f"{one[0]:.3f} (95 % CI {one[1]:.3f} to {one[2]:.3f})"


def _gain(gain: tuple[float, float, float], shares: bool) -> str:
    return f"{'a gain of' if shares else 'less by'} {gain[0]:.3f} ({gain[1]:.3f} to {gain[2]:.3f})"


def _figure(curve: Curve, variable: str, what: str, shares: bool) -> Figure:
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axes = figure.subplots()
    law, points = (_as_told(one, shares, what) for one in (curve.law, curve.points))
    for part, style in ((law[law["codes"] <= curve.codes], "-"), (law[law["codes"] >= curve.codes], "--")):
        axes.plot(part["codes"], part[what], style, color="C0")
    axes.fill_between(law["codes"], law["low"], law["high"], alpha=0.2, linewidth=0)
    spread = [points[what] - points["low"], points["high"] - points[what]]
    axes.errorbar(
        points["codes"], points[what], [side.clip(lower=0) for side in spread], fmt="o", color="C1", capsize=3
    )
    axes.axvline(curve.codes, color="grey", linewidth=0.8)
    axes.annotate(" codes now", (curve.codes, 0.03), xycoords=("data", "axes fraction"), color="grey")
    axes.set(xlabel="codes learnt from", ylabel=what, title=f"Learning curve of {variable}")
    return figure
