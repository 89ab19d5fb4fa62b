"""`Marked`: a picture with boxes drawn on it, to look at what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from visanda.media.image import Image, ImageLike
from visanda.units import Box

INK, GROUND = (255, 221, 0), (0, 0, 0)
LINE = 1 / 180  # of the picture's longer side: a line that is still seen where the picture is shown small
LETTERS = 1 / 32


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """A picture with boxes drawn on it when it is asked for.

    Attributes:
        source: whatever `Image.of` accepts.
        boxes: x, y, width, height in pixels of the original upright picture.
        labels: what stands above each box; empty for nothing.
    """

    source: ImageLike
    boxes: Sequence[Box]
    labels: Sequence[str] = ()

    def image(self) -> Image:
        """The picture with its boxes."""
        whole = Image.of(self.source)
        drawn = Pillow.fromarray(np.array(whole.pixels))
        pen = ImageDraw.Draw(drawn)
        across, down = drawn.width / whole.width, drawn.height / whole.height
        line, letters = max(1, round(LINE * max(drawn.size))), max(9, round(LETTERS * max(drawn.size)))
        font = ImageFont.load_default(letters)
        for number, (x, y, width, height) in enumerate(self.boxes):
            corners = (x * across, y * down, (x + width) * across, (y + height) * down)
            pen.rectangle(corners, outline=INK, width=line)
            if number < len(self.labels) and self.labels[number]:
                _label(pen, self.labels[number], corners, letters, font)
        return Image(np.asarray(drawn), whole.width, whole.height)


def _label(
    pen: ImageDraw.ImageDraw,
    text: str,
    corners: tuple[float, float, float, float],
    letters: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Above the box, or inside it at the top of the picture."""
    left, top = corners[0], corners[1] - letters * 1.3
    place = (left, top if top >= 0 else corners[1])
    pen.rectangle(pen.textbbox(place, text, font=font), fill=GROUND)
    pen.text(place, text, fill=INK, font=font)
