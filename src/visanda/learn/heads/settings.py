"""Settings: what of a head is chosen; those given, or tried one by one; and what a head of any kind can do."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from visanda.errors import InputError
from visanda.learn.heads.links import Link
from visanda.learn.heads.problem import Problem
from visanda.learn.onnx_graphs import Graph

Number = float | int
Settings = dict[str, Number]
Choices = Mapping[str, Number | Sequence[Number]]


@dataclass(frozen=True)
class Job:
    """A head to train: on which rows (m,) of a problem, with which settings; roughly, if it is only compared."""

    rows: np.ndarray
    settings: Settings
    rough: bool = False


class Body(Protocol):
    """A trained head up to its raw scores."""

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Raw scores (m, q) of rows (m,) of the problem."""

    def graph(self, graph: Graph, features: str) -> str:
        """The operations that make them of ``features`` (n, d)."""


@dataclass(frozen=True)
class Kind:
    """A kind of head.

    Attributes:
        defaults: values of its settings to choose from.
        at_once: how many heads are trained at once; progress is told after them.
        link: how the raw scores of a problem's heads are read.
        train: a head for each job.
    """

    defaults: Mapping[str, tuple[Number, ...]]
    at_once: int
    link: Callable[[Problem], Link]
    train: Callable[[Problem, Sequence[Job]], Sequence[Body]]


def candidates(kind: str, defaults: Mapping[str, tuple[Number, ...]], given: Choices | None) -> list[Settings]:
    """Every combination of settings to try: of those given, a number or several; of the others, the defaults.

    Raises:
        InputError: a setting that this kind does not have, or none to choose from.
    """
    choices = dict(defaults)
    for name, value in (given or {}).items():
        if name not in defaults:
            raise InputError(f"a head of kind {kind!r} has no setting {name!r}; it has: {', '.join(defaults)}")
        several = tuple(value) if isinstance(value, Sequence) else (value,)
        if not several or not all(np.isfinite(number) and number > 0 for number in several):
            raise InputError(f"{name}={value!r}: give a number above 0, or several to choose from")
        choices[name] = several
    return [dict(zip(choices, one, strict=True)) for one in itertools.product(*choices.values())]
