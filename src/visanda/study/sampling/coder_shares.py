"""Who codes what: some units by two coders, blind to each other, so that their agreement is known; the rest by one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from visanda.errors import InputError

BETWEEN = "|"  # coders of one unit


def deal(ids: Sequence[str], coders: Sequence[str], double: float, random: np.random.Generator) -> pd.Series:
    """The coders of each unit, such as ``"c1|c2"``, by id.

    Which units are coded twice is chance; all pairs of coders get as many, and all coders as much work, within 1.

    Args:
        ids: of the units that were drawn.
        coders: their names.
        double: the share of the units that two coders code, 0 to 1; at 1, all coders code all.
        random: where chance comes from.

    Raises:
        InputError: no coders, one coder for double coding, a name twice, a share out of range.

    Example:
        >>> dealt = deal(list("abcdefgh"), ["ana", "ben"], 0.25, np.random.default_rng(1))
        >>> dealt.value_counts().to_dict()
        {'ana': 3, 'ben': 3, 'ana|ben': 2}
    """
    if not 0 <= double <= 1:
        raise InputError(f"double={double}: give the share of the sample that two coders code, 0 to 1")
    if len(set(coders)) < len(coders):
        raise InputError(f"a coder is named twice in {', '.join(coders)}")
    if double > 0 and len(coders) < 2:
        named = f"{coders[0]!r} is alone" if coders else "nobody is named"
        raise InputError(f"{double:.0%} of the sample should be coded twice, but {named}: name coders, --coders c1,c2")
    if not coders:
        raise InputError("name the coders, as in --coders c1,c2")
    if double == 1:
        return pd.Series(BETWEEN.join(coders), index=list(ids), dtype="string")
    shuffled = [ids[place] for place in random.permutation(len(ids))]
    twice = round(double * len(ids))
    load = dict.fromkeys(coders, 0)
    met = dict.fromkeys(combinations(coders, 2), 0)
    dealt: dict[str, str] = {}
    for place, id in enumerate(shuffled):
        if place < twice:
            chance = random.random(len(met))
            pair, _ = min(
                zip(met, chance, strict=True),
                key=lambda one: (met[one[0]], sum(load[coder] for coder in one[0]), one[1]),
            )
            met[pair] += 1
            who: tuple[str, ...] = pair
        else:
            chance = random.random(len(load))
            who = (min(zip(load, chance, strict=True), key=lambda one: (load[one[0]], one[1]))[0],)
        for coder in who:
            load[coder] += 1
        dealt[id] = BETWEEN.join(who)
    return pd.Series(dealt, dtype="string").reindex(list(ids))


def sheet_order(ids: Sequence[str], random: np.random.Generator) -> list[str]:
    """A coder's units in an order of their own, which does not tell what is coded twice."""
    return [ids[place] for place in random.permutation(len(ids))]
