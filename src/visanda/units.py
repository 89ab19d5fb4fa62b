"""Units: what a row is about, and the ids that name them.

An id is the user's own file name, extended by a W3C Media Fragment (Troncy et al. 2012) where the unit lies
inside the file: ``photos/a.jpg``, ``news.mp4#t=12.5``, ``news.mp4#t=10,14.2`` and
``photos/a.jpg#xywh=160,120,32,40``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from visanda.errors import InputError

KINDS = ("image", "video", "shot", "frame", "face", "object")

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Unit:
    """A file, or a part of one.

    Attributes:
        name: the file's name as the user knows it, with ``/`` between folders.
        time: ``(start,)`` of a moment or ``(start, end)`` of a stretch, in seconds; ``None`` for all of it.
        box: ``(x, y, width, height)`` in pixels of the upright picture; ``None`` for all of it.
    """

    name: str
    time: tuple[float, ...] | None = None
    box: Box | None = None

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
        if self.time is None and self.box is None:
            return None
        return replace(self, time=None, box=None).id


def parse(id: str) -> Unit:
    """Read an id.

    >>> parse("news.mp4#t=10,14.2").time
    (10.0, 14.2)

    Raises:
        InputError: the fragment is neither a time nor a box.
    """
    name, mark, fragment = id.partition("#")
    time: tuple[float, ...] | None = None
    box: Box | None = None
    for part in fragment.split("&") if mark else []:
        key, _, value = part.partition("=")
        try:
            if key == "t":
                time = tuple(float(number) for number in value.split(","))
                if not 1 <= len(time) <= 2:
                    raise ValueError
            elif key == "xywh":
                x, y, width, height = (int(number) for number in value.removeprefix("pixel:").split(","))
                box = (x, y, width, height)
            else:
                raise ValueError
        except ValueError:
            raise InputError(
                f"not an id: {id!r}; after '#' comes t=seconds, t=start,end or xywh=x,y,width,height"
            ) from None
    return Unit(_unescape(name), time, box)


def _seconds(value: float) -> str:
    """Seconds as the shortest decimal that reads back as the same number, never in scientific notation."""
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return text if float(text) == value else format(value, "f") if "e" in repr(value) else repr(value)


def _escape(name: str) -> str:
    """Only ``#`` must be escaped, and what would read as an escape: names stay as people wrote them."""
    return name.replace("%25", "%2525").replace("%23", "%2523").replace("#", "%23")


def _unescape(name: str) -> str:
    return re.sub("%(25|23)", lambda match: "%" if match[1] == "25" else "#", name)
