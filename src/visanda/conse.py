"""ConSE: pictures and words in one space without a model that has seen both (Norouzi et al. 2014).

A picture becomes the mean of the text embeddings of its most probable ImageNet classes, weighted by their
probability. It knows ImageNet's vocabulary and nothing else; it is not CLIP.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from visanda.models import embed_texts, imagenet_labels

ENGINE = "conse"
TOP = 10


@cache
def _label_vectors() -> np.ndarray:
    """(1000, 512): the text embedding of each class's first two names."""
    return embed_texts([", ".join(label.split(", ")[:2]) for label in imagenet_labels()])


@cache
def centre() -> np.ndarray:
    """(512,): the mean of the classes' vectors, which all pictures share and which says nothing of any of them."""
    return _label_vectors().mean(axis=0)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (n, k) of logits (n, k)."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def image_vectors(classes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Where pictures lie among the words: (n, 512), of length 1.

    Args:
        classes: (n, k) indices of each picture's most probable ImageNet classes.
        probabilities: (n, k) their probabilities.
    """
    vectors = np.einsum("nk,nkd->nd", probabilities, _label_vectors()[classes])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def top_classes(logits: np.ndarray, top: int = TOP) -> tuple[np.ndarray, np.ndarray]:
    """The ``top`` most probable classes: their indices (n, top) and probabilities (n, top), best first."""
    probabilities = softmax(logits)
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    return order, np.take_along_axis(probabilities, order, axis=1)


def scores(vectors: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """Cosine similarities (n, number of texts), −1 to 1, between pictures' vectors and texts."""
    by_text = embed_texts(texts)
    # One picture at a time: a product of matrices rounds differently for another number of pictures.
    return np.array([by_text @ vector for vector in vectors]).reshape(len(vectors), len(texts))
