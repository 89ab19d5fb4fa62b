"""Cards: what a trained model is, made from what was really done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from visanda import codes
from visanda.codebook import SPLIT
from visanda.corpus.classify.kinds import kind_of
from visanda.corpus.classify.learnable import Learnable
from visanda.learn.trained import described
from visanda.runs import versions
from visanda.store import Store

KINDS = {
    "linear": "logistic regression on image embeddings",
    "knn": "nearest neighbours among image embeddings",
    "mlp": "a small neural network on image embeddings",
    "boosting": "gradient-boosted trees on image embeddings",
    "zeroshot": "words: zero-shot classification",
    "finetune": "a neural network, fine-tuned",
}


def card_of(
    store: Store,
    learnt: Learnable,
    name: str,
    kind: str,
    features: Mapping[str, Any],
    settings: Mapping[str, Any],
    arguments: Mapping[str, Any],
    rows: pd.DataFrame,
) -> dict[str, Any]:
    """The card of a model.

    Args:
        store: the corpus.
        learnt: what there was to learn.
        name: of the model.
        kind: linear, knn, mlp, boosting, zeroshot or finetune.
        features: what it eats.
        settings: what was chosen, by cross-validation or by whoever trained it.
        arguments: of the command.
        rows: what it learnt from.
    """
    variable, target, frozen = learnt.variable, learnt.target, learnt.frozen
    test = learnt.rows("test")
    table = str(features.get("table", ""))
    return {
        "variable": variable.name,
        "name": name,
        "kind": kind,
        "model": _words(kind, target.scale),
        "definition": variable.definition,
        "codebook version": variable.version,
        "on": kind_of(variable, learnt.gold.index.tolist()),
        "target": described(target),
        "positive": codes.positive(list(target.classes)) if len(target.classes) == 2 else None,
        "features": dict(features),
        "embedding": store.describe(table) if table else None,
        "settings": dict(settings),
        "arguments": dict(arguments),
        "split": dict(frozen.settings),
        "units": {"train": _n(rows, "train"), "validation": _n(rows, "validation"), "test": len(test)},
        "train": _counts(learnt, rows[rows["set"] == "train"]),
        "validation": _counts(learnt, rows[rows["set"] == "validation"]),
        "test": _counts(learnt, test),
        "coders": _coders(store, variable.name),
        "trained": datetime.now().astimezone().isoformat(timespec="microseconds"),
        "versions": versions(),
    }


def _words(kind: str, scale: str) -> str:
    said = KINDS.get(kind, kind)
    if kind == "linear" and scale == "interval":
        return "ridge regression on image embeddings"
    return said if kind in ("finetune", "zeroshot") or scale == "interval" else f"{said}, calibrated"


def _n(rows: pd.DataFrame, name: str) -> int:
    return int((rows["set"] == name).sum())


def _counts(learnt: Learnable, rows: pd.DataFrame) -> dict[str, int]:
    """How many units have each value, or each label; nothing of an interval scale."""
    if learnt.target.scale == "interval":
        return {}
    values = rows["value"].astype(str)
    counts = (values.str.split(SPLIT).explode() if learnt.target.scale == "multilabel" else values).value_counts()
    return {str(value): int(number) for value, number in counts.items()}


def _coders(store: Store, variable: str) -> list[str]:
    return sorted(path.stem for path in (store.folder / "codes" / variable).glob("*.csv"))
