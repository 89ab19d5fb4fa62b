"""LoRA (Hu et al. 2021): a layer stays as it is, and a product of two thin matrices is added to its weight."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils import parametrize

from visanda.errors import InputError

RANK = 8  # columns of the thin matrices
STRENGTH = 2.0  # what their product is multiplied by (alpha 16 over rank 8)


class _Added(nn.Module):
    """The weight with the product added."""

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        rows, columns = weight.flatten(1).shape
        rank = min(RANK, rows, columns)
        self.down = nn.Parameter(torch.empty(rank, columns))
        self.up = nn.Parameter(torch.zeros(rows, rank))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight + STRENGTH * (self.up @ self.down).view_as(weight)


def _takes(layer: nn.Module) -> bool:
    pointwise = isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) and layer.groups == 1
    return isinstance(layer, nn.Linear) or pointwise


def add(body: nn.Module) -> None:
    """Add to every linear layer and every 1 × 1 convolution what is trained instead of them.

    Raises:
        InputError: the network has no such layers.
    """
    layers = [layer for layer in body.modules() if _takes(layer)]
    if not layers:
        raise InputError("this backbone has no layers that LoRA could be added to: choose layers partial or full")
    body.requires_grad_(False)
    for layer in layers:
        weight: torch.Tensor = layer.weight  # type: ignore[assignment, unused-ignore]
        parametrize.register_parametrization(layer, "weight", _Added(weight))


def merge(body: nn.Module) -> None:
    """Put the products into the weights: the network is then like any other."""
    for layer in body.modules():
        if parametrize.is_parametrized(layer):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
