"""Changing a picture: cutting, scaling, turning, taking its colour away; each a pure function.

Each takes what `Image.of` takes and gives a new `Image`. Boxes are in pixels of the original
picture (``image.width``, ``image.height``) even where ``image.pixels`` is a reduced version of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image as Pillow

from visanda.errors import InputError
from visanda.media.image import Image, ImageLike

Box = tuple[float, float, float, float]


def crop(image: ImageLike, box: str | Box) -> Image:
    """Cuts out a box.

    Args:
        image: what `Image.of` accepts.
        box: as in W3C Media Fragments: ``"x,y,width,height"`` (or a tuple of four numbers) in pixels of the
            original, or ``"percent:x,y,width,height"`` in percent of its sides. x and y count from the upper
            left corner.

    Raises:
        InputError: the box is not four numbers, is empty, or reaches outside of the picture.

    Example:
        >>> picture = np.zeros((100, 200, 3), np.uint8)
        >>> crop(picture, "10,20,50,40")
        Image(50 × 40)
        >>> crop(picture, "percent:25,25,50,50")
        Image(100 × 50)
    """
    image = Image.of(image)
    x, y, width, height = _pixel_box(box, image.width, image.height)
    rows, columns = image.pixels.shape[:2]
    left, right = _held(x, width, image.width, columns)
    top, bottom = _held(y, height, image.height, rows)
    pixels = np.ascontiguousarray(image.pixels[top:bottom, left:right])
    return Image(pixels, max(1, round(width)), max(1, round(height)))


def crop_centre(
    image: ImageLike, width: int | None = None, height: int | None = None, aspect: str | float | None = None
) -> Image:
    """Cuts out the middle, either of a given size or the largest part of given proportions.

    Args:
        image: what `Image.of` accepts.
        width: pixels of the original; with ``height``.
        height: pixels of the original; with ``width``.
        aspect: width to height, such as ``"16:9"``, ``"1:1"`` or 1.5; instead of a size.

    Raises:
        InputError: neither or both are given, or the part is larger than the picture.

    Example:
        >>> picture = np.zeros((100, 200, 3), np.uint8)
        >>> crop_centre(picture, 60, 40)
        Image(60 × 40)
        >>> crop_centre(picture, aspect="1:1")
        Image(100 × 100)
    """
    image = Image.of(image)
    if aspect is not None and width is None and height is None:
        proportion = _proportion(aspect)
        width = max(1, min(image.width, round(image.height * proportion)))
        height = max(1, min(image.height, round(image.width / proportion)))
    elif aspect is not None or width is None or height is None:
        raise InputError('give width and height, or aspect (such as "1:1") alone')
    return crop(image, ((image.width - width) // 2, (image.height - height) // 2, width, height))


def resize(image: ImageLike, width: int | None = None, height: int | None = None, how: str = "fit") -> Image:
    """Scales to a size in pixels; smaller by averaging areas, larger by cubic interpolation.

    Args:
        image: what `Image.of` accepts.
        width: pixels, at least 1; may be left out where ``how`` is ``"fit"``.
        height: pixels, at least 1; may be left out where ``how`` is ``"fit"``.
        how: ``"fit"`` keeps the proportions and touches the box from inside; ``"fill"`` keeps them, covers
            the box and cuts off what sticks out on both sides; ``"exact"`` distorts.

    Raises:
        InputError: a side is missing or below 1, or ``how`` is another word.

    Example:
        >>> picture = np.zeros((100, 200, 3), np.uint8)
        >>> resize(picture, 50, 50), resize(picture, 50, 50, how="fill"), resize(picture, height=10)
        (Image(50 × 25), Image(50 × 50), Image(20 × 10))
    """
    image = Image.of(image)
    if how not in ("fit", "fill", "exact"):
        raise InputError(f'how must be "fit", "fill" or "exact", not {how!r}')
    if any(side is not None and side < 1 for side in (width, height)) or (width is None and height is None):
        raise InputError(f"width and height must be at least 1 pixel, not {width} × {height}")
    across = math.inf if width is None else width / image.width
    down = math.inf if height is None else height / image.height
    if how == "fit":
        scale = min(across, down)
        return _scaled(image, max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if width is None or height is None:
        raise InputError(f'how="{how}" needs both width and height')
    if how == "exact":
        return _scaled(image, width, height)
    scale = max(across, down)
    covering = _scaled(image, max(width, round(image.width * scale)), max(height, round(image.height * scale)))
    return crop_centre(covering, width, height)


def rotate(image: ImageLike, degrees: float, expand: bool = True) -> Image:
    """Turns a picture counter-clockwise; quarter turns are lossless, others interpolate and fill with white.

    Args:
        image: what `Image.of` accepts.
        degrees: counter-clockwise; negative for clockwise.
        expand: True keeps all of the picture and grows the frame; False keeps the frame and loses corners.

    Raises:
        InputError: ``degrees`` is not a finite number.

    Example:
        >>> rotate(np.zeros((100, 200, 3), np.uint8), 90)
        Image(100 × 200)
    """
    image = Image.of(image)
    if not math.isfinite(degrees):
        raise InputError(f"degrees must be a finite number, not {degrees}")
    rows, columns = image.pixels.shape[:2]
    turned = Pillow.fromarray(image.pixels).rotate(
        degrees, Pillow.Resampling.BICUBIC, expand=expand, fillcolor=(255, 255, 255)
    )
    if not expand or degrees % 180 == 0:
        width, height = image.width, image.height
    elif degrees % 90 == 0:
        width, height = image.height, image.width
    else:
        width = round(turned.width * image.width / columns)
        height = round(turned.height * image.height / rows)
    return Image(np.asarray(turned), width, height)


def flip(image: ImageLike, axis: str = "horizontal") -> Image:
    """Mirrors a picture.

    Args:
        image: what `Image.of` accepts.
        axis: ``"horizontal"`` swaps left and right, ``"vertical"`` top and bottom.

    Raises:
        InputError: ``axis`` is another word.

    Example:
        >>> flip(np.array([[1, 2, 3]], np.uint8)).pixels[0, :, 0].tolist()
        [3, 2, 1]
    """
    image = Image.of(image)
    if axis not in ("horizontal", "vertical"):
        raise InputError(f'axis must be "horizontal" or "vertical", not {axis!r}')
    return _same_size(image, image.pixels[:, ::-1] if axis == "horizontal" else image.pixels[::-1])


def greyscale(image: ImageLike) -> Image:
    """Takes the colour away: luma (0.299 R + 0.587 G + 0.114 B, ITU-R BT.601) in all three channels.

    Example:
        >>> greyscale(np.full((1, 1, 3), (255, 0, 0), np.uint8)).pixels[0, 0].tolist()
        [76, 76, 76]
    """
    image = Image.of(image)
    return _same_size(image, cv2.cvtColor(cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


def equalise(image: ImageLike) -> Image:
    """Spreads the brightness over the whole range (histogram equalisation of luma in YCrCb), colours kept.

    Example:
        >>> equalise(np.array([[100, 110, 120]], np.uint8)).pixels[0, :, 0].tolist()
        [0, 128, 255]
    """
    image = Image.of(image)
    channels = cv2.cvtColor(image.pixels, cv2.COLOR_RGB2YCrCb)
    channels[:, :, 0] = cv2.equalizeHist(np.ascontiguousarray(channels[:, :, 0]))
    return _same_size(image, cv2.cvtColor(channels, cv2.COLOR_YCrCb2RGB))


STEPS: dict[str, Callable[..., Image]] = {
    "crop": crop,
    "crop_centre": crop_centre,
    "resize": resize,
    "rotate": rotate,
    "flip": flip,
    "greyscale": greyscale,
    "equalise": equalise,
}
"""The steps by name, as a corpus runs them over all its pictures."""


def _same_size(image: Image, pixels: np.ndarray) -> Image:
    return Image(np.ascontiguousarray(pixels), image.width, image.height)


def _scaled(image: Image, width: int, height: int) -> Image:
    rows, columns = image.pixels.shape[:2]
    # Averaging is right where pixels are lost; OpenCV's INTER_AREA enlarges in blocks.
    shrinks = width <= columns and height <= rows
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return Image(cv2.resize(image.pixels, (width, height), interpolation=how), width, height)


def _pixel_box(box: str | Box, width: int, height: int) -> Box:
    """The box in pixels of the original, checked to lie inside of it."""
    unit, _, numbers = box.rpartition(":") if isinstance(box, str) else ("", "", box)
    try:
        x, y, across, down = (float(n) for n in (numbers.split(",") if isinstance(numbers, str) else numbers))
    except (TypeError, ValueError):
        raise InputError(f'a box is four numbers, "x,y,width,height", not {box!r}') from None
    if unit == "percent":
        x, y, across, down = x * width / 100, y * height / 100, across * width / 100, down * height / 100
    elif unit not in ("", "pixel"):
        raise InputError(f'a box is in "pixel:" or "percent:", not {unit!r}')
    if not (across > 0 and down > 0):
        raise InputError(f"the box {box!r} is empty: width and height must be above 0")
    slack = 1e-6 * max(width, height)  # thirds and the like do not add up to 100 percent in floating point
    if not (x >= 0 and y >= 0 and x + across <= width + slack and y + down <= height + slack):
        raise InputError(f"the box {box!r} reaches outside of the picture ({width} × {height} pixels)")
    return x, y, across, down


def _held(start: float, length: float, original: int, held: int) -> tuple[int, int]:
    """First and past-the-last held pixel of a stretch of the original; at least one pixel."""
    scale = held / original
    first = min(round(start * scale), held - 1)
    return first, max(first + 1, min(held, round((start + length) * scale)))


def _proportion(aspect: str | float) -> float:
    try:
        wide, _, high = str(aspect).partition(":")
        proportion = float(wide) / float(high or 1)
    except (ValueError, ZeroDivisionError):
        proportion = math.nan
    if not 0 < proportion < math.inf:
        raise InputError(f'aspect is width to height, such as "16:9" or 1.5, not {aspect!r}')
    return proportion
