"""Learning curves: how a head gets better with more codes, and what still more would bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.learn.heads.folds import deal
from visanda.learn.heads.problem import Problem, stated
from visanda.learn.heads.search import Search, Tell, kind_of, one_thread
from visanda.learn.heads.settings import Choices, Job, Settings, candidates
from visanda.learn.power_law import fitted
from visanda.learn.target import Target
from visanda.models.own import Own

FEWEST = 10  # codes that a curve begins with
POINTS = 6  # numbers of codes that are tried, at equal ratios
FOLDS, INNER = 4, 3
DRAWS = 1000
LOW, HIGH = 2.5, 97.5  # percentiles


@dataclass(frozen=True)
class Curve:
    """How the error falls with the number of codes.

    Attributes:
        points: a row a number of codes that was tried: ``codes``, ``error``, ``low``, ``high``.
        law: the same columns along the fitted curve, as far as it was asked for.
        codes: how many there are now; ``more``: how many would come.
        now: error, low, high with all codes that there are.
        then: with ``more`` codes.
        gain: how much less that is, with its own interval: both rest on the same pictures.
        measure: what the error is: ``balanced error`` (1 − the mean recall of all values; of labels, of both being
            there and not) or ``mean absolute error``.
    """

    points: pd.DataFrame
    law: pd.DataFrame
    codes: int
    more: int
    now: tuple[float, float, float]
    then: tuple[float, float, float]
    gain: tuple[float, float, float]
    measure: str


@dataclass(frozen=True)
class _Cells:
    """What is right or wrong: a row's value, or each of its labels; each belongs to a row and a stratum."""

    rows: np.ndarray
    strata: np.ndarray


def learning_curve(
    vectors: np.ndarray,
    truth: np.ndarray,
    target: Target,
    groups: Sequence[object] | np.ndarray,
    *,
    more: int,
    seed: int,
    kind: str = "linear",
    repeats: int = 5,
    balance: bool = False,
    settings: Choices | None = None,
    progress: Tell | None = None,
) -> Curve:
    """Train heads on growing numbers of codes, and test them on groups that they did not see.

    Folds are dealt anew each time. Of the others' groups, random ones are learnt from, more and more. The inverse
    power law a + b n^(−c) is fitted to the errors (Figueroa et al. 2012) and followed further. Intervals are 95 %
    percentiles of a bootstrap of groups and repeats; they hold if the curve goes on as it went, and if further codes
    are drawn as the present ones were.

    Args:
        vectors: (n, d) of the rows that may be learnt from, never of the test set.
        truth: what ``target.encode`` gives; rows of which nothing is known are left out.
        target: what is to be predicted.
        groups: n names; rows of one group are never on both sides.
        more: how many further codes are thought of, 1 or more.
        seed: of all that is random.
        kind: of head.
        repeats: how often all is done, 2 or more.
        balance: let each class count the same in training.
        settings: of the head, as ``heads.fit`` takes them.
        progress: called with the share done, 0–1.

    Raises:
        InputError: as ``heads.fit``; or too few codes or groups for a curve.
    """
    if more < 1 or repeats < 2:
        raise InputError(f"more={more}, repeats={repeats}: give at least 1 and 2")
    problem, _ = stated(vectors, truth, target, groups, None, balance, seed)
    number = len(np.unique(problem.groups))
    most = int(len(problem) * (FOLDS - 1) / FOLDS)
    if most < 2 * FEWEST or number < 2 * FOLDS:
        raise InputError(
            f"{len(problem)} codes in {number} groups are too few for a learning curve: code at least "
            f"{-(-2 * FEWEST * FOLDS // (FOLDS - 1))}, of {2 * FOLDS} groups that do not belong together"
        )
    sizes = np.unique(np.geomspace(FEWEST, most, POINTS).round().astype(int))
    tried = candidates(kind, kind_of(kind).defaults, settings)
    cells, wrong = _cells(problem), []
    random = np.random.default_rng(seed)
    with one_thread():
        for repeat in range(repeats):
            fold, _ = deal(replace(problem, seed=int(random.integers(2**31))), FOLDS)
            outputs = np.full((len(sizes), len(problem), target.outputs), np.nan)
            for part in range(int(fold.max()) + 1):
                held = np.flatnonzero(fold == part)
                order = _shuffled(problem.groups, np.flatnonzero(fold != part), random)
                for at, size in enumerate(sizes):
                    learnt = np.sort(order[: min(size, len(order))])
                    outputs[at, held] = _said(kind, problem, learnt, problem.vectors[held], tried)
                if progress:
                    progress((repeat * FOLDS + part + 1) / (repeats * FOLDS))
            wrong.append([_wrong(problem, one) for one in outputs])
    return _curve(problem, cells, np.array(wrong), sizes, more, random)


