"""Listed: the trained models of a corpus, a row a model."""

from __future__ import annotations

import pandas as pd

from visanda.learn.frozen import times_looked
from visanda.learn.trained import load, names
from visanda.store import Store

COLUMNS = ["variable", "model", "what", "learnt from", "test", "looks", "trained"]


def listed(store: Store) -> pd.DataFrame:
    """A row a model: variable, name, what it is, how much it learnt from, its test set, how often that was looked at.

    Raises:
        CorpusError: a model is damaged.
    """
    rows = []
    for folder in sorted(path for path in store.models.glob("*") if path.is_dir()):
        for name in names(folder):
            card = load(folder, name).card
            units = card["units"]
            learnt = units["train"] + units["validation"]
            looks = times_looked(folder, name)
            rows.append((folder.name, name, card["model"], learnt, units["test"], looks, card["trained"][:16]))
    return pd.DataFrame(rows, columns=COLUMNS)
