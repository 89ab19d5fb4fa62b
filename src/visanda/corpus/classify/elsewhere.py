"""Elsewhere: predictions of pictures that are in no corpus."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from visanda.collect.folder import find
from visanda.corpus.classify.pixels import looker, outputs
from visanda.corpus.classify.predicting import columns_of
from visanda.corpus.classify.undecided import Undecided
from visanda.errors import InputError
from visanda.learn.trained import Trained


def predictions(trained: Trained, to: Sequence[Path], undecided: Undecided) -> pd.DataFrame:
    """Predict the pictures in files and folders.

    Args:
        trained: the model.
        to: files and folders.
        undecided: what is asked for beside predictions.

    Returns:
        A row a file, by name: file, predictions, and error where it is no picture or is damaged.

    Raises:
        InputError: nothing is there, or nothing but other files.
    """
    found = find([str(source) for source in to]).found
    if not found:
        raise InputError(f"there is no picture in {', '.join(map(str, to))}")
    made = list(outputs(looker(trained), [item.path for item in found]))
    good = [(item.id, row) for item, row in zip(found, made, strict=True) if not isinstance(row, str)]
    bad = [(item.id, row) for item, row in zip(found, made, strict=True) if isinstance(row, str)]
    rows = np.stack([row for _, row in good]) if good else np.empty((0, trained.target.outputs), np.float32)
    variable = str(trained.card["variable"])
    frame = columns_of(variable, trained.target, rows, None)
    frame.insert(0, "file", pd.Series([id for id, _ in good], dtype="string"))
    for name, values in undecided.columns(variable, rows).items():
        frame[name] = values
    table = pd.concat([frame, pd.DataFrame(bad, columns=["file", "error"], dtype="string")], ignore_index=True)
    return table.sort_values("file", ignore_index=True)
