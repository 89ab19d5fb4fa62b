"""Kinds: which units of a corpus a variable is about."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from visanda.codebook import Variable
from visanda.run.orders import TABLES
from visanda.store import Store, quoted
from visanda.units import parse


def kind_of(variable: Variable, ids: Sequence[str]) -> str:
    """The kind of unit that was coded: what the codebook says, or, where it says image, what the ids are."""
    if variable.on != "image" or not len(ids):
        return variable.on
    units = [parse(id) for id in ids[:100]]
    if all(unit.box is not None for unit in units):
        return "face"
    if all(unit.time is not None for unit in units):
        return "frame" if len(units[0].time or ()) == 1 else "shot"
    return "image"


class OfKind:
    """Tells which ids name units of a kind.

    Args:
        store: the corpus.
        on: image, or a kind or table of units inside files.
    """

    def __init__(self, store: Store, on: str) -> None:
        table = TABLES.get(on, on)
        self._ids: pa.Array | None = None
        if on != "image" and table in store.tables():
            self._ids = store.query(f"SELECT id FROM {quoted(table)}")["id"].combine_chunks()
        self._whole = on in ("image", "video")

    def __call__(self, ids: Sequence[str]) -> list[bool]:
        """Whether each id is one."""
        given = pa.array(ids, pa.string())
        if self._ids is not None:
            return pc.is_in(given, value_set=self._ids.cast(pa.string())).to_pylist()
        inside = pc.match_substring_regex(given, "#(t=|xywh=)").to_pylist()
        return [one != self._whole for one in inside]
