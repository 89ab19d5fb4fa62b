"""Many pictures at a look: a contact sheet, and the small pictures that reports embed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from visanda.errors import InputError, MediaError
from visanda.media.decode import load
from visanda.media.image import Image, ImageLike
from visanda.media.save import encode
from visanda.media.transform import resize

_GAP = 14
_CAPTION = 12
_TITLE = 20
_TITLED = 4  # columns that a title needs at least
_INK = (45, 45, 48)
_QUIET = (120, 120, 125)
_EMPTY = (236, 236, 238)


def contact_sheet(
    images: Sequence[ImageLike | None],
    captions: Sequence[str] | None = None,
    *,
    columns: int = 6,
    cell: int = 160,
    title: str | None = None,
) -> Pillow.Image:
    """Lays pictures out in a grid on white, each whole in its cell with a caption under it.

    Args:
        images: what `Image.of` accepts; None, or a file that cannot be decoded, is a grey cell "no picture".
        captions: one a picture; shortened in the middle to the width of the cell.
        columns: cells a row, at least 1; fewer are used where there are fewer pictures.
        cell: pixels of a cell's side, at least 32.
        title: a line above the grid.

    Returns:
        An RGB picture.

    Raises:
        InputError: captions are not as many as pictures, or columns or cell are too small.

    Example:
        >>> import numpy as np
        >>> contact_sheet([np.zeros((20, 30, 3), np.uint8), None], ["black", "missing"], cell=100).mode
        'RGB'
    """
    if captions is not None and len(captions) != len(images):
        raise InputError(f"there are {len(images)} pictures but {len(captions)} captions")
    if columns < 1 or cell < 32:
        raise InputError(f"columns must be at least 1 and cell at least 32 pixels, not {columns} and {cell}")
    columns = max(1, min(columns, len(images)))
    rows = -(-len(images) // columns)
    step, rise = cell + _GAP, cell + _GAP + (_CAPTION + 8 if captions else 0)
    top = _GAP + (_TITLE + _GAP if title else 0)
    across = max(columns, _TITLED) if title else columns
    sheet = Pillow.new("RGB", (_GAP + across * step, top + rows * rise), "white")
    pen = ImageDraw.Draw(sheet)
    if title:
        _write(pen, (_GAP, _GAP), title, sheet.width - 2 * _GAP, _TITLE, _INK, "la")
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        x, y = _GAP + column * step, top + row * rise
        _place(sheet, pen, image, (x, y), cell, grounded=captions is not None)
        if captions:
            _write(pen, (x + cell // 2, y + cell + 5), captions[index], cell, _CAPTION, _INK, "ma")
    return sheet


def thumbnail(image: ImageLike, side: int = 160) -> bytes:
    r"""A JPEG file's bytes, small enough to embed in a page.

    Args:
        image: what `Image.of` accepts.
        side: pixels of the longer side at most; smaller pictures keep their size.

    Raises:
        InputError: ``side`` is below 1.
        MediaError: the picture cannot be decoded.

    Example:
        >>> import numpy as np
        >>> thumbnail(np.zeros((20, 30, 3), np.uint8))[:2]
        b'\xff\xd8'
    """
    if side < 1:
        raise InputError(f"side must be at least 1 pixel, not {side}")
    image = _small(image, side)
    rows, columns = image.pixels.shape[:2]
    return encode(resize(image.pixels, min(side, columns), min(side, rows)), "JPEG", quality=80)


def _small(image: ImageLike, side: int) -> Image:
    """An `Image` just large enough for ``side``, which for files saves most of the decoding."""
    return load(image, side) if isinstance(image, str | Path) else Image.of(image)


def _place(
    sheet: Pillow.Image,
    pen: ImageDraw.ImageDraw,
    image: ImageLike | None,
    at: tuple[int, int],
    cell: int,
    grounded: bool,
) -> None:
    """Pastes one picture into its cell: centred, or standing on its caption where there are captions."""
    x, y = at
    try:
        small = None if image is None else resize(_small(image, cell), cell, cell)
    except MediaError:
        small = None
    if small is None:
        pen.rectangle((x, y, x + cell - 1, y + cell - 1), fill=_EMPTY)
        _write(pen, (x + cell // 2, y + cell // 2), "no picture", cell, _CAPTION, _QUIET, "mm")
        return
    above = cell - small.height if grounded else (cell - small.height) // 2
    sheet.paste(Pillow.fromarray(small.pixels), (x + (cell - small.width) // 2, y + above))


def _write(
    pen: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    width: int,
    size: int,
    ink: tuple[int, int, int],
    anchor: str,
) -> None:
    font = _font(size)
    # File names may hold undecodable bytes, captions line breaks; neither can be drawn on one line.
    line = " ".join(str(text).encode("utf-8", "replace").decode("utf-8").split())
    pen.text(at, _elided(line, font, width), fill=ink, font=font, anchor=anchor)


def _elided(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """The text with as much left out of its middle as makes it fit: names differ at both ends."""
    if font.getlength(text) <= width:
        return text
    few, many = 0, len(text)
    while many - few > 1:
        kept = (few + many) // 2
        shorter = _without_middle(text, kept)
        few, many = (kept, many) if font.getlength(shorter) <= width else (few, kept)
    return _without_middle(text, few)


def _without_middle(text: str, kept: int) -> str:
    head = (kept + 1) // 2
    return text[:head] + "…" + text[len(text) - (kept - head) :]


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """DejaVu Sans, which matplotlib carries and which has Cyrillic and Arabic; else Pillow's own font."""
    matplotlib = find_spec("matplotlib")
    for folder in (matplotlib.submodule_search_locations or ()) if matplotlib else ():
        path = Path(folder) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.exists():
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)
