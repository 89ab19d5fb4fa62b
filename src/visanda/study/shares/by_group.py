"""Shares by group: what a machine says, what the codes alone say, and both together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Literal

import pandas as pd
from matplotlib.figure import Figure

from visanda.errors import DesignError, InputError
from visanda.result import Result
from visanda.study.columns import numeric, require_columns
from visanda.study.correct.coded import EQUAL, FEWEST_CODED
from visanda.study.correct.crossfit import Learner
from visanda.study.correct.machine import Prediction
from visanda.study.estimating.estimate import estimate
from visanda.study.estimating.fits import GOLD, NAIVE
from visanda.study.output.shares_figure import shares_figure
from visanda.study.panels.written import written_times
from visanda.study.regression.bootstrap import Progress
from visanda.study.sampling.sample import EVERYTHING, strata
from visanda.study.shares.codes_alike import exact, shares_alike

FOLDS = 5  # of the cross-fitting, which are made of whole clusters
FEW = 20  # codes of a group below which its share is rough
COLUMNS = ["group", "method", "estimate", "se", "low", "high", "n", "n_coded"]
MOST_SAID = 6  # groups; more are read in the table
MOST_TERMS = 8  # categories that a figure tells apart
MOST_NAMES = 8  # of times below a figure


def shares_by(
    data: pd.DataFrame,
    variable: str,
    *,
    by: Sequence[str] = (),
    prediction: Prediction,
    label: str | None = None,
    sample_prob: str | None = None,
    cluster: str | None = None,
    learner: Literal["linear", "raw"] | Learner = "linear",
    splits: int = 10,
    seed: int = 1,
    progress: Progress | None = None,
) -> Result:
    """The mean of a variable in each group, three ways: its share where it is 0/1, the share of each category.

    Corrected shares are estimated in each group from its own codes (design-based supervised learning), so that the
    machine may err differently in each. Groups with fewer than 10 codes have no corrected share, and that is said.
    Where all codes of a group are the same, nothing can be learnt there about the machine's errors: the share comes
    from the codes alone, with the exact interval of Clopper & Pearson (1934), which is about 3.7 / n wide.

    Intervals of shares end at 0 and 1. A corrected share may itself lie outside, by chance; it is left where it is,
    since cutting it would bias what is made of it.

    Args:
        data: a row a unit.
        variable: coded in part.
        by: columns whose combinations are the groups; none: all rows are one.
        prediction: as of :func:`visanda.study.estimate`.
        label: column of the machine's hard label.
        sample_prob: column of probabilities; ``"equal"`` or None: a simple random sample was coded.
        cluster: column of units that go together.
        learner: of the cross-fitting.
        splits: of the cross-fitting.
        seed: of the splits.
        progress: called with the groups done and those in all.

    Returns:
        A Result with a row a group, term and method: group, method, term, estimate, se, low, high, n, n_coded; se is
        missing where the interval is exact.

    Raises:
        InputError: a column that is not there.
        DesignError: no group has enough codes.

    Example:
        >>> data = pd.DataFrame({"y": [0.0, 1.0] * 30 + [None] * 60, "p": [0.1, 0.8, 0.3, 0.9] * 30})
        >>> shares_by(data, "y", prediction="p", splits=1).table["method"].tolist()
        ['naive', 'gold only', 'corrected (DSL)']
    """
    known = [name for name in (cluster, label, None if sample_prob == EQUAL else sample_prob) if name]
    require_columns(data, [variable, *by, *known])
    groups = strata(data, list(by)) if by else pd.Series(EVERYTHING, index=data.index)
    values = sorted(numeric(data[variable]).dropna().unique().tolist())
    call: dict[str, Any] = {
        "prediction": prediction,
        "label": label,
        "cluster": cluster,
        "learner": learner,
        "splits": splits,
        "seed": seed,
    }
    lumped: list[str] = []  # groups whose codes lie in few clusters
    tables, refused, bare, alike = [], [], [], []  # of groups: shares, why there are none, too few codes, all the same
    names = sorted(groups.unique())
    shares = bool(values) and (not pd.api.types.is_number(values[0]) or set(values) <= {0.0, 1.0})
    for place, group in enumerate(names):
        rows = data[groups == group]
        n_coded = int(rows[variable].notna().sum())
        try:
            if n_coded < FEWEST_CODED:
                bare.append(str(group))
            elif cluster is not None and rows.loc[rows[variable].notna(), cluster].nunique() < FOLDS:
                lumped.append(str(group))
            elif shares and len(values) > 1 and rows[variable].nunique() == 1:
                found = shares_alike(
                    rows, variable, values, prediction, label, sample_prob, cluster, naive=NAIVE, gold=GOLD
                )
                tables.append(found.assign(group=group, n_coded=n_coded))
                alike.append(f"{group} ({n_coded:,}, all {_said(rows[variable].dropna().iloc[0])})")
            else:
                found = estimate(
                    rows, variable, method="dsl", predicted_var=variable, sample_prob=sample_prob or EQUAL, **call
                ).table
                if shares and not pd.api.types.is_number(values[0]):
                    found = _never_coded(found, rows, variable, values, sample_prob, cluster)
                tables.append(found.drop(columns="p").assign(group=group, n_coded=n_coded))
        except DesignError as error:
            refused.append(f"{group}: {error}")
        if progress is not None:
            progress(place + 1, len(names))
    if bare:
        refused.append(f"{', '.join(bare)}: fewer than {FEWEST_CODED} codes there. Code more, or take groups together.")
    if lumped:
        refused.append(
            f"{', '.join(lumped)}: codes lie in fewer than {FOLDS} clusters of {cluster!r} there, which do not tell "
            "how much clusters differ. Take groups together; or, where rows are independent, leave out the cluster."
        )
    if not any(_corrected(one).any() for one in tables):
        raise DesignError("no group can be corrected: " + "; ".join([*refused, *_same(alike)][:3]))
    table = _ended(pd.concat(tables, ignore_index=True))
    terms = table["term"].unique()
    table = table[[*COLUMNS, "term"] if len(terms) == 1 else [*COLUMNS[:2], "term", *COLUMNS[2:]]]
    title = f"{variable}" + (f" by {', '.join(by)}" if by else "")
    are = "Shares" if terms[-1].startswith("share of ") else "Means"
    called = by[0] if len(by) == 1 else "group"
    return Result(
        title=f"{are} of {title}",
        table=table,
        words=_words(table),
        warnings=[f"No corrected share of {text}" for text in refused] + _same(alike) + _warnings(table),
        draw=partial(_figure, table, variable, called) if by and are == "Shares" else None,
        provenance={
            "variable": variable,
            "by": list(by),
            "method": "dsl",
            "sample_prob": sample_prob or EQUAL,
            "cluster": cluster,
            "learner": learner if isinstance(learner, str) else repr(learner),
            "folds": FOLDS,
            "splits": splits,
            "seed": seed,
            "refined": True,
        },
    )


def _figure(table: pd.DataFrame, variable: str, called: str) -> Figure:
    """Groups from above to below, or times from left to right; of categories, the corrected shares of each."""
    terms = list(table["term"].unique())
    by, title = "method", str(terms[0])
    if len(terms) > 1:
        table = table[_corrected(table) & table["term"].isin(terms[:MOST_TERMS])]
        by, title = "term", f"{variable}: corrected shares"
    names = table["group"].astype(str)
    groups = names
    with suppress(InputError):  # no times
        groups = written_times(names, called)[1]
    figure = shares_figure(
        table.drop(columns="group").assign(**{called: groups}), group=called, by=by, title=title, label="Share"
    )
    if groups is not names:  # named as in the table, as far as there is room
        places = pd.Series(groups.to_numpy(), index=names.to_numpy()).drop_duplicates().sort_values()
        kept = places.iloc[:: -(-len(places) // MOST_NAMES)]
        figure.axes[0].set_xticks(kept.to_numpy(), [str(name) for name in kept.index])
    return figure


def _never_coded(
    found: pd.DataFrame,
    rows: pd.DataFrame,
    variable: str,
    values: list[Any],
    sample_prob: str | None,
    cluster: str | None,
) -> pd.DataFrame:
    """The share 0 by the codes, with its exact interval, of each category that nobody coded in a group."""
    seen = set(rows[variable].dropna())
    lines = [
        {"method": GOLD, "term": f"share of {value}", "n": int(rows[variable].notna().sum())}
        | dict(zip(("estimate", "low", "high"), exact(rows, variable, 0.0, sample_prob, cluster), strict=True))
        for value in values
        if value not in seen
    ]
    return pd.concat([found, pd.DataFrame(lines)], ignore_index=True) if lines else found


def _said(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _corrected(table: pd.DataFrame) -> pd.Series:
    return table["method"].str.startswith("corrected")


def _ended(table: pd.DataFrame) -> pd.DataFrame:
    """Intervals of shares that end at 0 and 1; those of means of numbers as they are."""
    share = table["term"].str.startswith("share of ")
    ended = table[["low", "high"]].clip(0.0, 1.0).where(share, table[["low", "high"]])
    return table.assign(**ended)


def _same(alike: list[str]) -> list[str]:
    """What to say of groups of which all codes are the same."""
    if not alike:
        return []
    return [
        f"All codes are the same in {', '.join(alike)}: nothing can be learnt there about the machine's errors, so the "
        "share rests on the codes alone, with an exact interval (Clopper & Pearson 1934)."
    ]


def _warnings(table: pd.DataFrame) -> list[str]:
    """Groups of few codes; corrected shares that no share can be."""
    found = []
    few = list(map(str, table.loc[table["n_coded"] < FEW, "group"].unique()))
    if few:
        found.append(f"Fewer than {FEW} codes in {_listed(few)}: intervals there are rough.")
    share = table["term"].str.startswith("share of ") & _corrected(table)
    outside = table[share & ((table["estimate"] < 0) | (table["estimate"] > 1))]
    if len(outside):
        where = [f"{row['group']} ({row['term']} {row['estimate']:.3f})" for row in outside.to_dict("records")]
        found.append(
            f"By chance, a corrected share lies below 0 or above 1 in {_listed(where)}. It is not cut, which would "
            "bias what is made of it; its interval ends at 0 or 1. More codes bring it inside."
        )
    return found


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_SAID} more" if len(names) > MOST_SAID else ""
    return ", ".join(names[:MOST_SAID]) + more


def _words(table: pd.DataFrame) -> list[str]:
    """How far the machine's shares are off, in the group where it is most."""
    wide = table.pivot_table(index=["group", "term"], columns="method", values="estimate")
    corrected = next(name for name in wide if str(name).startswith("corrected"))
    many = table["group"].nunique() > 1
    words = [
        ("In each group the" if many else "The")
        + " machine's errors were corrected by "
        + ("its own" if many else "the")
        + " codes (DSL, Egami et al. 2023)."
    ]
    if NAIVE in wide:
        off = (wide[NAIVE] - wide[corrected]).dropna()
        place = off.index[int(off.abs().argmax())]
        group, term = place if isinstance(place, tuple) else (place, "")
        machine, ours = (float(wide[name].loc[place]) for name in (NAIVE, str(corrected)))
        words.append(
            f"The machine's labels are furthest off in {group}: {term} is {machine:.3f} by them, and {ours:.3f} "
            "corrected."
            if many
            else f"The {term} is {machine:.3f} by the machine's labels, and {ours:.3f} corrected."
        )
    return words
