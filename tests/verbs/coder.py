"""A coder who knows what every sample photo shows."""

from __future__ import annotations

import pandas as pd

from visanda.corpus import Corpus


def code_by_category(corpus: Corpus, n: int = 100, seed: int = 7, variable: str = "nature") -> None:
    """Draw a sample and code it by what is known of all photos."""
    corpus.sample(variable, n=n, by=["category"], seed=seed)
    sheet = pd.read_csv(corpus.results / f"{variable}-sheet.csv", dtype=str)
    living = corpus.frame("SELECT id, living FROM media").set_index("id")["living"]
    corpus.code(variable, import_=sheet.assign(value=sheet["id"].map(living)), coder="ana")
