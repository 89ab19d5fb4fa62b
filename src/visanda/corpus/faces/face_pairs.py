"""Pairs of faces of which somebody said whether they are one person, with the distance between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from visanda.collect.tables import read_table
from visanda.corpus.faces.gallery_pictures import Gallery
from visanda.errors import InputError
from visanda.store import Store

YES, NO = {"yes", "y", "1", "1.0", "true", "same"}, {"no", "n", "0", "0.0", "false", "different"}


def pairs_of_gallery(gallery: Gallery) -> pd.DataFrame:
    """All pairs of pictures in a gallery: a, b, same, distance.

    Raises:
        InputError: there are no two people, or no person with two pictures.
    """
    people = gallery.rows["person"]
    if people.nunique() < 2 or people.nunique() == len(people):
        raise InputError(
            "pairs of one person and of different people are needed: two or more people, at least one of them with "
            "two pictures ('visanda faces gallery add'), or a table of pairs of your own (--pairs)"
        )
    first, second = np.triu_indices(len(people), 1)
    apart = gallery.vectors[first] - gallery.vectors[second]
    ids = gallery.rows["id"].to_numpy()
    return pd.DataFrame(
        {
            "a": ids[first],
            "b": ids[second],
            "same": people.to_numpy()[first] == people.to_numpy()[second],
            "distance": np.linalg.norm(apart, axis=1).astype(float),
        }
    )


def read_pairs(store: Store, path: Path, by: str | None) -> pd.DataFrame:
    """The pairs of a table with the columns a, b and same: a, b, same, distance, group (where ``by`` is given), error.

    ``a`` and ``b`` are ids of faces, or ids or file names of pictures with one face. ``error`` says why a pair has no
    distance.

    Raises:
        InputError: a column is not there, or no pair can be used.
    """
    table = read_table(path)
    for column in ("a", "b", "same", *([by] if by else [])):
        if column not in table:
            raise InputError(
                f"{path} has no column {column!r}: it needs a and b (ids of faces, or names of pictures with one "
                f"face) and same (yes or no); its columns are: {', '.join(map(str, table))}"
            )
    found = pd.DataFrame({"a": table["a"].astype(str), "b": table["b"].astype(str)})
    answer = table["same"].astype(str).str.strip().str.casefold()
    found["same"] = answer.isin(YES)
    if by:
        found["group"] = table[by]
    faces = _Faces(store)
    rows = [faces.distance(a, b) for a, b in zip(found["a"], found["b"], strict=True)]
    found["distance"] = [distance for distance, _ in rows]
    found["error"] = pd.Series([why for _, why in rows], dtype=object)
    found.loc[~answer.isin(YES | NO), "error"] = "same is neither yes nor no"
    if found["error"].notna().all():
        why = found["error"].iloc[0] if len(found) else "it is empty"
        raise InputError(f"no pair of {path} can be used; the first: {why}")
    return found


def said_pairs(found: pd.DataFrame, used: pd.DataFrame) -> list[str]:
    """Sentences about the pairs to look at first, and those that were left out."""
    nearest = used[~used["same"]].nsmallest(1, "distance").iloc[0]
    farthest = used[used["same"]].nlargest(1, "distance").iloc[0]
    said = [
        f"Look at these, whose labels may be wrong: {nearest.a} and {nearest.b} ({nearest.distance:.2f}, different), "
        f"{farthest.a} and {farthest.b} ({farthest.distance:.2f}, one person)."
    ]
    if len(found) > len(used):
        first = found[found["error"].notna()].iloc[0]
        said.append(f"{len(found) - len(used):,} pairs were left out; the first: {first['error']}.")
    return said


class _Faces:
    """Identities by the names that people give in tables."""

    def __init__(self, store: Store) -> None:
        ids, vectors = store.vectors("identity", "identity")
        self.vectors = dict(zip(ids, vectors, strict=True))
        self.names: dict[str, set[str]] = {}
        for id, picture in store.query("SELECT id, picture FROM faces").to_pandas().itertuples(index=False):
            for name in {id, picture, picture.rsplit("/", 1)[-1]}:
                self.names.setdefault(name, set()).add(id)

    def distance(self, a: str, b: str) -> tuple[float, str | None]:
        """Between two faces; or why there is none."""
        found: list[Any] = []
        for name in (a, b):
            faces = self.names.get(name, set())
            if len(faces) != 1:
                why = "no face is called" if not faces else f"{len(faces)} faces: give the id of one, not"
                return np.nan, f"{why} {name!r}"
            vector = self.vectors.get(next(iter(faces)))
            if vector is None:
                return np.nan, f"{name!r} has no identity"
            found.append(vector)
        return float(np.linalg.norm(found[0] - found[1])), None
