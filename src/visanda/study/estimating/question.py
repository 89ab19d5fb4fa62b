"""Question: what is estimated, of which rows, with which machine's values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from visanda.errors import DesignError, InputError
from visanda.study.columns import numbers, numeric, refuse_no_table, require_columns
from visanda.study.correct.coded import CodedRows, coded_rows
from visanda.study.correct.machine import Machine, Prediction, machines
from visanda.study.estimating.choice import EQUAL
from visanda.study.regression.formula import absorbs, design, outcome_of, sides
from visanda.study.regression.mixed import mixed_formula, refuse_split_groups, refuse_unequal

HALF = 0.5  # the probability from which a 0/1 variable is labelled 1
Kind = Literal["mean", "lm", "logit", "poisson", "multinomial", "negbin", "ordinal", "mixed", "fepois"]


@dataclass(frozen=True)
class Question:
    """What is estimated, and how.

    Attributes:
        formula: as the user wrote it; a variable alone is its mean.
        asked: the same, with an outcome and a ``~``.
        fixed: the same without what varies between groups, ``(1 | account)``.
        kind: of estimate.
        rows: the complete units, those coded among them, and their weights.
        machine: the predictions of each predicted variable.
        labels: of each predicted variable the column with the machine's label, where one was named.
        sample_prob: column of probabilities, ``"equal"``, or None where they are not known.
        cluster: column of units that go together, or None.
        weights: column of how much each row counts, or None.
    """

    formula: str
    asked: str
    fixed: str
    kind: Kind
    rows: CodedRows
    machine: list[Machine]
    labels: dict[str, str]
    sample_prob: str | None
    cluster: str | None
    weights: str | None

    @property
    def variables(self) -> list[str]:
        """The predicted variables."""
        return [one.variable for one in self.machine]

    @property
    def model(self) -> str:
        """What is fitted: a mean is a linear model of nothing but a constant."""
        return "lm" if self.kind == "mean" else self.kind

    @property
    def probability(self) -> str | None:
        """The column of probabilities; None where all are alike."""
        return None if self.sample_prob == EQUAL else self.sample_prob

    @property
    def drawn(self) -> str | None:
        """The same as ``sample_prob``; ``"equal"`` also where the column has one value."""
        if self.probability is None:
            return self.sample_prob
        known = self.rows.data[self.probability].dropna()
        return EQUAL if known.nunique() == 1 else self.probability

    @property
    def sampling(self) -> Literal["equal", "unequal"] | None:
        """Whether all rows were as likely to be drawn for coding; None where that is not known."""
        return None if self.drawn is None else "equal" if self.drawn == EQUAL else "unequal"

    @property
    def reference(self) -> str | None:
        """The category of a multinomial's outcome that the others are compared with."""
        if self.kind != "multinomial":
            return None
        return str(min(self.rows.data[outcome_of(self.asked).strip("`")].dropna().astype(str)))

    @property
    def effects(self) -> bool:
        """Whether fixed effects are absorbed."""
        return absorbs(self.fixed)

    def labelled(self) -> pd.DataFrame:
        """The rows with the machine's labels in place of the predicted variables.

        Raises:
            InputError: a prediction that is no probability, of a variable of 0 and 1.
        """
        made: dict[str, pd.Series] = {}
        for one in self.machine:
            data, name = self.rows.data, one.variable
            if name in self.labels:
                made[name] = data[self.labels[name]]
            elif name in self.rows.categories:
                made[name] = one.label(data)
            elif set(data.loc[self.rows.coded, name]) == {0.0, 1.0}:
                prediction = data[one.columns[0]]
                if not prediction.between(0, 1).all():
                    raise InputError(
                        f"prediction {one.columns[0]!r} is no probability in 0-1: name the 0/1 column as label"
                    )
                made[name] = (prediction >= HALF).astype(float)
            else:
                made[name] = data[one.columns[0]]
        return self.rows.data.assign(**made)

    def true(self, truth: Mapping[str, str]) -> pd.DataFrame:
        """The rows with the true values in place of the predicted variables.

        Raises:
            InputError: a true value is missing.
        """
        known: dict[str, pd.Series] = {}
        for name, column in truth.items():
            require_columns(self.rows.data, [column], "the truth")
            values = self.rows.data[column]
            known[name] = (
                values.astype(str).where(values.notna())
                if name in self.rows.categories
                else numbers(self.rows.data, column)
            )
            if known[name].isna().any():
                raise InputError(f"truth: column {column!r} misses values; it must be known in every row")
        return self.rows.data.assign(**known)


