"""The errors of a machine as pictures: those it was surest of, or furthest off in, come first."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from visanda.corpus.classify.tested import Tested
from visanda.corpus.handwork.sheets import look
from visanda.media import contact_sheet
from visanda.media.image import ImageLike
from visanda.store import Store

SHEET = 48  # pictures on a sheet


def write_errors(store: Store, tested: Tested) -> list[Path]:
    """Write ``results/<variable>-errors.jpg``; of two classes, a sheet for either kind of error."""
    made = []
    for stem, title, ids in _kinds(tested):
        if ids.empty:
            continue
        shown = list(ids[:SHEET])
        sources = store.paths(shown)
        pictures: list[ImageLike | None] = [look(sources.get(id)) for id in shown]
        path = store.results / f"{tested.variable}-{stem}.jpg"
        sheet = contact_sheet(pictures, [_caption(tested, id) for id in shown], title=title)
        path.parent.mkdir(exist_ok=True)
        sheet.save(path, quality=88)
        made.append(path)
    return made


def _kinds(tested: Tested) -> list[tuple[str, str, pd.Index]]:
    """The sheets: name, title, and ids in the order in which they are worth a look."""
    n, variable = len(tested.gold), tested.variable
    wrong = tested.wrong
    if tested.scale == "interval":
        ids = wrong.sort_values(ascending=False, kind="stable").index
        return [("errors", f"{variable}: {tested.machine} is furthest off in these of {n}", ids)]
    missed = wrong[wrong > 0]
    sure = pd.Series(0.0, index=wrong.index) if tested.probability is None else tested.probability.max(axis=1)
    order = pd.DataFrame({"wrong": -missed, "sure": -sure.loc[missed.index]}).sort_values(["wrong", "sure"])
    if tested.scale != "nominal" or len(tested.classes) != 2 or tested.positive is None:
        return [("errors", f"{variable}: {tested.machine} has {len(missed)} of {n} wrong", order.index)]
    said = tested.predicted.loc[order.index] == tested.positive
    yes, count = tested.positive, int(said.sum())
    return [
        (f"said-{_plain(yes)}", f"{variable}: {count} of {n} are {yes} only to {tested.machine}", order.index[said]),
        (
            f"missed-{_plain(yes)}",
            f"{variable}: {len(said) - count} of {n} are {yes} only to the coders",
            order.index[~said],
        ),
    ]


def _caption(tested: Tested, id: str) -> str:
    gold, said = tested.gold[id], tested.predicted[id]
    if tested.scale == "interval":
        return f"coded {gold:g}, said {said:.3g}"
    if tested.probability is None or tested.scale == "multilabel":
        return f"coded {gold}, said {said}"
    return f"coded {gold}, said {said} {tested.probability.loc[id].max():.2f}"


def _plain(value: str) -> str:
    """A value in the name of a file."""
    return "".join(letter if letter.isalnum() else "-" for letter in value)[:30] or "value"
