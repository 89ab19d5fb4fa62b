"""Looks: what a model says of pictures of which parts are hidden, and what is known of them without their pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import pandas as pd

from visanda.corpus.classify.explained import Looking
from visanda.errors import InputError, MediaError
from visanda.learn.hidden import CORNERS, border_kept, boxes_hidden, centre_kept, corners_hidden
from visanda.media import Image
from visanda.media.image import ImageLike
from visanda.progress import progress
from visanda.store import Store

Box = tuple[float, float, float, float]
Way = Callable[[np.ndarray], np.ndarray]  # hides something of pixels
WHOLE, CENTRE, BORDER, NO_CORNERS, NO_TEXT = (
    "whole picture",
    "centre only",
    "border only",
    "without corners",
    "without text",
)


@dataclass(frozen=True)
class Seen:
    """What a model said of n pictures.

    Attributes:
        ids: of those that could be read.
        looks: scores (n, outputs) by what was left to see.
        facts: a row a picture: brightness, contrast and saturation, 0 to 1.
        failed: how many could not be read.
    """

    ids: list[str]
    looks: dict[str, np.ndarray]
    facts: pd.DataFrame
    failed: int


def without(corner: str) -> str:
    """The name of a look without one corner."""
    return f"without {corner} corner"


def look(
    looking: Looking, rows: pd.DataFrame, paths: Mapping[str, ImageLike], text: Mapping[str, Sequence[Box]] | None
) -> Seen:
    """Let a model look at pictures whole, and with parts hidden.

    Args:
        looking: the model.
        rows: id and fold of each picture.
        paths: where pictures are.
        text: boxes of text by id, in pixels of the originals; ``None``: text was not looked for.
    """
    ids: list[str] = []
    said: list[np.ndarray] = []
    facts = []
    ways = _ways()
    names = [*ways, *([] if text is None else [NO_TEXT])]
    with progress("look", len(rows)) as advance:
        for row in rows.to_dict("records"):
            try:
                image = looking.makes.read(paths[row["id"]])
            except (KeyError, MediaError):
                advance()
                continue
            changed = [_changed(image, looking.makes.region(image), way) for way in ways.values()]
            if text is not None:
                changed.append(_without_text(image, text.get(row["id"], ())))
            said.append(looking.eye(int(row["fold"])).scores(changed))
            facts.append(_facts(image))
            ids.append(str(row["id"]))
            advance()
    if not ids:
        raise InputError("none of the pictures can be read: add them again, or mend their paths")
    every = np.stack(said, axis=1)
    return Seen(ids, dict(zip(names, every, strict=True)), pd.DataFrame(facts, index=ids), len(rows) - len(ids))


def _ways() -> dict[str, Way]:
    """What is hidden, by the name of the look."""
    return {
        WHOLE: lambda pixels: pixels,
        CENTRE: centre_kept,
        BORDER: border_kept,
        NO_CORNERS: corners_hidden,
        **{without(corner): partial(corners_hidden, corners=[corner]) for corner in CORNERS},
    }


def _changed(image: Image, region: Box, way: Way) -> Image:
    """The picture with what the model sees of it changed."""
    left, top = math.floor(region[0]), math.floor(region[1])
    right, bottom = math.ceil(region[0] + region[2]), math.ceil(region[1] + region[3])
    pixels = np.array(image.pixels)
    pixels[top:bottom, left:right] = way(np.array(pixels[top:bottom, left:right]))
    return Image(pixels, image.width, image.height)


def _without_text(image: Image, boxes: Sequence[Box]) -> Image:
    """The picture with boxes, in pixels of the original, grey."""
    rows, columns = image.pixels.shape[:2]
    across, down = columns / image.width, rows / image.height
    scaled = [(x * across, y * down, width * across, height * down) for x, y, width, height in boxes]
    return Image(boxes_hidden(image.pixels, scaled), image.width, image.height)


def _facts(image: Image) -> dict[str, float]:
    colours = cv2.cvtColor(np.ascontiguousarray(image.pixels), cv2.COLOR_RGB2HSV)
    grey = image.pixels.mean(axis=2) / 255
    return {
        "brightness": float(grey.mean()),
        "contrast": float(grey.std()),
        "saturation": float(colours[:, :, 1].mean()) / 255,
    }


def facts_of_files(store: Store, seen: Seen) -> pd.DataFrame:
    """What is known of each picture without what it shows: size, shape, weight, format, light."""
    found = seen.facts.copy()
    media = store.frame("SELECT id, width, height, bytes, format FROM media").set_index("id").reindex(found.index)
    if media["width"].notna().any():  # of frames and faces, nothing is known but what their pixels say
        found["width"], found["height"] = media["width"].astype(float), media["height"].astype(float)
        found["aspect"] = found["width"] / found["height"]
        found["bytes_per_pixel"] = media["bytes"].astype(float) / (found["width"] * found["height"])
        found["format"] = media["format"].fillna("").astype(str)
    varying = [name for name in found if found[name].nunique(dropna=False) > 1]
    return found[varying]


def source_of(store: Store, column: str, ids: Sequence[str]) -> pd.Series:
    """A column of the table media, as text, of pictures or of the files that they lie in.

    Raises:
        InputError: there is no such column.
    """
    media = store.frame("SELECT * FROM media").set_index("id")
    if column not in media:
        raise InputError(f"the table media has no column {column!r}; it has: {', '.join(map(str, media.columns))}")
    of = [id if id in media.index else id.partition("#")[0] for id in ids]
    return pd.Series(media[column].reindex(of).fillna("").astype(str).to_numpy(), index=list(ids))


def text_boxes(store: Store, ids: Sequence[str]) -> dict[str, list[Box]] | None:
    """Boxes of text by picture, where text was looked for."""
    if "text" not in store.tables():
        return None
    found = store.frame("SELECT picture, x, y, width, height FROM text WHERE error IS NULL")
    found = found[found["picture"].isin(set(ids))]
    return {
        str(id): list(boxes[["x", "y", "width", "height"]].itertuples(index=False, name=None))
        for id, boxes in found.groupby("picture")
    }
