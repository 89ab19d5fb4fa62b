"""Drift between what was coded and the rest: a model that learnt from the one is asked about the other."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.columns import numbers, require_columns
from visanda.study.drift.pictures_plot import SMALL, drift_plot
from visanda.study.drift.told_apart import FEW, Look, told_apart
from visanda.study.validity.agreement import Array
from visanda.study.wording import p_value

CLEAR = 0.01  # p of the two-sample test
LARGE = 0.25  # standardised mean difference (Stuart 2010)
APART = 0.7  # AUC from which coded pictures and the rest look different
BINS = 10


def drift_of_pictures(
    coded: pd.DataFrame,
    rest: pd.DataFrame,
    *,
    vectors: tuple[Array, Array] | None = None,
    weights: Array | None = None,
    seed: int = 1,
) -> Result:
    """How far the coded pictures differ from those that a model is applied to.

    Args:
        coded: (n, c) numbers about the coded pictures: predicted probabilities by models that have not seen them,
            measures. Gaps are left out.
        rest: (m, c) the same columns of the other pictures.
        vectors: (n, d) and (m, d) embeddings; rows that are not finite are left out.
        weights: (n,) one over the coded pictures' probabilities of being drawn, where these differ: a sample that
            was drawn unequally on purpose is no drift.
        seed: of folds and of the part of the rest that is looked at.

    Returns:
        A Result with a row a column, the most different first: column, coded and rest (means), difference
        (standardised mean difference, in standard deviations), low and high (95 %), ks (Kolmogorov–Smirnov, the
        largest gap of the cumulative shares, 0-1), psi (population stability index over tenths of the rest; from 0,
        above 0.25 large). ``extra["look"]``: AUC with which a cross-validated logistic regression on the vectors
        tells coded pictures from the rest (0.5: not at all), low, high, and p of the classifier two-sample test
        (Lopez-Paz & Oquab 2017). ``extra["unlike"]``: rows of the rest, by number, that are least like coded ones.

    Raises:
        InputError: columns that are not in both tables, text, vectors or weights of another length.

    Example:
        >>> random = np.random.default_rng(1)
        >>> few, many = pd.DataFrame({"p": random.normal(1, 1, 100)}), pd.DataFrame({"p": random.normal(0, 1, 900)})
        >>> bool(drift_of_pictures(few, many).table["difference"].item() > 0.7)
        True
    """
    require_columns(rest, list(coded.columns), "the rest's column")
    weight = np.ones(len(coded)) if weights is None else np.asarray(weights, dtype=float)
    if weight.shape != (len(coded),) or not (np.isfinite(weight) & (weight > 0)).all():
        raise InputError(f"weights: give one above 0 for each of the {len(coded)} coded pictures")
    lines = [_column(str(name), numbers(coded, name), numbers(rest, name), weight) for name in coded.columns]
    table = pd.DataFrame(lines, columns=["column", "coded", "rest", "difference", "low", "high", "ks", "psi"])
    table = table.sort_values("difference", key=np.abs, ascending=False, ignore_index=True, kind="stable")
    if vectors is not None and (len(vectors[0]), len(vectors[1])) != (len(coded), len(rest)):
        raise InputError("vectors: give one for each coded picture, and one for each of the rest")
    look = None if vectors is None else told_apart(vectors, weight, seed)
    extra = {} if look is None else {"look": look.table(), "unlike": look.unlike()}
    return Result(
        title="Coded pictures and the rest",
        table=table,
        words=_words(table, look, len(coded), len(rest)),
        warnings=_warnings(table, look, len(coded)),
        draw=partial(drift_plot, table, look) if len(table) or look else None,
        provenance={"coded": len(coded), "rest": len(rest), "weighted": weights is not None, "seed": seed},
        extra=extra,
    )


def _column(name: str, coded: pd.Series, rest: pd.Series, weight: Array) -> tuple[object, ...]:
    known = coded.notna().to_numpy()
    ours, theirs, weight = coded.to_numpy()[known], rest.dropna().to_numpy(), weight[known]
    if not len(ours) or not len(theirs):
        return (name, *[np.nan] * 7)
    mean = np.average(ours, weights=weight)
    pooled = np.sqrt((np.average((ours - mean) ** 2, weights=weight) + theirs.var()) / 2)
    difference = (mean - theirs.mean()) / pooled if pooled > 0 else (0.0 if mean == theirs.mean() else np.nan)
    effective = weight.sum() ** 2 / (weight**2).sum()  # Kish
    reach = 1.96 * np.sqrt(1 / effective + 1 / len(theirs) + difference**2 / 2 / (effective + len(theirs)))
    return (
        name,
        mean,
        theirs.mean(),
        difference,
        difference - reach,
        difference + reach,
        _gap(ours, theirs, weight),
        _stability(ours, theirs, weight),
    )


def _gap(ours: Array, theirs: Array, weight: Array) -> float:
    at = np.sort(np.concatenate([ours, theirs]))
    order = np.argsort(ours, kind="stable")
    reached = np.r_[0, np.cumsum(weight[order])] / weight.sum()
    mine = reached[np.searchsorted(ours[order], at, side="right")]
    return float(np.abs(mine - np.searchsorted(np.sort(theirs), at, side="right") / len(theirs)).max())


def _stability(ours: Array, theirs: Array, weight: Array) -> float:
    """Population stability index; half a picture is added to each bin, so that an empty one is not infinite."""
    edges = np.unique(np.quantile(theirs, np.linspace(0, 1, BINS + 1)[1:-1]))
    effective = weight.sum() ** 2 / (weight**2).sum()
    mine = np.bincount(np.searchsorted(edges, ours, side="right"), weight, len(edges) + 1) / weight.sum() * effective
    other = np.bincount(np.searchsorted(edges, theirs, side="right"), minlength=len(edges) + 1)
    mine, other = (mine + 0.5) / (mine + 0.5).sum(), (other + 0.5) / (other + 0.5).sum()
    return float(((mine - other) * np.log(mine / other)).sum())


def _words(table: pd.DataFrame, look: Look | None, coded: int, rest: int) -> list[str]:
    said = []
    if look is not None:
        line = look.table().iloc[0]
        told = "can be told from" if line["low"] > 0.5 else "cannot be told from"
        said.append(
            f"By their looks, {coded:,} coded pictures {told} the {rest:,} others: AUC "
            f"{line['auc']:.2f} (95 % interval {line['low']:.2f} to {line['high']:.2f}; 0.5 is not at all; classifier "
            f"two-sample test, {p_value(look.p)})."
        )
    known = table.dropna(subset=["difference"])
    if len(known):
        most = known.iloc[0]
        said.append(
            f"Of {len(known)} columns, {most['column']} differs most: its mean is {most['coded']:.3g} where coded and "
            f"{most['rest']:.3g} in the rest ({most['difference']:+.2f} standard deviations)."
        )
    return said or ["Nothing could be compared."]


def _warnings(table: pd.DataFrame, look: Look | None, coded: int) -> list[str]:
    found = []
    if coded < FEW:
        found.append(f"Only {coded} pictures are coded: below {FEW} drift is hard to see.")
    if look is not None and look.auc >= APART and look.p < CLEAR:
        found.append(
            "The rest does not look like what was coded: the model's accuracy there is not known. Code a random "
            "sample of the rest, first of the pictures least like coded ones."
        )
    sure = (table["low"] > SMALL) | (table["high"] < -SMALL)
    large = table[sure & (table["difference"].abs() >= LARGE)]
    if len(large):
        names = ", ".join(large["column"].head(5)) + (", ..." if len(large) > 5 else "")
        found.append(f"Coded pictures and the rest differ by {LARGE} standard deviations or more in: {names}.")
    return found
