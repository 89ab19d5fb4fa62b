"""Classes: what ImageNet would call the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from visanda.arguments import Between
from visanda.conse import TOP, top_classes
from visanda.measure import measure
from visanda.media import Image
from visanda.models import imagenet, imagenet_labels


@measure(
    columns={"label": str, "probability": float, "labels": list[str], "probabilities": list[float]},
    size=256,
    models=["efficientnet_lite0"],
    source="Russakovsky et al. (2015), ImageNet; Tan & Le (2019)",
)
def classify(images: Sequence[Image], *, top: Annotated[int, Between(1, 1000)] = TOP) -> dict[str, list[Any]]:
    """The most probable of ImageNet's 1,000 classes, with readable names.

    Args:
        images: n pictures.
        top: how many classes to keep, 1 to 1000; search by words needs 10.

    Returns:
        ``label`` the best class (its first name) and its ``probability``, 0 to 1, as the model sees it, which is
        not calibrated on your pictures; ``labels`` and ``probabilities`` the ``top`` classes, best first, with all
        their names.
    """
    _, logits = imagenet(images)
    classes, probabilities = top_classes(logits, top)
    names = [[imagenet_labels()[index] for index in row] for row in classes]
    return {
        "label": [row[0].split(", ")[0] for row in names],
        "probability": probabilities[:, 0].astype(float).tolist(),
        "labels": names,
        "probabilities": probabilities.astype(float).tolist(),
    }
