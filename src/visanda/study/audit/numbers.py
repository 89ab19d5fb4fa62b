"""Audit of numbers: how far a machine's ages or counts are from those that people gave."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.audit.plot import numbers_plot
from visanda.study.audit.rows import FEW, Array, Flags, Rows, effective, group_warnings, standard_error

LIMITS = 1.96  # standard deviations around the mean error: Bland & Altman's limits of agreement
SURE = 0.05  # level of the test whether errors depend on the value
MEASURES = ("bias", "low", "high", "mae", "rmse", "correlation", "limit_low", "limit_high")


def audit_numbers(rows: Rows) -> Result:
    """Errors of a machine's numbers, for everybody and by group; see ``audit``.

    Raises:
        InputError: hand codes or values that are text.
    """
    for what, column in (("the hand codes", rows.hand), ("the machine's values", rows.machine)):
        if not pd.api.types.is_float_dtype(column):
            raise InputError(f"{what} hold text ({column.dropna().iloc[0]!r}): numbers are needed, or kind='classes'")
    hand, machine = rows.hand.to_numpy(dtype=float), rows.machine.to_numpy(dtype=float)
    found = []
    for by, group, members in rows.cells():
        counted = rows.counted(members)
        errors = _errors(hand, machine, members & rows.answered, rows)
        rest = _errors(hand, machine, ~members & rows.answered, rows)
        found.append(
            {"by": by, "group": group, "n": counted["n"], "coverage": counted["coverage"], **errors}
            | {"difference": errors["bias"] - rest["bias"], "mae_difference": errors["mae"] - rest["mae"]}
            | {name: counted[name] for name in ("abstained", "failed")}
        )
    table = pd.DataFrame(found)
    there = rows.answered
    columns = [str(name) for name in rows.groups]
    colours = rows.groups[columns[0]][there] if columns else None
    return Result(
        title="",
        table=table,
        words=[rows.words(), *_words(table, columns)],
        warnings=group_warnings(table) + _trend(hand[there], machine[there]),
        draw=partial(numbers_plot, table, hand[there], machine[there], colours),
    )


def _errors(hand: Array, machine: Array, among: Flags, rows: Rows) -> dict[str, float]:
    """Of the machine's errors, which are its value less the hand code: NaN of too few rows."""
    hand, machine, weight = hand[among], machine[among], rows.weight[among]
    nothing: dict[str, float] = dict.fromkeys(MEASURES, np.nan)
    if not len(hand):
        return nothing
    error = machine - hand
    n = effective(weight)
    bias = float(np.average(error, weights=weight))
    found = nothing | {
        "bias": bias,
        "mae": float(np.average(np.abs(error), weights=weight)),
        "rmse": float(np.sqrt(np.average(error**2, weights=weight))),
    }
    if len(hand) < 2:
        return found
    spread = float(np.sqrt(np.average((error - bias) ** 2, weights=weight) * n / (n - 1)))
    se, df = standard_error(error - bias, weight, rows.of(among))
    half = float(stats.t.ppf(0.975, df)) * se if df > 0 else np.nan
    covariance = np.cov(hand, machine, aweights=weight)
    both = float(np.sqrt(covariance[0, 0] * covariance[1, 1]))
    return found | {
        "low": bias - half,
        "high": bias + half,
        "correlation": float(covariance[0, 1]) / both if both > 0 else np.nan,
        "limit_low": bias - LIMITS * spread,
        "limit_high": bias + LIMITS * spread,
    }


def _words(table: pd.DataFrame, columns: list[str]) -> list[str]:
    first = table.iloc[0]
    words = [
        f"Where it has a value, it is {_apart(first['bias'])} the hand codes on average (mean error "
        f"{first['bias']:+.2f}, 95 % CI [{first['low']:+.2f}, {first['high']:+.2f}]); mean absolute error "
        f"{first['mae']:.2f}, root mean square error {first['rmse']:.2f}, {_correlated(first['correlation'])}.",
        f"95 % of errors are expected between {first['limit_low']:+.2f} and {first['limit_high']:+.2f} (limits of "
        "agreement, Bland & Altman 1986).",
    ]
    for column in columns:
        groups = table[table["by"] == column].dropna(subset=["difference"])
        if groups.empty:
            words.append(f"By {column}: nothing to compare, since only one group has values of the machine.")
            continue
        worst = groups.iloc[int(groups["mae"].argmax())]
        words.append(
            f"By {column}: errors are largest in {worst['group']}, mean absolute error {worst['mae']:.2f} "
            f"({worst['mae_difference']:+.2f} against the rest), mean error {worst['bias']:+.2f}, 95 % CI "
            f"[{worst['low']:+.2f}, {worst['high']:+.2f}]."
        )
    return words


def _correlated(r: float) -> str:
    return "no correlation, since one of both never varies" if np.isnan(r) else f"r = {r:.2f}"


def _apart(bias: float) -> str:
    return "above" if bias > 0 else "below" if bias < 0 else "as high as"


def _trend(hand: Array, machine: Array) -> list[str]:
    """Whether errors grow or shrink with the value (Pitman 1939, Morgan 1939): then limits hold on average only."""
    error, middle = machine - hand, (machine + hand) / 2
    if len(error) < FEW or not (np.ptp(error) and np.ptp(middle)):
        return []
    found = stats.pearsonr(middle, error)
    if found.pvalue >= SURE:
        return []
    narrow = "less" if found.statistic < 0 else "more"
    return [
        f"Errors depend on the value (r = {found.statistic:+.2f}): the machine's values vary {narrow} than the hand "
        "codes, and the limits of agreement hold on average only. See the figure."
    ]
