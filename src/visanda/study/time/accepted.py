"""Accepted: keep units that lie in the stretches of a video that a classifier or a coder accepts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.columns import numeric, require_columns
from visanda.study.time.clock import TICKS, Ticks, rows
from visanda.study.time.joined import Joined, Pairs
from visanda.study.time.overlap import Intervals, Numbers
from visanda.study.time.stretches import placed, several, spans, without_failures


def accepted(
    units: pd.DataFrame, windows: pd.DataFrame, *, by: str | Sequence[str] = ("parent",), accept: str = "accepted"
) -> Joined:
    """Keep the units that lie in accepted stretches, such as motion while the floor is seen (Dietrich 2021).

    Accepted stretches that touch or overlap count as one. A unit that reaches beyond is left out: of pairs of
    frames, those across the border to another picture.

    Args:
        units: a row a unit, with columns start and stop.
        windows: with columns start and stop. Either stretches, such as shots; or *all* moments that were
            looked at, such as frames at 1 a second. A moment stands for the time until the next one of its
            group, the last one for as long as the median of its group (or of all, if it is alone there). Of several
            rows for one moment, such as faces in a frame, one that is accepted is enough.
        by: columns that must agree in both tables.
        accept: column of ``windows`` with true and false; null counts as false. Where the windows are stretches
            and have no such column, all of them are accepted.

    Returns:
        The rows of ``units`` that lie wholly in an accepted stretch, in their order.

    Raises:
        InputError: a column that is not there, moments and stretches in one table, moments without verdicts, a
            verdict other than true and false, windows without times or that stop before they start.

    Example:
        >>> pairs = pd.DataFrame({"parent": "a.mp4", "start": [0.2, 0.9, 1.5], "stop": [0.3, 1.1, 1.6]})
        >>> frames = pd.DataFrame({"parent": "a.mp4", "start": [0, 1], "stop": [0, 1], "accepted": [True, False]})
        >>> accepted(pairs, frames).table["start"].tolist()
        [0.2]
    """
    by = several(by)
    require_columns(windows, ["start", "stop"], "the windows' column")
    windows, warnings = without_failures(windows, ["start", "stop"], "window")
    opens, closes = spans(windows, "start", "stop", "window")
    group, when = placed(units, windows, by, opens, "window")
    until = closes.ticks
    instant = opens.ticks == closes.ticks
    if len(windows) and instant.all():
        require_columns(windows, [accept], "the windows are moments: their verdict")
        until = _next(group, opens.ticks)
    elif instant.any():
        raise InputError(f"the windows are moments in {rows(instant)}, and stretches elsewhere: give one kind")
    good, unjudged = _verdicts(windows, accept)
    lasting = good & (until > opens.ticks)
    among, start, stop = Intervals(group[lasting], opens.ticks[lasting], until[lasting]).union()
    index = Intervals(among, start, stop)
    inside = Pairs.collect(index.containing(when.group, when.start, when.after), len(units), len(start))
    touched = Pairs.collect(index.overlapping(when.group, when.start, when.after), len(units), len(start))
    crossing = int((touched.each > inside.each).sum())
    seconds = (stop - start).sum() / TICKS
    words = (
        f"{len(inside.unit):,} of {len(units):,} units lie in the {len(start):,} accepted stretches "
        f"({seconds:,.1f} seconds); {crossing:,} reach across a border and are left out."
    )
    warnings += when.warnings()
    if unjudged:
        warnings.append(f"{unjudged:,} of {len(windows):,} windows have no verdict: they count as not accepted.")
    if fleeting := int((good & ~lasting).sum()):
        warnings.append(
            f"{fleeting:,} accepted windows have no length, or no other moment to tell it: they hold nothing."
        )
    if lost := int((when.timed & (when.group < 0)).sum()):
        warnings.append(f"{lost:,} units have no window of the same {', '.join(by)}: they are left out.")
    table = units.take(inside.unit).reset_index(drop=True)
    return Joined(table, [words], warnings)


def _next(group: Numbers, moment: Ticks) -> Ticks:
    """(n,) when the next moment of the group comes; for its last, after the median step."""
    rows_of = pd.DataFrame({"group": group, "moment": moment})
    times = rows_of.drop_duplicates().sort_values(["group", "moment"])
    step = -times.groupby("group")["moment"].diff(-1)
    typical = step.groupby(times["group"]).transform("median").fillna(step.median()).fillna(0)
    times["until"] = times["moment"] + np.rint(step.fillna(typical)).astype(np.int64)
    return rows_of.merge(times, how="left", on=["group", "moment"])["until"].to_numpy()


def _verdicts(windows: pd.DataFrame, accept: str) -> tuple[NDArray[np.bool_], int]:
    """(m,) whether each window is accepted, and how many have no verdict."""
    if accept not in windows:
        return np.ones(len(windows), bool), 0
    verdict = numeric(windows[accept])
    wrong = (verdict.notna() & ~verdict.isin([0, 1])).to_numpy()
    if wrong.any():
        raise InputError(f"column {accept!r} must hold true and false; it has others in {rows(wrong)}")
    return (verdict == 1).to_numpy(), int(verdict.isna().sum())
