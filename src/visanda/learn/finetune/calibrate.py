"""Calibration: the temperature that makes probabilities mean what they say on the validation set (Guo et al. 2017)."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from visanda.learn.finetune.heads import Head
from visanda.learn.finetune.task import Task

BOUNDS = (-3.0, 3.0)  # of the temperature's logarithm


def temperature(head: Head, logits: torch.Tensor, task: Task, rows: np.ndarray) -> float:
    """What logits are divided by; 1 for numbers.

    The codes count as nearly certain only (as in Platt 1999): without a wrong prediction among a few, the best
    temperature would be 0.

    Args:
        head: the task's.
        logits: (m, k) of the rows.
        task: with the codes of all pictures.
        rows: m numbers of pictures.
    """
    if task.target.scale == "interval":
        return 1.0
    numbers = task.numbers()[rows]
    given = logits.double()
    if numbers.ndim == 1:
        there = numbers >= 0
        wanted = np.eye(task.target.outputs)[np.maximum(numbers, 0)]
        wanted = (there.sum() * wanted + 1 / task.target.outputs) / (there.sum() + 1)
    else:
        there = np.isfinite(numbers)
        wanted = (there.sum(axis=0) * np.where(there, numbers, 0.0) + 0.5) / (there.sum(axis=0) + 1)

    def loss(logarithm: float) -> float:
        p = head.scores(given, float(np.exp(logarithm))).detach().numpy().clip(1e-12, 1)
        each = wanted * np.log(p)
        if numbers.ndim == 2:
            each += (1 - wanted) * np.log(np.maximum(1 - p, 1e-12))
        return float(-each[there].sum())

    return float(np.exp(minimize_scalar(loss, bounds=BOUNDS, method="bounded").x))
