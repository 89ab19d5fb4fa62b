"""EfficientNet-Lite0 in torch (Tan & Le 2019), with the weights that come with visanda: the same features, trainable.

Its normalisation layers are folded into the convolutions, so that a batch changes nothing about its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

from visanda.models import model
from visanda.models.sessions import verified

WIDTH, SIDE = 1280, 224
MEAN, DEVIATION = 127.0, 128.0  # of shades, 0 to 255
# Kernel, stride, expansion, channels, repeats of each stage (Tan & Le 2019, table 1; Lite: without squeezing)
STAGES = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3), (5, 2, 6, 192, 4),
          (3, 1, 6, 320, 1))  # fmt: skip


class Lite0(nn.Module):
    """Normalised pixels (n, 3, S, S) → features (n, 1280)."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        channels = 32
        for kernel, stride, expansion, made, repeats in STAGES:
            for repeat in range(repeats):
                blocks.append(_Block(channels, made, kernel, stride if repeat == 0 else 1, expansion))
                channels = made
        self.stem = _Same(3, 32, 3, 2)
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Conv2d(channels, WIDTH, 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Features of pixels."""
        found = self.blocks(functional.relu6(self.stem(pixels), inplace=True))
        return functional.relu6(self.head(found), inplace=True).mean((2, 3))


class _Same(nn.Conv2d):
    """A convolution padded as TensorFlow does: of an odd number of pixels, the last side gets one more."""

    def __init__(self, channels: int, made: int, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__(channels, made, kernel, stride, groups=groups)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        # Plain numbers, also while it is written as ONNX: the side is fixed there.
        over_y, over_x = (
            max((-(-int(side) // stride) - 1) * stride + kernel - int(side), 0) for side in input.shape[2:]
        )
        low = (over_y // 2, over_x // 2)
        if over_y % 2 or over_x % 2:
            input = functional.pad(input, (low[1], over_x - low[1], low[0], over_y - low[0]))
            low = (0, 0)
        return functional.conv2d(input, self.weight, self.bias, self.stride, low, 1, self.groups)


class _Block(nn.Module):
    """Expanded, filtered channel by channel, and projected (an inverted residual; Sandler et al. 2018)."""

    def __init__(self, channels: int, made: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = channels * expansion
        self.expand = nn.Conv2d(channels, inner, 1) if expansion > 1 else None
        self.filter = _Same(inner, inner, kernel, stride, groups=inner)
        self.project = nn.Conv2d(inner, made, 1)
        self.residual = stride == 1 and channels == made

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        found = functional.relu6(self.expand(given), inplace=True) if self.expand is not None else given
        found = self.project(functional.relu6(self.filter(found), inplace=True))
        return given + found if self.residual else found


def lite0() -> Lite0:
    """The network with its weights, which were trained on ImageNet.

    Raises:
        VisandaError: the file of the weights is damaged.
    """
    network = Lite0()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    with torch.no_grad():
        for layer, (weight, bias) in zip(layers, _stored(), strict=True):
            layer.weight.copy_(weight)
            assert layer.bias is not None
            layer.bias.copy_(bias)
    return network


def _stored() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Weight and bias of each convolution, in the order of the graph."""
    graph = onnx.load_from_string(verified(model("efficientnet_lite0"))).graph
    held = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    held |= {
        node.output[0]: held[node.input[0]] for node in graph.node if node.op_type == "Cast" and node.input[0] in held
    }
    for node in graph.node:
        if node.op_type == "Conv":
            weight, bias = (torch.tensor(held[name], dtype=torch.float32) for name in node.input[1:])
            yield weight, bias
