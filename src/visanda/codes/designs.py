"""Samples as they are stored; and a variable as columns: gold, predictions and the design of its sample."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from visanda.codebook import check_name
from visanda.codes.deciding import gold_of
from visanda.parts import write_bytes
from visanda.store import Store, quoted
from visanda.study.sampling.rounds import in_any, probability_of_codes, rounds_of

DESIGN = ("pi", "stratum", "cluster", "round")  # columns of a sample that a variable's columns repeat


def write_design(folder: Path, variable: str, design: pd.DataFrame) -> None:
    """Store a sample: every picture of the population with stratum, pi and order (0 where not drawn)."""
    buffer = io.BytesIO()
    design.to_parquet(buffer, index=False)
    target = folder / "samples" / f"{check_name('variable', variable)}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, buffer.getvalue())


def read_design(folder: Path, variable: str) -> pd.DataFrame | None:
    """The stored sample of a variable; ``None`` where none was drawn."""
    path = folder / "samples" / f"{variable}.parquet"
    return pd.read_parquet(path) if path.exists() else None


def same_sample(folder: Path, variables: Sequence[str]) -> bool:
    """Whether all of these variables are coded on the very same sample, or none of them on any."""
    designs = [read_design(folder, variable) for variable in variables]
    columns = ["id", "pi", "order"]
    first = designs[0]
    if first is None:
        return all(one is None for one in designs)
    return all(one is not None and one[columns].equals(first[columns]) for one in designs[1:])


def shared_rounds(folder: Path, variables: Sequence[str]) -> pd.DataFrame | None:
    """The design of the rounds that were drawn for all of these variables at once, from the first on.

    Later rounds, drawn for some of them only, are as if they had not been: their units count as not drawn.

    Returns:
        ``None`` where not even the first round is the same.
    """
    designs = [read_design(folder, variable) for variable in variables]
    if any(one is None or not rounds_of(one) for one in designs):
        return None
    first, *others = [one.set_index("id") for one in designs if one is not None]
    shared = 0
    for number, name in enumerate(rounds_of(first), 1):
        same = [
            one[name].equals(first[name]) and (one["round"] == number).equals(first["round"] == number)
            for one in others
            if name in one and one.index.equals(first.index)
        ]
        if len(same) < len(others) or not all(same):
            break
        shared = number
    if not shared:
        return None
    later = rounds_of(first)[shared:]
    beyond = first["round"] > shared
    kept = first.drop(columns=later).assign(order=first["order"].mask(beyond, 0), round=first["round"].mask(beyond, 0))
    kept["pi"] = in_any(kept[rounds_of(kept)].to_numpy(dtype=float))
    return kept.reset_index()


def variable_frame(store: Store, variable: str) -> pd.DataFrame:
    """A variable, a row a unit: gold codes, predictions, inclusion probabilities.

    Returns:
        Columns id, ``<variable>`` (gold, missing where not coded), ``<variable>_predicted``,
        ``<variable>_p_<value>``, whatever else ``apply`` wrote, ``<variable>_pi`` (the probability that the unit was
        drawn and coded; of the draw, before anything is coded), and, where the sample has them,
        ``<variable>_stratum``, ``<variable>_cluster`` and ``<variable>_round``.
    """
    columns: list[Any] = []
    if any((store.folder / "codes" / variable).glob("*.csv")):
        columns.append(gold_of(store.folder, variable))
    if variable in store.tables():
        columns.append(store.frame(f"SELECT * FROM {quoted(variable)}").set_index("id"))
    design = read_design(store.folder, variable)
    if design is not None:
        there = [name for name in DESIGN if name in design and design[name].nunique() > (name != "pi")]
        if columns and columns[0].name == variable:
            known = probability_of_codes(design, set(columns[0].index))
            design = design.assign(pi=known.reindex(design["id"]).to_numpy())
        columns.append(design.set_index("id")[there].add_prefix(f"{variable}_"))
    frame = pd.concat(columns, axis=1)
    frame.index.name = "id"
    return frame.reset_index()
