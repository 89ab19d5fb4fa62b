"""What a camera wrote beside the pixels: orientation, time, place, model. Rubbish in a tag means no value."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime

from PIL.ExifTags import GPS, IFD, Base
from PIL.Image import Exif
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

_TIME = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")


def read_exif(picture: ImageFile, data: bytes) -> Exif:
    """The EXIF tags of a picture whose header is open; none where there are none or they are damaged.

    ``picture.getexif()`` is used for TIFF only: for PNG it decodes all pixels, and it falls back on an
    orientation in XMP, which browsers and cameras do not follow.
    """
    try:
        if isinstance(picture, TiffImageFile):
            return picture.getexif()
        exif = Exif()
        exif.load(picture.info.get("exif") or _late_png_exif(data))
        exif.get(Base.Orientation)
    except Exception:  # any reader's error here concerns the tags only; the picture itself may be perfect
        return Exif()
    return exif


def _late_png_exif(data: bytes) -> bytes:
    """The EXIF chunk of a PNG that wrote it after the pixels (ImageMagick does), or nothing."""
    at = data.find(b"eXIf") if data.startswith(b"\x89PNG") else -1
    if at < 0:
        return b""
    length = int.from_bytes(data[at - 4 : at], "big")
    return data[at + 4 : at + 4 + length]


def orientation(exif: Exif) -> int:
    """How the stored pixels lie, 1–8 as in EXIF; 1 (upright) where not said or out of range."""
    value = exif.get(Base.Orientation)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def pending_turn(picture: ImageFile, exif: Exif) -> int:
    """The orientation still to be applied to what Pillow decodes: it turns TIFF itself, nothing else."""
    return 1 if isinstance(picture, TiffImageFile) else orientation(exif)


def upright_size(picture: ImageFile, turn: int) -> tuple[int, int]:
    """(width, height) in pixels once the pending turn is made."""
    width, height = picture.size
    return (height, width) if turn >= 5 else (width, height)


def taken(exif: Exif) -> datetime | None:
    """When the picture was taken by the camera's clock (no time zone), or the nearest tag to that."""
    times = _ifd(exif, IFD.Exif)
    for value in (
        times.get(Base.DateTimeOriginal),
        times.get(Base.DateTimeDigitized),
        exif.get(Base.DateTime),
    ):
        match = _TIME.match(_text(value))
        if match:
            try:
                return datetime(*(int(number) for number in match.groups()))  # type: ignore[arg-type]
            except ValueError:  # "0000:00:00 00:00:00" from a camera whose clock was never set
                continue
    return None


def camera(exif: Exif) -> str | None:
    """Make and model, the make said once: ``"Canon PowerShot S50"``."""
    make, model = _text(exif.get(Base.Make)), _text(exif.get(Base.Model))
    if model.lower().startswith(make.lower()):
        return model or None
    return f"{make} {model}".strip()


def place(exif: Exif) -> tuple[float, float] | None:
    """(latitude, longitude) in degrees, north and east positive.

    None where absent, out of range, or exactly (0, 0), which receivers without a fix write.
    """
    gps = _ifd(exif, IFD.GPSInfo)
    latitude = _degrees(gps.get(GPS.GPSLatitude), gps.get(GPS.GPSLatitudeRef), "S")
    longitude = _degrees(gps.get(GPS.GPSLongitude), gps.get(GPS.GPSLongitudeRef), "W")
    if latitude is None or longitude is None or (latitude, longitude) == (0, 0):
        return None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _degrees(parts: object, reference: object, negative: str) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in parts)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ArithmeticError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value):
        return None
    return -value if _text(reference).upper() == negative else value


def _ifd(exif: Exif, tag: int) -> Mapping[int, object]:
    try:
        return exif.get_ifd(tag)
    except Exception:  # a damaged offset; the readers' errors are of every kind
        return {}


def _text(value: object) -> str:
    """A tag as text without the NULs and blanks that cameras pad it with; empty if it is not text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.split("\0")[0].strip() if isinstance(value, str) else ""
