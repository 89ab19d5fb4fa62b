"""What a picture's header says: its format, size, time, camera, place. Pixels are not decoded for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from PIL.ImageCms import ImageCmsProfile, getProfileDescription
from PIL.ImageFile import ImageFile

from visanda.media.exif import camera, orientation, pending_turn, place, read_exif, taken, upright_size
from visanda.media.formats import open_header


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture's file says about itself.

    Attributes:
        format: JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC, BMP, JPEG 2000 or PNM, told by the content.
        width: pixels of the upright picture.
        height: pixels of the upright picture.
        orientation: EXIF orientation, 1–8; already accounted for in width and height.
        mode: Pillow's name of the stored colours (``RGB``, ``L``, ``CMYK``, ``P``, ``I;16``, …).
        frames: pictures in the file: more than 1 for an animation, a TIFF with pages, a HEIC burst.
        icc: the colour profile's own description, or None. Pixels are never converted by it.
        taken: EXIF time of taking by the camera's clock, without time zone.
        camera: make and model.
        gps: (latitude, longitude) in degrees, north and east positive.
    """

    format: str
    width: int
    height: int
    orientation: int = 1
    mode: str = "RGB"
    frames: int = 1
    icc: str | None = None
    taken: datetime | None = None
    camera: str | None = None
    gps: tuple[float, float] | None = None


def read_header(data: bytes) -> Header:
    """Reads a picture's header.

    Args:
        data: the whole file.

    Returns:
        The `Header`. A good header does not promise good pixels: only decoding shows that.

    Raises:
        MediaError: the file is empty, is no picture, has a damaged header, or holds too many pixels.
    """
    format, picture = open_header(data)
    exif = read_exif(picture, data)
    width, height = upright_size(picture, pending_turn(picture, exif))
    return Header(
        format=format,
        width=width,
        height=height,
        orientation=orientation(exif),
        mode=picture.mode,
        frames=_frames(picture),
        icc=_profile_name(picture.info.get("icc_profile")),
        taken=taken(exif),
        camera=camera(exif),
        gps=place(exif),
    )


def _frames(picture: ImageFile) -> int:
    try:
        return int(getattr(picture, "n_frames", 1))
    except Exception:  # a later frame is damaged; the first, which is the one decoded, need not be
        return 1


def _profile_name(profile: bytes | None) -> str | None:
    if not profile:
        return None
    try:
        return getProfileDescription(ImageCmsProfile(BytesIO(profile))).strip() or "unnamed"
    except Exception:  # littlecms reports a damaged profile with whatever Python maps its error to
        return "unreadable"
