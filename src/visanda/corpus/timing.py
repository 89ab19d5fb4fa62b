"""Time in tables: which units, when they are, and what happened then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from visanda.collect.match import match
from visanda.collect.tables import read_table
from visanda.errors import InputError
from visanda.store import Store
from visanda.study.time.accepted import accepted
from visanda.study.time.clock import on_clock
from visanda.study.time.intervals import around, during
from visanda.study.time.joined import Joined, listed
from visanda.study.time.panel import aggregate, bins, panel
from visanda.timecode import seconds

PERIODS = ("minute", "quarter-hour", "hour", "day", "week", "month", "quarter", "year")
NAMES = ("filename", "file", "video", "parent", "id")  # columns that name a video in tables people bring
STARTS, STOPS = ("start", "begin", "from"), ("end", "stop", "until", "to")
MICRO = 1e-6  # seconds: what times are rounded to
OWN = {"id", "parent", "key", "start", "stop", "start_clock", "stop_clock", "error"}


@dataclass(frozen=True)
class Timing:
    """What is asked of a table in time; see :meth:`visanda.corpus.measuring.Measuring.table`."""

    during: Path | pd.DataFrame | None = None
    around: Path | pd.DataFrame | None = None
    window: str | tuple[float, float] = "0,30"
    match: Sequence[str] = ()
    clock: str | None = None
    timezone: str | None = None
    within: str | None = None
    bin: str | float | None = None
    by: Sequence[str] = ()
    pairs: bool = False  # a row compares the frame at start with the frame at stop

    @property
    def asked(self) -> bool:
        """Whether anything is."""
        return any(value is not None for value in (self.during, self.around, self.within, self.bin)) or bool(self.by)

    def apply(self, store: Store, units: pd.DataFrame) -> Joined:
        """The table that was asked for, from a row a unit with parent, start and stop."""
        joined = Joined(units)
        if self.clock:
            if self.clock not in units:
                raise InputError(f"there is no column {self.clock!r} of videos that says when each recording began")
            known = units[units[self.clock].notna()]
            lost = units.loc[units[self.clock].isna(), "parent"].unique().tolist()
            if len(lost):
                joined.warnings.append(f"left out, without a {self.clock}: {listed(lost)}")
            joined.table = on_clock(known, self.clock, timezone=self.timezone)
        if self.within:
            _add(joined, self._both_ends(accepted(self._beyond(joined.table), _windows(store.frame(self.within)))))
        if self.during is not None:
            table, by = self._brought(store, self.during, joined)
            start, stop = _column(table, STARTS, "begins"), _column(table, STOPS, "ends")
            made = during(
                joined.table, table, by=by, start=start, stop=stop, name=_called(self.during, "interval"),
                timezone=self.timezone,
            )  # fmt: skip
            _add(joined, made)
        if self.around is not None:
            table, by = self._brought(store, self.around, joined)
            at = _column(table, ("time", "at", *STARTS), "happens")
            made = around(joined.table, table, by=by, at=at, window=_window(self.window), timezone=self.timezone)
            _add(joined, made)
        joined.table = self._averaged(store, joined)
        return joined

    def _brought(self, store: Store, source: Path | pd.DataFrame, joined: Joined) -> tuple[pd.DataFrame, list[str]]:
        """A table that somebody brought, and the columns by which its rows belong to units."""
        table = source if isinstance(source, pd.DataFrame) else read_table(source)
        if self.match:
            return table, list(self.match)
        named = next((name for name in NAMES if name in table), None)
        if named is not None:
            meant = _videos(store, table[named])
            unknown = table.loc[meant.isna(), named].astype(str).unique().tolist()
            if len(unknown):
                joined.warnings.append(f"rows left out, about no video of this corpus: {listed(unknown)}")
            return table.assign(parent=meant)[meant.notna()], ["parent"]
        if self.clock:
            return table, []
        if joined.table["parent"].nunique() == 1:
            return table, []
        raise InputError(
            f"the table does not say which video its rows are about: it needs a column {', '.join(NAMES[:3])}, or "
            "--match with a column that the videos have too, or --clock for times of day. Its columns are: "
            + ", ".join(map(str, table))
        )

    def _averaged(self, store: Store, joined: Joined) -> pd.DataFrame:
        """Means by bins of time and by columns, where they were asked for."""
        by = [name.strip() for text in self.by for name in text.split(",")]
        if self.bin is None and not by:
            return joined.table
        units = self._in_shots(store, joined, by)
        unknown = [name for name in by if name not in units]
        if unknown:
            raise InputError(f"there is no column {unknown[0]!r} to group by; there are: {', '.join(map(str, units))}")
        if self.bin is None:
            return aggregate(units, by, values=_values(units, by))
        if str(self.bin) in PERIODS:
            if "start_clock" not in units:
                raise InputError(f"--bin {self.bin} needs --clock: the column that says when each recording began")
            return panel(units, by or ["parent"], str(self.bin))
        width, groups = seconds(self.bin), by or ["parent"]
        return bins(units, width, by=groups, values=_values(units, groups))

    def _beyond(self, units: pd.DataFrame) -> pd.DataFrame:
        """Pairs of frames that end where a stretch ends reach beyond it: their later frame is the next one's."""
        return units.assign(stop=units["stop"] + MICRO) if self.pairs else units

    def _both_ends(self, joined: Joined) -> Joined:
        if self.pairs:
            joined.table = joined.table.assign(stop=(joined.table["stop"] - MICRO).round(6))
        return joined

    def _in_shots(self, store: Store, joined: Joined, by: list[str]) -> pd.DataFrame:
        """With the column ``shot``, where it is asked for and not there."""
        units = joined.table
        if "shot" not in by or "shot" in units:
            return units
        store.require("shots", "'visanda measure shots' first")
        shots = store.frame('SELECT id AS shot, parent, start, stop AS "end" FROM shots WHERE error IS NULL')
        made = self._both_ends(during(self._beyond(units), shots, how="within", name="shot"))
        _add(joined, made)
        return made.table[made.table["shot"].notna() | made.table["error"].notna()]


