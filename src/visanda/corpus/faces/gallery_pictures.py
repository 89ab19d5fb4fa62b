"""The gallery: pictures of people who are known, each with one face; what is doubtful among them."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.spatial.distance import cdist, pdist

from visanda.errors import InputError, MediaError
from visanda.learn.gallery import UNKNOWN, Doubts
from visanda.measure import Vector, arrow_type
from visanda.measures import faces, identity
from visanda.media import Detail, Image, Marked, Still
from visanda.run.orders import BOX
from visanda.store import Store
from visanda.units import Box, Unit, parse

TABLE = "gallery"
MODELS = ("yunet", "facemesh", "face_recognition_dlib")
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("person", pa.string()),
        ("path", pa.string()),
        ("picture", pa.string()),
        *((name, pa.int64()) for name in BOX),
        ("frontal", pa.bool_()),
        ("identity", arrow_type(Vector(128))),
        ("error", pa.string()),
    ]
)
SMALL = 60  # pixels of width below which a face is no good example
SAID = 8  # doubts, at most
SAME_PICTURE = 0.05  # a distance at which two pictures of a gallery are one, perhaps saved anew


@dataclass(frozen=True)
class Gallery:
    """Faces of known people.

    Attributes:
        rows: of the table ``gallery``, in order of person and id.
        vectors: (rows, 128) their identities.
    """

    rows: pd.DataFrame
    vectors: np.ndarray

    @property
    def people(self) -> list[str]:
        """The person of each row."""
        return self.rows["person"].tolist()

    @property
    def fingerprint(self) -> str:
        """The same for the same faces under the same names, whatever their files are called."""
        each = sorted(
            person.encode() + b"\0" + vector.tobytes()
            for person, vector in zip(self.people, self.vectors.astype(np.float16), strict=True)
        )
        return hashlib.sha256(b"".join(each)).hexdigest()[:16]

    def to_others(self, person: str) -> dict[str, float]:
        """The mean distance of each of a person's pictures to the others; none where there is only one."""
        mine = np.flatnonzero(self.rows["person"] == person)
        if len(mine) < 2:
            return {}
        apart = cdist(self.vectors[mine], self.vectors[mine]).sum(axis=1) / (len(mine) - 1)
        return dict(zip(self.rows["id"].iloc[mine], apart, strict=True))

    def spread(self, person: str) -> float:
        """The mean distance between a person's pictures; NaN for one picture."""
        mine = self.vectors[self.rows["person"] == person]
        return float(pdist(mine).mean()) if len(mine) > 1 else np.nan


def read_gallery(store: Store) -> Gallery:
    """The gallery of a corpus.

    Raises:
        InputError: there is none.
    """
    rows = store.parts(TABLE).read().to_pandas() if TABLE in store.tables() else pd.DataFrame()
    if rows.empty:
        raise InputError("the gallery is empty: add people with 'visanda faces gallery add NAME PICTURE ...'")
    rows = rows.sort_values(["person", "id"], kind="stable", ignore_index=True)
    return Gallery(rows, np.stack(rows["identity"].tolist()).astype(np.float32))


def checked_name(person: str) -> str:
    """A person's name, in one spelling of its characters.

    Raises:
        InputError: it is empty, or the word for people who are not known.
    """
    name = unicodedata.normalize("NFC", str(person)).strip()
    if not name or name == UNKNOWN:
        raise InputError(f"{person!r} cannot name a person")
    return name


def files_of(pictures: Sequence[str | Path]) -> list[str]:
    """The pictures named, with folders replaced by the files in them."""
    found: list[str] = []
    for given in map(str, pictures):
        folder = Path(given).expanduser()
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
        found += [str(path) for path in inside if path.is_file() and not path.name.startswith(".")]
        found += [] if folder.is_dir() else [given]
    return list(dict.fromkeys(found))


