"""Files that appear whole or not at all: written beside their place, and renamed when they are finished."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A hidden path beside ``path`` to write to; the file takes its place at the end.

    If anything goes wrong, what was written is gone, and a file that was at ``path`` before is as it was.

    Args:
        path: of the file to write. The path given has the same ending, by which many writers tell the format.

    Raises:
        OSError: the file cannot take its place.
    """
    aside = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield aside
        aside.replace(path)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
