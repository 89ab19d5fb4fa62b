"""Groups of pictures that are copies of each other, exact or near, by their perceptual hashes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from visanda.errors import InputError
from visanda.learn.hamming import HASH_BITS, near_pair_blocks, parsed_hashes

_Positions = npt.NDArray[np.int64]

_FLAT_BITS = 1
_MOST_LINKS = 1 << 22  # kept before they are reduced to one link a hash: 64 MB


def find_duplicates(
    pictures: pd.DataFrame,
    distance: int = 8,
    *,
    progress: Callable[[float], None] | None = None,
) -> pd.DataFrame:
    """Groups of pictures that look the same: equal pixels, or perceptual hashes within ``distance`` bits.

    Groups chain: where *a* is near *b* and *b* is near *c*, all three are one group, however far *c* is from
    *a*. ``distance`` in the result shows it: above the ``distance`` asked for, look before you drop. Hashes
    also agree by chance, the more the more pictures there are: of a million unrelated pictures with 64
    independent, even bits about 140 pairs lie within 8 bits, and real hashes are less even.

    A flat picture (one colour) has no structure to hash, so that all flat pictures share a hash: where at
    most one bit of a hash is set, or at most one is not, only pictures with equal pixels are put together.

    Args:
        pictures: one row a picture: ``id`` (each once), ``sha256_pixels`` (any text that equal pixels share),
            ``phash`` (16 hexadecimal digits); if there, ``width`` and ``height`` in pixels. Rows without a
            ``sha256_pixels`` or ``phash`` are left out.
        distance: the largest number of differing bits of 64, 0–16.
        progress: called now and then with the share of the work done, 0–1.

    Returns:
        One row for each picture that has a duplicate, by group, the keeper first, then by distance and id:

        - ``id``
        - ``group``: from 1; the largest group first, equally large ones by their smallest id.
        - ``kind``: ``exact`` where it has the same pixels as the keeper (or is the keeper, and another has);
          ``near`` otherwise.
        - ``keeper``: whether it is the one to keep: the most pixels, then the smallest id.
        - ``distance``: bits between its hash and the keeper's.
        - ``nearest``: the id of the closest other picture; of equally close hashes, the smallest id.

        ``attrs`` of the table counts the ``pictures`` compared, those ``left_out`` and the ``flat`` ones.

    Raises:
        InputError: a column is missing, an id is missing or repeats, a hash is not 16 hexadecimal digits, or
            the distance is out of range.

    >>> pictures = pd.DataFrame({"id": ["a.jpg", "b.png", "c.jpg"], "sha256_pixels": ["7f", "e0", "31"],
    ...                          "phash": ["00000000ffffffff", "00000000fffffff0", "5a5a5a5a5a5a5a5a"]})
    >>> find_duplicates(pictures)[["id", "group", "kind", "keeper", "distance", "nearest"]]
          id  group  kind  keeper  distance nearest
    0  a.jpg      1  near    True         0   b.png
    1  b.png      1  near   False         4   a.jpg
    """
    _check(pictures)
    usable = pictures.dropna(subset=["sha256_pixels", "phash"]).sort_values("id", ignore_index=True)
    hashes = parsed_hashes(usable["phash"])
    flat = _is_flat(hashes)
    pixels = pd.factorize(usable["sha256_pixels"])[0]
    groups, nearest = _grouped(hashes, flat, pixels, distance, progress)
    keepers = _keepers(groups, usable)
    like_keeper = pixels == pixels[keepers]
    copies = np.bincount(groups, weights=like_keeper)[groups]
    found = pd.DataFrame(
        {
            "id": usable["id"],
            "group": _numbered(groups),
            "kind": np.where(like_keeper & (copies > 1), "exact", "near"),
            "keeper": keepers == np.arange(len(usable)),
            "distance": np.bitwise_count(hashes ^ hashes[keepers]).astype(np.int64),
            "nearest": usable["id"].to_numpy()[nearest],
        }
    )[np.bincount(groups)[groups] > 1]
    order = ["group", "keeper", "distance", "id"]
    found = found.sort_values(order, ascending=[True, False, True, True], ignore_index=True)
    left_out = len(pictures) - len(usable)
    found.attrs = {"pictures": len(usable), "left_out": left_out, "flat": int(flat.sum())}
    return found


def groups_for_split(
    pictures: pd.DataFrame,
    distance: int = 8,
    *,
    progress: Callable[[float], None] | None = None,
) -> pd.Series:
    """Which pictures must stay on one side of a split into training and test data.

    Together stay duplicates (:func:`find_duplicates`), units cut from one ``parent`` (the frames of a video,
    the faces in a picture) and the parent itself. A picture that was left out, or that is like no other, is
    a group of its own.

    Args:
        pictures: as for :func:`find_duplicates`; if there, ``parent``: the id a unit was cut from, or null.
        distance: the largest number of differing bits of 64, 0–16.
        progress: called now and then with the share of the work done, 0–1.

    Returns:
        For every id, in the order of ``pictures``, the smallest id of its group; the index is ``id``, the
        name ``group``.

    Raises:
        InputError: as :func:`find_duplicates`.
    """
    duplicates = find_duplicates(pictures, distance, progress=progress)
    ids = pd.Index(pictures["id"])
    keepers = duplicates.loc[duplicates["keeper"]].set_index("group")["id"]
    names = ids
    first = ids.get_indexer(duplicates["id"])
    second = ids.get_indexer(duplicates["group"].map(keepers))
    if "parent" in pictures:
        children = pictures["parent"].notna().to_numpy()
        parents = pd.Index(pictures["parent"][children])
        names = ids.append(parents.unique().difference(ids))
        first = np.concatenate([first, np.flatnonzero(children)])
        second = np.concatenate([second, names.get_indexer(parents)])
    groups = pd.Series(_components(len(names), first, second)[: len(ids)])
    smallest = pd.Series(ids).groupby(groups).min()
    return pd.Series(groups.map(smallest).to_numpy(), index=pd.Index(ids, name="id"), name="group")


def _check(pictures: pd.DataFrame) -> None:
    if missing := [name for name in ("id", "sha256_pixels", "phash") if name not in pictures]:
        raise InputError(f"the table of pictures has no column {', '.join(missing)}: measure the hashes first")
    if pictures["id"].isna().any():
        raise InputError("a row of the table of pictures has no id")
    if (repeated := pictures["id"].duplicated()).any():
        raise InputError(f"the id {pictures['id'][repeated].iloc[0]!r} occurs more than once")


def _is_flat(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Hashes of pictures without structure.

    A DCT hash says which frequencies lie above their median, so about half of the bits are set. In a flat
    picture all frequencies are zero, and none lies above but perhaps the first, the mean brightness.
    """
    set_bits = np.bitwise_count(hashes)
    return (set_bits <= _FLAT_BITS) | (set_bits >= HASH_BITS - _FLAT_BITS)


