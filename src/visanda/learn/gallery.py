"""Faces given names by a gallery of pictures of known people, and what is doubtful in the gallery itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from visanda.errors import InputError

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
Names = npt.NDArray[np.object_]

UNKNOWN = "unknown"
THRESHOLD = 0.5
NEAREST = 3  # pictures of a person that a face is compared with
_MOST_DISTANCES = 1 << 22  # at a time: 32 MB


@dataclass(frozen=True)
class Identified:
    """Who each of n faces is, by the gallery.

    Attributes:
        person: (n,) the name, or ``"unknown"``.
        nearest: (n,) the person who is nearest, known or not; None where the face has no embedding.
        distance: (n,) to that person.
        picture: (n,) which picture of that person is nearest, its row in the gallery; −1 where there is no embedding.
        second: (n,) the person who is nearest but one; None where the gallery has one person.
        second_distance: (n,) to that person; infinite where there is none.
        margin: (n,) how much farther the second is than the nearest, at least 0.
    """

    person: Names
    nearest: Names
    distance: Array
    picture: Numbers
    second: Names
    second_distance: Array
    margin: Array


@dataclass(frozen=True)
class Doubts:
    """What is doubtful in a gallery.

    Attributes:
        pictures: a row for each picture that may have the wrong name: ``picture`` (its row in the gallery),
            ``person``, ``distance`` to that person's other pictures (infinite where there is none), ``other``, the
            person who is nearer, ``other_distance``; the clearest first.
        same: pairs of names that may be one person: ``person``, ``other``, ``distance``, the median between their
            pictures; the nearest first.
        split: names whose pictures fall into parts, such as two people of one name, or one picture of somebody
            else: ``person``, ``pictures``, ``parts``, ``largest`` (pictures in the largest part), ``gap``, the
            smallest distance between that part and the rest; the widest gap first.
        right: share of pictures that get their own name where they are taken out of the gallery (leave-one-out); of
            people with more than one picture; NaN where there is nobody.
        wrong: share of the same pictures that get another's name. The others are ``unknown``.
    """

    pictures: pd.DataFrame
    same: pd.DataFrame
    split: pd.DataFrame
    right: float
    wrong: float


def identify(
    faces: np.ndarray,
    gallery: np.ndarray,
    people: Sequence[str],
    threshold: float = THRESHOLD,
    margin: float = 0.0,
    *,
    nearest: int = NEAREST,
) -> Identified:
    """Name each face after the person in the gallery who is near enough, and nearer than anybody else.

    The distance to a person is the mean of the L2 distances to the nearest three of the person's pictures (to all
    of them, where there are fewer). The nearest picture alone takes strangers in, the more so the more pictures a
    person has, and one picture with a wrong name decides; the mean of all misses people of whom there are pictures
    of several ages or angles. Memory is bounded however many faces there are.

    Args:
        faces: (n, d) embeddings; a row with NaN is a face without one, and ``unknown``.
        gallery: (m, d) embeddings of pictures of known people.
        people: m names; a name may have many pictures.
        threshold: the largest distance at which a face is that person; ``study.thresholds.calibration`` finds it.
        margin: how much farther the second nearest person must be; 0 asks for nothing.
        nearest: how many of a person's nearest pictures count; 1: the nearest alone.

    Raises:
        InputError: tables that do not fit each other, an empty gallery, or one with missing numbers or names.

    >>> found = identify(np.array([[0.1, 0.0], [5.0, 5.0]]), np.array([[0.0, 0.0], [1.0, 0.0]]), ["Ada", "Bob"])
    >>> found.person.tolist(), found.second.tolist()
    (['Ada', 'unknown'], ['Bob', 'Ada'])
    """
    _check_numbers(threshold, margin, nearest)
    pictures, names, of = _checked(gallery, people)
    wanted = np.asarray(faces, dtype=float)
    if wanted.ndim != 2 or wanted.shape[1] != pictures.shape[1]:
        raise InputError(
            f"faces have the shape {wanted.shape}, the gallery {pictures.shape}: both need a row a face and as many "
            "numbers in a row"
        )
    found = _Finding(len(wanted), names, threshold, margin)
    for rows, distances in _blocks(wanted, pictures):
        found.take(rows, _to_people(distances, of, len(names), nearest), _nearest_picture(distances, of, len(names)))
    return found.identified()


def leave_one_out(
    gallery: np.ndarray,
    people: Sequence[str],
    threshold: float = THRESHOLD,
    margin: float = 0.0,
    *,
    nearest: int = NEAREST,
) -> Identified:
    """Identify each picture of the gallery by all the others: how well the gallery does with faces it has not seen.

    Args and raises are those of ``identify``. A person's only picture is a stranger to the rest of the gallery.
    """
    _check_numbers(threshold, margin, nearest)
    pictures, names, of = _checked(gallery, people)
    found = _Finding(len(pictures), names, threshold, margin)
    for rows, distances in _blocks(pictures, pictures):
        distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = np.inf
        found.take(rows, _to_people(distances, of, len(names), nearest), _nearest_picture(distances, of, len(names)))
    return found.identified()


def doubts(gallery: np.ndarray, people: Sequence[str], threshold: float = THRESHOLD) -> Doubts:
    """What to look at before a gallery is used: wrong names, one person under two names, two under one.

    A picture is doubtful where another person's pictures are within ``threshold`` and nearer than its own person's.
    Two names may be one person where half of the distances between their pictures are within ``threshold``. A name is
    split where its pictures cannot be linked by steps within ``threshold``: often two people, sometimes one at two
    ages; look at them.

    Args:
        gallery: (m, d) embeddings.
        people: m names.
        threshold: the largest distance at which two faces are one person.

    Raises:
        InputError: as ``identify``.
    """
    pictures, names, of = _checked(gallery, people)
    alone = leave_one_out(gallery, people, threshold)
    own = np.full(len(pictures), np.inf)
    other, other_distance = alone.nearest.copy(), alone.distance.copy()
    mine = alone.nearest == names[of]
    own[mine], other[mine], other_distance[mine] = alone.distance[mine], alone.second[mine], alone.second_distance[mine]
    for row in np.flatnonzero(~mine):
        rest = np.setdiff1d(np.flatnonzero(of == of[row]), row)
        if len(rest):
            own[row] = np.sort(cdist(pictures[[row]], pictures[rest])[0])[:NEAREST].mean()
    wrong = np.flatnonzero((other_distance <= threshold) & (other_distance < own))
    wrong = wrong[np.argsort(other_distance[wrong], kind="stable")]
    several = np.bincount(of)[of] > 1
    named = alone.person[several]
    return Doubts(
        pictures=pd.DataFrame(
            {
                "picture": wrong,
                "person": names[of[wrong]],
                "distance": own[wrong],
                "other": other[wrong],
                "other_distance": other_distance[wrong],
            }
        ),
        same=_same(pictures, names, of, threshold),
        split=_split(pictures, names, of, threshold),
        right=float((named == names[of[several]]).mean()) if several.any() else np.nan,
        wrong=float(((named != names[of[several]]) & (named != UNKNOWN)).mean()) if several.any() else np.nan,
    )


class _Finding:
    """The nearest two people of each face, block by block."""

    def __init__(self, faces: int, names: Names, threshold: float, margin: float) -> None:
        self.names, self.threshold, self.margin = names, threshold, margin
        self.first = np.full(faces, -1)
        self.second = np.full(faces, -1)
        self.distance = np.full(faces, np.nan)
        self.second_distance = np.full(faces, np.nan)
        self.picture = np.full(faces, -1)

    def take(self, rows: slice, people: Array, pictures: Numbers) -> None:
        """Take the faces ``rows`` with their distances to each person, and which of each one's pictures is nearest."""
        there = np.flatnonzero(np.isfinite(people).any(axis=1))
        at, people, pictures = rows.start + there, people[there], pictures[there]
        place = np.arange(len(there))
        first = people.argmin(axis=1)
        self.first[at], self.distance[at] = first, people[place, first]
        self.picture[at] = pictures[place, first]
        people[place, first] = np.inf
        second = people.argmin(axis=1)
        self.second_distance[at] = people[place, second]
        self.second[at] = np.where(np.isfinite(people[place, second]), second, -1)

    def identified(self) -> Identified:
        margin = self.second_distance - self.distance
        with_nobody = np.array([*self.names, None], dtype=object)  # so that −1 is nobody
        nearest = with_nobody[self.first]
        sure = (self.distance <= self.threshold) & (margin >= self.margin)
        return Identified(
            person=np.where(sure, nearest, UNKNOWN).astype(object),
            nearest=nearest,
            distance=self.distance,
            picture=self.picture,
            second=with_nobody[self.second],
            second_distance=self.second_distance,
            margin=margin,
        )


