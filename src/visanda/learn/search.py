"""Search: the pictures nearest to words or to a picture, a few thousand vectors at a time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

from visanda.conse import TOP, image_vectors
from visanda.models import embed_texts, imagenet_labels


def nearest(batches: Iterable[tuple[list[str], np.ndarray]], query: np.ndarray, n: int) -> pd.DataFrame:
    """The ``n`` ids whose vectors have the largest dot product with ``query``: columns id, similarity."""
    best = pd.DataFrame({"id": pd.Series(dtype=str), "similarity": pd.Series(dtype=float)})
    for ids, vectors in batches:
        found = pd.DataFrame({"id": ids, "similarity": (vectors @ query).astype(float)})
        best = pd.concat([best, found]) if len(best) else found
        best = best.sort_values(["similarity", "id"], ascending=[False, True]).head(n)
    return best.reset_index(drop=True)


def embedding_batches(batches: Iterable[pa.RecordBatch], column: str) -> Iterable[tuple[list[str], np.ndarray]]:
    """Ids and vectors (n, length), float32, of record batches with columns id and ``column``."""
    for batch in batches:
        whole = batch.filter(batch.column(column).is_valid())
        if len(whole):
            flat = whole.column(column).flatten().to_numpy(zero_copy_only=False)
            yield whole.column("id").to_pylist(), flat.reshape(len(whole), -1).astype(np.float32)


def conse_batches(batches: Iterable[pa.RecordBatch]) -> Iterable[tuple[list[str], np.ndarray]]:
    """Ids and ConSE vectors (n, 512) of record batches of the table ``classify``."""
    index = {label: position for position, label in enumerate(imagenet_labels())}
    for batch in batches:
        whole = batch.filter(batch.column("labels").is_valid())
        if len(whole):
            labels = [[index[label] for label in row[:TOP]] for row in whole.column("labels").to_pylist()]
            weights = [row[:TOP] for row in whole.column("probabilities").to_pylist()]
            yield whole.column("id").to_pylist(), image_vectors(np.array(labels), np.array(weights))


def text_query(words: str) -> np.ndarray:
    """The vector (512) of words in any of 16 languages."""
    return embed_texts([words])[0]
