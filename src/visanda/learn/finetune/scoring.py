"""Live scores: one number a task that a reader can follow while a network learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from sklearn.metrics import f1_score

from visanda.learn.finetune.heads import Head
from visanda.learn.finetune.task import Task


def scores(
    tasks: Mapping[str, Task], heads: Sequence[Head], logits: Sequence[torch.Tensor], rows: np.ndarray
) -> dict[str, float]:
    """By column: macro-F1 of values and labels (``<task>_f1``), mean absolute error of numbers (``<task>_mae``)."""
    return dict(
        _score(name, task, head.scores(found.float()).detach().cpu().numpy(), rows)
        for (name, task), head, found in zip(tasks.items(), heads, logits, strict=True)
    )


def _score(name: str, task: Task, said: np.ndarray, rows: np.ndarray) -> tuple[str, float]:
    numbers, scale = task.numbers()[rows], task.target.scale
    if scale == "interval":
        return f"{name}_mae", float(np.nanmean(np.abs(said - numbers)))
    if scale == "multilabel":
        there = np.isfinite(numbers)
        each = [
            f1_score(numbers[there[:, label], label], said[there[:, label], label] >= 0.5, zero_division=0.0)
            for label in range(numbers.shape[1])
            if (numbers[:, label] == 1).any()
        ]
        return f"{name}_f1", float(np.mean(each)) if each else float("nan")
    there = numbers >= 0
    if scale == "ordinal":
        guess = np.minimum((said.cumsum(axis=1) < 0.5).sum(axis=1), said.shape[1] - 1)
    else:
        guess = said.argmax(axis=1)
    return f"{name}_f1", float(f1_score(numbers[there], guess[there], average="macro", zero_division=0.0))
