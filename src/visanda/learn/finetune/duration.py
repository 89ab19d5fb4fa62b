"""How long training will take, from the time of one batch, said before it begins."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from visanda.learn.finetune import rate
from visanda.learn.finetune.batches import order, plain
from visanda.learn.finetune.learner import Learner

HOUR = 3600.0  # seconds
LOOKING = 0.35  # of the time of learning from a picture takes one to look at it
WARM = 2  # pictures that go first, since the first of all takes longer


def announced(learner: Learner, rows: tuple[np.ndarray, np.ndarray], say: Callable[[str], None]) -> float:
    """Time a batch, and say how long training takes at most; on a CPU, what to do if that is long.

    Returns:
        Seconds, at most.
    """
    settings, (train, validation) = learner.settings, rows
    batch = order(train, settings.batch, settings.seed, rate.TRIED)[0]
    pixels = next(plain(learner.squares, batch, len(batch), learner.pool))[1]
    learner.loss(batch[:WARM], pixels[:WARM])
    began = time.perf_counter()
    learner.loss(batch, pixels)
    each = (time.perf_counter() - began) / len(batch)
    learner.network.zero_grad(set_to_none=True)
    seconds = LOOKING * each * (len(train) + len(validation))
    if settings.trained == "frozen":
        seconds = each * (len(train) + len(validation))  # nothing behind the head is learnt from: it is only looked at
        say(f"Training takes at most {_words(seconds)} on {learner.device}: each picture is looked at once")
        return seconds
    tried = 0 if settings.rate else rate.STEPS * len(batch)
    seconds += each * (tried + settings.epochs * (len(train) + LOOKING * len(validation)))
    if settings.refitted(len(train) + len(validation)):
        seconds += each * (settings.epochs + LOOKING) * (len(train) + len(validation))
    say(
        f"Training takes at most {_words(seconds)} on {learner.device}: {settings.epochs} epochs of {len(train):,} "
        "pictures; less if it stops early"
    )
    if seconds > HOUR and learner.device.type == "cpu":
        say("That is long. A graphics card is 20 to 100 times as fast; layers frozen takes one look at each picture")
    return seconds


def _words(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} hours"
