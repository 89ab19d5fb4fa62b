"""Corrected values of pictures, and their means by unit: ỹ = ŷ − w (ŷ − y)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.columns import numbers, numeric
from visanda.study.correct.coded import EQUAL, coded_rows
from visanda.study.correct.crossfit import deal_folds, expected_codes, linear
from visanda.study.validity.agreement import ratio
from visanda.study.wording import number

Array = NDArray[np.float64]

FOLDS, SPLITS = 5, 5
PLACE = "place__"  # of a row before incomplete ones were dropped


@dataclass(frozen=True)
class Corrected:
    """One predicted variable in u units.

    Attributes:
        name: of the variable.
        n: (u,) rows with a prediction that count.
        coded: (u,) of them coded.
        mean: (u,) of corrected values; like the next two of rows that count as much as their weights.
        naive: (u,) of predictions.
        gold: (u,) of codes, each standing for those that could have been drawn; NaN where nobody coded.
        se: (u,) of ``mean``, the unit's rows taken as a sample.
        se_machine: (u,) of ``mean`` around what coding every row would give.
        pi_unit: (u,) probability that any row is coded, that of its rows where units were drawn whole; NaN where it is
            not known.
        dropped: rows without a prediction.
        moved: corrected less naive, over all rows.
    """

    name: str
    n: Array
    coded: Array
    mean: Array
    naive: Array
    gold: Array
    se: Array
    se_machine: Array
    pi_unit: Array
    dropped: int
    moved: float

    def table(self) -> pd.DataFrame:
        """A row a unit."""
        y = self.name
        made = {
            y: self.mean,
            f"{y}_naive": self.naive,
            f"{y}_gold": self.gold,
            f"{y}_coded": self.coded.astype(np.int64),
            f"{y}_se": self.se,
            f"{y}_se_machine": self.se_machine,
        }
        return pd.DataFrame(made)

    def words(self) -> str:
        """What was done, in a sentence."""
        with_codes = int((self.coded > 0).sum())
        return (
            f"{self.name}: {int(self.coded.sum()):,} coded rows in {with_codes:,} of {len(self.n):,} units; all units "
            f"have a corrected mean, which lies {number(abs(self.moved))} {'above' if self.moved >= 0 else 'below'} "
            "that of the machine over all rows. As the outcome of a linear model it is unbiased whatever the machine's "
            "errors; as a covariate, or cut at 0 and 1, it is not."
        )

    def warnings(self) -> list[str]:
        """What a careful reader must know."""
        found = []
        if self.dropped:
            found.append(f"{self.dropped:,} rows have no prediction of {self.name} and are not in its means.")
        if (empty := int((self.n == 0).sum())) and self.dropped:
            found.append(f"{empty:,} units have no row with a prediction of {self.name}: it is missing there.")
        if np.isnan(self.pi_unit).any():
            found.append(
                "The probability of rows that were not drawn is not known: pi_unit is missing where a unit has any, so "
                "that units' gold cannot be weighted. Give the probability of every row."
            )
        return found


def corrected(
    rows: pd.DataFrame,
    unit: NDArray[np.int64],
    units: int,
    variable: str,
    prediction: str,
    sample_prob: str | None,
    weights: str | None,
    learner: Literal["raw", "linear"],
    seed: int,
) -> Corrected:
    """Means of corrected values by unit.

    A row that counts much moves its unit's mean much, and so does its error: of rows that count c, made 1 on average
    over each unit, the variance of the mean is Σ c² (1 − π) / π e² / n². The size of errors e² is pooled over all units
    with the same weights c² (1 − π) / π, so that it is that of the errors that matter.

    Args:
        rows: n rows.
        unit: (n,) number of each row's unit.
        units: how many there are.
        variable: column of codes.
        prediction: column of what the machine says.
        sample_prob: column of the probability of being drawn, or None.
        weights: column of how much each row counts, 0 or more, or None.
        learner: as in :func:`visanda.study.panels.units_of`.
        seed: of the folds.

    Raises:
        InputError: text as a variable or a prediction.
        DesignError: too few codes, probabilities that cannot be.
    """
    if learner not in ("raw", "linear"):
        raise InputError(f"learner={learner!r}: choose raw or linear")
    if not pd.api.types.is_float_dtype(numeric(rows[variable])):
        raise InputError(
            f"the predicted variable {variable!r} is text: make a column of 0 and 1 for each value that you ask about"
        )
    data = rows.copy()
    data[prediction], data[PLACE] = numbers(rows, prediction), np.arange(len(rows))
    known = coded_rows(data, f"`{variable}` ~ 1", [variable], [prediction, PLACE], sample_prob, None)
    place = known.data[PLACE].to_numpy(int)
    code, w, is_coded = unit[place], known.weight, known.coded
    counts = np.ones(known.n) if weights is None else known.data[weights].to_numpy(float)
    here = counts > 0
    said = known.data[prediction].to_numpy(float)
    y = known.data[variable].to_numpy(float)
    expected = said if learner == "raw" else _calibrated(said, y, is_coded, seed)
    error = np.where(is_coded, expected - np.where(is_coded, y, 0.0), 0.0)
    fixed = expected - w * error
    n, total = _total(here.astype(float), code, units), _total(counts, code, units)
    even = counts * ratio(n, total)[code] if weights is not None else counts  # 1 on average over each unit
    even = np.where(here, even, 0.0)
    mean = ratio(_total(counts * fixed, code, units), total)
    odds, pi = _odds(known.data, w, is_coded, sample_prob)
    matters = w * even**2 * odds
    whole = _whole(code[here], is_coded[here], units)
    sizes = _of_units(even, error, code, units) if whole else error**2
    square = float((matters * sizes).sum() / matters.sum()) if matters.sum() else 0.0
    machine = _total(even**2 * odds, code, units) * square  # Poisson sampling: Σ c² (1 − π) / π e²
    return Corrected(
        name=variable,
        n=n,
        coded=_total((is_coded & here).astype(float), code, units),
        mean=mean,
        naive=ratio(_total(counts * said, code, units), total),
        gold=ratio(_total(counts * w * np.where(is_coded, y, 0.0), code, units), _total(counts * w, code, units)),
        se=np.sqrt(_within(fixed, code, even, n, mean) * ratio(_total(even**2, code, units), n**2)),
        se_machine=ratio(np.sqrt(machine), n),
        pi_unit=ratio(_total(np.where(here, pi, 0.0), code, units), n)
        if whole
        else _any(np.where(here, pi, 0.0), code, units),
        dropped=known.n_dropped,
        moved=float(np.average(fixed, weights=counts) - np.average(said, weights=counts)),
    )


def _whole(code: NDArray[np.int64], is_coded: NDArray[np.bool_], units: int) -> bool:
    """Whether units were drawn as a whole: all rows of each are coded or none, and there are such of several rows."""
    n, coded = np.bincount(code, minlength=units), np.bincount(code, is_coded, units)
    return bool(((coded == 0) | (coded == n)).all() and (n[coded > 0] > 1).any() and not is_coded.all())


def _of_units(even: Array, error: Array, code: NDArray[np.int64], units: int) -> Array:
    """(n,) for each row the square of its unit's error, per square of what its rows count: errors of a unit add up."""
    return ratio(_total(even * error, code, units) ** 2, _total(even**2, code, units))[code]


