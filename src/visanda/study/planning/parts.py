"""Parts of the variance of a corrected estimate: what further codes make smaller, and what no code changes.

Egami, Hinck, Stewart & Wei (2024, section on label budgets): Ω(n′) = M₁/ρ + M₂₃, ρ = n′/n_coded. A unit moves the
estimate by ψ = m̃ + (R/π)(m − m̃), where m̃ is what the machine says and m what people say. Over the draw of codes,
the square of a cluster's sum of ψ is expected to be (Σm)² plus

* Σ (m − m̃)² (1/π − 1), where units are drawn one by one: also in clusters, codes remove the units' part only;
* (Σ (m − m̃))² (1/π − 1), where clusters are drawn whole: they remove the clusters' part.

So M₁ = n⁻¹ Σ (R/π²)(m − m̃)² over units, or its like over sums of clusters, and M₂₃ = Ω − M₁. Where all are coded,
(Σm)² is left, which is what clusters have in common. The same holds for the codes alone, with m̃ = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from visanda.errors import DesignError
from visanda.study.correct.coded import EQUAL
from visanda.study.correct.problem import Problem
from visanda.study.regression.moments import Rows, information, moments
from visanda.study.regression.ordinary import fit

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """How codes were drawn, and how more would be: the same way, until something is drawn for certain.

    Attributes:
        clusters: whole clusters are drawn, not units.
        pi: (d,) probability of each unit or cluster that could be drawn, for as many codes as there are.
        size: (d,) codes that it brings, as often as it stands for others.
        n: units in all.
        n_coded: codes that there are.
    """

    clusters: bool
    pi: Array
    size: Array
    n: int
    n_coded: int

    def factor(self, codes: float) -> float:
        """What probabilities are multiplied by, for so many codes; those that reach 1 stay there."""
        wanted = min(codes, self.n) * float(self.size @ self.pi) / self.n_coded
        most = float(self.size @ np.maximum(self.pi, 1.0))
        if wanted >= most * (1 - 1e-9):
            return 1 / float(self.pi.min())
        highest = 1 / float(self.pi.min())
        return float(brentq(lambda factor: self.size @ self.at(self.pi, factor) - wanted, 1e-9, highest + 1e-9))

    @staticmethod
    def at(pi: Array, factor: float) -> Array:
        """Probabilities multiplied by ``factor``, up to 1."""
        return np.minimum(np.maximum(pi, 1.0), factor * pi)


@dataclass(frozen=True)
class Parts:
    """The variance of each of k coefficients, by the number of codes.

    Attributes:
        names: (k,) of the coefficients.
        falls: (d, k) what each unit or cluster that is coded adds to the variance, which more codes make smaller.
        pi: (d,) its probability.
        stays: (k,) what no code changes.
        now: (k,) the standard errors with the codes that there are.
        drawn: how codes are drawn.
        error: (n_coded, k) how far each coded unit's machine moves the coefficients.
    """

    names: tuple[str, ...]
    falls: Array
    pi: Array
    stays: Array
    now: Array
    drawn: Drawn
    error: Array

    @property
    def n(self) -> int:
        """Units in all."""
        return self.drawn.n

    @property
    def n_coded(self) -> int:
        """Codes that there are."""
        return self.drawn.n_coded

    def se(self, term: int, codes: float) -> float:
        """The standard error with so many codes, at most n."""
        later = Drawn.at(self.pi, self.drawn.factor(codes))
        then = float(np.sqrt(self.falls[:, term] @ (self.pi / later) + self.stays[term]))
        return min(then, float(self.now[term])) if codes >= self.n_coded else then

    def codes_for(self, term: int, se: float) -> float:
        """Codes for a standard error; infinite where not even all are enough."""
        if self.se(term, self.n) > se * (1 + 1e-9):
            return np.inf
        low, high = 0, self.n  # not enough, enough
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.se(term, middle) <= se else (middle, high)
        return float(high)


def variance_parts(asked: Problem, rows: Rows, sample_prob: str | None = None, clusters_drawn: bool = False) -> Parts:
    """The parts of a corrected estimate.

    Args:
        asked: the formula, laid out.
        rows: of its estimating equations.
        sample_prob: column of probabilities; None: equal for all.
        clusters_drawn: clusters were drawn whole, not units.

    Raises:
        DesignError: fixed effects.
    """
    if asked.plan.absorbed:
        raise DesignError("budgets are not computed with fixed effects: plan the model without them, or with C(city)")
    b, influences = fit(asked.family, asked.plan, rows)
    n, coded = rows.n, np.flatnonzero(asked.rows.coded)
    bread = np.linalg.inv(information(asked.family, b, rows))
    machine, human = (
        moments(asked.family, b, Rows.of(rows.X[part], rows.y[part])) for part in (coded, np.arange(n, len(rows.X)))
    )
    error = ((human - machine) * asked.rows.survey[coded][:, None]) @ bread.T
    moved = asked.rows.weight[coded][:, None] * error / n
    return _parts(asked, influences / n, moved, error, sample_prob, clusters_drawn)


def parts_alone(asked: Problem, se: Array, sample_prob: str | None = None, clusters_drawn: bool = False) -> Parts:
    """The parts of an estimate from the codes alone, whose standard errors are ``se`` with the codes that there are."""
    coded = asked.rows.coded
    weight = (asked.rows.weight * asked.rows.survey)[coded]
    rows = Rows.of(asked.human.matrix, asked.human.outcome[:, asked.first :], weight / weight.mean())
    _, influences = fit(asked.family, asked.human, rows)
    own = influences / len(influences)
    everywhere = np.zeros((asked.rows.n, own.shape[1]))
    everywhere[coded] = own
    made = _parts(asked, everywhere, own, own, sample_prob, clusters_drawn)
    scale = (se / made.now) ** 2  # of corrections for small samples
    return replace(made, falls=made.falls * scale, stays=made.stays * scale, now=se)


def _parts(
    asked: Problem,
    influences: Array,
    codes: Array,
    error: Array,
    sample_prob: str | None,
    clusters_drawn: bool,
) -> Parts:
    """Parts, from what each unit adds to the estimate, (n, k), and what of it hangs on its code, (n_coded, k)."""
    rows = asked.rows
    pi, known = _probabilities(asked, sample_prob)
    alone = (influences**2).sum(axis=0)
    whole = alone if rows.cluster is None else (_sums(influences, rows.cluster) ** 2).sum(axis=0)
    if clusters_drawn and rows.cluster is not None:
        place = np.unique(rows.cluster[rows.coded], return_inverse=True)[1]
        falls, mine = _sums(codes, place) ** 2, _means(pi[rows.coded], place)
        if known:
            population, size = _alike(_means(pi, rows.cluster), np.bincount(rows.cluster))
        else:
            population, size = mine, np.bincount(place) / mine
    else:
        falls, mine = codes**2, pi[rows.coded]
        population, size = _alike(pi, np.ones(rows.n)) if known else (mine, rows.weight[rows.coded])
    stays = np.maximum(whole - falls.sum(axis=0), 0.0)
    if not clusters_drawn:  # units of a cluster are no less alike than any, whatever a few clusters make it look like
        stays = np.maximum(stays, alone - falls.sum(axis=0))
    drawn = Drawn(clusters_drawn, population, size, rows.n, rows.n_coded)
    return Parts(asked.names, falls, mine, stays, np.sqrt(whole), drawn, error)


def _probabilities(asked: Problem, sample_prob: str | None) -> tuple[Array, bool]:
    """(n,) of each unit, scaled to the codes that there are; and whether they are known of all."""
    rows = asked.rows
    if sample_prob in (None, EQUAL):
        return np.full(rows.n, rows.coded.mean()), True
    pi = rows.data[str(sample_prob)].to_numpy(dtype=float)
    if np.isnan(pi).any():
        return np.where(rows.coded, 1 / np.where(rows.coded, rows.weight, 1.0), np.nan), False
    return pi * rows.coded.mean() / pi.mean(), True


def _alike(pi: Array, size: NDArray) -> tuple[Array, Array]:
    """Probabilities that are the same but for a thousandth, taken together, with their sizes added up."""
    _, first, place = np.unique(np.round(np.log(pi), 3), return_index=True, return_inverse=True)
    return pi[first], np.bincount(place, size).astype(float)


def _sums(values: Array, group: NDArray[np.intp]) -> Array:
    return np.stack([np.bincount(group, column) for column in values.T], axis=1)


def _means(values: Array, group: NDArray[np.intp]) -> Array:
    return np.asarray(np.bincount(group, values) / np.bincount(group))
