"""Neighbours: the coded pictures that a prediction rests on."""

from __future__ import annotations

import numpy as np
import pandas as pd


def nearest(ids: list[str], vectors: np.ndarray, of: np.ndarray, n: int, apart: set[str] | None = None) -> pd.DataFrame:
    """The coded pictures nearest to a picture.

    Args:
        ids: of the m coded pictures.
        vectors: theirs, (m, d).
        of: the picture's, (d,).
        n: how many.
        apart: ids that do not count: the picture itself and its copies.

    Returns:
        Best first: id, ``similarity`` the cosine, −1 to 1.
    """
    cosines = _unit(vectors) @ _unit(of[None])[0]
    found = pd.DataFrame({"id": ids, "similarity": cosines.astype(float)})
    found = found[~found["id"].isin(apart or set())]
    return found.sort_values(["similarity", "id"], ascending=[False, True]).head(n).reset_index(drop=True)


def representers(
    ids: list[str],
    vectors: np.ndarray,
    truth: np.ndarray,
    scores: np.ndarray,
    of: np.ndarray,
    output: int,
    n: int,
    apart: set[str] | None = None,
) -> pd.DataFrame:
    """The coded pictures that a linear head's evidence is made of (Yeh et al. 2018).

    A ridge-penalised head is a sum over the pictures that it learnt from: each adds its residual times its product
    with the picture in question. Those it was surest of add next to nothing, however near they are.

    Args:
        ids: of the m pictures that the head learnt from.
        vectors: theirs, (m, d).
        truth: (m, outputs) 0 or 1.
        scores: (m, outputs) what the head says of them.
        of: the picture's vector, (d,).
        output: whose evidence.
        n: how many.
        apart: ids that do not count.

    Returns:
        Those that weigh most first: id, ``similarity`` the cosine, ``weight`` the share of all that speaks for or
        (below 0) against the output, −1 to 1.
    """
    weights = (truth[:, output] - scores[:, output]) * (vectors @ of)
    total = float(np.abs(weights).sum())
    found = pd.DataFrame(
        {
            "id": ids,
            "similarity": (_unit(vectors) @ _unit(of[None])[0]).astype(float),
            "weight": weights.astype(float) / total if total > 0 else 0.0,
        }
    )
    found = found[~found["id"].isin(apart or set())]
    order = found["weight"].abs().sort_values(ascending=False, kind="stable").index
    return found.loc[order].head(n).reset_index(drop=True)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
