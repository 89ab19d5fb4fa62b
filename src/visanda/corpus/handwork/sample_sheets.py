"""The sheets of a sample: one a coder and round, never written over once somebody may have filled it in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from visanda.codebook import PAIR, SPLIT, Variable, check_name
from visanda.codes import GOLD
from visanda.collect.tables import read_table
from visanda.corpus.handwork.sheets import write_sheet
from visanda.errors import InputError
from visanda.parts import write_bytes
from visanda.store import Store
from visanda.study.pairwise.comparisons import draw_pairs
from visanda.study.sampling.coder_shares import deal, sheet_order

DEALING, ORDERING, PAIRING = 101, 102, 103  # streams of chance beside that of the draw, so that none changes another


@dataclass(frozen=True)
class Dealing:
    """Who codes: the coders' names, the share that two of them code (0 to 1), and pairs to compare (0: none)."""

    coders: list[str]
    double: float
    pairs: int

    def __post_init__(self) -> None:
        for coder in self.coders:
            if check_name("coder", coder) == GOLD:
                raise InputError(f"{GOLD!r} settles what coders disagree on, and codes no sample: name other coders")

    def arguments(self) -> dict[str, Any]:
        """What was asked, without what was not."""
        return {name: value for name, value in asdict(self).items() if value}


def deal_round(design: pd.DataFrame, number: int, given: Dealing, seed: int) -> pd.DataFrame:
    """The design with the coders of the units of one round, such as ``c1|c2``; empty where nobody is named."""
    if "coders" not in design:
        design = design.assign(coders="")
    mine = design["round"] == number
    if given.pairs or not (given.coders or given.double):
        return design.assign(coders=design["coders"].fillna("").mask(mine, ""))
    random = np.random.default_rng([seed, number, DEALING])
    dealt = deal(design.loc[mine, "id"].tolist(), given.coders, given.double, random)
    who = design["id"].map(dealt).fillna(design["coders"]).fillna("")
    return design.assign(coders=who.astype(str))


def pairs_of_round(design: pd.DataFrame, number: int, given: Dealing, seed: int) -> pd.DataFrame:
    """Pairs to compare, among all units drawn so far: id (``a <> b``), left, right, order, round, coders."""
    random = np.random.default_rng([seed, number, PAIRING])
    drawn = design.loc[design["order"] > 0, "id"].tolist()
    made = draw_pairs(drawn, given.pairs, random)
    made.insert(0, "id", made["left"] + PAIR + made["right"])
    made = made.assign(order=np.arange(1, given.pairs + 1), round=number, coders="")
    if given.coders or given.double:
        dealt = deal(made["id"].tolist(), given.coders, given.double, random)
        made["coders"] = made["id"].map(dealt).astype(str)
    return made


def pairs_path(store: Store, variable: str) -> Path:
    """Where the pairs of a sample stand."""
    return store.folder / "samples" / f"{variable}-pairs.csv"


def write_pairs(store: Store, variable: str, pairs: pd.DataFrame, first: bool) -> None:
    """Keep the pairs beside the sample, those of all rounds."""
    path = pairs_path(store, variable)
    if not first and path.exists():
        earlier = pd.read_csv(path, dtype={"coders": str}, keep_default_na=False)
        pairs = pd.concat([earlier[earlier["round"] != pairs["round"].iloc[0]], pairs], ignore_index=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, pairs.to_csv(index=False, lineterminator="\n").encode())


def write_sheets(
    store: Store, variables: Sequence[Variable], rows: pd.DataFrame, number: int, seed: int, stem: str
) -> dict[str, Path]:
    """Write the sheets of a round, by coder; one for all, by ``""``, where nobody is named.

    Sheets show no stratum, no prediction, and not what somebody else codes too. Each coder has an order of their own.

    Args:
        store: the corpus.
        variables: what is asked of each unit.
        rows: what is to be coded: id, order, coders.
        number: of the round.
        seed: of the orders.
        stem: of the run, for sheets that are put aside.
    """
    rows = rows.sort_values("order")
    given = rows["coders"].str.split(SPLIT, regex=False)
    coders = sorted({coder for one in given for coder in one})
    written = {}
    for place, coder in enumerate(coders):
        ids = rows.loc[[coder in one for one in given], "id"].tolist()
        if coder:
            ids = sheet_order(ids, np.random.default_rng([seed, number, ORDERING, place]))
        path = store.results / f"{sheet_name([one.name for one in variables], coder, number)}.csv"
        if not _kept(path, set(ids), stem):
            path.parent.mkdir(exist_ok=True)
            write_sheet(store, variables, ids, path)
        written[coder] = path
    return written


def sheet_name(variables: Sequence[str], coder: str, number: int) -> str:
    """What a sheet's file is called.

    >>> sheet_name(["protest", "anger"], "ana", 2)
    'protest+anger-sheet-ana-round2'
    """
    return f"{'+'.join(variables)}-sheet" + (f"-{coder}" if coder else "") + (f"-round{number}" if number > 1 else "")


def _kept(path: Path, ids: set[str], stem: str) -> bool:
    """Whether this very sheet is there. Another one, which may hold a coder's work, is put aside."""
    if not path.exists():
        return False
    there = read_table(path)
    if "id" in there and set(there["id"]) == ids:
        return True
    path.rename(path.with_name(f"{path.stem}-until-{stem}{path.suffix}"))
    return False
