"""Tuning: kinds of heads and their settings tried at random, and an estimate of the winner that does not flatter.

Of thirty heads the best looks better than it is, for it was picked by the numbers that it is then praised with (Varma
& Simon 2006; Cawley & Talbot 2010). So the picking itself is cross-validated: without each fold, another winner is
picked by cross-validation among the others, and tested on that fold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.learn.heads.fitting import parts_of
from visanda.learn.heads.problem import Problem, stated
from visanda.learn.heads.search import KINDS, Search, Tell, kind_of, one_thread
from visanda.learn.heads.settings import Settings
from visanda.learn.target import Target

# Lowest and highest of each setting; drawn evenly between their logarithms.
RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "linear": {"penalty": (1e-5, 10.0)},
    "knn": {"k": (1, 50), "sharpness": (5.0, 100.0)},
    "mlp": {"hidden": (8, 128), "penalty": (1e-3, 3.0), "learning_rate": (3e-4, 1e-2)},
    "boosting": {"components": (8, 100), "trees": (30, 200), "learning_rate": (0.03, 0.3), "leaves": (2, 16)},
}
WHOLE = ("k", "hidden", "components", "trees", "leaves")


@dataclass(frozen=True)
class Tuned:
    """What was tried, and what came out of it.

    Attributes:
        trials: a row a trial: ``trial`` its number, ``kind``, ``balance``, ``settings`` (JSON), ``loss``
            (cross-validated: log loss, or mean squared error), ``spread`` (standard deviation of the loss from fold
            to fold), ``data`` (a digest of what was learnt), and ``inner_j`` and ``outer_j`` for each fold j: the loss
            by cross-validation without it, and the loss on it.
        kind: of the best.
        balance: whether it counts each class the same.
        settings: of the best.
        loss: of the best; it flatters, being the least of many.
        honest: the loss to be expected of heads picked so; NaN with fewer than three folds.
        by_fold: (K,) what ``honest`` is the mean of.
    """

    trials: pd.DataFrame
    kind: str
    balance: bool
    settings: Settings
    loss: float
    honest: float
    by_fold: np.ndarray


def tune(
    vectors: np.ndarray,
    truth: np.ndarray,
    target: Target,
    groups: Sequence[object] | np.ndarray,
    *,
    trials: int,
    seed: int,
    kinds: Sequence[str] = tuple(KINDS),
    weights: np.ndarray | None = None,
    balance: Sequence[bool] = (False, True),
    folds: int | np.ndarray = 5,
    done: pd.DataFrame | None = None,
    save: Callable[[pd.DataFrame], None] | None = None,
    progress: Tell | None = None,
) -> Tuned:
    """Try settings at random, by cross-validation that keeps groups together.

    Trial number t is the same whenever it is made, so that an interrupted search goes on where it was.

    Args:
        vectors: (n, d) of the rows that may be learnt from, never of the test set.
        truth: what ``target.encode`` gives; rows with NaN are left out.
        target: what is to be predicted.
        groups: n names; rows of one group are never on both sides of a split.
        trials: how many, 1 or more.
        seed: of all that is random.
        kinds: of heads, taken in turns.
        weights: (n,) what each row counts.
        balance: whether to let each class count the same; one of these is drawn for each trial. All are judged by
            what rows count as they are.
        folds: how many, or the fold (n,) of each row.
        done: trials made before, as ``Tuned.trials`` or ``save`` had them; those of other data are made again.
        save: called after each trial with all that are done.
        progress: called with the share done, 0–1.

    Raises:
        InputError: as ``heads.fit``; or no trial, or a kind that there is not.
    """
    if trials < 1 or not kinds:
        raise InputError(f"trials={trials} of {len(kinds)} kinds: give at least one of each")
    for kind in kinds:
        kind_of(kind)
    problem, rows = stated(vectors, truth, target, groups, weights, False, seed)
    fold, _ = parts_of(problem, rows, folds)
    digest = _digest(problem, fold)
    choices = (False,) if target.scale == "interval" else tuple(balance)
    found: list[dict[str, Any]] = []
    for number in range(trials):
        kind, own, settings = _drawn(number, kinds, choices, seed)
        row: dict[str, Any] = {
            "trial": number,
            "kind": kind,
            "balance": own,
            "settings": json.dumps(settings),
            "data": digest,
        }
        before = _made_before(done, row)
        found.append(before or row | _tried(kind, replace(problem, balance=own), problem, settings, fold))
        if save and not before:
            save(pd.DataFrame(found))
        if progress:
            progress((number + 1) / trials)
    return _picked(pd.DataFrame(found), problem, fold)


def _drawn(number: int, kinds: Sequence[str], choices: Sequence[bool], seed: int) -> tuple[str, bool, Settings]:
    rng = np.random.default_rng([seed, number])
    kind = kinds[number % len(kinds)]
    balance = bool(choices[int(rng.integers(len(choices)))])
    settings: Settings = {}
    for name, (low, high) in RANGES[kind].items():
        value = float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.3g}")
        settings[name] = round(value) if name in WHOLE else value
    return kind, balance, settings


def _made_before(done: pd.DataFrame | None, row: dict[str, Any]) -> dict[str, Any] | None:
    if done is None or not set(row) <= set(done.columns):
        return None
    same = done[np.logical_and.reduce([done[name] == value for name, value in row.items()])]
    return None if same.empty else {str(name): value for name, value in same.iloc[0].to_dict().items()}


def _tried(kind: str, problem: Problem, judged: Problem, settings: Settings, fold: np.ndarray) -> dict[str, float]:
    """The losses of one trial; all are weighted as ``judged``, so that trials can be compared."""
    parts = range(int(fold.max()) + 1)
    with one_thread():
        search = Search(kind, problem, fold, [settings], judged=judged)
        outer = [search.loss_on(part) for part in parts]
        inner = [search.without(part).loss for part in parts]
        loss = search.choice().loss
    told = np.array([value for value in outer if np.isfinite(value)])
    spread = float(told.std(ddof=1)) if len(told) > 1 else np.nan
    by_fold = {f"inner_{part}": inner[part] for part in parts} | {f"outer_{part}": outer[part] for part in parts}
    return {"loss": loss, "spread": spread, **by_fold}


def _picked(trials: pd.DataFrame, problem: Problem, fold: np.ndarray) -> Tuned:
    best = trials.iloc[int(np.nan_to_num(trials["loss"].to_numpy(), nan=np.inf).argmin())]
    parts = int(fold.max()) + 1
    by_fold, counts = np.full(parts, np.nan), np.zeros(parts)
    for part in range(parts):
        inner = trials[f"inner_{part}"].to_numpy(float)
        if np.isfinite(inner).any():
            by_fold[part] = trials[f"outer_{part}"].iloc[int(np.nanargmin(inner))]
            counts[part] = problem.weights[fold == part].sum()
    told = np.isfinite(by_fold)
    honest = float(np.average(by_fold[told], weights=counts[told])) if told.any() else np.nan
    return Tuned(
        trials=trials,
        kind=str(best["kind"]),
        balance=bool(best["balance"]),
        settings=json.loads(best["settings"]),
        loss=float(best["loss"]),
        honest=honest,
        by_fold=by_fold,
    )


def _digest(problem: Problem, fold: np.ndarray) -> str:
    """Of all that a trial's losses come from, but its settings."""
    whole = hashlib.sha256(f"{problem.target} {problem.seed}".encode())
    for array in (problem.vectors, problem.truth, problem.groups, problem.weights, fold):
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()[:16]
