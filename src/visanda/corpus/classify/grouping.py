"""Groups: which coded units must stay on one side of every split."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from visanda.errors import InputError
from visanda.learn.duplicates import groups_for_split
from visanda.store import Store
from visanda.units import Unit, parse


def groups_of(store: Store, ids: Sequence[str], columns: Sequence[str]) -> pd.Series:
    """The group of each coded unit, by id: near-duplicates, the file, and what columns of the user's say.

    Only coded units are compared: among a million others, chance neighbours would chain them all.

    Args:
        store: the corpus.
        ids: of coded units.
        columns: of the table media, such as author or place; units of one value stay together.

    Raises:
        InputError: a column that the table media does not have.
    """
    whole = pd.Series([Unit(parse(id).name).id for id in ids], index=list(ids))
    media = store.frame("SELECT * FROM media").set_index("id")
    groups = _near(store, whole)
    groups = _joined(groups, whole)
    parents = whole.map(media["parent"])  # pictures that were derived of one original
    groups = _joined(groups, parents.where(parents.notna(), whole))
    for column in columns:
        if column not in media:
            names = ", ".join(map(str, media.columns))
            raise InputError(f"the table media has no column {column!r}; it has: {names}")
        given = whole.map(media[column])
        groups = _joined(groups, given.astype(str).where(given.notna(), groups))
    return groups


def _near(store: Store, whole: pd.Series) -> pd.Series:
    """Near-duplicates, where hashes were measured; otherwise each unit by itself."""
    alone = pd.Series(whole.index, index=whole.index)
    if "hash" not in store.tables():
        return alone
    hashes = store.frame(
        "SELECT id, sha256_pixels, phash FROM hash WHERE error IS NULL AND id IN (SELECT unnest(?))",
        [whole.index.tolist()],
    )
    if hashes.empty:
        return alone
    found = groups_for_split(hashes)
    return found.reindex(whole.index).fillna(alone).astype(str)


def _joined(first: pd.Series, second: pd.Series) -> pd.Series:
    """Groups that keep together whatever either of two groupings keeps together."""
    name = second.groupby(first.to_numpy()).transform("min")
    while True:
        wider = name.groupby(second.to_numpy()).transform("min")
        wider = wider.groupby(first.to_numpy()).transform("min")
        if wider.equals(name):
            return name
        name = wider
