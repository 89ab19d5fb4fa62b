"""Gradient-boosted trees (scikit-learn's HistGradientBoosting) on the main directions of the embeddings.

Trees cut one number at a time, so vectors are turned to their principal components first: the first of 1280 numbers
says nothing by itself, the first component does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from visanda.learn.heads.links import Link, link_of
from visanda.learn.heads.problem import Problem
from visanda.learn.heads.settings import Job
from visanda.learn.onnx_graphs import Graph

DEFAULTS: dict[str, tuple[float | int, ...]] = {
    "components": (30,),
    "trees": (100,),
    "learning_rate": (0.1,),
    "leaves": (8,),
}
AT_ONCE = 1
IMPOSSIBLE = -12.0  # the score of a class or label that was not learnt


@dataclass(frozen=True)
class Tree:
    """A tree that adds to one column of the scores.

    Attributes:
        column: of the scores.
        nodes: scikit-learn's table of nodes.
    """

    column: int
    nodes: np.ndarray


@dataclass(frozen=True)
class Forest:
    """Trees on directions of vectors; ``Body`` says how it is used.

    Attributes:
        problem: that it is of.
        directions: (d, c) float32, and ``offsets`` (c,): what vectors are turned to.
        offsets: (c,) float32.
        trees: that add up.
        base: (q,) what they are added to.
    """

    problem: Problem
    directions: np.ndarray
    offsets: np.ndarray
    trees: tuple[Tree, ...]
    base: np.ndarray

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Raw scores (n, q)."""
        return self.added(self.problem.vectors[rows] @ self.directions + self.offsets)

    def added(self, inputs: np.ndarray) -> np.ndarray:
        """Raw scores (n, q) of components (n, c) float32."""
        found = np.tile(self.base, (len(inputs), 1))
        for tree in self.trees:
            found[:, tree.column] += _leaves(tree.nodes, inputs)
        return found

    def graph(self, graph: Graph, features: str) -> str:
        """The same in a graph."""
        inputs = graph.affine(features, self.directions, self.offsets)
        if not self.trees:
            return graph.affine(inputs, np.zeros((len(self.offsets), len(self.base))), self.base)
        columns: dict[str, list[object]] = {name: [] for name in (*_NODES, *_LEAVES)}
        for number, tree in enumerate(self.trees):
            _tabled(columns, number, tree)
        added = graph.learnt("TreeEnsembleRegressor", inputs, n_targets=len(self.base), **columns)
        # Not as its base_values: onnxruntime forgets those of columns that no tree adds to.
        return graph.add("Add", added, graph.constant(self.base))


def link(problem: Problem) -> Link:
    """How its raw scores are read; ordered classes are told apart as if they were not, and decoded by their median."""
    return link_of(problem.target)


def train(problem: Problem, jobs: Sequence[Job]) -> list[Forest]:
    """A head for each job."""
    return [_train(problem, job) for job in jobs]


def _train(problem: Problem, job: Job) -> Forest:
    vectors = problem.vectors[job.rows].astype(float)
    directions, offsets = _main(vectors, int(job.settings["components"]))
    inputs = problem.vectors[job.rows] @ directions + offsets
    truth, counts = problem.truth[job.rows], problem.weights_of(job.rows)
    columns = problem.target.outputs
    base = np.zeros(columns)
    trees: list[Tree] = []
    if problem.target.scale == "multilabel":
        for column in range(columns):
            known = ~np.isnan(truth[:, column])
            there = truth[known, column] > 0.5
            if there.all() or not there.any():
                base[column] = 0.0 if not known.any() else -IMPOSSIBLE if there.all() else IMPOSSIBLE
                continue
            model = _model(HistGradientBoostingClassifier, problem, job).fit(inputs[known], there, counts[known])
            base[column] = model._baseline_prediction[0, 0]
            trees += [Tree(column, tree.nodes) for (tree,) in model._predictors]
    elif problem.target.scale == "interval":
        model = _model(HistGradientBoostingRegressor, problem, job).fit(inputs, truth, counts)
        base[0] = model._baseline_prediction[0, 0]
        trees = [Tree(0, tree.nodes) for (tree,) in model._predictors]
    else:
        seen = np.unique(truth)
        base[:] = IMPOSSIBLE
        base[seen] = 0.0
        if len(seen) > 1:
            model = _model(HistGradientBoostingClassifier, problem, job).fit(inputs, truth, counts)
            into = seen[1:] if len(seen) == 2 else seen  # scikit-learn keeps one column for two classes
            base[into] = model._baseline_prediction[0]
            trees = [
                Tree(int(column), tree.nodes)
                for together in model._predictors
                for column, tree in zip(into, together, strict=True)
            ]
    return Forest(problem, directions, offsets, tuple(trees), base)


