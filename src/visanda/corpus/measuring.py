"""Measure: run measures over pictures, and take the numbers out."""

from __future__ import annotations

from dataclasses import replace as changed
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from cyclopts import Parameter

from visanda import codes, run
from visanda.corpus.adding.media_table import MEDIA
from visanda.corpus.formats import Format, write_table
from visanda.corpus.timing import Timing
from visanda.errors import InputError
from visanda.measure import Measure, find
from visanda.run.orders import HINTS, TABLES
from visanda.run.tasks import BY_PICTURE
from visanda.store import Store, quoted
from visanda.study.time.panel import aggregate
from visanda.study.time.shots import shot_statistics
from visanda.units import parse

UNITS = "give --on image, video, frame, shot, face, object or line"
SHARED = ("units", "failed", "seconds")  # columns of every table of means
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
            on: what measures of pictures look at: image, frame, shot (its middle), face, object, or the name of
                another table of such units.
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
        made = with_arguments(measures, arguments)
        if name and len(made) > 1:
            raise InputError("a --name goes with one measure")
        repeated = [m.name for m in made if [other.name for other in made].count(m.name) > 1]
        if repeated:
            raise InputError(f"{repeated[0]!r} is asked for twice: run it twice, each time with its own --name")
        if on == "image" and any(m.on == "face" for m in made):
            raise InputError(
                f"{' '.join(m.name for m in made if m.on == 'face')} measure faces: after 'visanda measure faces', "
                "measure them with --on face"
            )
        tasks = [run.Task(name or m.name, m) for m in made]
        seen = [m.name for m in made if not m.feed]
        if seen and on == "image" and "media" in self.tables() and self._has("video") and not self._has("image"):
            raise InputError(
                f"there are videos here and no pictures: measure {' '.join(seen)} with --on frame (after "
                "'visanda frames --every 1s') or --on shot (after 'visanda measure shots')"
            )
        done = run.measure(self, tasks, on=on, workers=workers, limit=limit, where=where, replace=replace, retry=retry)
        words = [self._found_in_words(task) for task in tasks if task.measure.finds]
        cautions = dict.fromkeys(card.caution for m in made for card in m.models if card.caution)
        done.attrs |= {"words": words, "warnings": list(cautions)}
        return done

    def _found_in_words(self, task: run.Task) -> str:
        """How many pictures have things in them, have none, and could not be looked at."""
        pictures = self.query(f"SELECT count(*) AS n, count(error) AS failed FROM {quoted(task.listing)}").to_pylist()[
            0
        ]
        with_any, things = 0, 0
        if task.table in self.tables():
            counted = self.query(f"SELECT count(DISTINCT picture) AS n, count(*) AS things FROM {quoted(task.table)}")
            with_any, things = (counted[name][0].as_py() for name in ("n", "things"))
        none = pictures["n"] - pictures["failed"] - with_any
        return (
            f"{task.table}: {things:,} found in {with_any:,} of {pictures['n']:,} pictures; none in {none:,}; "
            f"{pictures['failed']:,} failed."
        )

    def _need(self, measure: str, on: str = "image") -> None:
        """Measure what a verb builds on, where it was not measured at all; on frames where there are only videos."""
        if measure not in self.tables():
            print(f"This needs the measure {measure!r}: measuring it first.")
            frames = "frames" in self.tables() and not self._has("image")
            self.measure(measure, on="frame" if frames and on == "image" else on)

    def _has(self, kind: str) -> bool:
        return bool(self.query("SELECT 1 FROM media WHERE kind = ? LIMIT 1", [kind]).num_rows)

    def join(self, *tables: str, on: str | None = None, where: str | None = None) -> pd.DataFrame:
        """One row a unit: its id, your own columns, and the columns of these tables.

        A coded variable joins as its gold codes, predictions and inclusion probabilities: ``protest``,
        ``protest_predicted``, ``protest_p_yes``, ``protest_pi``. A column that two tables share is named after its
        table. ``error`` says what went wrong in any of them.

        Args:
            tables: names of measures, coded variables, or ``media`` for the facts about the files.
            on: what a row is: image, video, frame, shot, face, object, line, or the name of a table of units inside
                files. By default what the first of the tables is about: pictures, faces, shots. On image or frame,
                what was found is counted: a row a picture, also where nothing was found.
            where: which pictures or videos, as a condition in SQL on the table media.

        Raises:
            InputError: a table is not there.
        """
        self.require("media", "add pictures first, with 'visanda add FOLDER'")
        on = on or self._about(tables)
        if on == "video" and set(tables) - {"media"}:
            return self._by_video(tables, where)
        inside = on not in ("image", "video", "media")
        base = TABLES.get(on, on)
        if inside:
            self.require(base, HINTS.get(base, UNITS))
            if not self._is_inside(base):
                raise InputError(f"{on!r} is no unit: {UNITS}")
        anywhere = on == "media" or self._finds(base)
        kind = "true" if anywhere else "kind = 'image'" if on == "image" else "kind = 'video'"
        facts = [] if "media" in tables else FACTS
        media = self.frame(f"SELECT * FROM media WHERE {kind} AND ({where or 'true'})")
        frame = media.drop(columns=[name for name in facts if name in media]).set_index("id")
        errors = media.set_index("id")["error"]
        if inside:
            units = self.frame(f"SELECT * FROM {quoted(base)}")
            units = units[units["parent"].isin(frame.index)].set_index("id")
            errors = units["error"].fillna(units["parent"].map(errors))
            mine = [name for name in frame if name not in (*units, *FACTS)]
            frame = units.drop(columns="error").join(frame[mine], on="parent")
        for table in (table for table in tables if table not in ("media", base if inside else "media")):
            more = self._per_picture(table) if self._finds(table) else self._column_frame(table).set_index("id")
            if "error" in more:
                errors = errors.fillna(more.pop("error").reindex(errors.index))
            more = more.drop(columns=[name for name in ("parent", "start", "stop") if inside and name in more])
            more = more.rename(columns={name: f"{table}_{name}" for name in more if name in frame})
            frame = frame.join(more, how="left")
        return frame.assign(error=errors).reset_index()

    def _finds(self, table: str) -> bool:
        """Whether its rows are things found in pictures: faces, objects, lines of text."""
        return "finds" in self.describe(table)

    def _per_picture(self, table: str) -> pd.DataFrame:
        """What was found, a row a picture; how many of each label, and the share of the picture that they cover."""
        pictures = self._column_frame(f"{table}{BY_PICTURE}").set_index("id")
        if "label" not in self.column_names(table):
            return pictures
        things = self.frame(f"SELECT picture, label, share FROM {quoted(table)}")
        things["label"] = things["label"].str.replace(r"\W+", "_", regex=True)  # a name of a column has no spaces
        found = things.groupby(["picture", "label"])["share"]
        wide = [found.size().unstack().add_prefix("n_"), found.sum().clip(upper=1).unstack().add_prefix("share_")]
        per_label = pd.concat(wide, axis=1).reindex(pictures.index[pictures["error"].isna()]).fillna(0.0)
        per_label = per_label[[name for name in per_label if name not in pictures]]
        counts = [name for name in per_label if str(name).startswith("n_")]
        return pictures.join(per_label.astype(dict.fromkeys(counts, "Int64")))

    def _is_inside(self, table: str) -> bool:
        """Whether its rows are units inside files."""
        return table in self.tables() and {"parent", "start", "stop"} <= set(self.column_names(table))

    def _about(self, tables: tuple[str, ...]) -> str:
        """What a row is, where nobody says."""
        timed = [table for table in tables if self._is_inside(table)]
        found = [table for table in timed if self._finds(table)]
        if not timed and (home := next(filter(None, map(self._found_in, tables)), None)):
            return home
        inside = None if len(found) > 1 else next(iter(timed), None)
        kinds = set(self.query("SELECT DISTINCT kind FROM media")["kind"].to_pylist())
        if inside is not None:
            return inside
        if "image" in kinds or "media" in tables or not tables:
            return "media" if kinds == {"image"} or "media" in tables or not tables else "image"
        return "frame" if "frames" in self.tables() else "video"

    def _found_in(self, table: str) -> str | None:
        """The table of things found in pictures that a table such as ``age`` is about; ``None`` for others."""
        if table not in self.tables() or "id" not in self.column_names(table):
            return None
        first = self.query(f"SELECT id FROM {quoted(table)} LIMIT 1")["id"].to_pylist()
        if not first or parse(first[0]).box is None:
            return None
        homes = [one for one in self.tables() if self._finds(one)]
        return next((one for one in homes if self._holds(one, first[0])), None)

    def _holds(self, table: str, id: str) -> bool:
        return bool(self.query(f"SELECT 1 FROM {quoted(table)} WHERE id = ? LIMIT 1", [id]).num_rows)

    def _by_video(self, tables: tuple[str, ...], where: str | None) -> pd.DataFrame:
        """A row a video: means over what is inside it, of shots how many and how long."""
        frame = self.join("media", on="video", where=where).set_index("id")
        if "media" not in tables:
            frame = frame.drop(columns=[name for name in FACTS if name in frame and name != "error"])
        errors = frame.pop("error")
        for table in (table for table in tables if table != "media"):
            if table == "shots":
                more = shot_statistics(self._column_frame("shots")).set_index("parent")
            elif self._is_inside(table) and not self._finds(table):
                more = aggregate(self._column_frame(table), ["parent"]).set_index("parent")
            else:
                on = "frame" if "frames" in self.tables() else "shot"
                rows = self.join(table, on=on, where=where)
                source = f"{table}{BY_PICTURE}" if self._finds(table) else table
                own = [name for name in self.column_names(source) if name in rows and name not in ("id", "error")]
                numbers = [name for name in own if pd.api.types.is_numeric_dtype(rows[name])]
                more = aggregate(rows, ["parent"], values=numbers).set_index("parent")
            more = more.rename(columns={name: f"{table}_{name}" for name in more if name in frame or name in SHARED})
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
        on: str | None = None,
        where: str | None = None,
        bin: str | None = None,
        by: list[str] | None = None,
        during: Path | pd.DataFrame | None = None,
        around: Path | pd.DataFrame | None = None,
        window: Annotated[str | tuple[float, float], Parameter(allow_leading_hyphen=True)] = "0,30s",
        match: list[str] | None = None,
        clock: str | None = None,
        timezone: str | None = None,
        within: str | None = None,
        format: Format | None = None,
        out: Path | None = None,
    ) -> pd.DataFrame:
        """The columns of several tables side by side, a row a unit; to a file for R, Stata or Excel.

        Inside videos, units can be joined to what happened at the time, and averaged in bins of time or by columns.

        Args:
            tables: names of measures, coded variables, or ``media``.
            on: what a row is: image, video, frame, shot, face, object, line, or the name of a table of units inside
                files; for a video, what is inside it is averaged; for a picture, what was found in it is counted.
            where: which pictures or videos, as a condition in SQL on the table media.
            bin: average in bins of time: a width such as 10s, 1min; with ``clock`` also minute, quarter-hour,
                hour, day, week, month, quarter or year.
            by: average by these columns: of the videos, of the tables joined by time, or ``shot``.
            during: a table with start and end (programmes, speeches, ads): each unit gets the columns of the row
                in whose time its middle lies. Times are seconds, HH:MM:SS, or times of day.
            around: a table of events with their time (votes): units around each event, with ``since`` in seconds.
            window: for ``around``: from and until, in seconds after the event, such as -10s,30s.
            match: columns by which rows of these tables belong to videos; by default filename, file or video.
            clock: a column of the videos that says when each recording began, for times of day.
            timezone: of times written without one, such as Europe/Berlin.
            within: only units wholly inside accepted stretches: a question in SQL that gives parent, start and
                stop of these, or of all frames looked at, with a column ``accepted``.
            format: csv, tsv, xlsx, parquet, jsonl or dta (Stata); from the ending of the file by default.
            out: the file to write.

        Raises:
            InputError: a table or column is not there, times that cannot be read, a format that is not known.
        """
        by = [by] if isinstance(by, str) else by or []
        match = [match] if isinstance(match, str) else match or []
        timing = Timing(during, around, window, match, clock, timezone, within, bin, by)
        timed = [table for table in tables if self._is_inside(table) and not self._finds(table)]
        if on != "video" and len(timed) > 1:
            if bin is None:
                raise InputError(
                    f"{' and '.join(timed)} are about different moments: name one, average them in bins of one width "
                    "with --bin, or by video with --on video"
                )
            frame = _side_by_side({table: self._in_time((table,), None, where, timing) for table in timed})
        else:
            frame = self._in_time(tables, on, where, timing)
        if out is not None:
            write_table(frame, Path(out), format)
        return frame

    def _in_time(self, tables: tuple[str, ...], on: str | None, where: str | None, timing: Timing) -> pd.DataFrame:
        """The joined tables, and what is asked of them in time."""
        frame = self.join(*tables, on=on, where=where)
        if not timing.asked:
            return frame
        if "start" not in frame or "parent" not in frame:
            raise InputError("these units have no time: name a table inside videos, or give --on frame or --on shot")
        about = on or self._about(tables)
        pairs = bool(self.describe(TABLES.get(about, about)).get("pairs"))
        joined = changed(timing, pairs=pairs).apply(self, frame)
        joined.table.attrs = {"words": joined.words, "warnings": joined.warnings}
        return joined.table

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


def _side_by_side(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Means of several tables in the same bins, a row a bin; columns that they share are named after their table."""
    whole: pd.DataFrame | None = None
    words: list[str] = []
    warnings: list[str] = []
    for name, table in tables.items():
        place = list(table.columns).index("units")
        keys = list(table.columns[:place])
        mine = table.rename(columns={column: f"{name}_{column}" for column in SHARED})
        if whole is not None:
            mine = mine.drop(columns=[column for column in mine if column in whole and column not in keys])
        whole = mine if whole is None else whole.merge(mine, on=keys, how="outer")
        words += table.attrs.get("words", [])
        warnings += table.attrs.get("warnings", [])
    assert whole is not None
    whole.attrs = {"words": words, "warnings": warnings}
    return whole


def with_arguments(measures: tuple[str | Measure, ...], arguments: dict[str, Any]) -> list[Measure]:
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
