"""Applied: predictions of all units of a corpus, some thousands at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from visanda import run
from visanda.corpus.classify.exported import imported
from visanda.corpus.classify.features import batches
from visanda.corpus.classify.kinds import OfKind
from visanda.corpus.classify.pixels import NO_NUMBERS
from visanda.corpus.classify.predicting import columns_of
from visanda.corpus.classify.undecided import Undecided
from visanda.errors import InputError
from visanda.learn.split import fold_of
from visanda.learn.trained import APPLIED, Trained, load, place
from visanda.measures import own_model
from visanda.models.own import Own
from visanda.parts import write_bytes
from visanda.store import Store

SCORES = "_scores"  # ends the name of the table with what a fine-tuned model gives out, beside its predictions


def from_vectors(store: Store, trained: Trained, on: str, undecided: Undecided) -> Iterator[pa.Table]:
    """Predictions by a head, of all units of a kind that have vectors."""
    model, folds = Own(trained.model), [Own(fold) for fold in trained.folds]
    wanted, seed = OfKind(store, on), int(trained.card["arguments"]["seed"])
    dealt = dict(zip(trained.rows["id"], trained.rows["fold"].astype(int), strict=True)) if folds else {}

    for every, vectors in batches(store, trained.card["features"]):
        mine = wanted(every)
        ids = [id for id, is_one in zip(every, mine, strict=True) if is_one]
        if not ids:
            continue
        rows = np.ascontiguousarray(vectors[np.flatnonzero(mine)], np.float32)
        outputs = model(rows)
        crossfit = None if len(trained.rows) else outputs  # who learnt from no code has seen none
        if folds:
            crossfit = np.empty_like(outputs)
            anywhere = fold_of(ids, len(folds), seed)  # no head learnt from these
            fold = np.array([dealt.get(id, place) for id, place in zip(ids, anywhere, strict=True)])
            for number, companion in enumerate(folds):
                if (members := np.flatnonzero(fold == number)).size:
                    crossfit[members] = companion(rows[members])
        yield _table(trained, ids, outputs, crossfit, undecided)


def from_pixels(
    store: Store, trained: Trained, folder: Path | None, on: str, undecided: Undecided, workers: int
) -> Iterator[pa.Table]:
    """Predictions by a model that eats pictures: the runner looks at those that were not looked at before.

    Args:
        store: the corpus.
        trained: the model.
        folder: where it is; ``None``: among the models of the corpus.
        on: the kind of unit.
        undecided: what is asked for beside predictions.
        workers: threads; 0 for one a core.
    """
    variable = trained.card["variable"]
    table = f"{variable}{SCORES}"
    measure = own_model(model=str(folder or place(store.models / variable, trained.name)))
    task = run.Task(table, measure)
    _same_in_another_place(store, task)
    run.measure(store, [task], on=on, workers=workers, replace=True)
    wanted = OfKind(store, on)
    for batch in store.parts(table).batches(["id", "scores", "error"]):
        every = batch.column("id").to_pylist()
        mine = np.flatnonzero(wanted(every))
        errors = batch.column("error").take(pa.array(mine)).to_pylist()
        scores = batch.column("scores").take(pa.array(mine)).to_pylist()
        good = [row for row, error in enumerate(errors) if error is None]
        bad = [row for row, error in enumerate(errors) if error is not None]
        names = [every[row] for row in mine]
        if good:
            outputs = np.array([scores[row] for row in good], np.float64)
            yield _table(trained, [names[row] for row in good], outputs, None, undecided)
        if bad:
            failed = {"id": [names[row] for row in bad], "error": [errors[row] for row in bad]}
            yield pa.table(failed, schema=pa.schema([("id", pa.string()), ("error", pa.string())]))


def imported_here(folder: Path) -> Path:
    """The path of a model that somebody exported, as tables name it."""
    return folder.expanduser().resolve()


def say_applied(store: Store, trained: Trained, folder: Path | None, on: str, stem: str) -> None:
    """Write down which model makes the table of predictions that a run is about to put in place."""
    said = {"model": trained.name, "trained": trained.card["trained"], "on": on, "run": stem}
    if folder is not None:
        said["from"] = str(imported_here(folder))
    place_of_it = store.models / trained.card["variable"]
    place_of_it.mkdir(parents=True, exist_ok=True)
    write_bytes(place_of_it / APPLIED, json.dumps(said, indent=2).encode())


def model_of_predictions(store: Store, variable: str) -> Trained:
    """The model that made the table of predictions.

    Raises:
        InputError: it is not known, not there any more, or was trained again since.
    """
    again = f"visanda apply {variable}"
    try:
        said = json.loads((store.models / variable / APPLIED).read_text("utf-8"))
        made = any(said["run"] in path.name for path in store.parts(variable).files())
    except (OSError, ValueError, KeyError):
        made = False
    if not made:
        raise InputError(f"which model made the predictions of {variable!r} is not known: {again}")
    trained = imported(Path(said["from"])) if "from" in said else load(store.models / variable, said["model"])
    if said["trained"] != trained.card["trained"]:
        raise InputError(f"the model {trained.name!r} of {variable!r} was trained again since it was applied: {again}")
    return trained


def _same_in_another_place(store: Store, task: run.Task) -> None:
    """A corpus that was moved: the same weights under another path made the very same numbers."""
    there: dict[str, Any] = store.describe(task.table)
    same = there.get("models") == [card.card() for card in task.measure.models]
    if there and same and there["arguments"] != task.measure.arguments:
        store.write_description(task.table, there | {"arguments": task.measure.arguments})


def _table(
    trained: Trained, ids: list[str], outputs: np.ndarray, crossfit: np.ndarray | None, undecided: Undecided
) -> pa.Table:
    variable, target = trained.card["variable"], trained.target
    good = np.isfinite(outputs).all(axis=1)
    frame = columns_of(variable, target, outputs[good], None if crossfit is None else crossfit[good])
    for name, values in undecided.columns(variable, outputs[good]).items():
        frame[name] = values
    frame = frame.set_axis(np.flatnonzero(good)).reindex(range(len(ids)))
    frame.insert(0, "id", pd.Series(ids, dtype="string"))
    frame["error"] = pd.Series([None if one else NO_NUMBERS for one in good], dtype="string")
    return pa.Table.from_pandas(frame, preserve_index=False)
