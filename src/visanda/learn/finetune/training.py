"""One run of fine-tuning from beginning to end; `finetune` loads it when torch is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np
import torch

from visanda.errors import InputError
from visanda.learn.finetune import checkpoint, chosen, probe
from visanda.learn.finetune import device as devices
from visanda.learn.finetune.duration import announced
from visanda.learn.finetune.epochs import Progress, find_rate, steps_of, told, train
from visanda.learn.finetune.finish import Done, finished
from visanda.learn.finetune.learner import Learner
from visanda.learn.finetune.losses import Codes
from visanda.learn.finetune.memory import Portions
from visanda.learn.finetune.network import Backbone, Network, head_of, load_backbone
from visanda.learn.finetune.optimiser import Optimiser, parameters
from visanda.learn.finetune.reading import Source, Squares
from visanda.learn.finetune.scoring import scores
from visanda.learn.finetune.settings import Settings
from visanda.learn.finetune.task import TRAIN, VALIDATION, Finetuned, Task, check

Say = Callable[[str], None]
Rows = tuple[np.ndarray, np.ndarray]  # to learn from, to validate on


def run(
    pictures: Sequence[Source],
    tasks: Mapping[str, Task],
    sets: Sequence[str],
    settings: Settings,
    folder: Path,
    say: Say,
) -> Finetuned:
    """Train; see `visanda.learn.finetune.finetune`."""
    placed, device = check(tasks, sets, len(pictures)), devices.choose(settings.device)
    torch.manual_seed(settings.seed)
    backbone = load_backbone(settings.backbone)
    key = checkpoint.key_of(settings, backbone.known, tasks, placed)
    state = None if settings.trained == "frozen" else checkpoint.read(folder, key)
    squares = Squares(pictures, settings.side or backbone.side, settings.crop, settings.workers or cpu_count() or 1)
    rows = _readable(tasks, placed, squares, say)
    chosen.choose(backbone.body, settings.trained)
    with _learning(backbone, tasks, placed == TRAIN, squares, settings, device, say) as learner:
        if state is None:
            announced(learner, rows, say)
        if settings.trained == "frozen":
            done = _heads_only(learner, tasks, rows, say)
        else:
            done = _whole(learner, tasks, rows, folder, key, state, say)
        made = finished(learner, tasks, rows, done)
    checkpoint.delete(folder)
    return made


@contextmanager
def _learning(
    backbone: Backbone,
    tasks: Mapping[str, Task],
    learnt: np.ndarray,
    squares: Squares,
    settings: Settings,
    device: torch.device,
    say: Say,
) -> Iterator[Learner]:
    """The learner, with threads that make pictures ready for as long as it works."""
    heads = [head_of(task, backbone.width, learnt) for task in tasks.values()]
    network = Network(backbone, heads, settings.scratch).to(device)
    network.arrange()
    codes, here = (
        [
            Codes.of(head, task, learnt, settings.balance, where)
            for head, task in zip(heads, tasks.values(), strict=True)
        ]
        for where in (device, torch.device("cpu"))
    )
    with ThreadPoolExecutor(settings.workers or cpu_count() or 1) as pool:
        yield Learner(network, codes, here, squares, settings, device, Portions(settings.batch, say), pool)


def _readable(tasks: Mapping[str, Task], placed: np.ndarray, squares: Squares, say: Say) -> Rows:
    """The pictures of each set that can be read and have a code in one of the tasks.

    Raises:
        InputError: none are left in a set.
    """
    coded = np.any([task.known for task in tasks.values()], axis=0)
    there = coded & ~np.isin(np.arange(len(placed)), list(squares.failed))
    if squares.failed:
        first = next(iter(squares.failed.values()))
        say(f"{len(squares.failed)} of {len(placed)} pictures cannot be read and are left out, such as: {first}")
    rows = np.flatnonzero(there & (placed == TRAIN)), np.flatnonzero(there & (placed == VALIDATION))
    if not all(map(len, rows)):
        raise InputError(f"no picture is left to {'train' if not len(rows[0]) else 'validate'} on: see why above")
    return rows


def _fit_heads(learner: Learner, tasks: Mapping[str, Task], rows: Rows, say: Say) -> tuple[list[dict[str, float]], int]:
    """Fit the heads on the backbone as it is, with the ridge penalty that has the lowest validation loss.

    Returns:
        A row a penalty, from strong to weak; the number of the best one, from 1.
    """
    features = torch.zeros(len(learner.squares), learner.network.backbone.width)
    both = np.concatenate(rows)
    features[torch.from_numpy(both)] = learner.features(both)
    here, seen = [one.head for one in learner.codes_here], features[torch.from_numpy(rows[1])]
    history, best, lowest = list[dict[str, float]](), 0, float("inf")
    for penalty, fitted, loss in probe.fitted(here, learner.codes_here, features, torch.from_numpy(rows[0])):
        with torch.no_grad():
            logits = [head(seen) for head in fitted]
        validation = learner.validation_loss(logits, rows[1])
        row = {"epoch": len(history) + 1, "train_loss": loss, "validation_loss": validation}
        history.append(row | scores(tasks, fitted, logits, rows[1]) | {"penalty": penalty})
        if validation < lowest:
            lowest, best = validation, len(history)
            for own, head in zip(learner.network.heads, fitted, strict=True):
                own.load_state_dict(head.state_dict())
    say(f"The head alone, on the network as it is: {told(history[best - 1])}")
    return history, best


def _heads_only(learner: Learner, tasks: Mapping[str, Task], rows: Rows, say: Say) -> Done:
    """Frozen layers: nothing else is trained."""
    history, best = _fit_heads(learner, tasks, rows, say)
    return Done(history, len(history), best, penalty=history[best - 1]["penalty"])


def _whole(
    learner: Learner,
    tasks: Mapping[str, Task],
    rows: Rows,
    folder: Path,
    key: Mapping[str, str],
    state: dict[str, Any] | None,
    say: Say,
) -> Done:
    """The heads first and then all that is to be trained, or on from where a checkpoint stands."""
    if state is None:
        now = _begun(learner, tasks, rows, say)
        optimiser = Optimiser(learner.network, steps_of(learner, rows[0]))
    else:
        optimiser = Optimiser(learner.network, steps_of(learner, rows[0]))
        optimiser.load(state["optimiser"])
        now, learner.portions.size = Progress(**state["progress"]), state["portion"]
        say(f"Going on after epoch {now.epoch}, from {folder / checkpoint.NAME}")
    since = now.epoch

    def keep(reached: Progress) -> None:
        held = {"progress": vars(reached), "optimiser": optimiser.state(), "portion": learner.portions.size}
        checkpoint.write(folder, key, held)

    train(learner, tasks, rows, now, optimiser, keep, say)
    return Done(now.history, now.epoch, now.best_epoch, rate=now.rate, resumed_after=since)


def _begun(learner: Learner, tasks: Mapping[str, Task], rows: Rows, say: Say) -> Progress:
    """Epoch 0: the heads fitted, and a rate found. From scratch there is nothing to fit heads on."""
    settings, history, loss = learner.settings, list[dict[str, float]](), float("inf")
    if not settings.scratch:
        tried, best = _fit_heads(learner, tasks, rows, say)
        row = {name: value for name, value in tried[best - 1].items() if name != "penalty"} | {"epoch": 0}
        history, loss = [row], row["validation_loss"]
    found = settings.rate
    if found is None:
        found = find_rate(learner, rows[0])
        say(f"Learning rate found: {found:.2g}")
    return Progress(found, 0, 0, loss, 0, parameters(learner.network), history)
