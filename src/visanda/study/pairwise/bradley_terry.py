"""Bradley–Terry: a score for each unit from comparisons of two units at a time.

Bradley & Terry (1952): the odds that a unit wins over another are exp(score − score). Ties as in Davidson (1970),
which is the same model where there are none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve, get_lapack_funcs
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import LinearOperator, cg

from visanda.errors import InputError
from visanda.study.columns import require_columns

Array = NDArray[np.float64]
Index = NDArray[np.intp]

LEFT, RIGHT, TIE = "left", "right", "tie"
RIDGE = 0.1
MOST_STEPS = 100
ALL_TIES = 12.0  # log odds of a tie between equals, above which nothing changes


def bradley_terry(comparisons: pd.DataFrame, *, ridge: float = RIDGE) -> pd.DataFrame:
    """Scores of units from comparisons: maximum likelihood with a small penalty.

    Args:
        comparisons: columns left and right, two different units' ids, and winner, ``"left"``, ``"right"`` or
            ``"tie"``; a row a comparison, by whichever coder.
        ridge: of the penalty ridge / 2 · Σ score², which keeps finite the score of a unit that won, or lost,
            whenever it was compared: a prior with a standard deviation of 1 / √ridge. A unit that won all of ten
            comparisons stands at about 3 and not at infinity; one with ten comparisons and an ordinary record
            moves towards 0 by about 4 %. 0 is plain maximum likelihood.

    Returns:
        A row a unit, sorted by id: id; score, the log odds that it wins over an average unit when they do not
        tie; se, its standard error; wins, a tie counting half; comparisons, how many it was in; component, 0 for
        the largest set of units that comparisons link, directly or through others. Scores average 0 in each
        component and cannot be compared between components.

    Raises:
        InputError: a column that is not there, no comparisons, a unit compared with itself, another winner;
            ``ridge=0`` where the scores are then infinite.

    Example:
        >>> games = pd.DataFrame({"left": [*"aab"], "right": [*"bcc"], "winner": ["left", "left", "tie"]})
        >>> bradley_terry(games).round(2)[["id", "score", "wins", "comparisons"]].to_dict("list")
        {'id': ['a', 'b', 'c'], 'score': [2.64, -1.32, -1.32], 'wins': [2.0, 0.5, 0.5], 'comparisons': [2, 2, 2]}
    """
    games = Games.of(comparisons)
    component = games.components()
    if ridge == 0:
        games.check_finite(component)
    fitted = _fit(games, ridge)
    score = fitted.score - (np.bincount(component, fitted.score) / np.bincount(component))[component]
    return pd.DataFrame(
        {
            "id": games.ids,
            "score": score,
            "se": _errors(games, fitted, component, ridge),
            "wins": games.wins(),
            "comparisons": np.bincount(np.r_[games.left, games.right], minlength=len(games.ids)),
            "component": component,
        }
    )


@dataclass(frozen=True)
class Games:
    """Comparisons by number of unit.

    Attributes:
        ids: (n,) of the units, sorted.
        left: (m,) number of the left unit.
        right: (m,) of the right one.
        result: (m,) 0.5 where the left one won, -0.5 where the right one did, 0 for ties.
    """

    ids: NDArray[np.object_]
    left: Index
    right: Index
    result: Array

    @classmethod
    def of(cls, comparisons: pd.DataFrame) -> Games:
        """Read them from a table; InputError as ``bradley_terry`` says."""
        require_columns(comparisons, ["left", "right", "winner"])
        if comparisons.empty:
            raise InputError("there are no comparisons: each row needs left, right and winner")
        if comparisons[["left", "right"]].isna().to_numpy().any():
            raise InputError("a comparison without its left or right unit: give both ids, or drop the row")
        itself = comparisons["left"] == comparisons["right"]
        if itself.any():
            raise InputError(f"{comparisons.loc[itself, 'left'].iloc[0]!r} is compared with itself: drop such rows")
        result = comparisons["winner"].map({LEFT: 0.5, RIGHT: -0.5, TIE: 0.0})
        if result.isna().any():
            other = comparisons.loc[result.isna(), "winner"].iloc[0]
            raise InputError(f"winner {other!r}: write {LEFT}, {RIGHT} or {TIE}")
        numbers, ids = pd.factorize(np.r_[comparisons["left"].to_numpy(object), comparisons["right"]], sort=True)
        left, right = numbers[: len(comparisons)], numbers[len(comparisons) :]
        order = np.lexsort((result, right, left))  # so that the order of rows changes no digit
        return cls(
            np.asarray(ids, dtype=object), left[order], right[order], np.asarray(result, dtype=np.float64)[order]
        )

    def wins(self) -> Array:
        """(n,) comparisons won, ties counting half."""
        return self.sums(0.5 + self.result, 0.5 - self.result)

    def sums(self, of_left: Array, of_right: Array) -> Array:
        """(n,) sum of values, (m,) each, over the comparisons that each unit was in."""
        return np.bincount(np.r_[self.left, self.right], np.r_[of_left, of_right], len(self.ids)).astype(float)

    def laplacian(self, weight: Array) -> sparse.csr_array:
        """(n, n) of the graph whose edges are the comparisons, each with its ``weight``, (m,)."""
        n = len(self.ids)
        edges = sparse.coo_array((weight, (self.left, self.right)), shape=(n, n))
        return (sparse.diags_array(self.sums(weight, weight)) - edges - edges.T).tocsr()

    def components(self) -> Index:
        """(n,) number of the set of linked units that each is in: 0 the largest, then by size, then by id."""
        _, label = connected_components(self.laplacian(np.ones(len(self.left))), directed=False)
        first = np.unique(label, return_index=True)[1]
        rank = np.empty(len(first), np.intp)
        rank[np.lexsort((first, -np.bincount(label)))] = np.arange(len(first))
        return rank[label]

    def check_finite(self, component: Index) -> None:
        """InputError unless from each unit a chain of wins or ties leads to all others of its component (Ford 1957)."""
        n = len(self.ids)
        won = np.r_[self.left[self.result >= 0], self.right[self.result <= 0]]
        lost = np.r_[self.right[self.result >= 0], self.left[self.result <= 0]]
        beats = sparse.coo_array((np.ones(len(won)), (won, lost)), shape=(n, n))
        if connected_components(beats, connection="strong")[0] > component.max() + 1:
            raise InputError("some units won, or lost, against all others: with ridge=0 their scores are infinite")


@dataclass(frozen=True)
class Fitted:
    """Scores, (n,), and ``tie``, the odds of a tie against a win of either of two equals, over 2."""

    score: Array
    tie: float


def _chances(games: Games, fitted: Fitted) -> tuple[Array, Array, Array]:
    """(m,) chance of a tie, mean and variance of the result, of each comparison."""
    half = np.clip((fitted.score[games.left] - fitted.score[games.right]) / 2, -300, 300)
    up, down = np.exp(half), np.exp(-half)
    total = up + down + fitted.tie
    mean = (up - down) / total / 2
    return fitted.tie / total, mean, (up + down) / total / 4 - mean**2


def _likelihood(games: Games, fitted: Fitted, ridge: float) -> float:
    half = (fitted.score[games.left] - fitted.score[games.right]) / 2
    total = np.logaddexp(half, -half)
    ties = (games.result == 0).sum()
    if fitted.tie > 0:
        total = np.logaddexp(total, np.log(fitted.tie))
    said = (2 * games.result * half).sum() + (ties * np.log(fitted.tie) if ties else 0.0)
    return float(said - total.sum() - ridge / 2 * (fitted.score**2).sum())


def _fit(games: Games, ridge: float) -> Fitted:
    """Newton's steps for the scores and for ties in turn, halved until the likelihood rises."""
    ties = int((games.result == 0).sum())
    fitted = Fitted(np.zeros(len(games.ids)), 2 * ties / max(len(games.left) - ties, 1e-4))
    before = _likelihood(games, fitted, ridge)
    for _ in range(MOST_STEPS):
        _, mean, variance = _chances(games, fitted)
        slope = games.sums(games.result - mean, mean - games.result) - ridge * fitted.score
        step = _solve(games, variance, ridge, slope)
        for _ in range(30):
            tried = Fitted(fitted.score + step, fitted.tie)
            if (now := _likelihood(games, tried, ridge)) >= before:
                fitted = tried
                break
            step /= 2
        if ties:
            fitted = _ties(games, fitted, ties)
            now = _likelihood(games, fitted, ridge)
        if np.abs(step).max() < 1e-9 and now - before < 1e-9 * (1 + abs(now)):
            break
        before = now
    return fitted


