"""Pictures made for tests, whose colours and places are known."""

from __future__ import annotations

import base64
import io

import cv2
import numpy as np
from PIL import Image as Pillow

from visanda.media import Image

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)

# 48 × 32 in four quarters, made once with pillow-heif: nothing installed here can write HEIC.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJp"
    "bG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAHEAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAAB"
    "AAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEA"
    "AQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAA"
    "FGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAADAAAAABAAAAIAAAAAH////wAAAAAv///+AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhp"
    "cG1hAAAAAAAAAAEAAQWBAgMFhAAAAHltZGF0AAAAbSgBrwng4wycI//wT7/+/w0PtHS3uUHm76x+pL/+Eef9g5V7XsP6hDbkB/4aEcez"
    "5H/i/akzK3/U1l8YiLYPkKDShzPcBPxpD5Jv7rPnOpTRNJdI8n+1U/p/3rDWrf9KWxqty9PaZUvPqwT+k94="
)


def quarters(width: int = 48, height: int = 32) -> Pillow.Image:
    """Red, green / blue, yellow: every turn and every mirroring of it looks different."""
    array = np.zeros((height, width, 3), np.uint8)
    top, left = height // 2, width // 2
    array[:top, :left], array[:top, left:] = RED, GREEN
    array[top:, :left], array[top:, left:] = BLUE, YELLOW
    return Pillow.fromarray(array)


def landscape(width: int = 640, height: int = 427) -> Pillow.Image:
    """Smooth colours without symmetry, as photographs have."""
    seed = np.random.default_rng(1).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    return Pillow.fromarray(cv2.resize(seed, (width, height), interpolation=cv2.INTER_CUBIC))


def encoded(picture: Pillow.Image, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def corners(image: Image) -> list[tuple[int, int, int]]:
    """The colours at the middle of the four quarters: upper left, upper right, lower left, lower right."""
    height, width = image.pixels.shape[:2]
    return [
        tuple(int(value) for value in image.pixels[y, x])
        for y in (height // 4, 3 * height // 4)
        for x in (width // 4, 3 * width // 4)
    ]


def assert_quarters(image: Image, tolerance: int = 0) -> None:
    difference = np.abs(np.array(corners(image), int) - np.array([RED, GREEN, BLUE, YELLOW]))
    assert difference.max() <= tolerance, corners(image)


def exif_with(**tags) -> Pillow.Exif:
    exif = Pillow.Exif()
    for tag, value in tags.items():
        exif[int(tag[1:])] = value
    return exif


def turned(orientation: int, width: int, height: int) -> Pillow.Image:
    """The picture as a camera stores it so that EXIF ``orientation`` shows `quarters` upright."""
    undo = {
        1: None,
        2: Pillow.Transpose.FLIP_LEFT_RIGHT,
        3: Pillow.Transpose.ROTATE_180,
        4: Pillow.Transpose.FLIP_TOP_BOTTOM,
        5: Pillow.Transpose.TRANSPOSE,
        6: Pillow.Transpose.ROTATE_90,
        7: Pillow.Transpose.TRANSVERSE,
        8: Pillow.Transpose.ROTATE_270,
    }[orientation]
    picture = quarters(width, height)
    return picture if undo is None else picture.transpose(undo)
