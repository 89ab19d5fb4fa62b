"""Clusters: k-means on embeddings that gives the same answer tomorrow, with how well it separates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.metrics import silhouette_samples
from threadpoolctl import threadpool_limits

from visanda.errors import InputError

MINI_BATCH_ABOVE = 100_000  # vectors
SILHOUETTE_OF = 5_000  # vectors; its cost grows with their square


@dataclass(frozen=True)
class Clusters:
    """k clusters, numbered from 1 by size, the largest first.

    Attributes:
        numbers: (n,) the cluster of each vector, 1 to k.
        distances: (n,) to the centre of its cluster; the least is the most typical.
        silhouettes: (n,) Rousseeuw's (1987) width, −1 (in the wrong cluster) to 1; NaN outside of the sample it
            was computed on.
        centres: (k, d).
    """

    numbers: np.ndarray
    distances: np.ndarray
    silhouettes: np.ndarray
    centres: np.ndarray


def cluster(vectors: np.ndarray, k: int, seed: int) -> Clusters:
    """k-means (Lloyd 1982; k-means++ starts, the best of ten) on vectors (n, d) of length 1.

    Raises:
        InputError: k is not between 2 and one less than the number of vectors.
    """
    if not 2 <= k < len(vectors):
        raise InputError(f"k={k} clusters of {len(vectors)} pictures: choose k from 2 to {len(vectors) - 1}")
    different = len(np.unique(vectors, axis=0))
    if different < k:
        raise InputError(f"there are only {different} different pictures: choose a smaller k")
    kind = KMeans if len(vectors) <= MINI_BATCH_ABOVE else MiniBatchKMeans
    with threadpool_limits(None if len(vectors) > MINI_BATCH_ABOVE else 1):  # small work is slower in threads
        model = kind(k, n_init=10, random_state=seed).fit(vectors)
    rank = np.argsort(np.argsort(-np.bincount(model.labels_, minlength=k), kind="stable"))
    sample = np.arange(len(vectors))
    if len(vectors) > SILHOUETTE_OF:
        sample = np.random.default_rng(seed).permutation(len(vectors))[:SILHOUETTE_OF]
    widths = np.full(len(vectors), np.nan)
    widths[sample] = silhouette_samples(vectors[sample], model.labels_[sample])
    return Clusters(
        numbers=rank[model.labels_] + 1,
        distances=np.linalg.norm(vectors - model.cluster_centers_[model.labels_], axis=1),
        silhouettes=widths,
        centres=model.cluster_centers_[np.argsort(rank)],
    )
