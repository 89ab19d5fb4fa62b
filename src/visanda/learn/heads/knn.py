"""Nearest coded neighbours, by cosine, of which nearer ones count more.

A neighbour counts exp(sharpness · cosine) times what its row counts. Its probability of a class is the neighbours'
share of it, with one more that is like all coded pictures together, so that nothing is impossible for want of
neighbours. The model holds the vectors of the pictures it learnt from: whoever gets it gets these, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from visanda.learn.heads.links import Link, link_of
from visanda.learn.heads.problem import Problem
from visanda.learn.heads.settings import Job
from visanda.learn.onnx_graphs import Graph

DEFAULTS: dict[str, tuple[float | int, ...]] = {"k": (1, 3, 5, 10, 20), "sharpness": (10.0, 30.0)}
AT_ONCE = 1
LEAST = 1e-6  # probability, and length of a vector


@dataclass(frozen=True)
class Neighbours:
    """What ``k`` neighbours of those coded say; ``Body`` says how it is used.

    Attributes:
        problem: that it is of.
        coded: (m, d) float32 of length 1.
        counts: (m,) log of what each counts.
        said: (m, q) classes or labels as 0/1, or numbers; 0 where a label is not known.
        known: (m, q) 1 where it is, else 0.
        base: (q,) what they say on average.
        k: neighbours asked.
        sharpness: of a cosine.
    """

    problem: Problem
    coded: np.ndarray
    counts: np.ndarray
    said: np.ndarray
    known: np.ndarray
    base: np.ndarray
    k: int
    sharpness: float

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Raw scores (n, q): log probabilities, logits of labels, or numbers."""
        cosines = _unit(self.problem.vectors[rows]) @ self.coded.T
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : self.k]
        near = np.take_along_axis(cosines, nearest, axis=1).astype(float)
        shares = softmax(near * self.sharpness + self.counts[nearest], axis=1)
        heard = np.einsum("nk,nkq->nq", shares, self.said[nearest])
        if self.problem.target.scale == "interval":
            return np.asarray(heard)
        asked = np.einsum("nk,nkq->nq", shares, self.known[nearest])
        heard = (heard * self.k + self.base) / (asked * self.k + 1)
        logs = np.log(np.maximum(heard, LEAST))
        if self.problem.target.scale == "multilabel":
            return np.asarray(logs - np.log(np.maximum(1 - heard, LEAST)))
        return np.asarray(logs)

    def graph(self, graph: Graph, features: str) -> str:
        """The same in a graph."""
        length = graph.add("ReduceL2", features, axes=[1], keepdims=1)
        unit = graph.add("Div", features, graph.add("Max", length, graph.constant(np.array([LEAST]))))
        cosines = graph.add("MatMul", unit, graph.constant(self.coded.T))
        near, nearest = graph.outputs("TopK", cosines, graph.constant(np.array([self.k])), count=2, axis=1)
        sharp = graph.add("Mul", near, graph.constant(np.array([self.sharpness])))
        counts = graph.add("Gather", graph.constant(self.counts), nearest)
        shares = graph.add("Softmax", graph.add("Add", sharp, counts), axis=1)
        columns = graph.add("Unsqueeze", shares, graph.constant(np.array([1])))  # (n, 1, k)

        def asked(answers: np.ndarray) -> str:
            """The neighbours' answers (m, q), as their shares have it."""
            each = graph.add("Gather", graph.constant(answers), nearest)  # (n, k, q)
            return graph.add("Squeeze", graph.add("MatMul", columns, each), graph.constant(np.array([1])))

        heard = asked(self.said)
        if self.problem.target.scale == "interval":
            return heard
        count = graph.constant(np.array([float(self.k)]))
        heard = graph.add("Add", graph.add("Mul", heard, count), graph.constant(self.base[None]))
        voices = graph.constant(np.array([self.k + 1.0]))
        if not self.known.all():
            voices = graph.add("Add", graph.add("Mul", asked(self.known), count), graph.constant(np.array([1.0])))
        heard = graph.add("Div", heard, voices)
        least = graph.constant(np.array([LEAST]))
        logs = graph.add("Log", graph.add("Max", heard, least))
        if self.problem.target.scale == "multilabel":
            rest = graph.add("Sub", graph.constant(np.array([1.0])), heard)
            return graph.add("Sub", logs, graph.add("Log", graph.add("Max", rest, least)))
        return logs


def link(problem: Problem) -> Link:
    """How its raw scores are read; ordered classes are told apart as if they were not, and decoded by their median."""
    return link_of(problem.target)


def train(problem: Problem, jobs: Sequence[Job]) -> list[Neighbours]:
    """A head for each job."""
    return [_train(problem, job) for job in jobs]


def _train(problem: Problem, job: Job) -> Neighbours:
    truth = problem.truth[job.rows]
    if problem.target.scale in ("nominal", "ordinal"):
        said = np.eye(len(problem.target.classes))[truth]
    else:
        said = truth.reshape(len(truth), -1).astype(float)
    weights, known = problem.weights_of(job.rows), (~np.isnan(said)).astype(float)
    said, counts = np.nan_to_num(said), weights @ known
    return Neighbours(
        problem=problem,
        coded=_unit(problem.vectors[job.rows]),
        counts=np.log(weights),
        said=said,
        known=known,
        base=np.where(counts > 0, weights @ said / np.maximum(counts, LEAST), 0.5),
        k=int(min(job.settings["k"], len(job.rows))),
        sharpness=float(job.settings["sharpness"]),
    )


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), LEAST), np.float32)