def question(
    data: pd.DataFrame,
    formula: str,
    model: str,
    predicted_var: str | Sequence[str],
    prediction: Prediction | Sequence[Prediction],
    sample_prob: str | None,
    label: str | Sequence[str] | None,
    cluster: str | None,
    weights: str | None,
) -> Question:
    """Read what was asked; arguments as in :func:`visanda.study.estimating.estimate.estimate`.

    Raises:
        InputError: a column or formula that does not fit.
        DesignError: too few codes, impossible probabilities.
    """
    refuse_no_table(data)
    variables = [predicted_var] if isinstance(predicted_var, str) else list(predicted_var)
    listed = [prediction] if isinstance(prediction, str | Mapping) else list(prediction)
    if label is None:
        labels = {}
    else:
        columns = [label] if isinstance(label, str) else list(label)
        if len(columns) != len(variables):
            raise InputError(f"{len(variables)} predicted_var but {len(columns)} label: name one label for each")
        require_columns(data, columns, "the label")
        labels = dict(zip(variables, columns, strict=True))
    checked, machine = machines(data, variables, listed)
    checked = checked.assign(**{name: numeric(checked[name]) for name in labels.values()})
    needed = [column for one in machine for column in one.columns] + list(labels.values())
    asked = _with_outcome(data, formula)
    parts = mixed_formula(asked)
    if parts.group:
        needed += sorted(parts.columns - set(variables))
    probability = None if sample_prob == EQUAL else sample_prob
    if parts.group:
        cluster = cluster or parts.group
    rows = coded_rows(checked, parts.fixed, variables, needed, probability, cluster, weights)
    kind = "mixed" if parts.group and model == "auto" else _kind(formula, parts.fixed, model, rows)
    if parts.group:
        if kind != "mixed":
            raise InputError(
                f"{formula!r} lets {parts.random} vary between groups, which is a mixed model and no {model}: leave "
                f"the model out, or write C({parts.group}) or | {parts.group}"
            )
        refuse_split_groups(rows.data, parts.group, str(cluster))
        if probability is not None:
            refuse_unequal(rows.weight[rows.coded], parts.fixed, parts.group)
            sample_prob = EQUAL
            rows = coded_rows(checked, parts.fixed, variables, needed, None, cluster, weights)
    return Question(formula, asked, parts.fixed, kind, rows, machine, labels, sample_prob, cluster, weights)


def refuse_training_codes(rows: pd.DataFrame, coded: pd.Series, trained_on: str | None) -> None:
    """DesignError where the machine learnt from the codes that should correct it.

    Args:
        rows: the complete units.
        coded: (n,) which are coded.
        trained_on: column that is true where the machine learnt from the row's code, or None.
    """
    if trained_on is None:
        return
    require_columns(rows, [trained_on], "trained_on")
    seen = int((rows[trained_on].fillna(False).astype(bool) & coded).sum())
    if seen:
        raise DesignError(
            f"the machine has learnt from {seen:,} of the {int(coded.sum()):,} codes that should correct it: of its "
            "own training rows it knows too much, and its errors elsewhere stay hidden. Give predictions of rows by "
            "models that did not learn from them (cross-fitting), or take these codes out (set them to missing, and "
            "sample_prob of the rows to what remains)"
        )


def _with_outcome(data: pd.DataFrame, formula: str) -> str:
    if "~" in formula:
        outcome = outcome_of(mixed_formula(formula).fixed).strip("`")
        if outcome in sides(mixed_formula(formula).fixed)[1]:
            raise InputError(f"{outcome} stands left and right of the ~ of {formula!r}: nothing explains itself")
        return formula
    if formula not in data and not re.fullmatch(r"[\w. -]*\w", formula):
        raise InputError(f"{formula!r} is no variable, whose mean could be taken, and no regression: write 'y ~ x + z'")
    require_columns(data, [formula], "the variable")
    return f"`{formula}` ~ 1"


def _kind(formula: str, asked: str, model: str, rows: CodedRows) -> Kind:
    if "~" not in formula:
        if model not in ("auto", "lm", "mean"):
            raise InputError(f"{formula!r} asks for a mean; its {model} is that of '{formula} ~ 1'")
        return "mean"
    effects = absorbs(asked)
    if model == "fe" and not effects:
        raise InputError(f"{formula!r} names no fixed effects: write them right of a |, as in 'y ~ x | city + month'")
    if model == "fe" or (effects and model == "auto"):
        return "lm"
    if model not in ("auto", "mean"):
        return model  # type: ignore[return-value]
    outcome = outcome_of(asked).strip("`")
    if outcome in rows.categories or (
        outcome in rows.data and not pd.api.types.is_float_dtype(numeric(rows.data[outcome]))
    ):
        return "multinomial"
    values = design(asked.split("~")[0] + "~ 1", rows.data[rows.coded]).outcome[:, 0]
    return "logit" if set(values) == {0.0, 1.0} else "lm"
