"""What is tested: gold of some units, and what a machine says of the very same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from visanda import codes
from visanda.codebook import Variable
from visanda.codebook import variable as in_codebook
from visanda.corpus.classify.predicting import output_names, scores_of
from visanda.corpus.handwork.imports import from_table, read_said
from visanda.corpus.handwork.taking import take
from visanda.errors import InputError
from visanda.learn.target import NONE, SPLIT, Target
from visanda.learn.trained import Trained
from visanda.store import Store, quoted
from visanda.study.sampling.rounds import coded_shares, probability_with
from visanda.study.validity.against_gold import Scale

ALIKE = 1.5  # the largest probability of a draw over the least, below which units count about the same
PREDICTED = "_predicted"  # ends the name of the column with what a machine says


@dataclass(frozen=True)
class Tested:
    """Units that a machine is tested on.

    Attributes:
        variable: its name.
        machine: what the machine is called.
        scale: of the variable.
        classes: the values, or labels, that gold or the machine knows; none of numbers.
        positive: of two classes, the one that is asked for.
        gold: (n,) by id.
        predicted: (n,) by id.
        probability: (n, classes) by id; ``None`` of numbers, and where the machine gives none.
        group: (n,) what belongs together.
        weight: (n,) one over the probability of being drawn; ``None`` where all count the same.
        failed: how many units the machine could not look at.
    """

    variable: str
    machine: str
    scale: Scale
    classes: tuple[str, ...]
    positive: str | None
    gold: pd.Series
    predicted: pd.Series
    probability: pd.DataFrame | None
    group: pd.Series
    weight: pd.Series | None
    failed: int

    @property
    def judged(self) -> dict[str, Any]:
        """The arguments that functions of ``study`` share."""
        return {
            "scale": self.scale,
            "values": self.classes or None,
            "weights": self.weight,
            "positive": self.positive if len(self.classes) == 2 and self.scale == "nominal" else None,
            "groups": self.group,
        }

    def of(self, ids: pd.Index) -> Tested:
        """Some of the units."""
        return replace(
            self,
            gold=self.gold.loc[ids],
            predicted=self.predicted.loc[ids],
            probability=None if self.probability is None else self.probability.loc[ids],
            group=self.group.loc[ids],
            weight=None if self.weight is None else self.weight.loc[ids],
        )

    def knowing(self, classes: tuple[str, ...]) -> Tested:
        """The same, of which more classes are known."""
        chances = self.probability
        return replace(
            self,
            classes=classes,
            probability=None if chances is None else chances.reindex(columns=list(classes), fill_value=0.0),
        )

    @property
    def wrong(self) -> pd.Series:
        """(n,) how wrong: of classes 0 or 1, of labels how many, of numbers how far off."""
        if self.scale == "interval":
            return (self.predicted.astype(float) - self.gold.astype(float)).abs()
        if self.scale == "multilabel":
            both = zip(self.gold, self.predicted, strict=True)
            return pd.Series([len(_labels(a) ^ _labels(b)) for a, b in both], index=self.gold.index)
        return (self.gold != self.predicted).astype(int)

    def table(self) -> pd.DataFrame:
        """A row a unit, as it is written to results."""
        frame = pd.DataFrame({"id": self.gold.index, "gold": self.gold.to_numpy(), "predicted": self.predicted})
        if self.probability is not None:
            for name in self.probability:
                frame[codes.column_name("p", str(name))] = self.probability[name].to_numpy().round(6)
        frame["wrong"] = self.wrong.to_numpy()
        frame["group"] = self.group.to_numpy()
        if self.weight is not None:
            frame["weight"] = self.weight.to_numpy()
        return frame.reset_index(drop=True)


def by_model(store: Store, trained: Trained, test: pd.DataFrame) -> Tested:
    """What a trained model says of its test set.

    Args:
        store: the corpus.
        trained: the model.
        test: id and group.

    Raises:
        InputError: it learnt from some of it, nothing of it is coded, or can be looked at.
    """
    name = str(trained.card["variable"])
    if trained.learnt_of_test:
        raise InputError(
            f"the model {trained.name!r} of {name!r} was trained before this test set was frozen, and learnt from "
            f"{trained.learnt_of_test} of its {len(test)} units: train it again (visanda train {name} --model "
            f"{trained.card['kind']}{'' if trained.name == trained.card['kind'] else f' --name {trained.name}'})"
        )
    gold = codes.gold_of(store.folder, name)
    test = test[test["id"].isin(gold.index)]
    ids, outputs = scores_of(store, trained, test["id"].tolist())
    good = np.isfinite(outputs).all(axis=1)
    ids = [id for id, fine in zip(ids, good, strict=True) if fine]
    if not ids:
        raise InputError(f"none of the {len(test)} units in the test set of {name!r} can be predicted: measure them")
    target, outputs = trained.target, outputs[good].astype(float)
    index = pd.Index(ids, name="id")
    said = pd.Series(target.decode(outputs), index=index, name="predicted")
    known = gold.loc[ids]
    classes = _classes(target, known)
    chances = None
    if target.scale != "interval":
        chances = pd.DataFrame(outputs, index=index, columns=output_names(target))
        chances = chances.reindex(columns=list(classes), fill_value=0.0)
    return Tested(
        variable=name,
        machine=trained.name,
        scale=target.scale,
        classes=classes,
        positive=trained.card.get("positive"),
        gold=known if target.scale != "interval" else known.astype(float),
        predicted=said,
        probability=chances,
        group=test.set_index("id")["group"].loc[ids],
        weight=weights_of(store, name, index, trained.split.settings.get("coded of rounds")),
        failed=len(test) - len(ids),
    )


def by_others(store: Store, variable: str, source: str | Path | pd.DataFrame) -> Tested:
    """What another program says of coded units.

    Args:
        store: the corpus.
        variable: what was coded.
        source: a table that names units and says a value of each, or ``table.column`` of this corpus.

    Raises:
        InputError: it cannot be read, or is about no coded unit.
    """
    one = in_codebook(store.folder, variable)
    if one.scale == "pairwise":
        raise InputError(f"{variable!r} compares pairs: what another program says of it cannot be tested yet")
    said, machine = _said(store, one, source)
    gold = codes.gold_of(store.folder, variable)
    given = said[said.index.isin(gold.index)]
    if given.empty:
        raise InputError(f"{machine} is about no unit that is coded as {variable!r}")
    ids = pd.Index([id for id in gold.index if id in given.index], name="id")
    known, predicted = gold.loc[ids], given.loc[ids].rename("predicted")
    scale: Scale = "nominal" if one.scale == "pairwise" else one.scale
    target = Target(scale, tuple(one.values))
    if scale == "interval":
        known, predicted = known.astype(float), predicted.astype(float)
    classes = () if scale == "interval" else _classes(target, pd.concat([known, predicted]))
    return Tested(
        variable=variable,
        machine=machine,
        scale=scale,
        classes=classes,
        positive=codes.positive(list(classes)) if len(classes) == 2 else None,
        gold=known,
        predicted=predicted,
        probability=None,
        group=pd.Series(ids, index=ids),
        weight=weights_of(store, variable, ids),
        failed=0,
    )


def _said(store: Store, one: Variable, source: str | Path | pd.DataFrame) -> tuple[pd.Series, str]:
    """Values by id, as the codebook writes them; and what they are called."""
    if isinstance(source, pd.DataFrame):
        read, machine = from_table(store, source.reset_index(drop=True), one), "the table"
    elif Path(source).expanduser().exists():
        read, machine = read_said(store, one, source, None, None), Path(source).name
    else:
        table, _, column = str(source).partition(".")
        if table not in store.tables() or column not in store.column_names(table):
            raise InputError(f"{source} is no file, and no table.column of this corpus ('visanda columns' lists them)")
        frame = store.frame(f"SELECT id, {quoted(column)} AS value FROM {quoted(table)}").dropna()
        read, machine = from_table(store, frame, one, "id", "value"), str(source)
    taken = take(store, one, read, "machine")
    return taken.codes.set_index("id")["value"], machine


def weights_of(store: Store, variable: str, ids: pd.Index, shares: Sequence[float] | None = None) -> pd.Series | None:
    """One over the probability of being drawn and coded; ``None`` where it is not known of all, or the same.

    Args:
        store: the corpus.
        variable: that was coded.
        ids: of coded units.
        shares: of each round of the sample, the share that was coded when these units were chosen, as a test set was
            when it was frozen: rounds that came later gave it nothing. ``None``: what is coded now.
    """
    design = codes.read_design(store.folder, variable)
    if design is None:
        return None
    if shares is None:
        shares = coded_shares(design, set(codes.gold_of(store.folder, variable).index))
    pi = _known(design, shares, ids)
    return None if pi.isna().any() or pi.nunique() == 1 else 1 / pi


def unequal_and_unknown(store: Store, variable: str, ids: pd.Index) -> bool:
    """Whether some of the units were not drawn, where others were drawn with unequal probabilities."""
    design = codes.read_design(store.folder, variable)
    if design is None:
        return False
    pi = design[design["order"] > 0].set_index("id")["pi"].reindex(ids)
    return bool(pi.isna().any() and pi.nunique() > 1)


def weights_of_learning(store: Store, variable: str, ids: pd.Series) -> np.ndarray | None:
    """(n,) how many units each coded one stands for, 1 on average; ``None`` where all count about the same.

    Units that were not drawn count as one.
    """
    design = codes.read_design(store.folder, variable)
    if design is None:
        return None
    shares = coded_shares(design, set(codes.gold_of(store.folder, variable).index))
    pi = _known(design, shares, pd.Index(ids))
    if not pi.notna().any() or pi.max() < ALIKE * pi.min():
        return None
    weight = (1 / pi) / (1 / pi).mean()
    return weight.fillna(1.0).to_numpy(float)


def _known(design: pd.DataFrame, shares: Sequence[float], ids: pd.Index) -> pd.Series:
    """The probability of being drawn and coded of each unit, missing where it was not drawn."""
    drawn = set(design.loc[design["order"] > 0, "id"])
    return probability_with(design, shares).reindex([id if id in drawn else None for id in ids]).set_axis(ids)


def _classes(target: Target, values: pd.Series) -> tuple[str, ...]:
    """The classes of a target, and those that occur beside them, at the end."""
    if target.scale == "interval":
        return ()
    occur = {label for value in values for label in _labels(value)} if target.scale == "multilabel" else set(values)
    return (*target.classes, *sorted({str(one) for one in occur} - set(target.classes)))


def _labels(value: object) -> set[str]:
    return set(str(value).split(SPLIT)) - {NONE}
