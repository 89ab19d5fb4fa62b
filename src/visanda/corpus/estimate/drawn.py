"""Drawn: the sample that the codes of an estimate were drawn by, and how probable each unit's codes were."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from visanda import codes
from visanda.errors import DesignError
from visanda.study.sampling.rounds import probability_of_codes


def shared_design(folder: Path, variables: Sequence[str]) -> tuple[pd.DataFrame | None, list[str]]:
    """The sample on which all of these variables were coded, if any was drawn; and what to say of it.

    Raises:
        DesignError: there is none that they share.
    """
    if codes.same_sample(folder, variables):
        return codes.read_design(folder, variables[0]), []
    design, named = codes.shared_rounds(folder, variables), ",".join(variables)
    if design is None:
        raise DesignError(
            f"{' and '.join(variables)} were coded on samples of their own: an estimate needs one sample in which all "
            f"were coded, as 'visanda sample {named} --n NUMBER' draws it"
        )
    return design, [
        f"Only the rounds that were drawn for {' and '.join(variables)} together count here: later ones were drawn for "
        f"some of them alone. To draw more for all: visanda sample {named} --n NUMBER --more"
    ]


def probabilities(design: pd.DataFrame, gold: Sequence[pd.Series]) -> pd.Series:
    """The probability, by id, that a unit was drawn and that all variables of it are coded.

    It is a matter of the whole draw: which rows an estimate is about changes nothing about how they were drawn.

    Args:
        design: of the sample.
        gold: the codes of each variable, by id, missing where nobody coded.
    """
    done = set.intersection(*(set(one.dropna().index) for one in gold))
    return probability_of_codes(design, done)
