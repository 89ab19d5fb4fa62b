"""Agreement of a measure with another source: do they go together, and do they say the same?"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from visanda.errors import DesignError, InputError
from visanda.result import Result
from visanda.study.columns import numbers
from visanda.study.external.agreement_plot import agreement_plot
from visanda.study.external.correlations import (
    BIAS,
    CONCORDANCE,
    LOWER,
    MEASURES,
    PEARSON,
    SLOPE,
    SPEARMAN,
    UPPER,
    Ends,
    Paired,
)
from visanda.study.resampling import spread
from visanda.study.wording import number, p_value

FEWEST = 5  # pairs
FEW = 30
FEW_CLUSTERS = 20
EVERYBODY = "all"
OTHER_SCALE = 3.0  # how many times as large a standard deviation, or how many of them away, another scale is
TESTED = (PEARSON, SPEARMAN, BIAS, SLOPE)  # of which it makes sense to ask whether they are 0


def agrees(
    measured: pd.Series,
    external: pd.Series,
    *,
    groups: pd.Series | None = None,
    clusters: pd.Series | None = None,
    resamples: int = 1000,
    seed: int = 1,
) -> Result:
    """How far a measure agrees with another source of the same thing.

    A correlation says whether two sources order units alike, in whatever units they count; the concordance
    correlation, the mean difference and the limits of agreement say whether they give the same number, and are about
    sources that count in the same units.

    Args:
        measured: (n,) what the measure says; rows that miss either number are left out and counted.
        external: (n,) what the other source says, with the same index.
        groups: (n,) labels; numbers for each of them too.
        clusters: (n,) what is not independent (outlet, day): intervals then come from a bootstrap of whole clusters.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        A Result with a row for each group (``all`` first) and measure: value, low and high (95 % interval), p
        (two-sided, of 0), n. Pearson (Fisher's z) and Spearman (Bonett & Wright 2000) correlation; concordance
        correlation (Lin 1989); mean difference, measured less external, and limits of agreement, between which 95 %
        of differences are expected, with intervals of their own (Bland & Altman 1999); the slope of the difference on
        the mean, which is not 0 where one source spreads more (proportional bias). ``extra["pairs"]`` has the pairs.

    Raises:
        InputError: series of different rows; text.
        DesignError: fewer than five pairs (clusters, where there are some) in all; a source that never varies.

    Example:
        >>> wright = pd.Series([494, 395, 516, 434, 476, 557, 413, 442, 650], dtype=float)
        >>> mini = pd.Series([512, 430, 520, 428, 500, 600, 364, 380, 658], dtype=float)
        >>> found = agrees(wright, mini).table.set_index("measure")
        >>> round(float(found.loc["mean difference", "value"]), 1)
        -1.7
    """
    rows, left_out = _rows(measured, external, groups, clusters)
    title = f"Agreement of {measured.name or 'the measure'} with {external.name or 'the external variable'}"
    parts = {EVERYBODY: rows}
    if groups is not None:
        parts |= {str(label): part for label, part in rows.groupby("group", sort=True) if _enough(part)}
    found = {name: _of(part, clusters is not None, resamples, seed) for name, part in parts.items()}
    table = pd.DataFrame(
        [
            {"group": group, "measure": name, **vars(ends), "n": len(parts[group])}
            for group, each in found.items()
            for name, ends in each.items()
        ]
    )
    pairs = rows.assign(mean=(rows["measured"] + rows["external"]) / 2, difference=rows["measured"] - rows["external"])
    pairs = pairs.drop(columns=[*(["group"] if groups is None else []), *(["cluster"] if clusters is None else [])])
    names = (str(measured.name or "measured"), str(external.name or "external"))
    return Result(
        title=title,
        table=table if groups is not None else table.drop(columns="group"),
        words=_words(found, rows, names, clusters is not None, left_out),
        warnings=_warnings(found[EVERYBODY], rows, names, clusters is not None, groups is not None),
        draw=partial(agreement_plot, pairs, found[EVERYBODY], names),
        provenance={
            "n": len(rows),
            "left_out": left_out,
            "clusters": rows["cluster"].nunique() if clusters is not None else None,
            "resamples": resamples if clusters is not None else None,
            "seed": seed,
        },
        extra={"pairs": pairs.reset_index()},
    )


def _rows(
    measured: pd.Series, external: pd.Series, groups: pd.Series | None, clusters: pd.Series | None
) -> tuple[pd.DataFrame, int]:
    given = {"external": external, "groups": groups, "clusters": clusters}
    for name, one in given.items():
        if one is not None and not measured.index.equals(one.index):
            raise InputError(
                f"measured and {name} are not about the same rows in the same order: join them by id first"
            )
    both = pd.DataFrame({"measured": measured, "external": external})
    both = pd.DataFrame({name: numbers(both, name) for name in ("measured", "external")})
    both["group"] = EVERYBODY if groups is None else groups
    both["cluster"] = np.arange(len(both)) if clusters is None else clusters
    rows = both.dropna()
    units = rows["cluster"].nunique()
    if units < FEWEST:
        what = "pairs" if clusters is None else "clusters of pairs"
        raise DesignError(f"only {units} {what} have both numbers: agreement needs {FEWEST} at the very least")
    for name in ("measured", "external"):
        if rows[name].nunique() == 1:
            said = measured.name if name == "measured" else external.name
            raise DesignError(
                f"{said or name} is {rows[name].iloc[0]:g} in all {len(rows)} rows: nothing agrees with a constant"
            )
    return rows, len(both) - len(rows)


def _enough(rows: pd.DataFrame) -> bool:
    """Whether a group can have numbers of its own."""
    varies = rows[["measured", "external"]].nunique().min() > 1
    return bool(varies and min(len(rows), rows["cluster"].nunique()) >= FEWEST)


def _of(rows: pd.DataFrame, clustered: bool, resamples: int, seed: int) -> dict[str, Ends]:
    pairs = Paired(rows["measured"].to_numpy(), rows["external"].to_numpy())
    if not clustered:
        return {
            name: Ends(ends.value, ends.low, ends.high, ends.p if name in TESTED else np.nan)
            for name, ends in pairs.by_formula().items()
        }
    drawn = spread(pairs.weighted, np.ones(len(rows)), rows["cluster"], resamples, seed)
    found = {}
    for name in MEASURES:
        value, (low, high) = drawn.point[name], drawn.interval(name)
        se = float(np.nanstd(drawn.drawn[name])) if resamples else np.nan
        p = float(2 * stats.norm.sf(abs(value) / se)) if name in TESTED and se > 0 else np.nan
        found[name] = Ends(value, low, high, p)
    return found


def _words(
    found: dict[str, dict[str, Ends]], rows: pd.DataFrame, names: tuple[str, str], clustered: bool, left_out: int
) -> list[str]:
    of = found[EVERYBODY]
    how = f"bootstrap over {rows['cluster'].nunique():,} clusters" if clustered else "Fisher's z"
    lost = f" ({left_out:,} rows without both are left out)" if left_out else ""
    words = [
        f"In {len(rows):,} rows{lost}, {names[0]} and {names[1]} correlate with r = {_said(of[PEARSON])} and "
        f"ρ = {_said(of[SPEARMAN])} (Pearson, Spearman; 95 % intervals from {how}).",
        f"In the same units, their concordance correlation is {_said(of[CONCORDANCE])} (Lin 1989).",
        f"On average, {names[0]} less {names[1]} is {_said(of[BIAS])}, and 95 % of differences are expected between "
        f"{number(of[LOWER].value)} (95 % CI {number(of[LOWER].low)} to {number(of[LOWER].high)}) and "
        f"{number(of[UPPER].value)} "
        f"({number(of[UPPER].low)} to {number(of[UPPER].high)}; limits of agreement, Bland & Altman 1999).",
    ]
    if len(found) > 1:
        each = "; ".join(f"{name} {number(one[PEARSON].value)}" for name, one in found.items() if name != EVERYBODY)
        words.append(f"r by group: {each}.")
        if not clustered:
            words.append(_heterogeneity({name: one for name, one in found.items() if name != EVERYBODY}, rows))
    return words


def _said(ends: Ends) -> str:
    return f"{number(ends.value)} (95 % CI {number(ends.low)} to {number(ends.high)})"


def _heterogeneity(found: dict[str, dict[str, Ends]], rows: pd.DataFrame) -> str:
    """Whether correlations differ between groups: Q of Fisher's z (Hedges & Olkin 1985)."""
    n = rows["group"].astype(str).value_counts()
    z = np.array([np.arctanh(np.clip(one[PEARSON].value, -1 + 1e-12, 1 - 1e-12)) for one in found.values()])
    weight = np.array([n[name] - 3 for name in found], float)
    q = float((weight * (z - np.average(z, weights=weight)) ** 2).sum())
    p = stats.chi2.sf(q, len(z) - 1) if len(z) > 1 else 1.0
    differ = "differ" if p < 0.05 else "do not clearly differ"
    return f"These correlations {differ} between groups (Q = {q:.2f}, {len(z) - 1} df, {p_value(float(p))})."


def _warnings(
    of: dict[str, Ends], rows: pd.DataFrame, names: tuple[str, str], clustered: bool, grouped: bool
) -> list[str]:
    found = []
    one, other = rows["measured"], rows["external"]
    ratio = one.std() / other.std()
    far = abs(one.mean() - other.mean()) > OTHER_SCALE * max(one.std(), other.std())
    if far or not 1 / OTHER_SCALE <= ratio <= OTHER_SCALE:
        found.append(
            "The two seem to count in different units (their spread or level is far apart): read the correlations; "
            "concordance, mean difference and limits say nothing unless the units are the same."
        )
    elif of[SLOPE].p < 0.05:
        more = "more" if of[SLOPE].value > 0 else "less"
        found.append(
            f"Proportional bias: the difference grows with the mean (slope {number(of[SLOPE].value)}, "
            f"{p_value(of[SLOPE].p)}), so {names[0]} spreads {more} than {names[1]}; limits of agreement are too "
            "wide at one end and too narrow at the other."
        )
    if clustered and rows["cluster"].nunique() < FEW_CLUSTERS:
        found.append(f"Only {rows['cluster'].nunique()} clusters: the intervals, which resample them, are too narrow.")
    elif len(rows) < FEW:
        found.append(f"Only {len(rows)} pairs: intervals are wide, and rest on normal distributions.")
    if grouped and (small := [str(g) for g, part in rows.groupby("group") if not _enough(part)]):
        found.append(
            f"Groups with fewer than {FEWEST} pairs, or one value throughout, have no numbers: {', '.join(small)}."
        )
    return found
