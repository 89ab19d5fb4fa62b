"""The average of the parameters over the last steps: it forgets less and errs less than the last ones alone.

Polyak & Juditsky (1992); Izmailov et al. (2018).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import exp

import torch
from torch import nn

OVER = 2.0  # epochs that the average reaches back


class Average:
    """The average of a network's trained parameters, of which the last count most.

    Args:
        network: on its device; the average begins with it as it is.
        steps: an epoch.
    """

    def __init__(self, network: nn.Module, steps: int) -> None:
        self._network, self._kept = network, exp(-1 / (OVER * steps))
        self._held = {name: one.detach().clone() for name, one in self._trained().items()}
        self._seen = 0

    def add(self) -> None:
        """Take in the parameters as they are after a step; at first, quickly."""
        self._seen += 1
        new = 1 - min(self._kept, self._seen / (self._seen + 9))
        with torch.no_grad():
            for name, one in self._trained().items():
                self._held[name].lerp_(one, new)

    @contextmanager
    def used(self) -> Iterator[None]:
        """The network has the average's parameters for as long as this lasts."""
        trained = self._trained()
        own = {name: one.data for name, one in trained.items()}
        for name, one in trained.items():
            one.data = self._held[name]
        try:
            yield
        finally:
            for name, one in trained.items():
                one.data = own[name]

    def state(self) -> dict[str, object]:
        """For a checkpoint."""
        return {"seen": self._seen, "held": {name: one.cpu() for name, one in self._held.items()}}

    def load(self, state: Mapping[str, object]) -> None:
        """As a checkpoint has it."""
        held = state["held"]
        assert isinstance(held, dict) and isinstance(state["seen"], int)
        self._seen = state["seen"]
        for name, one in held.items():
            self._held[name].copy_(one)

    def _trained(self) -> dict[str, nn.Parameter]:
        return {name: one for name, one in self._network.named_parameters() if one.requires_grad}