def _add(joined: Joined, more: Joined) -> None:
    joined.table = more.table
    joined.words += more.words
    joined.warnings += more.warnings


def _videos(store: Store, names: pd.Series) -> pd.Series:
    """The ids of the videos that these names mean; what names none stays, and matches nothing."""
    ids = store.query("SELECT id FROM media WHERE kind = 'video'")["id"].to_pylist()
    unique = pd.DataFrame({"name": names.dropna().astype(str).drop_duplicates().reset_index(drop=True)})
    found = match(unique, "name", ids)
    ids_of = {unique["name"].iloc[row]: id for id, row in found.rows.items()}
    if not ids_of:
        raise InputError(f"no row names a video of this corpus, as {found.unmatched[0]!r} does not")
    return names.astype(str).map(ids_of)


def _column(table: pd.DataFrame, names: Sequence[str], what: str) -> str:
    found = next((name for name in names if name in table), None)
    if found is None:
        raise InputError(
            f"the table does not say when a row {what}: it needs a column {' or '.join(names)}; its columns are: "
            + ", ".join(map(str, table))
        )
    return found


def _called(source: Path | pd.DataFrame, otherwise: str) -> str:
    return otherwise if isinstance(source, pd.DataFrame) else Path(source).stem.removesuffix("s")


def _windows(table: pd.DataFrame) -> pd.DataFrame:
    """Stretches to accept; rows of failures have no times, and accept nothing."""
    timed = [name for name in ("start", "stop") if name in table]
    return table.dropna(subset=timed)


def _window(text: str | tuple[float, float]) -> tuple[float, float]:
    parts = [part.strip() for part in text.split(",")] if isinstance(text, str) else list(text)
    if len(parts) != 2:
        raise InputError(
            f"--window is two times, from and until, in seconds after the event, such as -10s,30s: {text!r}"
        )
    return seconds(parts[0]), seconds(parts[1])


def _values(units: pd.DataFrame, by: Sequence[str]) -> list[str]:
    """What is averaged: numbers and booleans, and text that is the same throughout each group."""
    kept = []
    groups = units.groupby(list(by), dropna=False, sort=False)
    for name in map(str, units):
        if name in OWN or name in by or units[name].isna().all():
            continue
        if pd.api.types.is_numeric_dtype(units[name]) or (
            pd.api.types.is_string_dtype(units[name].dropna()) and groups[name].nunique().max() <= 1
        ):
            kept.append(name)
    return kept
