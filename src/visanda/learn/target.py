"""Target: what a model is to predict, as numbers; one idea for all scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from visanda.errors import InputError

Scale = Literal["nominal", "ordinal", "interval", "multilabel"]
SPLIT, NONE = "|", "none"  # as codebook.py has them


@dataclass(frozen=True)
class Target:
    """What a model predicts.

    Attributes:
        scale: nominal, ordinal (classes are in order), interval, multilabel.
        classes: the values, in order; empty for interval.
        low: the lower end of an interval scale; ``None`` where it has none.
        high: its upper end.

    A model's output is (n, ``outputs``) float32: for nominal and ordinal, probabilities that add up to 1; for
    multilabel, a probability a label; for interval, the expected value.
    """

    scale: Scale
    classes: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def outputs(self) -> int:
        """Columns of a model's output."""
        return 1 if self.scale == "interval" else len(self.classes)

    def encode(self, values: Sequence[object]) -> np.ndarray:
        """Codes as numbers: (n,) class numbers, (n, k) 0/1 of labels, or (n,) values.

        >>> Target("multilabel", ("fire", "flag")).encode(["flag|fire", "none"]).tolist()
        [[1.0, 1.0], [0.0, 0.0]]

        Raises:
            InputError: a value that is none of the classes, or no number.
        """
        if self.scale == "interval":
            try:
                return np.array([float(str(value)) for value in values])
            except ValueError as error:
                raise InputError(f"a code of an interval scale is no number: {error}") from error
        number = {name: index for index, name in enumerate(self.classes)}
        try:
            if self.scale == "multilabel":
                found = np.zeros((len(values), len(self.classes)))
                for row, value in enumerate(values):
                    for label in str(value).split(SPLIT):
                        if label != NONE:
                            found[row, number[label]] = 1.0
                return found
            return np.array([number[str(value)] for value in values], int)
        except KeyError as error:
            raise InputError(f"{error.args[0]!r} is none of the values {', '.join(self.classes)}") from error

    def decode(self, scores: np.ndarray) -> list[str] | list[float]:
        """What the model says, of its output (n, outputs): the likeliest value, the labels from .5 on, or the number.

        An ordinal value is the median of its distribution, which is never far off for want of a vote.
        """
        if self.scale == "interval":
            return [float(score) for score in scores[:, 0]]
        if self.scale == "multilabel":
            said = [[name for name, p in zip(self.classes, row, strict=True) if p >= 0.5] for row in scores]
            return [SPLIT.join(labels) or NONE for labels in said]
        if self.scale == "ordinal":
            at = np.minimum((np.cumsum(scores, axis=1) < 0.5).sum(axis=1), len(self.classes) - 1)
        else:
            at = scores.argmax(axis=1)
        return [self.classes[index] for index in at]
