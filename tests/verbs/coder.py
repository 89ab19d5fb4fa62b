"""Coders who know what every sample photo shows."""

from __future__ import annotations

import pandas as pd

from visanda.codebook import Scale, Variable, define
from visanda.corpus import Corpus


def code_by_category(corpus: Corpus, n: int = 100, seed: int = 7, variable: str = "nature") -> None:
    """Draw a sample and code it by what is known of all photos."""
    corpus.sample(variable, n=n, by=["category"], seed=seed)
    sheet = pd.read_csv(corpus.results / f"{variable}-sheet.csv", dtype=str)
    living = corpus.frame("SELECT id, living FROM media").set_index("id")["living"]
    corpus.code(variable, import_=sheet.assign(value=sheet["id"].map(living)), coder="ana")


def known(corpus: Corpus, column: str) -> pd.Series:
    """What is known of all photos, by id."""
    return corpus.frame(f'SELECT id, "{column}" FROM media').set_index("id")[column]


def code_all(
    corpus: Corpus, variable: str, values: pd.Series, scale: Scale = "nominal", allowed: tuple[str, ...] = ()
) -> None:
    """Define a variable of any scale, and let one coder say what is given, by id."""
    low, high = (0.0, 1.0) if scale == "interval" else (None, None)
    define(corpus.folder, Variable(variable, scale, allowed, low=low, high=high))
    given = pd.DataFrame({"id": values.index, "value": values.to_numpy()})
    corpus.code(variable, import_=given, coder="ana")
