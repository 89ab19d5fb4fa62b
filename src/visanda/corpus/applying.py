"""Learn: let a model predict every unit, here and elsewhere; and let it travel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow as pa
from cyclopts import Parameter

from visanda.corpus.classify.applied import from_pixels, from_vectors, imported_here, say_applied
from visanda.corpus.classify.drift import drift, drift_elsewhere
from visanda.corpus.classify.elsewhere import predictions
from visanda.corpus.classify.exported import export, imported
from visanda.corpus.classify.listed import listed
from visanda.corpus.classify.said import contradicted
from visanda.corpus.classify.undecided import Undecided, shares_of
from visanda.corpus.measuring import Measuring
from visanda.corpus.sampling import Sampling
from visanda.errors import InputError
from visanda.learn.trained import Trained, load
from visanda.result import Result

UNTESTED = "How good the model is on other pictures than those it was tested on, nobody knows: code some of them."


class Applying(Sampling, Measuring):
    """Learn."""

    def apply(
        self,
        variable: str,
        *,
        model: str | None = None,
        to: list[Path] | None = None,
        from_: Annotated[Path | None, Parameter(name="--from")] = None,
        abstain: float | None = None,
        conformal: float | None = None,
        on: str | None = None,
        workers: int = 0,
    ) -> Result:
        """Predict every unit: calibrated probabilities and a label, in a table named after the variable.

        Each unit also gets the probabilities of a head that never saw its fold of the codes; these, not the former,
        go into corrected estimates. Stop and start again at will: what a network has looked at is kept.

        Args:
            variable: what was trained.
            model: its name; the one trained last by default.
            to: files and folders outside of the corpus to predict instead; a row a file goes into
                results/<variable>-on-<folder>.csv.
            from_: a folder with a model that somebody exported; nothing needs to be trained or coded here.
            abstain: the highest probability of error to accept, 0 to 1: units whose predicted value is less probable
                than 1 less this are marked in <variable>_abstained; of several labels, where any is as uncertain.
            conformal: the share of units whose set of values, or interval, may miss the truth, 0 to 1: adds
                <variable>_set (yes|no where both may be), or <variable>_low and <variable>_high. The promise is for
                units like the coded ones.
            on: the kind of unit to predict, where it is not the one that was coded: image, frame, shot, face, object.
            workers: threads, for models that look at pictures; 0 for one a core.

        Raises:
            InputError: nothing is trained yet, or nothing is there to predict.
            CorpusError: the model is damaged.
        """
        if from_ is not None and model is not None:
            raise InputError("give --model or --from, not both")
        trained = imported(Path(from_)) if from_ is not None else load(self.models / variable, model)
        if trained.card["variable"] != variable:
            raise InputError(f"the model in {from_} predicts {trained.card['variable']!r}: visanda apply that")
        undecided = Undecided.asked(trained, abstain, conformal)
        arguments = {"variable": variable, "model": trained.name, "from": from_, "to": to, "abstain": abstain}
        arguments |= {"conformal": conformal, "on": on}
        if to is not None:
            return self._apply_elsewhere(trained, [to] if isinstance(to, str | Path) else to, undecided, arguments)
        on = on or str(trained.card["on"])
        with self.parts(variable).writing(), self.record("apply", arguments) as run:
            if from_ is not None:
                made = from_pixels(self, trained, imported_here(from_), on, undecided, workers)
            elif "pixels" in trained.card["features"]:
                made = from_pixels(self, trained, None, on, undecided, workers)
            else:
                made = from_vectors(self, trained, on, undecided)
            tables = list(made)
            if not tables:
                what = trained.card["features"].get("table", "media")
                raise InputError(f"there is no {on} in the table {what!r} to predict")
            table = pa.concat_tables(tables, promote_options="permissive")
            table = table.select([*(name for name in table.column_names if name != "error"), "error"])
            say_applied(self, trained, from_, on, run.stem)
            self.parts(variable).replace_all(table, run.stem)
            failed = len(table) - table["error"].null_count
            run.counts = {"predicted": len(table) - failed, "failed": failed}
        result = self._said_of_predictions(trained, table.to_pandas(), on, undecided)
        return result if from_ is None else replace(result, words=[*result.words, UNTESTED])

    def _apply_elsewhere(
        self, trained: Trained, to: list[Path], undecided: Undecided, arguments: dict[str, Any]
    ) -> Result:
        """Predict files that are not in the corpus."""
        variable = str(trained.card["variable"])
        paths = [Path(one).expanduser() for one in to]
        with self.record("apply", arguments) as run:
            table = predictions(trained, paths, undecided)
            first = paths[0].resolve()
            path = self.results / f"{variable}-on-{first.name if first.is_dir() else first.stem}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            table.to_csv(path, index=False)
            failed = int(table["error"].notna().sum())
            run.counts = {"predicted": len(table) - failed, "failed": failed}
        result = _result(trained, table, undecided)
        drifted = drift_elsewhere(trained, table)
        if drifted is not None:
            drifted.title = f"{variable}: coded units, and these files"
            drifted.save(self.results, f"{path.stem}-drift")
            result.words += [*drifted.words, f"What is said of coded units and of these: {path.stem}-drift.png"]
            result.warnings += drifted.warnings
        result.words.insert(0, f"A row a file: {path}")
        result.words.append(UNTESTED)
        return result

    def _said_of_predictions(self, trained: Trained, frame: pd.DataFrame, on: str, undecided: Undecided) -> Result:
        result = _result(trained, frame, undecided)
        variable, table = trained.card["variable"], trained.card["features"].get("table")
        result.words.append(f"For a share or a mean to report, visanda estimate {variable}")
        left_out = len(set(self.population(on=on)["id"]) - set(frame["id"]))
        if left_out:
            hint = f" (visanda measure {table}{'' if on == 'image' else f' --on {on}'})" if table else ""
            result.warnings.append(f"{left_out} units were not predicted, having no row in {table}{hint}")
        drifted = drift(self, trained, frame)
        if drifted is not None:
            drifted.save(self.results, f"{variable}-drift")
            result.words += [
                *drifted.words,
                f"Coded and other units compared: {self.results / f'{variable}-drift.png'}",
            ]
            result.warnings += drifted.warnings
        return result

    def models_list(self) -> pd.DataFrame:
        """The trained models of this corpus: what each predicts, what it learnt from, whether it was tested."""
        return listed(self)

    def models_export(self, variable: str, folder: Path, *, model: str | None = None) -> Result:
        """Write a model into a folder that opens anywhere: ONNX, labels, split, model card, and a script that predicts.

        The script needs numpy and onnxruntime, and Pillow to open pictures; no visanda. Others use the folder with
        'visanda apply VARIABLE --from FOLDER'.

        Args:
            variable: what was trained.
            folder: where; an earlier export there is replaced.
            model: its name; the one trained last by default.

        Raises:
            InputError: nothing is trained, or the folder holds something else.
        """
        trained = load(self.models / variable, model)
        with self.record("models export", {"variable": variable, "model": trained.name, "folder": folder}):
            files = export(self, trained, Path(folder).expanduser())
        table = pd.DataFrame({"file": [path.name for path in files], "bytes": [path.stat().st_size for path in files]})
        words = [
            f"The model {trained.name!r} of {variable} is in {folder}; README.md is its card. split.csv names the "
            "units that it was trained and tested on: see that their names may be given away."
        ]
        warnings = [] if trained.card.get("validity") else [f"it was not tested: visanda evaluate {variable}"]
        return Result(f"Export of {variable}", table, words, warnings)


def _result(trained: Trained, frame: pd.DataFrame, undecided: Undecided) -> Result:
    variable = trained.card["variable"]
    good = frame[frame["error"].isna()]
    words = [f"{len(good):,} units predicted by the model {trained.name!r}."]
    if undecided.abstain is not None:
        left = int(good[f"{variable}_abstained"].astype(bool).sum())
        share = left / max(1, len(good))
        words.append(f"{left:,} of them ({share:.0%}) are left undecided. {undecided.promised(trained)}")
    if undecided.threshold is not None:
        several = good[f"{variable}_set"].str.contains("|", regex=False).mean()
        words.append(f"Conformal sets: {several:.0%} of units may have more than one value.")
    if undecided.width is not None:
        words.append(f"Conformal intervals reach {undecided.width:.3g} to either side.")
    warnings = []
    if not len(trained.rows) and not trained.card.get("validity"):
        warnings.append(
            f"nobody knows how often this is right: no code of {variable} stands against it. Code a random sample "
            f"('visanda sample {variable} --n 100'), train again, and 'visanda evaluate {variable}'"
        )
    elif not trained.card.get("validity"):
        warnings.append(f"the model was not tested yet: visanda evaluate {variable}")
    elif said := contradicted(trained):
        warnings.append(said)
    if len(good) < len(frame):
        warnings.append(f"{len(frame) - len(good)} could not be predicted: the column error says why")
    return Result(f"Predictions of {variable}", shares_of(good, variable, trained.target), words, warnings)
