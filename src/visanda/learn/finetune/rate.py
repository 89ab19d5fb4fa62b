"""The learning rate: how fast to learn, as a schedule over a run, and the finder that chooses it (Smith 2017)."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, isfinite, pi

LOWEST, HIGHEST = 1e-6, 1e-1  # rates that are tried
STEPS = 26  # of the finder
TRIED = 0  # the epoch whose random numbers the finder takes; training begins with epoch 1
KEPT = 0.6  # share of the loss so far in the smoothed one
TOO_HIGH = 2.0  # the finder stops where the smoothed loss is so many times the lowest
BELOW = 10.0  # the rate is so many times lower than the one where the loss was lowest (Smith 2017)
USUAL = (2e-5, 3e-3)  # what is found is kept within
FROM_SCRATCH = 2e-3  # where nothing is known, the loss stands still at first, and the finder sees nothing
WARM = 0.1  # share of the steps over which the rate rises


def scheduled(rate: float, step: int, steps: int) -> float:
    """The rate of a step: it rises over the first tenth, and falls to 0 along a cosine."""
    warm = max(1, round(WARM * steps))
    if step < warm:
        return rate * (step + 1) / warm
    return rate * (1 + cos(pi * (step - warm) / max(1, steps - warm))) / 2


def found(step: Callable[[float], float]) -> float:
    """Find a rate: it rises from step to step, and where the loss is lowest, it is nearly too high.

    Args:
        step: makes a step of training at a rate, and gives the loss before it.
    """
    smooth, best, at, weight = 0.0, float("inf"), LOWEST, 0.0
    for number in range(STEPS):
        rate = LOWEST * (HIGHEST / LOWEST) ** (number / (STEPS - 1))
        loss = step(rate)
        smooth, weight = KEPT * smooth + (1 - KEPT) * loss, KEPT * weight + (1 - KEPT)
        if not isfinite(loss) or smooth / weight > TOO_HIGH * best:
            break
        if smooth / weight < best:
            best, at = smooth / weight, rate
    return float(f"{min(max(at / BELOW, USUAL[0]), USUAL[1]):.2g}")
