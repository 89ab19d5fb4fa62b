"""Redacting a picture: what is to be hidden is hidden, looked for again, and only the pixels are written."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageCms

from visanda.aside import written_aside
from visanda.errors import InputError
from visanda.media import decode, load, read_file, save
from visanda.media.formats import open_header
from visanda.privacy.hide import HOW, checked
from visanda.privacy.levels import (
    AGAIN,
    PICTURE_ROUNDS,
    BoxesByKind,
    Find,
    Hidden,
    bare,
    hide_all,
    larger,
    listed,
    overlap,
    was_there,
)

WRITTEN = {".jpg", ".jpeg", ".png", ".webp"}
LOSSLESS = {"GIF", "BMP", "TIFF", "PNM", "PNG"}  # formats that become PNG
QUALITY = 95


@dataclass(frozen=True)
class RedactedPicture:
    """What became of a picture.

    Attributes:
        path: the file written.
        hidden: boxes hidden by kind; those found only afterwards count where nothing was hidden before.
        again: how many boxes were found again in each round of looking; ``(0,)`` if none, ``()`` if nobody looked.
        remaining: boxes still found in the file written; empty but in the rarest cases: hide these by hand.
    """

    path: Path
    hidden: dict[str, int]
    again: tuple[int, ...]
    remaining: dict[str, np.ndarray]


def redact_picture(
    source: bytes | Path, boxes: BoxesByKind, how: str, target: Path, *, find: Find | None = None
) -> RedactedPicture:
    """Write a copy of a picture in which boxes are hidden and that tells nothing but its pixels.

    All is written anew from the pixels: no EXIF, place, XMP, IPTC, comment, preview or colour profile comes along;
    pixels that had a profile are converted to sRGB. What was transparent becomes white; of an animation or of pages
    only the first picture is kept.

    If there is ``find``, the file written is read back and looked at. What is found again is hidden harder, with
    fewer cells and then with ``fill``, in up to `PICTURE_ROUNDS` rounds; what is filled already does not count as
    found. The file appears under its name only then.

    Args:
        source: the bytes of a picture, or its file.
        boxes: (n, 4) x, y, width and height in pixels of the upright picture, by kind: ``face`` is hidden under an
            oval, every other kind (``text``, ``person``) under a rectangle.
        how: ``blur``, ``pixelate`` or ``fill``; see `hide`.
        target: ends in .jpg, .jpeg (quality 95), .png or .webp (quality 95) and says the format. To another ending
            one is added: .png for pictures of formats without loss (GIF, BMP, TIFF, PNM), .jpg for others (HEIC,
            AVIF, JPEG 2000).
        find: gives the boxes by kind that must not be seen in a picture; the detector that found ``boxes``.

    Raises:
        MediaError: the source cannot be decoded.
        InputError: ``how`` or boxes are wrong, or the file cannot be written.
    """
    data = source if isinstance(source, bytes) else read_file(source)
    pixels = _pixels(data)
    if how not in HOW:
        raise InputError(f"how to hide must be one of {', '.join(HOW)}, not {how!r}")
    hidden = listed({kind: checked(pixels, some) for kind, some in boxes.items()})
    counts = Counter(one.kind for one in hidden)
    target = _named(target, data)
    again: list[int] = []
    remaining: BoxesByKind = {}
    before: BoxesByKind | None = None  # what is found in the picture as it was; looked for where it is needed
    try:
        with written_aside(target) as aside:
            while True:
                save(hide_all(pixels, hidden, how), aside, QUALITY)
                if find is None:
                    break
                found = find(load(aside).pixels)
                if before is None and any(len(some) for some in found.values()):
                    before = find(pixels)
                remaining = bare(found, hidden, how, pixels.shape, before)
                again.append(len(listed(remaining)))
                if not again[-1] or len(again) > PICTURE_ROUNDS:
                    break
                counts.update(one.kind for one in listed(remaining) if not any(_of_one(one, old) for old in hidden))
                hidden = harder(hidden, remaining, len(again), before or {})
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror or error}") from error
    left = {kind: np.asarray(some, float).reshape(-1, 4) for kind, some in remaining.items() if len(some)}
    return RedactedPicture(target, dict(counts), tuple(again), left)


def harder(hidden: list[Hidden], found: BoxesByKind, round: int, before: BoxesByKind) -> list[Hidden]:
    """What to hide after something was found again.

    What was hidden where something is found again is hidden harder. What is found is hidden as well, since a
    detector may see more than it did; but not where it is much larger than what was hidden there and was not found
    in the picture as it was: that is the mask and what is around it, which detectors take for a head, and it would
    grow until all is hidden.

    Args:
        hidden: what was hidden.
        found: what was found again, by kind.
        round: of looking, from 1.
        before: what is found in the picture in which nothing is hidden.
    """
    kept = list(hidden)
    for new in listed(found, round):
        there = [number for number, old in enumerate(hidden) if _of_one(new, old)]
        for number in there:
            kept[number] = hidden[number]._replace(level=round)
        head = any(larger(new.box, hidden[number].box) for number in there)
        if not head or was_there(new.kind, new.box, before):
            kept.append(new)
    return kept


def _of_one(new: Hidden, old: Hidden) -> bool:
    """Whether what is found again lies where something was hidden."""
    return bool(overlap(new.box[None], old.box[None])[0, 0] >= AGAIN)


def _pixels(data: bytes) -> np.ndarray:
    """Upright pixels in sRGB, in which files without a profile are understood."""
    image = decode(data)
    profile = open_header(data)[1].info.get("icc_profile")
    if not profile:
        return image.pixels
    with suppress(Exception):  # littlecms reports profiles that are damaged or not of RGB as whatever comes to it
        found = ImageCms.ImageCmsProfile(BytesIO(profile))
        if found.profile.xcolor_space.strip() == "RGB":
            turned = ImageCms.profileToProfile(
                Pillow.fromarray(image.pixels), found, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if turned is not None:
                return np.asarray(turned)
    return image.pixels


def _named(target: Path, data: bytes) -> Path:
    """The file to write; its ending says the format."""
    if target.suffix.lower() in WRITTEN:
        return target
    ending = ".png" if open_header(data)[0] in LOSSLESS else ".jpg"
    return target.with_name(target.name + ending)
