"""Reliability: how well coders agree with one another, beyond what chance would give."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from visanda.result import Result
from visanda.study.reliability import disagreements as tables
from visanda.study.reliability.coders import Coded, Scale
from visanda.study.reliability.measures import ALPHA, MOST_IN_PAIRS, measured
from visanda.study.reliability.needed_codes import WIDTH, sentence, standard_error
from visanda.study.reliability.plot import reliability_plot
from visanda.study.reliability.words import describe, warn, who

MOST_VALUES = 50  # above which no table of coincidences is made


def reliability(
    codes: pd.DataFrame,
    *,
    scale: Scale = "nominal",
    order: Sequence[Hashable] | None = None,
    width: float = WIDTH,
    groups: Mapping[object, object] | None = None,
    resamples: int = 1000,
    seed: int = 1,
) -> Result:
    """How far coders of one variable agree, by the measures that suit its scale.

    Args:
        codes: columns id, coder and value, a row a code; where a coder coded a unit twice, the last row counts. A
            coder need not have coded every unit.
        scale: nominal: percent agreement, Krippendorff's alpha, Gwet's AC1, Cohen's kappa. ordinal: alpha, Gwet's
            AC2 and kappa with weights. interval (numbers): mean absolute difference, alpha, ICC(1), ICC(A,1) and
            ICC(C,1). multilabel (sets such as ``"flag|fire"`` or ``"none"``): share of the same sets, alpha with
            MASI and Jaccard distances. pairwise (``"left"``, ``"right"``, ``"tie"``): as nominal.
        order: the values of the codebook; for ordinal scales from the lowest to the highest, needed where they are
            no numbers. AC1 and AC2 count those that nobody gave, too.
        width: half of the interval of alpha that is hoped for, for which is said how many units have to be coded twice.
        groups: by unit, what it belongs to, such as the video of a frame: whole groups are resampled.
        resamples: of the bootstrap over units. Coders are taken as they are, not as a sample of coders.
        seed: of the bootstrap.

    Returns:
        A Result with a row a measure: measure, value, low and high (95 %), scale. The first row is agreement (share
        of pairs of codes that are the same, 0-1) or, of intervals, mean absolute difference; the
        second alpha. Without a unit coded twice the table is empty and the words say so; what is beyond chance is
        NaN where only one value was used. In ``extra``: "by coder", "values by coder", "by value", "by pair",
        "disagreements" and "coincidences", as ``study.reliability.disagreements`` defines them.

    Raises:
        InputError: a column that is not there, no codes, a value that does not fit the scale.

    Example:
        >>> codes = pd.DataFrame({"id": [1, 1, 2, 2], "coder": [*"abab"], "value": [*"ccdd"]})
        >>> reliability(codes).table["value"].tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    coded = Coded.of(codes, scale, order)
    twice = int((coded.many >= 2).sum())
    by_coder = tables.by_coder(coded)
    provenance = {
        "scale": scale,
        "units": len(coded.ids),
        "units_coded_twice": twice,
        "codes_replaced": coded.replaced,
        "resamples": resamples,
        "seed": seed,
    }
    people = who(by_coder, len(coded.ids), twice)
    if not twice:
        return Result(
            title="Reliability between coders",
            table=pd.DataFrame({"measure": [], "value": [], "low": [], "high": [], "scale": []}),
            words=[people, "No unit was coded by two people, so reliability cannot be assessed."],
            warnings=["Reliability is unknown: have a second coder code a random sample of at least 50 units."],
            provenance=provenance,
            extra={"by coder": by_coder},
        )
    table, drawn = measured(coded, resamples, seed, groups)
    extra = {"by coder": by_coder} | _details(coded, resamples, seed)
    words = [people, *describe(table, scale)]
    if np.isfinite(table["value"].iloc[1]):
        words.append(sentence(standard_error(drawn, scale), twice, width))
    return Result(
        title="Reliability between coders",
        table=table,
        words=words,
        warnings=warn(table, coded, drawn.lost(ALPHA[scale]), extra.get("by value")),
        draw=partial(reliability_plot, coded.twice(), table, extra),
        provenance=provenance,
        extra=extra,
    )


def _details(coded: Coded, resamples: int, seed: int) -> dict[str, pd.DataFrame]:
    found = {}
    if coded.scale != "interval":
        found["values by coder"] = tables.values_by_coder(coded)
        found["by value"] = tables.by_value(coded, resamples, seed)
    if len(coded.coders) <= MOST_IN_PAIRS:
        found["by pair"] = tables.by_pair(coded)
    found["disagreements"] = tables.disagreements(coded)
    if coded.scale != "interval" and len(coded.values) <= MOST_VALUES:
        found["coincidences"] = tables.coincidences(coded).rename_axis("value").reset_index()
    return found
