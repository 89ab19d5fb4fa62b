"""Splits: a test set that is frozen once, and folds that keep together what belongs together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from visanda.errors import InputError


def freeze(values: pd.Series, groups: pd.Series, share: float, seed: int) -> pd.Series:
    """Which coded pictures are for training and which for testing: ``train`` or ``test``, by id.

    Whole groups go to one side, chosen so that each value's share of the test set comes near to ``share``: groups
    are taken in random order, rare values first.

    Args:
        values: the codes, by id.
        groups: the group of each, by the same ids.
        share: of the pictures that should be tested on, 0 to 1.
        seed: the same seed gives the same split.

    Raises:
        InputError: only one value was coded, or there are too few pictures to split.
    """
    counts = values.value_counts()
    if len(counts) < 2:
        raise InputError(
            f"all {len(values)} coded pictures have the value {counts.index[0]!r}: code some that have another, "
            "or there is nothing to learn"
        )
    if len(values) < 8:
        raise InputError(f"{len(values)} coded pictures are too few to train and to test on: code at least 8")
    wanted = (counts * share).round().clip(upper=counts - 1)
    left = wanted.copy()
    frame = pd.DataFrame({"value": values, "group": groups.reindex(values.index)})
    members = {str(name): part for name, part in frame.groupby("group", sort=True)}
    order = np.random.default_rng(seed).permutation(sorted(members))
    rarest = sorted(order, key=lambda name: counts[members[name]["value"]].min())
    testing: list[str] = []
    for name in rarest:
        needs = members[name]["value"].value_counts()
        if (left.reindex(needs.index) >= needs).all():
            left[needs.index] -= needs
            testing += members[name].index.tolist()
    split = pd.Series("train", index=values.index)
    split[testing] = "test"
    return split


def fold_of(groups: Sequence[str], folds: int, seed: int) -> np.ndarray:
    """The fold, 0 to ``folds`` − 1, of each group's name: the same whenever and wherever it is asked."""
    unique = sorted(set(groups))
    digests = {name: hashlib.sha256(f"{seed}:{name}".encode()).digest() for name in unique}
    return np.array([int.from_bytes(digests[name][:8], "big") % folds for name in groups])
