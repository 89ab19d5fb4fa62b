"""The codebook: what each variable means, which values it has, and how that changed.

``codebook.toml`` in the corpus has a table a variable; people edit it by hand or with ``visanda codebook``. What
coders were asked when they coded is kept: each version of a variable that codes were given under stands in
``codes/<variable>/codebook-<version>.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Scale = Literal["nominal", "ordinal", "interval", "multilabel", "pairwise"]
SCALES: tuple[Scale, ...] = ("nominal", "ordinal", "interval", "multilabel", "pairwise")
SPLIT = "|"  # between the labels of one multi-label code
NONE = "none"  # the multi-label code that says: none of the labels
PAIR = " <> "  # between the ids of the two units of a pairwise comparison
LEFT, RIGHT, TIE = "left", "right", "tie"  # the values of a pairwise comparison: which has more of it


@dataclass(frozen=True)
class Variable:
    """What coders are asked.

    Attributes:
        name: of the variable; a column and a table will be called so.
        scale: nominal (one of the values), ordinal (one of the values, which are in order), interval (a number),
            multilabel (any of the values), pairwise (which of two units has more; Bradley & Terry 1952).
        values: allowed ones, in order; empty for interval and pairwise, and for a variable that nobody has defined,
            which takes any.
        definition: what is asked, in words that coders, prompts and readers see.
        meanings: a definition a value, where there is one.
        prompts: phrases a value by which models that know words look for it; the values themselves by default.
        examples: ids a value, with which coders are trained; the value ``borderline`` holds cases in doubt.
        low: of an interval scale, its lower end.
        high: of an interval scale, its upper end.
        on: the kind of unit that is coded: image, frame, shot, face, object, or a table's name.
        version: 1, and one more for each change after coding had begun.
    """

    name: str
    scale: Scale = "nominal"
    values: tuple[str, ...] = ()
    definition: str = ""
    meanings: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    on: str = "image"
    version: int = 1
