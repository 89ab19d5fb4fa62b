"""Fitting: a head, what it says of its own rows without having seen them, and a model without each fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from visanda.errors import InputError
from visanda.learn.heads.folds import deal
from visanda.learn.heads.problem import Problem, stated
from visanda.learn.heads.search import Choice, Search, Tell, kind_of, one_thread
from visanda.learn.heads.settings import Choices, candidates
from visanda.learn.target import Target
from visanda.models.own import Own


@dataclass(frozen=True)
class Fitted:
    """A trained head.

    Attributes:
        model: ONNX, from ``features`` (n, d) float32 to ``scores`` (n, outputs), calibrated.
        settings: what was chosen and found on the way: a value a setting, ``temperature`` (or ``slopes`` and
            ``offsets`` a label), ``loss`` (cross-validated: log loss or mean squared error), ``notes``.
        out_of_fold: (n, outputs) predictions of each row by a head that did not see its group, nor chose its settings
            or calibration with it; NaN for rows that were not learnt from.
        fold: (n,) the fold of each row; −1 for rows that were not learnt from.
        fold_models: a model a fold, trained without it: those that made ``out_of_fold``.
    """

    model: bytes
    settings: dict[str, Any]
    out_of_fold: np.ndarray
    fold: np.ndarray = field(default_factory=lambda: np.empty(0, int))
    fold_models: tuple[bytes, ...] = ()


def fit(
    kind: str,
    vectors: np.ndarray,
    truth: np.ndarray,
    target: Target,
    groups: Sequence[object] | np.ndarray,
    *,
    seed: int,
    weights: np.ndarray | None = None,
    balance: bool = False,
    settings: Choices | None = None,
    folds: int | np.ndarray = 5,
    progress: Tell | None = None,
) -> Fitted:
    """Train a head on codes.

    Settings and calibration are chosen by cross-validation that keeps groups together; what is said of the rows
    themselves comes from heads whose settings and calibration, too, were chosen without them (Cawley & Talbot 2010).
    The same input gives the same bytes.

    Args:
        kind: ``linear``, ``knn``, ``mlp`` or ``boosting``.
        vectors: (n, d); what embeddings give, of length 1 or nearly.
        truth: what ``target.encode`` gives; rows of which nothing is known (NaN) are left out. Of several labels, each
            is learnt from the rows where it is known, as the masked losses of Won et al. (2017) have it. Of several
            variables, each has heads of its own, and nothing is lost by that: they share the embedding, which does not
            change.
        target: what is to be predicted.
        groups: n names; rows of one group (near-duplicates, an author) are never on both sides of a split.
        seed: of all that is random.
        weights: (n,) what each row counts; rows with 0 are left out.
        balance: let each class count the same. Probabilities then are those of a world in which all classes are
            equally frequent, and not shares of this one.
        settings: values of the kind's settings, or several to choose from; the others are chosen from its defaults.
        folds: how many, or the fold (n,) of each row, numbered from 0, where these were dealt elsewhere.
        progress: called now and then with the share of the work done, 0–1.

    Raises:
        InputError: one value only, a vector that is no number, arrays that do not fit together, a setting or kind that
            there is not.

    >>> rng = np.random.default_rng(0)
    >>> truth = np.repeat([0, 1], 30)
    >>> vectors = rng.normal(size=(60, 4)) + truth[:, None]
    >>> fit("linear", vectors, truth, Target("nominal", ("no", "yes")), range(60), seed=1).out_of_fold.shape
    (60, 2)
    """
    problem, rows = stated(vectors, truth, target, groups, weights, balance, seed)
    fold, notes = parts_of(problem, rows, folds)
    with one_thread():
        search = Search(kind, problem, fold, candidates(kind, kind_of(kind).defaults, settings), progress=progress)
        choices = [search.without(part) for part in range(search.parts)] if search.parts > 1 else []
        last = search.choice()
        models = search.models([*choices, last])
    out_of_fold = np.full((len(vectors), target.outputs), np.nan, np.float32)
    for part, model in enumerate(models[:-1]):
        held = np.flatnonzero(fold == part)
        if len(held) and len(held) < len(problem):
            out_of_fold[rows[held]] = Own(model)(problem.vectors[held])
    dealt = np.full(len(vectors), -1)
    dealt[rows] = fold
    return Fitted(models[-1], _said(kind, search, last, notes), out_of_fold, dealt, tuple(models[:-1]))


def parts_of(problem: Problem, rows: np.ndarray, folds: int | np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The fold of each row of a problem, which has these rows (m,) of those given; and what there is to say of them.

    Raises:
        InputError: fewer than two folds, or not a number from 0 for each row.
    """
    if isinstance(folds, int | np.integer):
        if folds < 2:
            raise InputError(f"folds={folds}: give at least 2")
        return deal(problem, int(folds))
    given = np.asarray(folds)
    if given.ndim != 1 or len(given) <= rows.max() or given.dtype.kind not in "iu" or given.min() < 0:
        raise InputError("folds must be a number of folds, or a whole number from 0 on for each row")
    return given[rows], []


def _said(kind: str, search: Search, choice: Choice, notes: list[str]) -> dict[str, Any]:
    """What is told of a head, as JSON can hold it."""
    calibration = choice.calibration.tolist()
    told: dict[str, Any] = {"kind": kind, **choice.settings}
    if choice.calibration.ndim == 2:
        told |= {"slopes": calibration[0], "offsets": calibration[1]}
    elif calibration:
        told["temperature"] = calibration[0]
    return told | {"loss": None if np.isnan(choice.loss) else choice.loss, "folds": search.parts, "notes": notes}
