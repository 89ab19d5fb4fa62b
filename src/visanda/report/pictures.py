"""Pictures inside the page: thumbnails and figures as data, so that the file stands alone."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from visanda.errors import MediaError
from visanda.media import thumbnail
from visanda.media.image import ImageLike

SIDE = 150  # pixels of a thumbnail's longer side


@dataclass(frozen=True)
class Shown:
    """A thumbnail with its caption; ``data`` is empty where the picture could not be read."""

    id: str
    caption: str
    data: str


def shown(
    ids: Sequence[str], pictures: Mapping[str, ImageLike], captions: Sequence[str] | None = None, *, side: int = SIDE
) -> list[Shown]:
    """Thumbnails of pictures, in order."""
    captions = captions or [id.rsplit("/", 1)[-1] for id in ids]
    return [Shown(id, caption, _data(pictures.get(id), side)) for id, caption in zip(ids, captions, strict=True)]


def _data(picture: ImageLike | None, side: int) -> str:
    try:
        return "" if picture is None else jpeg_data(thumbnail(picture, side))
    except MediaError:
        return ""


def jpeg_data(data: bytes) -> str:
    """A JPEG as the address of an image."""
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def png_data(data: bytes) -> str:
    """A PNG as the address of an image."""
    return "data:image/png;base64," + base64.b64encode(data).decode()


def histogram(values: np.ndarray) -> str:
    """A small histogram of numbers, for a cell of a table, as SVG."""
    known = values[np.isfinite(values)]
    if len(known) < 2 or known.min() == known.max():
        return ""
    counts, _ = np.histogram(known, bins=24)
    heights = 26 * counts / counts.max()
    bars = "".join(
        f'<rect x="{5 * i}" y="{26 - height:.1f}" width="4" height="{height:.1f}"/>' for i, height in enumerate(heights)
    )
    return f'<svg class="spark" viewBox="0 0 120 26" width="120" height="26" aria-hidden="true">{bars}</svg>'
