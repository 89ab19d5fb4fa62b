"""Sizes by which a sample favours units: the machine's doubt, likeness to words or to pictures, or a column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from visanda import codes
from visanda.corpus.handwork.sample_columns import column_of
from visanda.errors import InputError
from visanda.learn.search import by_example, by_words, concept_batches
from visanda.store import Store, quoted
from visanda.study.sampling.allocation import spread_of_codes, spread_of_residuals
from visanda.study.sampling.uncertainty import doubt, likeness

UNCERTAIN = "uncertain"
UNSURE_WORDS = 0.5  # similarity of the best hit below which words may not have been understood


@dataclass(frozen=True)
class Sizes:
    """What probabilities are proportional to.

    Attributes:
        size: by id, 0 or more.
        what: where it comes from, in words.
        warnings: what a careful reader must know.
    """

    size: pd.Series
    what: str
    warnings: list[str] = field(default_factory=list)


def by_doubt(store: Store, variable: str, population: pd.DataFrame, interval: bool) -> Sizes:
    """The standard deviation of each unit's value around its prediction, cross-fitted where there is one.

    Raises:
        InputError: no classifier was applied, or its table holds no probabilities.
    """
    if variable not in store.tables():
        raise InputError(
            f"there are no predictions of {variable!r} to be uncertain about: code a first sample, then 'visanda train "
            f"{variable}' and 'visanda apply {variable}'"
        )
    frame = store.frame(f"SELECT * FROM {quoted(variable)}").set_index("id")
    crossfit = [str(name) for name in frame if str(name).startswith(f"{variable}_crossfit_")]
    plain = [str(name) for name in frame if str(name).startswith(f"{variable}_p_")]
    bounds = {f"{variable}_low", f"{variable}_high"}
    warnings = []
    if crossfit or plain:
        size = pd.Series(doubt(frame[crossfit or plain].to_numpy(dtype=float)), index=frame.index)
    elif interval and bounds <= set(frame):
        size = (frame[f"{variable}_high"] - frame[f"{variable}_low"]).astype(float)
    else:
        raise InputError(
            f"the table {variable!r} holds neither probabilities nor intervals, so nothing says which predictions are "
            f"in doubt: 'visanda apply {variable}' again" + (" with intervals (--sets)" if interval else "")
        )
    if not crossfit and _learnt_from(store, variable):
        warnings.append(
            f"the predictions of {variable!r} are not cross-fitted: the model has seen the codes of earlier rounds, so "
            "that a unit's own code changed its probability, and π is not exact; a head on embeddings ('visanda train "
            f"{variable} --model linear') keeps it"
        )
    return Sizes(
        _checked(size, population, warnings, "prediction"), f"how uncertain the machine is of {variable}", warnings
    )


def _learnt_from(store: Store, variable: str) -> bool:
    """Whether there are codes that the predictions may have been learnt from."""
    return any((store.folder / "codes" / variable).glob("*.csv"))


def by_text(store: Store, words: str, population: pd.DataFrame) -> Sizes:
    """Likeness to words, by ``visanda search``.

    Raises:
        InputError: nothing was classified, or nothing is any more like the words than the rest.
    """
    store.require("classify", "'visanda measure classify embed' first, for search by words")
    batches = concept_batches(store.parts("classify").batches(["id", "labels", "probabilities"]))
    embeddings = (lambda: store.vector_batches("embed", "embedding")) if "embed" in store.tables() else None
    found = by_words(batches, words, embeddings)
    found = found[found.index.isin(set(population["id"]))]
    if found.empty or not found["score"].std(ddof=0) > 0:
        raise InputError(f"no unit is like {words!r}, or all are alike: 'visanda search' shows what words find")
    warnings, best = [], float(found["similarity"].max())
    if best < UNSURE_WORDS:
        warnings.append(
            f"the best similarity to {words!r} is {best:.2f}: perhaps nothing shows it. Look at 'visanda search "
            f'"{words}"\' before anybody codes; estimates stay valid in any case, but may gain nothing'
        )
    return Sizes(
        _checked(likeness(found["score"]), population, warnings, "classification"), f"likeness to {words!r}", warnings
    )


def by_pictures(store: Store, examples: list[str], population: pd.DataFrame, example: Callable[[str], Any]) -> Sizes:
    """Likeness to the nearest of some pictures, by their embeddings.

    Args:
        store: the corpus.
        examples: ids of the corpus, or files.
        population: a row a unit, with id.
        example: gives the embedding of one of them.

    Raises:
        InputError: nothing was embedded; a picture is not there.
    """
    store.require("embed", "'visanda measure embed' first, for search by example")
    found = [
        by_example(store.vector_batches("embed", "embedding"), np.asarray(example(one)))["similarity"]
        for one in examples
    ]
    nearest = pd.concat(found, axis=1).max(axis=1)
    nearest = nearest[nearest.index.isin(set(population["id"]))]
    if nearest.empty or not nearest.std(ddof=0) > 0:
        raise InputError(f"no unit is any more like {', '.join(examples)} than the others")
    warnings: list[str] = []
    size = _checked(likeness(nearest), population, warnings, "embedding")
    return Sizes(size, f"likeness to {', '.join(examples)}", warnings)


def by_column(store: Store, name: str, population: pd.DataFrame) -> Sizes:
    """A column of any table.

    Raises:
        InputError: it is not there, holds text, or numbers below 0.
    """
    values = column_of(store, population, name)
    if not pd.api.types.is_numeric_dtype(values):
        raise InputError(f"the column {name!r} holds text: favour by a number of 0 or more")
    size = pd.Series(values.to_numpy(dtype=float, na_value=np.nan), index=population["id"].to_numpy())
    if (size < 0).any() or np.isinf(size).any():
        raise InputError(f"the column {name!r} holds numbers below 0 or infinite ones: sizes are 0 or more")
    if not size.sum() > 0:
        raise InputError(f"the column {name!r} is 0 or missing everywhere: nothing is favoured")
    warnings: list[str] = []
    return Sizes(_checked(size, population, warnings, "value"), name, warnings)


def _checked(size: pd.Series, population: pd.DataFrame, warnings: list[str], what: str) -> pd.Series:
    """Sizes of the population's units; those without one count as 0, which leaves them the floor."""
    mine = size.reindex(population["id"])
    if missing := int(mine.isna().sum()):
        warnings.append(f"{missing:,} units have no {what}: they are drawn by the floor alone")
    return mine.fillna(0.0)


def guessed_spread(store: Store, variable: str, population: pd.DataFrame, stratum: pd.Series) -> tuple[pd.Series, str]:
    """The guessed standard deviation by stratum, for Neyman's allocation, and where it comes from.

    Raises:
        InputError: there are neither predictions nor codes.
    """
    by_id = stratum.set_axis(population["id"].to_numpy())
    predicted = (
        store.frame(f"SELECT * FROM {quoted(variable)} LIMIT 0") if variable in store.tables() else pd.DataFrame()
    )
    if any(str(name).startswith((f"{variable}_crossfit_", f"{variable}_p_")) for name in predicted):
        sizes = by_doubt(store, variable, population, interval=False)
        return spread_of_residuals(by_id, sizes.size), "what predictions leave open"
    if _learnt_from(store, variable):
        gold = codes.gold_of(store.folder, variable)
        gold = gold[gold.index.isin(by_id.index)]
        if len(gold):
            return spread_of_codes(by_id, gold), f"{len(gold):,} codes"
    raise InputError(
        f"Neyman's allocation draws more where values differ more, and nothing says yet where those of {variable!r} "
        f"do: code a first sample (--allocate proportional, then --more), or 'visanda train {variable}' and 'visanda "
        f"apply {variable}'"
    )
