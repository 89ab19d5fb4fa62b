"""How videos are edited: shot lengths and cutting rates, as film studies count them."""

from __future__ import annotations

import pandas as pd

from visanda.study.columns import numbers, require_columns

GRADUAL = ("dissolve", "fade")


def shot_statistics(shots: pd.DataFrame) -> pd.DataFrame:
    """Shot lengths and cutting rates of each video (Salt, 1974; Cutting, DeLong & Nothelfer, 2010).

    Args:
        shots: a row a shot: ``parent`` the video, ``start`` and ``stop`` in seconds, ``transition`` how it begins
            (``start``, ``cut``, ``dissolve``, ``fade``), ``error``, null where all went well.

    Returns:
        A row a video, in the order in which they come: ``parent``; ``shots`` how many; ``seconds`` that they
        cover; ``mean_shot_length``, ``median_shot_length`` and ``longest_shot`` in seconds; ``cuts_per_minute``
        boundaries of all kinds between shots, a minute; ``gradual`` share of them that are dissolves or fades, 0 to
        1, missing where there is no boundary; ``error`` what could not be measured. Rows with an error count for
        nothing else; a video with none but these has missing values.

    Raises:
        InputError: a column is missing, or times are no numbers.

    Example:
        >>> shots = pd.DataFrame({"parent": "news.mp4", "start": [0.0, 20.0], "stop": [20.0, 60.0],
        ...                       "transition": ["start", "cut"], "error": None})
        >>> shot_statistics(shots)[["shots", "mean_shot_length", "cuts_per_minute"]].iloc[0].tolist()
        [2.0, 30.0, 1.0]
    """
    require_columns(shots, ["parent", "start", "stop", "transition", "error"])
    length = numbers(shots, "stop") - numbers(shots, "start")
    begins = shots["transition"].astype(object)
    rows = pd.DataFrame(
        {
            "parent": shots["parent"],
            "length": length,
            "boundary": begins.notna() & (begins != "start"),
            "gradual": begins.isin(GRADUAL),
        }
    )
    right = rows[shots["error"].isna()].groupby("parent", sort=False)
    found = right["length"].agg(["size", "sum", "mean", "median", "max"])
    found.columns = ["shots", "seconds", "mean_shot_length", "median_shot_length", "longest_shot"]
    boundaries = right["boundary"].sum()
    found["cuts_per_minute"] = (60 * boundaries / found["seconds"]).where(found["seconds"] > 0)
    found["gradual"] = (right["gradual"].sum() / boundaries).where(boundaries > 0)
    found = found.reindex(pd.Index(shots["parent"].drop_duplicates(), name="parent"))
    found["shots"] = found["shots"].fillna(0).astype("int64")
    found["error"] = shots[shots["error"].notna()].groupby("parent")["error"].agg("; ".join).reindex(found.index)
    return found.reset_index()
