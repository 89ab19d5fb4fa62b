"""Stages of a run: the heads, the best epoch, and once more with all codes; a run that was killed goes on in any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from visanda.learn.finetune import probe
from visanda.learn.finetune.epochs import Progress, again, find_rate, steps_of, told, train
from visanda.learn.finetune.heads import Head
from visanda.learn.finetune.learner import Learner
from visanda.learn.finetune.optimiser import Optimiser, parameters, restore
from visanda.learn.finetune.rate import FROM_SCRATCH
from visanda.learn.finetune.scoring import scores
from visanda.learn.finetune.task import Task

State = Mapping[str, Any]  # of a checkpoint


@dataclass(frozen=True, eq=False)
class Run:
    """What all stages work with.

    Attributes:
        learner: the network with its pictures and codes.
        tasks: what it learns.
        rows: to learn from; to validate on.
        write: writes a checkpoint.
        say: tells how it goes.
    """

    learner: Learner
    tasks: Mapping[str, Task]
    rows: tuple[np.ndarray, np.ndarray]
    write: Callable[[State], None]
    say: Callable[[str], None]

    @property
    def both(self) -> np.ndarray:
        """The rows of both sets."""
        return np.concatenate(self.rows)

    @property
    def refits(self) -> bool:
        """Whether the network learns once more, from both sets."""
        return self.learner.settings.refitted(len(self.both))


@dataclass(frozen=True, eq=False)
class Done:
    """How a run went.

    Attributes:
        history: a row an epoch.
        epochs: that were run, to find the best.
        best_epoch: whose network had the lowest validation loss; 0: the one with nothing but its heads fitted.
        validated: logits of each task on the validation set, by that network.
        best: its trained parameters, by name; nothing where layers are frozen.
        rate: of learning; ``None`` where layers are frozen.
        penalty: ridge, of the heads; ``None`` from scratch.
        refitted: whether the network then learnt from the validation set too.
        resumed_after: the epoch after which an interrupted run went on; 0: it was not interrupted.
    """

    history: list[dict[str, float]]
    epochs: int
    best_epoch: int
    validated: list[torch.Tensor] = field(repr=False)
    best: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)
    rate: float | None = None
    penalty: float | None = None
    refitted: bool = False
    resumed_after: int = 0


def heads_only(run: Run) -> Done:
    """Frozen layers: heads are fitted and nothing else."""
    features, history, best = _fit_heads(run)
    penalty = history[best - 1]["penalty"]
    said = [head(features[torch.from_numpy(run.rows[1])]).detach() for head in _own_heads(run)]
    if run.refits:
        _refit_heads(run, features, penalty)
    return Done(history, len(history), best, said, penalty=penalty, refitted=run.refits)


def whole(run: Run, state: State | None) -> Done:
    """Heads, the best epoch, and once more; or on from where a checkpoint stands."""
    start = parameters(run.learner.network)
    if state is not None:
        run.learner.portions.size = state["portion"]
        run.say(f"An interrupted run goes on after epoch {state['epoch']}{' of the second time' * ('done' in state)}")
    if state is None or "done" not in state:
        done = _best_epoch(run, state)
        state = None
    else:
        done = Done(**state["done"], resumed_after=state["epoch"])
    return replace(done, refitted=run.refits and _once_more(run, done, start, state))


def _best_epoch(run: Run, state: State | None) -> Done:
    """Learn until the validation loss falls no more."""
    learner, penalty = run.learner, None
    if state is None:
        now, penalty = _begun(run)
    optimiser = Optimiser(learner.network, steps_of(learner, run.rows[0]))
    if state is not None:
        optimiser.load(state["optimiser"])
        now, penalty = Progress(**state["progress"]), state["penalty"]
    since = now.epoch

    def keep(reached: Progress) -> None:
        held = {"progress": vars(reached), "penalty": penalty, "epoch": reached.epoch}
        run.write({**held, "optimiser": optimiser.state(), "portion": learner.portions.size})

    train(learner, run.tasks, run.rows, now, optimiser, keep, run.say)
    said = learner.logits(run.rows[1])
    return Done(now.history, now.epoch, now.best_epoch, said, now.best, now.rate, penalty, resumed_after=since)


def _begun(run: Run) -> tuple[Progress, float | None]:
    """Epoch 0: heads fitted, a rate found; and the heads' penalty. From scratch there is nothing to fit heads on."""
    learner, history, loss, penalty = run.learner, list[dict[str, float]](), float("inf"), None
    if not learner.settings.scratch:
        _, tried, best = _fit_heads(run)
        row, penalty = tried[best - 1], tried[best - 1]["penalty"]
        history, loss = [{**{name: row[name] for name in row if name != "penalty"}, "epoch": 0}], row["validation_loss"]
    rate = learner.settings.rate
    if rate is None and learner.settings.scratch:
        rate = FROM_SCRATCH
    if rate is None:
        rate = find_rate(learner, run.rows[0])
        run.say(f"Learning rate found: {rate:.2g}")
    return Progress(rate, 0, 0, loss, 0, parameters(learner.network), history), penalty


