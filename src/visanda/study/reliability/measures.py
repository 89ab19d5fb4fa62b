"""The measures of reliability that suit each scale, by name."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.study.reliability import chance, icc
from visanda.study.reliability.alpha import CodedTwice, Measure, alpha_of, set_distance
from visanda.study.reliability.coders import Coded
from visanda.study.resampling import Spread, spread, unanimous

Array = NDArray[np.float64]

MOST_IN_PAIRS = 30  # coders above which pairs of them are not looked at
AGREEMENT, DIFFERENCE, SIMILARITY = "percent agreement", "mean absolute difference", "Jaccard similarity"
ALPHA = {
    "nominal": "Krippendorff's alpha (nominal)",
    "pairwise": "Krippendorff's alpha (nominal)",
    "ordinal": "Krippendorff's alpha (ordinal)",
    "interval": "Krippendorff's alpha (interval)",
    "multilabel": "Krippendorff's alpha (MASI)",
}
AC1, AC2 = "Gwet's AC1", "Gwet's AC2 (ordinal weights)"


def measures_of(coded: Coded) -> dict[str, Measure]:
    """Measures of ``coded`` as functions of weights (r, u) of ``coded.twice()``; first agreement, then alpha.

    Nominal: percent agreement, alpha, AC1, kappa. Ordinal: the same with weights. Interval: mean absolute
    difference, alpha, ICCs. Multi-label: share of the same sets, alpha by MASI and by Jaccard, Jaccard's similarity.
    """
    twice = coded.twice()
    counted = CodedTwice(twice.counts) if coded.scale != "interval" else None
    few = len(coded.coders) <= MOST_IN_PAIRS
    of_pairs = "" if len(coded.coders) == 2 else "mean of pairs"
    if counted is None:
        found: dict[str, Measure] = {
            DIFFERENCE: icc.mean_difference(twice),
            ALPHA["interval"]: alpha_of(twice, "interval"),
            "ICC(1)": icc.one_way(twice),
        }
        if few:
            found["ICC(A,1)"] = icc.two_way(twice, "agreement")
            found["ICC(C,1)"] = icc.two_way(twice, "consistency")
        return found
    found = {AGREEMENT: counted.agreement}
    if coded.scale == "multilabel":
        apart = set_distance(twice.sets(), masi=False)
        found[ALPHA["multilabel"]] = alpha_of(twice, "masi")
        found["Krippendorff's alpha (Jaccard)"] = alpha_of(twice, "jaccard")
        found[SIMILARITY] = _similarity(counted, apart)
    elif coded.scale == "ordinal":
        found[ALPHA["ordinal"]] = alpha_of(twice, "ordinal")
        found[AC2] = chance.gwet(coded, chance.ordinal_weights)
        if few:
            found[f"Cohen's kappa ({', '.join(filter(None, ['quadratic weights', of_pairs]))})"] = chance.kappa(
                twice, chance.quadratic
            )
    else:
        found[ALPHA["nominal"]] = alpha_of(twice, "nominal")
        found[AC1] = chance.gwet(coded)
        if few:
            found["Cohen's kappa" + (f" ({of_pairs})" if of_pairs else "")] = chance.kappa(twice)
    return found


def measured(
    coded: Coded, resamples: int, seed: int, groups: Mapping[object, object] | None = None
) -> tuple[pd.DataFrame, Spread]:
    """A row a measure: measure, value, low and high (95 %), scale; and what it was in each resample of units.

    Args:
        coded: the codes.
        resamples: of the bootstrap.
        seed: of the bootstrap.
        groups: by unit, what it belongs to (a video): whole groups are resampled. None: single units.
    """
    twice = coded.many >= 2
    units = int(twice.sum())
    names = coded.ids[twice]
    belongs = pd.Series(range(units)) if groups is None else pd.Series([groups.get(id, id) for id in names])
    found = over_units(measures_of(coded), units, resamples, seed, belongs)
    table = found.table(list(found.point)).assign(scale="nominal" if coded.scale == "pairwise" else coded.scale)
    if AGREEMENT in found.point:
        ends = unanimous(found.point[AGREEMENT], found.interval(AGREEMENT), belongs.nunique())
        table.loc[table["measure"] == AGREEMENT, ["low", "high"]] = ends
    return table, found


def over_units(
    measures: dict[str, Measure], units: int, resamples: int, seed: int, groups: pd.Series | None = None
) -> Spread:
    """Measures of weights (r, units) for the units as they are, and for resamples of them, or of their groups."""

    def at_once(weight: Array) -> dict[str, Array]:
        block = np.atleast_2d(weight)
        return {name: measure(block).reshape(weight.shape[:-1]) for name, measure in measures.items()}

    belongs = pd.Series(range(units)) if groups is None else groups
    return spread(at_once, np.ones(units), belongs, resamples, seed)


def _similarity(counted: CodedTwice, apart: Array) -> Measure:
    many = counted.counts.sum(axis=1)
    distance = (counted.counts @ apart * counted.counts).sum(axis=1)
    return lambda weight: 1 - (weight @ distance) / (weight @ (many * (many - 1)))
