"""Learnable: what there is to learn of one variable, and on which side of the frozen split each unit is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from visanda import codes
from visanda.codebook import NONE, SPLIT, Variable
from visanda.codebook import variable as in_codebook
from visanda.corpus.classify.grouping import groups_of
from visanda.errors import CorpusError, InputError
from visanda.learn.frozen import Frozen, earlier_version, read_split
from visanda.learn.split import freeze, strata_of
from visanda.learn.target import Scale, Target
from visanda.store import Store
from visanda.study.sampling.rounds import coded_shares

TEST, VALIDATION = 0.25, 0.15  # shares, where nothing else is asked for


@dataclass(frozen=True)
class Wanted:
    """How the split is to be frozen, where it is not yet; ``None``: as it is frozen, or as usual.

    Attributes:
        test: share of the coded units.
        validation: share of the others.
        group: columns of the table media whose units stay together.
        seed: of the split.
        replace: freeze another.
    """

    test: float | None = None
    validation: float | None = None
    group: Sequence[str] | None = None
    seed: int = 1
    replace: bool = False


@dataclass(frozen=True)
class Learnable:
    """What there is to learn of one variable.

    Attributes:
        variable: as the codebook has it.
        target: what a model is to predict.
        gold: the codes of units that can be learnt from, by id: text, or numbers of an interval scale.
        frozen: the split, with a row for each of ``gold``, and for units that were coded once.
        without: how many coded units cannot be learnt from, for want of features.
    """

    variable: Variable
    target: Target
    gold: pd.Series
    frozen: Frozen
    without: int

    def rows(self, *sets: str) -> pd.DataFrame:
        """The units of some sets: id, value, group, set."""
        chosen = self.frozen.of(*sets)
        tested = set(self.frozen.of("test")["group"])  # groups may have grown together since the test set was frozen
        near = (chosen["set"] != "test") & chosen["group"].isin(tested)
        chosen = chosen[chosen["id"].isin(self.gold.index) & ~near].reset_index(drop=True)
        return chosen.assign(value=self.gold.reindex(chosen["id"]).to_numpy())[["id", "value", "group", "set"]]


def learnable(
    store: Store,
    name: str,
    usable: Sequence[str] | None,
    wanted: Wanted,
    known: pd.Series | None = None,
    beside: Sequence[str] = (),
) -> Learnable:
    """What there is to learn of a variable; the split is read, or made and not yet written.

    Args:
        store: the corpus.
        name: of the variable.
        usable: ids of the units that have features; ``None``: all.
        wanted: how to split.
        known: sets by group that are given by another variable.
        beside: units that other variables are coded on, which groups are to name, too.

    Raises:
        InputError: nobody coded the variable, too few codes, one value only, or a split other than the frozen one is
            asked for.
    """
    variable = in_codebook(store.folder, name)
    every = codes.gold_of(store.folder, name)
    gold = every if usable is None else every[every.index.isin(set(usable))]
    if gold.empty:
        raise InputError(f"none of the {len(every)} coded units of {name!r} can be learnt from: measure them first")
    before = None
    if not wanted.replace:
        before = read_split(store.models / name)
        if before is None and (store.models / name / "heads.npz").exists():
            raise earlier_version(store.models / name)
    if gold.nunique() < 2:
        raise InputError(
            f"all {len(gold)} coded units have the value {gold.iloc[0]!r}: code some that have another, "
            "or there is nothing to learn"
        )
    frozen = _frozen(store, name, gold, target_of(variable, gold), wanted, before, known, beside)
    held = set(frozen.of("test")["id"])
    learnt = gold[~gold.index.isin(held)]
    return Learnable(variable, target_of(variable, learnt), gold, frozen, len(every) - len(gold))


def nothing_coded(variable: Variable) -> Learnable:
    """A variable that nobody has coded, and that only words can tell."""
    empty = pd.DataFrame({"id": [], "set": [], "group": []}, dtype=str)
    frozen = Frozen(empty, {"test": TEST, "validation": VALIDATION, "group": [], "seed": 1, "number": 1})
    return Learnable(variable, Target("nominal"), pd.Series(dtype=str), frozen, 0)


def target_of(variable: Variable, gold: pd.Series) -> Target:
    """What a model of a variable is to predict: the values that there are codes of, in the codebook's order."""
    if variable.scale in ("interval", "pairwise"):
        return Target("interval", (), variable.low, variable.high)
    scale: Scale = "ordinal" if variable.scale == "ordinal" else "nominal"
    given = gold.astype(str)
    if variable.scale == "multilabel":
        scale, given = "multilabel", given.str.split(SPLIT).explode()
        given = given[given != NONE]
    there = set(given.unique())
    order = [value for value in variable.values if value in there]
    classes = tuple(order + sorted(there - set(order)))
    return Target(scale, classes)


