"""Validity from outside: does a measure agree with another source, and tell apart what is known to differ?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from visanda import codes
from visanda.corpus.audit.columns_by_name import column_of, files_of, ids_of
from visanda.corpus.audit.other_source import with_other_source
from visanda.corpus.classify.coded import coded
from visanda.corpus.paneling import Paneling
from visanda.corpus.sampling import listed
from visanda.errors import InputError
from visanda.result import Result
from visanda.study.columns import numbers
from visanda.study.external import agrees, known_groups

FIRST, SECOND, GROUP, CLUSTER = "(measured)", "(other)", "(group)", "(cluster)"


@dataclass(frozen=True)
class _Asked:
    """Rows of an analysis.

    Attributes:
        rows: a row a picture, or a unit; what is compared, under names that no column has.
        warnings: what did not match.
        said: what a row is.
    """

    rows: pd.DataFrame
    warnings: list[str]
    said: list[str]


class Agreeing(Paneling):
    """Evaluate."""

    def agrees(
        self,
        column: str,
        other: str,
        *,
        table: Path | None = None,
        unit: list[str] | None = None,
        date: str | None = None,
        by: str | None = None,
        cluster: str | None = None,
        where: str | None = None,
        resamples: int = 1000,
        seed: int = 1,
        name: str = "agrees",
    ) -> Result:
        """Does a measure agree with another source? Correlations, concordance, limits of agreement (Bland & Altman).

        A correlation says whether two sources order units alike; concordance and limits of agreement, whether they
        give the same number.

        Args:
            column: what is validated: a column of numbers of any table, or a coded variable (1 where it is yes).
            other: the other source: such a column, or one of the table given with --table.
            table: a table of your own with the column OTHER; its rows are found by --unit, or by id or filename.
            unit: columns of media whose combinations are compared, as outlet,day, rather than pictures: means of both.
                day, week, month, quarter and year are made of a date.
            date: the column of media with dates; the only one that holds some, by default.
            by: a column of groups; numbers for each of them too.
            cluster: a column whose units are alike, as account: intervals then come from a bootstrap of whole clusters.
            where: of which pictures, as a condition in SQL on the table media.
            resamples: of the bootstrap.
            seed: of the bootstrap.
            name: of the files written to results/.

        Raises:
            InputError: a column or table that is not there; text where numbers are needed.
            DesignError: fewer than five pairs, or a source that never varies.
        """
        codes.check_name("result", name)
        more = {GROUP: by, CLUSTER: cluster}
        given = {key: one for key, one in more.items() if one is not None}
        asked = self._compared(column, None if table else other, listed(unit), date, where, given)
        rows = asked.rows
        if table is not None:
            rows, lost = with_other_source(rows, Path(table), other, listed(unit), SECOND)
            asked.warnings.extend(lost)
        self._not_its_own_codes(column, other)
        arguments: dict[str, Any] = {"column": column, "other": other, "table": table, "unit": listed(unit), "by": by}
        arguments |= {"cluster": cluster, "where": where, "resamples": resamples, "seed": seed}
        with self.record("agrees", arguments) as run:
            result = agrees(
                rows[FIRST].rename(column),
                rows[SECOND].rename(other),
                groups=rows[GROUP].rename(by) if by else None,
                clusters=rows[CLUSTER].rename(cluster) if cluster else None,
                resamples=resamples,
                seed=seed,
            )
            self._finished(result, asked, arguments, name)
            result.extra["pairs"].to_csv(self.results / f"{name}-pairs.csv", index=False)
            run.counts = {"rows": len(rows)}
        return result

    def known_groups(
        self,
        column: str,
        group: str,
        *,
        order: list[str],
        unit: list[str] | None = None,
        date: str | None = None,
        cluster: str | None = None,
        where: str | None = None,
        resamples: int = 1000,
        seed: int = 1,
        name: str = "known_groups",
    ) -> Result:
        """Does a measure tell groups apart that are known to differ, in the order that is expected of them?

        Args:
            column: what is validated: a column of numbers of any table, or a coded variable (1 where it is yes).
            group: a column that says which group a picture is of.
            order: its values from the lowest to the highest expected, as landscape,portrait,crowd; each is compared
                with the next, corrected for how many there are (Holm).
            unit: columns of media whose combinations are compared, as outlet,day, rather than pictures: means.
            date: the column of media with dates; the only one that holds some, by default.
            cluster: a column whose units are alike, as account: intervals then come from a bootstrap of whole clusters.
            where: of which pictures, as a condition in SQL on the table media.
            resamples: of the bootstrap.
            seed: of the bootstrap.
            name: of the files written to results/.

        Raises:
            InputError: a column or group that is not there; text where numbers are needed.
            DesignError: a group of fewer than three units, or a measure that never varies.
        """
        codes.check_name("result", name)
        given = {GROUP: group} | ({CLUSTER: cluster} if cluster else {})
        asked = self._compared(column, None, listed(unit), date, where, given)
        rows = asked.rows
        labels = rows[GROUP].map(_label, na_action="ignore")
        arguments: dict[str, Any] = {"column": column, "group": group, "order": listed(order), "unit": listed(unit)}
        arguments |= {"cluster": cluster, "where": where, "resamples": resamples, "seed": seed}
        with self.record("known-groups", arguments) as run:
            result = known_groups(
                rows[FIRST].rename(column),
                labels.rename(group),
                order=listed(order),
                clusters=rows[CLUSTER].rename(cluster) if cluster else None,
                resamples=resamples,
                seed=seed,
            )
            self._finished(result, asked, arguments, name)
            run.counts = {"rows": len(rows)}
        return result

    def _not_its_own_codes(self, *names: str) -> None:
        """See that predictions are not held against codes that they were learnt from."""
        for one, two in (names, names[::-1]):
            found = coded(self, one)
            if found is not None and two.startswith(f"{found.variable}_") and coded(self, two) is None:
                raise InputError(
                    f"{two} was learnt from codes of {found.variable}: 'visanda evaluate {found.variable}' says how "
                    f"far they agree on codes that it has not seen, and 'visanda audit {found.variable}' for whom less"
                )

    def _finished(self, result: Result, asked: _Asked, arguments: dict[str, Any], name: str) -> None:
        result.warnings += asked.warnings
        result.words += asked.said
        result.provenance |= arguments
        written = result.save(self.results, name)
        result.words.append(f"Table, words and figure: {', '.join(str(path) for path in written)}")

    def _compared(
        self, column: str, other: str | None, unit: list[str], date: str | None, where: str | None, more: dict[str, str]
    ) -> _Asked:
        """What is asked for, of pictures, or averaged over units.

        Args:
            column: the measure.
            other: the other source; ``None`` where a table brings it.
            unit: columns; none: pictures.
            date: the column with dates.
            where: a condition on media.
            more: columns of labels, by the names that they get.
        """
        ids = self._both(column, other, where)
        rows = pd.DataFrame({FIRST: self._numbers(column, ids)}, index=ids)
        if other is not None:
            rows[SECOND] = self._numbers(other, ids)
        for key, name in more.items():
            rows[key] = column_of(self, name, ids)
        if not unit:
            return _Asked(rows, [], [])
        media = self.frame("SELECT * FROM media").set_index("id").reindex(files_of(ids)).set_axis(ids)
        dated, said = self._dated(media.reset_index(), unit, date)
        units = dated.set_index("id")[unit]
        labels = dict.fromkeys(more, ids[:0])
        parts = [units, *(rows[[key]] for key in labels)]
        keys = pd.concat(parts, axis=1)
        lost = int(keys[unit].isna().any(axis=1).sum())
        means = rows.drop(columns=list(more)).groupby([keys[name] for name in keys]).mean().reset_index()
        warnings = [f"{lost:,} rows have no {' or '.join(unit)}, and are left out."] if lost else []
        return _Asked(means, warnings, [f"Means of {len(rows):,} rows, by {' and '.join(unit)}.", *said])

    def _both(self, column: str, other: str | None, where: str | None) -> pd.Index:
        """The units that are compared: those of the finer table, of the files chosen."""
        ids = ids_of(self, column)
        if other is not None:
            finer = ids_of(self, other)
            inside = finer.str.contains("#", regex=False).any() and not ids.str.contains("#", regex=False).any()
            ids = finer if inside else ids
        chosen = self.frame(f"SELECT id FROM media WHERE ({where or 'true'})")["id"]
        kept = ids[files_of(ids).isin(chosen)]
        if kept.empty:
            raise InputError(f"nothing has a {column}{' where ' + where if where else ''}")
        return kept

    def _numbers(self, name: str, ids: pd.Index) -> pd.Series:
        """A column as numbers; a coded variable of two values, or one of its values, as 1 and 0."""
        one = coded(self, name)
        if one is not None and not one.values:
            return one.of(codes.gold_of(self.folder, one.variable)).reindex(ids).rename(name)
        return numbers(column_of(self, name, ids).rename(name).to_frame(), name)


def _label(value: object) -> str:
    """A group as people type it: whole numbers without a point."""
    return f"{value:g}" if isinstance(value, float) else str(value)
