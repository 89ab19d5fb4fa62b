"""Activation maps: where in a picture a classifier sees what it says (Zhou et al. 2016; Selvaraju et al. 2017).

Networks that average features over places can be asked what each place gave: the map is the change of the evidence
when a place is left out of the average. For a linear head on the average that is the class activation map of Zhou et
al. up to a constant; for heads of any other kind, and through scaling to length 1, it is exact where a gradient is an
approximation (compare Ramaswamy & Desai 2020).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from visanda.learn.target import Target

Scores = Callable[[np.ndarray], np.ndarray]  # (n, ...) things → (n, outputs) scores
LEAST = 1e-30  # a probability below has no logarithm that means anything
BATCH = 32


def evidence(scores: np.ndarray, output: int, target: Target) -> np.ndarray:
    """How much (n,) speaks for an output: its log odds against all others; of an interval scale, the value itself.

    Args:
        scores: (n, outputs), as models give them.
        output: whose evidence.
        target: what is predicted.

    >>> evidence(np.array([[0.5, 0.25, 0.25]]), 0, Target("nominal", ("a", "b", "c"))).tolist()
    [0.0]
    """
    scores = np.asarray(scores, float)
    if target.scale == "interval":
        return scores[:, output]
    mine = scores[:, output]
    # Of the others' own probabilities: 1 − p is 0 long before they are.
    against = 1 - mine if target.scale == "multilabel" else np.delete(scores, output, axis=1).sum(axis=1)
    return np.log(np.maximum(mine, LEAST)) - np.log(np.maximum(against, LEAST))


def activation_map(places: np.ndarray, scores: Scores, output: int, target: Target) -> np.ndarray:
    """What each place of a picture speaks for an output.

    Args:
        places: (1, channels, rows, columns) features before the pooling.
        scores: from such features of n pictures to (n, outputs).
        output: whose map.
        target: what is predicted.

    Returns:
        (rows, columns): the evidence with the place less that without it; above 0 where the place speaks for the
        output, below where it speaks against it.
    """
    rows, columns = places.shape[2:]
    whole = evidence(scores(places), output, target)[0]
    without = []
    for first in range(0, rows * columns, BATCH):
        numbers = np.arange(first, min(first + BATCH, rows * columns))
        batch = np.repeat(places, len(numbers), axis=0)
        batch[np.arange(len(numbers)), :, numbers // columns, numbers % columns] = 0
        without.append(evidence(scores(batch), output, target))
    return whole - np.concatenate(without).reshape(rows, columns)
