"""Videos that are copies of each other as a whole, from the stretches that they have in common."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from visanda.errors import InputError
from visanda.learn.copies.table import COLUMNS


def groups(found: pd.DataFrame, share: float = 0.8) -> pd.DataFrame:
    """Videos that are copies of each other as a whole.

    Two videos belong together where the stretches that they have in common make up ``share`` of *each*: were
    the shorter enough, all broadcasts with the same advertisement would be one group. Groups chain, as those of
    pictures do (:func:`visanda.learn.duplicates.find_duplicates`).

    Args:
        found: as from :func:`visanda.learn.copies.copies`.
        share: of either video, leaving out what is flat, more than 0 and at most 1.

    Returns:
        A row for each video in a group, by group, the keeper first, then by id:

        - ``id``
        - ``group``: from 1; the largest group first, equally large ones by their smallest id.
        - ``keeper``: whether it is the one to keep: the longest, then the smallest id.
        - ``nearest``: the id of the video with which it has most in common, of equally near ones the smallest.
        - ``share``: how much: of the longer of both.

    Raises:
        InputError: a column is missing, or the share is out of range.
    """
    if missing := [name for name in COLUMNS if name not in found]:
        raise InputError(f"the table of copies has no column {', '.join(missing)}")
    if not 0 < share <= 1:
        raise InputError(f"the share of two videos that must be the same is above 0 and at most 1, not {share}")
    different = found[found["a"] != found["b"]].groupby(["a", "b"])
    shares = {(a, b): _shared(stretches) for (a, b), stretches in different}
    links = pd.DataFrame([(a, b, s) for (a, b), s in shares.items() if s >= share], columns=["id", "nearest", "share"])
    lengths = dict([*zip(found["a"], found["a_length"], strict=True), *zip(found["b"], found["b_length"], strict=True)])
    both_ways = pd.concat([links, links.rename(columns={"id": "nearest", "nearest": "id"})])
    table = both_ways.sort_values(["id", "share", "nearest"], ascending=[True, False, True]).drop_duplicates("id")
    ids = pd.Index(table["id"])
    first, second = ids.get_indexer(links["id"]), ids.get_indexer(links["nearest"])
    network = coo_array((np.ones(len(links), bool), (first, second)), shape=(len(ids), len(ids)))
    members = connected_components(network, directed=False)[1] if len(ids) else np.empty(0, np.int64)
    table = table.assign(member=members, length=[lengths[video] for video in ids])
    table["size"] = table.groupby("member")["id"].transform("size")
    table["smallest"] = table.groupby("member")["id"].transform("min")
    table = table.sort_values(["size", "smallest", "length", "id"], ascending=[False, True, False, True])
    table["keeper"] = ~table["smallest"].duplicated()
    table["group"] = pd.factorize(table["smallest"])[0] + 1
    table = table.sort_values(["group", "keeper", "id"], ascending=[True, False, True], ignore_index=True)
    return table[["id", "group", "keeper", "nearest", "share"]]


def _shared(stretches: pd.DataFrame) -> float:
    """Share of the longer of two videos that their common stretches make up; the less of both ways to count it."""
    covered = [
        _union(stretches[f"{one}_start"].to_numpy(), stretches[f"{one}_stop"].to_numpy())
        / stretches[f"{one}_length"].iloc[0]
        for one in "ab"
    ]
    return min(1.0, *covered)


def _union(starts: npt.NDArray[np.float64], stops: npt.NDArray[np.float64]) -> float:
    """Seconds that lie in any of the stretches."""
    order = np.argsort(starts)
    reached = np.maximum.accumulate(stops[order])
    before = np.concatenate([[-np.inf], reached[:-1]])
    return float(np.maximum(0, stops[order] - np.maximum(starts[order], before)).sum())
