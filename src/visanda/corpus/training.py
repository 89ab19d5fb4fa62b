"""Learn: train models on codes; a test set is put aside first and frozen."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from dataclasses import replace as replace_in
from typing import Any, Literal

import numpy as np
import pandas as pd

from visanda import codes
from visanda.codebook import variable as in_codebook
from visanda.corpus.classify.cards import card_of
from visanda.corpus.classify.doubts import doubts_of
from visanda.corpus.classify.features import table_of_vectors, vectors_of
from visanda.corpus.classify.finetuning import together, tune_network
from visanda.corpus.classify.heads import Made, head, words
from visanda.corpus.classify.kinds import kind_of
from visanda.corpus.classify.learnable import Learnable, Wanted, learnable, nothing_coded
from visanda.corpus.classify.said import said_of_fine_tuning, said_of_training
from visanda.corpus.classify.tested import weights_of_learning
from visanda.corpus.classify.zeroshot import CONCEPTS
from visanda.corpus.classify.zeroshot import target_of as target_of_words
from visanda.corpus.coding import Coding
from visanda.corpus.handwork.defining import warned_of_undecided, warned_of_unfit
from visanda.corpus.measuring import Measuring
from visanda.learn.finetune import Settings
from visanda.learn.finetune.settings import Augment, Layers
from visanda.learn.frozen import write_split
from visanda.learn.heads.settings import Choices
from visanda.learn.split import LEAST
from visanda.learn.trained import Trained
from visanda.result import Result

Kind = Literal["linear", "knn", "mlp", "boosting", "zeroshot", "finetune"]


@dataclass(frozen=True)
class Materials:
    """What a head learns from.

    Attributes:
        learnt: the variable and its split.
        features: where the vectors come from.
        rows: the n units that may be learnt from: id, value, group, set.
        vectors: (n, d) of them.
    """

    learnt: Learnable
    features: dict[str, Any]
    rows: pd.DataFrame
    vectors: np.ndarray


WEIGHTED = (
    "Units were drawn with unequal probabilities: each counts in training as many times as it stands for, so that "
    "probabilities are those of all units and not of the sample."
)


class Training(Coding, Measuring):
    """Learn."""

    def train(
        self,
        variable: str,
        *,
        model: Kind = "linear",
        name: str | None = None,
        embedding: str | None = None,
        balance: bool = False,
        test: float | None = None,
        validation: float | None = None,
        group: list[str] | None = None,
        seed: int = 1,
        replace: bool = False,
        backbone: str = "lite0",
        layers: Layers = "partial",
        epochs: int = 20,
        batch: int = 32,
        rate: float | None = None,
        augment: Augment = "photo",
        patience: int = 5,
        side: int | None = None,
        device: str = "auto",
    ) -> Result:
        """Train a model on codes; a test set is put aside first and frozen, the same for all models of the variable.

        Codes that a head which had not seen them contradicts with confidence are listed and shown, to be looked at
        again (Northcutt, Jiang & Chuang 2021). Heads of several variables rest on the same embedding, and a unit that
        is coded for one of them only loses nothing.

        Fine-tuning that was interrupted goes on where it was, with the same command.

        Args:
            variable: what was coded; of fine-tuning, several split by commas share one network.
            model: linear (logistic or ridge regression), knn, mlp (a small neural network) or boosting (trees), all
                on embeddings; zeroshot (words of the codebook, tuned on codes where there are some); finetune (a
                network learns from the pictures themselves; extra train).
            name: of the model, where it is not its kind.
            embedding: the table of vectors to learn from, with a column embedding; embed by default. For zeroshot,
                classify (the default) or a table of the measure clip.
            balance: let each value count the same, however rare.
            test: the share of coded units to test on, 0 to 1; 0.25 by default.
            validation: the share of the others that tells fine-tuning when to stop; 0.15 by default. Heads learn from
                them too.
            group: columns of the table media whose units stay together (an author, a place); near-duplicates and what
                lies in one file always do.
            seed: of splits, folds and training.
            replace: freeze another split, test set and all, and forget fine-tuning that was interrupted.
            backbone: of fine-tuning: lite0 (inside), small (from scratch, for documents), a model of timm or
                transformers by name, or a folder with one.
            layers: that are trained: partial (the last third), frozen (the head only), full, or lora.
            epochs: how often each picture is seen, at most.
            batch: pictures a step; fewer are taken by itself where memory is short.
            rate: of learning; found by trying by default.
            augment: how pictures are varied: photo, document, text (nothing is turned or mirrored), none.
            patience: fine-tuning stops after so many epochs without a better validation loss; from scratch, after three
                times as many.
            side: pixels of the square that the network sees; what the backbone was made for by default.
            device: auto, cpu, cuda (all cards), cuda:1, mps.

        Raises:
            InputError: nobody coded the variable, too few codes, or one value only.
        """
        named = codes.check_name("model", name or model)
        wanted = Wanted(test, validation, [group] if isinstance(group, str) else group, seed, replace)
        arguments: dict[str, Any] = {
            "variable": variable,
            "model": model,
            "name": named,
            "embedding": embedding,
            "balance": balance,
        }
        arguments |= {"test": test, "validation": validation, "group": wanted.group, "seed": seed}
        if model == "finetune":
            settings = Settings(
                backbone=backbone,
                layers=layers,
                epochs=epochs,
                batch=batch,
                rate=rate,
                augment=augment,
                patience=patience,
                side=side,
                device=device,
                seed=seed,
                balance=balance,
            )
            return self._fine_tune(variable.split(","), named, settings, wanted, arguments)
        if model == "zeroshot":
            return self._train_words(variable, named, embedding or CONCEPTS, wanted, arguments)
        return self._train_head(variable, model, named, embedding or "embed", balance, wanted, arguments)

    def _fine_tune(
        self, variables: list[str], name: str, settings: Settings, wanted: Wanted, arguments: dict[str, Any]
    ) -> Result:
        """Let one network learn one or several variables from the pictures."""
        for variable in variables:  # near-duplicates must not stand on both sides of the split
            gold = codes.gold_of(self.folder, variable.strip())
            self._need("hash", kind_of(in_codebook(self.folder, variable.strip()), gold.index.tolist()))
        all_of = together(self, [variable.strip() for variable in variables], wanted)
        folder = self.models / all_of.learnt[0].variable.name / f".{name}.checkpoint"
        if wanted.replace:
            shutil.rmtree(folder, ignore_errors=True)

        def freeze() -> None:  # before it is trained, so that a run that goes on after a kill has the very same split
            for one in all_of.learnt:
                write_split(self.models / one.variable.name, one.frozen)

        with self.record("train", arguments | asdict(settings)) as run:
            models, made = tune_network(self, all_of, settings, folder, freeze)
            features = dict(made.preprocessing)
            given = arguments | {"settings": asdict(settings)}
            trained = [
                self._keep(one, model, name, "finetune", features, given)
                for one, model in zip(all_of.learnt, models, strict=True)
            ]
            shutil.rmtree(folder, ignore_errors=True)
            run.counts = {one.card["variable"]: one.card["units"] for one in trained}
        result = said_of_fine_tuning(trained, all_of.learnt, made)
        for one in trained:
            result.warnings += warned_of_undecided(self.folder, one.card["variable"])
        for one in trained:
            result.save(self.results, f"{one.card['variable']}-{name}-training")
        return result

    def _train_words(self, variable: str, name: str, table: str, wanted: Wanted, arguments: dict[str, Any]) -> Result:
        """Make a model of words; codes tune it, where there are some."""
        asked = in_codebook(self.folder, variable)
        self._need(table, asked.on)
        features = table_of_vectors(self, table, among_words=True)
        coded = any((self.folder / "codes" / variable).glob("*.csv"))
        gold = codes.gold_of(self.folder, variable) if coded else pd.Series(dtype=str)
        enough = len(gold) >= LEAST and gold.nunique() > 1  # else words must do without
        ids = vectors_of(self, features, gold.index)[0] if enough else []
        learnt = learnable(self, variable, ids, wanted) if enough else nothing_coded(asked)
        learnt = replace_in(learnt, target=target_of_words(asked))
        with self.record("train", arguments) as run:
            made = words(self, asked, learnt.rows("train", "validation"), table=table, seed=wanted.seed)
            trained = self._keep(learnt, made, name, "zeroshot", features, arguments)
            run.counts = dict(trained.card["units"])
        return said_of_training(trained, learnt)

    def _train_head(
        self,
        variable: str,
        kind: str,
        name: str,
        embedding: str,
        balance: bool,
        wanted: Wanted,
        arguments: dict[str, Any],
        settings: Choices | None = None,
    ) -> Result:
        """Train a head on vectors."""
        given = self._materials(variable, embedding, wanted)
        with self.record("train", arguments) as run:
            target = given.learnt.target
            weights = None if balance else weights_of_learning(self, variable, given.rows["id"])
            made = head(
                kind,
                given.vectors,
                given.rows,
                target,
                balance=balance,
                seed=wanted.seed,
                settings=settings,
                weights=weights,
            )
            trained = self._keep(given.learnt, made, name, kind, given.features, arguments)
            run.counts = dict(trained.card["units"])
        result = said_of_training(trained, given.learnt)
        if weights is not None:
            result.words.insert(1, WEIGHTED)
        result.warnings += [*warned_of_unfit(self.folder, variable), *warned_of_undecided(self.folder, variable)]
        if given.learnt.variable.scale != "pairwise":  # its scores are nobody's codes
            result.words[-1:-1] = doubts_of(self, trained)
        return result

    def _materials(self, variable: str, embedding: str, wanted: Wanted) -> Materials:
        """What a head learns from: everything coded but the test set."""
        gold = codes.gold_of(self.folder, variable)
        kind = kind_of(in_codebook(self.folder, variable), gold.index.tolist())
        self._need(embedding, kind)
        self._need("hash", kind)  # near-duplicates must not stand on both sides of the split
        features = table_of_vectors(self, embedding)
        ids, vectors = vectors_of(self, features, gold.index)
        learnt = learnable(self, variable, ids, wanted)
        rows = learnt.rows("train", "validation")
        place = {id: number for number, id in enumerate(ids)}
        return Materials(learnt, features, rows, vectors[[place[id] for id in rows["id"]]])

    def _keep(
        self, learnt: Learnable, made: Made, name: str, kind: str, features: dict[str, Any], arguments: dict[str, Any]
    ) -> Trained:
        """Put a model in place, and the split that it was trained on."""
        card = card_of(self, learnt, name, kind, features, made.settings, arguments, made.rows)
        trained = Trained(card, made.model, made.folds, made.rows, learnt.frozen)
        if len(learnt.frozen.sets):
            write_split(self.models / learnt.variable.name, learnt.frozen)
        trained.save(self.models / learnt.variable.name)
        return trained
