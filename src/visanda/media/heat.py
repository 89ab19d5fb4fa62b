"""Heat: a map laid over a picture, and the scale that says what its colours mean."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from visanda.media.image import Image, ImageLike
from visanda.media.sheet import _font
from visanda.units import Box

STRENGTH = 0.6  # of the colours over the picture, which is shown in grey
COLOURS = cv2.COLORMAP_INFERNO  # its lightness rises evenly: it works in print without colours
BAR, GAP, LETTERS = 260, 14, 13


def overlay(image: ImageLike, heat: np.ndarray, region: Box | None = None, most: float | None = None) -> Image:
    """A picture in grey with a map on it: dark where the map is 0 or less, bright where it is largest.

    Args:
        image: what `Image.of` accepts.
        heat: (rows, columns) of any size.
        region: x, y, width, height in pixels of ``image.pixels`` that the map covers; all by default. What lies
            outside was not looked at, and is hatched.
        most: what is shown brightest; the largest value of the map by default.

    Example:
        >>> overlay(np.full((40, 60, 3), 99, np.uint8), np.eye(3))
        Image(60 × 40)
    """
    image = Image.of(image)
    rows, columns = image.pixels.shape[:2]
    left, top, width, height = (round(side) for side in region) if region else (0, 0, columns, rows)
    most = float(heat.max()) if most is None else most
    shares = np.clip(heat / most, 0, 1) if most > 0 else np.zeros(heat.shape)
    smooth = cv2.resize(shares.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    levels = np.rint(np.clip(smooth, 0, 1) * 255).astype(np.uint8)
    colours = cv2.applyColorMap(levels, COLOURS)[:, :, ::-1]
    grey = np.repeat(cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2).astype(np.float32)
    seen = grey[top : top + height, left : left + width]
    blended = (1 - STRENGTH) * seen + STRENGTH * colours[: seen.shape[0], : seen.shape[1]]
    unseen = _hatched(grey)
    unseen[top : top + height, left : left + width] = blended
    return Image(np.rint(unseen).astype(np.uint8), image.width, image.height)


def _hatched(grey: np.ndarray) -> np.ndarray:
    """A picture that was not looked at: pale, with lines."""
    rows, columns = grey.shape[:2]
    step = max(8, min(rows, columns) // 20)
    lines = (np.add.outer(np.arange(rows), np.arange(columns)) % step) < max(1, step // 8)
    pale = 200 + 0.2 * grey
    pale[lines] = 150
    return pale


def with_scale(sheet: Pillow.Image, low: str, high: str, note: str = "") -> Pillow.Image:
    """A sheet with the scale of its heat below: a bar between what dark and what bright says, and a note."""
    foot = 2 * GAP + 2 * LETTERS
    whole = Pillow.new("RGB", (sheet.width, sheet.height + foot), "white")
    whole.paste(sheet)
    pen, font = ImageDraw.Draw(whole), _font(LETTERS)
    bar = cv2.applyColorMap(np.tile(np.linspace(0, 255, BAR).astype(np.uint8), (LETTERS, 1)), COLOURS)[:, :, ::-1]
    middle = sheet.height + LETTERS // 2
    pen.text((GAP, middle), low, fill=(45, 45, 48), font=font, anchor="lm")
    at = GAP + round(font.getlength(low)) + GAP
    whole.paste(Pillow.fromarray(np.ascontiguousarray(bar)), (at, sheet.height))
    pen.text((at + BAR + GAP, middle), high, fill=(45, 45, 48), font=font, anchor="lm")
    pen.text((GAP, sheet.height + LETTERS + GAP), note, fill=(120, 120, 125), font=font, anchor="lm")
    return whole
