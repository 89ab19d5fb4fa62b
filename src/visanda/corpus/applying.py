"""Learn: let a model predict every unit."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from visanda.corpus.classify.applied import from_pixels, from_vectors, say_applied
from visanda.corpus.classify.undecided import Undecided, shares_of
from visanda.corpus.measuring import Measuring
from visanda.errors import InputError
from visanda.learn.trained import Trained, load
from visanda.result import Result


class Applying(Measuring):
    """Learn."""

    def apply(
        self,
        variable: str,
        *,
        model: str | None = None,
        abstain: float | None = None,
        on: str | None = None,
        workers: int = 0,
    ) -> Result:
        """Predict every unit: calibrated probabilities and a label, in a table named after the variable.

        Each unit also gets the probabilities of a head that never saw its fold of the codes; these, not the former,
        go into corrected estimates.

        Args:
            variable: what was trained.
            model: its name; the one trained last by default.
            abstain: the highest probability of error to accept, 0 to 1: units whose predicted value is less probable
                than 1 less this are marked in <variable>_abstained.
            on: the kind of unit to predict, where it is not the one that was coded: image, frame, shot, face, object.
            workers: threads, for models that look at pictures; 0 for one a core.

        Raises:
            InputError: nothing is trained yet.
        """
        trained = load(self.models / variable, model)
        on = on or str(trained.card["on"])
        undecided = Undecided.asked(trained, abstain)
        arguments = {"variable": variable, "model": trained.name, "abstain": abstain, "on": on}
        with self.parts(variable).writing(), self.record("apply", arguments) as run:
            pixels = "pixels" in trained.card["features"]
            made = (
                from_pixels(self, trained, on, undecided, workers)
                if pixels
                else from_vectors(self, trained, on, undecided)
            )
            tables = list(made)
            if not tables:
                raise InputError(
                    f"there is no {on} to predict: measure {trained.card['features'].get('table')} --on {on}"
                )
            table = pa.concat_tables(tables, promote_options="permissive")
            table = table.select([*(name for name in table.column_names if name != "error"), "error"])
            say_applied(self, trained, on, run.stem)
            self.parts(variable).replace_all(table, run.stem)
            run.counts = {"predicted": table["error"].null_count, "failed": len(table) - table["error"].null_count}
        return self._said_of_predictions(trained, table.to_pandas(), on, undecided)

    def _said_of_predictions(self, trained: Trained, frame: pd.DataFrame, on: str, undecided: Undecided) -> Result:
        variable = trained.card["variable"]
        good = frame[frame["error"].isna()]
        words = [
            f"{len(good):,} units predicted by the model {trained.name!r}. These shares count the model's errors in: "
            f"for a share to report, visanda estimate {variable}"
        ]
        if promised := undecided.promised(trained):
            left = int(good[f"{variable}_abstained"].sum())
            words.append(f"{left:,} units ({left / max(1, len(good)):.0%}) are left undecided. {promised}")
        warnings = []
        if len(good) < len(frame):
            warnings.append(f"{len(frame) - len(good)} units could not be predicted: the column error says why")
        left_out = len(set(self.population()["id"]) - set(frame["id"])) if on == "image" else 0
        if left_out:
            table = trained.card["features"].get("table", "")
            warnings.append(f"{left_out} pictures have no row in {table}: 'visanda measure {table}' first")
        return Result(f"Predictions of {variable}", shares_of(good, variable, trained.target), words, warnings)
