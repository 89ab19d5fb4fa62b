"""The optimiser: steps of AdamW on what is trained, and the average over them; its state goes into a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from visanda.learn.finetune.average import Average

DECAY = 0.05  # of weights, a step, times the rate (Loshchilov & Hutter 2019)
CLIPPED = 1.0  # length of the gradient, at most


def parameters(network: nn.Module) -> dict[str, torch.Tensor]:
    """The parameters that are trained, by name; copies on the CPU."""
    return {name: one.detach().cpu().clone() for name, one in network.named_parameters() if one.requires_grad}


def restore(network: nn.Module, held: Mapping[str, torch.Tensor]) -> None:
    """Put parameters back."""
    own = dict(network.named_parameters())
    with torch.no_grad():
        for name, value in held.items():
            own[name].copy_(value)


class Optimiser:
    """AdamW for the parameters that are trained, and their average.

    Args:
        network: on its device.
        steps: an epoch.

    Attributes:
        average: of the parameters over the last steps.
    """

    def __init__(self, network: nn.Module, steps: int) -> None:
        self._network, self.average = network, Average(network, steps)
        trained = [one for one in network.parameters() if one.requires_grad]
        self._adamw = torch.optim.AdamW(
            [
                {"params": [one for one in trained if one.ndim > 1], "weight_decay": DECAY},
                {"params": [one for one in trained if one.ndim <= 1], "weight_decay": 0.0},
            ]
        )

    def step(self, rate: float) -> None:
        """A step along the gradients that the parameters hold."""
        for group in self._adamw.param_groups:
            group["lr"] = rate
        nn.utils.clip_grad_norm_(self._network.parameters(), CLIPPED)
        self._adamw.step()
        self.average.add()

    def state(self) -> dict[str, Any]:
        """The network's trained parameters and all that the next step depends on."""
        return {
            "network": parameters(self._network),
            "adamw": self._adamw.state_dict(),
            "average": self.average.state(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """As a checkpoint has it."""
        restore(self._network, state["network"])
        self._adamw.load_state_dict(state["adamw"])
        self.average.load(state["average"])
