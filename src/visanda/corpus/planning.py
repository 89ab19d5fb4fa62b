"""Plan and share out: how many more codes, and shares by group with the machine's errors taken out."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal

import pandas as pd

from visanda import codes
from visanda.corpus.classify.coded import Coded, coded, unseen_labels
from visanda.corpus.dates import PERIODS, begins, date_column, written
from visanda.corpus.estimate.predicted import way_to_codes
from visanda.corpus.estimate.result_files import save
from visanda.corpus.estimating import Estimating, names_of
from visanda.corpus.sampling import listed
from visanda.errors import DesignError, InputError
from visanda.progress import progress
from visanda.result import Result
from visanda.study.correct.counts import adjusted_shares
from visanda.study.planning.ahead import codes_for_accuracy, codes_for_share, double_coding
from visanda.study.planning.budget import budget
from visanda.study.sampling.sample import strata
from visanda.study.shares.by_group import shares_by

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
        model: Literal["auto", "lm", "logit", "poisson", "multinomial"] = "auto",
        term: str | None = None,
        by: list[str] | None = None,
        cluster: str | None = None,
        drawn: Literal["auto", "units", "clusters"] = "auto",
        where: str | None = None,
        share: float = 0.5,
        assume_random: bool = False,
        seed: int = 1,
        name: str | None = None,
    ) -> Result:
        """How many more codes, and of which pictures, for a standard error or to find an effect.

        From the codes that there are, by the label budget of design-based supervised learning (Egami et al. 2024);
        before anything is coded, tables by the machine's accuracy. What coding twice buys is said, too.

        Args:
            formula: a coded variable (its mean or share; of several values, the share of each), or the regression that
                is planned, also with several coded variables.
            target_se: the standard error that is wanted; of a share 0.02 by default, where no effect is named.
            effect: a coefficient that should be found, in place of target_se.
            power: the probability of finding it.
            model: auto takes logit where the outcome is 0/1, multinomial where it is a category, else lm.
            term: the coefficient that it is about; by default the first that is no intercept, and of shares of several
                values the one that takes most codes.
            by: columns of media to draw further codes by: says where they are best spent.
            cluster: a column whose pictures are not independent.
            drawn: what was drawn for coding, and would be: units, or whole clusters of --cluster; auto looks whether
                each is coded as a whole or not at all.
            where: which pictures, as a condition in SQL on the table media.
            share: that is expected, where nothing is coded yet, 0 to 1.
            assume_random: the coded pictures are a simple random sample of all.
            seed: of the folds.
            name: of the files written to results/; plan by default, and plan-2 and so on for another question.

        Raises:
            InputError: no coded variable is named, and the formula is no new variable.
            DesignError: codes that cannot be planned from; says why and what would.
        """
        if name is not None:
            codes.check_name("result", name)
        names = names_of(formula)
        asked = [found for one in names if self._has_codes(one) and (found := coded(self, one))]
        if not asked and ("~" in formula or effect is not None):
            raise InputError(
                f"nothing in {formula!r} is coded yet: plan its share first (visanda plan VARIABLE --target-se 0.02), "
                "code some 50 pictures, train and apply, and plan the regression then"
            )
        if target_se is None and effect is None:
            if "~" in formula:
                raise InputError("how sure should it be? Say --target-se 0.05, or --effect 0.3 (and --power 0.8)")
            target_se = 0.02
        extra = listed(by)
        question: dict[str, Any] = {"formula": formula, "target_se": target_se, "effect": effect, "power": power}
        question |= {"model": model, "term": term, "by": extra, "cluster": cluster, "drawn": drawn, "where": where}
        question |= {"share": share, "assume_random": assume_random}
        if not asked:
            with self.record("plan", question):
                result = self._ahead(formula, float(target_se or 0), share)
                save(result, self.results, name, "plan", question)
            return result
        mine = {c.column for c in asked}
        others = [one for one in (*names, cluster, *extra) if one and one not in mine]
        with self.record("plan", {**question, "seed": seed}) as run:
            frame, notes = self._frame(asked, others, where)
            kind = model if model != "auto" else self._model_of(formula, frame, asked)
            try:
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
                    sample_prob=self._probability(frame, asked, "dsl", assume_random),
                    cluster=cluster,
                    drawn=drawn,
                    seed=seed,
                )
            except InputError as error:
                raise InputError(_flags(error)) from error
            variables = ",".join(dict.fromkeys(c.variable for c in asked))
            for more in result.also:
                said = [text.replace("visanda sample", f"visanda sample {variables}") for text in more.words]
                more.words = [text.replace("--by ...", f"--by {','.join(extra)}") for text in said]
            result.warnings += notes + self._drawn_in_clusters(asked[0].variable, cluster)
            result.provenance |= {"where": where, "made": datetime.now().astimezone().isoformat(" ", "minutes")}
            chosen = save(result, self.results, name, "plan", question)
            for more in result.also:
                more.save(self.results, f"{chosen}-where")
            run.counts = {"rows": len(frame), "coded": result.provenance["n_coded"]}
        return result

    def _drawn_in_clusters(self, variable: str, cluster: str | None) -> list[str]:
        """What to say where whole clusters were drawn, and none are named."""
        design = codes.read_design(self.folder, variable)
        if cluster is not None or design is None or "cluster" not in design or design["cluster"].isna().all():
            return []
        return ["The sample was drawn in clusters: name their column with --cluster, or the plan has too few codes."]

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
        name: str | None = None,
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
            name: of the files written to results/; the variable with -shares by default, and -shares-2 and so on for
                another question.

        Raises:
            InputError: a variable without codes or predictions, a column that is not there.
            DesignError: too few codes, or a machine that does not tell the classes apart.
        """
        if name is not None:
            codes.check_name("result", name)
        one = coded(self, variable)
        if one is None:
            raise InputError(f"{variable!r} is not coded: {way_to_codes(self, variable)}")
        groups = listed(by)
        question: dict[str, Any] = {"variable": variable, "by": groups, "adjust": adjust, "date": date}
        question |= {"cluster": cluster, "where": where, "errors": errors, "assume_random": assume_random}
        with self.record("shares", question | {"seed": seed}) as run:
            frame, notes = self._frame([one], [column for column in (*_columns(groups), cluster) if column], where)
            frame = self._with_periods(frame, groups, date)
            drawn = self._probability(frame, [one], "dsl", assume_random)
            with progress(f"shares {variable}", strata(frame, groups).nunique() if groups else 0) as advance:
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
            result.words += [one.words]
            result.warnings = [_flags(text) for text in result.warnings] + notes
            result.provenance |= {"where": where, "made": datetime.now().astimezone().isoformat(" ", "minutes")}
            if adjust:
                try:
                    result.also.append(self._adjusted(one, frame, groups, drawn, cluster, errors))
                except DesignError as error:
                    result.warnings.append(f"No adjusted counts: {_flags(error)}")
            chosen = save(result, self.results, name, f"{variable}-shares", question)
            for adjusted in result.also:
                adjusted.save(self.results, f"{chosen}-adjusted")
            run.counts = {"rows": len(frame), "coded": int(frame[one.column].notna().sum())}
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
        outcome = formula.split("~")[0].strip().strip("`")
        if "~" not in formula or outcome not in frame:
            return "lm"
        if any(one.values for one in asked if one.column == outcome):
            return "multinomial"
        return "logit" if set(frame[outcome].dropna().unique()) <= {0.0, 1.0} else "lm"

    def _ahead(self, variable: str, target_se: float, share: float) -> Result:
        """Tables, where nothing is coded yet."""
        n = len(self.population()) if "media" in self.tables() else None
        result = codes_for_share(target_se, share, n=n)
        result.title = f"Codes for the share of {variable}, before anything is coded"
        result.provenance |= {"formula": variable, "share": share, "n": n}
        first = result.table["codes"].iloc[0]
        result.also.append(double_coding(max(int(first if first != float("inf") else n or 0), 20)))
        test = codes_for_accuracy(0.03).rename(columns={"codes": "codes for ± 3 points"})
        test["codes for ± 5 points"] = codes_for_accuracy(0.05)["codes"]
        words = [
            "Codes in the test set with which an accuracy is known so closely; for the recall of a value, codes of "
            "that value."
        ]
        result.also.append(Result("Codes to test a machine with", test, words))
        return result

    def _with_periods(self, frame: pd.DataFrame, groups: list[str], date: str | None) -> pd.DataFrame:
        """The frame with days, weeks, months, quarters or years, where groups name them."""
        periods = [name for name in groups if name in PERIODS and name not in frame]
        if not periods:
            return frame
        media = self.frame("SELECT * FROM media").set_index("id")
        _, stamps = date_column(media, date)
        files = frame["id"].map(lambda id: str(id).split("#")[0])
        dated = files.map(stamps)
        return frame.assign(**{name: written(begins(dated, name), name) for name in periods})


def _columns(groups: list[str]) -> list[str]:
    return [name for name in groups if name not in PERIODS]


def _flags(message: object) -> str:
    """A message of the statistics, with the names of options as one types them."""
    said = str(message)
    said = re.sub(r"\b(errors|drawn|model)='(\w+)'", r"--\1 \2", said)
    said = re.sub(r"\btarget_se=", "--target-se ", said)
    said = re.sub(r"\b(effect|power)=", r"--\1 ", said).replace("give target_se", "give --target-se")
    return said.replace("leave out the cluster", "leave out --cluster")
