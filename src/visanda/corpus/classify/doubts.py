"""Doubts: codes that a model which had not seen them contradicts, as a table and as pictures to look at again."""

from __future__ import annotations

import numpy as np
import pandas as pd
from PIL.Image import Image as Picture

from visanda.learn.doubtful import doubtful
from visanda.learn.trained import Trained
from visanda.media import contact_sheet
from visanda.store import Store

SHEET = 48  # pictures


def doubts_of(store: Store, trained: Trained) -> list[str]:
    """Write ``<variable>-doubtful.csv`` and, where there are some, a sheet of them; what there is to say.

    Scores made of comparisons are nobody's codes: of these there is nothing to doubt.
    """
    outputs, variable = trained.out_of_fold, str(trained.card["variable"])
    if outputs is None:
        return []
    rows = trained.rows
    if not _better_than_guessing(trained, outputs):
        return []
    found = doubtful(trained.target, trained.target.encode(rows["value"].tolist()), outputs)
    table = rows[["id", "value"]].iloc[found["row"]].reset_index(drop=True)
    table = table.rename(columns={"value": "coded"}).join(found[["suggested", "doubt"]])
    store.results.mkdir(exist_ok=True)
    path, sheet = store.results / f"{variable}-doubtful.csv", store.results / f"{variable}-doubtful.jpg"
    table.to_csv(path, index=False)
    sheet.unlink(missing_ok=True)
    if table.empty:
        return []
    _sheet(store, table, variable, len(rows)).save(sheet, quality=88)
    some = "1 code looks" if len(table) == 1 else f"{len(table)} codes look"
    return [
        f"{some} doubtful to a model that had not seen them; look at them before you blame the model: {sheet} "
        f"(listed in {path.name})"
    ]


def _better_than_guessing(trained: Trained, outputs: np.ndarray) -> bool:
    """Whether the model is right more often than always saying the commonest value: one that is not accuses nobody."""
    target = trained.target
    seen = ~np.isnan(outputs).any(axis=1)
    if target.scale not in ("nominal", "ordinal") or not seen.any():
        return True
    coded = trained.rows["value"].astype(str)[seen]
    said = pd.Series(target.decode(outputs[seen]), index=coded.index).astype(str)
    return float((said == coded).mean()) > float(coded.value_counts(normalize=True).iloc[0])


def _sheet(store: Store, table: pd.DataFrame, variable: str, units: int) -> Picture:
    shown = table.head(SHEET)
    paths = store.paths(shown["id"].tolist())
    captions = [f"{_short(row.coded)} → {_short(row.suggested)}?" for row in shown.itertuples()]
    title = f"{variable}: {len(table)} of {units} codes look doubtful: as coded → as a model says"
    return contact_sheet([paths.get(id) for id in shown["id"]], captions, title=title)


def _short(value: object) -> str:
    try:
        return f"{float(str(value)):.3g}"
    except ValueError:
        return str(value)
