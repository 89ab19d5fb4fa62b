"""Which unit a coder's row is about: by its id, or by the name of its file."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from visanda.codebook import PAIR, Variable
from visanda.collect.match import fitting
from visanda.errors import InputError
from visanda.run.orders import TABLES
from visanda.store import Store, quoted
from visanda.units import Unit, parse

NOWHERE, SEVERAL = "names no unit of this corpus", "names several units"


class Names:
    """The units of a corpus that a variable may be about, by the names that people use.

    Args:
        store: the corpus.
        variable: what is coded; its ``on`` says which units.
    """

    def __init__(self, store: Store, variable: Variable) -> None:
        self._files = store.query("SELECT id FROM media")["id"].to_pylist()
        table = TABLES.get(variable.on, variable.on)
        inside = [table] if variable.on != "image" else [*TABLES.values()]
        there = [name for name in inside if name in store.tables()]
        self._listed = bool(there)
        self._units = {id for name in there for id in store.query(f"SELECT id FROM {quoted(name)}")["id"].to_pylist()}
        self._on_units = variable.on != "image"
        self._of_file: dict[str, list[str]] = {}
        for id in self._units if self._on_units else ():
            self._of_file.setdefault(Unit(parse(id).name).id, []).append(id)

    def find(self, names: Sequence[Sequence[str]]) -> tuple[list[str | None], list[str]]:
        """The id that each row is about; and, where it is none, why.

        Args:
            names: a row's names, the most exact first; of a pair, both with ``<>`` between them.
        """
        every = sorted({side for row in names for name in row for side in name.split(PAIR, 1)})
        plain = [name for name in every if "#" not in name]
        hits = dict(zip(plain, fitting(plain, self._files), strict=True))
        hits = {name: self._in_files(found) for name, found in hits.items()}
        hits |= {name: self._part(name) for name in every if "#" in name}
        ids: list[str | None] = []
        why = []
        for row in names:
            found = [_crossed([hits[side] for side in name.split(PAIR, 1)]) for name in row]
            best = next((one for one in found if one), [])
            ids.append(best[0] if len(best) == 1 else None)
            why.append("" if len(best) == 1 else SEVERAL if best else NOWHERE)
        return ids, why

    def _in_files(self, files: list[str]) -> list[str]:
        """Files themselves; where parts of files are coded, the parts."""
        return [unit for file in files for unit in self._of_file.get(file, [])] if self._on_units else files

    def _part(self, name: str) -> list[str]:
        """The unit inside a file that an id names."""
        id = unicodedata.normalize("NFC", name.strip())
        if id in self._units or name in self._units:
            return [id if id in self._units else name]
        if self._listed and self._on_units:
            return []
        try:
            unit = parse(id)
        except InputError:
            return [file for file in self._files if file == name]
        return [Unit(file, unit.time, unit.box).id for file in fitting([unit.name], self._files)[0]]


def _crossed(sides: list[list[str]]) -> list[str]:
    """Ids of a unit; of a pair, every combination of what its sides may be."""
    if len(sides) == 1:
        return sides[0]
    return [PAIR.join((left, right)) for left in sides[0] for right in sides[1]]
