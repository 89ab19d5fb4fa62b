"""Consequence: what unequal errors do to a difference between groups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from visanda.errors import DesignError
from visanda.result import Result
from visanda.study.audit.plot import LINE
from visanda.study.audit.rows import Z, group_labels
from visanda.study.columns import numbers, require_columns
from visanda.study.correct.coded import EQUAL
from visanda.study.correct.dsl import dsl
from visanda.study.correct.gold import gold_only
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.ordinary import naive
from visanda.study.wording import FEW_CLUSTERS

Array = NDArray[np.float64]

NAIVE, GOLD, CORRECTED = METHODS = ("naive", "gold", "corrected")
NAMES = {NAIVE: "as the machine says", GOLD: "coded rows only", CORRECTED: "corrected (DSL)"}
COLOURS = {NAIVE: "#999999", GOLD: "#E69F00", CORRECTED: "#0072B2"}
HALF = 0.5  # the probability from which a row is taken for one of the class
FEWEST = 10  # coded rows of a group below which nothing is said of it
FEW = 50  # below which intervals are rough


@dataclass(frozen=True)
class _Groups:
    """The groups that are compared, the largest first: it is the one that others are compared with."""

    names: list[str]
    rows: Array
    coded: Array


def consequence(
    data: pd.DataFrame,
    variable: str,
    by: str,
    *,
    prediction: str,
    label: str | None = None,
    sample_prob: str | None = None,
    cluster: str | None = None,
    splits: int = 10,
    seed: int = 1,
) -> Result:
    """The share of ``variable`` in each group and its difference to the largest group: as the machine says, and true.

    Equal errors shrink a difference; unequal ones can make, hide or turn it. Corrected by design-based supervised
    learning (Egami et al. 2023), within each group: valid however the errors differ, as long as the probabilities of
    being coded are known.

    Args:
        data: a row a unit, also those that nobody coded.
        variable: column with hand codes, 0 or 1; missing where not coded.
        by: column of groups. Numbers of more than 8 values are cut into quarters.
        prediction: column with the machine's probability, or 0 and 1; where it is missing, the machine's mean is
            taken for the correction.
        label: column with what the machine says, 0 or 1, missing where it abstained; by default whether the prediction
            is 0.5 or more.
        sample_prob: column with the known probability, in (0, 1], that the row was drawn for coding; it may be missing
            where the row was not coded. ``"equal"``: a simple random sample; None: not known, which is warned of.
        cluster: column of units that go together (an account, a video).
        splits: repetitions of the cross-fitting, over which the median is taken.
        seed: of the cross-fitting.

    Returns:
        A Result with a row for each group and each difference (``what`` is share or difference): group, against, rows,
        coded, then estimate, low and high (95 %) of ``naive`` (what the machine says, taken as true, of rows where it
        says something), ``gold`` (coded rows only) and ``corrected``; and ``moved``, naive less corrected, with the
        interval of the mean of the machine's errors.

    Raises:
        InputError: a column that is not there or holds text, more than 30 groups.
        DesignError: fewer than two groups with 10 coded rows or more; codes that are not 0 and 1; probabilities of the
            draw that cannot be.

    Example:
        >>> draw = np.random.default_rng(1)
        >>> truth, old = draw.random(2000) < 0.4, draw.random(2000) < 0.5
        >>> said = np.where(old & truth & (draw.random(2000) < 0.3), 0, truth)  # misses 30 % of the old
        >>> data = pd.DataFrame({"woman": np.where(np.arange(2000) < 500, truth, np.nan), "said": said})
        >>> data["age"] = np.where(old, "old", "young")
        >>> table = consequence(data, "woman", "age", prediction="said").table.set_index("what")
        >>> bool(abs(table.loc["difference", "corrected"]) < abs(table.loc["difference", "naive"]))
        True
    """
    rows, groups, warnings = _prepared(data, variable, by, prediction, label, sample_prob, cluster)
    probability, together = ("pi" if "pi" in rows else None), ("cluster" if cluster else None)
    corrected = partial(
        dsl, formula="", model="lm", sample_prob=probability, cluster=together, splits=splits, seed=seed
    )
    learner: Literal["linear", "raw"] = "linear" if rows["error"].nunique() > 1 else "raw"  # of none: as it says
    fits = {
        NAIVE: naive(rows.dropna(subset=["label"]), "code ~ C(group)", "lm", ["code"], ["label"], together),
        GOLD: gold_only(rows, "code ~ C(group)", "lm", ["code"], probability, together),
        CORRECTED: corrected(
            rows, formula="code ~ C(group)", predicted_var=["code"], prediction=["machine"], learner=learner
        ),
    }
    wrong = None
    if rows["error"].nunique() > 1:
        wrong = corrected(rows, formula="error ~ C(group)", predicted_var=["error"], prediction=["machine"])
    else:
        warnings.append("The machine errs in no coded row: how far it moves shares has no interval.")
    table = _table(fits, wrong, groups)
    share = f"the share of {variable}"
    return Result(
        title=f"What the machine's errors do to {share} by {by}",
        table=table,
        words=_words(table, share),
        warnings=warnings,
        draw=partial(consequence_plot, table, share, by),
        provenance={"variable": variable, "by": by, "prediction": prediction, "label": label}
        | {"sample_prob": sample_prob, "cluster": cluster, "splits": splits, "seed": seed, "n": len(rows)},
    )


def _prepared(
    data: pd.DataFrame,
    variable: str,
    by: str,
    prediction: str,
    label: str | None,
    sample_prob: str | None,
    cluster: str | None,
) -> tuple[pd.DataFrame, _Groups, list[str]]:
    """Rows of the groups that can be compared, under plain names, the groups and what to know of them."""
    require_columns(data, [name for name in (by, cluster) if name])
    code, machine = numbers(data, variable), numbers(data, prediction)
    said = numbers(data, label) if label else (machine >= HALF).astype(float).where(machine.notna())
    for name, values in ((variable, code), (label or prediction, said)):
        if not set(values.dropna()) <= {0.0, 1.0}:
            raise DesignError(f"{name!r} must be 0 and 1, such as whether a face is coded a woman: recode it")
    if machine.isna().all() or said.isna().all():
        raise DesignError(f"{prediction!r} is missing in every row: there is nothing to compare hand codes with")
    rows = pd.DataFrame({"code": code, "machine": machine.fillna(machine.mean()), "label": said})
    # Where the machine says nothing it errs by saying its mean: so that errors add up to naive less corrected.
    rows["name"] = group_labels(data[by])
    rows["error"] = rows["label"].fillna(rows.groupby("name")["label"].transform("mean")) - rows["code"]
    if sample_prob not in (None, EQUAL):
        rows["pi"] = numbers(data, sample_prob)
    if cluster:
        rows["cluster"] = data[cluster]
    by_name = rows.groupby("name").agg(n=("code", "size"), coded=("code", "count"), said=("label", "count"))
    kept = by_name[(by_name["coded"] >= FEWEST) & (by_name["said"] > 0)].sort_values("n", ascending=False)
    if len(kept) < 2:
        raise DesignError(
            f"only {len(kept)} of {len(by_name)} groups of {by!r} have {FEWEST} coded rows or more: code rows of at "
            "least two, or put groups together"
        )
    if code.dropna().nunique() < 2:
        raise DesignError(
            f"all {code.notna().sum()} hand codes of {variable!r} are {code.dropna().iloc[0]:g}: nothing tells what "
            "the machine does to the others. Code more rows"
        )
    if cluster and (missing := int(rows["cluster"].isna().sum())):
        raise DesignError(f"{missing} rows have no {cluster!r}: fill it in, or leave these rows out")
    if cluster and rows.loc[code.notna(), "cluster"].nunique() < 2:
        raise DesignError(f"all coded rows lie in one cluster of {cluster!r}: standard errors need several")
    order = {name: f"{place:02d}" for place, name in enumerate(kept.index)}
    rows = rows[rows["name"].isin(order)].assign(group=rows["name"].map(order))
    left, few = by_name.index.difference(kept.index), kept.index[kept["coded"] < FEW]
    warnings = [f"Fewer than {FEWEST} coded rows, so left out: {', '.join(left)}."] if len(left) else []
    warnings += [f"Fewer than {FEW} coded rows, so intervals are rough: {', '.join(few)}."] if len(few) else []
    if sample_prob is None:
        warnings.append("No probabilities of the draw: valid only if the coded rows are a simple random sample.")
    if cluster and (together := rows.loc[rows["code"].notna(), "cluster"].nunique()) < FEW_CLUSTERS:
        warnings.append(f"Coded rows lie in only {together} clusters of {cluster!r}: intervals are too narrow.")
    found = _Groups(list(kept.index), kept["n"].to_numpy(dtype=float), kept["coded"].to_numpy(dtype=float))
    return rows, found, warnings


def _table(fits: dict[str, Estimates], wrong: Estimates | None, groups: _Groups) -> pd.DataFrame:
    """Shares of groups, then differences to the first of them."""
    k = len(groups.names)
    share = np.eye(k)
    share[:, 0] = 1
    found = []
    for what, contrasts in (("share", share), ("difference", np.eye(k)[1:])):
        for place, contrast in enumerate(contrasts, start=k - len(contrasts)):
            row: dict[str, object] = {
                "what": what,
                "group": groups.names[place],
                "against": groups.names[0] if what == "difference" else "",
                "rows": int(groups.rows[place]),
                "coded": int(groups.coded[place]),
            }
            for method, fit in fits.items():
                middle, se = _linear(fit, contrast)
                row |= {method: middle, f"{method}_low": middle - Z * se, f"{method}_high": middle + Z * se}
            moved = _linear(fits[NAIVE], contrast)[0] - _linear(fits[CORRECTED], contrast)[0]
            half = Z * _linear(wrong, contrast)[1] if wrong else np.nan
            found.append(row | {"moved": moved, "moved_low": moved - half, "moved_high": moved + half})
    return pd.DataFrame(found)


def _linear(fit: Estimates, contrast: Array) -> tuple[float, float]:
    return float(contrast @ fit.coef), float(np.sqrt(contrast @ fit.cov @ contrast))


def _words(table: pd.DataFrame, share: str) -> list[str]:
    """A sentence for the difference that is moved most, and how many others are moved."""
    apart = table[table["what"] == "difference"]
    row = apart.iloc[int(apart["moved"].abs().argmax())]
    groups = f"{row['group']} and {row['against']}"
    before, after = row["naive"] * 100, row["corrected"] * 100
    values = (
        f"{before:+.1f} percentage points as the machine says, {after:+.1f} corrected (95 % CI "
        f"[{row['corrected_low'] * 100:+.1f}, {row['corrected_high'] * 100:+.1f}])"
    )
    if np.isnan(row["moved_low"]):
        return [f"The machine errs in no coded row: nothing tells that it moves the difference in {share}: {values}."]
    sure = row["moved_low"] > 0 or row["moved_high"] < 0
    chance = "" if sure else ". That the machine moves it may be chance: code more to know"
    change = abs(abs(before) - abs(after))
    if before * after < 0:
        first = f"The machine turns the difference in {share} between {groups} round: {values}"
    elif round(change, 1) == 0:
        first = f"The machine leaves the difference in {share} between {groups} as it is: {values}"
    else:
        size = "larger" if abs(before) > abs(after) else "smaller"
        points = f"{change:.1f} percentage point{'' if round(change, 1) == 1 else 's'}"
        first = f"The machine makes the difference in {share} between {groups} {points} {size} than it is: {values}"
    words = [first + chance + "."]
    if len(apart) > 1:
        clear = int(((apart["moved_low"] > 0) | (apart["moved_high"] < 0)).sum())
        words.append(
            f"Of {len(apart)} differences to {row['against']}, this is moved most; {clear} are moved by more than "
            "chance would, each taken by itself."
        )
    return words


def consequence_plot(table: pd.DataFrame, share: str, by: str) -> Figure:
    """Draw the shares of groups, and their differences, each as the machine says, of coded rows, and corrected."""
    shares, apart = (table[table["what"] == what] for what in ("share", "difference"))
    height = 1.7 + 1.5 * LINE * len(shares)
    figure = Figure(figsize=(9.6, height), layout="constrained")
    for axes, rows, labels in zip(
        figure.subplots(1, 2),
        (shares, apart),
        (shares["group"], apart["group"] + " − " + apart["against"]),
        strict=True,
    ):
        place = np.arange(len(rows))
        for shift, method in zip((-0.2, 0.0, 0.2), METHODS, strict=True):
            middle = rows[method] * 100
            reach = np.stack([middle - rows[f"{method}_low"] * 100, rows[f"{method}_high"] * 100 - middle])
            axes.errorbar(
                middle, place + shift, xerr=reach, fmt="o", markersize=5, color=COLOURS[method], label=NAMES[method]
            )
        axes.set_yticks(place, labels)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.spines[["top", "right"]].set_visible(False)
    left, right = figure.axes
    left.set_xlabel(f"{share[:1].upper()}{share[1:]} by {by} (%)")
    right.set_xlabel("Difference (percentage points)")
    right.axvline(0, color="0.8", linewidth=1, zorder=0)
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    return figure
