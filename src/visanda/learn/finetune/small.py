"""A small network for documents, trained from scratch (after Torres & Cantú 2022): digits, tallies, forms."""

from __future__ import annotations

import torch
from torch import nn

CHANNELS = (32, 64, 128)
SIDE = 64  # pixels
MEAN, DEVIATION = 127.5, 64.0  # of shades, 0 to 255


class Small(nn.Module):
    """Normalised pixels (n, 3, S, S) → features (n, 256): three pairs of convolutions, each followed by halving.

    Normalised within each picture (Wu & He 2018), so that a picture's neighbours in a batch change nothing.
    """

    width = 2 * CHANNELS[-1]

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for channels in CHANNELS:
            for _ in range(2):
                layers += [nn.Conv2d(before, channels, 3, padding=1, bias=False), nn.GroupNorm(8, channels), nn.ReLU()]
                before = channels
            layers.append(nn.MaxPool2d(2))
        self.layers = nn.Sequential(*layers)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Features of pixels."""
        found = self.layers(pixels)
        return torch.cat([found.mean((2, 3)), found.amax((2, 3))], 1)