def _shuffled(groups: np.ndarray, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rows with those of a group together, groups in random order."""
    place = random.permutation(int(groups.max()) + 1)
    return rows[np.argsort(place[groups[rows]], kind="stable")]


def _said(kind: str, problem: Problem, learnt: np.ndarray, vectors: np.ndarray, tried: list[Settings]) -> np.ndarray:
    """Outputs (m, k) for vectors, of a head that learnt from some rows; one value only is what is said of all."""
    part = problem.part(learnt)
    columns = part.truth.reshape(len(part), -1).astype(float)
    if (np.nanmin(columns, axis=0) == np.nanmax(columns, axis=0)).all():
        same = (
            columns[0]
            if problem.target.scale in ("interval", "multilabel")
            else np.eye(problem.target.outputs)[part.truth[0]]
        )
        return np.tile(same, (len(vectors), 1))
    search = Search(kind, part, deal(part, INNER)[0], tried, nested=False)
    choice = search.choice()
    (body,) = kind_of(kind).train(part, [Job(choice.rows, choice.settings)])
    return Own(search.model(body, choice.calibration))(vectors)


def _cells(problem: Problem) -> _Cells:
    scale, truth = problem.target.scale, problem.truth
    rows = np.arange(len(problem))
    if scale in ("interval", "ordinal"):
        return _Cells(rows, np.zeros(len(rows), int))
    if scale == "nominal":
        return _Cells(rows, np.unique(truth, return_inverse=True)[1])
    known = ~np.isnan(truth)
    labels = np.broadcast_to(np.arange(truth.shape[1]), truth.shape)[known]
    strata = np.unique(2 * labels + (truth[known] > 0.5), return_inverse=True)[1]
    return _Cells(np.broadcast_to(rows[:, None], truth.shape)[known], strata)


def _wrong(problem: Problem, outputs: np.ndarray) -> np.ndarray:
    """(cells,) 0 or 1, or by how much."""
    target, truth = problem.target, problem.truth
    if target.scale == "interval":
        return np.asarray(np.abs(outputs[:, 0] - truth))
    if target.scale == "multilabel":
        return np.asarray(((outputs >= 0.5) != (truth > 0.5))[~np.isnan(truth)].astype(float))
    said = target.encode(target.decode(outputs))
    return np.asarray(np.abs(said - truth) if target.scale == "ordinal" else said != truth, float)


def _curve(
    problem: Problem, cells: _Cells, wrong: np.ndarray, sizes: np.ndarray, more: int, random: np.random.Generator
) -> Curve:
    """The curve and its intervals, of what was wrong (repeats, sizes, cells)."""
    repeats, number = len(wrong), int(problem.groups.max()) + 1
    counts = random.multinomial(number, np.full(number, 1 / number), size=DRAWS)  # of groups
    counts = np.vstack([np.ones((1, number)), counts])[:, problem.groups[cells.rows]].astype(float)
    often = np.vstack([np.ones((1, repeats)), random.multinomial(repeats, np.full(repeats, 1 / repeats), size=DRAWS)])
    mean = np.zeros((DRAWS + 1, len(sizes)))
    strata = np.zeros((DRAWS + 1, 1))
    for stratum in np.unique(cells.strata):
        own = cells.strata == stratum
        whole = counts[:, own].sum(axis=1)
        sums = np.einsum("dc,rsc->drs", counts[:, own], wrong[:, :, own], optimize=True)
        found = np.einsum("dr,drs->ds", often, sums) / repeats
        there = whole > 0
        mean[there] += found[there] / whole[there, None]
        strata[there] += 1
    errors = mean / strata
    law = fitted(sizes, errors)
    along = np.geomspace(FEWEST, len(problem) + more, 60).round().astype(int)
    along = np.union1d(along, [len(problem)])
    ends = law.at(np.array([len(problem), len(problem) + more]))
    lines = law.at(along)
    return Curve(
        points=_table(sizes, errors),
        law=_table(along, np.vstack([lines[1:].mean(axis=0), lines[1:]])),
        codes=len(problem),
        more=more,
        now=_interval(ends[:, 0]),
        then=_interval(ends[:, 1]),
        gain=_interval(ends[:, 0] - ends[:, 1]),
        measure="mean absolute error" if problem.target.scale in ("interval", "ordinal") else "balanced error",
    )


def _table(sizes: np.ndarray, errors: np.ndarray) -> pd.DataFrame:
    low, high = np.percentile(errors[1:], [LOW, HIGH], axis=0)
    return pd.DataFrame({"codes": sizes, "error": errors[0], "low": low, "high": high})


def _interval(found: np.ndarray) -> tuple[float, float, float]:
    """The mean of draws, which promises less than the one best fit does, and its interval."""
    low, high = np.percentile(found[1:], [LOW, HIGH])
    return float(found[1:].mean()), float(low), float(high)
