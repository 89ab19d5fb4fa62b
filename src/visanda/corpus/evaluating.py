"""Learn: how good a classifier is on the frozen test set, honestly."""

from __future__ import annotations

import json

import pandas as pd

from visanda import codes
from visanda.corpus.classify.predicting import scores_of
from visanda.corpus.measuring import Measuring
from visanda.errors import InputError
from visanda.learn.frozen import look
from visanda.learn.trained import Trained, load, place, save_card
from visanda.media import contact_sheet
from visanda.result import Result
from visanda.study.validity import validity

SHEET = 48  # pictures on the sheet of errors


class Evaluating(Measuring):
    """Learn."""

    def evaluate(self, variable: str, *, resamples: int = 1000, seed: int = 1) -> Result:
        """How good the classifier is on the frozen test set, with bootstrap intervals and a sheet of its errors.

        Args:
            variable: what was trained.
            resamples: of the bootstrap.
            seed: of the bootstrap.

        Raises:
            InputError: nothing is trained yet.
        """
        trained = load(self.models / variable)
        test = trained.split.of("test").set_index("id")
        if test.empty:
            raise InputError(f"the test set of {variable!r} is empty: train with a larger --test, and --replace")
        test["value"] = codes.gold_of(self.folder, variable).reindex(test.index)
        with self.record("evaluate", {"variable": variable, "resamples": resamples, "seed": seed}) as run:
            ids, outputs = scores_of(self, trained, test.index.tolist())
            probability = pd.DataFrame(outputs.astype(float), index=ids, columns=list(trained.target.classes))
            test = test.loc[ids]
            times = look(self.models / variable, trained.name, len(test))
            result = self._validity(trained, test, probability, times, resamples, seed)
            result.provenance |= {"variable": variable, "times tested": times}
            result.save(self.results, f"{variable}-validity")
            sheet = self._sheet_of_errors(variable, test["value"], probability)
            if sheet:
                result.words.append(f"The errors, as pictures: {sheet}")
            trained.card["validity"] = json.loads(result.table.to_json(orient="records"))
            save_card(place(self.models / variable, trained.name), trained.card)
            run.counts = {"test": len(test)}
        return result

    def _validity(
        self, trained: Trained, test: pd.DataFrame, probability: pd.DataFrame, times: int, resamples: int, seed: int
    ) -> Result:
        design = codes.read_design(self.folder, trained.card["variable"])
        weights = None
        if design is not None:
            pi = design[design["order"] > 0].set_index("id")["pi"].reindex(test.index)
            weights = None if pi.isna().any() or pi.nunique() == 1 else 1 / pi
        learnt = set(test["value"]) <= set(trained.target.classes)
        result = validity(
            test["value"],
            probability.idxmax(axis=1),
            probability.reindex(columns=sorted({*probability, *test["value"]}), fill_value=0.0),
            weights=weights,
            positive=trained.card["positive"] if learnt else None,
            resamples=resamples,
            seed=seed,
            groups=test["group"],
        )
        result.title = f"Validity of {trained.card['variable']} on {len(test)} pictures never trained on"
        if weights is not None:
            result.words.append(
                "Numbers are weighted by one over each picture's probability of being drawn, so that they speak of all "
                "pictures; plain counts are in the confusion matrix."
            )
        earlier = trained.split.number - 1
        if earlier:
            result.warnings.append(f"{earlier} other test sets were frozen before this one: say so, or they flatter")
        if times > 1:
            result.warnings.append(
                f"this test set was looked at {times} times: if you changed the model because of it, its numbers "
                "flatter; report how often"
            )
        return result

    def _sheet_of_errors(self, variable: str, gold: pd.Series, probability: pd.DataFrame) -> str | None:
        predicted = probability.idxmax(axis=1)
        wrong = gold.index[gold != predicted]
        if wrong.empty:
            return None
        confident = probability.loc[wrong].max(axis=1).sort_values(ascending=False).index[:SHEET]
        captions = [f"coded {gold[id]}, said {predicted[id]} {probability.loc[id].max():.2f}" for id in confident]
        paths = self.paths(list(confident))
        title = f"{variable}: {len(wrong)} of {len(gold)} test pictures were misclassified"
        path = self.results / f"{variable}-errors.jpg"
        contact_sheet([paths[id] for id in confident], captions, title=title).save(path, quality=88)
        return str(path)
