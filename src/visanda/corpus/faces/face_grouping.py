"""The table ``face_groups``: faces that are probably one person each, and how often each of them is seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("group", pa.int64()),
        ("faces", pa.int64()),
        ("distance", pa.float64()),
        ("error", pa.string()),
    ]
)


def group_table(faces: pd.DataFrame, ids: list[str], vectors: np.ndarray, numbers: np.ndarray) -> pa.Table:
    """The table of groups: id, group, faces in the group, distance to the group's mean, error.

    Args:
        faces: as :func:`faces_found` gives them.
        ids: those with an identity.
        vectors: theirs.
        numbers: the group of each of them.
    """
    made = pd.DataFrame({"id": ids, "group": numbers}, dtype=object).astype({"group": "Int64"})
    made["faces"] = made.groupby("group")["id"].transform("size").astype("Int64")
    if ids:
        means = {number: vectors[numbers == number].mean(axis=0) for number in np.unique(numbers)}
        made["distance"] = [
            float(np.linalg.norm(vector - means[number])) for vector, number in zip(vectors, numbers, strict=True)
        ]
    whole = faces[["id", "error"]].merge(made, on="id", how="left").reindex(columns=SCHEMA.names)
    return pa.Table.from_pandas(whole, schema=SCHEMA, preserve_index=False)


def by_group(rows: pd.DataFrame) -> pd.DataFrame:
    """How many faces, pictures and files each group has, and its most typical face; the largest first."""
    first = rows.sort_values(["group", "distance", "id"]).groupby("group")
    table = first.agg(
        faces=("id", "size"), pictures=("picture", "nunique"), files=("parent", "nunique"), typical=("id", "first")
    )
    return table.reset_index()


def said_groups(rows: pd.DataFrame, groups: pd.DataFrame) -> list[str]:
    """How many groups there are."""
    failed, alone = int(rows["error"].notna().sum()), int((groups["faces"] == 1).sum())
    return [
        f"{len(rows) - failed:,} faces are in {len(groups):,} groups; {alone:,} of these are single faces; "
        f"{failed:,} faces failed. A person may be in several groups (other ages, turned away)."
    ]
