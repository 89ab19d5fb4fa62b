"""Batches: pictures in the order of an epoch, varied at random, made ready in threads while the network works."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future

import numpy as np

from visanda.learn.finetune.augment import augmented
from visanda.learn.finetune.reading import Squares
from visanda.learn.finetune.settings import Augment

AHEAD = 2  # batches that are made ready in advance


def order(rows: np.ndarray, batch: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The rows of each step of an epoch: a function of seed and epoch alone, so that a run can go on anywhere.

    A last batch of less than a half of the others joins the one before.
    """
    shuffled = np.random.default_rng([seed, epoch]).permutation(rows)
    steps = max(1, round(len(shuffled) / batch))
    return [shuffled[step * batch : (step + 1) * batch if step + 1 < steps else None] for step in range(steps)]


def varied(
    squares: Squares, steps: list[np.ndarray], augment: Augment, seed: int, epoch: int, pool: Executor
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The rows and the pixels (m, S, S, 3) uint8 of each step.

    How a picture is varied depends on seed, epoch and the picture's number, not on who else is in its batch.
    """

    def one(row: int) -> np.ndarray:
        return augmented(squares[row], squares.side, augment, np.random.default_rng([seed, epoch, row]))

    ahead: deque[tuple[np.ndarray, list[Future[np.ndarray]]]] = deque()
    for rows in [*steps, *[None] * AHEAD]:
        if rows is not None:
            ahead.append((rows, [pool.submit(one, int(row)) for row in rows]))
        if ahead and (rows is None or len(ahead) > AHEAD):
            ready, futures = ahead.popleft()
            yield ready, np.stack([future.result() for future in futures])


def plain(squares: Squares, rows: np.ndarray, batch: int, pool: Executor) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows in order, as pixels (m, S, S, 3) uint8, without anything random."""
    steps = [rows[start : start + batch] for start in range(0, len(rows), batch)]
    return varied(squares, steps, "none", 0, 0, pool)
