"""Reliability: how well coders agree with one another, beyond what chance would give."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.alpha import CodedTwice, Level
from visanda.study.columns import numeric, require_columns
from visanda.study.validity_plot import count_map
from visanda.study.wording import number

FEW_UNITS = 50
TENTATIVE, RELIABLE = 0.667, 0.8  # Krippendorff (2004, p. 241)


def reliability(codes: pd.DataFrame, *, resamples: int = 1000, seed: int = 1) -> Result:
    """Percent agreement and Krippendorff's alpha of the codes of one variable.

    Args:
        codes: columns id, coder and value, a row a code; where a coder coded a unit twice, the last
            row counts.
        resamples: of the bootstrap over units.
        seed: of the bootstrap.

    Returns:
        A Result with percent agreement (share of pairs of codes that are the same, 0-1), alpha for nominal
        values and, where they are numbers, for interval ones, with percentile 95 % intervals. Without a unit
        coded twice the table is empty and the words say so; alpha is NaN where only one value was used.
        ``extra["coders"]`` has how many units each coded, ``extra["coincidences"]`` which values go together.

    Raises:
        InputError: a column that is not there, or no codes.

    Example:
        >>> codes = pd.DataFrame({"id": [1, 1, 2, 2], "coder": [*"abab"], "value": [*"ccdd"]})
        >>> reliability(codes).table["value"].tolist()
        [1.0, 1.0]
    """
    require_columns(codes, ["id", "coder", "value"])
    given = codes[["id", "coder", "value"]].dropna()
    if given.empty:
        raise InputError("there are no codes: each row needs an id, a coder and a value")
    last = given.drop_duplicates(["id", "coder"], keep="last")
    coders = last.groupby("coder", as_index=False).agg(units=("id", "nunique"))
    counts = last.assign(value=numeric(last["value"])).groupby(["id", "value"]).size().unstack(fill_value=0)
    twice = counts[counts.sum(axis=1) >= 2]
    twice = twice.loc[:, twice.sum() > 0]
    provenance = {
        "units": len(counts),
        "units_coded_twice": len(twice),
        "codes_replaced": len(given) - len(last),
        "resamples": resamples,
        "seed": seed,
    }
    who = _who(coders, len(counts), len(twice))
    if twice.empty:
        return Result(
            title="Reliability between coders",
            table=pd.DataFrame({"measure": [], "value": [], "low": [], "high": []}),
            words=[who, "No unit was coded by two people, so reliability cannot be assessed."],
            warnings=["Reliability is unknown: have a second coder code a random sample of at least 50 units."],
            provenance=provenance,
            extra={"coders": coders},
        )
    table, lost = _measures(twice, resamples, seed)
    labels = [_label(value) for value in twice.columns]
    pairs = pd.DataFrame(_coded_twice(twice, "nominal").coincidences(), labels, labels)
    return Result(
        title="Reliability between coders",
        table=table,
        words=[who, *_words(table)],
        warnings=_warnings(table, len(twice), lost, len(given) - len(last)),
        draw=partial(_figure, pairs),
        provenance=provenance,
        extra={"coders": coders, "coincidences": pairs.rename_axis("value").reset_index()},
    )


def _coded_twice(counts: pd.DataFrame, level: Level) -> CodedTwice:
    values = counts.columns.to_numpy(dtype=float) if level == "interval" else np.arange(counts.shape[1], dtype=float)
    return CodedTwice(counts.to_numpy(dtype=float), values)


def _measures(counts: pd.DataFrame, resamples: int, seed: int) -> tuple[pd.DataFrame, float]:
    """The table, and the share of resamples in which all codes were one value."""
    units = len(counts)
    whole = np.ones((1, units))
    times = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=resamples).astype(float)
    nominal = _coded_twice(counts, "nominal")
    found = {
        "percent agreement": (nominal.agreement(whole), nominal.agreement(times)),
        "Krippendorff's alpha (nominal)": (nominal.alpha("nominal", whole), nominal.alpha("nominal", times)),
    }
    if pd.api.types.is_numeric_dtype(counts.columns):
        interval = _coded_twice(counts, "interval")
        found["Krippendorff's alpha (interval)"] = (
            interval.alpha("interval", whole),
            interval.alpha("interval", times),
        )
    rows = [
        {
            "measure": name,
            "value": point[0],
            "low": pd.Series(drawn).quantile(0.025),
            "high": pd.Series(drawn).quantile(0.975),
        }
        for name, (point, drawn) in found.items()
    ]
    drawn_alpha = found["Krippendorff's alpha (nominal)"][1]
    return pd.DataFrame(rows), float(np.isnan(drawn_alpha).mean())


def _who(coders: pd.DataFrame, units: int, twice: int) -> str:
    each = ", ".join(f"{row.coder} {row.units:,}" for row in coders.itertuples())
    people = "1 coder" if len(coders) == 1 else f"{len(coders)} coders"
    return f"{people} ({each}) coded {units:,} units; {twice:,} units have two codes or more."


def _words(table: pd.DataFrame) -> list[str]:
    share, alpha = table.iloc[0], table.iloc[1]
    said = f"Two coders of a unit agree in {share.value:.1%} of pairs"
    if np.isnan(alpha.value):
        return [f"{said}; alpha is not defined: all codes are one value, so no disagreement can be expected."]
    return [
        f"{said}; Krippendorff's alpha (nominal) is {number(alpha.value)} "
        f"(95 % interval {number(alpha.low)} to {number(alpha.high)})."
    ]


def _warnings(table: pd.DataFrame, twice: int, lost: float, replaced: int) -> list[str]:
    alpha = table.iloc[1]
    found = []
    if twice < FEW_UNITS:
        found.append(f"Only {twice} units were coded twice or more: below {FEW_UNITS} alpha is rough.")
    if np.isnan(alpha.value):
        found.append("Alpha is undefined: one value only. Draw units in which the variable varies.")
    elif alpha.value < TENTATIVE:
        found.append(f"Alpha is below {TENTATIVE}: too low to draw conclusions from. Mend the codebook and code again.")
    elif alpha.value < RELIABLE:
        found.append(f"Alpha is below {RELIABLE}: for tentative conclusions only (Krippendorff 2004).")
    if 0 < lost < 1:
        found.append(f"In {lost:.1%} of resamples all codes were one value; the interval leaves them out.")
    if replaced:
        found.append(f"{replaced:,} codes were replaced by a later one of the same coder.")
    return found


def _figure(pairs: pd.DataFrame) -> Figure:
    side = min(7.0, max(3.4, 1.6 + 0.5 * len(pairs)))
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    count_map(axes, pairs, "One coder's value", "Another coder's value of the same unit")
    return figure


def _label(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
