"""Splits: a test set and a validation set that are frozen once, and folds that keep together what belongs together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.learn.target import NONE, SPLIT, Target

LEAST = 8  # coded units from which there is something to learn and something to test on
ATTEMPTS = 50  # at dealing folds that each leave two values
PARTS = 5  # of an interval scale, which each set gets its share of


def freeze(
    strata: pd.Series,
    groups: pd.Series,
    test: float,
    validation: float,
    seed: int,
    known: pd.Series | None = None,
) -> pd.Series:
    """Which coded units are for training, for validation and for testing: ``train``, ``validation`` or ``test``.

    Whole groups go to one set, chosen so that each stratum's share of the test set comes near to ``test``: groups are
    taken in random order, those with rare values first. What is left gives its share to the validation set in the
    same way. Each stratum keeps a unit to train on.

    Args:
        strata: what each set should have its share of, by id: values, or as :func:`strata_of` makes them.
        groups: the group of each, by the same ids.
        test: share of all units that should be tested on, 0 to 1.
        validation: share of the others that should tell when to stop training, 0 to 1.
        seed: the same seed gives the same split.
        known: the sets of groups that are given already, by the name of the group.

    Returns:
        Sets by id.

    Raises:
        InputError: a share that is none, or too few units to split.
    """
    for name, share in (("test", test), ("validation", validation)):
        if not 0 <= share < 1:
            raise InputError(f"--{name} is a share from 0 to below 1, not {share:g}")
    if len(strata) < LEAST:
        raise InputError(f"{len(strata)} coded units are too few to train and to test on: code at least {LEAST}")
    frame = pd.DataFrame({"stratum": strata, "group": groups.reindex(strata.index)})
    sets = pd.Series("train", index=strata.index)
    if known is not None:
        sets.update(frame["group"].map(known).dropna())
        frame = frame[~frame["group"].isin(known.index)]
    sets[_chosen(frame, test, seed)] = "test"
    left = frame[sets[frame.index] == "train"]
    sets[_chosen(left, validation, seed)] = "validation"
    return sets


def _chosen(frame: pd.DataFrame, share: float, seed: int) -> list[str]:
    """The units of whole groups that make up a share of each stratum, or as near as groups allow."""
    counts = frame["stratum"].value_counts()
    left = (counts * share).round().clip(upper=counts - 1)
    members = {str(name): part for name, part in frame.groupby("group", sort=True)}
    order = np.random.default_rng(seed).permutation(sorted(members))
    rarest = sorted(order, key=lambda name: counts[members[name]["stratum"]].min())
    found: list[str] = []
    for name in rarest:
        needs = members[name]["stratum"].value_counts()
        if (left.reindex(needs.index) >= needs).all():
            left[needs.index] -= needs
            found += members[name].index.tolist()
    return found


def strata_of(target: Target, values: pd.Series) -> pd.Series:
    """What each set of a split should have its share of, by id, as text.

    Values of nominal and ordinal scales; of several labels the rarest; fifths of an interval scale.
    """
    if target.scale == "interval":
        numbers = values.astype(float)
        edges = np.unique(np.quantile(numbers, np.arange(1, PARTS) / PARTS))
        return pd.Series(np.searchsorted(edges, numbers, side="right").astype(str), index=values.index)
    if target.scale == "multilabel":
        labels = values.astype(str).str.split(SPLIT)
        rare = labels.explode().value_counts()
        return labels.map(lambda given: min(given, key=lambda label: (rare.get(label, 0), label)) or NONE)
    return values.astype(str)


def dealt(groups: Sequence[str], truth: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold (n,), 0 to ``folds`` − 1, of each coded unit: groups whole, as many in each fold as in the others.

    Codes do not steer it, so that a unit's own code never touches by which model it is predicted, which corrected
    estimates rest on. Only where all of a rare value fell into one fold, so that without it nothing would be left to
    tell it from, are they dealt anew.

    Args:
        groups: n names.
        truth: (n, ...) what ``Target.encode`` gives.
        folds: how many.
        seed: of the order in which groups are dealt.
    """
    names = np.unique(np.asarray(groups))
    place = np.searchsorted(names, np.asarray(groups))
    fold = np.zeros(len(place), int)
    for attempt in range(ATTEMPTS):
        fold = (np.random.default_rng([seed, attempt]).permutation(len(names)) % folds)[place]
        if not any(_only_one(truth[fold != number]) for number in np.unique(fold)):
            break
    return fold


def _only_one(truth: np.ndarray) -> bool:
    return len(truth) == 0 or bool((truth == truth[0]).all())


def fold_of(groups: Sequence[str], folds: int, seed: int) -> np.ndarray:
    """The fold, 0 to ``folds`` − 1, of each group's name: the same whenever and wherever it is asked."""
    unique = sorted(set(groups))
    digests = {name: hashlib.sha256(f"{seed}:{name}".encode()).digest() for name in unique}
    return np.array([int.from_bytes(digests[name][:8], "big") % folds for name in groups])
