"""Calibration by group: whether 70 % means 70 % for everybody."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from visanda.study.audit.clusters import count, equal_means
from visanda.study.audit.rows import Array, Flags, Rows, standard_error
from visanda.study.validity.probabilities import calibrated_error, calibration

GAP = "calibration gap"
SEED = 1


def calibration_by_group(rows: Rows, hand: pd.Series, chance: dict[str, Array]) -> pd.DataFrame:
    """A row for everybody and for each group, in each class.

    Args:
        rows: the units that people coded.
        hand: (n,) classes by hand, as text.
        chance: of each class, (n,) the machine's probability, 0 to 1; missing where it gave none.

    Returns:
        by, group, class, n (rows with a probability), predicted (mean probability), observed (share by hand), gap
        (predicted less observed: above 0 says the class too often), low and high (95 %, Student's, on the effective
        number of rows), difference (of gaps, to all other rows) with its interval; ece, the expected calibration error
        in ten bins of equal width, and ece_by_chance, what 95 of 100 machines with perfect probabilities would stay
        below on as many rows: an error is above 0 even then.
    """
    found = []
    for by, group, members in rows.cells():
        for name, share in chance.items():
            true = (hand == name).to_numpy(dtype=bool)
            known = np.isfinite(share)
            here, rest = (_gap(true, share, rows, one & known) for one in (members, ~members))
            found.append(
                {"by": by, "group": group, "class": name, "n": int((members & known).sum())}
                | _means(true, share, rows.weight, members & known)
                | dict(zip(("gap", "low", "high"), _interval(*here), strict=True))
                | dict(zip(("difference", "difference_low", "difference_high"), _apart(here, rest), strict=True))
                | _error(true, share, rows.weight, members & known)
            )
    return pd.DataFrame(found)


def equal_calibration(rows: Rows, hand: pd.Series, chance: dict[str, Array]) -> pd.DataFrame:
    """A test for each column and class that groups have the same gap: Cochran's (1954) Q, about chi-square.

    Of clusters, the score test with their variance (see ``audit_clusters``).

    Returns:
        by, rate, class, groups, test, statistic, df and p; groups of one row, or without spread, are left out.
    """
    found = []
    for column in rows.groups:
        for name, share in chance.items():
            true, known = (hand == name).to_numpy(dtype=bool), np.isfinite(share)
            if rows.together is not None:
                found += _clustered(rows, str(column), name, share - true, known)
                continue
            gaps = [_gap(true, share, rows, members & known) for by, _, members in rows.cells() if by == column]
            usable = [(gap, se) for gap, se, _ in gaps if se > 0]
            if len(usable) < 2:
                continue
            value, se = (np.array(part) for part in zip(*usable, strict=True))
            q = float(((value - np.average(value, weights=se**-2)) ** 2 / se**2).sum())
            df = len(usable) - 1
            found.append(
                {"by": str(column), "rate": GAP, "class": name, "groups": len(usable), "test": "Cochran's Q"}
                | {"statistic": q, "df": df, "p": float(stats.chi2.sf(q, df))}
            )
    return pd.DataFrame(found)


def _clustered(rows: Rows, column: str, name: str, over: Array, known: Flags) -> list[dict[str, object]]:
    """The test of groups of clusters, of groups that lie in more than one; empty where it cannot be made."""
    inside = [members & known for by, _, members in rows.cells() if by == column]
    together = rows.together if rows.together is not None else np.arange(len(known))
    inside = [one for one in inside if count(together[one]) > 1]
    if len(inside) < 2:
        return []
    of = np.logical_or.reduce(inside)
    group = np.argmax(np.stack(inside)[:, of], axis=0)
    test = equal_means(over[of], rows.weight[of], group, together[of])
    if test is None:
        return []
    common: dict[str, object] = {"by": column, "rate": GAP, "class": name, "groups": len(inside)}
    return [common | {"test": "clustered score", "statistic": test.statistic, "df": test.df, "p": test.p}]


def _gap(true: Flags, share: Array, rows: Rows, among: Flags) -> tuple[float, float, float]:
    """Mean predicted less observed, its standard error and the degrees of freedom."""
    if not among.any():
        return np.nan, np.nan, 0.0
    over, weight = share[among] - true[among], rows.weight[among]
    gap = float(np.average(over, weights=weight))
    return gap, *standard_error(over - gap, weight, rows.of(among))


def _interval(gap: float, se: float, df: float) -> tuple[float, float, float]:
    half = float(stats.t.ppf(0.975, df)) * se if df > 0 else np.nan
    return gap, gap - half, gap + half


def _apart(one: tuple[float, float, float], other: tuple[float, float, float]) -> tuple[float, float, float]:
    """The difference of two gaps and its interval (Welch 1947)."""
    gap, se = one[0] - other[0], float(np.hypot(one[1], other[1]))
    if not (one[2] > 0 and other[2] > 0 and se > 0):
        return gap, np.nan, np.nan
    df = se**4 / (one[1] ** 4 / one[2] + other[1] ** 4 / other[2])
    half = float(stats.t.ppf(0.975, df)) * se
    return gap, gap - half, gap + half


def _means(true: Flags, share: Array, weight: Array, among: Flags) -> dict[str, float]:
    if not among.any():
        return {"predicted": np.nan, "observed": np.nan}
    predicted, observed = (float(np.average(one[among], weights=weight[among])) for one in (share, true))
    return {"predicted": predicted, "observed": observed}


def _error(true: Flags, share: Array, weight: Array, among: Flags) -> dict[str, float]:
    if not among.any():
        return {"ece": np.nan, "ece_by_chance": np.nan}
    share, true, weight = share[among], true[among], weight[among]
    bins = calibration(share, true, weight)
    ece = float(np.nansum(bins["weight"] * np.abs(bins["share"] - bins["probability"])) / weight.sum())
    return {"ece": ece, "ece_by_chance": calibrated_error(share, weight, SEED)[1]}
