"""`Image`: one picture in memory, the only form in which measures see pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from PIL import Image as Pillow
from PIL.ImageFile import ImageFile

from visanda.errors import InputError
from visanda.media.exif import pending_turn, read_exif
from visanda.media.files import opened
from visanda.media.pixels import flatten, read_pixels, upright


@runtime_checkable
class Pictured(Protocol):
    """What has a picture that is decoded when it is asked for, such as a moment of a video."""

    def image(self) -> Image:
        """The picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """An upright picture.

    Attributes:
        pixels: (H, W, 3) uint8, RGB. Read-only, since several measures look at one picture at a time.
        width: pixels of the original upright picture; ``pixels`` may be a reduced version of it.
        height: pixels of the original upright picture.
    """

    pixels: np.ndarray
    width: int
    height: int

    def __post_init__(self) -> None:
        pixels = self.pixels.view()
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)

    @classmethod
    def of(cls, thing: Image | Pictured | np.ndarray | Pillow.Image | str | Path) -> Image:
        """Whatever holds a picture as an `Image`.

        Args:
            thing: an `Image`; a moment of a video (`Still`); an array (H, W, 3) RGB or (H, W) grey of uint8; a
                Pillow picture (turned as its EXIF says only if it comes straight from a file); a path.

        Raises:
            InputError: it is none of these, or an array of another shape or type.
            MediaError: the file or the Pillow picture cannot be decoded.

        Example:
            >>> Image.of(np.zeros((20, 30), dtype=np.uint8))
            Image(30 × 20)
        """
        if isinstance(thing, Image):
            return thing
        if isinstance(thing, Pictured):
            return thing.image()
        if isinstance(thing, np.ndarray):
            return _whole(_checked(thing))
        if isinstance(thing, Pillow.Image):
            # Edited Pillow pictures keep the EXIF of the file they came from although they lie otherwise.
            turn = pending_turn(thing, read_exif(thing, b"")) if isinstance(thing, ImageFile) else 1
            return _whole(upright(flatten(thing), turn))
        if isinstance(thing, str | Path):
            with opened(thing) as data:
                full, width, height = read_pixels(data, [None])
            return cls(full[None], width, height)
        raise InputError(f"a picture, an array, a Pillow picture or a path is needed, not {type(thing).__name__}")

    def __repr__(self) -> str:
        height, width = self.pixels.shape[:2]
        held = "" if (width, height) == (self.width, self.height) else f", held as {width} × {height}"
        return f"Image({self.width} × {self.height}{held})"


ImageLike = Image | Pictured | np.ndarray | Pillow.Image | str | Path
"""What `Image.of` accepts."""


def _whole(pixels: np.ndarray) -> Image:
    return Image(pixels, width=pixels.shape[1], height=pixels.shape[0])


def _checked(array: np.ndarray) -> np.ndarray:
    """(H, W, 3) from an array of the user's."""
    if array.dtype != np.uint8:
        raise InputError(f"an array of pixels must be uint8 (0–255), not {array.dtype}: scale and convert it first")
    if array.ndim == 2:
        array = np.repeat(array[:, :, None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise InputError(f"an array of pixels must be (height, width, 3) RGB or (height, width), not {array.shape}")
    return np.ascontiguousarray(array)
