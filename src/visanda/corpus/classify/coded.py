"""Coded: what a coded variable gives to a formula: gold, predictions that have not seen it, and the machine's label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from visanda import codes
from visanda.codebook import NONE, SPLIT
from visanda.codebook import variable as in_codebook
from visanda.corpus.classify.applied import model_of_predictions
from visanda.errors import DesignError, InputError
from visanda.store import Store, quoted


@dataclass(frozen=True)
class Coded:
    """A column of a formula that stands for a coded variable.

    Attributes:
        column: its name in the formula.
        variable: what was coded.
        value: the value, or one of several labels, for which the column is 1, else 0; ``None``: the column holds the
            number that was coded, or the category.
        values: of a category, all of them; else none.
    """

    column: str
    variable: str
    value: str | None
    values: tuple[str, ...] = ()

    @property
    def prediction(self) -> str | dict[str, str]:
        """The column of the machine's numbers, or of each value's probability."""
        if not self.values:
            return f"{self.column}__prediction"
        return {value: f"{self.column}__prediction_{place}" for place, value in enumerate(self.values)}

    @property
    def label(self) -> str:
        """The column of the machine's label."""
        return f"{self.column}__label"

    @property
    def words(self) -> str:
        """What it means, in a sentence."""
        if self.values:
            return f"{self.column} is a category: {', '.join(self.values)}."
        if self.value is None:
            return f"{self.column} is the number that was coded."
        return f"{self.column} is 1 where {self.variable} is {self.value!r}, else 0."

    def of(self, gold: pd.Series) -> pd.Series:
        """The column, from values by id."""
        if self.values:
            return gold.astype(object)
        if self.value is None:
            return gold.astype(float)
        return gold.map(lambda given: float(self.value in str(given).split(SPLIT))).astype(float)


def coded(store: Store, name: str) -> Coded | None:
    """What a name of a formula means, if it is a coded variable or one of its values.

    Raises:
        InputError: several labels that are named alone, or a variable of which all codes are the same.
    """
    for variable in codes.variables(store.folder):
        if name != variable and not name.startswith(variable + "_"):
            continue
        scale = in_codebook(store.folder, variable).scale
        gold = codes.gold_of(store.folder, variable)
        if scale in ("interval", "pairwise"):
            if name == variable:
                return Coded(name, variable, None)
            continue
        values = sorted({label for value in gold.unique() for label in str(value).split(SPLIT)} - {NONE})
        values = values if scale == "multilabel" else sorted(map(str, gold.unique()))
        named = {codes.column_name(variable, value): value for value in values}
        if name in named:
            return Coded(name, variable, named[name])
        if name == variable:
            return _alone(name, scale, values, list(named))
    return None


def _alone(name: str, scale: str, values: list[str], named: list[str]) -> Coded:
    """A variable named without a value."""
    if scale == "multilabel":
        raise InputError(f"{name!r} has several labels: write the ones you mean, such as {' + '.join(named)}")
    if len(values) == 2:
        return Coded(name, name, codes.positive(values))
    if len(values) > 2:
        return Coded(name, name, None, tuple(values))
    raise InputError(f"all codes of {name!r} have the value {values[0]!r}: nothing to estimate")


