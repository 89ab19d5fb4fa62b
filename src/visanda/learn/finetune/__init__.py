"""Fine-tuning: a network that knows pictures learns from people's codes (extra ``train``: torch, timm, transformers).

What needs torch stands in modules that import it, and `training` is loaded when it is first needed, so that all other
commands start without torch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from visanda.extras import need
from visanda.learn.finetune.reading import Source
from visanda.learn.finetune.settings import Settings
from visanda.learn.finetune.task import Finetuned, Task

__all__ = ["Finetuned", "Settings", "Source", "Task", "finetune"]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def finetune(
    pictures: Sequence[Source],
    tasks: Mapping[str, Task],
    sets: Sequence[str],
    settings: Settings,
    folder: Path,
    on_progress: Callable[[str], None] = _say,
    on_start: Callable[[], None] = lambda: None,
) -> Finetuned:
    """Fine-tune a network.

    Heads are fitted first on the network as it is (Kumar et al. 2022), then all that `Settings.layers` names is
    trained with AdamW; the epoch with the lowest validation loss is kept, which may be the first state. What is
    random depends on the seed alone; on a CPU, the same call gives the same scores.

    Args:
        pictures: n paths, moments of videos, parts of pictures, or arrays.
        tasks: what is learnt from them, by name; several share the network.
        sets: n times ``train`` or ``validation``. Keep a test set out.
        settings: how.
        folder: for the checkpoint of a run; a run that was killed goes on from it, and it is gone at the end.
        on_progress: called with lines about how it goes: how long it will take, each epoch, what went wrong.
        on_start: called once all that was asked for has been seen to be there, before anything is learnt.

    Raises:
        MissingExtra: torch, or what the backbone needs, is not installed.
        InputError: codes that nothing can be learnt from, a backbone or device that is not there, a checkpoint of
            another run, or a picture too large for the memory.
    """
    need("torch", "train")
    made: Finetuned = need("visanda.learn.finetune.training", "train").train(
        pictures, tasks, sets, settings, folder, on_progress, on_start
    )
    return made
