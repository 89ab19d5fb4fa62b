"""Undecided: where a model had better say nothing, or more than one value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from visanda.codebook import SPLIT
from visanda.errors import InputError
from visanda.learn.target import Target
from visanda.learn.trained import Trained
from visanda.study.thresholds.conformal import conformal_sets, conformal_threshold, conformal_width


@dataclass(frozen=True)
class Undecided:
    """What is asked for beside predictions.

    Attributes:
        target: what is predicted.
        abstain: the highest probability of being wrong that is accepted, 0 to 1: units whose likeliest value is less
            probable than 1 less this are left undecided; ``None``: none.
        threshold: the least probability with which a value belongs into the set of a unit; ``None``: no sets.
        width: half of the interval around a number, in the units of the scale; ``None``: no intervals.
    """

    target: Target
    abstain: float | None = None
    threshold: float | None = None
    width: float | None = None

    @classmethod
    def asked(cls, trained: Trained, abstain: float | None, conformal: float | None = None) -> Undecided:
        """What is asked for, if this model can give it.

        Args:
            trained: the model.
            abstain: the highest probability of error to accept.
            conformal: the share of sets or intervals that may miss the truth.

        Raises:
            InputError: an abstention of an interval scale, sets of several labels, or what is no share.
        """
        for name, share in (("abstain", abstain), ("conformal", conformal)):
            if share is not None and not 0 < share < 1:
                raise InputError(f"--{name} is a share above 0 and below 1, such as 0.1, not {share:g}")
        if abstain is not None and trained.target.scale == "interval":
            raise InputError("--abstain is for values with probabilities: numbers have --conformal")
        if conformal is None:
            return cls(trained.target, abstain)
        return cls(trained.target, abstain, *_conformal(trained, conformal))

    def columns(self, variable: str, outputs: np.ndarray) -> dict[str, np.ndarray]:
        """What is asked for, of outputs (n, k): ``<v>_abstained``; ``<v>_set``, or ``<v>_low`` and ``<v>_high``."""
        found: dict[str, np.ndarray] = {}
        if self.abstain is not None:
            found[f"{variable}_abstained"] = self.abstained(outputs)
        if self.threshold is not None:
            values = self.target.classes
            sets = conformal_sets(outputs.astype(float), self.threshold)
            found[f"{variable}_set"] = np.array([SPLIT.join(values[n] for n in one) for one in sets], object)
        if self.width is not None:
            low, high = (-np.inf if self.target.low is None else self.target.low), self.target.high
            ends = low, np.inf if high is None else high
            found[f"{variable}_low"] = np.clip(outputs[:, 0].astype(float) - self.width, *ends)
            found[f"{variable}_high"] = np.clip(outputs[:, 0].astype(float) + self.width, *ends)
        return found

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
        values = trained.rows["value"].to_numpy()[seen]
        right = np.array([_same(a, b) for a, b in zip(self.target.decode(outputs[seen]), values, strict=True)])
        unseen = "by models that had not seen them"
        if trained.card["kind"] == "finetune":
            unseen = "by which its training was stopped, so that this flatters a little"
        if not seen.any() or not decided.any():
            return f"Of the coded units, predicted {unseen}, none would be decided."
        return (
            f"Of {seen.sum()} coded units, predicted {unseen}, {decided.mean():.0%} are "
            f"decided, and {right[decided].mean():.1%} of these are right ({right.mean():.1%} of all)."
        )


def _conformal(trained: Trained, share: float) -> tuple[float | None, float | None]:
    """The threshold of sets, or half the width of intervals, from rows that the model had not seen."""
    if trained.target.scale == "multilabel":
        raise InputError("--conformal is for one value or a number a unit, not for several labels")
    outputs = trained.out_of_fold
    seen = np.zeros(0, bool) if outputs is None else ~np.isnan(outputs).any(axis=1)
    if outputs is None or not seen.any():
        raise InputError(
            f"--conformal rests on predictions of coded units by models that had not seen them, and {trained.name!r} "
            "has none: train it here, on codes"
        )
    rows = trained.rows[seen]
    truth, groups = trained.target.encode(rows["value"].tolist()), rows["group"].to_numpy()
    weights = rows["weight"].to_numpy(float) if "weight" in rows else None
    if trained.target.scale == "interval":
        return None, conformal_width(truth - outputs[seen, 0], share, groups, weights)
    return conformal_threshold(outputs[seen], truth, share, groups, weights), None


def risk(target: Target, outputs: np.ndarray) -> np.ndarray:
    """(n,) the model's own probability that what it says is wrong: of several labels, that of the least certain."""
    if target.scale == "multilabel":
        return np.asarray(np.minimum(outputs, 1 - outputs).max(axis=1))
    said = {value: number for number, value in enumerate(target.classes)}
    at = np.array([said[str(value)] for value in target.decode(outputs)], int)
    return np.asarray(1 - outputs[np.arange(len(outputs)), at])


def _same(said: object, coded: object) -> bool:
    return set(str(said).split(SPLIT)) == set(str(coded).split(SPLIT))


def shares_of(frame: pd.DataFrame, variable: str, target: Target) -> pd.DataFrame:
    """How many units have each predicted value, or label, and their share; of numbers, their quartiles."""
    said = frame[f"{variable}_predicted"].dropna()
    if target.scale == "interval":
        numbers = said.astype(float).describe().rename_axis("statistic").rename("value").reset_index()
        return numbers
    values = said.str.split(SPLIT).explode() if target.scale == "multilabel" else said
    table = values.value_counts().rename_axis("value").rename("pictures").reset_index()
    return table.assign(share=table["pictures"] / max(1, len(said)))
