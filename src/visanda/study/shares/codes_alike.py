"""Codes alike: what can be said of a share where nobody coded a value, or all codes are the same.

Nothing can be learnt there about the machine's errors, and the usual interval has no width. What is left is exact: of n
codes without the value, a share above about 3.7 / n is implausible (Clopper & Pearson 1934).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from visanda.study.columns import numbers, numeric
from visanda.study.correct.coded import EQUAL, refuse_impossible
from visanda.study.correct.machine import Prediction
from visanda.study.regression.ordinary import ordinary

HALF = 0.5  # the probability from which a 0/1 variable is labelled 1


def exact(rows: pd.DataFrame, variable: str, share: float, sample_prob: str | None, cluster: str | None) -> NDArray:
    """The share 0 or 1 that all codes say, and its exact 95 % interval: (3,) share, low, high.

    Args:
        rows: a row a unit, some coded.
        variable: the codes.
        share: 0 or 1.
        sample_prob: column of probabilities; codes of unequal ones count as the equal ones that say as much.
        cluster: column of units that go together, which count as one: they may all say the same.

    Raises:
        DesignError: probabilities that cannot be.
    """
    there = rows[variable].notna() & (True if cluster is None else rows[cluster].notna())
    weight = np.ones(there.sum())
    if sample_prob is not None and sample_prob != EQUAL:
        probability = numbers(rows, sample_prob)
        refuse_impossible(there.to_numpy(), probability)
        weight = 1 / probability[there].to_numpy(float)
    coded = rows[there]
    if cluster is not None:
        weight = np.bincount(pd.factorize(coded[cluster])[0], weight).astype(float)
    many = float(weight.sum() ** 2 / (weight**2).sum())  # Kish (1965)
    ends = (beta.ppf(0.025, many, 1), 1.0) if share else (0.0, beta.ppf(0.975, 1, many))
    return np.array([share, *ends])


def labelled(rows: pd.DataFrame, prediction: Prediction, label: str | None) -> pd.Series:
    """The machine's label of each row: the column, or what its predictions come to."""
    if label is not None:
        return rows[label]
    if not isinstance(prediction, str):
        back = {column: value for value, column in prediction.items()}
        return rows[list(back)].astype(float).idxmax(axis=1).map(back)
    said = numeric(rows[prediction])
    return (said >= HALF).astype(float).where(said.notna()) if pd.api.types.is_float_dtype(said) else said


def naive_share(labels: pd.Series, value: object, cluster: pd.Series | None) -> pd.DataFrame:
    """The share of ``value`` among the machine's labels, as if true: a row with estimate, se, low, high and n."""
    there = labels.notna()
    data = pd.DataFrame({"said": (labels[there] == value).astype(float)})
    if cluster is not None:
        data["cluster"] = cluster[there]
    fit = ordinary(data, "said ~ 1", "lm", "cluster" if cluster is not None else None)
    return fit.frame().drop(columns=["term", "p"]).assign(n=fit.n)


def shares_alike(
    rows: pd.DataFrame,
    variable: str,
    values: Sequence[object],
    prediction: Prediction,
    label: str | None,
    sample_prob: str | None,
    cluster: str | None,
    naive: str,
    gold: str,
) -> pd.DataFrame:
    """The shares of rows of which all codes are the same: by the machine's labels, and exactly by the codes.

    Args:
        rows: of a group.
        variable: its codes.
        values: that were coded anywhere, sorted: two numbers 0 and 1, or categories.
        prediction: as of :func:`visanda.study.estimate`.
        label: column of the machine's hard label, or None.
        sample_prob: as of ``estimate``, or None.
        cluster: as of ``estimate``.
        naive: what the first are called.
        gold: what the second are called.

    Returns:
        Columns method, term, estimate, se (missing where exact), low, high and n.

    Raises:
        DesignError: one cluster, probabilities that cannot be.
    """
    counted = pd.api.types.is_number(values[0])
    labels = labelled(rows, prediction, label)
    only, n_coded = rows[variable].dropna().iloc[0], int(rows[variable].notna().sum())
    parts = []
    for value in [1.0] if counted else values:
        term = f"share of {variable if counted else value}"
        share = exact(rows, variable, float(only == value), sample_prob, cluster)
        line = pd.DataFrame([[*share, np.nan, n_coded]], columns=["estimate", "low", "high", "se", "n"])
        said = naive_share(labels, value, rows[cluster] if cluster else None)
        parts += [said.assign(method=naive, term=term), line.assign(method=gold, term=term)]
    return pd.concat(parts, ignore_index=True)
