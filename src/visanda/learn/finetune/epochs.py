"""Epochs: learning from all pictures again and again, until the validation loss has not fallen for a while."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from visanda.learn.finetune import checkpoint, rate
from visanda.learn.finetune.batches import order, varied
from visanda.learn.finetune.learner import Learner
from visanda.learn.finetune.scoring import scores
from visanda.learn.finetune.task import Task

DECAY = 0.05  # of weights, a step, times the rate (Loshchilov & Hutter 2019)
TRIFLE = 0.002  # a fall of the validation loss that is not worth waiting for another
CLIPPED = 1.0  # length of the gradient, at most


@dataclass
class Progress:
    """How far training has come; what a checkpoint holds beside the network.

    Attributes:
        rate: of the backbone and the heads.
        epoch: the last finished one; 0: the heads alone are fitted.
        best_epoch: with the lowest validation loss.
        best_loss: that loss.
        fell: the last epoch at which it fell by more than a trifle.
        best: the trained parameters at that epoch, by name.
        history: a row an epoch.
    """

    rate: float
    epoch: int
    best_epoch: int
    best_loss: float
    fell: int
    best: dict[str, torch.Tensor]
    history: list[dict[str, float]] = field(default_factory=list)


def parameters(network: nn.Module) -> dict[str, torch.Tensor]:
    """The parameters that are trained, by name; copies on the CPU."""
    return {name: one.detach().cpu().clone() for name, one in network.named_parameters() if one.requires_grad}


def restore(network: nn.Module, held: Mapping[str, torch.Tensor]) -> None:
    """Put parameters back."""
    own = dict(network.named_parameters())
    with torch.no_grad():
        for name, value in held.items():
            own[name].copy_(value)


def optimizer_of(network: nn.Module) -> torch.optim.Optimizer:
    """AdamW for the parameters that are trained; what has no rows and columns does not decay."""
    trained = [one for one in network.parameters() if one.requires_grad]
    return torch.optim.AdamW(
        [
            {"params": [one for one in trained if one.ndim > 1], "weight_decay": DECAY},
            {"params": [one for one in trained if one.ndim <= 1], "weight_decay": 0.0},
        ]
    )


def find_rate(learner: Learner, train: np.ndarray) -> float:
    """The learning rate, found on a copy of what is trained; the network is then as it was."""
    settings, network = learner.settings, learner.network
    held, optimizer = parameters(network), optimizer_of(network)
    torch.manual_seed(settings.seed)
    steps: list[np.ndarray] = []
    for again in range(rate.STEPS):
        if len(steps) < rate.STEPS:
            steps += order(train, settings.batch, settings.seed + again, rate.TRIED)
    batches = varied(learner.squares, steps[: rate.STEPS], settings.augment, settings.seed, rate.TRIED, learner.pool)

    def step(at: float) -> float:
        loss = learner.loss(*next(batches))
        _update(network, optimizer, at)
        return loss

    found = rate.found(step)
    restore(network, held)
    return found


def train(
    learner: Learner,
    tasks: Mapping[str, Task],
    rows: tuple[np.ndarray, np.ndarray],
    begun: Progress,
    optimizer: torch.optim.Optimizer,
    keep: Callable[[Progress], None],
    say: Callable[[str], None],
) -> Progress:
    """Train until the last epoch, or until patience is at an end.

    Args:
        learner: with the network as it is after epoch ``begun.epoch``.
        tasks: for live scores.
        rows: to learn from; to validate on.
        begun: how far it has come.
        optimizer: as it is after that epoch.
        keep: called after each epoch.
        say: called with a line for each epoch.
    """
    settings, network, now = learner.settings, learner.network, begun
    while now.epoch < settings.epochs and now.epoch - now.fell < settings.patience:
        began = time.perf_counter()
        now.epoch += 1
        loss = _epoch(learner, rows[0], now, optimizer)
        logits = learner.logits(rows[1])
        row = {"epoch": now.epoch, "train_loss": loss, "validation_loss": learner.validation_loss(logits, rows[1])}
        row |= scores(tasks, [one.head for one in learner.codes_here], logits, rows[1])
        row |= {"rate": now.rate, "seconds": time.perf_counter() - began}
        now.history.append(row)
        say(f"Epoch {now.epoch} of {settings.epochs}: {told(row)}, {row['seconds']:.1f} s")
        if not math.isfinite(row["validation_loss"]):
            say(f"The loss is no number any more: the rate {now.rate:.2g} is too high, so training ends here")
            break
        if row["validation_loss"] < now.best_loss - TRIFLE:
            now.fell = now.epoch
        if row["validation_loss"] < now.best_loss:
            now.best_epoch, now.best_loss, now.best = now.epoch, row["validation_loss"], parameters(network)
        keep(now)
    if now.epoch < settings.epochs and now.epoch - now.fell >= settings.patience:
        say(f"Stopped: the validation loss has not fallen for {settings.patience} epochs")
    restore(network, now.best)
    return now


def _epoch(learner: Learner, train: np.ndarray, now: Progress, optimizer: torch.optim.Optimizer) -> float:
    """Learn from all pictures once; the mean loss."""
    settings = learner.settings
    # Each epoch's random numbers are its own, so that a run that was killed goes on as if nothing had been.
    torch.manual_seed(settings.seed * 1_000_003 + now.epoch)
    steps = order(train, settings.batch, settings.seed, now.epoch)
    losses = []
    batches = varied(learner.squares, steps, settings.augment, settings.seed, now.epoch, learner.pool)
    for number, (rows, pixels) in enumerate(batches):
        losses.append(learner.loss(rows, pixels) * len(rows))
        step = (now.epoch - 1) * len(steps) + number
        _update(learner.network, optimizer, rate.scheduled(now.rate, step, settings.epochs * len(steps)))
    return sum(losses) / len(train)


def _update(network: nn.Module, optimizer: torch.optim.Optimizer, at: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = at
    nn.utils.clip_grad_norm_(network.parameters(), CLIPPED)
    optimizer.step()


def told(row: Mapping[str, float]) -> str:
    """A row of history in words."""
    shown = {name: value for name, value in row.items() if name not in ("epoch", "rate", "seconds", "penalty")}
    return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in shown.items())


def kept(
    folder: Path, key: Mapping[str, str], learner: Learner, optimizer: torch.optim.Optimizer
) -> Callable[[Progress], None]:
    """What writes a checkpoint of how far training has come."""

    def keep(now: Progress) -> None:
        state: dict[str, Any] = {name: value for name, value in asdict(now).items() if name != "best"}
        state |= {"best": now.best, "network": parameters(learner.network), "optimizer": optimizer.state_dict()}
        checkpoint.write(folder, key, {**state, "portion": learner.portions.size})

    return keep


def resumed(state: dict[str, Any], learner: Learner, optimizer: torch.optim.Optimizer) -> Progress:
    """Network, optimiser and progress as a checkpoint holds them."""
    restore(learner.network, state.pop("network"))
    optimizer.load_state_dict(state.pop("optimizer"))
    learner.portions.size = state.pop("portion")
    return Progress(**state)
