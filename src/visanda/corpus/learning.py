"""Learn: train a classifier on codes, test it once and honestly, and let it predict every picture."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from visanda import codes
from visanda.corpus.coding import Coding
from visanda.corpus.measuring import Measuring
from visanda.errors import InputError
from visanda.learn.duplicates import groups_for_split
from visanda.learn.head import Head, fit
from visanda.learn.split import fold_of, freeze
from visanda.learn.trained import Trained, load, save_card
from visanda.media import contact_sheet
from visanda.result import Result
from visanda.runs import versions
from visanda.study.validity import validity

FOLDS = 5
SHEET = 48  # pictures on the sheet of errors


class Learning(Coding, Measuring):
    """Learn."""

    def train(
        self,
        variable: str,
        *,
        test: float = 0.25,
        group: str | None = None,
        seed: int = 1,
        replace: bool = False,
    ) -> Result:
        """Train a logistic head on embeddings; a test set is put aside first and frozen.

        Args:
            variable: what was coded.
            test: the share of coded pictures to test on, 0 to 1.
            group: a column of the table media whose pictures stay together (an author, a place); near-duplicates
                always do, where hashes were measured.
            seed: of splits and folds.
            replace: train again with another split, test set and all.

        Raises:
            InputError: nobody coded the variable, too few codes, or one value only.
        """
        folder = self.models / variable
        gold = codes.gold(codes.read(self.folder, variable))
        arguments = {"variable": variable, "test": test, "group": group, "seed": seed}
        self._need("embed")
        ids, vectors = self.vectors("embed", "embedding", gold.index)
        position = {id: i for i, id in enumerate(ids)}
        usable = gold[gold.index.isin(position)]
        groups = self._groups(usable.index.tolist(), group)
        with self.record("train", arguments) as run:
            split = self._split(variable, usable, groups, test, seed, replace)
            train = split.loc[split["set"] == "train"]
            rows = [position[id] for id in train["id"]]
            made = _fit_all(vectors[rows], train, seed)
            card = self._card(variable, arguments, split, made)
            card |= _history(folder, split)
            Trained(*made, split, card).save(folder)
            run.counts = {"train": len(train), "test": len(split) - len(train)}
        return self._train_result(variable, card, split, len(gold) - len(usable))

    def _groups(self, ids: list[str], column: str | None) -> pd.Series:
        """The group of each coded picture: near-duplicates, joined with a column of the user's.

        Only coded pictures are compared: among a million others, chance neighbours would chain them all.
        """
        groups = pd.Series(ids, index=ids)
        if "hash" in self.tables():
            hashes = self.frame("SELECT id, sha256_pixels, phash, parent FROM hash JOIN media USING (id)")
            found = groups_for_split(hashes[hashes["id"].isin(ids)])
            groups = found.reindex(ids).fillna(groups).astype(str)
        if column is None:
            return groups
        media = self.frame("SELECT * FROM media").set_index("id")
        if column not in media:
            raise InputError(f"the table media has no column {column!r}; it has: {', '.join(map(str, media.columns))}")
        given = media[column].reindex(ids)
        own = given.astype(str).where(given.notna(), groups)
        return _join_groups(groups, own)

    def _split(
        self, variable: str, gold: pd.Series, groups: pd.Series, test: float, seed: int, replace: bool
    ) -> pd.DataFrame:
        """The frozen split; codes that came since it was made go to the training set."""
        wanted = {"test": test, "seed": seed}
        if (self.models / variable / "card.json").exists() and not replace:
            before = load(self.models / variable)
            if any(before.card["arguments"][name] != value for name, value in wanted.items()):
                raise InputError(
                    f"the test set of {variable!r} is frozen (share {before.card['arguments']['test']}, seed "
                    f"{before.card['arguments']['seed']}): train with the same, or freeze another with --replace"
                )
            frozen = before.split.set_index("id")
            kept = set(frozen.loc[frozen["set"] == "test", "group"])
            sets = groups.reindex(gold.index).map(lambda name: "test" if name in kept else "train")
            sets.update(frozen["set"])
        else:
            sets = freeze(gold, groups.reindex(gold.index), test, seed)
        return pd.DataFrame(
            {
                "id": gold.index,
                "set": sets.reindex(gold.index).to_numpy(),
                "group": groups.reindex(gold.index).to_numpy(),
                "value": gold.to_numpy(),
            }
        )

    def _card(
        self, variable: str, arguments: dict[str, Any], split: pd.DataFrame, made: tuple[Head, tuple[Head, ...]]
    ) -> dict[str, Any]:
        head = made[0]
        return {
            "variable": variable,
            "model": "multinomial logistic regression on image embeddings, temperature-scaled",
            "classes": list(head.classes),
            "positive": codes.positive(list(head.classes)) if len(head.classes) == 2 else None,
            "embedding": self.describe("embed"),
            "arguments": arguments,
            "penalty": f"ridge, inverse strength {head.strength:g}, chosen by cross-validation",
            "temperature": head.temperature,
            "folds": FOLDS,
            "train": split[split["set"] == "train"]["value"].value_counts().to_dict(),
            "test": split[split["set"] == "test"]["value"].value_counts().to_dict(),
            "coders": sorted(codes.read(self.folder, variable)["coder"].unique().tolist()),
            "trained": datetime.now().astimezone().isoformat(timespec="seconds"),
            "versions": versions(),
        }

    def _train_result(self, variable: str, card: dict[str, Any], split: pd.DataFrame, without: int) -> Result:
        table = split.groupby(["value", "set"]).size().unstack(fill_value=0).reset_index()
        words = [
            f"Trained on {sum(card['train'].values())} coded pictures; the other "
            f"{sum(card['test'].values())} are a frozen test set: visanda evaluate {variable}"
        ]
        warnings = []
        if without:
            warnings.append(f"{without} coded pictures have no embedding and were left out")
        rare = [value for value, count in card["train"].items() if count < 10]
        if rare:
            warnings.append(f"fewer than 10 pictures to learn {', '.join(map(repr, rare))} from: code more of them")
        unseen = sorted(set(card["test"]) - set(card["classes"]))
        if unseen:
            warnings.append(f"values in the test set that were never learnt: {', '.join(unseen)}")
        return Result(f"Classifier of {variable}", table, words, warnings, provenance=dict(card["arguments"]))

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
        test = trained.split[trained.split["set"] == "test"].set_index("id")
        if test.empty:
            raise InputError(f"the test set of {variable!r} is empty: train with a larger --test, and --replace")
        with self.record("evaluate", {"variable": variable, "resamples": resamples, "seed": seed}) as run:
            probability = self._probabilities(trained.head, test.index.tolist())
            trained.card["times tested"] += 1
            result = self._validity(trained, test, probability, resamples, seed)
            result.provenance |= {"variable": variable, "times tested": trained.card["times tested"]}
            result.save(self.results, f"{variable}-validity")
            sheet = self._sheet_of_errors(variable, test["value"], probability)
            if sheet:
                result.words.append(f"The errors, as pictures: {sheet}")
            trained.card["validity"] = json.loads(result.table.to_json(orient="records"))
            save_card(self.models / variable, trained.card)
            run.counts = {"test": len(test)}
        return result

    def _validity(
        self, trained: Trained, test: pd.DataFrame, probability: pd.DataFrame, resamples: int, seed: int
    ) -> Result:
        design = codes.read_design(self.folder, trained.card["variable"])
        weights = None
        if design is not None:
            pi = design[design["order"] > 0].set_index("id")["pi"].reindex(test.index)
            weights = None if pi.isna().any() or pi.nunique() == 1 else 1 / pi
        learnt = set(test["value"]) <= set(trained.head.classes)
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
        earlier = trained.card["earlier test sets"]
        if earlier:
            result.warnings.append(f"{earlier} other test sets were frozen before this one: say so, or they flatter")
        times = trained.card["times tested"]
        if times > 1:
            result.warnings.append(
                f"this test set was looked at {times} times: if you changed the model because of it, its numbers "
                "flatter; report how often"
            )
        return result

    def _probabilities(self, head: Head, wanted: list[str]) -> pd.DataFrame:
        ids, vectors = self.vectors("embed", "embedding", wanted)
        return pd.DataFrame(head.probabilities(vectors), index=ids, columns=list(head.classes)).loc[wanted]

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

    def apply(self, variable: str) -> Result:
        """Predict every picture: calibrated probabilities and a label, in a table named after the variable.

        Each picture also gets the probabilities of a head that never saw its fold of the codes; these, not the
        former, go into corrected estimates.

        Args:
            variable: what was trained.

        Raises:
            InputError: nothing is trained yet.
        """
        trained = load(self.models / variable)
        groups = trained.split.set_index("id")["group"].to_dict()
        seed = trained.card["arguments"]["seed"]
        with self.parts(variable).writing(), self.record("apply", {"variable": variable}) as run:
            frames = [
                _predictions(variable, trained, ids, vectors, fold_of([groups.get(i, i) for i in ids], FOLDS, seed))
                for ids, vectors in self.vector_batches("embed", "embedding")
            ]
            frame = pd.concat(frames, ignore_index=True)
            self.parts(variable).replace_all(pa.Table.from_pandas(frame, preserve_index=False), run.stem)
            run.counts = {"predicted": len(frame)}
        shares = frame[f"{variable}_predicted"].value_counts().rename_axis("value").rename("pictures").reset_index()
        shares["share"] = shares["pictures"] / len(frame)
        left_out = len(set(self.population()["id"]) - set(frame["id"]))
        warnings = [f"{left_out} pictures have no embedding: 'visanda measure embed' first"] if left_out else []
        words = [
            f"{len(frame):,} pictures predicted. These shares count the classifier's errors in: "
            f"for a share to report, visanda estimate {variable}"
        ]
        return Result(f"Predictions of {variable}", shares, words, warnings)


def _history(folder: Path, split: pd.DataFrame) -> dict[str, int]:
    """How often this test set was looked at, and how many others were frozen before it."""
    if not (folder / "card.json").exists():
        return {"times tested": 0, "earlier test sets": 0}
    before = load(folder)
    same = set(before.split.query("set == 'test'")["id"]) == set(split.query("set == 'test'")["id"])
    earlier = before.card["earlier test sets"]
    if same:
        return {"times tested": before.card["times tested"], "earlier test sets": earlier}
    return {"times tested": 0, "earlier test sets": earlier + 1}


def _join_groups(first: pd.Series, second: pd.Series) -> pd.Series:
    """Groups that keep together whatever either of two groupings keeps together."""
    name = second.groupby(first.to_numpy()).transform("min")
    while True:
        wider = name.groupby(second.to_numpy()).transform("min")
        wider = wider.groupby(first.to_numpy()).transform("min")
        if wider.equals(name):
            return name
        name = wider


def _fit_all(vectors: np.ndarray, train: pd.DataFrame, seed: int) -> tuple[Head, tuple[Head, ...]]:
    """The head of all training pictures, and one without each fold."""
    values, groups = train["value"].tolist(), train["group"].tolist()
    head = fit(vectors, values, groups, seed)
    folds = fold_of(groups, FOLDS, seed)
    crossfit = []
    for fold in range(FOLDS):
        keep = np.flatnonzero(folds != fold)
        if len({values[i] for i in keep}) < 2:
            raise InputError(
                "without one of five folds, only one value is left to learn from: code more pictures of the rare value "
                "(near-duplicates stay in one fold: many frames of one scene count as one)"
            )
        crossfit.append(fit(vectors[keep], [values[i] for i in keep], [groups[i] for i in keep], seed))
    return head, tuple(crossfit)


def _predictions(
    variable: str, trained: Trained, ids: list[str], vectors: np.ndarray, folds: np.ndarray
) -> pd.DataFrame:
    classes = list(trained.head.classes)
    probability = trained.head.probabilities(vectors)
    crossfit = np.zeros_like(probability)
    for fold, head in enumerate(trained.crossfit):
        members = np.flatnonzero(folds == fold)
        columns = np.array([classes.index(value) for value in head.classes])
        crossfit[np.ix_(members, columns)] = head.probabilities(vectors[members])
    frame = pd.DataFrame({"id": ids, f"{variable}_predicted": [classes[i] for i in probability.argmax(axis=1)]})
    for i, value in enumerate(classes):
        frame[codes.column_name(f"{variable}_p", value)] = probability[:, i]
    for i, value in enumerate(classes):
        frame[codes.column_name(f"{variable}_crossfit", value)] = crossfit[:, i]
    return frame.assign(error=pd.Series([None] * len(frame), dtype="string"))
