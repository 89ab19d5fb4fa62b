"""Estimate: means and regressions that are honest about the classifier's errors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Literal

import pandas as pd
from formulaic import Formula
from formulaic.errors import FormulaicError

from visanda import codes
from visanda.corpus.coding import Coding
from visanda.corpus.measuring import Measuring
from visanda.errors import DesignError, InputError
from visanda.learn.trained import load
from visanda.result import Result
from visanda.store import quoted
from visanda.study.estimate import estimate

USELESS = 0.2  # correlation of predictions and codes up to which the machine adds nothing


@dataclass(frozen=True)
class Coded:
    """A 0/1 column of the formula that stands for a value of a coded variable."""

    column: str
    variable: str
    value: str


class Estimating(Coding, Measuring):
    """Estimate."""

    def estimate(
        self,
        formula: str,
        *,
        model: Literal["auto", "lm", "logit"] = "auto",
        cluster: str | None = None,
        where: str | None = None,
        truth: str | None = None,
        learner: Literal["linear", "raw"] = "linear",
        seed: int = 1,
        name: str = "estimate",
    ) -> Result:
        """Estimate a mean or a regression: naive, from the codes alone, and corrected, side by side.

        Design-based supervised learning (Egami, Hinck, Stewart & Wei 2023) uses the machine's predictions for
        every picture and the codes of a probability sample to take their errors out.

        Args:
            formula: R-style, such as ``colourfulness ~ nature``, over any columns of any tables; a coded variable
                alone is its share. A variable with two values counts as 1 for yes, true, 1 and the like; with
                more, write the ones you mean: ``y ~ kind_fish + kind_tool``.
            model: auto takes the mean where there is no ~, logit where the outcome is 0/1, else lm.
            cluster: a column whose pictures are not independent (outlet, user, day).
            where: which pictures, as a condition in SQL on the table media.
            truth: for teaching: variable=column, where the column holds the true value of every picture.
            learner: linear calibrates the predictions on the codes once more; raw takes them as they are.
            seed: of the splits.
            name: of the files written to results/.

        Raises:
            InputError: a column that no table has, or several have; a variable without predictions.
            DesignError: the estimate asked for would not be valid; says why and what would be.
        """
        codes.check_name("result", name)
        names = _names(formula)
        coded = [found for name in names if (found := self._coded(name))]
        if not coded:
            raise InputError(
                f"no coded variable is in {formula!r}: there are {', '.join(codes.variables(self.folder)) or 'none'}"
            )
        arguments = {"formula": formula, "model": model, "cluster": cluster, "where": where, "truth": truth}
        with self.record("estimate", {**arguments, "learner": learner, "seed": seed}) as run:
            others = [name for name in (*names, cluster) if name and name not in {c.column for c in coded}]
            frame, notes = self._frame(coded, others, where)
            known = self._truth(frame, coded, truth)
            result = estimate(
                frame,
                formula,
                model=model,
                predicted_var=[c.column for c in coded],
                prediction=[f"{c.column}__prediction" for c in coded],
                label=[f"{c.column}__label" for c in coded],
                sample_prob="pi__" if "pi__" in frame else None,
                cluster=cluster,
                learner=learner,
                seed=seed,
                truth=known,
            )
            result.warnings += notes + self._cautions(coded, frame)
            result.words.append(_said_of_errors(cluster))
            result.provenance |= {"where": where, "made": datetime.now().astimezone().isoformat(" ", "minutes")}
            result.words += [f"{c.column} is 1 where {c.variable} is {c.value!r}, else 0." for c in coded]
            result.save(self.results, name)
            run.counts = {"rows": len(frame), "coded": int(frame[coded[0].column].notna().sum())}
        return result

    def _cautions(self, coded: Sequence[Coded], frame: pd.DataFrame) -> list[str]:
        """Predictions that are older than the codes, or that say nothing about them."""
        warnings = []
        for variable in dict.fromkeys(c.variable for c in coded):
            changed = self._changed_codes(variable)
            if changed:
                warnings.append(
                    f"{changed} codes of {variable!r} came or changed since its classifier was trained: train and "
                    "apply again, so that predictions know of them"
                )
        for c in coded:
            agree = frame[c.column].corr(frame[f"{c.column}__prediction"])
            if not agree > USELESS:
                warnings.append(
                    f"the predictions of {c.column!r} hardly go with the codes (correlation {agree:.2f}): the machine "
                    "adds nothing here, and the corrected estimate may be less certain than the gold-only one"
                )
        return warnings

    def _changed_codes(self, variable: str) -> int:
        """How many codes came or changed since the classifier was trained."""
        trained = load(self.models / variable).split.set_index("id")["value"]
        gold = codes.gold(codes.read(self.folder, variable))
        return int((gold != trained.reindex(gold.index)).sum())

    def _coded(self, name: str) -> Coded | None:
        """What a name of the formula means, if it is a coded variable or one of its values."""
        for variable in codes.variables(self.folder):
            if name != variable and not name.startswith(variable + "_"):
                continue
            values = sorted(codes.gold(codes.read(self.folder, variable)).unique().tolist())
            named = {codes.column_name(variable, value): value for value in values}
            if name in named:
                return Coded(name, variable, named[name])
            if name == variable and len(values) == 2:
                return Coded(name, variable, codes.positive(values))
            if name == variable and len(values) > 2:
                raise InputError(
                    f"{variable!r} has {len(values)} values: write the ones you mean, such as "
                    f"{' + '.join(list(named)[1:])} (all but the one they are compared with)"
                )
            if name == variable:
                raise InputError(f"all codes of {variable!r} have the value {values[0]!r}: nothing to estimate")
        return None

    def _frame(
        self, coded: Sequence[Coded], others: Sequence[str], where: str | None
    ) -> tuple[pd.DataFrame, list[str]]:
        """A row a picture of the sampled population: gold codes, predictions, π, and the other columns."""
        frame, notes = self.population(where)[["id"]], []
        variables = list(dict.fromkeys(c.variable for c in coded))
        designs = [codes.read_design(self.folder, variable) for variable in variables]
        if any(design is not None for design in designs) and len(variables) > 1:
            raise DesignError(
                f"{' and '.join(variables)} were coded on samples of their own: an estimate needs one sample in "
                "which both were coded"
            )
        design = designs[0]
        if design is not None:
            whole = len(frame)
            frame = frame.merge(design[["id", "pi", "order"]].rename(columns={"pi": "pi__"}), on="id")
            if len(frame) < whole:
                notes.append(
                    f"{whole - len(frame)} pictures were not in the population that the sample was drawn from and are "
                    "left out: draw a new sample to speak of them too"
                )
        for c in coded:
            frame = frame.merge(self._coded_columns(c), on="id", how="left")
            if design is not None:  # codes outside of the sample have no known probability
                frame.loc[frame["order"] == 0, c.column] = float("nan")
        lost = frame[f"{coded[0].column}__prediction"].isna().sum()
        if lost:
            notes.append(f"{lost} pictures have no prediction and are left out: 'visanda apply' again")
        for name in dict.fromkeys(others):
            frame = frame.merge(self._column(name), on="id", how="left")
        numbers = [str(name) for name in frame if pd.api.types.is_numeric_dtype(frame[name])]
        frame = frame.sort_values(numbers, kind="stable", ignore_index=True)  # what files are called changes no split
        return frame.drop(columns="order", errors="ignore"), notes

    def _coded_columns(self, coded: Coded) -> pd.DataFrame:
        """Columns id, the gold 0/1, the cross-fitted probability and the machine's label of one value."""
        variable, value = coded.variable, coded.value
        if variable not in self.tables():
            raise InputError(f"{variable!r} has no predictions: 'visanda train {variable}', then 'visanda apply'")
        predicted = self.frame(f"SELECT * FROM {quoted(variable)}").set_index("id")
        crossfit = codes.column_name(f"{variable}_crossfit", value)
        if crossfit not in predicted:
            raise InputError(f"the classifier of {variable!r} never learnt {value!r}: train and apply again")
        gold = codes.gold(codes.read(self.folder, variable))
        columns = {
            coded.column: (gold == value).astype(float),
            f"{coded.column}__prediction": predicted[crossfit],
            f"{coded.column}__label": (predicted[f"{variable}_predicted"] == value).astype(float),
        }
        return pd.DataFrame(columns).rename_axis("id").reset_index()

    def _column(self, name: str) -> pd.DataFrame:
        """A column of any table, by its name, or as table_column where several tables have it."""
        every = {table: self.column_names(table) for table in self.tables()}
        column, homes = name, [table for table, columns in every.items() if name in columns]
        for table, columns in every.items():  # as ``table`` names a column that two tables have
            if not homes and name.startswith(f"{table}_") and name.removeprefix(f"{table}_") in columns:
                column, homes = name.removeprefix(f"{table}_"), [table]
        if not homes:
            known = sorted({c for columns in every.values() for c in columns} | set(codes.variables(self.folder)))
            close = get_close_matches(name, known, n=3)
            hint = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
            raise InputError(f"no table has a column {name!r}: {hint}'visanda columns' lists them all")
        if len(homes) > 1:
            named = " or ".join(f"{home}_{column}" for home in homes)
            raise InputError(f"several tables have a column {column!r}: write {named}")
        frame = self.frame(f"SELECT id, {quoted(column)} FROM {quoted(homes[0])}")
        return frame.rename(columns={column: name})

    def _truth(self, frame: pd.DataFrame, coded: Sequence[Coded], truth: str | None) -> dict[str, str] | None:
        if truth is None:
            return None
        variable, _, column = truth.partition("=")
        mine = [c for c in coded if c.variable == variable]
        if not column or not mine:
            raise InputError(f"truth is written variable=column, such as {coded[0].variable}=is_it, not {truth!r}")
        values = self._column(column).set_index("id")[column].reindex(frame["id"])
        text = values.map(lambda v: str(int(v)) if isinstance(v, bool) else str(v))
        for c in mine:
            frame[f"{c.column}__truth"] = (text == c.value).astype(float).to_numpy()
        return {c.column: f"{c.column}__truth" for c in mine}


def _said_of_errors(cluster: str | None) -> str:
    if cluster:
        return f"Standard errors are clustered by {cluster} and robust to heteroscedasticity."
    return "Standard errors are robust to heteroscedasticity."


def _names(formula: str) -> list[str]:
    try:
        return sorted(str(name) for name in Formula(formula).required_variables)
    except FormulaicError as error:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error))  # formulaic colours its errors
        raise InputError(f"{formula!r} is not a formula: {plain}") from error
