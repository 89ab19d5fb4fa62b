"""Epochs: learning from all pictures again and again, until the validation loss has not fallen for a while."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from visanda.errors import InputError
from visanda.learn.finetune import rate
from visanda.learn.finetune.batches import order, varied
from visanda.learn.finetune.learner import Learner
from visanda.learn.finetune.optimiser import Optimiser, parameters, restore
from visanda.learn.finetune.scoring import scores
from visanda.learn.finetune.task import Task
from visanda.progress import progress

TRIFLE = 0.002  # a fall of the validation loss that is not worth waiting for another


@dataclass
class Progress:
    """How far training has come; what a checkpoint holds beside the optimiser's state.

    Attributes:
        rate: of learning, at its highest.
        epoch: the last finished one; 0: the heads alone are fitted.
        best_epoch: with the lowest validation loss.
        best_loss: that loss.
        fell: the last epoch at which it fell by more than a trifle.
        best: the trained parameters at the best epoch, by name.
        history: a row an epoch.
    """

    rate: float
    epoch: int
    best_epoch: int
    best_loss: float
    fell: int
    best: dict[str, torch.Tensor]
    history: list[dict[str, float]] = field(default_factory=list)


def steps_of(learner: Learner, train: np.ndarray) -> int:
    """Steps an epoch."""
    return len(order(train, learner.settings.batch, learner.settings.seed, rate.TRIED))


def find_rate(learner: Learner, train: np.ndarray) -> float:
    """The learning rate, found by trying; the network is then as it was."""
    settings, network = learner.settings, learner.network
    held, optimiser = parameters(network), Optimiser(network, steps_of(learner, train))
    torch.manual_seed(settings.seed)
    steps: list[np.ndarray] = []
    while len(steps) < rate.STEPS:
        steps += order(train, settings.batch, settings.seed + len(steps), rate.TRIED)
    batches = varied(learner.squares, steps[: rate.STEPS], settings.augment, settings.seed, rate.TRIED, learner.pool)

    def step(at: float) -> float:
        loss = learner.loss(*next(batches))
        optimiser.step(at)
        return loss

    found = rate.found(step)
    restore(network, held)
    return found


def train(
    learner: Learner,
    tasks: Mapping[str, Task],
    rows: tuple[np.ndarray, np.ndarray],
    now: Progress,
    optimiser: Optimiser,
    keep: Callable[[Progress], None],
    say: Callable[[str], None],
) -> None:
    """Train until the last epoch, or until patience is at an end; the network is then that of the best epoch.

    Args:
        learner: with the network as it is after epoch ``now.epoch``.
        tasks: for live scores.
        rows: to learn from; to validate on.
        now: how far it has come; goes on with each epoch.
        optimiser: as it is after that epoch.
        keep: called after each epoch.
        say: called with a line for each epoch.

    Raises:
        InputError: the loss was no number in any epoch.
    """
    settings, network = learner.settings, learner.network
    while now.epoch < settings.epochs and now.epoch - now.fell < settings.waits:
        began = time.perf_counter()
        now.epoch += 1
        loss = _epoch(learner, rows[0], now.epoch, now.rate, optimiser)
        with optimiser.average.used():
            logits = learner.logits(rows[1])
            validation = learner.validation_loss(logits, rows[1])
            if validation < now.best_loss - TRIFLE:
                now.fell = now.epoch
            if validation < now.best_loss:
                now.best_epoch, now.best_loss, now.best = now.epoch, validation, parameters(network)
        row = {"epoch": now.epoch, "train_loss": loss, "validation_loss": validation}
        row |= scores(tasks, [one.head for one in learner.codes_here], logits, rows[1])
        now.history.append(row | {"rate": now.rate, "seconds": time.perf_counter() - began})
        say(f"Epoch {now.epoch} of {settings.epochs}: {told(row)}, {time.perf_counter() - began:.1f} s")
        if not math.isfinite(validation):
            say(f"The loss is no number any more: the rate {now.rate:.2g} is too high, so training ends here")
            break
        keep(now)
    if now.epoch < settings.epochs and now.epoch - now.fell >= settings.waits:
        say(f"Stopped: in {settings.waits} epochs, the validation loss did not fall below that of epoch {now.fell}")
    if not math.isfinite(now.best_loss):
        raise InputError(f"nothing was learnt: the loss is no number; choose a rate below {now.rate:.2g}, or none")
    restore(network, now.best)


def again(
    learner: Learner,
    rows: np.ndarray,
    epochs: range,
    highest: float,
    optimiser: Optimiser,
    keep: Callable[[int], None],
    say: Callable[[str], None],
) -> bool:
    """Train for a number of epochs that is known, without validation.

    Args:
        learner: with the network as it is before the first of them.
        rows: to learn from.
        epochs: their numbers.
        highest: rate of learning, at its highest.
        optimiser: as it is before the first of them.
        keep: called with each epoch that is finished.
        say: called with a line for each epoch.

    Returns:
        Whether the loss was a number throughout.
    """
    for epoch in epochs:
        loss = _epoch(learner, rows, epoch, highest, optimiser)
        if not math.isfinite(loss):
            return False
        say(f"Once more, with the validation set: epoch {epoch} of {epochs.stop - 1}: train loss {loss:.3f}")
        keep(epoch)
    with optimiser.average.used():
        found = parameters(learner.network)
    restore(learner.network, found)
    return True


def _epoch(learner: Learner, train: np.ndarray, epoch: int, highest: float, optimiser: Optimiser) -> float:
    """Learn from all pictures once; the mean loss."""
    settings = learner.settings
    # Each epoch's random numbers are its own, so that a run that was killed goes on as if nothing had been.
    torch.manual_seed(settings.seed * 1_000_003 + epoch)
    steps = order(train, settings.batch, settings.seed, epoch)
    losses = 0.0
    batches = varied(learner.squares, steps, settings.augment, settings.seed, epoch, learner.pool)
    with progress(f"Epoch {epoch}", len(train)) as advance:
        for number, (rows, pixels) in enumerate(batches):
            losses += learner.loss(rows, pixels) * len(rows)
            step = (epoch - 1) * len(steps) + number
            optimiser.step(rate.scheduled(highest, step, settings.epochs * len(steps)))
            advance(len(rows))
    return losses / len(train)


def told(row: Mapping[str, float]) -> str:
    """A row of history in words."""
    shown = {name: value for name, value in row.items() if name not in ("epoch", "penalty")}
    return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in shown.items())
