"""Many ridge-penalised linear models on the same rows, fitted together: L-BFGS on all of them at once.

Cross-validation fits the same model some seventy times, on other rows and with other penalties. One by one, each
multiplication of a large matrix with a few columns waits for memory; side by side they are one multiplication of two
large matrices, which is ten times as fast.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Objective = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

MEMORY = 8  # steps that L-BFGS remembers (Liu & Nocedal 1989)
HALVINGS = 15
STILL = 1e-10  # of a value, by which it must get less
ENOUGH = 1e-4  # of the decrease that the slope promises (Armijo 1966)


def minimise(objective: Objective, start: np.ndarray, tolerance: float, steps: int) -> np.ndarray:
    """Where P functions of m numbers are least, from ``start`` (P, m).

    Args:
        objective: of points (p, m) and which of the P functions these are for (p,): values (p,) and gradients (p, m).
        start: (P, m).
        tolerance: a function is done when no entry of its gradient is larger, or when it no longer gets less.
        steps: at most.
    """
    found = start.copy()
    left = np.arange(len(start))
    points = start.copy()
    values, slopes = objective(points, left)
    moves: list[np.ndarray] = []
    turns: list[np.ndarray] = []
    for _ in range(steps):
        going = np.abs(slopes).max(axis=1) > tolerance
        if not going.all():
            found[left] = points
            left, points, values, slopes = left[going], points[going], values[going], slopes[going]
            moves, turns = [move[going] for move in moves], [turn[going] for turn in turns]
        if not len(left):
            return found
        way = _direction(slopes, moves, turns)
        rise = np.einsum("pm,pm->p", way, slopes)
        uphill = rise >= 0
        way[uphill], rise[uphill] = -slopes[uphill], -np.einsum("pm,pm->p", slopes, slopes)[uphill]
        new, new_values, new_slopes = _step(objective, left, points, values, slopes, way, rise)
        moves, turns = [*moves[1 - MEMORY :], new - points], [*turns[1 - MEMORY :], new_slopes - slopes]
        still = np.abs(values - new_values) <= STILL * np.maximum(np.abs(values), 1e-3)
        points, values = new, new_values
        slopes = np.where(still[:, None], 0.0, new_slopes)
    found[left] = points
    return found


def _direction(slopes: np.ndarray, moves: list[np.ndarray], turns: list[np.ndarray]) -> np.ndarray:
    """Where to go, by the two loops of L-BFGS."""
    way = -slopes
    curves = [np.einsum("pm,pm->p", move, turn) for move, turn in zip(moves, turns, strict=True)]
    inverse = [np.where(curve > 1e-300, 1 / np.maximum(curve, 1e-300), 0.0) for curve in curves]
    shares = []
    for move, turn, rho in zip(reversed(moves), reversed(turns), reversed(inverse), strict=True):
        share = rho * np.einsum("pm,pm->p", move, way)
        way -= share[:, None] * turn
        shares.append(share)
    if moves:
        length = np.einsum("pm,pm->p", turns[-1], turns[-1])
        way *= np.where(curves[-1] > 1e-300, curves[-1] / np.maximum(length, 1e-300), 1.0)[:, None]
    for move, turn, rho, share in zip(moves, turns, inverse, reversed(shares), strict=True):
        way += (share - rho * np.einsum("pm,pm->p", turn, way))[:, None] * move
    return way


def _step(
    objective: Objective,
    left: np.ndarray,
    points: np.ndarray,
    values: np.ndarray,
    slopes: np.ndarray,
    way: np.ndarray,
    rise: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points further on, each as far as its function gets less by enough; where nothing is gained, where it was."""
    size = np.ones(len(left))
    new, new_values, new_slopes = points.copy(), values.copy(), slopes.copy()
    trying = np.arange(len(left))
    for _ in range(HALVINGS):
        there = points[trying] + size[trying, None] * way[trying]
        found, gradients = objective(there, left[trying])
        good = found <= values[trying] + ENOUGH * size[trying] * rise[trying]
        done = trying[good]
        new[done], new_values[done], new_slopes[done] = there[good], found[good], gradients[good]
        trying = trying[~good]
        if not len(trying):
            break
        size[trying] /= 2
    return new, new_values, new_slopes