def _calibrated(said: Array, y: Array, is_coded: NDArray[np.bool_], seed: int) -> Array:
    """(n,) expected codes given predictions, from codes of other rows; the mean of several splits."""
    random = np.random.default_rng(seed)
    rows = np.arange(len(said))
    learner = linear(y[is_coded])
    found = [
        expected_codes(said[:, None], y, is_coded, deal_folds(rows, is_coded, FOLDS, random), learner)
        for _ in range(SPLITS)
    ]
    return np.asarray(np.mean(found, axis=0))


def _total(values: Array, code: NDArray[np.int64], units: int) -> Array:
    return np.bincount(code, values, units).astype(float)


def _within(values: Array, code: NDArray[np.int64], even: Array, n: Array, mean: Array) -> float:
    """Variance within units, pooled, of rows that count ``even``; over all rows where no unit has two."""
    units = len(n)
    square, cube = _total(even**2, code, units), _total(even**3, code, units)
    with np.errstate(divide="ignore", invalid="ignore"):  # of means, what is left of Σ c²; n − 1 where all count alike
        df = float(np.nansum(square - 2 * cube / n + square**2 / n**2))
    if df <= 1e-9:
        here = values[even > 0]
        return float(np.var(here, ddof=1)) if len(here) > 1 else np.nan
    return float(np.nansum(even**2 * (values - mean[code]) ** 2) / df)


def _odds(data: pd.DataFrame, w: Array, is_coded: NDArray[np.bool_], sample_prob: str | None) -> tuple[Array, Array]:
    """(n,) (1 − π) / π of the share that was coded, and π as it was drawn; NaN where it is not known."""
    pi = np.full(len(data), is_coded.mean()) if sample_prob in (None, EQUAL) else data[str(sample_prob)].to_numpy(float)
    if np.isnan(pi).any():  # estimated by the coded rows, whose weights stand for all
        average = float((w * np.maximum(w - 1, 0)).sum() / len(w))
        return np.full(len(data), average), pi
    scaled = np.minimum(pi * is_coded.mean() / pi.mean(), 1.0)
    return (1 - scaled) / scaled, pi


def _any(pi: Array, code: NDArray[np.int64], units: int) -> Array:
    """(u,) 1 − Π(1 − π)."""
    with np.errstate(divide="ignore"):
        none = _total(np.log1p(-np.minimum(pi, 1.0)), code, units)
    return np.asarray(-np.expm1(none))
