"""Chosen: which pictures are worth explaining, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from visanda import codes
from visanda.codebook import NONE, SPLIT
from visanda.corpus.classify.predicting import scores_of
from visanda.errors import InputError
from visanda.learn.trained import Trained
from visanda.store import Store, quoted

RIGHT, WRONG, UNSURE, SURE = "right", "wrong", "unsure", "sure"
MOST = 2000  # pictures that nobody coded, of which some are chosen


def known(store: Store, trained: Trained, ids: Sequence[str] = ()) -> pd.DataFrame:
    """What a model says of pictures, and what coders said; the test set stays closed unless ids of it are given.

    Args:
        store: the corpus.
        trained: the model.
        ids: of pictures; by default those that it learnt from or stopped by, or, where it learnt from none, some that
            nobody coded.

    Returns:
        A row a picture: id, coded (text or None), set, fold (−1: none), and outputs ``p_0``, ``p_1``, ..., by a model
        that had not seen the picture wherever there is one.

    Raises:
        InputError: an id that the model cannot be run on; no picture at all.
    """
    rows, names = trained.rows, [f"p_{number}" for number in range(trained.target.outputs)]
    # Of a fine-tuned model, those that it stopped by: what it learnt by heart says nothing.
    honest = rows.dropna(subset=names) if set(names) <= set(rows) else rows.head(0)
    mine = honest.set_index("id")
    if ids:
        wanted = list(dict.fromkeys(ids))
    elif len(rows):
        wanted = (honest if len(honest) else rows)["id"].tolist()
    else:
        wanted = _uncoded(store, trained)
    learnt = [id for id in wanted if id in mine.index]
    others = [id for id in wanted if id not in set(learnt)]
    found, scores = scores_of(store, trained, others) if others else ([], np.empty((0, trained.target.outputs)))
    if ids and (missing := sorted(set(others) - set(found))):
        raise InputError(f"nothing is known of {missing[0]!r}: it is no picture of this corpus, or is not measured")
    table = pd.DataFrame(scores, columns=names, index=pd.Index(found, name="id"), dtype=float)
    if learnt:
        table = pd.concat([mine.loc[learnt, names].astype(float), table])
    table = table.loc[[id for id in wanted if id in table.index]]
    if table.empty:
        raise InputError("there is no picture that this model could be asked about")
    gold = codes.gold_of(store.folder, trained.card["variable"]) if len(rows) else pd.Series(dtype=object)
    sets = trained.split.sets.set_index("id")["set"]
    folds = mine["fold"] if "fold" in mine else pd.Series(dtype=float)
    coded = gold.reindex(table.index).astype(object)
    return table.assign(
        coded=coded.where(coded.notna(), None),
        set=sets.reindex(table.index).fillna("").to_numpy(),
        fold=folds.reindex(table.index).fillna(-1).astype(int).to_numpy(),
    ).reset_index()


def _uncoded(store: Store, trained: Trained) -> list[str]:
    table = str(trained.card["features"].get("table", "media"))
    kept = "error IS NULL" if table != "media" else "parent IS NULL"
    found = store.frame(f"SELECT id FROM {quoted(table)} WHERE {kept} ORDER BY hash(id) LIMIT {MOST}")
    return [str(id) for id in found["id"]]


def worth_explaining(trained: Trained, about: pd.DataFrame, output: int | None, n: int) -> pd.DataFrame:
    """Choose a third each of the surest that are right, the surest that are wrong, and the least sure.

    Args:
        trained: the model.
        about: what ``known`` gave.
        output: the value that is asked about; ``None``: of each picture, the one that it is said to have.
        n: how many at most.

    Returns:
        Rows of ``about`` with ``why``, ``said`` and ``probability`` (of the value asked about), and ``output``.
    """
    described = told(trained, about, output)
    if trained.target.scale == "interval":
        error = (described["probability"] - described["coded"].astype(float)).abs()
        ranked = described.assign(why="far off").loc[error.sort_values(ascending=False, kind="stable").index]
        near = described.assign(why="near").loc[error.sort_values(kind="stable").index]
        return pd.concat([near.head(n - n // 2), ranked.head(n // 2)]).drop_duplicates("id").reset_index(drop=True)
    coded = described["coded"].notna()
    if output is None:
        right = coded & (described["coded"] == described["said"])
        wrong = coded & ~right
        surest = described.sort_values(["sure", "id"], ascending=[False, True])
    else:  # of pictures that have the value those surest to have it; errors either way; those in the middle
        value, p = trained.target.classes[output], described["probability"]
        has = coded & described["coded"].map(lambda code: value in str(code).split(SPLIT))
        right, wrong = has & (p >= 0.5), coded & (has != (p >= 0.5))
        described = described.assign(sure=(p - 0.5).abs())
        surest = described.sort_values(["sure", "id"], ascending=[False, True])
    third = max(1, n // 3)
    good, bad = surest[right.reindex(surest.index)], surest[wrong.reindex(surest.index)].head(third)
    if not coded.any():
        good = surest.head(n - third)
    doubtful = surest[~surest["id"].isin([*good["id"].head(third), *bad["id"]])].tail(min(third, n - 1)).iloc[::-1]
    good = good[~good["id"].isin(doubtful["id"])].head(n - len(bad) - len(doubtful))
    parts = [good.assign(why=RIGHT if coded.any() else SURE), bad.assign(why=WRONG), doubtful.assign(why=UNSURE)]
    return pd.concat(parts, ignore_index=True).head(n)


def told(trained: Trained, about: pd.DataFrame, output: int | None) -> pd.DataFrame:
    """Rows with ``said``, ``output``, ``probability`` of that output, and ``sure``: how far from doubt."""
    target = trained.target
    scores = about[[f"p_{number}" for number in range(target.outputs)]].to_numpy(float)
    if target.scale == "interval":
        outputs, sure = np.zeros(len(about), int), scores[:, 0]
    elif target.scale == "multilabel":
        known_of = about["coded"].notna().to_numpy()
        truth = target.encode(about["coded"].where(known_of, NONE).tolist())
        off = np.abs(
            scores - truth
        )  # of what was coded, the label that it is most wrong about; or that it is surest of
        outputs = np.where(known_of & (off > 0.5).any(axis=1), off.argmax(axis=1), scores.argmax(axis=1))
        sure = np.abs(scores - 0.5).min(axis=1)
    else:
        outputs = np.array([target.classes.index(str(value)) for value in target.decode(scores)])
        ordered = np.sort(scores, axis=1)
        sure = ordered[:, -1] - ordered[:, -2]
    if output is not None:
        outputs = np.full(len(about), output)
    return about.assign(
        said=target.decode(scores),
        output=outputs,
        probability=scores[np.arange(len(about)), outputs],
        sure=sure,
    )
