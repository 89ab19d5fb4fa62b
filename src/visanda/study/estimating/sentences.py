"""Sentences about estimates, ready for a paper, and what a careful reader is warned of."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from visanda.study.regression.coefficients import Estimates
from visanda.study.wording import FEW_CLUSTERS, SIGNIFICANT, in_focus, number, p_value, readable

FEW_CODED = 50
FEW_EVENTS = 10
MOST_TERMS = 8  # more are read in the table


def describe(model: str, naive: Estimates | None, corrected: Estimates, left_out: Collection[str] = ()) -> list[str]:
    """A sentence or two for each term, up to ``MOST_TERMS``: what naive says, what the correction says.

    Args:
        model: as users name it.
        naive: the machine's labels taken as true, where that could be fitted.
        corrected: the same, corrected.
        left_out: terms of which nothing is said.
    """
    ours, theirs = _lines(corrected), _lines(naive) if naive else {}
    terms = [term for term in in_focus(list(ours)) if term not in left_out]
    sentences = []
    for term in terms[:MOST_TERMS]:
        what = f"the {term}" if model == "mean" else f"the coefficient of {readable(term)}"
        now = _interval(ours[term], model)
        if term in theirs:
            before = _interval(theirs[term], model)
            moved = number(ours[term]["estimate"] - theirs[term]["estimate"])
            sentences.append(
                f"With the machine's labels taken as true, {what} is {before}; corrected for the machine's "
                f"errors, it is {now}. "
                f"The correction moves it by {moved}{_widened(theirs[term], ours[term])}."
            )
        else:
            sentences.append(f"Corrected for the machine's errors, {what} is {now}.")
    if len(terms) > MOST_TERMS:
        sentences.append(f"The other {len(terms) - MOST_TERMS} terms are in the table.")
    return sentences


def disagreements(model: str, naive: Estimates, corrected: Estimates, left_out: Collection[str] = ()) -> list[str]:
    """A warning for each term, but for those left out, of which the machine's labels taken as true tell another story.

    Arguments as of :func:`describe`.
    """
    ours, theirs = _lines(corrected), _lines(naive)
    found = []
    for term in in_focus([term for term in ours if term in theirs]):
        if term in left_out:
            continue
        before, after = theirs[term], ours[term]
        sure_before, sure_after = before["p"] < SIGNIFICANT, after["p"] < SIGNIFICANT
        values = f"naive {number(before['estimate'])}, corrected {number(after['estimate'])}"
        name = readable(term)
        if model != "mean" and sure_before and before["estimate"] * after["estimate"] < 0:
            found.append(f"{name}: the naive effect is significant, and its sign changes ({values}).")
        elif model != "mean" and sure_before != sure_after:
            when = "before" if sure_before else "after"
            found.append(f"{name}: significant only {when} correcting for the machine's errors ({values}).")
        elif not after["low"] <= before["estimate"] <= after["high"]:
            found.append(f"{name}: the naive estimate lies outside the corrected 95 % interval ({values}).")
    return found


def weak_design(codes: pd.DataFrame, clusters_coded: int | None) -> list[str]:
    """Warnings about the hand-coded rows ``codes``, a column a predicted variable."""
    found = []
    if len(codes) < FEW_CODED:
        found.append(f"Only {len(codes)} rows are coded by hand: intervals are rough below {FEW_CODED}.")
    for name in codes:
        counts = codes[name].value_counts()
        category = codes[name].dtype == object
        rare = list(counts.index[counts < FEW_EVENTS]) if category or len(counts) == 2 else []
        for value in rare:
            said = value if category else f"{value:g}"
            found.append(f"Only {counts[value]} coded rows have {name} = {said}: code more of them.")
    if clusters_coded is not None and clusters_coded < FEW_CLUSTERS:
        found.append(
            f"Coded rows lie in only {clusters_coded} clusters: clustered standard errors are rough below "
            f"{FEW_CLUSTERS}."
        )
    return found


def _lines(fit: Estimates) -> dict[str, dict[str, float]]:
    frame = fit.frame().set_index("term")
    return {str(term): {str(name): float(x) for name, x in row.items()} for term, row in frame.iterrows()}


def _interval(line: dict[str, float], model: str) -> str:
    p = "" if model == "mean" else f", {p_value(line['p'])}"
    return f"{number(line['estimate'])} (95 % CI {number(line['low'])} to {number(line['high'])}{p})"


def _widened(before: dict[str, float], after: dict[str, float]) -> str:
    if not before["se"] > 0:  # the machine says the same of all rows
        return ""
    ratio = after["se"] / before["se"]
    return f" and makes its standard error {ratio:.1f} times as large" if ratio >= 1.05 else ""
