"""Learn: try many heads, and see what more codes would bring; the test set stays closed."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from visanda import codes
from visanda.corpus.classify.curve_said import said_of_curve
from visanda.corpus.classify.heads import FOLDS, in_hundredths
from visanda.corpus.classify.learnable import Wanted
from visanda.corpus.classify.said import FEW
from visanda.corpus.training import Training
from visanda.learn.curve import learning_curve
from visanda.learn.frozen import write_split
from visanda.learn.split import dealt
from visanda.learn.tuning import Tuned, tune
from visanda.parts import write_bytes
from visanda.progress import progress
from visanda.result import Result

BEST = 10  # trials that are listed


class Tuning(Training):
    """Learn."""

    def tune(
        self,
        variable: str,
        *,
        trials: int = 30,
        name: str = "tuned",
        embedding: str = "embed",
        test: float | None = None,
        validation: float | None = None,
        group: list[str] | None = None,
        seed: int = 1,
    ) -> Result:
        """Try kinds of heads and their settings at random, and train the best; goes on where it was interrupted.

        The test set is never looked at: heads are compared by cross-validation, and how good the best is to be expected
        is told by cross-validating the picking, too (Varma & Simon 2006).

        Args:
            variable: what was coded.
            trials: how many.
            name: of the model that is trained in the end.
            embedding: the table of vectors to learn from.
            test: the share of coded units to test on, as of train.
            validation: as of train.
            group: as of train.
            seed: of all that is random.

        Raises:
            InputError: nobody coded the variable, too few codes, or one value only.
        """
        named = codes.check_name("model", name)
        wanted = Wanted(test, validation, [group] if isinstance(group, str) else group, seed)
        given = self._materials(variable, embedding, wanted)
        path = self.models / variable / "trials.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        truth = given.learnt.target.encode(given.rows["value"].tolist())
        groups = given.rows["group"].tolist()
        arguments = {"variable": variable, "trials": trials, "name": named, "embedding": embedding, "seed": seed}
        write_split(self.models / variable, given.learnt.frozen)  # so that what goes on after a kill has the same split
        with self.record("tune", arguments) as run, progress(f"tune {variable}", trials) as advance:
            tuned = tune(
                given.vectors,
                truth,
                given.learnt.target,
                groups,
                trials=trials,
                seed=seed,
                folds=dealt(groups, truth, FOLDS, seed),
                done=pd.read_csv(path) if path.exists() else None,
                save=lambda done: write_bytes(path, done.to_csv(index=False, lineterminator="\n").encode()),
                progress=lambda share: advance(1),
            )
            run.counts = {"trials": len(tuned.trials)}
        settings = dict(tuned.settings)
        trained = self._train_head(
            variable,
            tuned.kind,
            named,
            embedding,
            tuned.balance,
            wanted,
            {**arguments, "model": tuned.kind, "balance": tuned.balance, "tuned": settings},
            settings,
        )
        result = _said(variable, tuned, trained, numbers=given.learnt.target.scale == "interval")
        result.save(self.results, f"{variable}-tuning")
        return result

    def learning_curve(
        self,
        variable: str,
        *,
        more: int = 200,
        model: Literal["linear", "knn", "mlp", "boosting"] = "linear",
        repeats: int = 5,
        embedding: str = "embed",
        balance: bool = False,
        test: float | None = None,
        validation: float | None = None,
        group: list[str] | None = None,
        seed: int = 1,
    ) -> Result:
        """Would more codes help? How a head gets better with the number of codes, and what still more would bring.

        Heads learn from growing numbers of the codes that may be learnt from, and are tested on the others by
        cross-validation that keeps groups together; the test set is never looked at. An inverse power law is fitted
        and followed further (Figueroa et al. 2012).

        Args:
            variable: what was coded.
            more: how many further codes are thought of.
            model: the kind of head.
            repeats: how often all is done with other folds, 2 or more.
            embedding: the table of vectors to learn from.
            balance: let each value count the same, however rare.
            test: the share of coded units to test on, as of train.
            validation: as of train.
            group: as of train.
            seed: of all that is random.

        Raises:
            InputError: nobody coded the variable, or too few codes for a curve.
        """
        wanted = Wanted(test, validation, [group] if isinstance(group, str) else group, seed)
        given = self._materials(variable, embedding, wanted)
        target = given.learnt.target
        arguments = {"variable": variable, "more": more, "model": model, "repeats": repeats, "embedding": embedding}
        with (
            self.record("learning_curve", arguments | {"balance": balance, "seed": seed}) as run,
            progress(f"learning curve of {variable}", 100) as advance,
        ):
            curve = learning_curve(
                given.vectors,
                target.encode(given.rows["value"].tolist()),
                target,
                given.rows["group"].tolist(),
                more=more,
                seed=seed,
                kind=model,
                repeats=repeats,
                balance=balance,
                progress=in_hundredths(advance),
            )
            run.counts = {"codes": curve.codes}
        write_split(self.models / variable, given.learnt.frozen)
        counts = given.rows["value"].value_counts()
        rare = [] if target.scale in ("interval", "multilabel") else [str(v) for v in counts.index[counts < FEW]]
        result = said_of_curve(curve, variable, model, rare)
        result.save(self.results, f"{variable}-learning-curve")
        return result


def _said(variable: str, tuned: Tuned, trained: Result, *, numbers: bool) -> Result:
    """What was tried, the best first, and what it is worth."""
    loss = "mean squared error" if numbers else "log loss"
    balanced = ", values balanced" if tuned.balance else ""
    settings = ", ".join(f"{key} {value:g}" for key, value in tuned.settings.items())
    table = tuned.trials.sort_values("loss").head(BEST)[["trial", "kind", "balance", "settings", "loss", "spread"]]
    words = [
        f"Best of {len(tuned.trials)}: {tuned.kind} ({settings}{balanced}), cross-validated {loss} {tuned.loss:.3f}. "
        "Being the best of many, that flatters"
        + (f"; heads picked so have {tuned.honest:.3f} to be expected." if np.isfinite(tuned.honest) else ".")
    ]
    provenance = {"tuned": variable, "kind": tuned.kind, "settings": tuned.settings, "trials": len(tuned.trials)}
    draw = partial(_trials, tuned.trials, loss)
    title = f"Tuning of {variable}"
    return Result(title, table.reset_index(drop=True), words + trained.words, trained.warnings, draw, provenance)


def _trials(trials: pd.DataFrame, loss: str) -> Figure:
    """Each trial's loss, by kind."""
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    kinds = trials.groupby("kind")["loss"].min().sort_values().index.tolist()
    for place, kind in enumerate(kinds):
        losses = trials.loc[trials["kind"] == kind, "loss"]
        axes.plot(losses, np.full(len(losses), place), "o", alpha=0.6)
    axes.set_yticks(range(len(kinds)), kinds)
    axes.invert_yaxis()
    axes.set(xlabel=f"cross-validated {loss} (less is better)", title="Trials, by kind of head")
    return figure
