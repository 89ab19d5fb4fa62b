"""Panel: from pictures to outlets, users and days: what was measured and coded of them, a row a unit and time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from visanda import codes
from visanda.corpus.adding.media_table import MEDIA
from visanda.corpus.classify.coded import Coded, coded
from visanda.corpus.dates import PERIODS, begins, date_column
from visanda.corpus.estimating import Estimating
from visanda.corpus.formats import Format, write_table
from visanda.corpus.sampling import listed
from visanda.errors import InputError
from visanda.result import Result
from visanda.study import panels
from visanda.study.panels.written import written_times

MOST_VALUES = 20  # of a column of text that becomes shares
OURS = {*MEDIA.names, "parent", "start", "stop", "picture"}


class Paneling(Estimating):
    """Estimate."""

    def panel(
        self,
        *,
        unit: list[str],
        measures: list[str] | None = None,
        date: str | None = None,
        lags: list[int] | None = None,
        leads: list[int] | None = None,
        differences: bool = False,
        fill: bool = False,
        weights: str | None = None,
        on: str | None = None,
        where: str | None = None,
        learner: Literal["raw", "linear"] = "raw",
        seed: int = 1,
        out: Path | None = None,
        format: Format | None = None,
    ) -> Result:
        """Pictures to a row for each unit, as outlet and day: means, counts, and corrected shares of what was coded.

        A coded variable comes as the mean of ŷ − w (ŷ − y), which the machine's errors do not bias as the outcome of a
        linear model (Egami, Hinck, Stewart & Wei 2023), beside the machine's own mean and that of the codes.

        Args:
            unit: columns of media whose combinations are the units, as outlet,day; day, week, month, quarter and year
                are made of a date.
            measures: tables of measures, and coded variables (of several values, one such as kind_fish), as
                faces,protest; none counts pictures.
            date: the column of media with dates; the only one that holds some, by default.
            lags: add columns of so many steps of time before; once each.
            leads: add columns of so many steps ahead; once each.
            differences: add changes since the step before.
            fill: a row for each unit at each time, with counts of 0 where there was nothing.
            weights: a column of how much each picture counts in its unit's means, 0 or more, such as its reach.
            on: what is averaged: image, frame, shot, face or a table of units inside files.
            where: of which pictures, as a condition in SQL on the table media.
            learner: raw takes predictions as they are; linear calibrates them on the codes first.
            seed: of the folds of linear.
            out: the file to write.
            format: csv, tsv, xlsx, parquet, jsonl or dta (Stata); from the ending of the file by default.

        Raises:
            InputError: a column, table or date that is not there; lags of units that have no time.
            DesignError: codes that cannot correct predictions; says why and what would.
        """
        units = listed(unit)
        if not units:
            raise InputError("which units? Name them with --unit, as outlet,day")
        _refuse_two_times(units)
        asked, tables = self._named(listed(measures))
        arguments: dict[str, Any] = {
            "unit": units,
            "measures": listed(measures),
            "date": date,
            "lags": lags,
            "leads": leads,
        }
        arguments |= {"differences": differences, "fill": fill, "weights": weights, "on": on, "where": where}
        arguments |= {"learner": learner}
        with self.record("panel", arguments | {"seed": seed, "out": out}) as run:
            rows, measured, notes = self._pictures(asked, tables, on, where)
            rows, said = self._dated(rows, units, date)
            time = _time(rows, units, bool(lags or leads or differences or fill))
            if weights is not None and weights not in rows:
                own = ", ".join(str(name) for name in rows if name not in OURS and "__" not in str(name))
                raise InputError(f"{weights!r} is no column of the pictures: there are {own}")
            kept = [*units, *([weights] if weights else [])]
            values, sums, left = _averaged(rows, measured, units, kept, [c.column for c in asked])
            result = panels.units_of(
                rows,
                units,
                values=values,
                sums=sums,
                predicted_var=[c.column for c in asked],
                prediction=[str(c.prediction) for c in asked],
                sample_prob="pi__" if "pi__" in rows else None,
                weights=weights,
                learner=learner,
                seed=seed,
            )
            result.words += said + left + [c.words for c in asked]
            result.warnings += notes
            result.provenance |= arguments
            first = [*units, "n", *(c.column for c in asked), *measured]
            first += [str(name) for c in asked for name in result.table if str(name).startswith(c.column)]
            first = [name for name in first if name in result.table]
            result.table = result.table[list(dict.fromkeys([*first, *result.table]))]
            if time is not None:
                moving = [name for name in [*values, *(c.column for c in asked)] if name in result.table]
                self._over_time(result, units, time, fill, lags or [], leads or [], differences, moving)
            if out is not None:
                write_table(result.table, Path(out), format)
                result.words.append(f"{len(result.table):,} rows in {out}")
            run.counts = {"rows": len(rows), "units": len(result.table)}
        return result

    def _named(self, names: Sequence[str]) -> tuple[list[Coded], list[str]]:
        """Coded variables, and tables of measures."""
        asked, tables = [], []
        for name in names:
            one = None if name in self.tables() and name not in codes.variables(self.folder) else coded(self, name)
            if one is not None and one.values:
                named = ",".join(codes.column_name(name, value) for value in one.values[:2])
                raise InputError(f"{name!r} has {len(one.values)} values: name those you mean, such as {named}")
            if one is not None:
                asked.append(one)
            else:
                more = ", ".join([*self.tables(), *codes.variables(self.folder)])
                self.require(name, f"measure or code it first; there are: {more}")
                tables.append(name)
        return asked, tables

    def _pictures(
        self, asked: Sequence[Coded], tables: Sequence[str], on: str | None, where: str | None
    ) -> tuple[pd.DataFrame, list[str], list[str]]:
        """A row a picture with all columns, which of them were measured, and what to be careful about."""
        if asked:
            kind = self._kind(list(dict.fromkeys(c.variable for c in asked)))
            if on not in (None, kind):
                raise InputError(
                    f"{asked[0].variable} was coded of each {kind}, which is what is averaged, not each {on}"
                )
            on = kind
        on = on or ("image" if self._has("image") or "frames" not in self.tables() else "frame")
        population = self.population(where, on)
        rows = population.drop(
            columns=[name for name in population if name in OURS and name not in ("id", "taken", "error")]
        )
        mine = set(rows)
        if tables:
            rows = self.join(*tables, on=on, where=where)
            rows = rows[rows["id"].isin(set(population["id"]))].reset_index(drop=True)
            rows["taken"] = rows["id"].map(population.set_index("id")["taken"]) if "taken" in population else pd.NaT
        measured = [str(name) for name in rows if name not in mine | OURS]
        notes: list[str] = []
        if asked:
            frame, notes = self._frame(asked, [], where)
            rows = rows.merge(frame, on="id", suffixes=("_table", ""))
        if rows.empty:
            raise InputError(f"there is no {on} to average{' where ' + where if where else ''}")
        return rows, measured, notes

    def _dated(self, rows: pd.DataFrame, units: Sequence[str], date: str | None) -> tuple[pd.DataFrame, list[str]]:
        """With the columns of time that units are made of, and which dates these come from."""
        wanted = [name for name in units if name in PERIODS and name not in rows]
        if unknown := [name for name in units if name not in rows and name not in wanted]:
            own = ", ".join(str(name) for name in rows if name not in OURS and "__" not in str(name))
            raise InputError(
                f"{unknown[0]!r} is no column of the pictures: there are {own}; or a time: {', '.join(PERIODS)}"
            )
        if not wanted:
            return rows, []
        name, stamps = date_column(rows, date)
        made = {period: begins(stamps, period) for period in wanted}
        return rows.drop(columns=name).assign(**made), [f"{' and '.join(wanted)}: from the column {name}."]

    def _over_time(
        self,
        result: Result,
        units: Sequence[str],
        time: str,
        fill: bool,
        lags: Sequence[int],
        leads: Sequence[int],
        differences: bool,
        moving: Sequence[str],
    ) -> None:
        """Rows that were not there, and columns of other times."""
        others = [name for name in units if name != time]
        every = time if time in PERIODS and pd.api.types.is_datetime64_any_dtype(result.table[time]) else None
        if fill:
            before = len(result.table)
            result.table = panels.balanced(result.table, others, time, every=every)  # type: ignore[arg-type]
            result.words.append(
                f"{len(result.table) - before:,} rows were filled in, with counts of 0 and no means, marked 'filled'."
            )
        if lags or leads or differences:
            moving = [name for name in moving if pd.api.types.is_numeric_dtype(result.table[name])]
            ahead = {
                f"{what}{step if step > 1 else ''}"
                for what, steps in (("lag", lags), ("lead", leads))
                for step in steps
            }
            ahead |= {"change"} if differences else set()
            own = [name for name in moving if any(f"{what}_{name}" in result.table for what in ahead)]
            if own:
                moving = [name for name in moving if name not in own]
                result.words.append(f"The pictures have lags, leads or changes of {', '.join(own)} of their own.")
            result.table = panels.lags(
                result.table,
                others,
                time,
                moving,
                lags=lags,
                leads=leads,
                differences=differences,
                every=every,  # type: ignore[arg-type]
            )
            result.words.append(
                f"Lags, leads and changes are of {', '.join(moving)}, by true distance in time ({time})."
            )


def _refuse_two_times(units: Sequence[str]) -> None:
    """InputError where two units are times."""
    times = [name for name in units if name in PERIODS]
    if len(times) > 1:
        raise InputError(f"{' and '.join(times)} are times: a unit has one")


def _time(rows: pd.DataFrame, units: Sequence[str], needed: bool) -> str | None:
    """The one unit that is a time, if any: a period, or a column that holds times such as 2024-Q1."""
    times = [name for name in units if name in PERIODS]
    times = times or [name for name in units if _holds_times(rows[name])]
    if needed and len(times) != 1:
        said = f"; {' and '.join(times)} both hold some" if times else ""
        raise InputError(
            f"lags, leads, differences and fill need a time among the units: {', '.join(PERIODS)}, or one column of "
            f"dates, months (2024-03), quarters (2024-Q1) or weeks (2024-W05){said}"
        )
    return times[0] if times else None


def _holds_times(column: pd.Series) -> bool:
    held = column.dropna()
    if held.empty or pd.api.types.is_datetime64_any_dtype(held):
        return not held.empty
    if not all(isinstance(value, str) for value in held):
        return False
    try:
        return written_times(held, str(column.name))[0].every != "year"  # numbers of four digits name anything
    except InputError:
        return False


def _averaged(
    rows: pd.DataFrame, measured: Sequence[str], units: Sequence[str], kept: Sequence[str], coded: Sequence[str]
) -> tuple[list[str], list[str], list[str]]:
    """Columns to average and to add up, and a sentence on those that cannot be."""
    values, sums, left = [], [], []
    code = rows.groupby(list(units), observed=True, dropna=False).ngroup()
    for name in map(str, rows):
        if name in {*kept, *coded, *OURS, "key"} or "__" in name or rows[name].isna().all():
            continue
        kind = _becomes(rows[name], code, name in measured)
        values += [name] if kind in ("mean", "sum") else []
        sums += [name] if kind == "sum" else []
        left += [name] if kind == "left out" else []
    return values, sums, [f"Not averaged, being neither numbers nor a few labels: {', '.join(left)}."] if left else []


def _becomes(column: pd.Series, code: pd.Series, measured: bool) -> Literal["mean", "sum", "left out", ""]:
    """What becomes of a column; of whole numbers that were measured, a sum as well as a mean."""
    truth = pd.api.types.infer_dtype(column, skipna=True) == "boolean"  # also with gaps, where its type is object
    if truth or pd.api.types.is_numeric_dtype(column):
        whole = truth or pd.api.types.is_integer_dtype(column)
        return "sum" if measured and whole else "mean"
    if all(isinstance(value, str) for value in column.dropna()):
        same = column.groupby(code).nunique().max() <= 1
        if same or (measured and column.nunique() <= MOST_VALUES):
            return "mean"
    return "left out" if measured else ""
