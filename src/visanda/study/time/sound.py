"""Stretches of silence, from silent seconds."""

from __future__ import annotations

import pandas as pd

from visanda.study.columns import require_columns


def silences(rows: pd.DataFrame, at_least: float = 2.0) -> pd.DataFrame:
    """Silent seconds that follow each other, as stretches.

    Args:
        rows: ``parent`` (the video), ``start`` and ``stop`` in seconds and ``silent``, as the measure ``loudness``
            gives them.
        at_least: seconds; shorter stretches are left out.

    Returns:
        ``parent``, ``start``, ``stop`` and ``duration`` in seconds of each stretch, in order.

    Raises:
        InputError: a column is missing.

    Example:
        >>> seconds = {"start": [0, 1, 2, 3], "stop": [1, 2, 3, 4], "silent": [True, True, False, True]}
        >>> silences(pd.DataFrame({"parent": "a.mp4", **seconds})).values.tolist()
        [['a.mp4', 0, 2, 2]]
    """
    require_columns(rows, ["parent", "start", "stop", "silent"])
    silent = rows[rows["silent"].eq(True)].sort_values(["parent", "start"])
    joined = silent["start"].le(silent["stop"].shift()) & silent["parent"].eq(silent["parent"].shift())
    found = silent.groupby((~joined).cumsum().to_numpy()).agg({"parent": "first", "start": "min", "stop": "max"})
    found["duration"] = found["stop"] - found["start"]
    return found[found["duration"] >= at_least].reset_index(drop=True)
