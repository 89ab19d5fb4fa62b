"""One run of fine-tuning from beginning to end; `finetune` loads it when torch is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from os import cpu_count
from pathlib import Path

import numpy as np
import torch

from visanda.errors import InputError
from visanda.learn.finetune import checkpoint, chosen
from visanda.learn.finetune import device as devices
from visanda.learn.finetune.duration import announced
from visanda.learn.finetune.finish import finished
from visanda.learn.finetune.learner import Learner
from visanda.learn.finetune.losses import Codes
from visanda.learn.finetune.memory import Portions
from visanda.learn.finetune.network import Backbone, Network, head_of, load_backbone
from visanda.learn.finetune.reading import Source, Squares
from visanda.learn.finetune.settings import Settings
from visanda.learn.finetune.stages import Run, heads_only, whole
from visanda.learn.finetune.task import TRAIN, VALIDATION, Finetuned, Task, check

Say = Callable[[str], None]
Rows = tuple[np.ndarray, np.ndarray]  # to learn from, to validate on


def train(
    pictures: Sequence[Source],
    tasks: Mapping[str, Task],
    sets: Sequence[str],
    settings: Settings,
    folder: Path,
    say: Say,
    start: Callable[[], None],
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
    start()
    with _learning(backbone, tasks, placed == TRAIN, squares, settings, device, say) as learner:
        if state is None:
            announced(learner, rows, say)
        run = Run(learner, tasks, rows, partial(checkpoint.write, folder, key), say)
        done = heads_only(run) if settings.trained == "frozen" else whole(run, state)
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
    copies = deepcopy(heads)  # for what is compared on the CPU
    network = Network(backbone, heads, settings.scratch).to(device)
    network.arrange()
    codes, here = (
        [Codes.of(head, task, learnt, settings.balance, where) for head, task in zip(own, tasks.values(), strict=True)]
        for own, where in ((heads, device), (copies, torch.device("cpu")))
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
