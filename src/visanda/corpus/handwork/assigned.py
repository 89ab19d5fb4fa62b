"""A coder's own sheet: the units that were given to this coder, in the coder's order, with what was coded already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from visanda import codes
from visanda.codebook import SPLIT, Variable
from visanda.collect.tables import read_table
from visanda.corpus.handwork.sample_sheets import pairs_path, sheet_name
from visanda.corpus.handwork.sheets import write_sheet
from visanda.errors import InputError
from visanda.result import Result
from visanda.store import Store


def check_together(asked: Sequence[Variable]) -> None:
    """Whether variables can stand on one sheet.

    Raises:
        InputError: they are about units of different kinds, or one compares pairs.
    """
    kinds = dict.fromkeys(one.on for one in asked)
    if len(kinds) > 1:
        said = ", ".join(f"{one.name} each {one.on}" for one in asked)
        raise InputError(f"these are about units of different kinds ({said}): take them one by one")
    pairs = [one.name for one in asked if one.scale == "pairwise"]
    if pairs and len(asked) > 1:
        raise InputError(f"{pairs[0]!r} compares pairs of units: take it alone")


def assigned(store: Store, variables: Sequence[Variable], coder: str) -> list[str] | None:
    """The units, or pairs, that a coder is to code, in the order of coding; none where no sample was drawn.

    Raises:
        InputError: the sample was given to other coders, variables have samples of their own, or no pairs are there.
    """
    variable, asked = variables[0], [one.name for one in variables]
    if not codes.same_sample(store.folder, asked):
        raise InputError(
            f"{', '.join(asked)} have samples of their own, and cannot stand on one sheet: write a sheet for each, or "
            f"draw one sample for all with 'visanda sample {','.join(asked)} --n NUMBER'"
        )
    design = codes.read_design(store.folder, variable.name)
    if variable.scale == "pairwise":
        path = pairs_path(store, variable.name)
        if not path.exists():
            raise InputError(f"which pairs? Draw them first: visanda sample {variable.name} --n 50 --pairs 125")
        design = pd.read_csv(path, dtype={"coders": str}, keep_default_na=False)
    if design is None:
        return None
    drawn = design[design["order"] > 0].sort_values(["round", "order"] if "round" in design else "order")
    if "coders" in drawn and coder != codes.GOLD:
        given = drawn["coders"].fillna("").str.split(SPLIT, regex=False)
        names = sorted({name for one in given for name in one if name})
        if names and coder not in names:
            raise InputError(f"the sample for {variable.name!r} was given to {', '.join(names)}, and not to {coder!r}")
        drawn = drawn[[not any(one) or coder in one for one in given]]
    return _in_order(store, asked, coder, drawn)


def _in_order(store: Store, variables: Sequence[str], coder: str, drawn: pd.DataFrame) -> list[str]:
    """Units as the coder's sheets of the sample have them; each coder has an order of their own."""
    ids = drawn["id"].tolist()
    rounds = sorted(drawn["round"].unique()) if "round" in drawn else [1]
    places: dict[str, int] = {}
    for number in rounds:
        path = store.results / f"{sheet_name(variables, coder, int(number))}.csv"
        if path.exists():
            places |= {str(id): len(places) + row for row, id in enumerate(read_table(path)["id"])}
    return sorted(ids, key=lambda id: places.get(id, len(places)))


def write_coders_sheet(
    store: Store, variables: Sequence[Variable], coder: str, path: Path, everything: pd.DataFrame
) -> Result:
    """Write a coder's sheet.

    Args:
        store: the corpus.
        variables: what is asked of each unit.
        coder: who codes.
        path: the file, .csv or .xlsx.
        everything: the units that may be coded, where no sample was drawn.

    Raises:
        InputError: the file is there already, or the sample was given to others.
    """
    codes.check_name("coder", coder)
    if path.exists():
        raise InputError(f"{path} is there already, and may hold codes: give the sheet another name")
    name = ",".join(one.name for one in variables)
    mine = assigned(store, variables, coder)
    ids = everything["id"].tolist() if mine is None else mine
    given = {one.name: _said(store, one, coder) for one in variables}
    done = len(set.intersection(*({str(id) for id in said["id"]} for said in given.values())) & set(ids))
    with store.record("code", {"variable": name, "coder": coder, "sheet": path.name}) as run:
        write_sheet(store, variables, ids, path, given)
        run.counts = {"units": len(ids), "coded": done}
    words = [
        f"{len(ids):,} units for {coder} are in {path}, {done:,} of them coded already. Fill it in; then",
        f"visanda code {name} --import {path} --coder {coder}",
    ]
    warnings = [] if mine is not None else [f"no sample was drawn for {name!r}: the sheet has everything there is"]
    table = pd.DataFrame({"coder": [coder], "units": [len(ids)], "coded": [done], "file": [str(path)]})
    return Result(f"A sheet for {name}", table, words, warnings)


def _said(store: Store, variable: Variable, coder: str) -> pd.DataFrame:
    """What the coder said of a variable already, as its codebook writes it."""
    said = codes.in_force(store.folder, variable.name)
    return codes.tidied(variable, said[said["coder"] == coder])
