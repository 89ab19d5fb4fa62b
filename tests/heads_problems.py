"""Problems that heads of every kind are tried on: a little signal, much noise, every scale."""

from __future__ import annotations

import numpy as np

from visanda.learn.target import Target

KINDS = ("linear", "knn", "mlp", "boosting")
QUICK = {  # settings with which the slow kinds are quick enough for tests
    "linear": {"penalty": (0.1, 0.01)},
    "knn": {"k": (3, 10), "sharpness": 10.0},
    "mlp": {"hidden": 8, "learning_rate": 0.02},
    "boosting": {"trees": 15, "components": 5},
}
TARGETS = {
    "binary": Target("nominal", ("no", "yes")),
    "nominal": Target("nominal", ("fish", "flag", "street")),
    "ordinal": Target("ordinal", ("none", "some", "much")),
    "interval": Target("interval", (), 0.0, 1.0),
    "multilabel": Target("multilabel", ("fire", "flag", "sign")),
}


def problem(scale: str, n: int = 90, d: int = 6, noise: float = 0.6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (n, d) of length 1, and a truth that they tell something of."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=(n, 3))
    ways = np.linalg.qr(random.normal(size=(max(d, 3), 3)))[0].T
    vectors = hidden @ ways[:, :d] + 0.1 * random.normal(size=(n, d))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    heard = hidden + noise * random.normal(size=hidden.shape)
    if scale == "interval":
        return vectors, 1 / (1 + np.exp(-heard[:, 0]))
    if scale == "multilabel":
        return vectors, (heard > 0).astype(float)
    if scale == "ordinal":
        return vectors, np.digitize(heard[:, 0], [-0.5, 0.5])
    if scale == "binary":
        return vectors, (heard[:, 0] > 0).astype(int)
    return vectors, heard.argmax(axis=1)
