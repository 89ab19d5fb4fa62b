"""Shots of a video in numbers."""

from __future__ import annotations

import pandas as pd


def shot_statistics(shots: pd.DataFrame) -> pd.DataFrame:
    """A row a video."""
    known = shots[shots["error"].isna()]
    length = known["stop"] - known["start"]
    groups = length.groupby(known["parent"])
    return pd.DataFrame({"shots": groups.size(), "mean_shot_length": groups.mean()}).reset_index()