def _grouped(
    hashes: npt.NDArray[np.uint64],
    flat: npt.NDArray[np.bool_],
    pixels: _Positions,
    distance: int,
    progress: Callable[[float], None] | None,
) -> tuple[_Positions, _Positions]:
    """For every picture its group, from 0, and the position of the picture nearest to it (its own if none
    is).

    Pictures are first put together by what they look like, a hash or (flat ones) their pixels, so that pairs
    are only ever looked for among different looks.
    """
    codes, distinct = pd.factorize(hashes[~flat])
    groups_of_looks, nearest_looks = _near_looks(distinct, distance, progress)
    flat_codes, flat_looks = pd.factorize(pixels[flat])
    flat_groups = np.arange(len(flat_looks)) + groups_of_looks.max(initial=-1) + 1
    looks = np.empty(len(hashes), dtype=np.int64)
    looks[~flat], looks[flat] = codes, flat_codes + len(distinct)
    nearest_looks = np.concatenate([nearest_looks, np.arange(len(flat_looks)) + len(distinct)])
    return np.concatenate([groups_of_looks, flat_groups])[looks], _nearest_pictures(looks, nearest_looks)


def _near_looks(
    hashes: npt.NDArray[np.uint64], distance: int, progress: Callable[[float], None] | None
) -> tuple[_Positions, _Positions]:
    """For every hash its group, from 0, and the position of the hash nearest to it (its own if none is)."""
    positions = np.arange(len(hashes))
    # The distance above the position: the least is the nearest, of equally near ones the first.
    nearest = (np.int64(HASH_BITS + 1) << 32) | positions
    first = second = np.empty(0, dtype=np.int64)
    for found in near_pair_blocks(hashes, distance, progress=progress):
        distances = found.distance.astype(np.int64) << 32
        np.minimum.at(nearest, found.first, distances | found.second)
        np.minimum.at(nearest, found.second, distances | found.first)
        first, second = np.concatenate([first, found.first]), np.concatenate([second, found.second])
        if len(first) > _MOST_LINKS + len(hashes):
            # A link from each hash to the first of its group says the same.
            groups = _components(len(hashes), first, second)
            first, second = positions, np.unique(groups, return_index=True)[1][groups]
    return _components(len(hashes), first, second), nearest & 0xFFFF_FFFF


def _nearest_pictures(looks: _Positions, nearest_looks: _Positions) -> _Positions:
    """The first other picture of the same look, else the first of the nearest look."""
    firsts = np.unique(looks, return_index=True)[1]
    is_first = firsts[looks] == np.arange(len(looks))
    nearest = np.where(is_first, firsts[nearest_looks[looks]], firsts[looks])
    later = np.flatnonzero(~is_first)
    shared_looks, places = np.unique(looks[later], return_index=True)
    nearest[firsts[shared_looks]] = later[places]
    return nearest


def _components(n: int, first: _Positions, second: _Positions) -> _Positions:
    links = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(n, n))
    return connected_components(links, directed=False)[1].astype(np.int64)


def _keepers(groups: _Positions, pictures: pd.DataFrame) -> _Positions:
    """For every picture the position of its group's keeper: the most pixels, then the first."""
    size = pd.Series(0.0, index=pictures.index)
    if {"width", "height"} <= set(pictures.columns):
        size = (pictures["width"] * pictures["height"]).astype(float).fillna(0)
    order = np.lexsort((-size.to_numpy(), groups))  # stable: equally large ones stay in the order of their ids
    return order[np.unique(groups[order], return_index=True)[1]][groups]


def _numbered(groups: _Positions) -> _Positions:
    """The groups' numbers from 1: the largest first, equally large ones by their first picture."""
    _, firsts, sizes = np.unique(groups, return_index=True, return_counts=True)
    numbers = np.empty(len(firsts), dtype=np.int64)
    numbers[np.lexsort((firsts, -sizes))] = np.arange(1, len(firsts) + 1)
    return numbers[groups]
