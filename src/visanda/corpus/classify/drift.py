"""Drift: whether what was coded looks like the rest, for which the model was never tested."""

from __future__ import annotations

import numpy as np
import pandas as pd

from visanda import codes
from visanda.corpus.classify.features import EMBEDDING, vectors_of
from visanda.corpus.classify.predicting import columns_of
from visanda.learn.trained import Trained
from visanda.result import Result
from visanda.store import Store
from visanda.study.drift.pictures import drift_of_pictures
from visanda.study.drift.told_apart import FEW, MOST_OF_REST


def drift(store: Store, trained: Trained, frame: pd.DataFrame) -> Result | None:
    """How far coded units differ from the others, in what a model that had not seen them says, and in looks.

    Args:
        store: the corpus.
        trained: the model.
        frame: its predictions, as ``apply`` writes them.

    Returns:
        ``None`` where there is too little of either to compare.
    """
    variable = str(trained.card["variable"])
    columns = [name for name in frame if str(name).startswith(f"{variable}_crossfit")]
    columns = columns or [name for name in frame if str(name).startswith(f"{variable}_p_")]
    columns = columns or [f"{variable}_predicted"]  # of an interval scale
    good = frame[frame["error"].isna()].set_index("id")
    known = set(trained.split.sets["id"])
    is_coded = good.index.isin(known)
    learnt_once = not trained.folds and trained.card["kind"] != "zeroshot"
    seen: set[str] = set()
    if learnt_once and len(trained.rows):
        sets = ("train", "validation") if trained.card["settings"].get("refitted") else ("train",)
        seen = set(trained.rows.loc[trained.rows["set"].isin(sets), "id"])
    coded, rest = good[is_coded].copy(), good[~is_coded]
    coded.loc[coded.index.isin(seen), columns] = np.nan  # of what it learnt from, what it says is no measure
    if min(len(coded), len(rest)) < FEW:
        return None
    if len(rest) > MOST_OF_REST:
        rest = rest.sample(MOST_OF_REST, random_state=1)
    vectors, coded, rest = _vectors(store, trained, coded, rest)
    made = drift_of_pictures(coded[columns], rest[columns], vectors=vectors, weights=_weights(store, variable, coded))
    made.title = f"{variable}: coded units and the rest"
    made.provenance["drift of"] = variable
    return made


def drift_elsewhere(trained: Trained, frame: pd.DataFrame) -> Result | None:
    """How far what a model says of other files differs from what it says of coded units that it had not seen.

    Args:
        trained: the model.
        frame: its predictions of these files.

    Returns:
        ``None`` where there is too little of either to compare.
    """
    outputs, target = trained.out_of_fold, trained.target
    if outputs is None:
        return None
    variable = str(trained.card["variable"])
    new = columns_of(variable, target, outputs[~np.isnan(outputs).any(axis=1)], None)
    columns = [name for name in new if str(name).startswith(f"{variable}_p_")] or [f"{variable}_predicted"]
    good = frame.loc[frame["error"].isna(), columns].astype(float)
    if min(len(new), len(good)) < FEW:
        return None
    return drift_of_pictures(new[columns].astype(float), good)


def _vectors(
    store: Store, trained: Trained, coded: pd.DataFrame, rest: pd.DataFrame
) -> tuple[tuple[np.ndarray, np.ndarray] | None, pd.DataFrame, pd.DataFrame]:
    """What the model eats, of both; the table embed, where it eats pictures; and the units that have it."""
    features = trained.card["features"]
    if "pixels" in features:
        if "embed" not in store.tables():
            return None, coded, rest
        features = {"table": "embed", "column": EMBEDDING}
    ids, found = vectors_of(store, features, [*coded.index, *rest.index])
    place = {id: row for row, id in enumerate(ids)}
    coded, rest = (part[part.index.isin(place)] for part in (coded, rest))
    if min(len(coded), len(rest)) < FEW:
        return None, coded, rest
    both = tuple(found[[place[id] for id in part.index]] for part in (coded, rest))
    return (both[0], both[1]), coded, rest


def _weights(store: Store, variable: str, coded: pd.DataFrame) -> np.ndarray | None:
    """One over the probability of being drawn, where all coded units were drawn."""
    design = codes.read_design(store.folder, variable)
    if design is None:
        return None
    pi = design[design["order"] > 0].set_index("id")["pi"].reindex(coded.index)
    return None if pi.isna().any() else (1 / pi).to_numpy(float)