def _ties(games: Games, fitted: Fitted, ties: int) -> Fitted:
    """One Newton step for the log odds of a tie, of a unit at most; where all tie it stops at ``ALL_TIES``."""
    chance, _, _ = _chances(games, fitted)
    step = (ties - chance.sum()) / max((chance * (1 - chance)).sum(), 1e-9)
    return Fitted(fitted.score, float(np.exp(min(np.log(fitted.tie) + np.clip(step, -1, 1), ALL_TIES))))


def _solve(games: Games, variance: Array, ridge: float, slope: Array) -> Array:
    """(n,) x of (laplacian + ridge) x = slope by conjugate gradients, where slope sums to 0."""
    diagonal = games.sums(variance, variance) + max(ridge, 1e-12)
    matrix = games.laplacian(variance) + ridge * sparse.eye_array(len(slope))
    scaled = LinearOperator(matrix.shape, lambda x: x / diagonal, dtype=float)
    found, _ = cg(matrix, slope, rtol=1e-10, maxiter=10 * len(slope) + 100, M=scaled)
    return found


def _errors(games: Games, fitted: Fitted, component: Index, ridge: float) -> Array:
    """(n,) standard errors of scores about the mean of their component, from the inverse of the information."""
    tie, mean, variance = _chances(games, fitted)
    whole = games.laplacian(variance)
    crossed = games.sums(mean * tie, -mean * tie)  # of scores with the log odds of a tie
    of_tie = (tie * (1 - tie)).sum()
    found, explained, shift = np.empty(len(games.ids)), 0.0, np.zeros(len(games.ids))
    for number in range(component.max() + 1):
        here = np.flatnonzero(component == number)
        # the mean of a component has no information: any will do, and is taken out again
        known = float(whole.diagonal()[here].mean()) / len(here)
        factor = cho_factor(whole[here][:, here].toarray() + ridge * np.eye(len(here)) + known, overwrite_a=True)
        shift[here] = cho_solve(factor, crossed[here])
        explained += float(crossed[here] @ shift[here])
        found[here] = _inverse_diagonal(factor) - 1 / (ridge + known * len(here)) / len(here)
    if of_tie > explained:
        found += shift**2 / (of_tie - explained)
    return np.sqrt(np.maximum(found, 0))


def _inverse_diagonal(factor: tuple[Array, bool]) -> Array:
    (invert,) = get_lapack_funcs(("potri",), (factor[0],))
    inverse, _ = invert(factor[0], lower=factor[1], overwrite_c=True)
    return np.array(np.diag(inverse))
