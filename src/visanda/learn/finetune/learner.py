"""A network at work: what it says of pictures, and a step of learning from a batch of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from visanda.learn.finetune import device as devices
from visanda.learn.finetune.batches import plain
from visanda.learn.finetune.losses import Codes, total
from visanda.learn.finetune.memory import Portions
from visanda.learn.finetune.network import Network
from visanda.learn.finetune.reading import Squares
from visanda.learn.finetune.settings import Settings
from visanda.progress import progress


@dataclass(frozen=True, eq=False)
class Learner:
    """A network, the pictures that it sees, and the codes that it is to learn.

    Attributes:
        network: on the device.
        codes: of each task, on the device.
        codes_here: the same, on the CPU.
        squares: all pictures.
        settings: of the run.
        device: that computes.
        portions: how many pictures fit into its memory at a time.
        pool: threads that make pictures ready.
    """

    network: Network
    codes: Sequence[Codes]
    codes_here: Sequence[Codes]
    squares: Squares
    settings: Settings
    device: torch.device
    portions: Portions
    pool: Executor

    def loss(self, rows: np.ndarray, pixels: np.ndarray) -> float:
        """The loss of a batch, and its gradients in the network's parameters.

        However small the portions are in which the batch fits into memory, the gradients are those of the whole.
        """
        self.network.train()
        among = torch.from_numpy(rows).to(self.device)

        def portion(part: slice) -> float:
            loss = total(self.codes, self._said(self._whole(), pixels[part]), among[part], among)
            if loss.requires_grad:
                loss.backward()
            return float(loss.detach())

        return sum(self.portions.work(len(rows), portion, lambda: self.network.zero_grad(set_to_none=True)))

    def logits(self, rows: np.ndarray) -> list[torch.Tensor]:
        """Logits of each task, (m, k) on the CPU, of pictures as they are, m rows."""
        found = self._over(rows, lambda pixels: self._said(self._whole(), pixels))
        return [torch.cat([part[task] for part in found]) for task in range(len(self.codes))]

    def features(self, rows: np.ndarray) -> torch.Tensor:
        """Features (m, width) of m pictures as they are, on the CPU."""
        with progress("Looking at pictures", len(rows)) as advance:
            found = self._over(rows, lambda pixels: [self._said_by(self.network.backbone, pixels)], advance)
        return torch.cat([part[0] for part in found])

    def validation_loss(self, logits: Sequence[torch.Tensor], rows: np.ndarray) -> float:
        """The loss of logits (m, k) on the CPU, of m rows."""
        among = torch.from_numpy(rows)
        return float(total(self.codes_here, logits, among, among))

    @torch.no_grad()
    def _over(
        self,
        rows: np.ndarray,
        said: Callable[[np.ndarray], list[torch.Tensor]],
        advance: Callable[[int], None] = lambda done: None,
    ) -> list[list[torch.Tensor]]:
        self.network.eval()
        found: list[list[torch.Tensor]] = []
        for _, pixels in plain(self.squares, rows, self.settings.batch, self.pool):
            found += self.portions.work(len(pixels), partial(_here, said, pixels))
            advance(len(pixels))
        return found

    def _said(self, module: nn.Module, pixels: np.ndarray) -> list[torch.Tensor]:
        given = torch.from_numpy(pixels).to(self.device)
        low = devices.reduced(self.device, self.settings.precision)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=low):
            logits: list[torch.Tensor] = module(given)
        return [one.float() for one in logits]

    def _said_by(self, backbone: nn.Module, pixels: np.ndarray) -> torch.Tensor:
        found: torch.Tensor = backbone(torch.from_numpy(pixels).to(self.device))
        return found

    def _whole(self) -> nn.Module:
        """The network, spread over all cards where ``cuda`` is asked for and there are several."""
        if self.device.type == "cuda" and self.device.index is None and torch.cuda.device_count() > 1:
            return nn.DataParallel(self.network)
        return self.network


def _here(said: Callable[[np.ndarray], list[torch.Tensor]], pixels: np.ndarray, part: slice) -> list[torch.Tensor]:
    return [one.cpu() for one in said(pixels[part])]
