"""Changes of the gallery: pictures added under a name, people and pictures taken out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from visanda.corpus.derived import describe, put_in_place
from visanda.corpus.faces import gallery_pictures
from visanda.errors import InputError
from visanda.learn.gallery import doubts
from visanda.store import Store


def add(store: Store, person: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Write the rows without an error; what was added, with distances, words and warnings."""
    parts = store.parts(gallery_pictures.TABLE)
    names = [row["id"] for row in rows]
    with parts.writing(), store.record("faces-gallery-add", {"person": person, "pictures": names}) as run:
        there = parts.read().to_pylist()
        rows = gallery_pictures.numbered(rows, there)
        good = {row["id"]: row for row in rows if row["error"] is None}
        kept = [row for row in there if row["id"] not in good]
        table = gallery_pictures.as_table([*kept, *good.values()])
        if good:
            summary = "Pictures of known people, each with one face."
            described = describe("gallery", summary, "", {}, table, gallery_pictures.MODELS)
            put_in_place(store, gallery_pictures.TABLE, table, described, run.stem)
        run.counts = {"added": len(good), "failed": len(rows) - len(good)}
    frame = pd.DataFrame({"id": [r["id"] for r in rows], "person": person, "distance": np.nan})
    frame["error"] = pd.Series([row["error"] for row in rows], dtype="string")
    warnings = []
    if good:
        gallery = gallery_pictures.read_gallery(store)
        frame["distance"] = frame["id"].map(gallery.to_others(person))
        warnings = gallery_pictures.said_of_names(person, gallery.people)
        warnings += gallery_pictures.said_of_new(gallery, set(good))
        warnings += gallery_pictures.said_doubts(gallery, doubts(gallery.vectors, gallery.people), {person})
    again = len(set(good) & {row["id"] for row in there})
    words = [
        f"{len(good)} of {len(rows)} pictures are in the gallery as {person}"
        + (f" ({again} were there before)." if again else ".")
    ]
    frame.attrs = {"words": words, "warnings": warnings}
    return frame


def remove(store: Store, name: str, picture: str | None) -> pd.DataFrame:
    """Take out a person's pictures, or one of them; what was taken out.

    Raises:
        InputError: there is no such person or picture.
    """
    rows = gallery_pictures.read_gallery(store).rows
    mine = rows[rows["person"] == name]
    if mine.empty:
        raise InputError(f"nobody in the gallery is called {name!r}; there are: {', '.join(rows['person'].unique())}")
    if picture is not None:
        called = {picture, store.stored(Path(picture).expanduser().resolve())}
        last = mine["id"].str.rsplit("/", n=1).str[-1]
        hit = mine["id"].isin(called) | last.isin(called) | mine["path"].isin(called) | mine["picture"].isin(called)
        if not hit.any():
            raise InputError(f"{name} has no picture {picture!r} in the gallery; there are: {', '.join(last)}")
        mine = mine[hit]
    parts = store.parts(gallery_pictures.TABLE)
    arguments = {"person": name, "picture": picture}
    with parts.writing(), store.record("faces-gallery-remove", arguments) as run:
        run.counts = {"removed": parts.drop(mine["id"], run.stem)}
    gone = mine[["id", "person"]].reset_index(drop=True)
    gone.attrs["words"] = [f"{len(gone)} pictures were taken out; {len(rows) - len(gone)} are in the gallery."]
    if "people" in store.tables():
        gone.attrs["warnings"] = ["The table 'people' still has the names of before: 'visanda faces identify'."]
    return gone
