"""Import this before timm and transformers' vision models: torchvision, which they look for, may be of another build.

PyPI's torchvision is built for CUDA. Beside a torch for CPUs its operators cannot be loaded, and importing it dies
with "operator torchvision::nms does not exist". Nothing here needs those operators; that they are declared is enough.
"""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

OPERATORS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
HERE = all(find_spec(name) for name in ("torch", "timm", "transformers"))

if HERE and find_spec("torchvision") and version("torch").endswith("+cpu") and "+" not in version("torchvision"):
    import torch

    declared = torch.library.Library("torchvision", "DEF")  # gone as soon as nobody holds it
    for name in ("nms", "qnms"):
        declared.define(name + OPERATORS)
