"""Zero-shot: which of your own words fits a picture best, without training."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from visanda.conse import ENGINE, image_vectors, scores, top_classes
from visanda.errors import InputError
from visanda.measure import Columns, measure
from visanda.media import Image
from visanda.models import imagenet


def _score_columns(labels: list[str]) -> dict[str, str]:
    """Column name → label.

    Raises:
        InputError: fewer than two labels, or two that would share a column.
    """
    if len(labels) < 2:
        raise InputError(f"zeroshot needs at least two labels, not {labels}")
    named: dict[str, str] = {}
    for label in labels:
        column = "score_" + re.sub(r"\W+", "_", label.strip().lower()).strip("_")
        if column in named:
            raise InputError(f"zeroshot cannot tell {named[column]!r} and {label!r} apart: both are {column!r}")
        named[column] = label
    return named


def _columns(labels: list[str]) -> Columns:
    return {"zeroshot": str, "engine": str, **dict.fromkeys(_score_columns(labels), float)}


@measure(
    columns=_columns,
    size=256,
    models=["efficientnet_lite0", "use_multilingual"],
    source="Norouzi et al. (2014), ConSE; Yang et al. (2020), multilingual sentence encoder",
    example={"labels": ["an animal", "a building", "a tool"]},
)
def zeroshot(images: Sequence[Image], *, labels: list[str]) -> dict[str, list[Any]]:
    """The label, of those you name in any of 16 languages, whose meaning is nearest to the picture's.

    Args:
        images: n pictures.
        labels: at least two words or phrases, split by commas on the command line.

    Returns:
        ``zeroshot`` the best label; ``engine`` ``conse``, which reaches pictures through ImageNet's vocabulary
        and knows nothing outside it; ``score_…`` the cosine similarity to each label, −1 to 1: ranks, not
        probabilities. Validate against your own codes before use.
    """
    columns = _score_columns(labels)
    _, logits = imagenet(images)
    similarity = scores(image_vectors(*top_classes(logits)), labels)
    return {
        "zeroshot": [labels[index] for index in similarity.argmax(axis=1)],
        "engine": [ENGINE] * len(images),
        **{name: similarity[:, i].astype(float).tolist() for i, name in enumerate(columns)},
    }
