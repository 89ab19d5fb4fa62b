"""Drift: whether a coder codes differently at the end than at the beginning."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.result import Result
from visanda.study.drift.coders_shown import FEW_SHARED, THIRDS, describe, drift_plot, warn
from visanda.study.reliability.coders import Coded, Scale
from visanda.study.reliability.disagreements import alpha

Array = NDArray[np.float64]


def drift(
    codes: pd.DataFrame,
    *,
    scale: Scale = "nominal",
    order: Sequence[Hashable] | None = None,
    permutations: int = 2000,
    seed: int = 1,
) -> Result:
    """How each coder's agreement with the others, and leniency, goes from the beginning of the coding to its end.

    Args:
        codes: columns id, coder and value, perhaps time (ISO 8601), a row a code, earlier codes included. Codes are
            put in order by time, and where times are equal or missing by row. Units must have come in random order:
            otherwise it is they who differ, and not the coder.
        scale: of the variable.
        order: the values of the codebook, of ordinal scales from the lowest to the highest.
        permutations: of a coder's order, from which p is told; 2 to 3 decimals of p with 2,000.
        seed: of the permutations.

    Returns:
        A Result with a row a coder and third of the coder's own codes: coder, third, units (those that others coded
        too), agreement (share of the others' codes that are the same; of intervals mean_difference), low and high
        (95 %, by the variance between units). ``extra["trend"]`` has a row a coder: change of agreement from the
        first to the last code by a straight line, and p of no trend (two-sided, by permutation: no normality, no
        model); the same for the share of each value, or the mean of numbers, in excess of the others' on the same
        units, with one p for all values. ``extra["again"]`` has a row a coder with units coded twice by the same
        coder: how often the same value was given (intra-coder agreement), and alpha.

    Raises:
        InputError: as ``reliability``.

    Example:
        >>> codes = pd.DataFrame({"id": [*range(60)] * 2, "coder": ["ana"] * 60 + ["ben"] * 60})
        >>> codes["value"] = ["yes", "no"] * 60
        >>> drift(codes, permutations=100).extra["trend"]["p"].tolist()
        [1.0, 1.0]
    """
    coded = Coded.of(codes, scale, order)
    courses = _courses(coded, codes)
    thirds = pd.DataFrame([line for course in courses for line in course.thirds(scale)])
    random = np.random.default_rng(seed)
    trend = pd.DataFrame([course.trend(scale, permutations, random) for course in courses])
    again = _again(codes, scale, order)
    return Result(
        title="Drift of coders",
        table=thirds,
        words=describe(trend, again),
        warnings=warn(trend, again, codes),
        draw=partial(drift_plot, thirds, scale) if thirds["units"].gt(0).any() else None,
        provenance={"scale": scale, "permutations": permutations, "seed": seed},
        extra={"trend": trend, "again": again},
    )


@dataclass(frozen=True)
class Course:
    """What one coder coded that others coded too, in the order of coding.

    Attributes:
        coder: the name.
        position: (n,) from 0, the coder's first code of any unit, to 1, the last.
        near: (n,) share of the others' codes that are the same; of intervals the mean absolute difference.
        excess: (n, k) this coder's code minus the mean of the others': a column a value, or one for numbers.
        names: (k,) of the columns.
    """

    coder: str
    position: Array
    near: Array
    excess: Array
    names: list[str]

    def thirds(self, scale: Scale) -> list[dict[str, object]]:
        """A line a third of the coding."""
        part = np.minimum((self.position * 3).astype(int), 2)
        lines: list[dict[str, object]] = []
        for place, name in enumerate(THIRDS):
            near = self.near[part == place]
            mean = near.mean() if len(near) else np.nan
            reach = 1.96 * near.std(ddof=1) / np.sqrt(len(near)) if len(near) > 1 else np.nan
            low, high = mean - reach, mean + reach
            if scale != "interval":
                low, high = max(low, 0.0), min(high, 1.0)
            measure = "mean_difference" if scale == "interval" else "agreement"
            lines.append(
                {"coder": self.coder, "third": name, "units": len(near), measure: mean, "low": low, "high": high}
            )
        return lines

    def trend(self, scale: Scale, permutations: int, random: np.random.Generator) -> dict[str, object]:
        """Changes from the first to the last code, and how likely larger ones are in any order."""
        of_values = {name if scale == "interval" else f"change of {name}": np.nan for name in self.names}
        line = {"coder": self.coder, "units": len(self.near), "change": np.nan, "p": np.nan, "p_of_values": np.nan}
        if len(self.near) < FEW_SHARED or np.ptp(self.position) == 0:
            return line | of_values
        centred = self.position - self.position.mean()
        mixed = random.permuted(np.tile(centred, (permutations, 1)), axis=1)
        values = np.column_stack([self.near, self.excess])
        values = values - values.mean(axis=0)
        spread = np.sqrt((values**2).sum(axis=0) * (centred**2).sum())
        scaled = np.divide(values, spread, out=np.zeros_like(values), where=spread > 1e-12)
        found, drawn = np.abs(centred @ scaled), np.abs(mixed @ scaled)
        line["change"] = float(centred @ values[:, 0] / (centred**2).sum())
        line["p"] = _p(drawn[:, 0], found[0])
        # of several values the largest correlation counts, in each permutation too
        line["p_of_values"] = _p(drawn[:, 1:].max(axis=1), found[1:].max())
        return line | dict(zip(of_values, centred @ values[:, 1:] / (centred**2).sum(), strict=True))


def _p(drawn: Array, found: float) -> float:
    """Share of draws that reach what was found, itself among them (Phipson & Smyth 2010)."""
    return float(((drawn >= found - 1e-12).sum() + 1) / (len(drawn) + 1))


def _courses(coded: Coded, codes: pd.DataFrame) -> list[Course]:
    last = _in_order(codes).drop_duplicates(["id", "coder"], keep="last")
    turn = last.groupby("coder").cumcount().to_numpy(dtype=float)
    of = last.groupby("coder")["id"].transform("size").to_numpy(dtype=float)
    when = pd.Series(turn / np.maximum(of - 1, 1), pd.MultiIndex.from_arrays([last["coder"].astype(str), last["id"]]))
    if coded.scale == "interval":
        member, names = np.asarray(coded.values, dtype=float)[:, None], ["change of the mean"]
    elif coded.scale == "multilabel":
        names, member = coded.membership()
    else:
        member, names = np.eye(len(coded.values)), coded.labels
    given, many = coded.given[..., None], coded.many
    total = np.where(given, member[coded.code], 0).sum(axis=1)
    found = []
    for number_, coder in enumerate(coded.coders):
        rows = np.flatnonzero(coded.given[:, number_] & (many >= 2))
        own = member[coded.code[rows, number_]]
        excess = own - (total[rows] - own) / (many[rows] - 1)[:, None]
        if coded.scale == "interval":
            gap = np.abs(coded.numbers[rows, number_][:, None] - coded.numbers[rows])
            near = np.nansum(gap, axis=1) / (many[rows] - 1)
        else:
            near = ((coded.code[rows] == coded.code[rows, number_][:, None]).sum(axis=1) - 1) / (many[rows] - 1)
        position = when.loc[coder].reindex(coded.ids[rows]).to_numpy(dtype=float)
        ahead = np.argsort(position, kind="stable")
        found.append(Course(coder, position[ahead], near[ahead], excess[ahead], names))
    return found


def _in_order(codes: pd.DataFrame) -> pd.DataFrame:
    """Rows with a code, by time; equal times, and rows without one, stay in their order."""
    codes = codes.dropna(subset=["id", "coder", "value"])
    if "time" not in codes:
        return codes
    time = pd.to_datetime(codes["time"], utc=True, errors="coerce", format="ISO8601")
    return codes.assign(_time=time).sort_values("_time", kind="stable").drop(columns="_time")


def _again(codes: pd.DataFrame, scale: Scale, order: Sequence[Hashable] | None) -> pd.DataFrame:
    """Agreement of each coder's first with the last code of the units that the coder coded more than once."""
    lines = []
    for coder, own in _in_order(codes).groupby("coder", sort=True):
        twice = own[own["id"].duplicated(keep=False)]
        if twice.empty:
            continue
        first, last = twice.drop_duplicates("id"), twice.drop_duplicates("id", keep="last")
        both = pd.concat([first.assign(coder="first"), last.assign(coder="last")])
        coded = Coded.of(both, scale, order)
        line = {"coder": str(coder), "units": len(coded.ids)}
        line["agreement"] = float((coded.code[:, 0] == coded.code[:, 1]).mean())
        lines.append(line | {"alpha": alpha(coded)})
    return pd.DataFrame(lines, columns=["coder", "units", "agreement", "alpha"])
