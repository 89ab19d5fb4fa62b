"""The network that is trained: pixels, a backbone, a head a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from visanda.learn.finetune.heads import Head
from visanda.learn.finetune.lite0 import DEVIATION, MEAN, SIDE, WIDTH, lite0
from visanda.learn.finetune.settings import LITE0, SMALL
from visanda.learn.finetune.small import DEVIATION as SMALL_DEVIATION
from visanda.learn.finetune.small import MEAN as SMALL_MEAN
from visanda.learn.finetune.small import SIDE as SMALL_SIDE
from visanda.learn.finetune.small import Small
from visanda.learn.finetune.task import Task
from visanda.models import model
from visanda.models.hub_backbones import HubBackbone, backbone

DROPPED = 0.2  # share of features that a step of training does without


class Backbone(nn.Module):
    """Normalises pixels and gives features.

    Attributes:
        body: normalised pixels (n, 3, S, S) → features (n, width).
        side: S that it was made for.
        width: features.
        known: fields of its card: what it is, where from, the SHA-256 of its weights.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(
        self,
        body: nn.Module,
        width: int,
        side: int,
        mean: Sequence[float],
        deviation: Sequence[float],
        known: Mapping[str, str],
    ) -> None:
        super().__init__()
        self.body, self.width, self.side, self.known = body, width, side, dict(known)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("deviation", torch.tensor(deviation, dtype=torch.float32))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Features (n, width) of pixels (n, S, S, 3) uint8, of mean square 1."""
        normalised = ((pixels.float() - self.mean) / self.deviation).permute(0, 3, 1, 2)
        found = self.body(normalised).float()
        return found * torch.rsqrt(found.square().mean(1, keepdim=True) + 1e-6)


class _OfHub(nn.Module):
    """A hub's network that gives features and nothing else."""

    def __init__(self, loaded: HubBackbone) -> None:
        super().__init__()
        self.network = loaded.network
        self._features = loaded.features

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self._features(self.network, pixels)
        return found


class Network(nn.Module):
    """Pixels (n, S, S, 3) uint8 → logits, one tensor a task."""

    def __init__(self, backbone: Backbone, heads: Sequence[Head], scratch: bool) -> None:
        super().__init__()
        self.backbone, self.heads, self.scratch = backbone, nn.ModuleList(heads), scratch
        self.dropout = nn.Dropout(DROPPED)

    def forward(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Logits of each task."""
        return self.said(self.backbone(pixels))

    def each_head(self) -> list[Head]:
        """The heads, in the order of the tasks."""
        return [head for head in self.heads if isinstance(head, Head)]

    def arrange(self) -> None:
        """Lay filters out in memory as pixels are, channels last, which is a quarter faster on a CPU."""
        for one in self.backbone.parameters():
            if one.ndim == 4:
                one.data = one.data.contiguous(memory_format=torch.channels_last)

    def said(self, features: torch.Tensor) -> list[torch.Tensor]:
        """Logits of each task, of features (n, width)."""
        kept = self.dropout(features)
        return [head(kept) for head in self.heads]

    def train(self, mode: bool = True) -> Network:
        """Training mode, for the heads alone: what the backbone has learnt of means and variances stays as it is."""
        super().train(mode)
        self.backbone.train(mode and self.scratch)
        return self


def load_backbone(name: str) -> Backbone:
    """A backbone by name or folder; see `Settings.backbone`.

    Raises:
        MissingExtra: it needs timm or transformers, which is not installed.
        InputError: it cannot be had.
    """
    if name == LITE0:
        card = model("efficientnet_lite0").card()
        return Backbone(lite0(), WIDTH, SIDE, [MEAN] * 3, [DEVIATION] * 3, card)
    if name == SMALL:
        known = {"name": SMALL, "source": "from scratch, after Torres & Cantú (2022)"}
        return Backbone(Small(), Small.width, SMALL_SIDE, [SMALL_MEAN] * 3, [SMALL_DEVIATION] * 3, known)
    loaded = backbone(name)
    mean, deviation = ([255 * share for share in shares] for shares in (loaded.mean, loaded.deviation))
    return Backbone(_OfHub(loaded), loaded.width, loaded.side, mean, deviation, loaded.card.card())


def head_of(task: Task, width: int, learnt: np.ndarray) -> Head:
    """A new head for a task; numbers are standardised by those of the pictures trained on."""
    if task.target.scale != "interval":
        return Head(task.target, width)
    numbers = task.numbers()[learnt]
    return Head(task.target, width, float(np.nanmean(numbers)), float(np.nanstd(numbers)) or 1.0)
