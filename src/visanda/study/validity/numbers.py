"""Validity of numbers: ratings, counts, scores; how far off a machine is, and whether in one direction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.resampling import Array, spread
from visanda.study.validity.agreement import ratio
from visanda.study.validity.judged import Rows, few
from visanda.study.validity.numbers_plot import numbers_plot
from visanda.study.validity.words import interval, left_out, over

LIMITS = 1.96  # standard deviations around the mean error: Bland & Altman's limits of agreement
NARROW = 0.1  # of the slope of calibration around 1: nearer is no matter


@dataclass(frozen=True)
class NumberCodes:
    """Numbers of n rows.

    Attributes:
        true: (n,) what people said.
        said: (n,) what the machine says.
    """

    true: Array
    said: Array

    def measure(self, weight: Array) -> dict[str, Array]:
        """Errors and agreement; see ``validity``."""
        total = weight.sum(axis=-1)
        error = self.said - self.true
        bias, squares = ratio(weight @ error, total), ratio(weight @ error**2, total)
        true, said = self.true - self.true.mean(), self.said - self.true.mean()  # moments of small numbers
        mean, other = ratio(weight @ true, total), ratio(weight @ said, total)
        variance = np.maximum(ratio(weight @ true**2, total) - mean**2, 0)
        others = np.maximum(ratio(weight @ said**2, total) - other**2, 0)
        together = ratio(weight @ (true * said), total) - mean * other
        scatter = np.sqrt(np.maximum(squares - bias**2, 0) * ratio(total, total - 1))
        tiny = 1e-12 * max(float(np.square(true).mean()), float(np.square(said).mean()))  # what rounding leaves of 0
        return {
            "mean absolute error": ratio(weight @ np.abs(error), total),
            "root mean square error": np.sqrt(squares),
            "correlation": ratio(
                together, np.sqrt(np.where((variance > tiny) & (others > tiny), variance * others, 0))
            ),
            "R²": 1 - ratio(squares, np.where(variance > tiny, variance, 0)),
            "ICC(A,1)": _absolute_agreement(total, variance, others, together, bias),
            "Spearman correlation": _rank_correlation(self.true, self.said, weight),
            "mean error": bias,
            "lower limit of agreement": bias - LIMITS * scatter,
            "upper limit of agreement": bias + LIMITS * scatter,
            "slope of gold on prediction": ratio(together, np.where(others > tiny, others, 0)),
        }

    def constant(self, weight: Array) -> NumberCodes:
        """Always the mean of gold."""
        return replace(self, said=np.full(len(self.true), np.average(self.true, weights=weight)))


def _absolute_agreement(total: Array, variance: Array, others: Array, together: Array, bias: Array) -> Array:
    """Agreement of two sources, of single values and in absolute terms, two-way (McGraw & Wong 1996, ICC(A,1))."""
    scale = ratio(total, total - 1)
    rows = scale * (variance + others + 2 * together) / 2
    columns = total * bias**2 / 2
    left = scale * (variance + others - 2 * together) / 2
    return ratio(rows - left, rows + left + 2 * (columns - left) / total)


def _rank_correlation(true: Array, said: Array, weight: Array) -> Array:
    total = weight.sum(axis=-1)
    first, second = (_middle_ranks(one, weight) for one in (true, said))
    first, second = (one - ratio((weight * one).sum(axis=-1), total)[..., None] for one in (first, second))
    spreads = (weight * first**2).sum(axis=-1) * (weight * second**2).sum(axis=-1)
    return ratio((weight * first * second).sum(axis=-1), np.sqrt(spreads))


def _middle_ranks(values: Array, weight: Array) -> Array:
    """(..., n) rank of each row among rows of these weights, ties at their mean rank."""
    place = np.unique(values, return_inverse=True)[1]
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(place[order]) > 0])
    each = np.add.reduceat(weight[..., order], starts, axis=-1)
    return (np.cumsum(each, axis=-1) - each / 2)[..., place]


def number_codes(rows: Rows) -> NumberCodes:
    """Rows as numbers.

    Raises:
        InputError: what is no finite number.
    """
    found = []
    for what, column in (("gold", rows.gold), ("the predictions", rows.predicted)):
        numbers = pd.to_numeric(column, errors="coerce")
        bad = column[numbers.isna() | np.isinf(numbers.astype(float))]
        if len(bad):
            raise InputError(f"{what} hold {bad.iloc[0]!r} in {len(bad):,} rows: an interval scale needs numbers")
        found.append(numbers.to_numpy(dtype=float))
    return NumberCodes(*found)


def numbers_validity(rows: Rows, codes: NumberCodes, resamples: int, seed: int, grouped: bool) -> Result:
    """Numbers, words and figure of numbers."""
    found = spread(codes.measure, rows.weight, rows.group, resamples, seed)
    table = found.table(list(found.point))
    baseline = codes.constant(rows.weight).measure(rows.weight)
    table["baseline"] = [float(baseline[name]) for name in found.point]
    errors = pd.DataFrame(
        {"gold": codes.true, "predicted": codes.said, "error": codes.said - codes.true}, index=rows.gold.index
    )
    return Result(
        title="",
        table=table,
        words=_words(table, rows, grouped),
        warnings=few(rows, grouped) + _warnings(table, codes) + left_out({n: found.lost(n) for n in found.point}),
        draw=partial(numbers_plot, errors, table.set_index("measure")["value"]),
        provenance={"classes": []},
        extra={"errors": errors.reset_index()},
    )


def _words(table: pd.DataFrame, rows: Rows, grouped: bool) -> list[str]:
    value = table.set_index("measure")
    mean = value.loc["mean absolute error"]
    return [
        f"On {len(rows.gold):,} rows with gold, the machine is off by {interval(mean)} on average (mean absolute "
        f"error; bootstrap over {over(rows, grouped)}); always saying the mean of gold would be off by "
        f"{mean.baseline:.3g}.",
        f"r = {interval(value.loc['correlation'])}; agreement in absolute terms ICC(A,1) = "
        f"{interval(value.loc['ICC(A,1)'])}; R² = {value.loc['R²'].value:.3f}.",
        f"Mean error (machine less gold) {interval(value.loc['mean error'])}; 95 % of errors are expected between "
        f"{value.loc['lower limit of agreement'].value:+.3g} and {value.loc['upper limit of agreement'].value:+.3g} "
        "(limits of agreement, Bland & Altman 1986).",
    ]


def _warnings(table: pd.DataFrame, codes: NumberCodes) -> list[str]:
    value = table.set_index("measure")
    mean, bias, slope = (
        value.loc[name] for name in ("mean absolute error", "mean error", "slope of gold on prediction")
    )
    found = []
    if mean.high >= mean.baseline:
        found.append("The errors are not clearly smaller than those of always saying the mean of gold.")
    if bias.low > 0 or bias.high < 0:
        found.append(f"The machine says {'more' if bias.value > 0 else 'less'} than people do, on average.")
    if abs(slope.value - 1) > NARROW and (slope.low > 1 or slope.high < 1):
        far = "too far apart: shrink" if slope.value < 1 else "too close together: stretch"
        found.append(f"The machine's values lie {far} them by {slope.value:.2f} around their mean to be calibrated.")
    if len(np.unique(codes.said)) == 1:
        found.append("The machine says the same number of every row.")
    if len(np.unique(codes.true)) == 1:
        found.append("Gold is the same number in every row: nothing can correlate with it.")
    return found
