"""Objects: which things are in a picture, where, and how many people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import numpy as np

from visanda.arguments import Between
from visanda.errors import InputError
from visanda.measure import Columns, Found, Row, finder
from visanda.measure.finders import boxed
from visanda.measures.hub_detectors import detector
from visanda.media import Image
from visanda.models import MODELS, Model
from visanda.models.nanodet import COCO, USUAL, Objects, detect
from visanda.units import covered

INSIDE = "nanodet_g"  # the model that visanda brings
EDGE = 0.01  # share of the picture's width or height that is the border
PEOPLE = ("person", "a person", "people")


def _columns(model: str, words: list[str], labels: list[str], score: float) -> Columns:
    """The columns of things, the same for all arguments; arguments that cannot be are refused before any work."""
    if model == INSIDE and words:
        raise InputError(
            f"objects: {INSIDE} knows COCO's 80 classes and takes no words: choose among them with labels, or give a "
            "model for words, as model=google/owlv2-base-patch16-ensemble"
        )
    if model == INSIDE:
        _check_labels(labels, COCO, model)
    elif "/" not in model and not Path(model).expanduser().is_dir():
        raise InputError(
            f"objects: there is no model {model!r}: give {INSIDE}, a detector's name on the Hugging Face Hub, as "
            "PekingU/rtdetr_r50vd, or a folder that holds one"
        )
    return {"label": str, "score": float, "share": float, "cut": bool}


def _cards(model: str, words: list[str], labels: list[str], score: float) -> list[Model]:
    return [MODELS[INSIDE] if model == INSIDE else detector(model).card]


@finder(
    finds="object",
    columns=_columns,
    per_picture={"n_objects": int, "n_people": int, "people_share": float},
    size=800,  # what the detectors of the hub see of a picture, at most
    models=_cards,
    source="RangiLyu (2021), NanoDet; classes: Lin et al. (2014), COCO",
)
def objects(
    images: Sequence[Image],
    *,
    model: str = INSIDE,
    words: list[str] = [],  # noqa: B006 (read only, and shown as the default)
    labels: list[str] = [],  # noqa: B006
    score: Annotated[float, Between(0, 1)] = 0.0,
) -> list[Found]:
    """Things in pictures, with their boxes: people, animals, vehicles, furniture; or what your own words name.

    The model inside, NanoDet-g, knows COCO's 80 classes. It is small: good on people and large animals and vehicles,
    weak on small things and crowds, and it gives things that are not among its classes the name of one that is. For
    a study take a larger one (extra ``hub``), and check a sample of boxes by eye with either:

    - a detector of the Hugging Face Hub in transformers' format, such as RT-DETR (``PekingU/rtdetr_r50vd``), DETR,
      Conditional or Deformable DETR, D-FINE and YOLOS, by name or as a folder on the disk;
    - OWL-ViT or OWLv2, which look for your own ``words`` (``google/owlv2-base-patch16-ensemble``).

    All those named are under Apache-2.0. ``name@revision`` takes a certain state of a model (a commit's hash, a tag).
    YOLOv5 and later of Ultralytics are under the AGPL, which reaches into the programs that use them, and are not
    supported. Of boxes that overlap by more than 0.8 (intersection over union), the surest stays: one row a thing.

    Args:
        images: n pictures.
        model: ``nanodet_g``, a name on the hub, or a folder.
        words: what to look for, in English, split by commas on the command line: for OWL-ViT and OWLv2 only.
        labels: keep only things of these labels, as ``person,car``; empty: all.
        score: confidence from which a thing counts, 0 to 1; 0 takes the model's usual one: 0.4 for NanoDet, 0.5 for
            detectors of the hub, 0.1 for words. Scores are no probabilities, and do not compare between models.

    Returns:
        A row a thing, the surest first: ``label``; ``score`` 0 to 1; ``share`` of the picture's area that its box
        covers, 0 to 1; ``cut`` whether the box reaches the picture's border (the nearest 1 %), so that part of the
        thing may lie outside. A row a picture: ``n_objects``; ``n_people`` boxes with the label person, and
        ``people_share`` the share of the picture that they cover together; null where people were not looked for.

    Raises:
        MissingExtra: transformers or torch is not installed, for a model of the hub.
        InputError: the model cannot be loaded; words for one that takes none, or none for one that needs them; a
            label that the model does not know.
    """
    known, look = _looking(model, words, score)
    _check_labels(labels, known, model)
    wanted = set(labels or known)
    return [_found(image, look(image), wanted) for image in images]


def _looking(model: str, words: list[str], score: float) -> tuple[Sequence[str], Callable[[Image], Objects]]:
    """The labels that a model knows, and what finds things in a picture, in pixels of the original."""
    if model == INSIDE:
        return COCO, lambda image: _nanodet(image, score or USUAL)
    loaded = detector(model)
    return loaded.known(words), lambda image: loaded.find(image, words, score)


def _nanodet(image: Image, score: float) -> Objects:
    found = detect(image.pixels, score=score)
    height, width = image.pixels.shape[:2]
    across, down = image.width / width, image.height / height
    return Objects(found.boxes * np.array([across, down, across, down], np.float32), found.labels, found.scores)


def _found(image: Image, objects: Objects, wanted: set[str]) -> Found:
    things = [
        {"box": tuple(box.tolist()), "label": label, "score": float(score), **_place(image, *box.tolist())}
        for box, label, score in zip(objects.boxes, objects.labels, objects.scores, strict=True)
        if label in wanted
    ]
    kept = boxed(image, things)  # in whole pixels, as they are stored
    people = [box for box, thing in kept if _is_person(str(thing["label"]))]
    looked = any(_is_person(label) for label in wanted)
    return Found(
        things,
        {
            "n_objects": len(kept),
            "n_people": len(people) if looked else None,
            "people_share": covered(people) / (image.width * image.height) if looked else None,
        },
    )


def _place(image: Image, x: float, y: float, width: float, height: float) -> Row:
    across, down = EDGE * image.width, EDGE * image.height
    cut = x < across or y < down or x + width > image.width - across or y + height > image.height - down
    return {"share": min(1.0, width * height / (image.width * image.height)), "cut": cut}


def _is_person(label: str) -> bool:
    return label.lower() in PEOPLE


def _check_labels(labels: Sequence[str], known: Sequence[str], model: str) -> None:
    for label in labels:
        if label not in known:
            close = get_close_matches(label, known, n=3)
            hint = f"did you mean {' or '.join(map(repr, close))}?" if close else f"It knows: {', '.join(known)}"
            raise InputError(f"objects: {model} knows no {label!r}; {hint}")
