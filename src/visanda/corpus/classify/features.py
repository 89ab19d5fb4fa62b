"""Features: what a head eats, from the tables of a corpus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from visanda.corpus.classify.zeroshot import CONCEPTS
from visanda.corpus.classify.zeroshot import vector_batches as word_batches
from visanda.errors import InputError
from visanda.store import Store

EMBEDDING = "embedding"  # the column of vectors, in every table that can be learnt from
WORDS = "concepts"  # instead of a column: vectors made of the classes that the measure classify found


def table_of_vectors(store: Store, table: str, *, among_words: bool = False) -> dict[str, str]:
    """The features of a card that learns from a table of vectors.

    Args:
        store: the corpus.
        table: of the corpus.
        among_words: the vectors are to lie in one space with words.

    Raises:
        InputError: the table is not there, or has no vectors.
    """
    store.require(table, f"measure it first, with 'visanda measure {table}'")
    if among_words and store.describe(table).get("name") == CONCEPTS:
        return {"table": table, "column": WORDS}
    if EMBEDDING not in store.column_names(table):
        raise InputError(
            f"the table {table!r} has no column {EMBEDDING!r} to learn from: give --embedding a table of embeddings, "
            "such as embed"
        )
    return {"table": table, "column": EMBEDDING}


def batches(store: Store, features: Mapping[str, object]) -> Iterator[tuple[list[str], np.ndarray]]:
    """All units that have these features, some thousands at a time: ids and vectors (n, d) float32.

    Args:
        store: the corpus.
        features: ``card["features"]`` of a model that eats vectors.

    Raises:
        InputError: the table is not there.
    """
    table, column = str(features["table"]), str(features["column"])
    store.require(table, f"the model was trained on it: 'visanda measure {table}'")
    if column == WORDS:
        yield from ((ids, vectors.astype(np.float32)) for ids, vectors in word_batches(store, table))
        return
    yield from store.vector_batches(table, column)


def vectors_of(store: Store, features: Mapping[str, object], ids: Iterable[str]) -> tuple[list[str], np.ndarray]:
    """The features of some units: ids of those that have them, in the order asked for, and vectors (n, d) float32."""
    wanted = list(dict.fromkeys(ids))
    there = set(wanted)
    found: dict[str, np.ndarray] = {}
    for names, vectors in batches(store, features):
        found |= {id: vectors[row] for row, id in enumerate(names) if id in there}
    kept = [id for id in wanted if id in found]
    return kept, np.stack([found[id] for id in kept]) if kept else np.empty((0, 0), np.float32)
