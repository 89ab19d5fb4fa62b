"""What goes into fine-tuning and what comes out: tasks with codes, some of them missing; models and their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.learn.target import Target

TRAIN, VALIDATION = "train", "validation"


@dataclass(frozen=True, eq=False)
class Task:
    """One variable that is learnt; several tasks share a backbone.

    Attributes:
        target: what is predicted.
        truth: the codes as `Target.encode` gives them: (n,) class numbers, −1 where one is missing; (n, k) 0/1 of
            labels, NaN where missing; (n,) numbers, NaN where missing.
        weight: of its loss among the others (Won et al. 2017).
    """

    target: Target
    truth: np.ndarray
    weight: float = 1.0

    @property
    def known(self) -> np.ndarray:
        """(n,) whether a picture has a code; of labels, at least one."""
        truth = np.asarray(self.truth, float)
        if self.target.scale in ("nominal", "ordinal"):
            return np.nan_to_num(truth, nan=-1.0) >= 0
        return np.isfinite(truth).reshape(len(truth), -1).any(axis=1)

    def numbers(self) -> np.ndarray:
        """The truth: (n, outputs) float32 of labels or values, NaN where missing; or (n,) class numbers, −1."""
        if self.target.scale in ("nominal", "ordinal"):
            return np.nan_to_num(np.asarray(self.truth, float), nan=-1.0).astype(np.int64)
        return np.asarray(self.truth, np.float32).reshape(len(self.truth), self.target.outputs)


@dataclass(frozen=True, eq=False)
class Finetuned:
    """What fine-tuning made.

    Attributes:
        onnx: a model a task: input ``pixels`` (n, S, S, 3) uint8 RGB, output ``scores`` (n, outputs) float32, which are
            calibrated on the validation set.
        validation: scores a task, (pictures, outputs): of the validation set, NaN for all others.
        history: a row an epoch: ``epoch``, ``train_loss``, ``validation_loss``, a column a task, ``rate``, ``seconds``.
        card: what was really done, as plain values.
        preprocessing: ``pixels``: S; ``crop``: ``square`` or ``squash``; see `visanda.models.squares`.
        failed: what is wrong with pictures that could not be read, by their number; they were left out.
    """

    onnx: Mapping[str, bytes]
    validation: Mapping[str, np.ndarray]
    history: pd.DataFrame
    card: Mapping[str, Any]
    preprocessing: Mapping[str, int | str]
    failed: Mapping[int, str]


def check(tasks: Mapping[str, Task], sets: Sequence[str], number: int) -> np.ndarray:
    """See that there is something to learn in each task; the sets as an array.

    Raises:
        InputError: lengths that differ, a set of another name, a task with one value or without codes in a set.
    """
    placed = np.asarray(sets, str)
    if not tasks:
        raise InputError("there is no task to learn: give codes of at least one variable")
    if len(placed) != number or any(len(task.truth) != number for task in tasks.values()):
        raise InputError(f"{number} pictures need as many sets, and codes a task: -1 or NaN where one is missing")
    if strange := set(placed.tolist()) - {TRAIN, VALIDATION}:
        raise InputError(f"a picture is in the set {TRAIN} or {VALIDATION}, not {', '.join(sorted(strange))}")
    for name, task in tasks.items():
        known, numbers = task.known, task.numbers()
        for part in (TRAIN, VALIDATION):
            if not (known & (placed == part)).any():
                raise InputError(f"{name}: no picture of the set {part} has a code: code more, or split otherwise")
        if task.target.scale in ("nominal", "ordinal") and (numbers >= task.target.outputs).any():
            raise InputError(f"{name}: a class number is beyond the {task.target.outputs} classes")
        there = numbers[known & (placed == TRAIN)]
        if not (there[~np.isnan(there)].max() > there[~np.isnan(there)].min()):
            raise InputError(f"{name}: all pictures to train on have the same code, so there is nothing to learn")
    return placed
