"""Taking codes in: which units they are about, whether the codebook allows them, and what cannot be taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from visanda.codebook import Variable, fitted, recoded
from visanda.corpus.formats import write_table
from visanda.corpus.handwork.names import Names
from visanda.errors import InputError
from visanda.store import Store

SHOWN = 8  # of units that an error lists


@dataclass(frozen=True)
class Said:
    """What coders said, as it was read.

    Attributes:
        rows: key (what the unit was called), value (text; empty: not coded), note, codebook (the version it was given
            under; empty: the present one), and coder where the source knows it.
        names: a row's names, the most exact first.
        ids: of rows whose unit is known already; ``None`` for the others.
        words: to be said of the source.
    """

    rows: pd.DataFrame
    names: Sequence[Sequence[str]]
    ids: Sequence[str | None] | None = None
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Taken:
    """Codes that can be taken.

    Attributes:
        codes: id, coder, value, note, codebook.
        unmatched: key, coder, value, why: rows about no unit, or about several.
        changed: given, value, codes (how many): what was taken as another value or spelling.
        empty: rows about a unit, without a value.
        repeated: rows that say again what another row said.
    """

    codes: pd.DataFrame
    unmatched: pd.DataFrame
    changed: pd.DataFrame
    empty: int
    repeated: int


def take(store: Store, variable: Variable, said: Said, coder: str | None, recode: Sequence[str] = ()) -> Taken:
    """Find the units, bring the values to the codebook's, and see that no unit has two.

    Raises:
        InputError: nobody says who coded; nothing matches; there is no value; a value that the codebook does not
            allow; or a coder who gave a unit two values.
    """
    rows = said.rows
    if coder is not None or "coder" not in rows:
        if coder is None:
            raise InputError("who coded? Give a name: --coder c1 (or --coder gold, for who settles disagreements)")
        rows = rows.assign(coder=coder)
    ids, why = Names(store, variable).find(said.names)
    known = said.ids or [None] * len(ids)
    ids = [one or found for one, found in zip(known, ids, strict=True)]
    rows = rows.assign(id=pd.Series(ids, rows.index, dtype=object), why=why)
    there = rows[rows["id"].notna()]
    if there.empty:
        raise InputError(f"no row names a picture of this corpus, as {rows['key'].iloc[0]!r} does not")
    given = there[there["value"] != ""]
    values = fitted(variable, recoded(given["value"].tolist(), recode))
    changed = _changed(given["value"].tolist(), values)
    given = given.assign(value=values)
    given = given[given["value"] != ""]
    if given.empty:
        raise InputError(
            f"no row has a value of {variable.name!r}: fill in the sheet first, or say with --value which column it is"
        )
    _refuse_two_values(given)
    once = given.drop_duplicates(["id", "coder"])
    return Taken(
        codes=once[["id", "coder", "value", "note", "codebook"]].reset_index(drop=True),
        unmatched=rows.loc[rows["id"].isna(), ["key", "coder", "value", "why"]].reset_index(drop=True),
        changed=changed,
        empty=len(there) - len(given),
        repeated=len(given) - len(once),
    )


def _changed(given: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """What was taken as another value or spelling, the most frequent first."""
    times = Counter((text, value) for text, value in zip(given, values, strict=True) if text != value)
    rows = [(text, value, many) for (text, value), many in times.most_common()]
    return pd.DataFrame(rows, columns=["given", "value", "codes"])


def _refuse_two_values(given: pd.DataFrame) -> None:
    several = given.groupby(["coder", "id"])["value"].agg(lambda values: list(dict.fromkeys(values)))
    several = several[several.map(len) > 1]
    if several.empty:
        return
    shown = several.head(SHOWN).reset_index()
    listed = [
        f"  {id} by {coder}: {' and '.join(values)}"
        for coder, id, values in zip(shown["coder"], shown["id"], shown["value"], strict=True)
    ]
    more = [f"  ... and {len(several) - SHOWN} more"] if len(several) > SHOWN else []
    raise InputError(
        f"{len(several)} pictures repeat with different values by one coder, and nothing was taken:\n"
        + "\n".join([*listed, *more])
        + "\nKeep one row a picture, or give the rows to different coders"
    )


def write_unmatched(store: Store, variable: str, coders: Sequence[str], unmatched: pd.DataFrame) -> Path | None:
    """Put the rows about no unit into ``results/<variable>-unmatched.csv``; what these coders left before goes."""
    path = store.results / f"{variable}-unmatched.csv"
    there = pd.read_csv(path, dtype=str, keep_default_na=False) if path.exists() else unmatched.head(0)
    whole = pd.concat([there[~there["coder"].isin(list(coders))], unmatched], ignore_index=True)
    if whole.empty:
        path.unlink(missing_ok=True)
        return None
    write_table(whole, path)
    return path