class Reader:
    """Reads the one face of a picture.

    Args:
        store: the corpus, whose ids may be given as well as files.
        face: which of several faces, from left to right and from 1; None: there must be only one.
        largest: take the largest of several.
    """

    def __init__(self, store: Store, face: int | None, largest: bool) -> None:
        self.store, self.face, self.largest = store, face, largest
        self.several: list[Marked] = []

    def read(self, person: str, given: str) -> dict[str, Any]:
        """A row of the gallery; where there is no one face, its ``error`` says why and what to do."""
        row: dict[str, Any] = dict.fromkeys(SCHEMA.names) | {"person": person}
        try:
            source, where, name = self._locate(given)
            row |= where | {"id": _id(person, name)}
            row |= self._known(given, source.box) if isinstance(source, Detail) else self._seen(source)
        except (MediaError, InputError) as error:
            row |= {"id": row["id"] or _id(person, Path(given).name), "error": str(error)}
        return row

    def _locate(self, given: str) -> tuple[Path | Still | Detail, dict[str, Any], str]:
        """Where a picture is, what the table says of that, and what it is called."""
        path = Path(given).expanduser()
        if path.is_file():
            return path, {"path": self.store.stored(path.resolve())}, Unit(path.name).id
        found = self.store.paths([given]).get(given) if "media" in self.store.tables() and _is_id(given) else None
        if found is None:
            raise InputError("there is no such file, nor a picture or face with that id in this corpus")
        unit = parse(given)
        if isinstance(found, Path):
            return found, {"path": self.store.stored(found)}, given.rsplit("/", 1)[-1]
        return found, {"picture": Unit(unit.name, unit.time).id}, given.rsplit("/", 1)[-1]

    def _known(self, face: str, box: Box) -> dict[str, Any]:
        """A face that was found and measured in the corpus."""
        rows = []
        if {"faces", "identity"} <= set(self.store.tables()):
            rows = self.store.query(
                "SELECT frontal, identity FROM faces JOIN identity USING (id) WHERE id = ? AND identity IS NOT NULL",
                [face],
            ).to_pylist()
        if not rows:
            raise InputError("this face of the corpus has no identity: 'visanda measure identity --on face'")
        return dict(zip(BOX, box, strict=True)) | rows[0]

    def _seen(self, source: Path | Still) -> dict[str, Any]:
        """The face in a picture that is looked at now."""
        image = Image.of(source)
        found = pd.DataFrame(faces()([image])).sort_values(["x", "y"], ignore_index=True)
        chosen = found.iloc[self._choose(image, found)]
        box = _box(chosen)
        vector = identity()([Detail(image, box, chosen["landmarks"])])["identity"][0]
        return dict(zip(BOX, box, strict=True)) | {"frontal": bool(chosen["frontal"]), "identity": vector}

    def _choose(self, image: Image, found: pd.DataFrame) -> int:
        if found.empty:
            raise InputError("no face was found: give a larger or sharper picture, or one that shows more of the face")
        if self.face is not None:
            if not 1 <= self.face <= len(found):
                raise InputError(f"there is no face {self.face}: {_many(len(found))} found, counted from the left")
            return self.face - 1
        if len(found) == 1 or self.largest:
            return int((found["width"] * found["height"]).argmax())
        boxes = [_box(row) for row in found.to_dict("records")]
        self.several.append(Marked(image, boxes, [str(number) for number in range(1, len(boxes) + 1)]))
        raise InputError(
            f"{len(found)} faces: crop the picture, or name one, counted from the left, with --face 1 to "
            f"--face {len(found)}, or take the largest with --largest"
        )


def _box(row: Any) -> Box:
    x, y, width, height = (int(row[name]) for name in BOX)
    return x, y, width, height


def _many(count: int) -> str:
    return "1 face was" if count == 1 else f"{count} faces were"


def _is_id(text: str) -> bool:
    try:
        return bool(parse(text))
    except InputError:
        return False


def _id(person: str, name: str) -> str:
    """Person and picture, for one row each; ``#`` in a person's name must not begin a fragment."""
    return f"{Unit(person).id}/{name}"


