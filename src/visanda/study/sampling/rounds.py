"""Rounds of sampling that keep probabilities known: draw, code, train, draw what is in doubt, and so on.

A design is a row a unit of the population: id; stratum; pi, the probability that any round drew it; order, 1 for
what is coded first, 0 where it was not drawn; cluster; round, in which it was drawn, 0 where it was not; and
``pi_1``, ``pi_2`` and so on, the probability that the round drew it, had none drawn it before.

**Why estimates stay valid.** A unit is in the sample unless every round passed it by, so pi = 1 − Π (1 − pi_r). That
is exact where pi_r does not depend on what happened to the unit itself in earlier rounds. Its own code must therefore
not touch its own probability: uncertainty has to come from a classifier that never saw the unit's fold, that is, from
cross-fitted predictions. Codes of other units may steer it as they like (they are all that active learning needs).
What is left is the scale: it is made from all units, drawn before or not, so that one unit's draw moves it by the
order of 1/N; and rounds of a fixed number draw a little less often where others were drawn, which is of the same
order. The tests simulate both. The idea is that of sampling in waves with known probabilities (Särndal, Swensson &
Wretman 1992, chapter 9; Zrnic & Candès 2024, "Active Statistical Inference").

**A population that has grown.** New units have pi_r = 0 in the rounds before they came, and a round that draws from a
part of the population only has pi_r = 0 for the rest. Estimates speak of all with pi > 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]


def rounds_of(design: pd.DataFrame) -> list[str]:
    """The columns of each round's probabilities, in order.

    >>> rounds_of(pd.DataFrame(columns=["id", "pi", "pi_1", "pi_2"]))
    ['pi_1', 'pi_2']
    """
    found = [str(name) for name in design if re.fullmatch(r"pi_\d+", str(name))]
    return sorted(found, key=lambda name: int(name[3:]))


def in_any(by_round: Array) -> Array:
    """(N,) the probability to be drawn in any of the rounds, from (N, rounds) those to be drawn in each.

    >>> in_any(np.array([[0.5, 0.5], [0.0, 0.2]])).round(3).tolist()
    [0.75, 0.2]
    """
    return np.asarray(1 - np.prod(1 - by_round, axis=1))


def so_far(design: pd.DataFrame | None, ids: pd.Series) -> pd.DataFrame:
    """What earlier rounds did to these units: left (the probability that none drew it, 0 to 1) and drawn, by id."""
    if design is None:
        return pd.DataFrame({"left": 1.0, "drawn": False}, index=pd.Index(ids, name="id"))
    known = design.set_index("id").reindex(ids)
    return pd.DataFrame({"left": 1 - known["pi"].fillna(0.0), "drawn": known["order"].fillna(0) > 0})


def add_round(design: pd.DataFrame | None, drawn: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """A design with one more round.

    Args:
        design: of the rounds before; ``None``: this is the first.
        drawn: a row a unit of this round's population: id, stratum, pi and taken, as ``draw_round`` gives them, and
            perhaps cluster (text or missing).
        random: for the order of coding, which goes on after that of earlier rounds.

    Returns:
        The design: units of earlier rounds that are not in this one's population stay, with probability 0 in it. The
        stratum and cluster of a unit are those of the round that drew it, else of the last it stood in.
    """
    new = drawn if "cluster" in drawn else drawn.assign(cluster=None)
    new = new.rename(columns={"pi": "now", "cluster": "cluster_now", "stratum": "stratum_now"})
    if design is None:
        design = pd.DataFrame({"id": new["id"]})
    elif not rounds_of(design):  # a design that says only what all of it was drawn with
        design = design.assign(round=(design["order"] > 0).astype(int), pi_1=design["pi"])
    number = len(rounds_of(design)) + 1
    frame = design.merge(new, on="id", how="outer").sort_values("id", ignore_index=True)
    for name, missing in (("order", 0), ("round", 0), ("stratum", None), ("cluster", None)):
        if name not in frame:
            frame[name] = missing
    before = frame["order"].fillna(0) > 0
    for name in ("stratum", "cluster"):
        frame[name] = frame[name].where(before | frame[f"{name}_now"].isna(), frame[f"{name}_now"]).astype("string")
    earlier = rounds_of(frame)
    frame[earlier] = frame[earlier].fillna(0.0)
    frame[f"pi_{number}"] = frame["now"].fillna(0.0)
    frame["pi"] = in_any(frame[rounds_of(frame)].to_numpy(dtype=float))
    taken = frame["taken"].eq(True).to_numpy() & ~before.to_numpy()
    frame["order"] = frame["order"].fillna(0).astype(int)
    frame["round"] = frame["round"].fillna(0).astype(int).mask(taken, number)
    frame.loc[taken, "order"] = frame["order"].max() + 1 + random.permutation(int(taken.sum()))
    return frame[["id", "stratum", "pi", "order", "cluster", "round", *rounds_of(frame)]]


def probability_of_codes(design: pd.DataFrame, coded: set[str]) -> pd.Series:
    """The probability, by id, that a unit was drawn and is coded, where coders stopped before the end of a round.

    Coders go in random order, so a round of which half is coded is a round with half the probabilities. Estimates
    scale probabilities by one number, which is the same thing for one round, and not for several.

    Args:
        design: as :func:`add_round` gives it, or without rounds.
        coded: ids that have a code.
    """
    return probability_with(design, coded_shares(design, coded))


def coded_shares(design: pd.DataFrame, coded: set[str]) -> list[float]:
    """Of each round the share of what it drew that has a code, 0 to 1; of a round that drew nothing, 1."""
    done = design["id"].isin(coded)
    drawn = [design["round"] == int(name[3:]) for name in rounds_of(design)]
    return [float(done[mine].mean()) if mine.any() else 1.0 for mine in drawn]


def probability_with(design: pd.DataFrame, shares: Sequence[float]) -> pd.Series:
    """The probability, by id, to be drawn and coded, where of each round this share was coded.

    Args:
        design: as :func:`add_round` gives it, or without rounds: then probabilities are those of the draw.
        shares: of the rounds, 0 to 1; later rounds, which have none, do not count.
    """
    names = rounds_of(design)
    if not names:
        return design.set_index("id")["pi"]
    padded = np.array([*shares, *[0.0] * len(names)][: len(names)])
    return pd.Series(in_any(design[names].to_numpy(dtype=float) * padded), index=design["id"], name="pi")
