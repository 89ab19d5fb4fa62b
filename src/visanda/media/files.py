"""Reading a picture's file, with errors that name the file and say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from visanda.errors import MediaError


def read_file(path: str | Path) -> bytes:
    """The bytes of a file.

    Raises:
        MediaError: there is no such file, it is a folder, or it may not be read; names the path.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise MediaError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise MediaError(f"{path}: this is a folder, not a picture") from None
    except PermissionError:
        raise MediaError(f"{path}: no permission to read the file") from None
    except (OSError, ValueError) as error:
        raise MediaError(f"{path}: cannot be read: {error}") from error


@contextmanager
def opened(path: str | Path) -> Iterator[bytes]:
    """Gives the bytes of a file; a `MediaError` raised while they are used gets the file's name."""
    data = read_file(path)
    try:
        yield data
    except MediaError as error:
        raise MediaError(f"{path}: {error}") from error
