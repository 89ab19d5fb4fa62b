"""Linear heads: ridge-penalised multinomial, cumulative and binary logits, and ridge regression.

Penalties are λ of Σ loss + λ/2 ‖w‖², for vectors of length 1; intercepts are free. Ordered classes follow
proportional odds (McCullagh 1980): logit P(Y ≤ j) = b_j − w·x, with b_j in order, so that cumulative probabilities
never cross.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import logit

from visanda.learn.heads.likelihoods import Evaluated, binary, cumulative, multinomial
from visanda.learn.heads.links import Link, link_of
from visanda.learn.heads.problem import Problem
from visanda.learn.heads.settings import Job
from visanda.learn.heads.solver import minimise
from visanda.learn.onnx_graphs import Graph
from visanda.learn.target import Target

DEFAULTS: dict[str, tuple[float | int, ...]] = {"penalty": (1.0, 0.1, 0.01, 0.001, 0.0001)}
AT_ONCE = 10_000  # heads; ``TOGETHER`` is what limits them
STEPS = 300
TOLERANCE, ROUGHLY = 1e-5, 1e-4  # of slopes, times the root of the rows, where all directions bend about the same
ROUGH = 256  # directions, of heads that are only compared
TOGETHER = 3e7  # numbers in the scores of models that are fitted together

_Solved = tuple[np.ndarray, np.ndarray]  # coefficients (P, r, q) and offsets (P, e)


@dataclass(frozen=True)
class Linear:
    """Weights (r, q) along the directions of the problem's span, and offsets (q,); ``Body`` says how it is used."""

    problem: Problem
    weights: np.ndarray
    offsets: np.ndarray

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Raw scores (m, q)."""
        return np.asarray(self.problem.span.inputs[rows] @ self.weights + self.offsets)

    def graph(self, graph: Graph, features: str) -> str:
        """The same in a graph, of vectors as they are."""
        weights = self.problem.span.basis.T @ self.weights
        return graph.affine(features, weights, self.offsets - self.problem.span.centre @ weights)


def link(problem: Problem) -> Link:
    """How its raw scores are read."""
    return link_of(problem.target, cumulative=True)


def train(problem: Problem, jobs: Sequence[Job]) -> list[Linear]:
    """A head for each job."""
    used = np.unique(np.concatenate([job.rows for job in jobs]))
    span, truth = problem.span, problem.truth[used]
    inputs = span.inputs if len(used) == len(problem) else span.inputs[used]
    weights = np.zeros((len(jobs), len(used)))
    for own, job in zip(weights, jobs, strict=True):
        own[np.searchsorted(used, job.rows)] = problem.weights_of(job.rows)
    penalties = np.array([job.settings["penalty"] for job in jobs], float) * span.size
    if problem.target.scale == "interval":
        coefficients, offsets = _squares(truth, inputs, weights, penalties)
    else:
        squares = span.squares * (len(used) / len(problem))
        if all(job.rough for job in jobs):
            inputs, squares = inputs[:, -ROUGH:].astype(np.float32), squares[-ROUGH:]
        coefficients, offsets = _likelihoods(problem.target, truth, inputs, squares, weights, penalties)
        coefficients = np.pad(coefficients, ((0, 0), (span.inputs.shape[1] - inputs.shape[1], 0), (0, 0)))
    return [_as_scores(problem, *own) for own in zip(coefficients, offsets, strict=True)]


def _as_scores(problem: Problem, weights: np.ndarray, offsets: np.ndarray) -> Linear:
    """A head with a column a score."""
    if problem.target.scale == "ordinal":
        return Linear(problem, np.repeat(-weights, len(offsets), axis=1), offsets)
    if problem.target.scale == "nominal" and weights.shape[1] == 1:
        return Linear(problem, np.hstack([0 * weights, weights]), np.r_[0.0, offsets])
    return Linear(problem, weights, offsets)


def _squares(truth: np.ndarray, inputs: np.ndarray, weights: np.ndarray, penalties: np.ndarray) -> _Solved:
    """Ridge regression, solved at once for all penalties of the same rows."""
    coefficients, offsets = np.zeros((len(weights), inputs.shape[1], 1)), np.zeros((len(weights), 1))
    keys = [own.tobytes() for own in weights]
    for key in dict.fromkeys(keys):
        same = [job for job, other in enumerate(keys) if other == key]
        own = weights[same[0]]
        kept = own > 0
        mean, level = own @ inputs / own.sum(), own @ truth / own.sum()
        root = np.sqrt(own[kept])
        rows, aim = (inputs[kept] - mean) * root[:, None], (truth[kept] - level) * root
        fewer = len(rows) < rows.shape[1]
        squares, axes = np.linalg.eigh(rows @ rows.T if fewer else rows.T @ rows)
        along = axes.T @ (aim if fewer else rows.T @ aim)
        for job in same:
            found = axes @ (along / (np.maximum(squares, 0) + penalties[job]))
            coefficients[job, :, 0] = rows.T @ found if fewer else found
            offsets[job] = level - mean @ coefficients[job]
    return coefficients, offsets


def _likelihoods(
    target: Target, truth: np.ndarray, inputs: np.ndarray, sizes: np.ndarray, weights: np.ndarray, penalties: np.ndarray
) -> _Solved:
    """Logits of any kind, as many at a time as fit into memory."""
    k = len(target.classes)
    evaluate: Callable[[np.ndarray, np.ndarray, np.ndarray], Evaluated]
    if target.scale == "ordinal":
        columns, ends, evaluate = 1, k - 1, partial(cumulative, truth)
    elif target.scale == "multilabel":
        columns, ends, evaluate = k, k, partial(binary, truth)
    elif k == 2:
        columns, ends, evaluate = 1, 1, partial(binary, truth[:, None].astype(float))
    else:
        columns, ends, evaluate = k, k, partial(multinomial, truth)
    first = logit(np.arange(1, k) / k) if target.scale == "ordinal" else np.zeros(ends)
    tolerance = ROUGHLY if inputs.dtype == np.float32 else TOLERANCE
    part = max(1, int(TOGETHER / (len(inputs) * columns)))
    solved = []
    for begin in range(0, len(weights), part):
        chosen = slice(begin, begin + part)
        models = _Models(inputs, sizes, weights[chosen], penalties[chosen], columns, ends, evaluate)
        start = np.zeros((len(weights[chosen]), ends + inputs.shape[1] * columns))
        start[:, :ends] = first / models.level
        solved.append(models.unscaled(minimise(models, start, tolerance * np.sqrt(len(inputs)), STEPS)))
    return np.concatenate([own for own, _ in solved]), np.concatenate([offset for _, offset in solved])


class _Models:
    """P logits as functions of points (P, ends + r · columns), scaled so that all directions bend about the same."""

    def __init__(
        self,
        inputs: np.ndarray,
        sizes: np.ndarray,
        weights: np.ndarray,
        penalties: np.ndarray,
        columns: int,
        ends: int,
        evaluate: Callable[[np.ndarray, np.ndarray, np.ndarray], Evaluated],
    ) -> None:
        self.inputs, self.weights, self.penalties, self.evaluate = inputs, weights, penalties, evaluate
        self.columns, self.ends = columns, ends
        self.level = 2 / np.sqrt(weights.sum(axis=1, keepdims=True))
        self.steep = 1 / np.sqrt(sizes / 4 + penalties[:, None])[:, :, None]  # a logit bends by at most a quarter

    def __call__(self, points: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values and gradients, as ``minimise`` asks for them."""
        (rows, r), p = self.inputs.shape, len(which)
        own = points[:, self.ends :].reshape(p, r, self.columns) * self.steep[which]
        flat = own.transpose(1, 0, 2).reshape(r, -1).astype(self.inputs.dtype)
        scores = (self.inputs @ flat).reshape(rows, p, self.columns)
        free = points[:, : self.ends] * self.level[which]
        values, errors, lifted = self.evaluate(scores, free, self.weights[which])
        back = self.inputs.T @ errors.reshape(rows, -1).astype(self.inputs.dtype)
        slopes = back.reshape(r, p, self.columns).transpose(1, 0, 2)
        penalty = self.penalties[which]
        values = values + 0.5 * penalty * np.einsum("prq,prq->p", own, own)
        slopes = (slopes + penalty[:, None, None] * own) * self.steep[which]
        return values, np.hstack([lifted * self.level[which], slopes.reshape(p, -1)])

    def unscaled(self, points: np.ndarray) -> _Solved:
        own = points[:, self.ends :].reshape(len(points), -1, self.columns)
        return own * self.steep, points[:, : self.ends] * self.level
