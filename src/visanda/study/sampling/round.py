"""A round of sampling: strata, clusters, sizes and earlier rounds, in one draw with known probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.sampling.allocation import Allocate, allocation, neyman
from visanda.study.sampling.unequal import FLOOR, probabilities, systematic

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """A round that can be drawn.

    Attributes:
        rows: a row a unit, in the order of ids: id, stratum, and pi, the probability that a unit which is left is drawn
            in this round, above 0 and at most 1; for those drawn before, what it would have been.
        element: (N,) the place of the element, drawn in one piece, that each unit is or belongs to.
        chance: (M,) the probability of each element that is left, 0 of others.
        stratum: (M,) the number of each element's stratum.
        first: whether nothing was drawn before.
        drawn: (N,) which units were.
        per_cluster: units of a cluster; ``None``: all.
    """

    rows: pd.DataFrame
    element: NDArray[np.intp]
    chance: Array
    stratum: NDArray[np.intp]
    first: bool
    drawn: NDArray[np.bool_]
    per_cluster: int | None

    def draw(self, random: np.random.Generator) -> NDArray[np.bool_]:
        """(N,) which units are drawn."""
        taken = self._elements(random)[self.element]
        if self.per_cluster is not None:
            shuffled = np.lexsort((random.random(len(taken)), self.element))
            starts = np.searchsorted(self.element[shuffled], self.element[shuffled])
            place = np.empty(len(taken), dtype=np.intp)
            place[shuffled] = np.arange(len(taken)) - starts
            taken &= place < self.per_cluster
        return np.asarray(taken & ~self.drawn)

    def _elements(self, random: np.random.Generator) -> NDArray[np.bool_]:
        if not self.first:
            return systematic(self.chance, random, self.stratum)
        taken = np.zeros(len(self.chance), dtype=bool)
        for number in range(self.stratum.max() + 1):
            places = np.flatnonzero(self.stratum == number)
            mine = self.chance[places]
            if np.ptp(mine) == 0:  # a simple random sample
                taken[random.choice(places, round(mine.sum()), replace=False)] = True
            else:
                taken[places] = systematic(mine, random)
        return taken


def draw_round(
    units: pd.DataFrame,
    n: int,
    random: np.random.Generator,
    *,
    allocate: Allocate = "proportional",
    spread: pd.Series | None = None,
    floor: float = FLOOR,
    per_cluster: int | None = None,
) -> pd.DataFrame:
    """Draw about ``n`` units that were not drawn before: the rows of :func:`plan_round`, and which were ``taken``.

    Arguments but ``random``, where chance comes from, are those of :func:`plan_round`.
    """
    plan = plan_round(units, n, allocate=allocate, spread=spread, floor=floor, per_cluster=per_cluster)
    return plan.rows.assign(taken=plan.draw(random))


def plan_round(
    units: pd.DataFrame,
    n: int,
    *,
    allocate: Allocate = "proportional",
    spread: pd.Series | None = None,
    floor: float = FLOOR,
    per_cluster: int | None = None,
) -> Plan:
    """Give each unit its probability.

    Exactly ``n`` are drawn in a first round without clusters. Whole clusters bring as many as they hold, on average
    ``n``. In a later round, probabilities are made for all units alike, drawn before or not, from what an earlier draw
    of the unit itself does not change; so many are drawn as those of units that are left add up to, ``n`` on average.

    Args:
        units: a row a unit of the population, with columns id and stratum; where there are clusters, cluster
            (text); where probabilities should be unequal, size (0 or more); in a later round, left (the
            probability, 0 to 1, that it was not drawn before) and drawn (whether it was).
        n: how many.
        allocate: proportional to the strata, equal numbers from each, or Neyman's (1934).
        spread: guessed standard deviation by stratum, for Neyman's.
        floor: the share of a draw that is spread over all units of a stratum alike, above 0 and at most 1.
        per_cluster: two stages: clusters in proportion to how many units they hold, and so many units of each at
            random, so that all units are about equally probable. ``None``: clusters alike, and all of their units.

    Raises:
        InputError: an ``n`` that does not fit the units or the strata, a cluster in several strata.
    """
    rows = units.sort_values("id", ignore_index=True)
    rows["left"] = rows["left"].astype(float) if "left" in rows else 1.0
    rows["drawn"] = rows["drawn"].astype(bool) if "drawn" in rows else False
    again = bool(rows["drawn"].any())
    first = not again and bool((rows["left"] == 1).all())
    elements = _elements(rows, per_cluster)
    available = elements.groupby("stratum")["worth"].sum()
    available = available[available > 1e-9]
    number = _numbers(available, _shares(available, allocate, spread), n, "cluster" in rows, again)
    chance = np.zeros(len(elements))
    for stratum, places in elements.groupby("stratum").indices.items():
        if str(stratum) in number:
            chance[places] = _probabilities(elements.iloc[places], number[str(stratum)], floor, first)
    element = np.arange(len(rows))
    if "cluster" in rows:
        element = pd.Index(elements["name"]).get_indexer(pd.Index(rows["cluster"]))
    held = elements["units"].to_numpy()[element] if "cluster" in rows else np.ones(len(rows))
    part = 1.0 if per_cluster is None else np.minimum(per_cluster, held) / held
    return Plan(
        rows=rows[["id", "stratum"]].assign(pi=chance[element] * part),
        element=element,
        chance=np.where(elements["spent"], 0.0, chance),
        stratum=pd.factorize(elements["stratum"], sort=True)[0],
        first=first,
        drawn=rows["drawn"].to_numpy(dtype=bool),
        per_cluster=per_cluster,
    )


def _elements(rows: pd.DataFrame, per_cluster: int | None) -> pd.DataFrame:
    """What is drawn in one piece, units or clusters: stratum, size, worth (new units to expect of it), spent."""
    size = rows["size"].astype(float) if "size" in rows else pd.Series(0.0, index=rows.index)
    if "cluster" not in rows:
        return rows[["stratum"]].assign(size=size, worth=rows["left"], spent=rows["drawn"], even=1.0)
    groups = rows.assign(size=size).groupby("cluster", sort=True)
    torn = groups["stratum"].nunique()
    if (torn > 1).any():
        name = torn.index[torn > 1][0]
        strata = ", ".join(sorted(rows.loc[rows["cluster"] == name, "stratum"].unique())[:3])
        raise InputError(
            f"{int((torn > 1).sum())} clusters lie in several strata, such as {name!r} in {strata}: stratify by what "
            "is the same for all units of a cluster"
        )
    found = groups.agg(
        stratum=("stratum", "first"), size=("size", "mean"), worth=("left", "sum"), spent=("drawn", "min"),
        units=("id", "size"),
    ).assign(even=1.0)  # fmt: skip
    if per_cluster is not None:
        if per_cluster < 1:
            raise InputError(f"per_cluster={per_cluster}: draw at least 1 unit of each cluster")
        found["worth"] *= np.minimum(per_cluster, found["units"]) / found["units"]
        found["even"] = found["units"].astype(float)
        found["size"] *= found["units"]
    return found.rename_axis("name").reset_index()


def _shares(available: pd.Series, allocate: Allocate, spread: pd.Series | None) -> Array:
    sizes = available.to_numpy(dtype=float)
    if allocate == "equal":
        return np.ones(len(sizes))
    if allocate == "neyman":
        if spread is None:
            raise InputError("Neyman's allocation needs a guess of the spread in each stratum")
        return neyman(sizes, spread.reindex(available.index).fillna(spread.mean()).to_numpy(dtype=float))
    return sizes


def _numbers(available: pd.Series, share: Array, n: int, clustered: bool, again: bool) -> dict[str, int]:
    """How many units each stratum should give."""
    whole = np.floor(available.to_numpy(dtype=float) + 1e-6).astype(np.int64)
    most = int(whole.sum())
    if not 1 <= n <= most:
        left = "about " if again or clustered else ""
        rows = "units are left" if again else "rows to draw from"
        raise InputError(f"n={n}, but there are {left}{most:,} {rows}: ask for 1 to {most:,}")
    some = whole > 0
    if n < some.sum():
        raise InputError(f"n={n} is less than the {some.sum()} strata: draw at least {some.sum()}, or use fewer strata")
    taken = allocation(share[some], whole[some], n)
    return dict(zip(available.index[some].astype(str), taken.tolist(), strict=True))


def _probabilities(members: pd.DataFrame, number: int, floor: float, first: bool) -> Array:
    size, worth, even = (members[name].to_numpy(dtype=float) for name in ("size", "worth", "even"))
    pi = probabilities(number, size, floor=floor, worth=worth, even=even)
    if first and "units" in members:  # whole clusters: a whole number of them
        return probabilities(max(1, round(pi.sum())), size, floor=floor, even=even)
    return pi
