"""Writing a picture to a file, its format told by the file's name."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image as Pillow

from visanda.aside import written_aside
from visanda.errors import InputError
from visanda.media.image import Image, ImageLike

_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}


def save(image: ImageLike, path: str | Path, quality: int = 92) -> Path:
    """Writes the pixels of a picture (reduced if the `Image` is) as JPEG, PNG or WebP.

    The file appears whole or not at all: it is written beside its place and renamed. No tags are written, so
    time, place and camera of the original stay out.

    Args:
        image: what `Image.of` accepts.
        path: ends in .jpg, .jpeg, .png or .webp.
        quality: 1–100 for JPEG and WebP; PNG is lossless.

    Returns:
        The path written.

    Raises:
        InputError: another suffix, a quality out of range, or the file cannot be written there.
    """
    path = Path(path)
    format = _FORMATS.get(path.suffix.lower())
    if format is None:
        raise InputError(f"{path}: the name must end in one of {', '.join(_FORMATS)}")
    data = encode(image, format, quality)
    try:
        with written_aside(path) as aside:
            aside.write_bytes(data)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path


def encode(image: ImageLike, format: str, quality: int = 92) -> bytes:
    """The bytes of a JPEG, PNG or WEBP file with the picture's pixels; arguments and errors as for `save`."""
    if not 1 <= quality <= 100:
        raise InputError(f"quality must be between 1 and 100, not {quality}")
    buffer = BytesIO()
    picture = Pillow.fromarray(Image.of(image).pixels)
    try:
        picture.save(buffer, format, **({} if format == "PNG" else {"quality": quality}))
    except (OSError, ValueError) as error:  # JPEG holds at most 65,535 pixels a side, WebP 16,383
        raise InputError(f"a picture of {picture.width} × {picture.height} cannot be {format}: {error}") from error
    return buffer.getvalue()
