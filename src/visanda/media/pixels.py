"""From a file's bytes to upright 8-bit RGB pixels, at full size or with the shorter side reduced.

JPEG goes through simplejpeg (libjpeg-turbo), which decodes straight to a half, quarter or eighth and refuses
damaged data; every other format goes through Pillow. OpenCV decodes nothing here: it fills the missing part
of a truncated JPEG with grey and says nothing.

ICC profiles are not applied. Almost all pictures of the web are sRGB or untagged, the embedded and the
published models were trained on unconverted pixels, and a conversion would cost more than the decoding. A
picture in Display P3 comes out slightly less saturated than a phone shows it; `Header.icc` tells which those
are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import cv2
import numpy as np
import simplejpeg
from PIL import Image as Pillow
from PIL.ImageFile import ImageFile

from visanda.errors import InputError, MediaError
from visanda.media.exif import pending_turn, read_exif, upright_size
from visanda.media.formats import open_header

Pixels = np.ndarray
"""(H, W, 3) uint8, RGB."""

# Warnings of libjpeg that concern no pixel: these files open everywhere, so they are decoded by Pillow, which
# still refuses truncated ones. Up to 4 stray bytes before the end mark are padding; more is lost data.
_HARMLESS = re.compile(
    r": [1-4] extraneous bytes before marker 0xd9"
    r"|unknown JFIF revision|Unknown Adobe color transform|Invalid SOS parameters"
)


# How much larger than wanted a reduced JPEG is decoded, at least. Averaging from just above the wanted size
# blurs, and by an amount that depends on the original's size: with 1 the variance of the Laplacian was
# 0.41–1.01 of what full decoding gives (median 0.71), with 2 0.78–1 (0.95), with 3 0.89–1 (1.00). 2 is what
# Pillow's thumbnails use too; with 3, a picture of 1280 × 960 takes two to three times as long.
_MARGIN = 2


def read_pixels(data: bytes, sizes: Iterable[int | None]) -> tuple[dict[int | None, Pixels], int, int]:
    """The picture in each of the sizes, and its (width, height) in full, upright.

    Every size is made from the file alone, never from another size asked for beside it, so the pixels of one
    size are the same bits whatever else is wanted.

    Args:
        data: the whole file.
        sizes: pixels of the shorter side, at least 1, or None for the full picture. Nothing is enlarged.

    Raises:
        MediaError: what is wrong with the file.
        InputError: a size is not a whole number of at least 1.
    """
    wanted = dict.fromkeys(sizes)
    for size in wanted:
        if size is not None and (not isinstance(size, int) or size < 1):
            raise InputError(f"size must be a whole number of pixels, at least 1, or None; got {size!r}")
    name, picture = open_header(data)
    stored, turn = picture.size, pending_turn(picture, read_exif(picture, data))
    decoded: dict[int, Pixels] = {}
    pixels: dict[int | None, Pixels] = {}
    for size in wanted:
        target = reduced_size(*stored, size)
        divisor = _jpeg_divisor(stored, target) if name == "JPEG" else 1
        if divisor not in decoded:
            decoded[divisor] = _decode(name, data, picture, divisor)
        pixels[size] = upright(shrink(decoded[divisor], *target), turn)
    return pixels, *upright_size(picture, turn)


def reduced_size(width: int, height: int, size: int | None) -> tuple[int, int]:
    """(width, height) with the shorter side reduced to ``size`` in proportion; smaller ones unchanged."""
    short = min(width, height)
    if size is None or short <= size:
        return width, height
    return max(1, round(width * size / short)), max(1, round(height * size / short))


def shrink(pixels: Pixels, width: int, height: int) -> Pixels:
    """The pixels averaged over areas (OpenCV's INTER_AREA) down to the size given."""
    if pixels.shape[:2] == (height, width):
        return pixels
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """The stored pixels turned as EXIF orientation 1–8 says, contiguous in memory."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def flatten(picture: Pillow.Image) -> Pixels:
    """A Pillow picture of any mode as (H, W, 3) uint8 RGB; what is transparent becomes white, as on paper.

    16-bit greys keep their high byte (Pillow's own conversion would turn nearly all of them white).

    Raises:
        MediaError: the data is damaged, or its colours are no agreed shades (32-bit numbers, LAB).
    """
    if picture.mode == "F" or (picture.mode == "I" and picture.format != "PPM"):
        raise MediaError(
            "pixels are 32-bit numbers, for which black and white are not defined: "
            "scale them and save the picture with 8 or 16 bits"
        )
    try:
        return _flat(picture)
    except Exception as error:  # decoders let struct.error, SyntaxError, zlib.error and more escape
        raise MediaError(f"truncated or corrupt {picture.format or 'picture'}: {error}") from error


def _flat(picture: Pillow.Image) -> Pixels:
    if picture.mode.startswith("I"):
        grey = (np.asarray(picture) >> 8).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Pillow.new("RGB", picture.size, "white")
        picture.paste(layer, mask=layer.getchannel("A"))
    return np.asarray(picture.convert("RGB"))


def _decode(name: str, data: bytes, picture: ImageFile, divisor: int) -> Pixels:
    """The stored pixels (not yet upright) at full size or, for JPEG, divided by 2, 4 or 8."""
    width, height = (-(-side // divisor) for side in picture.size)
    if name == "JPEG":
        pixels = _decode_jpeg(data, picture, (width, height))
    elif name == "JPEG 2000" and b"\xff\xd9" not in data:  # Pillow takes one cut at the first tile for blank
        raise MediaError("truncated or corrupt JPEG 2000: the end is missing")
    else:
        pixels = flatten(picture)
    if pixels.shape != (height, width, 3):  # a HEIC's container and its pixels may disagree
        raise MediaError(f"corrupt {name}: its header says {width} × {height} pixels, its data another size")
    return pixels


def _decode_jpeg(data: bytes, picture: ImageFile, size: tuple[int, int]) -> Pixels:
    width, height = size
    colours = "CMYK" if picture.mode == "CMYK" else "RGB"
    try:
        pixels = simplejpeg.decode_jpeg(data, colours, min_height=height, min_width=width, strict=True)
    except Exception as error:
        if _HARMLESS.search(str(error)):
            return shrink(flatten(picture), width, height)
        raise MediaError(f"truncated or corrupt JPEG: {error}") from error
    if colours == "RGB":
        return pixels
    # Inks are stored inverted, as Adobe does and every reader expects.
    inks = Pillow.frombytes("CMYK", (pixels.shape[1], pixels.shape[0]), (255 - pixels).tobytes())
    return np.asarray(inks.convert("RGB"))


def _jpeg_divisor(stored: tuple[int, int], target: tuple[int, int]) -> int:
    """The largest of 8, 4, 2, 1 that leaves both sides `_MARGIN` times as long as wanted, or whole.

    libjpeg also scales by 3/8, 5/8, 6/8 and 7/8, but more slowly than it decodes the whole (52 ms for 12
    megapixels; 5/8 takes 69, a half 34).
    """
    return next(
        divisor
        for divisor in (8, 4, 2, 1)
        if all(-(-side // divisor) >= min(side, _MARGIN * want) for side, want in zip(stored, target, strict=True))
    )