def _blocks(faces: Array, gallery: Array) -> Iterator[tuple[slice, Array]]:
    """Distances of some faces at a time to the whole gallery; NaN where a face has no embedding."""
    step = max(1, _MOST_DISTANCES // len(gallery))
    for start in range(0, len(faces), step):
        rows = slice(start, min(start + step, len(faces)))
        yield rows, cdist(faces[rows], gallery)


def _to_people(distances: Array, of: Numbers, people: int, nearest: int) -> Array:
    """(faces, people): the mean of the nearest few finite distances to a person; infinite where there is none."""
    found = np.full((len(distances), people), np.inf)
    for person in range(people):
        mine = np.sort(distances[:, of == person], axis=1)[:, :nearest]
        usable = np.isfinite(mine)
        count = usable.sum(axis=1)
        total = np.where(usable, mine, 0.0).sum(axis=1)
        np.divide(total, count, out=found[:, person], where=count > 0)
    return found


def _nearest_picture(distances: Array, of: Numbers, people: int) -> Numbers:
    """(faces, people): the row in the gallery of each person's nearest picture."""
    found = np.empty((len(distances), people), dtype=np.int64)
    for person in range(people):
        mine = np.flatnonzero(of == person)
        found[:, person] = mine[distances[:, mine].argmin(axis=1)]
    return found


def _same(pictures: Array, names: Names, of: Numbers, threshold: float) -> pd.DataFrame:
    rows = []
    near = {pair for at, distances in _blocks(pictures, pictures) for pair in _near_names(at, distances, of, threshold)}
    for a, b in sorted(near):
        distance = float(np.median(cdist(pictures[of == a], pictures[of == b])))
        if distance <= threshold:
            rows.append((names[a], names[b], distance))
    table = pd.DataFrame(rows, columns=["person", "other", "distance"]).astype({"distance": float})
    return table.sort_values("distance", kind="stable", ignore_index=True)


def _near_names(at: slice, distances: Array, of: Numbers, threshold: float) -> set[tuple[int, int]]:
    """Pairs of people with any two pictures within the threshold."""
    face, picture = np.nonzero(distances <= threshold)
    a, b = of[at][face], of[picture]
    return set(zip(a[a < b].tolist(), b[a < b].tolist(), strict=True))


def _split(pictures: Array, names: Names, of: Numbers, threshold: float) -> pd.DataFrame:
    rows = []
    for person, name in enumerate(names):
        mine = pictures[of == person]
        apart = cdist(mine, mine)
        parts, part = connected_components(apart <= threshold, directed=False)
        if parts > 1:
            largest = part == np.bincount(part).argmax()
            rows.append((name, len(mine), parts, int(largest.sum()), float(apart[np.ix_(largest, ~largest)].min())))
    table = pd.DataFrame(rows, columns=["person", "pictures", "parts", "largest", "gap"]).astype({"gap": float})
    return table.sort_values("gap", ascending=False, kind="stable", ignore_index=True)


def _checked(gallery: np.ndarray, people: Sequence[str]) -> tuple[Array, Names, Numbers]:
    """The gallery's pictures, its names in the order in which they come, and the place there of each picture's."""
    pictures = np.asarray(gallery, dtype=float)
    if pictures.ndim != 2 or not len(pictures):
        raise InputError("the gallery is empty: give at least one picture of a person")
    if len(pictures) != len(people):
        raise InputError(f"the gallery has {len(pictures)} pictures and {len(people)} names: give each its name")
    if bad := np.flatnonzero(~np.isfinite(pictures).all(axis=1)).tolist():
        raise InputError(f"no embedding in row {', '.join(map(str, bad[:6]))} of the gallery: leave these pictures out")
    for row, name in enumerate(people):
        if not isinstance(name, str) or not name.strip() or name == UNKNOWN:
            raise InputError(f"{name!r} in row {row} of the gallery is no name: name each picture's person")
    of, names = pd.factorize(np.array(list(people), dtype=object))
    return pictures, np.asarray(names, dtype=object), of.astype(np.int64)


def _check_numbers(threshold: float, margin: float, nearest: int) -> None:
    if not threshold > 0 or not margin >= 0:
        raise InputError(f"threshold={threshold}, margin={margin}: distances, the first above 0, the second from 0 on")
    if nearest < 1:
        raise InputError(f"nearest={nearest}: at least one picture must count")
