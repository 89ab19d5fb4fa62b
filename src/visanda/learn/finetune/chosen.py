"""Which layers are trained: the head, the last third of the network, all, or what LoRA adds."""

from __future__ import annotations

from torch import nn

from visanda.learn.finetune import lora
from visanda.learn.finetune.settings import Layers


def choose(body: nn.Module, layers: Layers) -> int:
    """Let those parts of a backbone be trained, and no others.

    The last third is meant in the order in which the network defines its layers; a layer is what has a weight with
    rows and columns.

    Returns:
        How many numbers of the backbone are trained.

    Raises:
        InputError: LoRA has nothing to be added to.
    """
    body.requires_grad_(layers == "full")
    if layers == "lora":
        lora.add(body)
    if layers == "partial":
        everything = list(body.parameters())
        weights = [number for number, one in enumerate(everything) if one.ndim > 1]
        for one in everything[weights[-max(1, round(len(weights) / 3))] :]:
            one.requires_grad_(True)
    return sum(one.numel() for one in body.parameters() if one.requires_grad)
