"""Which format a file holds, told by its first bytes (never by its name), and its header opened by Pillow.

Pillow's readers are called by name instead of through ``PIL.Image.open``: that tries some forty formats (EPS
would start Ghostscript), warns about large pictures through Python's process-wide warnings, and reads the
second picture of a camera's MPO; none of that belongs in a run over strangers' files.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from io import BytesIO

from pi_heif import HeifImageFile
from PIL import Image as Pillow
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from visanda.errors import MediaError

MAX_PIXELS = 178_956_970
"""Pictures with more are refused: they take half a gigabyte and more, and a bomb's file is but kilobytes."""

Reader = Callable[[BytesIO, str], ImageFile]

_FORMATS: tuple[tuple[str, re.Pattern[bytes], Reader], ...] = tuple(
    (name, re.compile(magic, re.DOTALL), reader)
    for name, magic, reader in (
        ("JPEG", rb"\xff\xd8\xff", JpegImageFile),
        ("PNG", rb"\x89PNG\r\n\x1a\n", PngImageFile),
        ("WebP", rb"RIFF....WEBP", WebPImageFile),
        ("GIF", rb"GIF8[79]a", GifImageFile),
        ("TIFF", rb"II[*+]\0|MM\0[*+]", TiffImageFile),
        ("AVIF", rb"....ftyp(avif|avis|(mif1|msf1).{0,40}avif)", AvifImageFile),
        ("HEIC", rb"....ftyp(he[iv][cmsx]|mif1|msf1)", HeifImageFile),
        ("BMP", rb"BM", BmpImageFile),
        ("JPEG 2000", rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n", Jpeg2KImageFile),
        ("PNM", rb"P[1-6]\s", PpmImageFile),
    )
)

_OTHER_CONTENTS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(start, re.DOTALL | re.IGNORECASE), what)
    for start, what in (
        (
            rb"(\xef\xbb\xbf)?\s*(<\?xml.*)?(<!--.*)?(<!doctype svg|<svg)",
            "an SVG drawing (export it as PNG first)",
        ),
        (
            rb"(\xef\xbb\xbf)?\s*(<\?xml.*)?(<!--.*)?(<!doctype html|<html|<head|<body)",
            "HTML (a web page or an error page)",
        ),
        (rb"%PDF", "a PDF (export its pages as PNG first)"),
        (rb"....ftyp|\x1a\x45\xdf\xa3|RIFF....AVI |\0\0\x01\xba", "a video"),
        (rb"PK\x03\x04", "a ZIP archive"),
        (rb"\s*[\x09\x0a\x0d\x20-\x7e]{16}", "text"),
    )
)

# Pillow's TIFF reader, which also reads EXIF, warns about every sloppy tag that a camera wrote.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")


def open_header(data: bytes) -> tuple[str, ImageFile]:
    """The format's name and the picture as Pillow opens it: size and tags are read, the pixels are not yet.

    Args:
        data: the whole file.

    Raises:
        MediaError: the file is empty, is no picture, has a damaged header, or holds more than `MAX_PIXELS`.
    """
    if not data:
        raise MediaError("the file is empty (0 bytes)")
    damaged: MediaError | None = None
    for name, magic, reader in _FORMATS:
        if not magic.match(data):
            continue
        try:
            picture = reader(BytesIO(data), "")
        except Pillow.DecompressionBombError as error:
            raise MediaError(f"refused: {error}") from None
        except Exception as error:  # readers let struct.error, SyntaxError, IndexError and more escape
            damaged = damaged or MediaError(f"truncated or corrupt {name}: the header cannot be read ({error})")
            continue
        _refuse_bomb(*picture.size)
        return name, picture
    raise damaged or MediaError(_not_a_picture(data))


def _refuse_bomb(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise MediaError(
            f"refused: {width} × {height} pixels is more than the {MAX_PIXELS:,} that are decoded "
            "(a decompression bomb, or a scan to be made smaller first)"
        )
    if width < 1 or height < 1:
        raise MediaError(f"the picture has no pixels ({width} × {height})")


def _not_a_picture(data: bytes) -> str:
    for start, what in _OTHER_CONTENTS:
        if start.match(data[:1024]):
            return f"not a picture: the file holds {what}"
    names = ", ".join(name for name, _, _ in _FORMATS)
    return f"not a picture in a format that is read ({names})"
