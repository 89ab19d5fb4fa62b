"""What a classifier that was trained here says; of coded units, by heads that had not seen their codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from visanda.codebook import NO, YES, column_name
from visanda.corpus.audit.audited import Audited, values_of
from visanda.corpus.classify.applied import model_of_predictions
from visanda.errors import DesignError, InputError
from visanda.learn.target import SPLIT, Target
from visanda.store import Store

Which = Literal["crossfit", "p"]


@dataclass(frozen=True)
class TrainedHere(Audited):
    """A classifier's values of all units.

    Attributes:
        model: its name.
        value: the one value, or label, that is audited against all others; empty: all of them.
        learnt: ids of the codes that it learnt from.
        unseen: by id, the values of heads that had not seen the unit's code; ``None`` where it was trained once.
    """

    model: str = ""
    value: str = ""
    learnt: frozenset[str] = frozenset()
    unseen: pd.Series | None = None

    @property
    def opens_test_set(self) -> bool:
        """Whether codes that it did not learn from are all there is to judge it by: those of its test set."""
        return self.unseen is None and bool(self.learnt)

    def in_words(self, hand: pd.Series) -> pd.Series:
        """Gold in the classes that are audited."""
        if not self.value or set(hand.str.casefold()) <= YES | NO:
            return hand
        return hand.map(lambda given: "yes" if self.value in str(given).split(SPLIT) else "no")


def trained_here(store: Store, machine: str, where: str | None) -> TrainedHere | None:
    """What a classifier says of a variable, or of one value as ``kind_fish``; ``None`` where there are no predictions.

    Raises:
        InputError: several labels without saying which, or it is not known which model predicted.
    """
    variable = _variable(store, machine)
    if variable is None:
        return None
    model = model_of_predictions(store, variable)
    target, value = model.target, ""
    named = {column_name(variable, one): one for one in target.classes}
    if machine != variable:
        if machine not in named:
            raise InputError(f"{machine!r} is no value of {variable}: there are {', '.join(named) or 'none'}")
        value = named[machine]
    elif target.scale == "multilabel":
        raise InputError(f"{variable!r} has several labels: audit one at a time, as {', '.join(named)}")
    frame, failed = values_of(store, variable, where)
    plain = frame[f"{variable}_predicted"]
    outputs = {which: _outputs(frame, variable, target, which) for which in ("crossfit", "p")}
    crossfit = outputs["crossfit"]
    chances = crossfit if crossfit is not None else outputs["p"]
    said = TrainedHere(
        title=machine,
        table=variable,
        column=f"{variable}_predicted",
        values=_plain(plain, target, value),
        failed=failed,
        probability=_chances(chances, target, value),
        model=model.name,
        value=value,
        learnt=frozenset(model.rows["id"]) if "id" in model.rows else frozenset(),
    )
    if crossfit is None or not said.learnt:
        return said
    known = np.isfinite(crossfit.to_numpy()).all(axis=1)
    decoded = pd.Series(target.decode(crossfit.to_numpy()[known]), crossfit.index[known], dtype=plain.dtype)
    return replace(said, unseen=_plain(decoded.reindex(frame.index), target, value))


def as_unseen(said: TrainedHere, hand: pd.Series) -> tuple[TrainedHere, pd.Series, list[str]]:
    """The machine as it does on codes that it has not seen, the codes that it can be held against, and a sentence.

    Args:
        said: what is audited.
        hand: by id, gold.

    Raises:
        DesignError: it learnt from all codes, and was trained once.
    """
    learnt = hand.index.isin(list(said.learnt))
    n, total = int(learnt.sum()), len(hand)
    if said.unseen is not None:
        values = said.values.copy()
        values[hand.index] = said.unseen[hand.index]
        return (
            replace(said, values=values),
            hand,
            [
                f"The classifier learnt from {n:,} of these {total:,} codes. So coded units are judged by what heads "
                "say that had not seen their codes (cross-fitting): no error rate is one of training rows."
            ],
        )
    if n == 0:
        return said, hand, [f"The classifier learnt from none of these {total:,} codes."]
    if n == total:
        raise DesignError(
            f"the classifier of {said.table!r} has learnt from all {total:,} codes: what it does on these says nothing "
            "of others. Train with a test set, or a head on embeddings, which is cross-fitted; or code more pictures"
        )
    return (
        said,
        hand[~learnt],
        [
            f"The classifier learnt from {n:,} of the {total:,} codes, which are left out: it was trained once, not "
            "cross-fitted. A head on embeddings could use them all."
        ],
    )


def _variable(store: Store, machine: str) -> str | None:
    """The variable whose predictions are meant: of several, the longest name."""
    tables: Sequence[str] = sorted(store.tables(), key=len, reverse=True)
    for name in tables:
        if (machine == name or machine.startswith(f"{name}_")) and f"{name}_predicted" in store.column_names(name):
            return name
    return None


def _outputs(frame: pd.DataFrame, variable: str, target: Target, which: Which) -> pd.DataFrame | None:
    """The model's numbers, a column an output; ``None`` where they are not in the table."""
    front = f"{variable}_{which}"
    names = [column_name(front, one) for one in target.classes] or [front]
    if not set(names) <= set(frame):
        return None
    return frame[names].astype(float).set_axis(list(target.classes) or ["value"], axis=1)


def _chances(outputs: pd.DataFrame | None, target: Target, value: str) -> pd.DataFrame | None:
    if outputs is None or target.scale == "interval":
        return None
    if value:
        return pd.DataFrame({"no": 1 - outputs[value], "yes": outputs[value]})
    return outputs


def _plain(said: pd.Series, target: Target, value: str) -> pd.Series:
    """Numbers as floats; classes as text; one value as yes and no."""
    if target.scale == "interval":
        return said.astype(float)
    if value:
        said = said.map(lambda one: "yes" if value in str(one).split(SPLIT) else "no", na_action="ignore")
    return said.astype(object).where(said.notna(), None)