def _frozen(
    store: Store,
    name: str,
    gold: pd.Series,
    target: Target,
    wanted: Wanted,
    before: Frozen | None,
    known: pd.Series | None,
    beside: Sequence[str],
) -> Frozen:
    """The frozen split with a row for each coded unit, or a new one."""
    if before is not None:
        _check_same(name, wanted, before.settings)
        groups = _groups(store, gold, before.settings["group"], beside)
        sets = _grown(before, groups)
        gone = before.sets[~before.sets["id"].isin(sets.index)]  # should they come back, they are where they were
        table = pd.concat([_table(sets, groups), gone]).sort_values("id", ignore_index=True)
        return Frozen(table, before.settings)
    settings: dict[str, Any] = {
        "test": TEST if wanted.test is None else wanted.test,
        "validation": VALIDATION if wanted.validation is None else wanted.validation,
        "group": list(wanted.group or ()),
        "seed": wanted.seed,
        "number": _number(store, name),
        "frozen": datetime.now().astimezone().isoformat(timespec="seconds"),
    }
    design = codes.read_design(store.folder, name)
    if design is not None:  # which rounds of the sample the test set comes from, for the weights of its units
        settings["coded of rounds"] = coded_shares(design, set(gold.index))
    groups = _groups(store, gold, settings["group"], beside)
    if groups.nunique() < 2:
        raise InputError(
            f"all {len(gold)} coded units belong together ({groups.iloc[0]}): near-duplicates, units of one video and "
            "units of one --group are never on both sides of a split. Code units of other files"
        )
    strata = strata_of(target, gold)
    sets = freeze(strata, groups, settings["test"], settings["validation"], wanted.seed, known)
    return Frozen(_table(sets, groups), settings)


def _groups(store: Store, gold: pd.Series, columns: Sequence[str], beside: Sequence[str]) -> pd.Series:
    """Groups of the coded units, named so that other variables' units have the same names."""
    every = list(dict.fromkeys([*gold.index, *beside]))
    return groups_of(store, every, columns).reindex(gold.index)


def _grown(before: Frozen, groups: pd.Series) -> pd.Series:
    """Sets by id: as they were; what was coded since goes to the set of its group, or to the training set."""
    old = before.sets.set_index("id")
    same = groups.index.intersection(old.index)
    kept = pd.Series(old.loc[same, "set"].to_numpy(), index=groups[same].to_numpy())
    held = kept[~kept.index.duplicated()]  # groups may have grown together since; the strictest set wins
    for name in ("validation", "test"):
        held[kept.index[kept == name].unique()] = name
    sets = groups.map(held).fillna("train")
    sets.update(old["set"])
    return sets


def _table(sets: pd.Series, groups: pd.Series) -> pd.DataFrame:
    table = pd.DataFrame({"id": sets.index, "set": sets.to_numpy(), "group": groups.reindex(sets.index).to_numpy()})
    return table.sort_values("id", ignore_index=True)


def _check_same(name: str, wanted: Wanted, frozen: dict[str, Any]) -> None:
    asked = {"test": wanted.test, "validation": wanted.validation}
    asked["group"] = None if wanted.group is None else list(wanted.group)  # type: ignore[assignment]
    for option, value in asked.items():
        if value is not None and value != frozen[option]:
            raise InputError(
                f"the test set of {name!r} is frozen (--{option} {_said(frozen[option])}, seed {frozen['seed']}): "
                f"leave --{option} out, or freeze another with --replace"
            )


def _said(value: object) -> str:
    return (" ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)


def _number(store: Store, name: str) -> int:
    try:
        before = read_split(store.models / name)
    except CorpusError:  # an earlier version's, or damaged: it is about to be replaced
        return 2
    return 1 if before is None else before.number + 1
