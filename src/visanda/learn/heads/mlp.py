"""A small network: one hidden layer of rectified units (scikit-learn's), stopped early on groups of its own.

A fifth of the groups is put aside, and after each round through the others the loss there is looked at. When it has
not become less for ``PATIENCE`` rounds, the weights of the best one are kept.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import log_expit, log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from visanda.learn.heads.folds import deal
from visanda.learn.heads.links import Link, link_of
from visanda.learn.heads.problem import Problem
from visanda.learn.heads.settings import Job
from visanda.learn.onnx_graphs import Graph
from visanda.learn.target import Target

DEFAULTS: dict[str, tuple[float | int, ...]] = {"hidden": (64,), "penalty": (0.1,), "learning_rate": (0.003,)}
AT_ONCE = 1
PATIENCE = 10  # rounds
ROUNDS = 200
IMPOSSIBLE = -12.0  # the log probability of a class that was not learnt


@dataclass(frozen=True)
class Network:
    """Weights and offsets of two layers, on vectors as they are; ``Body`` says how it is used."""

    problem: Problem
    weights: tuple[np.ndarray, ...]
    offsets: tuple[np.ndarray, ...]

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Raw scores (n, q)."""
        hidden = np.maximum(self.problem.vectors[rows] @ self.weights[0] + self.offsets[0], 0)
        return np.asarray(hidden @ self.weights[1] + self.offsets[1])

    def graph(self, graph: Graph, features: str) -> str:
        """The same in a graph."""
        hidden = graph.add("Relu", graph.affine(features, self.weights[0], self.offsets[0]))
        return graph.affine(hidden, self.weights[1], self.offsets[1])


def link(problem: Problem) -> Link:
    """How its raw scores are read; ordered classes are told apart as if they were not, and decoded by their median."""
    return link_of(problem.target)


def train(problem: Problem, jobs: Sequence[Job]) -> list[Network]:
    """A head for each job."""
    return [_train(problem, job) for job in jobs]


def _train(problem: Problem, job: Job) -> Network:
    vectors, truth = problem.vectors[job.rows].astype(float), problem.truth[job.rows]
    centre = vectors.mean(axis=0)
    spread = float(np.sqrt(((vectors - centre) ** 2).mean())) or 1.0
    inputs = (vectors - centre) / spread
    level, height = 0.0, 1.0
    if problem.target.scale == "interval":
        level, height = float(truth.mean()), float(truth.std()) or 1.0
        truth = (truth - level) / height
    weights, offsets = _layers(problem, job, inputs, truth)
    first, start = weights[0] / spread, offsets[0] - centre @ weights[0] / spread
    last, end = weights[1] * height, offsets[1] * height + level
    return Network(problem, (first, last), (start, end))


