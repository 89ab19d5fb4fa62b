"""The table ``people``: who the faces of a corpus are, by the gallery; its words, figure and pictures to look at."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure

from visanda.corpus.faces.gallery_pictures import Gallery
from visanda.errors import InputError
from visanda.learn.gallery import UNKNOWN, Identified, identify
from visanda.progress import progress
from visanda.run.tasks import BY_PICTURE
from visanda.store import Store

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("person", pa.string()),
        ("distance", pa.float64()),
        ("nearest", pa.string()),
        ("nearest_picture", pa.string()),
        ("second", pa.string()),
        ("second_distance", pa.float64()),
        ("margin", pa.float64()),
        ("error", pa.string()),
    ]
)
NO_IDENTITY = "this face has no identity yet: 'visanda measure identity --on face'"
SMALL = 60  # pixels of width below which identity is unreliable
DOUBTFUL = 0.1  # a distance this near to the threshold is worth a look
_WINDOWS = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def faces_found(store: Store, where: str | None = None) -> pd.DataFrame:
    """All faces of a corpus, in order: id, parent, picture, start, stop, box, frontal, sharpness; error: no identity.

    Raises:
        InputError: no face was found in any picture.
    """
    if "faces" not in store.tables():
        raise _no_faces(store)
    measured = "identity" in store.tables()
    join = "LEFT JOIN identity ON identity.id = faces.id" if measured else ""
    why = "WHEN identity.id IS NULL THEN ? ELSE identity.error END" if measured else "ELSE ? END"
    found = store.frame(
        "SELECT faces.id AS id, parent, picture, start, stop, x, y, faces.width AS width, height, frontal, sharpness, "
        f"CASE WHEN faces.error IS NOT NULL THEN faces.error {why} AS error FROM faces {join} "
        f"WHERE parent IN (SELECT id FROM media WHERE ({where or 'true'})) ORDER BY parent, start, faces.id",
        [NO_IDENTITY],
    )
    if found.empty:
        raise _no_faces(store)
    return found


def _no_faces(store: Store) -> InputError:
    looked = store.frame(f"SELECT count(*) AS n, count(error) AS failed FROM faces{BY_PICTURE}").iloc[0]
    return InputError(
        f"no face was found in these pictures: {looked['n']:,} were looked at, of which {looked['failed']:,} failed"
    )


def name_faces(
    store: Store, gallery: Gallery, faces: pd.DataFrame, threshold: float, margin: float, before: pa.Table | None
) -> tuple[pa.Table, int]:
    """Who each face is.

    Args:
        store: the corpus.
        gallery: of known people.
        faces: as :func:`faces_found` gives them.
        threshold: see :func:`visanda.learn.gallery.identify`.
        margin: see there.
        before: rows made with the same gallery and numbers, which are kept as they are.

    Returns:
        A row a face in the order of ``faces``, and how many of them are new.
    """
    kept = {} if before is None else {row["id"]: row for row in before.to_pylist() if row["error"] is None}
    failed = faces["error"].notna()
    todo = set(faces["id"][~failed]) - set(kept)
    made = kept | {id: {"id": id, "error": why} for id, why in zip(faces["id"][failed], faces["error"][failed])}  # noqa: B905
    with progress("identify", len(todo)) as advance:
        for ids, vectors in store.vector_batches("identity", "identity") if todo else ():
            chosen = [number for number, id in enumerate(ids) if id in todo]
            if chosen:
                found = identify(vectors[chosen], gallery.vectors, gallery.people, threshold, margin)
                made |= {row["id"]: row for row in _rows([ids[n] for n in chosen], found, gallery)}
            advance(len(chosen))
    return pa.Table.from_pylist([made[id] for id in faces["id"]], schema=SCHEMA), len(todo)


def _rows(ids: list[str], found: Identified, gallery: Gallery) -> Iterable[dict[str, object]]:
    pictures = gallery.rows["id"].tolist()
    for n, id in enumerate(ids):
        alone = not np.isfinite(found.second_distance[n])
        yield {
            "id": id,
            "person": str(found.person[n]),
            "distance": float(found.distance[n]),
            "nearest": str(found.nearest[n]),
            "nearest_picture": pictures[found.picture[n]],
            "second": None if alone else str(found.second[n]),
            "second_distance": None if alone else float(found.second_distance[n]),
            "margin": None if alone else float(found.margin[n]),
            "error": None,
        }


def by_person(people: pd.DataFrame) -> pd.DataFrame:
    """How many faces and pictures there are of whom: the most frequent first, then unknown ones, then failed ones.

    Args:
        people: with the columns person, parent, picture, distance and error.
    """
    who = people["person"].where(people["error"].isna(), "(failed)")
    table = (
        people.assign(person=who)
        .groupby("person")
        .agg(
            faces=("id", "size"),
            pictures=("picture", "nunique"),
            files=("parent", "nunique"),
            distance=("distance", "mean"),
        )
        .reset_index()
    )
    last = table["person"].map({UNKNOWN: 1, "(failed)": 2}).fillna(0)
    return table.assign(last=last).sort_values(
        ["last", "faces", "person"], ascending=[True, False, True], ignore_index=True
    )[["person", "faces", "pictures", "files", "distance"]]


def words_of(people: pd.DataFrame, gallery: Gallery, threshold: float) -> tuple[list[str], list[str]]:
    """What was found, and what to be careful of."""
    failed = int(people["error"].notna().sum())
    known = people[people["error"].isna() & (people["person"] != UNKNOWN)]
    unknown = len(people) - failed - len(known)
    absent = sorted(set(gallery.people) - set(known["person"]))
    words = [
        f"{len(known):,} of {len(people):,} faces are of {known['person'].nunique():,} people of the gallery, in "
        f"{known['picture'].nunique():,} pictures; {unknown:,} are unknown; {failed:,} failed "
        f"(distance up to {threshold:g})."
    ]
    if absent:
        words.append(f"Nowhere found: {', '.join(absent[:8])}{' and others' if len(absent) > 8 else ''}.")
    warnings = []
    small = int((known["width"] < SMALL).sum())
    if small:
        warnings.append(f"{small:,} faces with a name are under {SMALL} pixels wide, where names are often wrong.")
    twice = known.groupby(["picture", "person"]).size()
    twice = twice[twice > 1]
    if len(twice):
        picture, person = twice.index[0]
        warnings.append(
            f"{len(twice):,} times two faces of one picture have one name, such as {person} in {picture}: at most one "
            "of them is right, if it is no mirror or screen."
        )
    return words, warnings


def ends(ids: list[str], most: int) -> list[str]:
    """Of ids in order, at most so many: half from the beginning, half from the end."""
    return ids if len(ids) <= most else [*ids[: most - most // 2], *ids[len(ids) - most // 2 :]]


def doubtful(people: pd.DataFrame, threshold: float, most: int) -> pd.DataFrame:
    """The faces whose distance is nearest to the threshold, on both sides of it, in order of distance."""
    near = people.assign(apart=(people["distance"] - threshold).abs())
    chosen = near[near["apart"] <= DOUBTFUL].nsmallest(most, "apart")
    return chosen.sort_values(["distance", "id"])


def file_names(people: Iterable[str]) -> dict[str, str]:
    """A file's name for each person, which every system can hold and which no two share."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for person in people:
        plain = re.sub(r"[^\w.-]+", "_", person).strip("._") or "person"
        plain = plain.encode()[:80].decode("utf-8", "ignore")
        plain, number = (f"_{plain}" if _WINDOWS.fullmatch(plain) else plain), 2
        name = plain
        while name.casefold() in taken:
            name, number = f"{plain}-{number}", number + 1
        taken.add(name.casefold())
        found[person] = name
    return found


def draw_distances(people: pd.DataFrame, threshold: float) -> Figure:
    """How far faces are from the nearest person of the gallery, and the threshold."""
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    distance = people["distance"].dropna()
    named = people.loc[distance.index, "person"] != UNKNOWN
    edges = np.linspace(0, max(1.0, float(distance.max()) if len(distance) else 1.0), 51).tolist()
    for chosen, colour, label in ((named, "#0072B2", "named"), (~named, "#bbbbbb", "unknown")):
        axes.hist(distance[chosen], edges, color=colour, label=f"{label} ({int(chosen.sum()):,})")
    axes.axvline(threshold, color="0.1", linewidth=1.2, label=f"threshold {threshold:g}")
    axes.set_xlabel("Distance to the nearest person of the gallery")
    axes.set_ylabel("Faces")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    return figure
