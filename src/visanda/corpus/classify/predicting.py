"""Predicting: what a trained model says of units of a corpus."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from visanda import codes
from visanda.corpus.classify.features import vectors_of
from visanda.corpus.classify.pixels import scores_of_pictures
from visanda.learn.target import Target
from visanda.learn.trained import Trained
from visanda.models.own import Own
from visanda.store import Store


def scores_of(store: Store, trained: Trained, ids: Iterable[str]) -> tuple[list[str], np.ndarray]:
    """What a model gives out for some units: ids of those that it could be run on, and its outputs (n, k).

    Args:
        store: the corpus.
        trained: the model.
        ids: of units, in the order wanted.

    Raises:
        InputError: what the model eats is not measured.
    """
    if "pixels" in trained.card["features"]:
        return scores_of_pictures(store, trained, list(ids))
    found, vectors = vectors_of(store, trained.card["features"], ids)
    if not found:
        return [], np.empty((0, trained.target.outputs), np.float32)
    return found, Own(trained.model)(vectors)


def output_names(target: Target) -> list[str]:
    """What each output is about, in words: the values, or ``value`` of an interval scale."""
    return list(target.classes) or ["value"]


def columns_of(variable: str, target: Target, outputs: np.ndarray, crossfit: np.ndarray | None) -> pd.DataFrame:
    """Predictions as ``apply`` writes them.

    Args:
        variable: its name.
        target: what is predicted.
        outputs: (n, k) of the model.
        crossfit: (n, k) by heads that had not seen the unit's fold; ``None`` where there are none.

    Returns:
        ``<v>_predicted``; ``<v>_p_<value>``; ``<v>_crossfit_<value>``, or ``<v>_crossfit`` of an interval scale.
    """
    dtype = float if target.scale == "interval" else "string"
    frame = pd.DataFrame({f"{variable}_predicted": pd.Series(target.decode(outputs), dtype=dtype)})
    for number, value in enumerate(target.classes):
        frame[codes.column_name(f"{variable}_p", value)] = outputs[:, number].astype(np.float64)
    if crossfit is None:
        return frame
    if target.scale == "interval":
        return frame.assign(**{f"{variable}_crossfit": crossfit[:, 0].astype(np.float64)})
    for number, value in enumerate(target.classes):
        frame[codes.column_name(f"{variable}_crossfit", value)] = crossfit[:, number].astype(np.float64)
    return frame
