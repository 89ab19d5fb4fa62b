"""Folds: rows dealt to parts that keep groups together and have a share of each class."""

from __future__ import annotations

import numpy as np

from visanda.learn.heads.problem import Problem

BINS = 5  # of an interval scale, so that its folds are alike, too


def deal(problem: Problem, most: int) -> tuple[np.ndarray, list[str]]:
    """The fold (n,) of each row, numbered from 0, and what there is to say about them.

    Groups are taken in random order, those with rare classes and large ones first, and each goes to the fold that has
    the least of its rarest class. There are ``most`` folds, or as many as groups; a single one has nothing to test on.
    A rare class does not make folds fewer: with more of them, more of it is left to learn from.
    """
    strata, names = _strata(problem)
    number = len(np.unique(problem.groups))
    if number < 2:
        return np.zeros(len(problem), int), ["all rows are of one group: nothing was held out, nothing was tuned"]
    notes = [] if number >= most else [f"{number} folds instead of {most}: there are only {number} groups"]
    if problem.target.scale != "interval":
        pairs = np.unique(np.stack([strata, problem.groups]), axis=1)[0]
        for stratum, spread in enumerate(np.bincount(pairs, minlength=len(names))):
            if spread == 1:
                notes.append(f"{names[stratum]} is in one group only: where that is held out, nothing is known of it")
            elif 1 < spread < most:
                notes.append(
                    f"{names[stratum]} is in {spread} groups only, which is too few to tell how well it is told"
                )
    return _dealt(strata, problem.groups, min(most, number), problem.seed), notes


def _strata(problem: Problem) -> tuple[np.ndarray, list[str]]:
    """The class (n,) that each row is dealt by, and the classes' names; of several labels, the rarest that is there."""
    target, truth = problem.target, problem.truth
    if target.scale == "interval":
        bins = min(BINS, len(truth))
        rank = np.argsort(np.argsort(truth, kind="stable"), kind="stable")
        return rank * bins // len(truth), [f"part {i + 1}" for i in range(bins)]
    if target.scale == "multilabel":
        counts = np.nansum(truth, axis=0)
        order = np.where(truth > 0, counts, np.inf)
        strata = np.where((truth > 0).any(axis=1), order.argmin(axis=1), truth.shape[1])
        return strata, [*map(repr, target.classes), "'none'"]
    return truth, [*map(repr, target.classes)]


def _dealt(strata: np.ndarray, groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    counts = np.bincount(strata)
    sizes = np.bincount(groups)
    table = np.zeros((len(sizes), len(counts)), int)
    np.add.at(table, (groups, strata), 1)
    rarest = np.where(table > 0, counts, counts.sum() + 1).argmin(axis=1)
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    order = shuffled[np.lexsort((-sizes[shuffled], counts[rarest[shuffled]]))]
    dealt = [[0] * folds for _ in counts]
    rows, fold = [0] * folds, np.zeros(len(sizes), int)
    for group in order.tolist():
        has = dealt[rarest[group]]
        best = min(range(folds), key=lambda f: (has[f], rows[f]))
        fold[group] = best
        rows[best] += int(sizes[group])
        for stratum in np.flatnonzero(table[group]).tolist():
            dealt[stratum][best] += int(table[group, stratum])
    return fold[groups]
