"""What a machine says of predicted variables: numbers, probabilities of categories, or labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.study.columns import numbers, numeric, require_columns
from visanda.study.regression.formula import Chances

Prediction = str | Mapping[str, str]  # a column; or, of a category, the column with the probability of each value


@dataclass(frozen=True)
class Machine:
    """The predictions of one variable.

    Attributes:
        variable: its name in the formula.
        columns: of its predictions, in the table.
        values: that the columns are probabilities of, where there are several.
        labels: whether the one column holds labels.
    """

    variable: str
    columns: tuple[str, ...]
    values: tuple[str, ...] = ()
    labels: bool = False

    def numbers(self, data: pd.DataFrame) -> NDArray[np.float64]:
        """(n, f) the predictions as numbers to learn from: labels as columns of 0 and 1."""
        if self.labels:
            return pd.get_dummies(data[self.columns[0]].astype(str)).to_numpy(dtype=float)
        return data[list(self.columns)].to_numpy(dtype=float)

    def chances(self, data: pd.DataFrame, values: Sequence[str]) -> Chances:
        """The probabilities of ``values`` as the machine gives them; made to add up to 1."""
        if self.labels:
            said = data[self.columns[0]].astype(str).to_numpy()
            of = np.stack([said == value for value in values], axis=1).astype(float)
        else:
            given = dict(zip(self.values, self.columns, strict=True))
            of = np.stack([data[given[v]] if v in given else np.zeros(len(data)) for v in values], axis=1).astype(float)
        total = of.sum(axis=1, keepdims=True)
        return Chances(tuple(values), np.divide(of, total, out=np.full_like(of, 1 / len(values)), where=total > 0))

    def label(self, data: pd.DataFrame) -> pd.Series:
        """The category that the machine takes for the most probable."""
        if self.labels:
            return data[self.columns[0]].astype(str)
        return pd.Series(np.asarray(self.values)[self.numbers(data).argmax(axis=1)], index=data.index)


def machines(
    data: pd.DataFrame, predicted_var: Sequence[str], prediction: Sequence[Prediction]
) -> tuple[pd.DataFrame, list[Machine]]:
    """The predictions of each variable; and ``data`` with those that are numbers as floats.

    Raises:
        InputError: not one prediction a variable, a column that is not there, text where numbers are coded.
    """
    if len(predicted_var) != len(prediction) or not predicted_var:
        raise InputError(f"{len(predicted_var)} predicted_var but {len(prediction)} prediction: name one for each")
    found = [_machine(data, *pair) for pair in zip(predicted_var, prediction, strict=True)]
    plain = [name for one in found if not one.labels for name in one.columns]
    return data.assign(**{name: numbers(data, name) for name in plain}), found


def _machine(data: pd.DataFrame, variable: str, given: Prediction) -> Machine:
    require_columns(data, [variable], "the predicted variable")
    codes = numeric(data[variable]).dropna()
    category = len(codes) > 0 and not pd.api.types.is_float_dtype(codes)
    if not isinstance(given, str):
        require_columns(data, given.values(), "the prediction")
        if not category:
            raise InputError(f"{variable!r} is coded in numbers: name one column as its prediction, not {len(given)}")
        if strange := sorted(set(map(str, codes)) - set(given)):
            raise InputError(
                f"{variable!r} was coded {', '.join(strange)}, of which there is no probability: name a column for "
                f"each of its values ({', '.join(given)} have one)"
            )
        return Machine(variable, tuple(given.values()), tuple(given))
    require_columns(data, [given], "the prediction")
    if not category:
        return Machine(variable, (given,))
    if pd.api.types.is_float_dtype(numeric(data[given])):
        raise InputError(
            f"{variable!r} is coded in categories and {given!r} holds numbers: give the column of the machine's "
            f"labels, or the probabilities of each value, such as {{{codes.iloc[0]!r}: {given!r}, ...}}; or recode "
            f"{variable!r} to 0/1"
        )
    return Machine(variable, (given,), labels=True)
