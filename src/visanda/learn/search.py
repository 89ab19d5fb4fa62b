"""Search: the pictures nearest to words or to a picture, a few thousand vectors at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from visanda.conse import TOP, image_vectors
from visanda.models import embed_texts, imagenet_labels

FEEDBACK = 5  # the best hits, from whose looks the search learns
FEEDBACK_WEIGHT = 2.0
CERTAIN = 0.6  # similarity from which words alone have found what was meant

Vectors = Iterable[tuple[list[str], np.ndarray]]


def by_example(embeddings: Vectors, example: np.ndarray) -> pd.DataFrame:
    """Every picture's cosine ``similarity`` to an example, by id, best first."""
    return _ranked(_products(embeddings, example).rename("similarity").to_frame(), "similarity")


def by_words(concepts: Vectors, words: str, embeddings: Callable[[], Vectors] | None = None) -> pd.DataFrame:
    """Rank pictures by words in any of 16 languages.

    Words are compared with pictures through ImageNet's vocabulary (ConSE, Norouzi et al. 2014). Where embeddings are
    given and words alone find nothing certain, pictures that look like the five best hits move up (pseudo-relevance
    feedback, Rocchio 1971): words that ImageNet does not know, such as windmill, are found by looks.

    Args:
        concepts: ids and ConSE vectors.
        words: what to look for.
        embeddings: gives ids and embeddings anew at each call.

    Returns:
        By id, best first: ``similarity``, the ConSE cosine, −1 to 1; ``score``, what pictures are ranked by, in
        standard deviations.
    """
    found = _products(concepts, embed_texts([words])[0]).rename("similarity").to_frame()
    found["score"] = _standard(found["similarity"])
    if embeddings is not None and len(found) > FEEDBACK and found["similarity"].max() < CERTAIN:
        looks = _looks_like(embeddings, _ranked(found, "score").index[:FEEDBACK])
        found["score"] += FEEDBACK_WEIGHT * _standard(looks).reindex(found.index).fillna(0)
    return _ranked(found, "score")


def _looks_like(embeddings: Callable[[], Vectors], best: pd.Index) -> pd.Series:
    """Cosine of each picture's deviation from the mean picture to that of the best hits (other than itself)."""
    wanted, count = set(best), 0
    mine: dict[str, np.ndarray] = {}
    total: np.ndarray | float = 0.0
    for ids, vectors in embeddings():
        total = total + vectors.sum(axis=0, dtype=float)
        count += len(vectors)
        mine |= {id: vectors[i] for i, id in enumerate(ids) if id in wanted}
    if len(mine) < 2:
        return pd.Series(dtype=float)
    middle = np.asarray(total / count, np.float32)
    hits = _unit(np.array(list(mine.values())) - middle)
    looks = _products(((ids, _unit(vectors - middle)) for ids, vectors in embeddings()), hits.mean(axis=0))
    others = (hits.sum(axis=0) - hits) / (len(hits) - 1)  # a wrong hit must not vouch for itself
    looks[list(mine)] = (hits * others).sum(axis=1)
    return looks


def _products(batches: Vectors, query: np.ndarray) -> pd.Series:
    found = [pd.Series((vectors @ query).astype(float), index=ids) for ids, vectors in batches]
    return pd.concat(found) if found else pd.Series(dtype=float)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _standard(values: pd.Series) -> pd.Series:
    spread = values.std()
    return (values - values.mean()) / (spread if spread > 0 else 1.0)


def _ranked(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Best first; equals by id, so that the same search gives the same list."""
    return frame.rename_axis("id").sort_index().sort_values(column, ascending=False, kind="stable")


def concept_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[list[str], np.ndarray]]:
    """Ids and ConSE vectors (n, 512) of record batches of the table ``classify``."""
    index = {label: position for position, label in enumerate(imagenet_labels())}
    for batch in batches:
        whole = batch.filter(batch.column("labels").is_valid())
        if len(whole):
            labels = [[index[label] for label in row[:TOP]] for row in whole.column("labels").to_pylist()]
            weights = [row[:TOP] for row in whole.column("probabilities").to_pylist()]
            yield whole.column("id").to_pylist(), image_vectors(np.array(labels), np.array(weights))
