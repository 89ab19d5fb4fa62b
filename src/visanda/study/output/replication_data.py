"""The data of a replication: only what the analysis uses, names of clusters replaced, read back as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.study.columns import numeric, require_columns
from visanda.study.estimating.choice import EQUAL
from visanda.study.regression.formula import sides

ROLES = {
    "predicted_var": "human code, empty where nobody coded",
    "prediction": "the machine's prediction",
    "label": "the machine's label",
    "sample_prob": "probability of being drawn for coding",
    "cluster": "units that go together",
    "weights": "how much a row counts",
    "truth": "true value",
}
# Arguments of estimate whose text is no column, even where a column has that name.
NO_COLUMNS = ("formula", "model", "method", "learner")
TIMES = "time"
PRECISE = 1e-14  # older pandas read the last bit of a number in another way


@dataclass(frozen=True)
class ReplicationData:
    """What goes into the folder.

    Attributes:
        table: the columns that the analysis uses, rows in their order.
        roles: what each column is in the analysis.
        left_out: columns of the data that the analysis does not use.
        pseudonyms: columns whose values were replaced by numbers.
        types: how a CSV is to be read: the dtype of each column, or ``"time"``.
    """

    table: pd.DataFrame
    roles: dict[str, str]
    left_out: list[str]
    pseudonyms: list[str]
    types: dict[str, str | pd.CategoricalDtype]


def replication_data(
    data: pd.DataFrame, call: Mapping[str, Any], media: Sequence[str], pseudonyms: Sequence[str] | None
) -> ReplicationData:
    """Keep of ``data`` what ``call`` uses.

    Raises:
        InputError: a column that is not there, that holds media, or that cannot be written; a name to be replaced that
            the formula uses.
    """
    roles = _roles(data, call)
    if used := [name for name in media if name in roles]:
        raise InputError(
            f"the analysis uses {used[0]!r}, which holds media: a replication without them needs a column without "
            "paths or addresses. Number them first: data['unit'] = pandas.factorize(data['...'])[0]"
        )
    in_formula = _of_formula(str(call["formula"]))
    table = pd.DataFrame({name: _plain(data[name]) for name in roles}).reset_index(drop=True)
    hidden = _hidden(table, call, in_formula, pseudonyms)
    for name in hidden:
        table[name] = _pseudonyms(table[name], name)
    left_out = [str(name) for name in data.columns if name not in roles]
    return ReplicationData(table, roles, left_out, hidden, {name: _type(table[name]) for name in roles})


def written(data: ReplicationData, path: Path) -> None:
    """Write the table, and read it back to see that it is the same.

    Raises:
        InputError: a column that the format does not keep as it is.
    """
    if path.suffix == ".parquet":
        data.table.to_parquet(path, index=False)
        back = pd.read_parquet(path)
    else:
        data.table.to_csv(path, index=False, lineterminator="\n")
        back = pd.read_csv(path, **reading(data.types))
    for name in data.table:
        try:
            pd.testing.assert_series_equal(back[name], data.table[name], rtol=PRECISE, atol=0)
        except AssertionError:
            path.unlink()
            raise InputError(
                f"column {name!r} is not the same after writing and reading it: empty text, or unusual values? Make "
                "it numbers or plain text, or use format='parquet'"
            ) from None


def reading(types: Mapping[str, str | pd.CategoricalDtype]) -> dict[str, Any]:
    """The arguments of ``pandas.read_csv`` that read a CSV as it was written."""
    given: dict[str, Any] = {
        "dtype": {name: kind for name, kind in types.items() if kind != TIMES},
        "keep_default_na": False,  # "NA" is a country, "None" an answer
        "na_values": [""],
    }
    times = [name for name, kind in types.items() if kind == TIMES]
    return given | ({"parse_dates": times} if times else {})


def sampling(data: pd.DataFrame, sample_prob: object) -> Literal["equal", "unequal"] | None:
    """Whether rows were drawn with equal probabilities; None where that is not known."""
    if sample_prob == EQUAL:
        return "equal"
    if sample_prob is None:
        return None
    return "equal" if data[str(sample_prob)].dropna().nunique() == 1 else "unequal"


def _of_formula(formula: str) -> set[str]:
    return set().union(*sides(formula)) if "~" in formula else {formula}


def _roles(data: pd.DataFrame, call: Mapping[str, Any]) -> dict[str, str]:
    """The columns that ``call`` uses, in the order of the table, and what for."""
    used = _of_formula(str(call["formula"]))
    require_columns(data, sorted(used), "the formula's variable")
    roles = dict.fromkeys(used, "variable of the formula")
    for argument, value in call.items():
        if argument in NO_COLUMNS:
            continue
        if argument == "sample_prob" and value == EQUAL:
            continue
        names = list(_texts(value, argument in ("predicted_var", "truth")))
        if argument in ROLES:
            require_columns(data, names, f"{argument}:")
        for name in names:
            if name in data.columns:
                roles[name] = ROLES.get(argument, argument)
    return {str(name): roles[name] for name in data.columns if name in roles}


def _texts(value: object, keys: bool = False) -> list[str]:
    """Every text in a JSON-able value; those that are keys where asked for."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        own = [str(key) for key in value] if keys else []
        return [*own, *(text for part in value.values() for text in _texts(part, keys))]
    if isinstance(value, list | tuple):
        return [text for part in value for text in _texts(part, keys)]
    return []


def _plain(column: pd.Series) -> pd.Series:
    """Objects as numbers or text."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.remove_unused_categories()
    if column.dtype != object and not pd.api.types.is_string_dtype(column):
        return column
    made = numeric(column)
    if pd.api.types.is_float_dtype(made):
        return made
    if column.isna().all():
        return column.astype(float)
    return column.astype(object).map(str, na_action="ignore").infer_objects()


def _type(column: pd.Series) -> str | pd.CategoricalDtype:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.dtype
    if pd.api.types.is_datetime64_any_dtype(column):
        return TIMES
    return "str" if pd.api.types.is_string_dtype(column) else str(column.dtype)


def _hidden(
    table: pd.DataFrame, call: Mapping[str, Any], in_formula: set[str], pseudonyms: Sequence[str] | None
) -> list[str]:
    """The columns whose values are to be replaced."""
    if pseudonyms is None:
        cluster = call.get("cluster")
        if not isinstance(cluster, str) or cluster in in_formula:
            return []
        return [] if pd.api.types.is_numeric_dtype(table[cluster]) else [cluster]
    for name in pseudonyms:
        if name not in table:
            raise InputError(f"pseudonyms: the analysis does not use {name!r}, so it is left out anyway")
        if name in in_formula:
            raise InputError(f"pseudonyms: the formula uses {name!r}; with other values its terms would be others")
    return list(pseudonyms)


def _pseudonyms(column: pd.Series, name: str) -> pd.Series:
    """``outlet_3`` for each value, in an order drawn anew each time, so that names cannot be told from it."""
    codes, values = pd.factorize(column)
    drawn = np.random.default_rng().permutation(len(values)) + 1
    return pd.Series([f"{name}_{drawn[code]}" if code >= 0 else None for code in codes], name=name)
