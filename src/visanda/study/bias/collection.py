"""Collection: a datasheet of who is in it, by source, and of whom the machine says nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.audit.plot import COLOURS, LINE
from visanda.study.audit.rows import EVERYBODY, FEW, Flags, difference, group_labels, proportion
from visanda.study.columns import numbers, require_columns

Array = NDArray[np.float64]

SILENT, FAILED = "(no value)", "(failed)"
NOBODY = "(no face)"
MANY_SILENT = 0.2  # share without a value, from which shares of the rest speak of few


def collection(
    people: pd.DataFrame,
    columns: str | Sequence[str],
    *,
    source: str | None = None,
    pictures: pd.DataFrame | None = None,
    faces: str = "n_faces",
    weights: str | None = None,
    failed: str | Mapping[str, str] | None = None,
    cluster: str | None = None,
    alone: bool = False,
    units: str = "faces or people",
) -> Result:
    """Who is in a collection: shares of perceived groups, by source, with what has no value.

    In the spirit of datasheets for data sets (Gebru et al. 2021): before anything is said of groups, a reader should
    know how many of each there are, from where, and how many the machine said nothing of. Shares are what the machine
    says, with its errors; see ``bias`` for these and ``estimate`` for corrected shares.

    Args:
        people: a row a face or person, with the columns of perceived groups; missing where there is no value.
        columns: of perceived groups, such as perceived_gender. Numbers of more than 8 values are cut into quarters.
        source: column of ``people``, and of ``pictures``, that says where each comes from, such as outlet.
        pictures: a row a picture, also of those without a face.
        faces: column of ``pictures`` with the number of faces in each.
        weights: column of ``people`` with 1 / probability of being drawn, where they are a sample; above 0.
        failed: column of ``people`` that is true where a value is missing because of a failure; or such a column for
            each of ``columns``.
        cluster: column of ``people`` that says what they have in common, such as their picture or video: intervals
            are then those of a sample of such clusters.
        alone: each is independent of all others, so that no cluster is asked for.
        units: what a row is, for the words.

    Returns:
        A Result with a row for each source, column and value: n, share of all, low and high (95 %), and share_known,
        of those with a value. ``(no value)`` and ``(failed)`` are values of their own; with ``pictures``, the column
        ``picture`` has the share of pictures without a face. Intervals are Wilson's (1927), on the effective number of
        rows (Kish 1965, and of clusters, as Korn & Graubard 1998).

    Raises:
        InputError: a column that is not there, no rows, weights of 0 or below, more than 30 values.

    Example:
        >>> faces = pd.DataFrame({"perceived_gender": ["woman", "man", "man", None]})
        >>> collection(faces, "perceived_gender").table[["value", "n", "share", "share_known"]].round(2).values.tolist()
        [['man', 2, 0.5, 0.67], ['woman', 1, 0.25, 0.33], ['(no value)', 1, 0.25, nan]]
    """
    asked = [columns] if isinstance(columns, str) else list(columns)
    broken_in = dict.fromkeys(asked, failed) if isinstance(failed, str) else dict(failed or {})
    _check(people, [*asked, *(one for one in (source, weights, cluster) if one), *broken_in.values()])
    weight = _weights(people, weights)
    together = None if cluster is None else pd.factorize(people[cluster], use_na_sentinel=False)[0]
    rows = []
    for column in asked:
        broken = people[broken_in[column]].eq(True).to_numpy() if column in broken_in else np.zeros(len(people), bool)
        values = group_labels(people[column])
        values = values.where(people[column].notna(), np.where(broken, FAILED, SILENT))
        rows += _shares(column, values, _sources(people, source), weight, together)
    if pictures is not None:
        _check(pictures, [faces, *([source] if source else [])])
        rows += _pictures(pictures, faces, source)
    table = pd.DataFrame(rows)
    return Result(
        title="Who is in the collection",
        table=table,
        words=_words(table, f"{len(people):,} {units}", source),
        warnings=_warnings(table, cluster is not None or alone),
        draw=partial(collection_plot, table),
        provenance={"columns": asked, "source": source, "weights": weights, "failed": broken_in, "cluster": cluster}
        | {"n": len(people), "pictures": None if pictures is None else len(pictures)},
    )


def _check(frame: pd.DataFrame, names: list[str]) -> None:
    require_columns(frame, names)
    if frame.empty:
        raise InputError("the table has no rows: measure something first")


def _weights(people: pd.DataFrame, name: str | None) -> Array:
    if name is None:
        return np.ones(len(people))
    weight = numbers(people, name).to_numpy(dtype=float)
    if not (weight > 0).all():
        raise InputError(f"{name!r} must be above 0 in every row: weights are 1 / probability of the draw")
    return weight


def _sources(frame: pd.DataFrame, source: str | None) -> dict[str, Flags]:
    """Rows of everything, then of each source."""
    found = {EVERYBODY: np.ones(len(frame), bool)}
    if source:
        labels = group_labels(frame[source])
        found |= {str(name): (labels == name).to_numpy(dtype=bool) for name in sorted(labels.unique())}
    return found


def _shares(
    column: str, values: pd.Series, sources: dict[str, Flags], weight: Array, together: NDArray[np.intp] | None
) -> list[dict[str, object]]:
    """A row for each source and value."""
    silent = values.isin([SILENT, FAILED]).to_numpy(dtype=bool)
    order = [*sorted(set(values[~silent])), *(name for name in (SILENT, FAILED) if (values == name).any())]
    rows = []
    for source, inside in sources.items():
        known = weight[inside & ~silent].sum()
        for value in order:
            here = (values == value).to_numpy(dtype=bool)
            mine = None if together is None else together[inside]
            share, low, high = proportion(here[inside], weight[inside], together=mine)
            told = value not in (SILENT, FAILED) and known > 0
            rows.append(
                {"source": source, "column": column, "value": value, "n": int((here & inside).sum())}
                | {"of": int(inside.sum()), "share": share, "low": low, "high": high}
                | {"share_known": float(weight[inside & here].sum() / known) if told else np.nan}
            )
    return rows


def _pictures(pictures: pd.DataFrame, faces: str, source: str | None) -> list[dict[str, object]]:
    """The share of pictures without a face; those that could not be looked at are no pictures without one."""
    count = numbers(pictures, faces)
    rows = []
    for name, inside in _sources(pictures, source).items():
        known = inside & count.notna().to_numpy()
        empty = (count == 0).to_numpy(dtype=bool)
        share, low, high = proportion(empty[known], np.ones(int(known.sum())))
        rows.append(
            {"source": name, "column": "picture", "value": NOBODY, "n": int((empty & known).sum())}
            | {"of": int(known.sum()), "share": share, "low": low, "high": high, "share_known": np.nan}
        )
    return rows


def _words(table: pd.DataFrame, people: str, source: str | None) -> list[str]:
    whole = table[table["source"] == EVERYBODY]
    words = [people + (f" from {table['source'].nunique() - 1} values of {source}." if source else ".")]
    for column, mine in whole.groupby("column", sort=False):
        parts = [f"{row.value} {row.share:.1%} [{row.low:.1%}, {row.high:.1%}]" for row in mine.itertuples()]
        what = f"Of {mine['of'].iloc[0]:,} pictures" if column == "picture" else f"{column}"
        words.append(f"{what}: {', '.join(parts)} (95 % CI).")
    if source:
        words += _apart(table[table["source"] != EVERYBODY], source)
    words.append(
        "These are perceived groups, as a machine says, with its errors; shares are of all, with a value or not."
    )
    return words


def _apart(table: pd.DataFrame, source: str) -> list[str]:
    """For each column the value whose share differs most between sources of enough rows."""
    words = []
    for column, mine in table[table["of"] >= FEW].groupby("column", sort=False):
        wide = mine.pivot(index="value", columns="source", values="share")
        if wide.shape[1] < 2:
            continue
        value = (wide.max(axis=1) - wide.min(axis=1)).idxmax()
        one = mine[mine["value"] == value].sort_values("share")
        low, high = ((row[0], row[1], row[2]) for row in one[["share", "low", "high"]].to_numpy(dtype=float)[[0, -1]])
        least, most = one["source"].iloc[0], one["source"].iloc[-1]
        chance = ", which may be chance" if difference(high, low)[1] <= 0 else ""
        what = "pictures without a face differ most" if column == "picture" else f"{column} differs most in {value}"
        words.append(f"By {source}, {what}: {high[0]:.1%} in {most}, {low[0]:.1%} in {least}{chance}.")
    return words


def _warnings(table: pd.DataFrame, independent: bool) -> list[str]:
    found = []
    sizes = table[(table["source"] != EVERYBODY) & (table["column"] != "picture")].drop_duplicates("source")
    small = [f"{row.source} ({row.of})" for row in sizes[sizes["of"] < FEW].itertuples()]
    if small:
        found.append(f"Fewer than {FEW} rows of: {', '.join(small)}. Their shares are rough.")
    silent = table[table["value"].isin([SILENT, FAILED])]
    quiet = silent.groupby(["source", "column"], sort=False)["share"].sum().reset_index()
    found += [
        f"{row.column} has no value for {row.share:.0%} of {row.source}: who these are is not known."
        for row in quiet[quiet["share"] >= MANY_SILENT].itertuples()
    ]
    if not independent:
        found.append("Rows are taken as independent; faces of one picture or video are not: name what they share.")
    return found


def collection_plot(table: pd.DataFrame) -> Figure:
    """Draw shares with their intervals: a panel a column, a line a source, a colour a value."""
    columns = list(dict.fromkeys(table["column"]))
    sources = list(dict.fromkeys(table["source"]))
    figure = Figure(figsize=(1.8 + 3.4 * len(columns), 1.7 + 1.3 * LINE * len(sources)), layout="constrained")
    for axes, column in zip(np.atleast_1d(figure.subplots(1, len(columns), sharey=True)), columns, strict=True):
        mine = table[table["column"] == column]
        values = list(dict.fromkeys(mine["value"]))
        shifts = np.linspace(-0.25, 0.25, len(values)) if len(values) > 1 else [0.0]
        for shift, (place, value) in zip(shifts, enumerate(values), strict=True):
            one = mine[mine["value"] == value].set_index("source").reindex(sources)
            reach = np.stack([one["share"] - one["low"], one["high"] - one["share"]])
            axes.errorbar(
                one["share"], np.arange(len(sources)) + shift, xerr=np.nan_to_num(reach).clip(min=0), fmt="o",
                markersize=4, color=COLOURS[place % len(COLOURS)], label=value,
            )  # fmt: skip
        axes.set_title(column, fontsize=9)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_yticks(np.arange(len(sources)), sources)
        axes.set_ylim(len(sources) - 0.5, -0.5)
        axes.tick_params(labelsize=8)
        axes.legend(fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("Share, with 95 % intervals", fontsize=8)
    return figure
