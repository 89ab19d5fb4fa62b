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


def variable_frame(store: Store, variable: str) -> pd.DataFrame:
    """A variable, a row a unit: gold codes, predictions, inclusion probabilities.

    Returns:
        Columns id, ``<variable>`` (gold, missing where not coded), ``<variable>_predicted``,
        ``<variable>_p_<value>``, whatever else ``apply`` wrote, ``<variable>_pi``, and, where the sample has them,
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
        columns.append(design.set_index("id")[there].add_prefix(f"{variable}_"))
    frame = pd.concat(columns, axis=1)
    frame.index.name = "id"
    return frame.reset_index()
