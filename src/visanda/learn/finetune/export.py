"""Export: a trained network as ONNX, from 8-bit pixels to calibrated scores, checked against torch."""

from __future__ import annotations

import warnings
from io import BytesIO

import numpy as np
import torch
from torch import nn

from visanda.errors import VisandaError
from visanda.learn.finetune.heads import Head
from visanda.learn.finetune.network import Backbone
from visanda.models.own import Own

OPSET = 17
CLOSE = 1e-4  # how far ONNX and torch may be apart, in probabilities or standard deviations
COMPARED = 16  # pictures, at most


class _Whole(nn.Module):
    """Pixels → scores of one task."""

    def __init__(self, backbone: Backbone, head: Head, temperature: float) -> None:
        super().__init__()
        self.backbone, self.head, self.temperature = backbone, head, temperature

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.head.scores(self.head(self.backbone(pixels)), self.temperature)
        return found


def as_onnx(backbone: Backbone, head: Head, temperature: float, pixels: np.ndarray) -> bytes:
    """One task's model: input ``pixels`` (n, S, S, 3) uint8, output ``scores`` (n, outputs).

    Args:
        backbone: on the CPU.
        head: on the CPU.
        temperature: what logits are divided by.
        pixels: (m, S, S, 3) uint8, pictures on which the model is compared with the network.

    Raises:
        VisandaError: onnxruntime does not say the same as torch.
    """
    whole, held = _Whole(backbone, head, temperature).eval(), BytesIO()
    given = torch.from_numpy(pixels[:COMPARED])
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the tracer, on numbers that are fixed with the side
        torch.onnx.export(
            whole,
            (given[:2],),
            held,  # type: ignore[arg-type, unused-ignore]
            input_names=["pixels"],
            output_names=["scores"],
            dynamic_axes={"pixels": {0: "n"}, "scores": {0: "n"}},
            opset_version=OPSET,
            dynamo=False,
        )
        expected = whole(given).numpy()
    model = held.getvalue()
    apart = float(np.abs(Own(model)(given.numpy()) - expected).max()) / float(head.deviation)
    if not apart <= CLOSE:
        raise VisandaError(
            f"the exported model is not the trained one: its scores differ by {apart:.2g}. This backbone does what "
            "ONNX cannot tell: choose another"
        )
    return model
