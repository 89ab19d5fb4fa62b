"""Zero-shot heads: a classifier made of words, in a space that holds pictures and words (Radford et al. 2021).

A value is the mean of the vectors of its phrases (a prompt ensemble); a picture belongs to the value whose direction
is nearest. Where there are codes, a scale and a bias for each value are tuned on them: what makes cosines
probabilities, and moves the thresholds to where coders put them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from visanda.errors import InputError
from visanda.learn.heads import Fitted
from visanda.learn.onnx_graphs import Graph
from visanda.learn.split import fold_of
from visanda.learn.target import Target

FOLDS = 5
SCALE_SPREAD, BIAS_SPREAD = 1.0, 1.5  # standard deviations of the priors of log scale and of each bias: both weak
LEAST = 1e-9  # a vector of less than this length has no direction


@dataclass(frozen=True)
class Space:
    """What is known of a space of pictures and words before anything is coded.

    Attributes:
        name: of the space, such as ``conse``.
        scale: by which cosines are multiplied to be logits.
        level: the cosine from which words rather fit a picture than not: what a label of a multi-label variable, or a
            value without words of its own (no, other), is compared with.
        centre: (d,), what is taken off all vectors first; ``None``: nothing.
    """

    name: str
    scale: float
    level: float
    centre: np.ndarray | None = None

    def directions(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors (n, d) without the centre, of length 1."""
        moved = np.asarray(vectors, float) - (0.0 if self.centre is None else self.centre)
        return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), LEAST)


@dataclass(frozen=True)
class _Head:
    """Logits are ``scale`` × cosines (n, k) + ``bias`` (k,)."""

    scale: float
    bias: np.ndarray


def fit(
    vectors: np.ndarray,
    texts: Mapping[str, np.ndarray],
    target: Target,
    truth: np.ndarray | None = None,
    groups: Sequence[str] = (),
    *,
    space: Space,
    seed: int = 1,
) -> Fitted:
    """Make a head of words, tuned on codes where there are some.

    Args:
        vectors: (n, d) of the coded pictures; (0, d) where nothing is coded.
        texts: (m, d) vectors of the phrases of each value; (0, d) for a value without words of its own, such as
            ``no``, which is said where no other value's words fit.
        target: what is to be predicted: nominal, ordinal or multi-label.
        truth: the n codes as ``target.encode`` gives them; ``None``: nothing is coded, and the space's own scale and
            level are used.
        groups: n names; rows of one group are never on both sides of a split.
        space: what is known of the space.
        seed: of the folds.

    Returns:
        The model (input ``features`` (n, d), output ``scores``), the chosen scale and biases, and, where there are
        codes, predictions of each row by a head tuned without its fold, and these heads.

    Raises:
        InputError: an interval scale, which words cannot tell; no value has words.
    """
    if target.scale not in ("nominal", "ordinal", "multilabel"):
        raise InputError(f"zero-shot models are for values with names, not for {target.scale} variables: train another")
    words = _words(texts, target, vectors.shape[1], space)
    start = _untuned(words, target, space)
    chosen, folds, others = start, np.empty(0, int), []
    out_of_fold = np.empty((0, target.outputs), np.float32)
    if truth is not None and len(truth):
        cosines = space.directions(vectors) @ words.T
        chosen = _tuned(cosines, truth, target, start)
        folds = fold_of(groups, FOLDS, seed)
        out_of_fold = np.zeros((len(truth), target.outputs), np.float32)
        for fold in range(FOLDS):
            mine = folds == fold
            others.append(_tuned(cosines[~mine], truth[~mine], target, start))
            out_of_fold[mine] = _scores(cosines[mine], target, others[-1])
    settings = {
        "space": space.name,
        "scale": round(chosen.scale, 4),
        "bias": {name: round(float(bias), 4) for name, bias in zip(target.classes, chosen.bias, strict=True)},
        "tuned on": 0 if truth is None else len(truth),
    }
    companions = tuple(_graph(words, other, target, space) for other in others)
    return Fitted(_graph(words, chosen, target, space), settings, out_of_fold, folds, companions)


def _words(texts: Mapping[str, np.ndarray], target: Target, width: int, space: Space) -> np.ndarray:
    """(k, d): each value's direction, of length 1; nought for values without words."""
    rows = np.zeros((len(target.classes), width))
    for row, name in zip(rows, target.classes, strict=True):
        if len(texts[name]):
            middle = space.directions(texts[name]).mean(axis=0)
            row[:] = middle / max(float(np.linalg.norm(middle)), LEAST)
    if not rows.any():
        raise InputError(f"none of the values {', '.join(target.classes)} has words to look for: give prompts")
    return rows


def _untuned(words: np.ndarray, target: Target, space: Space) -> _Head:
    worded = words.any(axis=1)
    if target.scale == "multilabel":
        return _Head(space.scale, np.full(len(words), -space.scale * space.level))
    return _Head(space.scale, np.where(worded, 0.0, space.scale * space.level))


def _scores(cosines: np.ndarray, target: Target, head: _Head) -> np.ndarray:
    """Probabilities (n, k)."""
    logits = head.scale * cosines + head.bias
    if target.scale == "multilabel":
        return 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _tuned(cosines: np.ndarray, truth: np.ndarray, target: Target, start: _Head) -> _Head:
    """The scale and the biases that make the codes likeliest, near the start where codes are few."""
    wanted = truth if target.scale == "multilabel" else np.eye(target.outputs)[truth]

    def loss(given: np.ndarray) -> tuple[float, np.ndarray]:
        head = _Head(start.scale * float(np.exp(given[0])), start.bias + given[1:])
        found = np.clip(_scores(cosines, target, head), 1e-12, 1 - 1e-12)
        error = found - wanted  # the derivative by the logits, of softmax and of sigmoids alike
        likelihood = np.sum(wanted * np.log(found))
        if target.scale == "multilabel":
            likelihood += np.sum((1 - wanted) * np.log(1 - found))
        prior = given / np.r_[SCALE_SPREAD, np.full(len(start.bias), BIAS_SPREAD)]
        spread = np.r_[SCALE_SPREAD, np.full(len(start.bias), BIAS_SPREAD)]
        slope = np.r_[np.sum(error * cosines) * head.scale, error.sum(axis=0)]
        return -float(likelihood) + 0.5 * float(prior @ prior), slope + prior / spread

    found = minimize(loss, np.zeros(1 + len(start.bias)), jac=True, method="L-BFGS-B").x
    return _Head(start.scale * float(np.exp(found[0])), start.bias + found[1:])


def _graph(words: np.ndarray, head: _Head, target: Target, space: Space) -> bytes:
    """The head as ONNX, centring and all."""
    width = words.shape[1]
    graph = Graph()
    centre = np.zeros(width) if space.centre is None else np.asarray(space.centre, float)
    moved = graph.add("Sub", "features", graph.constant(centre))
    length = graph.add("Max", graph.add("ReduceL2", moved, axes=[1], keepdims=1), graph.constant(np.array([LEAST])))
    logits = graph.affine(graph.add("Div", moved, length), head.scale * words.T, head.bias)
    scores = graph.add("Sigmoid" if target.scale == "multilabel" else "Softmax", logits)
    return graph.model("features", width, scores, target.outputs)
