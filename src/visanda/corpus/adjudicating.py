"""Adjudicate: settle where coders disagree; what is settled is gold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from cyclopts import Parameter

from visanda import codebook as book
from visanda import codes
from visanda.corpus.coding import Coding
from visanda.corpus.handwork.bringing import bring
from visanda.corpus.handwork.disagreements import blinded, disagreements, majority, put_aside, write_to_settle
from visanda.corpus.handwork.imports import read_said
from visanda.corpus.handwork.told import disagreements_result
from visanda.result import Result


class Adjudicating(Coding):
    """Code."""

    def adjudicate(
        self,
        variable: str,
        *,
        import_: Annotated[Path | pd.DataFrame | None, Parameter(name="--import")] = None,
        rule: Literal["majority"] | None = None,
        blind: bool = False,
        apart: float | None = None,
        key: str | None = None,
        value: str | None = None,
        recode: list[str] | None = None,
    ) -> Result:
        """Settle where coders disagree: writes those pictures with every coder's code, and takes in what was settled.

        Writes ``results/<variable>-adjudicate.xlsx`` (and .csv) to fill in. What is settled is kept as the codes of the
        coder ``gold``; what coders agree on is gold already.

        Args:
            variable: what was coded.
            import_: the sheet, filled in; or another table with the values that count.
            rule: majority: where more than half of three or more coders say the same, that counts.
            blind: call the coders A, B, C, in an order that does not follow their names.
            apart: of an interval scale, how far two codes must lie apart to be settled; more than a tenth of the scale
                by default.
            key: the column that names the picture; ``id`` or ``filename`` by default.
            value: the column of values; ``value`` by default.
            recode: values to put in place of others, as "Yep=yes,nope=no".

        Raises:
            InputError: nobody has coded the variable; or the table does not fit.
        """
        one = book.variable(self.folder, variable)
        said = codes.given(self.folder, one)
        words, warnings = [], []
        if import_ is not None:
            taken = bring(self, one, read_said(self, one, import_, key, value), codes.GOLD, recode or [])
            words, warnings = taken.words, taken.warnings
        if rule == "majority":
            won = majority(disagreements(codes.given(self.folder, one), one, apart), one)
            with self.record("adjudicate", {"variable": variable, "rule": rule}) as run:
                run.counts = {"settled": codes.append(self.folder, variable, codes.GOLD, won)}
            words.append(f"A majority of three or more coders settled {len(won):,} units.")
        found = disagreements(codes.given(self.folder, one), one, apart)
        found = blinded(found) if blind else found
        left = found[found["gold"] == ""]
        if import_ is None and len(left):
            stem = f"{variable}-adjudicate"
            with self.record("adjudicate", {"variable": variable, "blind": blind}) as run:
                words += put_aside(self, stem, run.stem)
                written = write_to_settle(self, left, one, stem)
                run.counts = {"to settle": len(left)}
            words.append(f"Fill in {written[0]}, with the pictures in it; then")
            words.append(f"visanda adjudicate {variable} --import results/{written[0].name}")
        twice = int((codes.independent(said).groupby("id")["coder"].nunique() > 1).sum())
        result = disagreements_result(variable, found, twice, words)
        result.warnings += warnings
        return result
