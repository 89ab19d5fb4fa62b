"""What coders disagree on: units, values, coders and pairs of coders, as tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.study.reliability.alpha import CodedTwice, alpha_of, set_distance
from visanda.study.reliability.chance import identity, kappa_of, quadratic
from visanda.study.reliability.coders import Coded, label
from visanda.study.reliability.measures import Measure, over_units

Array = NDArray[np.float64]


def disagreements(coded: Coded) -> pd.DataFrame:
    """The units whose coders differ: id, every coder's value as text (null: none), distance; the farthest apart first.

    The distance is the mean over pairs of coders: of nominal values the share of pairs that differ, 0-1; of ordinal
    ones steps; of intervals the difference; of sets of labels MASI's distance, 0-1.
    """
    far = _unit_distance(coded)
    texts = np.array([*coded.labels, None], dtype=object)[coded.code]
    names = [name if name not in ("id", "distance") else f"coder {name}" for name in coded.coders]
    table = pd.DataFrame(texts, columns=names)
    table.insert(0, "id", coded.ids)
    table["distance"] = far
    table = table[table["distance"] > 0]
    return table.sort_values(["distance", "id"], ascending=[False, True], ignore_index=True)


def by_value(coded: Coded, resamples: int, seed: int) -> pd.DataFrame:
    """Of units with two codes: each value's (of sets, each label's) codes, share, specific agreement and own alpha.

    Specific agreement: where one coder gives the value, the share of others who give it too (Cicchetti & Feinstein
    1990). Alpha is that of the value against all others, with a 95 % interval.
    """
    twice = coded.twice()
    names, counts, many = twice.labels, twice.counts, twice.many
    if coded.scale == "multilabel":
        names, member = twice.membership()
        counts = counts @ member
    parts = [CodedTwice(np.column_stack([counts[:, k], many - counts[:, k]])) for k in range(len(names))]
    measures: dict[str, Measure] = {str(place): part.alpha_of_first for place, part in enumerate(parts)}
    alphas = over_units(measures, len(many), resamples, seed).table(list(measures))
    whole = np.ones((1, len(many)))
    return pd.DataFrame(
        {
            "value": names,
            "codes": counts.sum(axis=0).astype(int),
            "share": counts.sum(axis=0) / many.sum(),
            "agreement": [part.specific(whole)[0, 0] for part in parts],
            "alpha": alphas["value"],
            "low": alphas["low"],
            "high": alphas["high"],
        }
    )


def by_coder(coded: Coded) -> pd.DataFrame:
    """Each coder's units, those that others coded too, agreement with them, bias, and alpha of the others alone.

    agreement is the share of the others' codes of the same units that are the same; of ordinal and interval scales
    there are also mean_difference, the mean absolute difference, and bias, the mean of own minus others' codes.
    """
    many, counts = coded.many, coded.counts if coded.scale != "interval" else None
    ordered = coded.scale in ("ordinal", "interval")
    rows = []
    for place, name in enumerate(coded.coders):
        mine = coded.given[:, place]
        shared = np.flatnonzero(mine & (many >= 2))
        line = {"coder": name, "units": int(mine.sum()), "shared": len(shared)}
        if counts is not None:
            same = counts[shared, coded.code[shared, place]] - 1
            line["agreement"] = _share(same.sum(), (many[shared] - 1).sum())
        if ordered:
            gap = coded.numbers[shared, place][:, None] - np.delete(coded.numbers[shared], place, axis=1)
            line["mean_difference"] = _share(np.nansum(np.abs(gap)), np.isfinite(gap).sum())
            line["bias"] = _share(np.nansum(gap), np.isfinite(gap).sum())
        line["alpha_without"] = alpha(coded.without(place))
        rows.append(line)
    return pd.DataFrame(rows)


def values_by_coder(coded: Coded) -> pd.DataFrame:
    """How often each coder gives each value to units that others coded too, and how often those others do.

    A row a coder and value (of sets, a label): share and share_of_others, 0-1, and their difference: who is lenient.
    """
    twice = coded.twice()
    member, names = np.eye(len(coded.values)), coded.labels
    if coded.scale == "multilabel":
        names, member = coded.membership()
    tables = []
    for place, coder in enumerate(coded.coders):
        rows = twice.given[:, place]
        if not rows.any():
            continue
        own = member[twice.code[rows, place]]
        others = (twice.counts[rows] @ member - own) / (twice.many[rows] - 1)[:, None]
        share, theirs = own.mean(axis=0), others.mean(axis=0)
        tables.append(
            pd.DataFrame(
                {
                    "coder": coder,
                    "value": names,
                    "share": share,
                    "share_of_others": theirs,
                    "difference": share - theirs,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def by_pair(coded: Coded) -> pd.DataFrame:
    """Each pair of coders: units shared, agreement and kappa; of intervals mean absolute difference and correlation."""
    rows = []
    for a, b in coded.pairs():
        shared = coded.given[:, a] & coded.given[:, b]
        line: dict[str, object] = {"first": coded.coders[a], "second": coded.coders[b], "units": int(shared.sum())}
        if coded.scale == "interval":
            left, right = coded.numbers[shared, a], coded.numbers[shared, b]
            line["mean_difference"] = np.abs(left - right).mean()
            line["r"] = np.corrcoef(left, right)[0, 1] if min(np.ptp(left), np.ptp(right)) > 0 else np.nan
        else:
            line["agreement"] = (coded.code[shared, a] == coded.code[shared, b]).mean()
            line["kappa"] = kappa_of(coded, a, b, quadratic if coded.scale == "ordinal" else identity)
        rows.append(line)
    return pd.DataFrame(rows)


def coincidences(coded: Coded) -> pd.DataFrame:
    """How often two coders of a unit gave each pair of values, a row and a column a value that was used."""
    twice = coded.twice()
    counts = twice.counts
    used = counts.sum(axis=0) > 0
    names = [label(value) for value, kept in zip(coded.values, used, strict=True) if kept]
    return pd.DataFrame(CodedTwice(counts[:, used]).coincidences(), names, names)


def alpha(coded: Coded) -> float:
    """Krippendorff's alpha at the level that suits the scale; NaN where nothing is shared or nothing varies."""
    twice = coded.twice()
    if not len(twice.ids):
        return np.nan
    level = {"multilabel": "masi", "pairwise": "nominal"}.get(coded.scale, coded.scale)
    return float(alpha_of(twice, level)(np.ones((1, len(twice.ids))))[0])  # type: ignore[arg-type]


def _unit_distance(coded: Coded) -> Array:
    """(u,) mean distance of pairs of codes of each unit; 0 where there is one code."""
    many, numbers = coded.many, coded.numbers
    pairs = np.maximum(many * (many - 1), 1)
    if coded.scale in ("ordinal", "interval"):
        far = np.zeros(len(many))
        for place in range(numbers.shape[1]):
            far += np.nansum(np.abs(numbers - numbers[:, [place]]), axis=1)
        return far / pairs
    apart = set_distance(coded.sets(), masi=True) if coded.scale == "multilabel" else 1 - np.eye(len(coded.values))
    counts = coded.counts
    return (counts @ apart * counts).sum(axis=1) / pairs


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else np.nan
