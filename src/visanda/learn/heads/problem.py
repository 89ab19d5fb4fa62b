"""A problem: what a head is to learn from, checked; and what each row counts when it is learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from visanda.errors import InputError
from visanda.learn.target import Target

WIDEST = 512  # directions; the others of 1280 hold 2 % of what there is of photos, and cost three times as much


@dataclass(frozen=True)
class Span:
    """Vectors along the directions that they spread in, those that they spread in most at the end.

    Attributes:
        inputs: (n, r) where each lies along these directions, from the centre; float64.
        basis: (r, d) the directions, at right angles to each other.
        squares: (r,) sums of the squares of the inputs' columns.
        centre: (d,).
        size: mean square of the vectors' lengths.
    """

    inputs: np.ndarray
    basis: np.ndarray
    squares: np.ndarray
    centre: np.ndarray
    size: float


def spanned(vectors: np.ndarray) -> Span:
    """The span of vectors (n, d).

    A ridge-penalised fit there is the very same as on the vectors; with fewer rows than dimensions, in a fraction of
    the time. Of many rows, the ``WIDEST`` directions are kept.
    """
    size = float(np.einsum("nd,nd->n", vectors, vectors, dtype=float).mean()) or 1.0
    centre = vectors.mean(axis=0, dtype=float)
    moved = vectors - centre
    if len(moved) > moved.shape[1]:
        squares, axes = np.linalg.eigh(moved.T @ moved)
        squares, axes = np.maximum(squares[-WIDEST:], 0), axes[:, -WIDEST:]
        return Span(moved @ axes, axes.T, squares, centre, size)
    squares, left = np.linalg.eigh(moved @ moved.T)
    keep = np.flatnonzero(squares > max(squares[-1] * 1e-10, 1e-300))[-WIDEST:]
    lengths = np.sqrt(squares[keep])
    return Span(left[:, keep] * lengths, (left[:, keep] / lengths).T @ moved, squares[keep], centre, size)


@dataclass(frozen=True)
class Problem:
    """Coded pictures as numbers.

    Attributes:
        vectors: (n, d) float32.
        truth: what ``Target.encode`` gives: (n,) class numbers, (n, k) 0/1, or (n,) values. None is missing, but of
            several labels some may be NaN: these count for nothing (Won et al. 2017).
        target: what is to be predicted.
        groups: (n,) whole numbers; rows of one group are never on both sides of a split.
        weights: (n,) what each row counts.
        balance: each class is to count the same.
        seed: of all that is random.
    """

    vectors: np.ndarray
    truth: np.ndarray
    target: Target
    groups: np.ndarray
    weights: np.ndarray
    balance: bool
    seed: int

    def __len__(self) -> int:
        return len(self.vectors)

    @cached_property
    def span(self) -> Span:
        """The vectors along the directions that they spread in."""
        return spanned(self.vectors)

    def part(self, rows: np.ndarray) -> Problem:
        """The same about these rows (m,) only."""
        return replace(
            self,
            vectors=self.vectors[rows],
            truth=self.truth[rows],
            groups=np.unique(self.groups[rows], return_inverse=True)[1],
            weights=self.weights[rows],
        )

    def weights_of(self, rows: np.ndarray) -> np.ndarray:
        """What each of the rows (m,) counts where these are learnt from; their mean is 1.

        Balanced, a row of class c counts n / (k n_c) times as much; a row with several labels, the mean of that over
        its labels, of which each has two classes: there and not there.
        """
        weights = self.weights[rows].astype(float)
        if self.balance:
            truth = self.truth[rows] if self.target.scale == "multilabel" else self.truth[rows][:, None]
            factors = []
            for column in truth.T:
                known = np.isfinite(column)
                value = column[known].astype(int)
                counts = np.bincount(value, weights[known])
                share = counts / counts.sum() * np.count_nonzero(counts)
                factors.append(np.full(len(rows), np.nan))
                factors[-1][known] = 1 / share[value]
            weights = weights * np.nanmean(factors, axis=0)
        return weights / weights.mean()


def stated(
    vectors: np.ndarray,
    truth: np.ndarray,
    target: Target,
    groups: Sequence[object] | np.ndarray,
    weights: np.ndarray | None,
    balance: bool,
    seed: int,
) -> tuple[Problem, np.ndarray]:
    """The problem, and which rows (m,) of those given it is about: those of which something is known.

    Raises:
        InputError: the arrays do not fit together, a vector or weight is no number, only one value was coded, or
            an interval scale is to be balanced.
    """
    vectors, truth = np.asarray(vectors), np.asarray(truth)
    if vectors.ndim != 2 or not len(vectors) == len(truth) == len(groups):
        raise InputError(
            f"vectors of shape {vectors.shape}, {len(truth)} codes and {len(groups)} groups: give one of each a picture"
        )
    if (wrong := ~np.isfinite(vectors).all(axis=1)).any():
        raise InputError(
            f"{wrong.sum()} of {len(vectors)} vectors hold something that is no number (the first in row "
            f"{int(wrong.argmax())}): measure these pictures again, or leave them out"
        )
    counts = np.ones(len(vectors)) if weights is None else np.asarray(weights, float)
    if counts.shape != (len(vectors),) or not (np.isfinite(counts) & (counts >= 0)).all():
        raise InputError("weights must be a number of 0 or more a picture")
    if balance and target.scale == "interval":
        raise InputError("numbers of an interval scale have no classes to balance: leave out balance")
    there = np.isfinite(truth.astype(float)).reshape(len(truth), -1).any(axis=1) & (counts > 0)
    rows = np.flatnonzero(there)
    known = truth[rows]
    if target.scale in ("nominal", "ordinal"):
        known = known.astype(int)
        if len(known) and (known.min() < 0 or known.max() >= len(target.classes)):
            raise InputError(f"class numbers go from 0 to {len(target.classes) - 1}")
    elif target.scale == "multilabel":
        if known.ndim != 2 or known.shape[1] != len(target.classes):
            raise InputError(f"codes of shape {known.shape}: give a column for each of {len(target.classes)} labels")
        known = np.where(np.isfinite(known), known, np.nan)
    _check_there_is_something_to_learn(known, target)
    names = [str(group) for group in groups]
    number = {name: place for place, name in enumerate(sorted(set(names)))}
    numbers = np.unique([number[names[row]] for row in rows.tolist()], return_inverse=True)[1]
    kept = np.ascontiguousarray(vectors[rows], np.float32)
    return Problem(kept, known, target, numbers, counts[rows], balance, seed), rows


def _check_there_is_something_to_learn(truth: np.ndarray, target: Target) -> None:
    if not len(truth):
        raise InputError("no picture is coded: there is nothing to learn")
    columns = truth.reshape(len(truth), -1).astype(float)
    unknown = np.isnan(columns).all(axis=0)
    if unknown.any():
        raise InputError(f"the label {target.classes[int(unknown.argmax())]!r} is known of no picture: leave it out")
    if (np.nanmin(columns, axis=0) == np.nanmax(columns, axis=0)).all():
        first: object = truth[0]
        if target.scale in ("nominal", "ordinal"):
            first = target.classes[int(truth[0])]
        elif target.scale == "multilabel":
            first = target.decode(np.nanmax(columns, axis=0)[None])[0]
        raise InputError(
            f"all {len(truth)} coded pictures have the value {first!r}: code some that have another, "
            "or there is nothing to learn"
        )