def columns_of(store: Store, one: Coded) -> tuple[pd.DataFrame, str]:
    """Columns id, the gold, predictions by a model that has not seen it, and the machine's label; and what to say.

    Raises:
        InputError: there are no predictions, or none of this value.
        DesignError: the model has seen all codes of the units that it predicts.
    """
    variable = one.variable
    if variable not in store.tables():
        raise InputError(f"{variable!r} has no predictions: 'visanda train {variable}', then 'visanda apply'")
    predicted = store.frame(f"SELECT * FROM {quoted(variable)}").set_index("id")
    gold = one.of(codes.gold_of(store.folder, variable))
    crossfit, plain = _names(one, "crossfit"), _names(one, "predicted")
    note = ""
    if set(crossfit.values()) <= set(predicted):
        named = crossfit
    else:
        named = plain
        if missing := [value for value, column in plain.items() if column not in predicted]:
            raise InputError(f"the model of {variable!r} never learnt {missing[0]!r}: train and apply again")
        unseen = _unseen(store, variable, gold)
        if len(unseen) < len(gold):
            note = (
                f"The model of {variable} was trained once, without cross-fitting: only the {len(unseen)} codes that "
                f"it did not learn from count, of {len(gold)}. A head on embeddings uses them all."
            )
        gold = unseen
    label = one.of(predicted[f"{variable}_predicted"].dropna()).reindex(predicted.index)
    found = {one.column: gold, one.label: label}
    for column, name in zip(named.values(), _listed(one.prediction), strict=True):
        found[name] = predicted[column].astype(float)
    return pd.DataFrame(found).rename_axis("id").reset_index(), note


def unseen_labels(store: Store, one: Coded) -> tuple[pd.Series, bool]:
    """The machine's label of each unit, by id, from a model that has not learnt from the unit's code.

    Error rates have to come from such labels, and so do the counts that they adjust.

    Returns:
        The column, as :meth:`Coded.of` makes it, and whether its labels are cross-fitted. Where they are not, the
        model's own are given, which are honest for the codes that :func:`columns_of` leaves.
    """
    predicted = store.frame(f"SELECT * FROM {quoted(one.variable)}").set_index("id")
    target = model_of_predictions(store, one.variable).target
    columns = [codes.column_name(f"{one.variable}_crossfit", value) for value in target.classes]
    if not columns or not set(columns) <= set(predicted):
        own = predicted[f"{one.variable}_predicted"].dropna()
        return one.of(own).reindex(predicted.index), False
    scores = predicted[columns].astype(float).dropna()
    labels = pd.Series(target.decode(scores.to_numpy()), index=scores.index)
    return one.of(labels).reindex(predicted.index), True


def _names(one: Coded, which: Literal["crossfit", "predicted"]) -> dict[str, str]:
    """The columns of predictions, by value."""
    front = f"{one.variable}_crossfit" if which == "crossfit" else f"{one.variable}_p"
    if one.values:
        return {value: codes.column_name(front, value) for value in one.values}
    if one.value is not None:
        return {one.value: codes.column_name(front, one.value)}
    return {"": f"{one.variable}_{which}"}


def _listed(prediction: str | dict[str, str]) -> list[str]:
    return [prediction] if isinstance(prediction, str) else list(prediction.values())


def _unseen(store: Store, variable: str, gold: pd.Series) -> pd.Series:
    """The codes that the model of the predictions did not learn from."""
    trained = model_of_predictions(store, variable)
    unseen = gold[~gold.index.isin(set(trained.rows["id"]))]
    if unseen.empty:
        raise DesignError(
            f"the model {trained.name!r} of {variable!r} has learnt from every code: an estimate needs codes that it "
            "has not seen. Train with a test set, or a head on embeddings, which is cross-fitted"
        )
    return unseen


def changed_codes(store: Store, variable: str) -> int:
    """How many codes came or changed since the model was trained that made the predictions."""
    trained = model_of_predictions(store, variable)
    if "value" not in trained.rows or not len(trained.rows):
        return 0  # it learnt from no code of this corpus, so that none can be new to it
    gold = codes.gold_of(store.folder, variable)
    learnt = trained.rows.set_index("id")["value"]
    if gold.dtype == float:
        learnt = learnt.astype(float)
        same = (gold.reindex(learnt.index) - learnt).abs() < 1e-6
    else:
        same = gold.reindex(learnt.index).astype(object) == learnt.astype(object)
    known = set(learnt.index) | set(trained.split.of("test")["id"])
    predicted = set(store.query(f"SELECT id FROM {quoted(variable)}")["id"].to_pylist())
    return int((~same).sum()) + len((set(gold.index) & predicted) - known)