def _model(kind: type, problem: Problem, job: Job) -> Any:
    return kind(
        learning_rate=job.settings["learning_rate"],
        max_iter=int(job.settings["trees"]),
        max_leaf_nodes=max(2, int(job.settings["leaves"])),
        min_samples_leaf=int(np.clip(len(job.rows) // 20, 2, 20)),
        l2_regularization=1.0,
        early_stopping=False,
        random_state=problem.seed % 2**32,
    )


def _main(vectors: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal directions (d, c) float32 and offsets (c,) that turn vectors to their components."""
    centre = vectors.mean(axis=0)
    moved = vectors - centre
    fewer = len(moved) < moved.shape[1]
    squares, axes = np.linalg.eigh(moved @ moved.T if fewer else moved.T @ moved)
    keep = np.flatnonzero(squares > max(squares[-1], 1e-12) * 1e-8)[::-1][:most]
    if not len(keep):
        return np.zeros((vectors.shape[1], 1), np.float32), np.zeros(1, np.float32)
    basis = moved.T @ axes[:, keep] / np.sqrt(squares[keep]) if fewer else axes[:, keep]
    basis = basis * np.where(basis[np.abs(basis).argmax(axis=0), np.arange(len(keep))] < 0, -1, 1)
    return basis.astype(np.float32), -(centre @ basis).astype(np.float32)


def _thresholds(nodes: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above each threshold: x ≤ one where and only where x ≤ the other."""
    exact = nodes["num_threshold"]
    rounded = exact.astype(np.float32)
    return np.where(rounded > exact, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _leaves(nodes: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """The value (n,) that each row comes to."""
    thresholds = _thresholds(nodes)
    at = np.zeros(len(inputs), int)
    while not (ends := nodes["is_leaf"][at].astype(bool)).all():
        going = np.flatnonzero(~ends)
        now = at[going]
        left = inputs[going, nodes["feature_idx"][now]] <= thresholds[now]
        at[going] = np.where(left, nodes["left"][now], nodes["right"][now])
    return np.asarray(nodes["value"][at])


_NODES = (
    "nodes_treeids",
    "nodes_nodeids",
    "nodes_featureids",
    "nodes_values",
    "nodes_modes",
    "nodes_truenodeids",
    "nodes_falsenodeids",
)
_LEAVES = ("target_treeids", "target_nodeids", "target_ids", "target_weights")


def _tabled(columns: dict[str, list[object]], number: int, tree: Tree) -> None:
    """Add a tree to the columns of ONNX's TreeEnsembleRegressor."""
    nodes = tree.nodes
    count = len(nodes)
    leaf = nodes["is_leaf"].astype(bool)
    columns["nodes_treeids"] += [number] * count
    columns["nodes_nodeids"] += list(range(count))
    columns["nodes_featureids"] += np.where(leaf, 0, nodes["feature_idx"]).tolist()
    columns["nodes_values"] += np.where(leaf, 0, _thresholds(nodes)).astype(np.float32).tolist()
    columns["nodes_modes"] += np.where(leaf, "LEAF", "BRANCH_LEQ").tolist()
    columns["nodes_truenodeids"] += np.where(leaf, 0, nodes["left"]).tolist()
    columns["nodes_falsenodeids"] += np.where(leaf, 0, nodes["right"]).tolist()
    ends = np.flatnonzero(leaf)
    columns["target_treeids"] += [number] * len(ends)
    columns["target_nodeids"] += ends.tolist()
    columns["target_ids"] += [tree.column] * len(ends)
    columns["target_weights"] += nodes["value"][ends].tolist()
