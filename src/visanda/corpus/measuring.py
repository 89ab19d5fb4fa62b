"""Measure: run measures over pictures, and take the numbers out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from visanda import codes, run
from visanda.corpus.collecting import MEDIA
from visanda.corpus.formats import Format, write_table
from visanda.errors import InputError
from visanda.measure import Measure, find
from visanda.store import Store, quoted

FACTS = [name for name in MEDIA.names if name != "id"]


class Measuring(Store):
    """Measure."""

    def measure(
        self,
        *measures: str | Measure,
        on: str = "image",
        name: str | None = None,
        workers: int = 0,
        limit: int | None = None,
        where: str | None = None,
        replace: bool = False,
        retry: bool = False,
        **arguments: Any,
    ) -> pd.DataFrame:
        """Measure every picture or video that has not been measured yet; stop and start again at will.

        Measures of video (shots, motion) watch the videos. Measures of pictures look at pictures, or at frames
        inside videos, which are decoded on the fly: list them before with ``frames`` or ``measure shots``.

        Args:
            measures: names such as ``colour``, or measures with their arguments such as ``vi.colour(colours=3)``.
            on: what measures of pictures look at: image, frame, shot (its middle), or the name of another table
                that ``frames`` made.
            name: the table's name, where it is not the measure's.
            workers: threads; 0 for one a core.
            limit: at most so many pictures or videos.
            where: which pictures or videos, as a condition in SQL on the table media.
            replace: throw away a table that was made with other arguments.
            retry: try again what failed.
            arguments: arguments of the measures, such as labels for zeroshot.

        Raises:
            InputError: an unknown measure or argument; a table that was made with other arguments.
            CorpusError: another process is writing the same table, or the disk is full.
        """
        if not measures:
            raise InputError("name at least one measure: see 'visanda measures'")
        made = _with_arguments(measures, arguments)
        if name and len(made) > 1:
            raise InputError("a --name goes with one measure")
        repeated = [m.name for m in made if [other.name for other in made].count(m.name) > 1]
        if repeated:
            raise InputError(f"{repeated[0]!r} is asked for twice: run it twice, each time with its own --name")
        tasks = [run.Task(name or m.name, m) for m in made]
        return run.measure(self, tasks, on=on, workers=workers, limit=limit, where=where, replace=replace, retry=retry)

    def _need(self, measure: str) -> None:
        """Measure what a verb builds on, where it was not measured at all."""
        if measure not in self.tables():
            print(f"This needs the measure {measure!r}: measuring it first.")
            self.measure(measure)

    def join(self, *tables: str, where: str | None = None) -> pd.DataFrame:
        """One row a picture: its id, your own columns, and the columns of these tables.

        A coded variable joins as its gold codes, predictions and inclusion probabilities: ``protest``,
        ``protest_predicted``, ``protest_p_yes``, ``protest_pi``. A column that two tables share is named after its
        table. ``error`` says what went wrong in any of them.

        Args:
            tables: names of measures, coded variables, or ``media`` for the facts about the files.
            where: which pictures, as a condition in SQL on the table media.

        Raises:
            InputError: a table is not there.
        """
        self.require("media", "add pictures first, with 'visanda add FOLDER'")
        facts = [] if "media" in tables else FACTS
        media = self.frame(f"SELECT * FROM media WHERE {where or 'true'}")
        frame = media.drop(columns=[name for name in facts if name in media]).set_index("id")
        errors = media.set_index("id")["error"]
        for table in (table for table in tables if table != "media"):
            more = self._column_frame(table).set_index("id")
            if "error" in more:
                errors = errors.fillna(more.pop("error").reindex(errors.index))
            more = more.rename(columns={name: f"{table}_{name}" for name in more if name in frame})
            frame = frame.join(more, how="left")
        return frame.assign(error=errors).reset_index()

    def _column_frame(self, table: str) -> pd.DataFrame:
        if table in codes.variables(self.folder):
            return codes.variable_frame(self, table)
        self.require(table, f"'visanda measure {table}' or another name; there are: {', '.join(self.tables())}")
        return self.frame(f"SELECT * FROM {quoted(table)}")

    def table(
        self,
        *tables: str,
        where: str | None = None,
        format: Format | None = None,
        out: Path | None = None,
    ) -> pd.DataFrame:
        """The columns of several tables side by side, a row a picture; to a file for R, Stata or Excel.

        Args:
            tables: names of measures, coded variables, or ``media``.
            where: which pictures, as a condition in SQL on the table media.
            format: csv, tsv, xlsx, parquet, jsonl or dta (Stata); from the ending of the file by default.
            out: the file to write.

        Raises:
            InputError: a table is not there; a format that is not known.
        """
        frame = self.join(*tables, where=where)
        if out is not None:
            write_table(frame, Path(out), format)
        return frame

    def columns(self) -> pd.DataFrame:
        """Every column of every table, and its type: what formulas, tables and conditions can name."""
        found = []
        for table in self.tables():
            schema = self.query(f"SELECT * FROM {quoted(table)} LIMIT 0").schema
            found += [(table, field.name, str(field.type)) for field in schema]
        return pd.DataFrame(found, columns=["table", "column", "type"])

    def sql(self, query: str, *, out: Path | None = None, format: Format | None = None) -> pd.DataFrame:
        """Ask the tables a question in SQL (DuckDB's): each table is a view; codes has all codes.

        Args:
            query: such as ``select category, avg(brightness) from colour join media using (id) group by 1``.
            out: a file to write the answer to.
            format: of that file; from its ending by default.
        """
        frame = self.frame(query)
        if out is not None:
            write_table(frame, Path(out), format)
        return frame


def _with_arguments(measures: tuple[str | Measure, ...], arguments: dict[str, Any]) -> list[Measure]:
    """Give each measure, named by a string, those of the arguments that it takes."""
    made, used = [], set()
    for measure in measures:
        if isinstance(measure, Measure):
            made.append(measure)
            continue
        registered = find(measure) if isinstance(measure, str) else measure
        mine = {name: value for name, value in arguments.items() if name in registered.parameters}
        used |= set(mine)
        made.append(registered(**mine))
    for name in arguments:
        if name not in used:
            takes = "; ".join(f"{m.name}: {', '.join(m.registered.parameters) or 'none'}" for m in made)
            raise InputError(f"no measure named here has the argument {name!r} (arguments of {takes})")
    return made
