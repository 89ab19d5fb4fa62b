"""Pairs to compare: random, all units about equally often, and all connected, as a Bradley–Terry scale needs them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from visanda.errors import InputError


def draw_pairs(ids: Sequence[str], number: int, random: np.random.Generator) -> pd.DataFrame:
    """Random pairs of units: columns left and right, in random order.

    A random path through all units connects them; then units that were compared least meet others that were compared
    least, so that all are compared about equally often. Each pair occurs once, and which of the two stands on the left
    is chance.

    Args:
        ids: the units, 2 or more.
        number: of pairs; the number of units less 1, to all there are.
        random: where chance comes from.

    Raises:
        InputError: too few pairs to connect all units, or more than there are.
    """
    n = len(ids)
    most = n * (n - 1) // 2
    if not max(1, n - 1) <= number <= most:
        raise InputError(
            f"{number} pairs of {n} units: at least {max(1, n - 1)} are needed to connect all of them on one scale "
            f"(three or more a unit, {3 * n // 2}, to measure well), and there are {most}"
        )
    pairs = _path(n, random)
    pairs += _evenly(n, pairs, number - len(pairs), random)
    turned = random.random(number) < 0.5
    rows = [(b, a) if turn else (a, b) for (a, b), turn in zip(pairs, turned, strict=True)]
    frame = pd.DataFrame([(ids[a], ids[b]) for a, b in rows], columns=["left", "right"])
    return frame.iloc[random.permutation(number)].reset_index(drop=True)


def _path(n: int, random: np.random.Generator) -> list[tuple[int, int]]:
    order = random.permutation(n).tolist()
    return list(pairwise(order))


def _evenly(n: int, pairs: list[tuple[int, int]], number: int, random: np.random.Generator) -> list[tuple[int, int]]:
    """Further pairs, each of the unit that was compared least and the least compared of those that it has not met."""
    met = np.eye(n, dtype=bool)
    for a, b in pairs:
        met[a, b] = met[b, a] = True
    compared = met.sum(axis=1) - 1.0
    added = []
    for _ in range(number):
        open_ = np.where(compared < n - 1, compared, np.inf)  # whoever has met all is through
        a = int(np.argmin(open_ + random.random(n) / 2))
        b = int(np.argmin(np.where(met[a], np.inf, compared) + random.random(n) / 2))
        met[a, b] = met[b, a] = True
        compared[[a, b]] += 1
        added.append((a, b))
    return added
