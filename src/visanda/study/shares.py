"""Shares by group: what a machine says, what the codes alone say, and both together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import pandas as pd

from visanda.errors import DesignError
from visanda.result import Result
from visanda.study.columns import require_columns
from visanda.study.correct.coded import FEWEST_CODED
from visanda.study.correct.crossfit import Learner
from visanda.study.correct.machine import Prediction
from visanda.study.estimating.choice import EQUAL
from visanda.study.estimating.estimate import estimate
from visanda.study.output.shares_figure import shares_figure
from visanda.study.sample import EVERYTHING, strata

FEW = 20  # codes of a group below which its share is rough


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
) -> Result:
    """The mean of a variable in each group, three ways: its share where it is 0/1, the share of each category.

    Corrected shares are estimated in each group from its own codes (design-based supervised learning), so that the
    machine may err differently in each. Groups with fewer than 10 codes have no corrected share, and that is said.

    Args:
        data: a row a unit.
        variable: coded in part.
        by: columns whose combinations are the groups; none: all rows are one.
        prediction: as of :func:`visanda.study.estimate`.
        label: column of the machine's hard label.
        sample_prob: column of probabilities; None: a simple random sample was coded.
        cluster: column of units that go together.
        learner: of the cross-fitting.
        splits: of the cross-fitting.
        seed: of the splits.

    Returns:
        A Result with a row a group, term and method: group, method, term, estimate, se, low, high, n, n_coded.

    Raises:
        InputError: a column that is not there.
        DesignError: no group has enough codes.

    Example:
        >>> data = pd.DataFrame({"y": [0.0, 1.0] * 30 + [None] * 60, "p": [0.1, 0.8, 0.3, 0.9] * 30})
        >>> shares_by(data, "y", prediction="p", splits=1).table["method"].tolist()
        ['naive', 'gold only', 'corrected (DSL)']
    """
    require_columns(data, [variable, *by])
    groups = strata(data, list(by)) if by else pd.Series(EVERYTHING, index=data.index)
    tables, refused, bare = [], [], []
    for group in sorted(groups.unique()):
        rows = data[groups == group]
        if rows[variable].notna().sum() < FEWEST_CODED:
            bare.append(str(group))
            continue
        try:
            found = estimate(
                rows,
                variable,
                method="dsl",
                predicted_var=variable,
                prediction=prediction,
                label=label,
                sample_prob=sample_prob or EQUAL,
                cluster=cluster,
                learner=learner,
                splits=splits,
                seed=seed,
            ).table
        except DesignError as error:
            refused.append(f"{group}: {error}")
            continue
        n_coded = int(rows[variable].notna().sum())
        tables.append(found.drop(columns="p").assign(group=group, n_coded=n_coded))
    if bare:
        refused.append(f"{', '.join(bare)}: fewer than {FEWEST_CODED} codes there. Code more, or take groups together.")
    if not tables:
        raise DesignError("no group can be corrected: " + "; ".join(refused[:3]))
    table = pd.concat(tables, ignore_index=True)
    table = table[["group", "method", "term", "estimate", "se", "low", "high", "n", "n_coded"]]
    warnings = [f"No corrected share of {text}" for text in refused]
    few = table.loc[table["n_coded"] < FEW, "group"].unique()
    if len(few):
        warnings.append(f"Fewer than {FEW} codes in {', '.join(map(str, few))}: intervals there are rough.")
    title = f"{variable}" + (f" by {', '.join(by)}" if by else "")
    terms = table["term"].unique()
    shown = table[table["term"] == terms[-1]] if len(terms) > 1 else table
    return Result(
        title=f"Shares of {title}",
        table=table,
        words=_words(table),
        warnings=warnings,
        draw=partial(shares_figure, shown, title=f"{terms[-1]}", label="Share") if by else None,
        provenance={"variable": variable, "by": list(by), "method": "dsl", "seed": seed},
    )


def _words(table: pd.DataFrame) -> list[str]:
    """How far the machine's shares are off, in the group where it is most."""
    wide = table.pivot_table(index=["group", "term"], columns="method", values="estimate")
    corrected = next(name for name in wide if str(name).startswith("corrected"))
    words = ["In each group the machine's errors were corrected by its own codes (DSL, Egami et al. 2023)."]
    if "naive" in wide:
        off = (wide["naive"] - wide[corrected]).dropna()
        place = off.index[int(off.abs().argmax())]
        group, term = place if isinstance(place, tuple) else (place, "")
        machine, ours = (float(wide[name].loc[place]) for name in ("naive", str(corrected)))
        words.append(
            f"The machine's labels are furthest off in {group}: {term} is {machine:.3f} by them, and {ours:.3f} "
            f"corrected."
        )
    return words