def numbered(rows: list[dict[str, Any]], there: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with ids of their own where different files of a person have one name."""
    taken = {row["id"]: _place(row) for row in there}
    for row in rows:
        plain, number = row["id"], 2
        while row["error"] is None and taken.get(row["id"], _place(row)) != _place(row):
            row["id"], number = f"{plain} ({number})", number + 1
        if row["error"] is None:
            taken[row["id"]] = _place(row)
    return rows


def _place(row: dict[str, Any]) -> Any:
    return row["path"] if row["path"] is not None else row["picture"]


def as_table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Rows of the gallery as they are stored."""
    plain = [{**row, "identity": np.asarray(row["identity"], np.float16).tolist()} for row in rows]
    return pa.Table.from_pylist(plain, schema=SCHEMA)


def pictures_of(store: Store, rows: pd.DataFrame) -> list[Detail | None]:
    """The faces of the gallery as pictures; None where a video is gone from the corpus."""
    where = store.paths([picture for picture in rows["picture"] if isinstance(picture, str)])
    found: list[Detail | None] = []
    for row in rows.to_dict("records"):
        source = store.resolve(row["path"]) if isinstance(row["path"], str) else where.get(row["picture"])
        found.append(None if source is None else Detail(source, _box(row)))
    return found


def by_person(gallery: Gallery, doubts: Doubts) -> pd.DataFrame:
    """A row a person: pictures, spread, nearest, nearest_distance, doubts."""
    people = gallery.rows["person"]
    names = list(dict.fromkeys(people))
    means = np.stack([gallery.vectors[people == name].mean(axis=0) for name in names])
    apart = cdist(means, means)
    np.fill_diagonal(apart, np.inf)
    alone = len(names) == 1
    rows = [
        {
            "person": name,
            "pictures": int((people == name).sum()),
            "spread": gallery.spread(name),
            "nearest": None if alone else names[int(apart[number].argmin())],
            "nearest_distance": np.nan if alone else float(apart[number].min()),
            "doubts": len(said_doubts(gallery, doubts, {name})),
        }
        for number, name in enumerate(names)
    ]
    return pd.DataFrame(rows)


def said_doubts(gallery: Gallery, doubts: Doubts, about: set[str] | None = None) -> list[str]:
    """Sentences about what is doubtful; about some people only, where given."""

    def mine(row: Any) -> bool:
        return about is None or bool({row.person, getattr(row, "other", row.person)} & about)

    said = []
    one_person = {frozenset(pair) for pair in zip(doubts.same["person"], doubts.same["other"], strict=True)}
    row: Any
    for row in filter(mine, doubts.pictures.itertuples()):
        if {row.person, row.other} in one_person:
            continue  # said once for both names, below
        own = "it is the only one" if np.isinf(row.distance) else f"{row.distance:.2f} from the others"
        said.append(
            f"{gallery.rows['id'][row.picture]} resembles {row.other} ({row.other_distance:.2f}; of {row.person} "
            f"{own}): is the name right?"
        )
    for row in filter(mine, doubts.same.itertuples()):
        said.append(
            f"{row.person} and {row.other} may be one person: half of their pictures are within {row.distance:.2f}"
        )
    for row in filter(mine, doubts.split.itertuples()):
        said.append(
            f"the {row.pictures} pictures of {row.person} fall into {row.parts} parts that are {row.gap:.2f} apart: "
            "two people of one name, a picture of somebody else, or one person at very different ages"
        )
    return said if len(said) <= SAID else [*said[:SAID], f"and {len(said) - SAID:,} more doubts about the gallery"]


def said_of_new(gallery: Gallery, added: set[str]) -> list[str]:
    """Sentences about pictures just added: weak ones, and those that are there already."""
    said = []
    apart = cdist(gallery.vectors, gallery.vectors)
    np.fill_diagonal(apart, np.inf)
    row: Any
    for number, row in enumerate(gallery.rows.itertuples()):
        if row.id not in added:
            continue
        near = int(apart[number].argmin())
        if apart[number, near] <= SAME_PICTURE:
            why = "it adds nothing" if gallery.people[near] == row.person else "one of the names is wrong"
            said.append(f"{row.id} is the same face in the same picture as {gallery.rows['id'][near]}: {why}")
        if row.width < SMALL:
            said.append(f"{row.id}: the face is only {row.width} pixels wide; from {SMALL} on it is a good example")
        elif not row.frontal:
            said.append(f"{row.id}: the face is turned away; add a picture that looks at the camera")
    return said


def said_of_names(person: str, others: Sequence[str]) -> list[str]:
    """A sentence where a name differs from another only in its capitals or spaces."""
    plain = " ".join(person.casefold().split())
    return [
        f"there is {other!r} as well as {person!r}: if they are one person, use one spelling"
        for other in dict.fromkeys(others)
        if other != person and " ".join(other.casefold().split()) == plain
    ]
