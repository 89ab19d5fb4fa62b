"""Ranking: what comparisons of two units at a time say about all of them, in words and a figure."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from visanda.result import Result
from visanda.study.pairwise.bradley_terry import LEFT, RIDGE, TIE, bradley_terry
from visanda.study.wording import number

Z = 1.959964
FEW_COMPARISONS = 10  # a unit; Verhavert et al. (2019) find 10 to 14 for a reliability of .7
SEPARATED = 0.7
MOST_NAMES = 40  # units above which the figure names none


def ranking(comparisons: pd.DataFrame, *, ridge: float = RIDGE) -> Result:
    """Rank units by comparisons of two at a time, and say how well they are told apart.

    Args:
        comparisons: columns left, right and winner (``"left"``, ``"right"`` or ``"tie"``), a row a comparison.
        ridge: penalty of ``bradley_terry``.

    Returns:
        A Result with a row a unit, the highest score first: id, score, low and high (95 %), se, wins, comparisons,
        component. The words have the scale separation reliability, 1 - mean se² / variance of scores (Andrich
        1978; Bramley 2015), and the share of decided comparisons in which the left unit won, with Wilson's 95 %
        interval. ``extra["position"]`` has that share.

    Raises:
        InputError: as ``bradley_terry`` does.

    Example:
        >>> games = pd.DataFrame({"left": [*"aab"], "right": [*"bcc"], "winner": ["left", "left", "tie"]})
        >>> ranking(games).table["id"].tolist()
        ['a', 'b', 'c']
    """
    scores = bradley_terry(comparisons, ridge=ridge)
    scores = scores.sort_values(["component", "score", "id"], ascending=[True, False, True], ignore_index=True)
    scores.insert(2, "low", scores["score"] - Z * scores["se"])
    scores.insert(3, "high", scores["score"] + Z * scores["se"])
    position = _position(comparisons["winner"])
    reliability = _separation(scores[scores["component"] == 0])
    return Result(
        title="Scores from comparisons (Bradley–Terry)",
        table=scores,
        words=_words(scores, position, reliability),
        warnings=_warnings(scores, position, reliability),
        draw=partial(_figure, scores),
        provenance={"units": len(scores), "comparisons": len(comparisons), "ridge": ridge},
        extra={"position": position},
    )


def _position(winner: pd.Series) -> pd.DataFrame:
    """Decided comparisons, ties, and the share that the left unit won with Wilson's (1927) interval."""
    ties, won = int((winner == TIE).sum()), int((winner == LEFT).sum())
    decided = len(winner) - ties
    share = won / decided if decided else np.nan
    middle = (won + Z**2 / 2) / (decided + Z**2)
    reach = Z / (decided + Z**2) * np.sqrt(won * (decided - won) / decided + Z**2 / 4) if decided else np.nan
    return pd.DataFrame(
        {
            "decided": [decided],
            "ties": [ties],
            "left_won": [share],
            "low": [middle - reach],
            "high": [middle + reach],
        }
    )


def _separation(scores: pd.DataFrame) -> float:
    """Share of the variance of scores that is no error, 0-1; NaN below three units."""
    if len(scores) < 3 or scores["score"].var() == 0:
        return np.nan
    return max(0.0, float(1 - (scores["se"] ** 2).mean() / scores["score"].var()))


def _words(scores: pd.DataFrame, position: pd.DataFrame, reliability: float) -> list[str]:
    many, line = scores["comparisons"], position.iloc[0]
    said = [
        f"{many.sum() // 2:,} comparisons of {len(scores):,} units, {many.min()} to {many.max()} a unit (median "
        f"{many.median():g}), were scored by the Bradley–Terry model (Bradley & Terry 1952; ties as in Davidson "
        "1970)."
    ]
    if np.isfinite(reliability):
        said.append(f"The scale separation reliability is {number(reliability)}.")
    if line["decided"]:
        said.append(
            f"The unit on the left won {line['left_won']:.1%} of {line['decided']:,.0f} decided comparisons (95 % "
            f"interval {line['low']:.1%} to {line['high']:.1%}); {line['ties']:,.0f} were ties."
        )
    return said


def _warnings(scores: pd.DataFrame, position: pd.DataFrame, reliability: float) -> list[str]:
    found, line = [], position.iloc[0]
    if (parts := scores["component"].nunique()) > 1:
        outside = int((scores["component"] > 0).sum())
        found.append(
            f"The comparisons fall into {parts} sets of units that nothing links ({outside:,} units outside the "
            "largest): scores cannot be compared between them. Compare units across the sets."
        )
    if not line["decided"]:
        found.append("Every comparison is a tie: there is nothing to rank by.")
    elif not line["low"] <= 0.5 <= line["high"]:
        side = "left" if line["left_won"] > 0.5 else "right"
        found.append(
            f"The unit on the {side} wins more often than half: coders may prefer a side. Show pairs in random order."
        )
    if np.isfinite(reliability) and reliability < SEPARATED:
        found.append(
            f"The scale separation reliability is below {SEPARATED}: the scores say little about which unit has more. "
            f"Collect more comparisons: {FEW_COMPARISONS} a unit or more (Verhavert et al. 2019)."
        )
    many = scores["comparisons"]
    unbeaten = scores[(many > 1) & ((scores["wins"] == many) | (scores["wins"] == 0))]
    if len(unbeaten):
        found.append(f"{len(unbeaten):,} units won or lost every time: only the penalty keeps their scores finite.")
    return found


def _figure(scores: pd.DataFrame) -> Figure:
    named = len(scores) <= MOST_NAMES
    figure = Figure(figsize=(6.4, max(2.6, 0.9 + 0.2 * len(scores)) if named else 4.6), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(scores))
    axes.hlines(places, scores["low"], scores["high"], color="#9ecae1", linewidth=3 if named else 0.6)
    axes.plot(scores["score"], places, "o", color="#0072B2", markersize=4 if named else 1.5)
    axes.axvline(0, color="0.7", linewidth=1, zorder=0)
    if named:
        axes.set_yticks(places, [_short(str(id)) for id in scores["id"]], fontsize=8)
    else:
        axes.set_ylabel("Units by rank")
    axes.invert_yaxis()
    axes.set_xlabel("Score: log odds of winning over an average unit (95 % intervals)")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _short(id: str) -> str:
    return id if len(id) <= 32 else f"…{id[-31:]}"
