"""Learn: how good a classifier is on the frozen test set, honestly."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pandas as pd

from visanda import codes
from visanda.codebook import variable as in_codebook
from visanda.corpus.classify.errors_shown import write_errors
from visanda.corpus.classify.said import contradicted
from visanda.corpus.classify.tested import Tested, by_model, by_others, unequal_and_unknown
from visanda.corpus.formats import write_table
from visanda.corpus.handwork.defining import warned_of_undecided
from visanda.corpus.handwork.sample_columns import strata_of
from visanda.corpus.measuring import Measuring
from visanda.corpus.sampling import listed
from visanda.errors import InputError
from visanda.learn.frozen import look
from visanda.learn.trained import Trained, load, place, save_card
from visanda.result import Result
from visanda.study.validity.against_gold import validity
from visanda.study.validity.ceiling import ceiling
from visanda.study.validity.comparing import compare
from visanda.study.validity.subgroups import subgroups
from visanda.units import Unit, parse

TWICE = 10  # units coded twice from which on it is said what a human coder reaches
LOOKS = (
    "this test set was looked at {} times: if you changed a model because of it, its numbers flatter; report how often"
)
UNFAIR = (
    " Here that flatters the machine: it was spared the units over which coders are split and which nobody settled, "
    "and the coders were not."
)


class Evaluating(Measuring):
    """Learn."""

    def evaluate(
        self,
        variable: str,
        *,
        model: str | None = None,
        by: list[str] | None = None,
        against: str | None = None,
        predictions: str | None = None,
        resamples: int = 1000,
        seed: int = 1,
    ) -> Result:
        """How good a model is on the frozen test set, with bootstrap intervals and its errors as pictures.

        Each look at the test set is counted and reported. Where coders coded units twice, what one of them reaches
        against another stands beside the machine's numbers.

        Args:
            variable: what was trained.
            model: its name; the one trained last by default.
            by: columns of any tables, or coded variables, split by commas: is the model worse for some than for
                others? Numbers of many values are cut into quarters; ``brightness:3`` cuts into three.
            against: another model of the variable, tested on the same units.
            predictions: instead of a model, what another program said: a table with a row a unit, or ``table.column``.
                It is tested on everything coded; with --against, on the frozen test set.
            resamples: of the bootstrap.
            seed: of the bootstrap.

        Raises:
            InputError: nothing is trained or coded yet, a column is not there, or nothing of the test set is coded.
        """
        if predictions is not None and model is not None:
            raise InputError("give --model or --predictions, not both: --against names a model to compare with")
        arguments: dict[str, Any] = {
            "variable": variable,
            "model": model,
            "by": by,
            "against": against,
            "predictions": predictions,
        }
        arguments |= {"resamples": resamples, "seed": seed}
        with self.record("evaluate", arguments) as run:
            trained = None if predictions is not None else load(self.models / variable, model)
            rival = None if against is None else by_model(self, *self._test_of(variable, against))
            if trained is None:
                tested = by_others(self, variable, str(predictions))
            else:
                tested = by_model(self, *self._test_of(variable, trained.name))
            if rival is not None:
                tested, rival = _on_the_same(tested, rival)
            groups = self._groups(tested, listed(by))
            result = self._validity(tested, trained, resamples, seed)
            if trained is not None or rival is not None:
                self._count_looks(result, tested, trained, rival)
            if rival is not None:
                result.also.append(self._comparison(tested, rival, resamples, seed))
            if groups is not None:
                result.also.append(self._by(tested, groups, resamples, seed))
            self._keep_test(result, tested, trained)
            run.counts = {"test": len(tested.gold)}
        return result

    def _test_of(self, variable: str, model: str) -> tuple[Trained, pd.DataFrame]:
        """A model, and its frozen test set: id, group."""
        trained = load(self.models / variable, model)
        test = trained.split.of("test")
        if test.empty:
            raise InputError(
                f"{variable!r} has no test set: "
                + ("nobody has coded it; " if not codes.variables(self.folder).count(variable) else "")
                + f"code some units, then train with --test 0.25 and --replace (visanda train {variable})"
            )
        return trained, test[["id", "group"]]

    def _validity(self, tested: Tested, trained: Trained | None, resamples: int, seed: int) -> Result:
        """The numbers of the machine, beside those of a human coder."""
        made = validity(
            tested.gold, tested.predicted, tested.probability, **tested.judged, resamples=resamples, seed=seed
        )
        n = len(tested.gold)
        made.provenance |= {"variable": tested.variable, "machine": tested.machine}
        if trained is not None:
            made.title = f"Validity of {tested.variable} ({tested.machine}) on {n} units never trained on"
            now = replace(trained, card=trained.card | {"validity": made.table.to_dict("records")})
            if said := contradicted(now):
                made.warnings.append(said)
            if earlier := trained.split.number - 1:
                made.warnings.append(f"{earlier} other test sets were frozen before this one: say so, or they flatter")
        else:
            made.title = f"Validity of {tested.variable} as {tested.machine} has it, on {n} coded units"
            made.warnings.append(
                f"what {tested.machine} had seen of these codes is not known here: if it was made or tuned with them, "
                "its numbers flatter"
            )
        if tested.failed:
            made.warnings.append(f"{tested.failed} units of the test set could not be predicted and are left out")
        if tested.weight is not None:
            counts = "; plain counts are in the confusion matrix" if "confusion" in made.extra else ""
            made.words.append(
                "Numbers are weighted by one over each unit's probability of being drawn, so that they speak of all"
                f"{counts}."
            )
        elif unequal_and_unknown(self, tested.variable, tested.gold.index):
            made.warnings.append(
                "some of these units were not drawn by 'visanda sample': their probabilities are not known, so nothing "
                "is weighted, and the numbers speak of these units only"
            )
        made.warnings += warned_of_undecided(self.folder, tested.variable)
        self._add_ceiling(made, tested, seed)
        return made

    def _add_ceiling(self, made: Result, tested: Tested, seed: int) -> None:
        """What one human coder reaches against another, as a column."""
        one = in_codebook(self.folder, tested.variable)
        if one.scale == "pairwise":
            return
        said = codes.independent(codes.given(self.folder, one))
        if int(said["id"].duplicated().sum()) < TWICE:
            return
        found = ceiling(said, scale=one.scale, order=one.answers or None, resamples=200, seed=seed)
        human = found.table[found.table["against"] == "coder"]
        made.table["one coder"] = made.table["measure"].map(human.set_index("measure")["value"])
        made.extra["one coder"] = found.table
        made.words.append(
            f"The column 'one coder' has what one human coder reaches against another, on {human['units'].iloc[0]} "
            "units coded twice: a machine that does as well is as good as one more coder."
            + (UNFAIR if codes.undecided(self.folder, tested.variable) else "")
        )

    def _count_looks(self, made: Result, tested: Tested, trained: Trained | None, rival: Tested | None) -> None:
        folder = self.models / tested.variable
        names = [*([trained.name] if trained else []), *([rival.machine] if rival else [])]
        times = max(look(folder, name, len(tested.gold)) for name in names)
        made.provenance["times tested"] = times
        if times > len(names):
            made.warnings.append(LOOKS.format(times))
        else:
            made.words.append("This is the first look at this test set; each one is counted.")

    def _comparison(self, tested: Tested, rival: Tested, resamples: int, seed: int) -> Result:
        made = compare(
            tested.gold,
            tested.predicted,
            rival.predicted,
            (tested.probability, rival.probability) if tested.probability is not None else (None, None),
            names=(tested.machine, rival.machine),
            **tested.judged,
            resamples=resamples,
            seed=seed,
        )
        made.title = f"{tested.variable}: {made.title}"
        made.save(self.results, f"{tested.variable}-comparison")
        return made

    def _groups(self, tested: Tested, by: list[str]) -> pd.DataFrame | None:
        """The subgroup of each unit, a column a question."""
        if not by:
            return None
        ids = tested.gold.index
        files = [Unit(parse(id).name).id for id in ids]
        units = pd.DataFrame({"id": list(ids), "parent": files})
        columns: dict[str, list[Any]] = {}
        for name in by:
            if name in codes.variables(self.folder):
                columns[name] = codes.gold_of(self.folder, name).reindex(ids).tolist()
            else:
                columns[name] = strata_of(self, units, [name])[0].tolist()
        return pd.DataFrame(columns, index=ids)

    def _by(self, tested: Tested, groups: pd.DataFrame, resamples: int, seed: int) -> Result:
        made = subgroups(
            tested.gold,
            tested.predicted,
            groups,
            tested.probability,
            **tested.judged,
            resamples=resamples,
            seed=seed,
        )
        made.title = f"{tested.variable} ({tested.machine}) by {', '.join(map(str, groups))}"
        made.save(self.results, f"{tested.variable}-subgroups")
        return made

    def _keep_test(self, result: Result, tested: Tested, trained: Trained | None) -> None:
        """Results, the units one by one, the errors as pictures, and the numbers on the model's card."""
        name = tested.variable
        result.save(self.results, f"{name}-validity")
        path = self.results / f"{name}-test.csv"
        write_table(tested.table(), path)
        result.words.append(f"Unit by unit: {path}")
        sheets = write_errors(self, tested)
        if sheets:
            result.words.append(f"The errors, as pictures: {', '.join(map(str, sheets))}")
        if trained is not None:
            trained.card["validity"] = json.loads(result.table.to_json(orient="records"))
            save_card(place(self.models / name, trained.name), trained.card)


def _on_the_same(tested: Tested, rival: Tested) -> tuple[Tested, Tested]:
    """Two machines on the units that both predicted.

    Raises:
        InputError: there are none.
    """
    ids = pd.Index([id for id in rival.gold.index if id in tested.gold.index], name="id")
    if ids.empty:
        raise InputError(f"{tested.machine} and {rival.machine} predicted no unit of the test set in common")
    classes = (*tested.classes, *(one for one in rival.classes if one not in tested.classes))
    if tested.machine == rival.machine:
        raise InputError(f"{rival.machine!r} cannot be compared with itself: name another model")
    rival = rival.of(ids).knowing(classes)
    return replace(tested.of(ids).knowing(classes), group=rival.group), rival
