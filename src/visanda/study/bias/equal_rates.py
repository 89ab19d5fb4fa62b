"""Tests of equal rates: whether groups differ by more than chance would make them differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import gammaln

from visanda.study.audit.clusters import equal_means
from visanda.study.audit.rows import Rows
from visanda.study.bias.rates import Cell, Rate, compared
from visanda.study.regression.multiple import adjusted

Array = NDArray[np.float64]

SMALL = 5  # expected in a cell, below which chi-square is not believed (Cochran 1954)
TABLES = 9999  # that are drawn for Fisher's test of more than two groups
SEED = 1
NONE = "none: it happened never or always"


def equal_rates(rows: Rows, asked: Sequence[Rate]) -> pd.DataFrame:
    """A test for each column of groups and each rate; all of them corrected together (Holm 1979).

    Pearson's chi-square on shares of the effective numbers of rows (the first-order correction of Rao & Scott 1981,
    with Kish's design effect); where a cell is expected to hold fewer than 5, Fisher's exact test (Freeman & Halton
    1951), of effective numbers rounded to whole ones. Of clusters, the score test with their variance (Rao, Scott &
    Skinner 1998). Groups of which a rate has no row, or only rows of one cluster, are left out.

    Returns:
        by, rate, class, groups, test, statistic (of chi-square; else NaN), df, p and p_holm.
    """
    found = []
    for column in rows.groups:
        for rate in asked:
            cells = compared(rows, str(column), rate, fewest=1)
            if len(cells) > 1:
                test = _test(cells) if rows.together is None else _clustered(rows, rate, cells)
                found.append({"by": str(column), "rate": rate.name, "class": rate.of, **test})
    table = pd.DataFrame(found, columns=["by", "rate", "class", "groups", "test", "statistic", "df", "p"])
    return holm(table)


def holm(table: pd.DataFrame) -> pd.DataFrame:
    """``table`` with ``p_holm``: its column ``p``, corrected for the number of rows (Holm 1979)."""
    return adjusted(table).rename(columns={"p_adjusted": "p_holm"})


def _test(cells: list[Cell]) -> dict[str, object]:
    size = np.array([cell.size for cell in cells])
    hits = size * [cell.value for cell in cells]
    counts = np.stack([hits, size - hits], axis=1)
    common = {"groups": len(cells), "statistic": np.nan, "df": len(cells) - 1}
    pooled = hits.sum() / size.sum()
    if pooled in (0.0, 1.0):
        return common | {"test": NONE, "p": 1.0}
    if (np.outer(size, [pooled, 1 - pooled]) >= SMALL).all():
        found = stats.chi2_contingency(counts, correction=False)
        return common | {"test": "chi-square", "statistic": float(found.statistic), "p": float(found.pvalue)}
    return common | {"test": "Fisher", "p": fisher(np.rint(counts).astype(np.int64))}


def _clustered(rows: Rows, rate: Rate, cells: list[Cell]) -> dict[str, object]:
    common = {"groups": len(cells), "statistic": np.nan, "df": len(cells) - 1}
    inside = [rate.among & cell.members for cell in cells]
    of = np.logical_or.reduce(inside)
    if rate.happened[of].all() or not rate.happened[of].any():
        return common | {"test": NONE, "p": 1.0}
    group = np.argmax(np.stack(inside)[:, of], axis=0)
    together = rows.together[of] if rows.together is not None else np.arange(int(of.sum()))
    found = equal_means(rate.happened[of].astype(float), rows.weight[of], group, together)
    if found is None:
        return common | {"test": "none: too few clusters", "p": np.nan}
    return common | {"test": "clustered score", "statistic": found.statistic, "p": found.p}


def fisher(counts: NDArray[np.int64]) -> float:
    """Fisher's exact test, its p, that rows of (groups, 2) counts have the same share.

    Exact for two groups; for more, of 9,999 tables drawn with the same margins (Freeman & Halton 1951).

    >>> round(fisher(np.array([[8, 2], [1, 5]])), 4)
    0.035
    """
    if len(counts) == 2:
        return float(stats.fisher_exact(counts)[1])
    size, hits = counts.sum(axis=1), counts[:, 0]
    draw = np.random.default_rng(SEED).multivariate_hypergeometric(size, int(hits.sum()), size=TABLES)
    here, drawn = _log_chance(hits, size), _log_chance(draw, size)
    return float((1 + (drawn <= here + 1e-9).sum()) / (1 + TABLES))


def _log_chance(hits: NDArray[np.int64], size: NDArray[np.int64]) -> Array:
    """Log probability of (..., groups) hits under fixed margins, up to a constant."""
    return np.asarray(-(gammaln(hits + 1) + gammaln(size - hits + 1)).sum(axis=-1))
