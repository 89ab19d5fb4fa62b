"""What a search means for a corpus: which files are new, which to look at again, which are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from visanda.collect.folder import Found, printable
from visanda.errors import InputError


@dataclass(frozen=True)
class Known:
    """What a row of the media table says of a picture that is there."""

    path: str
    error: str | None
    parent: str | None


@dataclass
class News:
    """What a search means for the corpus.

    Attributes:
        new: pictures to add.
        again: pictures that are there, to be looked at again: unreadable before, or moved since.
        elsewhere: ids that pictures have already, where this search would give them others.
        asked: the ids of all pictures that the search found.
    """

    new: list[Found] = field(default_factory=list)
    again: list[Found] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def sort_out(found: list[Found], there: dict[str, Known], resolve: Callable[[str], Path]) -> News:
    """Tell new pictures from known ones.

    Raises:
        InputError: two files would share an id.
    """
    id_of = {str(resolve(known.path)): id for id, known in there.items()}
    news = News()
    seen: dict[str, str] = {}
    for item in found:
        path = printable(str(item.path))
        id = id_of.get(path, item.id)
        if seen.get(id, path) != path:
            raise InputError(
                f"{path} and {seen[id]} would share the id {id!r}: add them one by one, each with a --prefix"
            )
        if id in seen:
            continue
        seen[id] = path
        news.asked.append(id)
        known = there.get(id)
        if known is None:
            news.new.append(item)
        elif id != item.id:
            news.elsewhere.append(id)
        elif path not in id_of and resolve(known.path).exists():
            raise InputError(
                f"{path} would get the id {id!r}, which {resolve(known.path)} has: give these pictures another --prefix"
            )
        elif path not in id_of or known.error:
            news.again.append(item)
    return news
