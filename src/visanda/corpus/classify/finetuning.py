"""Fine-tuning: one network for one or several variables, of which some units miss codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from visanda import codes
from visanda.corpus.classify.grouping import groups_of
from visanda.corpus.classify.heads import Made
from visanda.corpus.classify.learnable import Learnable, Wanted, learnable
from visanda.errors import InputError
from visanda.learn.finetune import Finetuned, Settings, Task, finetune
from visanda.learn.finetune.task import check
from visanda.learn.frozen import Frozen
from visanda.store import Store

ORDER = {"train": 0, "validation": 1, "test": 2}  # of two sets, the later one is the stricter


@dataclass(frozen=True)
class Together:
    """Variables that one network learns.

    Attributes:
        learnt: what there is to learn of each.
        sets: the set of each unit that is trained on or validated with, by id: the strictest that it has in any of the
            variables; what is put aside for testing one of them is left out for all.
    """

    learnt: tuple[Learnable, ...]
    sets: pd.Series

    def rows(self, one: Learnable) -> pd.DataFrame:
        """The units that one of the variables is learnt from: id, value, group, set."""
        rows = one.rows("train", "validation")
        rows = rows[rows["id"].isin(self.sets.index)].reset_index(drop=True)
        return rows.assign(set=self.sets[rows["id"]].to_numpy())


def together(store: Store, variables: Sequence[str], wanted: Wanted) -> Together:
    """What there is to learn of several variables, whose new splits agree on units that they share.

    Raises:
        InputError: see :func:`visanda.corpus.classify.learnable.learnable`; nothing is left to train on.
    """
    known = pd.Series(dtype=object)
    every: list[Learnable] = []
    units = sorted({id for variable in variables for id in codes.gold_of(store.folder, variable).index})
    for variable in variables:
        one = learnable(store, variable, None, wanted, known if len(known) else None, units)
        every.append(one)
        known = _strictest(pd.concat([known, _sets(one.frozen, "group")]))
    sets = _strictest(pd.concat([_sets(one.frozen, "id") for one in every]))
    coded = pd.Index([]).union(pd.Index([id for one in every for id in one.gold.index]))
    near = groups_of(store, units, [column for one in every for column in one.frozen.settings["group"]])
    tested = set(near.reindex([id for one in every for id in one.frozen.of("test")["id"]]).dropna())
    apart = ~near.reindex(sets.index).isin(tested)
    sets = sets[(sets != "test") & sets.index.isin(coded) & apart].sort_index()
    if not len(sets):
        raise InputError("no coded unit is left to train on: all are in the test set of one of the variables")
    all_of = Together(tuple(every), sets)
    check(_tasks(all_of), sets.tolist(), len(sets))  # before a split is frozen that nothing can be learnt with
    return all_of


def _sets(frozen: Frozen, by: str) -> pd.Series:
    return frozen.sets.set_index(by)["set"]


def _strictest(sets: pd.Series) -> pd.Series:
    """Of sets by a name that repeats, the strictest."""
    ranks = sets.map(ORDER).groupby(level=0).max()
    return ranks.map({rank: name for name, rank in ORDER.items()})


def tune_network(
    store: Store, all_of: Together, settings: Settings, folder: Path, on_start: Callable[[], None]
) -> tuple[list[Made], Finetuned]:
    """Train one network; a model a variable.

    Args:
        store: the corpus.
        all_of: what is to be learnt.
        settings: how.
        folder: for the checkpoint.
        on_start: called before anything is learnt, once all that was asked for has been seen to be there.

    Raises:
        InputError: a file is not there any more, or see :func:`visanda.learn.finetune.finetune`.
    """
    ids = all_of.sets.index.tolist()
    paths = store.paths(ids)
    if missing := [id for id in ids if id not in paths]:
        raise InputError(f"{len(missing)} coded units are not in the corpus any more, such as {missing[0]}")
    pictures = [paths[id] for id in ids]
    made = finetune(pictures, _tasks(all_of), all_of.sets.tolist(), settings, folder, on_start=on_start)
    failed = {ids[number] for number in made.failed}
    place = {id: number for number, id in enumerate(ids)}
    models = []
    for one in all_of.learnt:
        name = one.variable.name
        rows = all_of.rows(one)
        rows = rows[~rows["id"].isin(failed)].reset_index(drop=True).assign(fold=-1)
        seen = made.validation[name][[place[id] for id in rows["id"]]]
        for number, column in enumerate(seen.T):
            rows[f"p_{number}"] = column
        models.append(Made(made.onnx[name], dict(made.card), rows))
    return models, made


def _tasks(all_of: Together) -> dict[str, Task]:
    ids = all_of.sets.index.tolist()
    return {one.variable.name: _task(one, all_of.rows(one), ids) for one in all_of.learnt}


def _task(one: Learnable, rows: pd.DataFrame, ids: Sequence[str]) -> Task:
    """The codes of one variable among all units; missing where it was not coded."""
    place = {id: number for number, id in enumerate(ids)}
    at = [place[id] for id in rows["id"]]
    known = one.target.encode(rows["value"].tolist())
    if one.target.scale in ("nominal", "ordinal"):
        truth = np.full(len(ids), -1)
    else:
        truth = np.full((len(ids), *known.shape[1:]), np.nan)
    truth[at] = known
    return Task(one.target, truth)
