"""What is audited: a machine's values of faces or pictures, and hand codes in the same classes."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from visanda.codes import NO, YES
from visanda.errors import InputError
from visanda.store import Store, quoted
from visanda.study.sampling.sample import strata
from visanda.units import Unit, parse

USUAL = {"gender": "perceived_gender", "age": "perceived_age", "expression": "perceived_happy"}
"""The column that a measure is audited by, where none is named."""

PROBABILITY = {
    "perceived_gender": ("perceived_female", "man", "woman"),
    "perceived_happy": ("expression_happy", "no", "yes"),
}
"""Of a column of two classes: the column with the probability of the second, and both classes."""

KEYS = ("id", "parent", "picture", "start", "stop", "error")
MOST_STRATA = 8  # values of a column of numbers that are strata by themselves; more are cut into quarters


@dataclass(frozen=True)
class Audited:
    """A machine's values of units.

    Attributes:
        title: as it was asked for: ``gender``, ``objects_by_picture.n_people``.
        table: the table they are in.
        column: the column.
        values: by id, missing where the machine has none; numbers as floats, classes as text, truth as yes and no.
        failed: by id, whether it failed, rather than abstained.
        probability: by id, of two classes; ``None`` where it gives none.
    """

    title: str
    table: str
    column: str
    values: pd.Series
    failed: pd.Series
    probability: pd.DataFrame | None

    @property
    def name(self) -> str:
        """For files."""
        return self.title.replace(".", "-")

    @property
    def numeric(self) -> bool:
        """Whether these are numbers."""
        return pd.api.types.is_float_dtype(self.values)

    @property
    def classes(self) -> list[str]:
        """The classes that occur."""
        return [] if self.numeric else sorted(set(self.values.dropna()))

    def strata(self) -> pd.Series:
        """What to draw within: classes, or quarters of numbers; no value, and failures, apart."""
        values = self.values
        if self.numeric and values.nunique() > MOST_STRATA:
            values = pd.qcut(values, 4, labels=False, duplicates="drop").add(1).map("quarter {:.0f}".format, "ignore")
        found = strata(values.to_frame("value"), ["value"]).where(values.notna(), "(no value)")
        return found.mask(self.failed, "(failed)")

    def hint(self) -> str:
        """What coders may write."""
        if self.numeric:
            return "a number"
        faces = self.values.index.str.contains("xywh=", regex=False).any()
        return ", ".join(self.classes) + (", or no face" if faces else "")


def audited(store: Store, machine: str, where: str | None) -> Audited:
    """The values that a command names, of all units or those of the files chosen.

    Raises:
        InputError: there is no such table or column, or several columns could be meant.
    """
    table, _, column = machine.partition(".")
    face = " --on face" if table in USUAL else ""
    store.require(table, f"'visanda measure {table}{face}' first; there are: {', '.join(store.tables())}")
    there = store.column_names(table)
    column = column or _usual(table, str(store.describe(table).get("name", table)), there)
    if column not in there or "id" not in there:
        raise InputError(f"the table {table!r} has no column {column!r}; it has: {', '.join(there)}")
    more = PROBABILITY.get(column)
    frame, failed = values_of(store, table, where, [column, *([more[0]] if more and more[0] in there else [])])
    probability = None
    if more and more[0] in frame:
        second = frame[more[0]].astype(float)
        probability = pd.DataFrame({more[1]: 1 - second, more[2]: second})
    return Audited(machine, table, column, _plain(frame[column], machine), failed, probability)


def values_of(
    store: Store, table: str, where: str | None, columns: list[str] | None = None
) -> tuple[pd.DataFrame, pd.Series]:
    """Rows of a table by id, of the files chosen; and where they failed.

    Args:
        store: the corpus.
        table: its name.
        where: of which files, as a condition in SQL on the table media.
        columns: which; all by default.

    Raises:
        InputError: no row is left.
    """
    there = store.column_names(table)
    wanted = there if columns is None else ["id", *dict.fromkeys(columns), *({"error"} & set(there))]
    frame = store.frame(f"SELECT {', '.join(map(quoted, wanted))} FROM {quoted(table)}").set_index("id").sort_index()
    chosen = set(store.frame(f"SELECT id FROM media WHERE ({where or 'true'})")["id"])
    frame = frame[[Unit(parse(id).name).id in chosen for id in frame.index]]
    if frame.empty:
        raise InputError(f"the table {table!r} has no row to audit{' where ' + where if where else ''}")
    return frame, frame["error"].notna() if "error" in frame else pd.Series(False, index=frame.index)


def numbers_of(said: Audited, hand: pd.Series) -> bool:
    """Whether machine and hand codes are both numbers.

    Raises:
        InputError: the machine's are and the hand codes are not.
    """
    if not said.numeric:
        return False
    bad = hand[pd.to_numeric(hand, errors="coerce").isna()]
    if len(bad):
        groups = ": for groups of age, audit age.perceived_age_group" if said.column == "perceived_age" else ""
        raise InputError(
            f"{said.title} is a number, and the hand code {bad.iloc[0]!r} of {bad.index[0]!r} is none{groups}"
        )
    return True


def cast(said: Audited, hand: pd.Series, column: str) -> tuple[pd.Series, pd.Series, pd.DataFrame | None]:
    """Hand codes, machine's values and its probabilities in the same classes, whatever the case of letters.

    Codes of yes and no in a column named like a class, such as ``woman``, are of that class against all others.
    """
    plain = hand.str.casefold()
    machine, probability = said.values, said.probability
    named = {one.casefold(): one for one in said.classes}
    asked = named.get(column.casefold())
    if set(plain) <= YES | NO and asked and not set(plain) & set(named):
        machine = machine.map(lambda one: "yes" if one == asked else "no", "ignore")
        if probability is not None and asked in probability:
            probability = pd.DataFrame({"no": 1 - probability[asked], "yes": probability[asked]})
        named = {"yes": "yes", "no": "no"}
    if set(named) <= {"yes", "no"}:
        return plain.map(lambda one: "yes" if one in YES else "no" if one in NO else one), machine, probability
    return plain.map(lambda one: named.get(one, one)), machine, probability


def _usual(table: str, measure: str, there: list[str]) -> str:
    if measure in USUAL:
        return USUAL[measure]
    values = [name for name in there if name not in KEYS]
    if len(values) == 1:
        return values[0]
    raise InputError(f"say which column: {', '.join(f'{table}.{name}' for name in values)}")


def _plain(column: pd.Series, machine: str) -> pd.Series:
    """Numbers as floats, truth as yes and no, text as it is."""
    known = column.dropna()
    kind = pd.api.types.infer_dtype(known, skipna=True)
    if kind == "boolean":
        return column.map(lambda one: "yes" if one else "no", "ignore").astype(object)
    if kind in ("integer", "floating", "decimal", "mixed-integer-float"):
        return column.astype(float)
    if kind in ("string", "empty"):
        return column.astype(object).where(column.notna(), None)
    raise InputError(f"{machine} holds neither numbers nor classes: choose another column")
