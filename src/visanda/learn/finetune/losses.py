"""Losses: how far logits are from the codes; codes that are missing count nothing (masked; Won et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from visanda.learn.finetune.heads import Head
from visanda.learn.finetune.task import Task


@dataclass(frozen=True, eq=False)
class Codes:
    """What a task's logits are compared with, on the device.

    Attributes:
        head: whose logits.
        truth: (n,) class numbers, or (n, outputs) labels or values, 0 where missing.
        counts: like ``truth``; what each code counts: 0 where it is missing, 1 or more where it is rare and balanced.
        weight: of the task.
    """

    head: Head
    truth: torch.Tensor
    counts: torch.Tensor
    weight: float

    @classmethod
    def of(cls, head: Head, task: Task, learnt: np.ndarray, balance: bool, device: torch.device) -> Codes:
        """A task's codes.

        Args:
            head: the task's.
            task: with codes of n pictures.
            learnt: (n,) whether a picture is trained on; its codes decide what each value counts.
            balance: whether each value counts as much as any other.
            device: where they are compared.
        """
        numbers = task.numbers()
        there = numbers >= 0 if numbers.ndim == 1 else np.isfinite(numbers)
        counts = there.astype(np.float32)
        if balance and task.target.scale != "interval":
            counts *= _balanced(numbers, there & (learnt if numbers.ndim == 1 else learnt[:, None]))
        truth = torch.from_numpy(np.where(there, numbers, 0)).to(device)
        if task.target.scale == "interval":
            truth = (truth - float(head.mean)) / float(head.deviation)
        return cls(head, truth, torch.from_numpy(counts).to(device), task.weight)

    def each(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """The loss of each code of these rows, before it is weighed."""
        truth, scale = self.truth[rows], self.head.target.scale
        if scale == "interval":
            return functional.mse_loss(logits, truth.to(logits.dtype), reduction="none")
        if scale == "multilabel":
            return functional.binary_cross_entropy_with_logits(logits, truth.to(logits.dtype), reduction="none")
        if scale == "nominal":
            return functional.cross_entropy(logits, truth, reduction="none")
        return -_log_of_ordinal(logits).gather(1, truth[:, None])[:, 0]


def total(
    tasks: Sequence[Codes], logits: Sequence[torch.Tensor], rows: torch.Tensor, among: torch.Tensor
) -> torch.Tensor:
    """The loss of rows, as their part of the mean over ``among``, summed over the tasks by their weights.

    Args:
        tasks: the codes.
        logits: of each task, of ``rows``.
        rows: numbers of pictures.
        among: numbers of the whole batch that ``rows`` are a part of: the parts' losses add up to the batch's.
    """
    whole = logits[0].new_zeros(())
    for codes, found in zip(tasks, logits, strict=True):
        everything = codes.counts[among].sum()
        if everything > 0:
            part = (codes.each(found, rows) * codes.counts[rows]).sum()
            whole = whole + codes.weight * part / everything
    return whole


def _log_of_ordinal(logits: torch.Tensor) -> torch.Tensor:
    """Log-probabilities (n, k) of values in order, of logits (n, k − 1) of being beyond: log(σ(a) − σ(b)), a > b."""
    inner = logits.new_zeros((len(logits), 0))
    if logits.shape[1] > 1:
        above, below = logits[:, :-1], logits[:, 1:]
        gap = -torch.expm1(below - above)
        inner = functional.logsigmoid(above) + functional.logsigmoid(-below) + gap.clamp_min(1e-7).log()
    return torch.cat([functional.logsigmoid(-logits[:, :1]), inner, functional.logsigmoid(logits[:, -1:])], 1)


def _balanced(numbers: np.ndarray, learnt: np.ndarray) -> np.ndarray:
    """What each code counts, so that all values together count the same; a value that is not learnt counts 1."""
    if numbers.ndim == 1:
        often = np.bincount(numbers[learnt])
        share = often.sum() / np.maximum(often, 1) / max((often > 0).sum(), 1)
        share = np.where(often > 0, share, 1.0)
        return np.append(share, np.ones(max(numbers.max() + 1 - len(share), 0)))[np.maximum(numbers, 0)]
    found = np.ones_like(numbers)
    for label in range(numbers.shape[1]):
        mine = numbers[learnt[:, label], label]
        ones, zeros = (mine == 1).sum(), (mine == 0).sum()
        if ones and zeros:
            found[:, label] = np.where(numbers[:, label] == 1, len(mine) / (2 * ones), len(mine) / (2 * zeros))
    return found
