"""The heads alone, on features that are computed once: all there is to frozen layers, and where the others begin.

A new head on a network that is trained at the same time first distorts what the network knows; so the head is fitted
first (Kumar et al. 2022). As with the heads on embeddings, beside the pictures each value counts as seen a hundredth
of a time at the middle of all: where a few pictures could be told apart in many ways, no value is rarer than need be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace

import torch

from visanda.learn.finetune.heads import Head
from visanda.learn.finetune.losses import Codes, total

PENALTIES = tuple(10.0 ** (power / 2) for power in range(3, -7, -1))  # ridge, from strong to weak
STEPS = 100  # of L-BFGS for each penalty, at most
PRIOR = 0.01  # pictures of each value, at the middle


def fitted(
    heads: Sequence[Head], codes: Sequence[Codes], features: torch.Tensor, train: torch.Tensor
) -> Iterator[tuple[float, list[Head], float]]:
    """Heads for one ridge penalty after the other, from strong to weak, each going on from the one before.

    Args:
        heads: to begin with; they are left as they are.
        codes: of each, on the CPU.
        features: (n, width) of all pictures.
        train: rows to learn from.

    Yields:
        The penalty; the heads; their loss on the rows to learn from.
    """
    mine = [deepcopy(head).double() for head in heads]
    alike = [replace(one, weight=1.0) for one in codes]  # a task's weight does not change what is best for its head
    middle = features[train].double().mean(0)
    inputs = features[train].double() - middle
    for penalty in PENALTIES:
        for head, one in zip(mine, alike, strict=True):
            _descend(head, one, inputs, train, penalty)
        with torch.no_grad():
            loss = float(total(codes, [head(inputs) for head in mine], train, train))
        yield penalty, [_moved(head, middle).float() for head in mine], loss


def _moved(head: Head, middle: torch.Tensor) -> Head:
    """The same head, for features that are not counted from their middle."""
    moved = deepcopy(head)
    with torch.no_grad():
        moved.linear.bias.sub_(moved.linear.weight @ middle)
    return moved


def _prior(codes: Codes) -> Codes:
    """A code of each value."""
    target = codes.head.target
    if target.scale == "multilabel":
        truth = torch.tensor([0.0, 1.0]).repeat(target.outputs, 1).T
    else:
        truth = torch.arange(target.outputs)
    return replace(codes, truth=truth, counts=torch.ones_like(truth))


def _descend(head: Head, codes: Codes, inputs: torch.Tensor, train: torch.Tensor, penalty: float) -> None:
    share = 0.0 if head.target.scale == "interval" else PRIOR / float(codes.counts[train].sum())
    prior, every = _prior(codes), torch.arange(2 if head.target.scale == "multilabel" else head.target.outputs)
    middle = inputs.new_zeros((len(every), inputs.shape[1]))
    optimizer = torch.optim.LBFGS(
        head.parameters(), max_iter=STEPS, tolerance_grad=1e-6, history_size=20, line_search_fn="strong_wolfe"
    )

    def objective() -> torch.Tensor:
        optimizer.zero_grad()
        loss = total([codes], [head(inputs)], train, train) + penalty / 2 * head.linear.weight.square().sum()
        if share:
            loss = loss + share * prior.each(head(middle), every).sum()
        loss.backward()
        return loss

    optimizer.step(objective)
