"""Plan and share out: how many more codes, and shares by group with the machine's errors taken out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import pandas as pd

from visanda import codes
from visanda.corpus.classify.coded import Coded, coded, unseen_labels
from visanda.corpus.dates import PERIODS, begins, date_column
from visanda.corpus.estimating import Estimating, names_of
from visanda.corpus.sampling import listed
from visanda.errors import DesignError, InputError
from visanda.progress import progress
from visanda.result import Result
from visanda.study.correct.counts import adjusted_shares
from visanda.study.planning.ahead import codes_for_accuracy, codes_for_share, double_coding
from visanda.study.planning.budget import budget
from visanda.study.sample import strata
from visanda.study.shares import shares_by

PILOT = 10  # codes from which on a plan is made of them
COUNTED = "machine's label"


class Planning(Estimating):
    """Estimate."""

    def plan(
        self,
        formula: str,
        *,
        target_se: float | None = None,
        effect: float | None = None,
        power: float = 0.8,
        model: Literal["auto", "lm", "logit", "poisson"] = "auto",
        term: str | None = None,
        by: list[str] | None = None,
        cluster: str | None = None,
        where: str | None = None,
        share: float = 0.5,
        assume_random: bool = False,
        seed: int = 1,
    ) -> Result:
        """How many more codes, and of which pictures, for a standard error or to find an effect.

        From the codes that there are, by the label budget of design-based supervised learning (Egami et al. 2024);
        before anything is coded, tables by the machine's accuracy. What coding twice buys is said, too.

        Args:
            formula: a coded variable (its share), or the regression that is planned.
            target_se: the standard error that is wanted; 0.02 by default, where no effect is named.
            effect: a coefficient that should be found, in place of target_se.
            power: the probability of finding it.
            model: auto takes logit where the outcome is 0/1, else lm.
            term: the coefficient that it is about; the first that is no intercept, by default.
            by: columns of media to draw further codes by: says where they are best spent.
            cluster: a column whose pictures are not independent.
            where: which pictures, as a condition in SQL on the table media.
            share: that is expected, where nothing is coded yet, 0 to 1.
            assume_random: the coded pictures are a simple random sample of all.
            seed: of the folds.

        Raises:
            InputError: no coded variable is named, and the formula is no new variable.
            DesignError: codes that cannot be planned from; says why and what would.
        """
        names = names_of(formula)
        asked = [found for name in names if self._has_codes(name) and (found := coded(self, name))]
        if target_se is None and effect is None:
            target_se = 0.02
        if not asked:
            if "~" in formula or target_se is None:
                raise InputError(
                    f"nothing in {formula!r} is coded yet: plan its share first (visanda plan VARIABLE --target-se "
                    "0.02), code some 50 pictures, train and apply, and plan the regression then"
                )
            return self._ahead(formula, target_se, share)
        extra = listed(by)
        mine = {c.column for c in asked}
        others = [name for name in (*names, cluster, *extra) if name and name not in mine]
        frame, notes = self._frame(asked, others, where)
        drawn = self._probability(frame, asked, "dsl", assume_random)
        kind = model if model != "auto" else self._model_of(formula, frame, asked)
        result = budget(
            frame,
            formula,
            model=kind,  # type: ignore[arg-type]
            predicted_var=[c.column for c in asked],
            prediction=[c.prediction for c in asked],
            target_se=None if effect is not None else target_se,
            effect=effect,
            power=power,
            term=term,
            by=extra or None,
            sample_prob="pi__" if drawn == "pi__" else None,
            cluster=cluster,
            seed=seed,
        )
        result.warnings += notes
        with self.record("plan", {"formula": formula, "target_se": target_se, "effect": effect, "by": extra}):
            result.save(self.results, "plan")
        return result

    def shares(
        self,
        variable: str,
        *,
        by: list[str] | None = None,
        adjust: bool = False,
        date: str | None = None,
        cluster: str | None = None,
        where: str | None = None,
        errors: Literal["strata", "pooled"] = "strata",
        assume_random: bool = False,
        seed: int = 1,
    ) -> Result:
        """The share of a coded variable by group or over time: by the machine, by the codes alone, and corrected.

        Args:
            variable: what was coded; of several values, one of them (kind_fish) or all (kind).
            by: columns of media whose combinations are the groups; day, week, month, quarter and year are made of a
                date.
            adjust: add adjusted counts (Rogan & Gladen 1978), which undo the machine's error rates, and a test of
                whether these are the same in all groups. They count labels that are cross-fitted, as error rates are.
            date: the column of media with dates; the only one that holds some, by default.
            cluster: a column whose pictures are not independent.
            where: which pictures, as a condition in SQL on the table media.
            errors: of adjusted counts: of each group by itself (strata), or of all together (pooled).
            assume_random: the coded pictures are a simple random sample of all.
            seed: of the splits.

        Raises:
            InputError: a variable without codes or predictions, a column that is not there.
            DesignError: too few codes, or a machine that does not tell the classes apart.
        """
        one = coded(self, variable)
        if one is None:
            raise InputError(
                f"{variable!r} is not coded: there are {', '.join(codes.variables(self.folder)) or 'none'}"
            )
        groups = listed(by)
        frame, notes = self._frame([one], [name for name in (*_columns(groups), cluster) if name], where)
        frame = self._with_periods(frame, groups, date, where)
        drawn = self._probability(frame, [one], "dsl", assume_random)
        arguments: dict[str, Any] = {"variable": variable, "by": groups, "adjust": adjust, "cluster": cluster}
        many = strata(frame, groups).nunique() if groups else 0
        with progress(f"shares {variable}", many) as advance:
            result = shares_by(
                frame,
                one.column,
                by=groups,
                prediction=one.prediction,
                label=one.label,
                sample_prob=drawn,
                cluster=cluster,
                seed=seed,
                progress=lambda done, total: advance(1),
            )
        result.warnings += notes
        result.provenance |= {"where": where, "made": datetime.now().astimezone().isoformat(" ", "minutes")}
        name = f"{variable}-shares"
        if adjust:
            try:
                adjusted = self._adjusted(one, frame, groups, drawn, cluster, errors)
                adjusted.save(self.results, f"{name}-adjusted")
                result.also.append(adjusted)
            except DesignError as error:
                result.warnings.append(f"No adjusted counts: {_flags(error)}")
        with self.record("shares", arguments | {"where": where, "errors": errors, "seed": seed}):
            result.save(self.results, name)
        return result

    def _adjusted(
        self,
        one: Coded,
        frame: pd.DataFrame,
        groups: list[str],
        drawn: str | None,
        cluster: str | None,
        errors: Literal["strata", "pooled"],
    ) -> Result:
        """Adjusted counts of labels that have not learnt from the codes that tell how often they err."""
        if one.value is None and not one.values:
            raise DesignError(f"{one.column} is a number, and adjusted counts are shares of values")
        labels, crossfit = unseen_labels(self, one)
        counted = frame.drop(columns=one.label).assign(**{COUNTED: frame["id"].map(labels)})
        found = adjusted_shares(
            counted.dropna(subset=[COUNTED]),
            one.column,
            COUNTED,
            by=groups or None,
            sample_prob=drawn,
            cluster=cluster,
            errors=errors,
        )
        found.warnings = [_flags(text) for text in found.warnings]
        if crossfit:
            value = 1.0 if one.value is not None else one.values[-1]
            own, theirs = (float((column.dropna() == value).mean()) for column in (frame[one.label], counted[COUNTED]))
            named = one.column if one.value is not None else f"{one.column} = {value}"
            found.words.append(
                "Counted, and compared with the codes, are the labels of classifiers that had not learnt from the fold "
                "of the codes that a picture belongs to (cross-fitting): a classifier hardly errs on its own training "
                f"pictures, and would adjust nothing. By these labels the share of {named} is {theirs:.1%} before "
                f"adjusting; by those of the model itself, which estimates show as naive, {own:.1%}."
            )
        else:
            found.words.append(
                f"Counted, and compared with the codes, are the labels of the model of {one.variable}; codes that it "
                "learnt from do not count."
            )
        return found

    def _has_codes(self, name: str) -> bool:
        return any(name == one or name.startswith(f"{one}_") for one in codes.variables(self.folder)) and any(
            len(codes.in_force(self.folder, one)) >= PILOT
            for one in codes.variables(self.folder)
            if name == one or name.startswith(f"{one}_")
        )

    def _model_of(self, formula: str, frame: pd.DataFrame, asked: list[Coded]) -> str:
        outcome = formula.split("~")[0].strip()
        if "~" not in formula or outcome not in frame:
            return "lm"
        return "logit" if set(frame[outcome].dropna().unique()) <= {0.0, 1.0} else "lm"

    def _ahead(self, variable: str, target_se: float, share: float) -> Result:
        """Tables, where nothing is coded yet."""
        n = len(self.population()) if "media" in self.tables() else None
        result = codes_for_share(target_se, share, n=n)
        result.title = f"Codes for the share of {variable}, before anything is coded"
        first = result.table["codes"].iloc[0]
        if first != float("inf"):
            result.also.append(double_coding(max(int(first), 20)))
        test = codes_for_accuracy(0.05)
        words = ["Codes in the test set with which an accuracy, or the recall of a value, is known to ± 5 points."]
        result.also.append(Result("Codes to test a machine with", test, words))
        return result

    def _with_periods(
        self, frame: pd.DataFrame, groups: list[str], date: str | None, where: str | None
    ) -> pd.DataFrame:
        """The frame with days, weeks, months, quarters or years, where groups name them."""
        periods = [name for name in groups if name in PERIODS and name not in frame]
        if not periods:
            return frame
        media = self.frame("SELECT * FROM media").set_index("id")
        _, stamps = date_column(media, date)
        files = frame["id"].map(lambda id: str(id).split("#")[0])
        dated = files.map(stamps)
        made = {name: begins(dated, name) for name in periods}
        shown = {name: one if name == "year" else one.dt.strftime("%Y-%m-%d") for name, one in made.items()}
        return frame.assign(**shown)


def _columns(groups: list[str]) -> list[str]:
    return [name for name in groups if name not in PERIODS]


def _flags(message: object) -> str:
    """A message of the statistics, with the names of options as one types them."""
    said = str(message)
    for name in ("pooled", "strata"):
        said = said.replace(f"errors='{name}'", f"--errors {name}")
    return said.replace("leave out the cluster", "leave out --cluster")
