"""The groups that an audit compares: columns of the hand codes, of media or of tables, and their intersections."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from visanda.corpus.audit.audited import Audited
from visanda.corpus.audit.columns_by_name import column_of, files_of
from visanda.corpus.audit.handcodes import HandCodes
from visanda.corpus.audit.held_against import Held
from visanda.errors import InputError
from visanda.measures.skin_tone import ITA_CLASSES
from visanda.store import Store
from visanda.study.audit.rows import MOST_VALUES, group_labels
from visanda.study.bias.intersections import ALL, columns_of, with_intersections
from visanda.study.columns import numeric

ITA = "ita"  # of the measure skin_tone


@dataclass(frozen=True)
class Grouping:
    """Groups of all units that are audited, coded or not.

    Attributes:
        columns: by id, a column each; missing where it is not known.
        everywhere: the columns that do not come from the hand codes: known of uncoded units, too.
        crossed: intersections that were asked for, as ``age*outlet``, or ``*`` for every pair.
    """

    columns: pd.DataFrame
    everywhere: list[str]
    crossed: list[str]

    def of(self, ids: pd.Index) -> pd.DataFrame:
        """The groups of some units, intersections behind the columns that they cross."""
        return with_intersections(self.columns.reindex(ids), self.crossed)


def grouping(store: Store, by: list[str], given: HandCodes, said: Audited) -> Grouping:
    """The columns that are named, and those of intersections.

    Args:
        store: the corpus.
        by: names of columns; ``age*outlet`` asks for both columns and their intersection, ``*`` for that of every pair.
        given: the hand codes.
        said: what is audited.

    Raises:
        InputError: a column is not there, or in several tables.
    """
    crossed = [one for one in by if ALL in one]
    plain = list(dict.fromkeys(name for one in by for name in (columns_of(one) if ALL in one else [one])))
    ids = said.values.index
    found = {name: _labels(name, column_of(store, name, ids, given.columns)) for name in plain}
    return Grouping(pd.DataFrame(found, index=ids), [name for name in plain if name not in given.columns], crossed)


def clusters(
    store: Store, name: str | None, given: HandCodes, said: Audited, held: Held, by: Grouping
) -> pd.Series | None:
    """What units have in common, by id; by default the file, where several coded units lie in one.

    ``None`` where each is alone; and by default where a file is all there is of each group that is compared.

    Raises:
        InputError: a column that is not there, or without a value for some coded units.
    """
    every, coded = said.values.index, held.hand.index
    own = pd.Series(every, index=every)
    if name is not None:
        named = column_of(store, name, every, given.columns).rename(name)
        if missing := named[coded].index[named[coded].isna()].tolist():
            raise InputError(f"{len(missing)} coded units have no {name!r}, such as {missing[0]!r}: fill it in")
        return named.where(named.notna(), own)
    files = pd.Series(files_of(every), index=every, name="file")
    mine = files[coded]
    spread = [mine.groupby(labels).nunique() for _, labels in by.of(coded).items()]
    nested = any(len(files_of) > 1 and (files_of < 2).all() for files_of in spread)
    return None if nested or not mine.duplicated().any() or mine.nunique() < 2 else files


def _labels(name: str, column: pd.Series) -> pd.Series:
    """Many numbers as quarters of all units, so that coded and uncoded ones are cut at the same places.

    Readings of skin (ita) come in the classes that are published, which mean the same in every collection.
    """
    values = numeric(column)
    if name.rpartition(".")[2] == ITA and pd.api.types.is_float_dtype(values):
        names, ends = list(ITA_CLASSES), [high for _, high in ITA_CLASSES.values()]
        cut = pd.cut(values, [-90, *sorted(ends)], labels=names[::-1], include_lowest=True)
        return cut.astype(object).where(values.notna(), None)
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_float_dtype(values):
        return column
    if values.nunique() <= MOST_VALUES:
        return column
    return group_labels(column).where(column.notna(), None)