def _layers(
    problem: Problem, job: Job, inputs: np.ndarray, truth: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights and offsets with a column of output a class, label or number."""
    scale, columns = problem.target.scale, problem.target.outputs
    hidden = int(job.settings["hidden"])
    if scale == "interval":
        seen = None
    elif scale == "multilabel":
        seen = np.arange(columns)
    else:
        seen = np.unique(truth)
        if len(seen) == 1:
            only = np.where(np.arange(columns) == seen[0], 0.0, IMPOSSIBLE)
            return [np.zeros((inputs.shape[1], hidden)), np.zeros((hidden, columns))], [np.zeros(hidden), only]
    if scale == "multilabel" and np.isnan(truth).any():
        return _side_by_side(problem, job, inputs, truth)
    weights, offsets = _stopped(problem, job, inputs, truth, seen)
    if scale in ("nominal", "ordinal") and seen is not None:
        if len(seen) == 2:  # scikit-learn keeps one column for two classes
            weights[1], offsets[1] = np.hstack([0 * weights[1], weights[1]]), np.r_[0.0, offsets[1]]
        wide, ends = np.zeros((hidden, columns)), np.full(columns, IMPOSSIBLE)
        wide[:, seen], ends[seen] = weights[1], offsets[1]
        weights[1], offsets[1] = wide, ends
    return weights, offsets


def _side_by_side(
    problem: Problem, job: Job, inputs: np.ndarray, truth: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A network for each label, of the rows where it is known, as one: each has hidden units of its own."""
    hidden, (_, columns) = int(job.settings["hidden"]), truth.shape
    weights = [np.zeros((inputs.shape[1], hidden * columns)), np.zeros((hidden * columns, columns))]
    offsets = [np.zeros(hidden * columns), np.zeros(columns)]
    for column in range(columns):
        known = ~np.isnan(truth[:, column])
        if not known.any():
            continue
        label = Target("nominal", ("not there", "there"))
        alone = replace(problem, target=label, truth=np.nan_to_num(problem.truth[:, column]).astype(int))
        part = replace(job, rows=job.rows[known])
        (first, last), (start, end) = _layers(alone, part, inputs[known], truth[known, column].astype(int))
        own = slice(column * hidden, (column + 1) * hidden)
        weights[0][:, own], offsets[0][own] = first, start
        weights[1][own, column], offsets[1][column] = last[:, 1] - last[:, 0], end[1] - end[0]
    return weights, offsets


def _model(kind: type, problem: Problem, job: Job, rows: int) -> Any:
    return kind(
        hidden_layer_sizes=(int(job.settings["hidden"]),),
        alpha=job.settings["penalty"],
        learning_rate_init=job.settings["learning_rate"],
        batch_size=min(64, rows),
        random_state=problem.seed % 2**32,
    )


def _stopped(
    problem: Problem,
    job: Job,
    inputs: np.ndarray,
    truth: np.ndarray,
    seen: np.ndarray | None,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The weights of the round that was best on the groups put aside."""
    counts = problem.weights_of(job.rows)
    aside = _aside(problem, job)
    learnt = ~aside
    model = _model(MLPRegressor if seen is None else MLPClassifier, problem, job, int(learnt.sum()))
    classes = {} if seen is None else {"classes": seen}
    best, left, least = None, PATIENCE, np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(ROUNDS):
            model.partial_fit(inputs[learnt], truth[learnt], sample_weight=counts[learnt], **classes)
            loss = _loss(model, problem, inputs[aside], truth[aside], counts[aside], seen)
            if loss < least - 1e-6:
                least, left = loss, PATIENCE
                best = [one.copy() for one in model.coefs_], [one.copy() for one in model.intercepts_]
            else:
                left -= 1
            if not left or not np.isfinite(loss):
                break
    return best or (list(model.coefs_), list(model.intercepts_))


def _aside(problem: Problem, job: Job) -> np.ndarray:
    """Which rows (m,) are looked at and not learnt from; all of them are both if there are too few groups."""
    part = problem.part(job.rows)
    fold, _ = deal(part, 5)
    if fold.max() == 0:
        return np.zeros(len(part), bool)
    aside: np.ndarray = fold == 0
    if problem.target.scale in ("nominal", "ordinal"):  # a class that is nowhere else is learnt from
        aside &= np.isin(part.truth, part.truth[~aside])
    return aside


def _loss(
    model: Any,
    problem: Problem,
    inputs: np.ndarray,
    truth: np.ndarray,
    counts: np.ndarray,
    seen: np.ndarray | None,
) -> float:
    """On rows put aside; on those learnt from, if there are none."""
    if not len(inputs):
        return float(model.loss_)
    hidden = np.maximum(inputs @ model.coefs_[0] + model.intercepts_[0], 0)
    raw = hidden @ model.coefs_[1] + model.intercepts_[1]
    if problem.target.scale == "interval":
        losses = (raw[:, 0] - truth) ** 2
    elif problem.target.scale == "multilabel":
        losses = -log_expit(np.where(truth > 0.5, raw, -raw)).mean(axis=1)
    elif raw.shape[1] == 1:
        assert seen is not None
        losses = -log_expit(np.where(truth == seen[1], raw[:, 0], -raw[:, 0]))
    else:
        assert seen is not None
        losses = -log_softmax(raw, axis=1)[np.arange(len(truth)), np.searchsorted(seen, truth)]
    return float(counts @ losses / counts.sum())
