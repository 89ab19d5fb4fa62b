"""Collection: a datasheet of who is in it, by source, and of whom nothing is known."""

from __future__ import annotations

import pandas as pd

from visanda import codes
from visanda.corpus.audit.audited import USUAL, Audited, audited
from visanda.corpus.audit.columns_by_name import column_of, files_of
from visanda.corpus.audit.trained_here import trained_here
from visanda.corpus.sampling import listed
from visanda.errors import InputError
from visanda.result import Result
from visanda.store import Store, quoted
from visanda.study.bias.collection import collection
from visanda.units import parse

FACES, LOOKED_AT = "faces", "faces_by_picture"


class Describing(Store):
    """Audit."""

    def collection(
        self,
        *,
        measures: list[str] | None = None,
        by: str | None = None,
        where: str | None = None,
        name: str = "collection",
    ) -> Result:
        """Who is in the collection: shares of perceived groups, by source, with all of whom nothing is known.

        A datasheet (Gebru et al. 2021): before anything is said of groups, a reader should know how many of each
        there are, from where, and of how many the machine says nothing. Intervals take faces of one picture as alike.

        Args:
            measures: what the groups are, as gender,age; tables, table.column such as skin_tone.monk_tone, or trained
                variables; by default gender, age and expression, where they were measured. Numbers of more than 8
                values are cut into quarters.
            by: a column that says where each comes from, as outlet.
            where: of which pictures, as a condition in SQL on the table media.
            name: of the files written to results/.

        Raises:
            InputError: nothing was measured of faces or pictures; tables of different units; an unknown column.
        """
        codes.check_name("result", name)
        asked = listed(measures) or [one for one in USUAL if one in self.tables()]
        if not asked:
            raise InputError(
                "nothing is known of anybody yet: 'visanda measure faces', then 'visanda measure gender age --on "
                "face'; or name other tables with --measures"
            )
        said = [trained_here(self, one, where) or audited(self, one, where) for one in asked if one != FACES]
        people = self._people(said, where)
        columns = [_name(one, said) for one in said]
        rows = pd.DataFrame(index=people)
        failed = {}
        for one, column in zip(said, columns, strict=True):
            values = one.values.reindex(people)
            rows[column] = values if one.numeric else values.where(values.notna(), None)  # of one kind of missing
            rows[f"({column} failed)"] = one.failed.reindex(people).eq(True)
            failed[column] = f"({column} failed)"
        faces = parse(people[0]).box is not None
        pictures = self._looked_at(by, where) if faces else None
        if by is not None:
            rows[by] = column_of(self, by, people).to_numpy()
        files = files_of(people)
        together = "(file)" if files.duplicated().any() else None
        arguments = {"measures": asked, "by": by, "where": where}
        with self.record("collection", arguments) as run:
            result = collection(
                rows.assign(**{"(file)": files}),
                columns,
                source=by,
                pictures=pictures,
                failed=failed,
                cluster=together,
                alone=together is None,
                units="faces" if faces else "units",
            )
            result.provenance |= arguments
            result.warnings += self._left_out(said, people)
            written = result.save(self.results, name)
            result.words.append(f"Table, words and figure: {', '.join(str(path) for path in written)}")
            run.counts = {"people": len(rows), "pictures": 0 if pictures is None else len(pictures)}
        return result

    def _people(self, said: list[Audited], where: str | None) -> pd.Index:
        """Ids of all that are described: all faces that were found, or else all that any of the tables knows."""
        if not said:
            raise InputError("faces alone are nobody: name what is known of them too, as --measures gender,age")
        ids = sorted({id for one in said for id in one.values.index})
        boxed = {one.title: parse(one.values.index[0]).box is not None for one in said}
        if len(set(boxed.values())) > 1:
            faces = ", ".join(one for one, box in boxed.items() if box)
            raise InputError(
                f"of what is asked for, {faces} is about faces, and the rest about pictures: describe them one after "
                "the other, each under its own --name"
            )
        if FACES in self.tables() and next(iter(boxed.values())):
            chosen = set(self.frame(f"SELECT id FROM media WHERE ({where or 'true'})")["id"])
            every = self.frame(f"SELECT id, parent FROM {quoted(FACES)} ORDER BY id")
            ids = sorted(set(ids) | set(every.loc[every["parent"].isin(chosen), "id"]))
        return pd.Index(ids, name="id")

    def _looked_at(self, by: str | None, where: str | None) -> pd.DataFrame | None:
        """A row a picture in which faces were looked for."""
        if LOOKED_AT not in self.tables():
            return None
        rows = self.frame(f"SELECT id, n_faces FROM {quoted(LOOKED_AT)} ORDER BY id")
        chosen = set(self.frame(f"SELECT id FROM media WHERE ({where or 'true'})")["id"])
        ids = pd.Index(rows["id"])
        rows = rows[files_of(ids).isin(chosen)]
        if by is None or rows.empty:
            return rows if len(rows) else None
        try:
            return rows.assign(**{by: column_of(self, by, pd.Index(rows["id"])).to_numpy()})
        except InputError:  # a column of faces says nothing of pictures without one
            return None

    def _left_out(self, said: list[Audited], people: pd.Index) -> list[str]:
        """Tables that know fewer than were found."""
        short = [(one.table, len(people.difference(one.values.index))) for one in said]
        return [
            f"{n:,} have no row in the table {table}, and count as '(no value)': 'visanda measure {table}' goes on."
            for table, n in short
            if n
        ]


def _name(one: Audited, said: list[Audited]) -> str:
    """The column, with its table where two are called the same."""
    return one.column if [other.column for other in said].count(one.column) == 1 else f"{one.table}.{one.column}"
