"""Scores: in a number or two, how well predictions that a model made without seeing the codes fit them."""

from __future__ import annotations

import numpy as np

from visanda.learn.target import Target


def scores(target: Target, truth: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
    """What is usually reported first.

    Args:
        target: what is predicted.
        truth: (n, ...) as ``Target.encode`` gives it.
        outputs: (n, k) of a model.

    Returns:
        nominal: accuracy and macro F1, 0 to 1; ordinal: also the mean absolute error in steps of the scale; multilabel:
        accuracy of all labels of a unit and macro F1; interval: mean absolute error and the correlation r.
    """
    if target.scale == "interval":
        given, said = np.asarray(truth, float), outputs[:, 0].astype(float)
        constant = given.std() == 0 or said.std() == 0
        r = float("nan") if constant else float(np.corrcoef(given, said)[0, 1])
        return {"mean absolute error": float(np.abs(given - said).mean()), "r": r}
    said = target.encode(target.decode(outputs))
    if target.scale == "multilabel":
        f1 = [_f1(truth[:, label] > 0.5, said[:, label] > 0.5) for label in range(target.outputs)]
        return {"accuracy": float((truth == said).all(axis=1).mean()), "macro F1": float(np.mean(f1))}
    classes = np.unique(truth)
    found = {
        "accuracy": float((truth == said).mean()),
        "macro F1": float(np.mean([_f1(truth == one, said == one) for one in classes])),
    }
    if target.scale == "ordinal":
        found["mean absolute error"] = float(np.abs(truth - said).mean())
    return found


def _f1(truth: np.ndarray, said: np.ndarray) -> float:
    both = truth.sum() + said.sum()
    return float(2 * (truth & said).sum() / both) if both else 1.0
