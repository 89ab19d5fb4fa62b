"""Estimate: means and regressions that are honest about the classifier's errors."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from visanda import codes
from visanda.codebook import variable as in_codebook
from visanda.corpus.classify.coded import Coded, changed_codes, coded, columns_of
from visanda.corpus.classify.kinds import kind_of
from visanda.corpus.coding import Coding
from visanda.corpus.estimate import result_files
from visanda.corpus.estimate.drawn import probabilities, shared_design
from visanda.corpus.estimate.named_columns import Dates, named_column, refuse_files
from visanda.corpus.estimate.predicted import observed_codes, split_predicted
from visanda.corpus.handwork.defining import warned_of_undecided
from visanda.corpus.measuring import Measuring
from visanda.corpus.sampling import listed
from visanda.errors import DesignError, InputError
from visanda.progress import progress
from visanda.result import Result
from visanda.study.estimating.choice import DEBIAS, EQUAL, Method
from visanda.study.estimating.estimate import estimate
from visanda.study.output.replication import replication as replicate
from visanda.study.output.tables_of_estimate import write_tables
from visanda.study.regression.formula import outside_categories, parsed, sides
from visanda.study.regression.mixed import mixed_formula

USELESS = 0.2  # correlation of predictions and codes up to which the machine adds nothing


class Estimating(Coding, Measuring):
    """Estimate."""

    def estimate(
        self,
        formula: str,
        *,
        model: Literal[
            "auto", "lm", "logit", "poisson", "multinomial", "fe", "negbin", "ordinal", "mixed", "fepois"
        ] = "auto",
        method: Method = "auto",
        predicted: list[str] | None = None,
        cluster: str | None = None,
        weights: str | None = None,
        where: str | None = None,
        date: str | None = None,
        margins: bool = False,
        as_published: bool = False,
        assume_random: bool = False,
        learner: Literal["linear", "raw"] = "linear",
        resamples: int = 2000,
        truth: str | None = None,
        seed: int = 1,
        replication: Path | None = None,
        name: str | None = None,
    ) -> Result:
        """Estimate a mean or a regression: naive, from the codes alone, and corrected, side by side.

        The machine's predictions of every picture and the codes of a probability sample together give estimates
        without the machine's errors: by design-based supervised learning (Egami, Hinck, Stewart & Wei 2023), or, for
        models that it does not cover, by the predict-then-debias bootstrap (Kluger et al. 2025).

        Args:
            formula: R-style, such as ``colourfulness ~ nature``, over any columns of any tables; a coded variable
                alone is its share. A variable with two values counts as 1 for yes, true, 1 and the like; with
                more it is a category, or write the values you mean: ``y ~ kind_fish + kind_tool``.
                ``y ~ x | city + month`` has fixed effects, ``y ~ x + (1 | city)`` random ones.
            model: auto takes the mean where there is no ~, logit where the outcome is 0/1, multinomial where it is a
                category, else lm; fe is lm with fixed effects.
            method: of correction: auto chooses and says why; dsl, ppi, debias (any model), likelihood (where codes are
                no sample of known probabilities).
            predicted: the variables that the machine predicts; by default all of the formula that were coded. One that
                is left out is taken as true: from a table that has a column of its name, or from its codes.
            cluster: a column whose pictures are not independent (outlet, user, day); of a mixed model by default what
                stands in (1 | city).
            weights: a column of how much each picture counts, such as survey weights.
            where: which pictures, as a condition in SQL on the table media.
            date: the column of media with dates, of which day, week, month, quarter and year are made where no column
                has these names; the only one that holds dates, by default.
            margins: add average marginal effects, in points of probability or of the outcome.
            as_published: DSL as its paper has it, without what is refined here for few codes (a bias of second order
                taken out, and intervals by Student's t).
            assume_random: the coded pictures are a simple random sample of all, though 'visanda sample' did not draw
                them.
            learner: linear calibrates the predictions on the codes once more; raw takes them as they are.
            resamples: of the bootstrap, where the method has one.
            truth: for teaching: variable=column, where the column holds the true value of every picture.
            seed: of splits and resamples.
            replication: a folder to write with data, script, expected numbers and methods, which gives the same
                estimate without the pictures.
            name: of the files written to results/: csv, json, png, and tables for papers (docx, tex, html). By default
                estimate; of another question estimate-2, estimate-3 and so on.

        Raises:
            InputError: a column that no table has, or several have; a variable without predictions.
            DesignError: the estimate asked for would not be valid; says why and what would be.
        """
        if name is not None:
            codes.check_name("result", name)
        refuse_files(formula)
        names = names_of(formula)
        in_formula = [found for one in names if (found := coded(self, one))]
        asked, observed, held = split_predicted(self, formula, names, in_formula, listed(predicted))
        arguments: dict[str, Any] = {
            "formula": formula,
            "model": model,
            "method": method,
            "predicted": listed(predicted) or None,
            "cluster": cluster,
            "weights": weights,
        }
        arguments |= {"where": where, "date": date, "margins": margins, "assume_random": assume_random, "truth": truth}
        arguments |= {"learner": learner, "as_published": as_published}
        with self.record("estimate", {**arguments, "seed": seed}) as run:
            mine = {c.column for c in in_formula} - set(held)
            others = [one for one in (*names, cluster, weights) if one and one not in mine]
            dates = Dates(self, date, others)
            frame, notes = self._frame(asked, others, where, dates=dates, days=in_days(formula), observed=observed)
            known = self._truth(frame, asked, truth)
            call: dict[str, Any] = {
                "formula": formula,
                "model": model,
                "method": method,
                "predicted_var": [c.column for c in asked],
                "prediction": [c.prediction for c in asked],
                "label": [c.label for c in asked],
                "sample_prob": self._probability(frame, asked, method, assume_random),
                "cluster": cluster,
                "weights": weights,
                "learner": learner,
                "resamples": resamples,
                "seed": seed,
                "margins": margins,
                "as_published": as_published,
            }
            if method == "debias" or model in DEBIAS or (method == "auto" and mixed_formula(formula).group):
                with progress(f"estimate {formula}", resamples) as advance:
                    result = estimate(frame, **call, truth=known, progress=lambda done, total: advance(1))
            else:
                result = estimate(frame, **call, truth=known)
            files = replicate(replication, frame, call, result, title=self.name) if replication else []
            result.warnings += notes + self._cautions(asked, frame)
            if result.provenance["method"] in ("dsl", "ppi", "likelihood"):
                result.words.append(_said_of_errors(cluster))
            result.provenance |= {"where": where, "made": datetime.now().astimezone().isoformat(" ", "minutes")}
            result.words += [c.words for c in asked] + dates.words
            result.words += [f"{c.column} is taken from its codes, and as true." for c in observed]
            result.words += [f"{one} is taken from the table that has it, and as true." for one in held]
            if files:
                result.words.append(f"What others need to do this again, without pictures: {replication}")
            result_files.save(result, self.results, name, "estimate", arguments, more=write_tables)
            run.counts = {"rows": len(frame), "coded": int(frame[asked[0].column].notna().sum())}
        return result

    def _probability(self, frame: pd.DataFrame, coded: Sequence[Coded], method: str, assume_random: bool) -> str | None:
        """The column of probabilities; or that they are all alike, or not known.

        Raises:
            DesignError: they are not known, and what was asked for needs them.
        """
        if "pi__" in frame:
            return "pi__"
        if assume_random:
            return EQUAL
        if method == "likelihood":
            return None
        names = ",".join(dict.fromkeys(c.variable for c in coded))
        raise DesignError(
            f"no sample for {names} was drawn with 'visanda sample', so that it is not known which pictures the coded "
            f"ones speak for. If they are a simple random sample of all, say --assume-random. If not, draw one "
            f"('visanda sample {names} --n 200') and code it; or take --method likelihood, which rests on a model of "
            f"the errors"
        )

    def _cautions(self, coded: Sequence[Coded], frame: pd.DataFrame) -> list[str]:
        """Predictions that are older than the codes, or that say nothing about them."""
        warnings = []
        for variable in dict.fromkeys(c.variable for c in coded):
            changed = changed_codes(self, variable)
            if changed:
                warnings.append(
                    f"{changed} codes of {variable!r} came or changed since its model was trained: train and "
                    "apply again, so that predictions know of them"
                )
        for c in coded:
            if c.values:  # of categories there is no one correlation
                continue
            agree = frame[c.column].corr(frame[str(c.prediction)])
            if not agree > USELESS:
                warnings.append(
                    f"the predictions of {c.column!r} hardly go with the codes (correlation {agree:.2f}): the machine "
                    "adds nothing here, and the corrected estimate may be less certain than the gold-only one"
                )
        return warnings

    def _frame(
        self,
        coded: Sequence[Coded],
        others: Sequence[str],
        where: str | None,
        *,
        dates: Dates | None = None,
        days: Collection[str] = (),
        observed: Sequence[Coded] = (),
    ) -> tuple[pd.DataFrame, list[str]]:
        """A row a unit of the sampled population: gold codes, predictions, π, and the other columns.

        Probabilities are those of the whole draw; ``where`` only chooses among its rows.

        Args:
            coded: the predicted variables.
            others: further columns, by name.
            where: which rows, as a condition in SQL on the table media.
            dates: makes periods of dates, where ``others`` names some.
            days: those of ``others`` in which dates become days.
            observed: coded variables of which the codes are taken as they are.
        """
        variables = list(dict.fromkeys(c.variable for c in coded))
        on = self._kind(variables + [c.variable for c in observed])
        population = self.population(where, on)
        if population.empty:
            raise InputError(f"there is no {on} where {where}" if where else f"there is no {on} in this corpus")
        design, notes = shared_design(self.folder, variables)
        frame = population[["id"]]
        if design is not None:
            frame = frame.merge(design[["id", "order"]], on="id")
            if len(frame) < len(population):
                notes.append(
                    f"{len(population) - len(frame)} pictures were not in the population that the sample was drawn "
                    "from and are left out: draw a new sample to speak of them too"
                )
        gold = []
        for c in coded:
            columns, note = columns_of(self, c)
            notes += [note] if note and note not in notes else []
            gold.append(columns.set_index("id")[c.column])
            frame = frame.merge(columns, on="id", how="left")
            if design is not None:  # codes outside of the sample have no known probability
                frame[c.column] = frame[c.column].where(frame["order"] > 0)
        if design is not None:
            frame["pi__"] = probabilities(design, gold).reindex(frame["id"]).to_numpy()
            never = frame["pi__"] == 0
            if never.any() and not never.all():
                notes.append(
                    f"{never.sum()} pictures could be drawn only in a round of which nothing is coded yet, and are "
                    "left out: code it to speak of them too"
                )
                frame = frame[~never].reset_index(drop=True)
        notes += [said for name in variables for said in warned_of_undecided(self.folder, name)]
        lost = frame[coded[0].label].isna().sum()
        if lost:
            notes.append(f"{lost} pictures have no prediction and are left out: 'visanda apply' again")
        for c in observed:
            frame = frame.merge(observed_codes(self, c, frame["id"]), on="id", how="left")
        for name in dict.fromkeys(others):
            inside = on != "image" and name in population and name != "id"
            frame[name] = self._of_units(frame["id"], name, population if inside else None, dates, name in days, on)
        numbers = [str(name) for name in frame if pd.api.types.is_numeric_dtype(frame[name])]
        frame = frame.sort_values(numbers, kind="stable", ignore_index=True)  # what files are called changes no split
        return frame.drop(columns="order", errors="ignore"), notes

    def _of_units(
        self, ids: pd.Series, name: str, inside: pd.DataFrame | None, dates: Dates | None, days: bool, on: str
    ) -> pd.Series:
        """A column that a formula names, of these units.

        Raises:
            InputError: there is none; it is about units of another kind.
        """
        if dates is not None and inside is None and dates.makes(name):
            return dates.period(name, ids)
        column = (named_column(self, name) if inside is None else inside).set_index("id")[name]
        if len(column) and not ids.isin(column.index).any():
            raise InputError(
                f"{name!r} is known of other things than each {on}, such as {column.index[0]}: what was found in "
                "pictures or moments has to be counted or averaged first, as 'visanda panel' and 'visanda table' do"
            )
        found = ids.map(column)
        return dates.as_days(name, found) if dates is not None and days else found

    def _kind(self, variables: Sequence[str]) -> str:
        """The kind of unit that variables of one formula are about."""
        kinds = {}
        for name in variables:
            ids = codes.gold_of(self.folder, name).index.tolist()
            kinds[name] = kind_of(in_codebook(self.folder, name), ids)
        if len(set(kinds.values())) > 1:
            said = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
            raise DesignError(f"these variables are about units of different kinds ({said}): estimate them apart")
        return next(iter(kinds.values()))

    def _truth(self, frame: pd.DataFrame, coded: Sequence[Coded], truth: str | None) -> dict[str, str] | None:
        if truth is None:
            return None
        variable, _, column = truth.partition("=")
        mine = [c for c in coded if c.variable == variable]
        if not column or not mine:
            raise InputError(f"truth is written variable=column, such as {coded[0].variable}=is_it, not {truth!r}")
        values = named_column(self, column).set_index("id")[column].reindex(frame["id"])
        text = values.map(lambda v: str(int(v)) if isinstance(v, bool) else str(v))
        for c in mine:
            frame[f"{c.column}__truth"] = c.of(values if c.value is None and not c.values else text).to_numpy()
        return {c.column: f"{c.column}__truth" for c in mine}


def _said_of_errors(cluster: str | None) -> str:
    if cluster:
        return f"Standard errors are clustered by {cluster} and robust to heteroscedasticity."
    return "Standard errors are robust to heteroscedasticity."


def in_days(formula: str) -> set[str]:
    """The columns of a formula that are days where they hold dates: all but categories and groups."""
    return outside_categories(mixed_formula(formula).fixed) if "~" in formula else set()


def names_of(formula: str) -> list[str]:
    """The columns that a formula names, those of random effects included."""
    parts = mixed_formula(formula) if "~" in formula else None
    if parts is None:
        return sorted(str(name) for name in parsed(formula).required_variables)
    left, right = sides(parts.fixed)
    return sorted(left | right | (parts.columns if parts.group else set()))
