"""Units: what a row is about, and the ids that name them.

An id is the user's own file name, extended by a W3C Media Fragment (Troncy et al. 2012) where the unit lies
inside the file: ``photos/a.jpg``, ``news.mp4#t=12.5``, ``news.mp4#t=10,14.2`` and
``photos/a.jpg#xywh=160,120,32,40``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visanda.errors import InputError

KINDS = ("image", "video", "shot", "frame", "face", "object", "line")

Box = tuple[int, int, int, int]

_SECONDS = r"\d+(?:\.\d+)?"
_FRAGMENT = re.compile(
    rf"(?:t=(?P<time>{_SECONDS}(?:,{_SECONDS})?)(?:&(?=x)|$))?(?:xywh=(?:pixel:)?(?P<box>\d+,\d+,\d+,\d+))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A file, or a part of one.

    Attributes:
        name: the file's name as the user knows it, with ``/`` between folders.
        time: ``(start,)`` of a moment or ``(start, end)`` of a stretch, in seconds; ``None`` for all of it.
        box: ``(x, y, width, height)`` in pixels of the upright picture; ``None`` for all of it.

    Raises:
        InputError: seconds below 0 or not finite, a stretch that ends before it starts, an empty box.
    """

    name: str
    time: tuple[float, ...] | None = None
    box: Box | None = None

    def __post_init__(self) -> None:
        if self.time is not None and not _is_time(self.time):
            raise InputError(f"not a time in {self.name!r}: {self.time}; give (start,) or (start, end) in seconds")
        if self.box is not None and not _is_box(self.box):
            raise InputError(f"not a box in {self.name!r}: {self.box}; give (x, y, width, height) in pixels")

    @property
    def id(self) -> str:
        """The unit's id, which :func:`parse` reads back.

        >>> Unit("photos/a.jpg", box=(160, 120, 32, 40)).id
        'photos/a.jpg#xywh=160,120,32,40'
        """
        fragment = []
        if self.time is not None:
            fragment.append("t=" + ",".join(_seconds(value) for value in self.time))
        if self.box is not None:
            fragment.append("xywh=" + ",".join(str(value) for value in self.box))
        return _escape(self.name) + ("#" + "&".join(fragment) if fragment else "")

    @property
    def parent(self) -> str | None:
        """The id of the file that the unit lies in; ``None`` for a whole file."""
        return None if self.time is None and self.box is None else Unit(self.name).id


def parse(id: str) -> Unit:
    """Read an id.

    >>> parse("news.mp4#t=10,14.2").time
    (10.0, 14.2)

    Raises:
        InputError: the fragment is neither a time nor a box.
    """
    name, mark, fragment = id.partition("#")
    found = _FRAGMENT.fullmatch(fragment)
    if found is None or (mark and not fragment):
        raise InputError(f"not an id: {id!r}; after '#' comes t=seconds, t=start,end or xywh=x,y,width,height")
    time, box = found["time"], found["box"]
    return Unit(
        _unescape(name),
        tuple(float(number) for number in time.split(",")) if time else None,
        _box(box) if box else None,
    )


def covered(boxes: Sequence[Box]) -> int:
    """Pixels that boxes cover together.

    >>> covered([(0, 0, 2, 2), (1, 1, 2, 2)])
    7
    """
    columns = np.unique([edge for x, _, width, _ in boxes for edge in (x, x + width)])
    rows = np.unique([edge for _, y, _, height in boxes for edge in (y, y + height)])
    inside = np.zeros((max(0, len(rows) - 1), max(0, len(columns) - 1)), bool)
    for x, y, width, height in boxes:
        left, right = np.searchsorted(columns, [x, x + width])
        top, bottom = np.searchsorted(rows, [y, y + height])
        inside[top:bottom, left:right] = True
    return int((np.diff(rows)[:, None] * np.diff(columns) * inside).sum())


def _box(text: str) -> Box:
    x, y, width, height = (int(number) for number in text.split(","))
    return x, y, width, height


def _is_time(time: tuple[float, ...]) -> bool:
    within = all(math.isfinite(value) and value >= 0 for value in time)
    return within and len(time) in (1, 2) and time[0] <= time[-1]


def _is_box(box: Box) -> bool:
    return len(box) == 4 and min(box) >= 0 and min(box[2:]) > 0


def _seconds(value: float) -> str:
    """The shortest decimal that reads back as the same number, never in scientific notation."""
    return np.format_float_positional(abs(float(value)), trim="-")  # abs: −0 is 0


def _escape(name: str) -> str:
    """Only ``#`` must be escaped, and what would read as an escape: names stay as people wrote them."""
    return re.sub("%(?=25|23)", "%25", name).replace("#", "%23")


def _unescape(name: str) -> str:
    return re.sub("%(25|23)", lambda match: "%" if match[1] == "25" else "#", name)
