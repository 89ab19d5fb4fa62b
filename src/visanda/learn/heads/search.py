"""Search: settings and calibration by cross-validation within cross-validation, so that no estimate flatters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from visanda.errors import InputError
from visanda.learn.heads import boosting, knn, linear, mlp
from visanda.learn.heads.links import calibrated, finish, predicted, row_losses, uncalibrated
from visanda.learn.heads.problem import Problem
from visanda.learn.heads.settings import Body, Job, Kind, Settings
from visanda.learn.onnx_graphs import Graph

KINDS: dict[str, Kind] = {
    "linear": Kind(linear.DEFAULTS, linear.AT_ONCE, linear.link, linear.train),
    "knn": Kind(knn.DEFAULTS, knn.AT_ONCE, knn.link, knn.train),
    "mlp": Kind(mlp.DEFAULTS, mlp.AT_ONCE, mlp.link, mlp.train),
    "boosting": Kind(boosting.DEFAULTS, boosting.AT_ONCE, boosting.link, boosting.train),
}
TUNED_ON = 1000  # rows; more of them do not change which settings are best

Tell = Callable[[float], None]


def kind_of(name: str) -> Kind:
    """The kind of head of this name.

    Raises:
        InputError: there is none.
    """
    if name not in KINDS:
        raise InputError(f"there is no head of kind {name!r}; there are: {', '.join(KINDS)}")
    return KINDS[name]


def one_thread() -> threadpool_limits:
    """Arithmetic in one thread: on small matrices more of them are slower, and the same input gives the same output."""
    return threadpool_limits(1)


@dataclass(frozen=True)
class Choice:
    """Settings and calibration found by cross-validation on some rows, and the loss (weighted mean) of these there."""

    rows: np.ndarray
    settings: Settings
    calibration: np.ndarray
    loss: float


class Search:
    """Which settings are best on all rows, and which without each fold.

    Without fold j, a head is tested on fold i that learnt from neither; and since without j and i is without i and j,
    K folds need K (K − 1) / 2 such heads for each candidate, and K more for the choice on all rows. Of more than
    ``TUNED_ON`` rows, a random part is tuned on.

    Args:
        kind: of the head.
        problem: what is learnt.
        fold: (n,) of each row.
        tried: settings to choose from.
        nested: also choose without each fold; else only on all rows.
        judged: the same problem with other weights, by which losses are counted.
        progress: called with the share done.
    """

    def __init__(
        self,
        kind: str,
        problem: Problem,
        fold: np.ndarray,
        tried: Sequence[Settings],
        *,
        nested: bool = True,
        judged: Problem | None = None,
        progress: Tell | None = None,
    ) -> None:
        self._kind, self._problem, self._fold, self._tried = kind_of(kind), problem, fold, list(tried)
        self._judged = judged or problem
        self._link = self._kind.link(problem)
        self.parts = int(fold.max()) + 1
        self._tuned = np.sort(np.random.default_rng(problem.seed).permutation(len(problem))[:TUNED_ON])
        self._there = np.unique(fold[self._tuned]).tolist()
        pairs = [(i, j) for i in self._there for j in self._there if i < j] if nested and len(self._there) > 2 else []
        singles = [(i, i) for i in self._there] if len(self._there) > 1 else []
        self._keys = [*pairs, *singles]
        self._progress = progress or (lambda share: None)
        self._total = len(self._keys) * len(self._tried) + self.parts + 1
        self._done = 0
        jobs = [Job(self._learnt(key), settings, rough=True) for key in self._keys for settings in self._tried]
        bodies = self._train(jobs)
        self._bodies = {key: bodies[i * len(tried) : (i + 1) * len(tried)] for i, key in enumerate(self._keys)}

    def without(self, part: int) -> Choice:
        """The best without a fold; the defaults' middle where there are too few folds to choose without one."""
        rows = np.flatnonzero(self._fold != part)
        if part not in self._there or len(rows) == len(self._fold):
            return self._best([(i, (i, i)) for i in self._there if (i, i) in self._bodies], rows)
        others = [(i, (min(i, part), max(i, part))) for i in self._there if i != part]
        return self._best([(i, key) for i, key in others if key in self._bodies], rows)

    def choice(self) -> Choice:
        """The best on all rows."""
        keys = [(i, (i, i)) for i in self._there if (i, i) in self._bodies]
        return self._best(keys, np.arange(len(self._problem)))

    def models(self, choices: Sequence[Choice]) -> list[bytes]:
        """ONNX of heads trained on what each choice was made on."""
        bodies = self._train([Job(choice.rows, choice.settings) for choice in choices])
        self._progress(1.0)
        return [self.model(body, choice.calibration) for body, choice in zip(bodies, choices, strict=True)]

    def model(self, body: Body, calibration: np.ndarray) -> bytes:
        """ONNX of a trained head."""
        graph = Graph()
        raw = body.graph(graph, "features")
        target = self._problem.target
        made = finish(graph, self._link, raw, calibration, target)
        return graph.model("features", self._problem.vectors.shape[1], made, target.outputs)

    def loss_on(self, part: int) -> float:
        """On a fold, of the head made without it."""
        rows = self._tuned[self._fold[self._tuned] == part]
        if (part, part) not in self._bodies or not len(rows):
            return np.nan
        choice = self.without(part)
        body = self._bodies[part, part][self._tried.index(choice.settings)]
        losses = row_losses(
            self._link, predicted(self._link, body.scores(rows), choice.calibration), self._problem.truth[rows]
        )
        counts = self._judged.weights_of(rows) * self._known(self._learnt((part, part)), rows)
        return float(counts @ losses / counts.sum()) if counts.any() else np.nan

    def _best(self, tests: Sequence[tuple[int, tuple[int, int]]], rows: np.ndarray) -> Choice:
        """Of all candidates, by heads (their key) tested on folds."""
        if not tests:
            settings = self._tried[len(self._tried) // 2]
            return Choice(rows, settings, uncalibrated(self._link, self._columns()), np.nan)
        held = [self._tuned[self._fold[self._tuned] == i] for i, _ in tests]
        every = np.concatenate(held)
        known = [self._known(self._learnt(key), own) for (_, key), own in zip(tests, held, strict=True)]
        known_ = np.concatenate(known)
        known_ = known_ if known_.any() else np.ones(len(every))
        counts, judged = self._problem.weights_of(every) * known_, self._judged.weights_of(every) * known_
        truth = self._problem.truth[every]
        best: Choice | None = None
        for number, settings in enumerate(self._tried):
            raw = [self._bodies[key][number].scores(own) for (_, key), own in zip(tests, held, strict=True)]
            scores = np.concatenate(raw).astype(float)
            calibration = calibrated(self._link, scores, truth, counts)
            losses = row_losses(self._link, predicted(self._link, scores, calibration), truth)
            loss = float(judged @ losses / judged.sum())
            if best is None or loss < best.loss:
                best = Choice(rows, settings, calibration, loss)
        assert best is not None
        return best

    def _learnt(self, key: tuple[int, int]) -> np.ndarray:
        return self._tuned[~np.isin(self._fold[self._tuned], key)]

    def _known(self, learnt: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Which rows are of a class that could be learnt: of others, no head can know."""
        if self._problem.target.scale in ("interval", "multilabel"):
            return np.ones(len(rows))
        return np.isin(self._problem.truth[rows], self._problem.truth[learnt]).astype(float)

    def _columns(self) -> int:
        return max(1, len(self._problem.target.classes))

    def _train(self, jobs: Sequence[Job]) -> list[Body]:
        bodies: list[Body] = []
        for begin in range(0, len(jobs), self._kind.at_once):
            some = jobs[begin : begin + self._kind.at_once]
            bodies += self._kind.train(self._problem, some)
            self._done += len(some)
            self._progress(min(self._done / self._total, 1.0))
        return bodies
