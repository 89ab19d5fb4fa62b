"""Heads: from a backbone's features to what a task predicts, one head a task."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from visanda.learn.target import Target


class Head(nn.Module):
    """Features (n, d) → logits.

    Of nominal values and labels (n, k); of ordinal ones (n, k − 1), for being beyond each value but the last
    (proportional odds; McCullagh 1980); of numbers (n, 1), in standard deviations from the mean.

    Args:
        target: what is predicted.
        width: d.
        mean: of the numbers to train on.
        deviation: of the numbers to train on.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, target: Target, width: int, mean: float = 0.0, deviation: float = 1.0) -> None:
        super().__init__()
        self.target = target
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("deviation", torch.tensor(deviation, dtype=torch.float32))
        ordinal = target.scale == "ordinal"
        self.linear = nn.Linear(width, 1 if ordinal else target.outputs)
        nn.init.normal_(self.linear.weight, std=0.01)
        nn.init.zeros_(self.linear.bias)
        self.steps = nn.Parameter(torch.zeros(max(target.outputs - 2, 0))) if ordinal else None

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits of features."""
        found = self.linear(features)
        if self.steps is None:
            return found
        # Each threshold lies above the one before, whatever the parameters are.
        return found - functional.pad(functional.softplus(self.steps).cumsum(0), (1, 0))

    def scores(self, logits: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
        """What the head says, as `Target` has it: probabilities (n, k), or values (n, 1)."""
        scale = self.target.scale
        if scale == "interval":
            values = logits * self.deviation + self.mean
            low, high = self.target.low, self.target.high
            return values if low is None and high is None else values.clamp(low, high)
        scaled = logits / temperature
        if scale == "nominal":
            return scaled.softmax(1)
        if scale == "multilabel":
            return scaled.sigmoid()
        beyond = functional.pad(functional.pad(scaled.sigmoid(), (1, 0), value=1.0), (0, 1))
        return beyond[:, :-1] - beyond[:, 1:]
