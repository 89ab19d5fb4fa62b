"""Heads: one of all that may be learnt from, and one without each fold, which estimates need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from visanda.codebook import Variable
from visanda.corpus.classify.zeroshot import target_of, zeroshot_head
from visanda.errors import InputError
from visanda.learn.heads import Fitted, fit
from visanda.learn.heads.settings import Choices
from visanda.learn.split import dealt
from visanda.learn.target import Target
from visanda.progress import Advance, progress
from visanda.store import Store

FOLDS = 5


@dataclass(frozen=True)
class Made:
    """A trained model and its cross-fitted companions.

    Attributes:
        model: ONNX.
        settings: what was chosen.
        rows: what it learnt from: id, value, group, set, fold, and outputs ``p_0``, ``p_1``, ... of a head that had
            not seen the row.
        folds: ONNX, one a fold.
    """

    model: bytes
    settings: dict[str, Any]
    rows: pd.DataFrame
    folds: tuple[bytes, ...] = field(default=())


def head(
    kind: str,
    vectors: np.ndarray,
    rows: pd.DataFrame,
    target: Target,
    *,
    balance: bool,
    seed: int,
    settings: Choices | None = None,
    weights: np.ndarray | None = None,
) -> Made:
    """Train on all rows, and once more without each fold.

    Args:
        kind: linear, knn, mlp or boosting.
        vectors: (n, d).
        rows: n rows: id, value, group, set.
        target: what is to be predicted.
        balance: each value is to count the same.
        seed: of folds and training.
        settings: of the head, where they are chosen already.
        weights: (n,) how many units each row stands for, where they were drawn with unequal probabilities.

    Raises:
        InputError: there are too few codes of a value to do without a fold.
    """
    truth, groups = target.encode(rows["value"].tolist()), rows["group"].tolist()
    folds = _folds(rows, truth, seed)
    with progress(f"train {kind}", 100) as advance:
        made = fit(
            kind,
            vectors,
            truth,
            target,
            groups,
            seed=seed,
            balance=balance,
            settings=settings,
            weights=weights,
            folds=folds,
            progress=in_hundredths(advance),
        )
    without = [*made.fold_models, *[made.model] * (FOLDS - len(made.fold_models))]  # of folds that have no rows
    table = _table(rows, folds, made)
    return Made(made.model, made.settings, table if weights is None else table.assign(weight=weights), tuple(without))


def in_hundredths(advance: Advance) -> Callable[[float], None]:
    """Tells progress of 100 parts from shares done, 0 to 1."""
    done = 0

    def tell(share: float) -> None:
        nonlocal done
        advance(int(100 * share) - done)
        done = int(100 * share)

    return tell


def words(store: Store, variable: Variable, rows: pd.DataFrame, *, table: str, seed: int) -> Made:
    """A head made of words, tuned on the rows where there are some, and once more without each fold.

    Args:
        store: the corpus.
        variable: whose values and prompts are looked for.
        rows: n rows: id, value, group, set; none where nothing is coded.
        table: that places pictures among words.
        seed: of the folds.
    """
    if rows.empty:
        made = zeroshot_head(store, variable, seed=seed, table=table)
        return Made(made.model, made.settings, rows.assign(fold=pd.Series(dtype=int)))
    truth = target_of(variable).encode(rows["value"].tolist())
    folds = dealt(rows["group"].tolist(), truth, FOLDS, seed)

    def one(keep: np.ndarray) -> Fitted:
        some = rows[keep]
        return zeroshot_head(store, variable, some["id"].tolist(), truth[keep], some["group"].tolist(), seed, table)

    made = one(np.full(len(rows), True))
    without = tuple(one(folds != fold).model if (folds != fold).any() else made.model for fold in range(FOLDS))
    return Made(made.model, made.settings, _table(rows, folds, made), without)


def _folds(rows: pd.DataFrame, truth: np.ndarray, seed: int) -> np.ndarray:
    folds = dealt(rows["group"].tolist(), truth, FOLDS, seed)
    for fold in np.unique(folds):
        keep = folds != fold
        if not keep.any() or (truth[keep] == truth[keep][0]).all():
            raise InputError(
                "to test a model it must be trained without a part of the codes, and then only one value is left to "
                "learn from: code more pictures of the rare value (near-duplicates stay together: many frames of one "
                "scene count as one)"
            )
    return folds


def _table(rows: pd.DataFrame, folds: np.ndarray, made: Fitted) -> pd.DataFrame:
    table = rows.assign(fold=folds)
    if made.out_of_fold is not None:
        for number, column in enumerate(np.asarray(made.out_of_fold).T):
            table[f"p_{number}"] = column
    return table