def _once_more(run: Run, done: Done, start: Mapping[str, torch.Tensor], state: State | None) -> bool:
    """Learn anew from both sets, for as many epochs as were best; whether it went well: if not, the best one stays."""
    learner, rate, first = run.learner, done.rate or 0.0, 1
    restore(learner.network, start)
    if state is None and done.penalty is not None:
        _refit_heads(run, _features(run), done.penalty)
    optimiser = Optimiser(learner.network, steps_of(learner, run.both))
    if state is not None:
        optimiser.load(state["optimiser"])
        first = state["epoch"] + 1

    def keep(epoch: int) -> None:
        held = {name: value for name, value in vars(done).items() if name not in ("refitted", "resumed_after")}
        run.write({"done": held, "epoch": epoch, "optimiser": optimiser.state(), "portion": learner.portions.size})

    if again(learner, run.both, range(first, done.best_epoch + 1), rate, optimiser, keep, run.say):
        return True
    run.say(f"The loss is no number any more: the network stays as it was after epoch {done.best_epoch}")
    restore(learner.network, done.best)
    return False


def _features(run: Run) -> torch.Tensor:
    """Features (n, width) of all pictures, by the network as it is; 0 for those that are in no set."""
    found = torch.zeros(len(run.learner.squares), run.learner.network.backbone.width)
    found[torch.from_numpy(run.both)] = run.learner.features(run.both)
    return found


def _fit_heads(run: Run) -> tuple[torch.Tensor, list[dict[str, float]], int]:
    """Fit the heads on the network as it is, with the ridge penalty that has the lowest validation loss.

    Returns:
        The features; a row a penalty, from strong to weak; the number of the best one, from 1.
    """
    learner, features, train_on = run.learner, _features(run), torch.from_numpy(run.rows[0])
    here, seen = [one.head for one in learner.codes_here], features[torch.from_numpy(run.rows[1])]
    history, best, lowest = list[dict[str, float]](), 0, float("inf")
    for penalty, fitted, loss in probe.fitted(here, learner.codes_here, features, train_on):
        with torch.no_grad():
            logits = [head(seen) for head in fitted]
        validation = learner.validation_loss(logits, run.rows[1])
        row = {"epoch": len(history) + 1, "train_loss": loss, "validation_loss": validation}
        history.append(row | scores(run.tasks, fitted, logits, run.rows[1]) | {"penalty": penalty})
        if validation < lowest:
            lowest, best = validation, len(history)
            _use(run, fitted)
    run.say(f"The head alone, on the network as it is: {told(history[best - 1])}")
    return features, history, best


def _refit_heads(run: Run, features: torch.Tensor, penalty: float) -> None:
    """Fit the heads on both sets, with a penalty that is known."""
    codes = run.learner.codes_here
    for tried, fitted, _ in probe.fitted([one.head for one in codes], codes, features, torch.from_numpy(run.both)):
        if tried <= penalty:
            _use(run, fitted)
            return


def _use(run: Run, fitted: list[Head]) -> None:
    for own, head in zip(run.learner.network.heads, fitted, strict=True):
        own.load_state_dict(head.state_dict())


def _own_heads(run: Run) -> list[Head]:
    """Copies of the network's heads, on the CPU."""
    found = [Head(head.target, run.learner.network.backbone.width) for head in run.learner.network.each_head()]
    for mine, own in zip(found, run.learner.network.heads, strict=True):
        mine.load_state_dict({name: value.cpu() for name, value in own.state_dict().items()})
    return found
