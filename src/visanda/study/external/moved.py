"""How far values of one column moved between two measurements of the same units."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.study.columns import numeric
from visanda.study.reliability.coders import Coded
from visanda.study.reliability.icc import two_way
from visanda.study.resampling import Array, spread

Kind = Literal["number", "label", "vector"]
NAN = float("nan")
COLOUR = re.compile("#[0-9a-fA-F]{6}")  # the least change of a pixel is another colour: never the same, and never far


@dataclass(frozen=True)
class Moved:
    """Numbers of one column under one change; see :func:`visanda.study.external.retest`."""

    kind: Kind
    n: int
    lost: int
    stability: float
    same: float
    icc: float = NAN
    icc_low: float = NAN
    icc_high: float = NAN
    moved: float = NAN
    moved_p95: float = NAN
    shift: float = NAN
    cosine: float = NAN
    cosine_p5: float = NAN
    cosine_others: float = NAN
    found_again: float = NAN


def kind_of(column: pd.Series) -> Kind | None:
    """What a column holds; ``None`` for what cannot be compared: lists of numbers of various lengths, colours."""
    held = column.dropna()
    if held.empty:
        return None
    first = held.iloc[0]
    if hasattr(first, "__len__") and not isinstance(first, str):
        items = [item for value in held for item in value]
        if any(isinstance(item, str) for item in items):
            return None if all(COLOUR.fullmatch(str(item)) for item in items) else "label"
        return "vector" if len({len(value) for value in held}) == 1 and items else None
    if pd.api.types.infer_dtype(held, skipna=True) == "boolean":
        return "label"
    if pd.api.types.is_float_dtype(numeric(held)):
        return "number"
    return "label" if all(isinstance(value, str) for value in held) else None


def moved(original: pd.Series, again: pd.Series, resamples: int, seed: int) -> Moved:
    """Compare two measurements.

    Args:
        original: (u,) values.
        again: (u,) of the same units in the same order.
        resamples: of the bootstrap of the intraclass correlation.
        seed: of the bootstrap.

    Raises:
        InputError: one holds numbers, and the other labels or vectors.
    """
    kinds = {kind for kind in (kind_of(original), kind_of(again)) if kind}
    if len(kinds) != 1:
        what = " and ".join(sorted(kinds)) or "nothing that can be compared"
        raise InputError(f"column {original.name!r} holds {what}: compare a column of one kind")
    there = original.notna().to_numpy(), again.notna().to_numpy()
    both, lost = there[0] & there[1], int((there[0] ^ there[1]).sum())
    one, two = original[both], again[both]
    kind = kinds.pop()
    if len(one) == 0:
        return Moved(kind, 0, lost, NAN, NAN)
    if kind == "number":
        return _numbers(numeric(one).to_numpy(float), numeric(two).to_numpy(float), lost, resamples, seed)
    if kind == "vector":
        return _vectors(np.stack([*map(np.asarray, one)]), np.stack([*map(np.asarray, two)]), lost)
    same = float(np.mean([_label(a) == _label(b) for a, b in zip(one, two, strict=True)]))
    return Moved("label", len(one), lost, same, same)


def _label(value: Any) -> Hashable:
    """A list of labels is a set: their order says nothing."""
    return value if isinstance(value, str) or not hasattr(value, "__len__") else frozenset(value)


def _numbers(one: Array, two: Array, lost: int, resamples: int, seed: int) -> Moved:
    same = float((one == two).mean())
    size = float(one.std(ddof=1)) if len(one) > 1 else 0.0
    if not size > 0:
        return Moved("number", len(one), lost, 1.0 if same == 1 and len(one) > 1 else NAN, same)
    apart = (two - one) / size
    icc, low, high = _agreement(one, two, resamples, seed)
    return Moved(
        "number", len(one), lost, icc, same, icc, low, high, float(np.abs(apart).mean()),
        float(np.quantile(np.abs(apart), 0.95)), float(apart.mean()),
    )  # fmt: skip


def _agreement(one: Array, two: Array, resamples: int, seed: int) -> tuple[float, float, float]:
    """ICC(2,1) and its interval; units are resampled."""
    if (one == two).all():
        return 1.0, 1.0, 1.0
    unit = np.arange(len(one))
    long = pd.DataFrame(
        {"id": [*unit, *unit], "coder": ["1"] * len(one) + ["2"] * len(one), "value": np.concatenate([one, two])}
    )
    icc = two_way(Coded.of(long, "interval"), "agreement")

    def measure(weight: Array) -> dict[str, Array]:
        return {"icc": icc(np.atleast_2d(weight)).reshape(weight.shape[:-1])}

    found = spread(measure, np.ones(len(one)), pd.Series(unit), resamples, seed)
    return found.point["icc"], *found.interval("icc")


def _vectors(one: Array, two: Array, lost: int) -> Moved:
    if one.shape != two.shape:
        raise InputError(f"vectors of {one.shape[1]} numbers cannot be compared with those of {two.shape[1]}")
    same = float((one == two).all(axis=1).mean())
    first, second = _unit(one), _unit(two)
    every = second @ first.T
    own = np.diagonal(every)
    n = len(own)
    others = float((first @ first.T)[~np.eye(n, dtype=bool)].mean()) if n > 1 else NAN
    again = float((own >= every.max(axis=1) - 1e-9).mean()) if n > 1 else NAN
    cosine = float(own.mean())
    return Moved(
        "vector", n, lost, cosine, same, cosine=cosine, cosine_p5=float(np.quantile(own, 0.05)), cosine_others=others,
        found_again=again,
    )  # fmt: skip


def _unit(vectors: Array) -> Array:
    vectors = vectors.astype(float)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
