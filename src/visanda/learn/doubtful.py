"""Doubtful codes: those that a model which had not seen them contradicts with confidence.

Confident learning (Northcutt, Jiang & Chuang 2021): a model is confident that a picture shows a value where it gives it
at least the probability that it gives, on average, to pictures that were coded so. A code is doubtful where the model
is confident of another value, and thinks it likelier than the code. Such codes are not wrong for that: people look at
them again.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.learn.target import NONE, SPLIT, Target

FAR = 3.5  # modified z-score of a number's error (Iglewicz & Hoaglin 1993)
MAD = 1.4826  # median absolute deviations in a standard deviation of the normal distribution


def doubtful(target: Target, truth: np.ndarray, outputs: np.ndarray) -> pd.DataFrame:
    """The doubtful codes, the most doubtful first.

    Args:
        target: what is predicted.
        truth: (n, ...) codes as ``Target.encode`` gives them; NaN: not known.
        outputs: (n, k) of models that had not seen the row's group; NaN where there is none.

    Returns:
        Columns ``row`` (of those given), ``suggested`` (what the model says instead) and ``doubt``: by how much it
        thinks that likelier, 0 to 1; of several labels, the most of all that differ; of an interval scale, how far
        off the code is, in standard deviations of the errors.

    Raises:
        InputError: there are not as many codes as outputs.

    >>> target = Target("nominal", ("no", "yes"))
    >>> sure = np.array([[0.9, 0.1]] * 5 + [[0.1, 0.9]] * 5)
    >>> doubtful(target, np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1]), sure)["row"].tolist()
    [4]
    """
    if len(truth) != len(outputs):
        raise InputError(f"there are {len(truth)} codes and {len(outputs)} predictions: give one of each a picture")
    outputs = np.asarray(outputs, float)
    if target.scale == "interval":
        rows, doubt = _far(np.asarray(truth, float), outputs[:, 0])
        suggested: list[object] = list(outputs[rows, 0])
    elif target.scale == "multilabel":
        found = [_contradicted(truth[:, label], _both(outputs[:, label])) for label in range(target.outputs)]
        doubts = np.stack([np.where(np.isnan(one), 0.0, one) for one, _ in found], axis=1)
        rows = np.flatnonzero((doubts > 0).any(axis=1))
        doubt = doubts[rows].max(axis=1)
        labels = np.where(doubts[rows] > 0, 1 - truth[rows], truth[rows])
        suggested = [
            SPLIT.join(name for name, there in zip(target.classes, one, strict=True) if there > 0.5) or NONE
            for one in labels
        ]
    else:
        every, other = _contradicted(np.asarray(truth, float), outputs)
        rows = np.flatnonzero(~np.isnan(every))
        doubt = every[rows]
        suggested = [target.classes[at] for at in other[rows]]
    table = pd.DataFrame({"row": rows, "suggested": suggested, "doubt": doubt})
    return table.sort_values(["doubt", "row"], ascending=[False, True], ignore_index=True)


def _both(there: np.ndarray) -> np.ndarray:
    """Probabilities that a label is not there and that it is."""
    return np.stack([1 - there, there], axis=1)


def _contradicted(truth: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much likelier another class is (n,), NaN where none is confidently; and which (n,)."""
    known = np.isfinite(truth) & np.isfinite(probabilities).all(axis=1)
    coded = np.where(known, truth, 0).astype(int)
    needed = np.full(probabilities.shape[1], np.inf)  # of a class that nobody coded, no model is confident
    for number in np.unique(coded[known]):
        needed[number] = probabilities[known & (coded == number), number].mean()
    confident = np.where(probabilities >= needed, probabilities, -np.inf)
    other = confident.argmax(axis=1)
    rows = np.arange(len(truth))
    margin = confident[rows, other] - probabilities[rows, coded]
    return np.where(known & (other != coded) & (margin > 0), margin, np.nan), other


def _far(truth: np.ndarray, said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose error is far from what errors are, and how far."""
    errors = truth - said
    known = np.isfinite(errors)
    if not known.any():
        return np.flatnonzero(known), errors[known]
    off = np.abs(errors - np.median(errors[known]))
    scores = off / max(MAD * float(np.median(off[known])), 1e-12)
    rows = np.flatnonzero(known & (scores > FAR))
    return rows, scores[rows]
