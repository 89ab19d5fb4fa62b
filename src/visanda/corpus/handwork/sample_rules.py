"""The rules of one round of sampling, and the draw that they make of a population."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from visanda.corpus.handwork.sample_columns import clusters_of, strata_of
from visanda.corpus.handwork.sample_scores import (
    UNCERTAIN,
    Sizes,
    by_column,
    by_doubt,
    by_pictures,
    by_text,
    guessed_spread,
)
from visanda.errors import InputError
from visanda.store import Store
from visanda.study.sampling.allocation import Allocate
from visanda.study.sampling.round import draw_round
from visanda.study.sampling.rounds import add_round, rounds_of, so_far


@dataclass(frozen=True)
class Rules:
    """How units are drawn; the arguments of the verb ``sample``, which explains them."""

    n: int
    by: list[str]
    allocate: Allocate
    cluster: str | None
    per_cluster: int | None
    favour: str | None
    like: list[str]
    favour_column: str | None
    floor: float
    seed: int
    where: str | None
    on: str

    def __post_init__(self) -> None:
        favoured = [name for name in ("favour", "like", "favour_column") if getattr(self, name)]
        if len(favoured) > 1:
            raise InputError(
                f"--{' and --'.join(name.replace('_', '-') for name in favoured)}: favour by one of them, and by "
                "another in a further round, with --more"
            )
        if self.per_cluster is not None and self.cluster is None:
            raise InputError("--per-cluster draws units of clusters: name what makes them, as in --cluster parent")
        if self.allocate == "neyman" and not self.by:
            raise InputError("Neyman's allocation is between strata: name a column with --by")

    def arguments(self) -> dict[str, Any]:
        """What was asked, without what was not."""
        return {name: value for name, value in asdict(self).items() if value not in (None, [])}


@dataclass
class Drawn:
    """A design with this round, and what is to be said of it."""

    design: pd.DataFrame
    said: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def draw_by(
    store: Store,
    variable: str,
    rules: Rules,
    population: pd.DataFrame,
    before: pd.DataFrame | None,
    interval: bool,
    example: Callable[[str], Any],
) -> Drawn:
    """Draw a round.

    Args:
        store: the corpus.
        variable: what will be coded.
        rules: how.
        population: a row a unit to draw from.
        before: the design of earlier rounds; ``None``: this is the first.
        interval: whether the variable is a number.
        example: gives the embedding of an id or a file.

    Raises:
        InputError: rules that do not fit the population.
    """
    stratum, said = strata_of(store, population, rules.by)
    drawn = Drawn(pd.DataFrame(), said)
    earlier = so_far(before, population["id"])
    units = pd.DataFrame(
        {
            "id": population["id"].to_numpy(),
            "stratum": stratum.to_numpy(),
            "left": earlier["left"].to_numpy(),
            "drawn": earlier["drawn"].to_numpy(),
        }
    )
    if rules.cluster:
        units["cluster"] = clusters_of(store, population, rules.cluster).to_numpy()
    if sizes := _sizes(store, variable, rules, population, interval, example):
        units["size"] = sizes.size.to_numpy()
        drawn.said.append(
            f"Favoured by {sizes.what}; {rules.floor:.0%} of the draw was spread over all alike, so that every unit "
            "could be drawn."
        )
        drawn.warnings += sizes.warnings
    spread = None
    if rules.allocate == "neyman":
        spread, source = guessed_spread(store, variable, population, stratum)
        drawn.said.append(f"Strata were guessed to differ in spread from {source}.")
    random = np.random.default_rng(rules.seed if before is None else [rules.seed, len(rounds_of(before)) + 1])
    made = draw_round(
        units,
        rules.n,
        random,
        allocate=rules.allocate,
        spread=spread,
        floor=rules.floor,
        per_cluster=rules.per_cluster,
    )
    if rules.cluster:
        made["cluster"] = made["id"].map(units.set_index("id")["cluster"])
    else:
        made["cluster"] = None
    drawn.design = add_round(before, made, random)
    _remarks(drawn, rules, made, before)
    return drawn


def _sizes(
    store: Store,
    variable: str,
    rules: Rules,
    population: pd.DataFrame,
    interval: bool,
    example: Callable[[str], Any],
) -> Sizes | None:
    if rules.favour == UNCERTAIN:
        return by_doubt(store, variable, population, interval)
    if rules.favour:
        return by_text(store, rules.favour, population)
    if rules.like:
        return by_pictures(store, rules.like, population, example)
    return by_column(store, rules.favour_column, population) if rules.favour_column else None


def _remarks(drawn: Drawn, rules: Rules, made: pd.DataFrame, before: pd.DataFrame | None) -> None:
    """What chance and bounds did."""
    number = int(made["taken"].sum())
    capped = int((made["pi"] >= 1).sum())
    if rules.cluster:
        groups = made.loc[made["taken"], "cluster"].nunique()
        of = (
            f"up to {rules.per_cluster} units of each of {groups:,} clusters"
            if rules.per_cluster
            else f"{groups:,} whole clusters"
        )
        drawn.said.append(f"Drawn were {of} ({rules.cluster}): {number:,} units where {rules.n:,} were asked for.")
        if groups < 30:
            drawn.warnings.append(
                f"{groups} clusters are few: what they share is known from {groups} cases, however many units they "
                "hold; intervals that are clustered need 30 or more to be believed"
            )
    elif number != rules.n:
        drawn.said.append(
            f"Drawn were {number:,} units where {rules.n:,} were asked for: in a further round chance decides, so that "
            "probabilities stay exact."
        )
    if capped and capped < len(made):
        drawn.warnings.append(
            f"{capped:,} units were drawn for certain, since their probability would have exceeded 1; the rest of the "
            "draw was shared out among the others"
        )
    if rules.by:
        alone = made[made["taken"]].groupby("stratum")["id"].size()
        if (alone == 1).any():
            drawn.warnings.append(
                f"{int((alone == 1).sum())} strata gave one unit each: they say nothing about spread. Use fewer strata "
                "(numbers in bins, --by column:3), or draw more"
            )
    if before is not None:
        known = set(before["id"])
        new = int((~made["id"].isin(known)).sum())
        gone = len(known - set(made["id"]))
        if new:
            drawn.said.append(
                f"{new:,} units are new since the last round: they could be drawn in this round only, and their "
                "probabilities say so."
            )
        if gone:
            drawn.said.append(f"{gone:,} units of earlier rounds are not in this one's population.")
