"""Undecided: where a model had better say nothing, or more than one value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.learn.target import Target
from visanda.learn.trained import Trained


@dataclass(frozen=True)
class Undecided:
    """What is asked for beside predictions.

    Attributes:
        target: what is predicted.
        abstain: the highest probability of being wrong that is accepted, 0 to 1: units whose likeliest value is less
            probable than 1 less this are left undecided; ``None``: none.
    """

    target: Target
    abstain: float | None = None

    @classmethod
    def asked(cls, trained: Trained, abstain: float | None) -> Undecided:
        """What is asked for, if this model can give it.

        Raises:
            InputError: an abstention of an interval scale, or no probability.
        """
        if abstain is not None:
            if not 0 < abstain < 1:
                raise InputError(
                    f"--abstain is the highest probability of error to accept, between 0 and 1, not {abstain:g}"
                )
            if trained.target.scale == "interval":
                raise InputError("--abstain is for values with probabilities: numbers have --conformal")
        return cls(trained.target, abstain)

    def columns(self, variable: str, outputs: np.ndarray) -> dict[str, np.ndarray]:
        """``<v>_abstained``, where it is asked for, of outputs (n, k)."""
        if self.abstain is None:
            return {}
        return {f"{variable}_abstained": self.abstained(outputs)}

    def abstained(self, outputs: np.ndarray) -> np.ndarray:
        """(n,) whether the model had better say nothing: of several labels, on any of them."""
        accepted = 1.0 if self.abstain is None else self.abstain
        return risk(self.target, outputs) > accepted

    def promised(self, trained: Trained) -> str:
        """What out-of-fold predictions promise: how many are decided, and how often these are right."""
        outputs = trained.out_of_fold
        if self.abstain is None or outputs is None:
            return ""
        seen = ~np.isnan(outputs).any(axis=1)
        decided = ~self.abstained(outputs[seen])
        values = trained.rows["value"][seen].to_numpy()
        right = np.array([_same(a, b) for a, b in zip(self.target.decode(outputs[seen]), values, strict=True)])
        if not seen.any() or not decided.any():
            return "Of the coded units, predicted by models that had not seen them, none would be decided."
        return (
            f"Of {seen.sum()} coded units, predicted by models that had not seen them, {decided.mean():.0%} are decided, "
            f"and {right[decided].mean():.1%} of these are right ({right.mean():.1%} of all)."
        )


def risk(target: Target, outputs: np.ndarray) -> np.ndarray:
    """(n,) the model's own probability that what it says is wrong: of several labels, that of the least certain."""
    if target.scale == "multilabel":
        return np.asarray(np.minimum(outputs, 1 - outputs).max(axis=1))
    said = {value: number for number, value in enumerate(target.classes)}
    at = np.array([said[str(value)] for value in target.decode(outputs)], int)
    return np.asarray(1 - outputs[np.arange(len(outputs)), at])


def _same(said: object, coded: object) -> bool:
    return set(str(said).split("|")) == set(str(coded).split("|"))


def shares_of(frame: pd.DataFrame, variable: str, target: Target) -> pd.DataFrame:
    """How many units have each predicted value, or label, and their share; of numbers, their quartiles."""
    said = frame[f"{variable}_predicted"].dropna()
    if target.scale == "interval":
        numbers = said.astype(float).describe().rename_axis("statistic").rename("value").reset_index()
        return numbers
    values = said.str.split("|").explode() if target.scale == "multilabel" else said
    table = values.value_counts().rename_axis("value").rename("pictures").reset_index()
    return table.assign(share=table["pictures"] / max(1, len(said)))
