"""`Detail`: a part of a picture, such as a face, that knows the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visanda.media.image import Image, ImageLike
from visanda.units import Box


@dataclass(frozen=True, slots=True, eq=False)
class Detail:
    """A part of a picture.

    Attributes:
        source: the whole picture: whatever `Image.of` accepts, decoded when it is needed.
        box: x, y, width, height in pixels of the original upright picture.
        points: x and y of landmarks in it, one after another, in the same pixels; empty where none are known.
    """

    source: ImageLike
    box: Box
    points: Sequence[float] = ()

    @property
    def whole(self) -> Image:
        """The whole picture."""
        return Image.of(self.source)

    def image(self) -> Image:
        """The box, cut out; what of it lies outside of the picture is left out."""
        return cut(self.whole, self.box)


def cut(whole: Image, box: Box) -> Image:
    """A box cut out of a picture; in a reduced picture, of its pixels."""
    x, y, width, height = box
    rows, columns = whole.pixels.shape[:2]
    left, right = _span(x, width, columns / whole.width, columns)
    top, bottom = _span(y, height, rows / whole.height, rows)
    return Image(np.ascontiguousarray(whole.pixels[top:bottom, left:right]), right - left, bottom - top)


def _span(start: int, length: int, scale: float, most: int) -> tuple[int, int]:
    """From which pixel to which, at least one."""
    first = min(max(round(start * scale), 0), most - 1)
    return first, min(max(round((start + length) * scale), first + 1), most)
