"""Folders of pictures: which files there are, and what each one is."""

from __future__ import annotations

import glob
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from visanda.errors import InputError, MediaError
from visanda.media import read_file, read_header
from visanda.progress import progress
from visanda.units import Unit

PICTURES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".heic"}
PICTURES |= {".heif", ".avif"}
SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
SPLITS |= {"val": "validation", "valid": "validation", "validation": "validation"}


@dataclass(frozen=True)
class Found:
    """A picture on the disk: its id, its path, and the folders between it and where the search began."""

    id: str
    path: Path
    folders: tuple[str, ...]


@dataclass
class Search:
    """What a search found, and what it left out and why."""

    found: list[Found] = field(default_factory=list)
    other_files: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)


def find(sources: Sequence[str | Path], prefix: str | None = None) -> Search:
    """Find pictures in folders (recursively), by globs, or as single files.

    An id is the name of the folder given and the path inside it, ``photos/2019/a.jpg``; ``prefix`` stands in for
    the folder's name.

    Raises:
        InputError: a source does not exist or a glob matches nothing.
    """
    search = Search()
    for source in sources:
        text = os.path.expanduser(str(source))
        if os.path.isdir(text):
            base, paths = Path(text).resolve(), _walk(Path(text).resolve(), search)
        elif os.path.isfile(text):
            base, paths = Path(text).resolve().parent, iter([Path(text).resolve()])
        elif glob.has_magic(text):
            fixed = next(i for i, part in enumerate(Path(text).parts) if glob.has_magic(part))
            base = Path(*Path(text).parts[:fixed]).resolve()
            matches = sorted(glob.glob(text, recursive=True))
            if not matches:
                raise InputError(f"nothing matches {text}")
            paths = (Path(match).resolve() for match in matches if os.path.isfile(match))
        else:
            raise InputError(f"there is no file or folder {text}")
        _collect(base, paths, prefix, search)
    return search


def _walk(base: Path, search: Search) -> Iterator[Path]:
    def note(error: OSError) -> None:
        search.unreadable.append(f"{error.filename}: {error.strerror}")

    for folder, folders, files in os.walk(base, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(folder) / name


def _collect(base: Path, paths: Iterable[Path], prefix: str | None, search: Search) -> None:
    top = base.name if prefix is None else prefix
    for path in paths:
        if path.suffix.lower() not in PICTURES:
            search.other_files[path.suffix.lower() or "no suffix"] += 1
            continue
        inside = path.relative_to(base)
        name = "/".join(([top] if top else []) + list(inside.parts))
        search.found.append(Found(Unit(_printable(name)).id, path, inside.parts[:-1]))


def _printable(name: str) -> str:
    """A name as Unicode: bytes that are not UTF-8 are written as ``\\xNN``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def class_columns(found: Sequence[Found]) -> dict[str, list[str | None]]:
    """Columns that folders stand for.

    ``train/positive/a.jpg`` gives ``split`` and ``class``, ``positive/a.jpg`` gives ``class``; anything deeper or
    less regular gives ``folder``, the path between.
    """
    if not any(item.folders for item in found):
        return {}
    split = [SPLITS.get(item.folders[0].lower()) if item.folders else None for item in found]
    if all(split):
        rest = [item.folders[1:] for item in found]
        columns: dict[str, list[str | None]] = {"split": list(split)}
    else:
        rest, columns = [item.folders for item in found], {}
    if all(len(folders) == 1 for folders in rest):
        columns["class"] = [_printable(folders[0]) for folders in rest]
    elif any(rest):
        columns["folder"] = [_printable("/".join(folders)) or None for folders in rest]
    return columns


def inspect(found: Sequence[Found], *, gps: bool = False) -> list[dict[str, Any]]:
    """What each file is: a row of the media table, in order; what cannot be read says why in ``error``."""
    with progress("read", len(found)) as advance, ThreadPoolExecutor(os.cpu_count()) as pool:

        def look(item: Found) -> dict[str, Any]:
            row = describe(item, gps=gps)
            advance()
            return row

        return list(pool.map(look, found))


def describe(item: Found, *, gps: bool = False) -> dict[str, Any]:
    """One file's row of the media table."""
    row: dict[str, Any] = {"id": item.id, "kind": "image", "path": _printable(str(item.path)), "error": None}
    if row["path"] != str(item.path):
        return row | {"error": "the file's name is not valid UTF-8: rename it"}
    try:
        data = read_file(item.path)
        row |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        header = read_header(data)
        row |= {name: getattr(header, name) for name in FACTS}
        if gps and header.gps:
            row["latitude"], row["longitude"] = header.gps
    except MediaError as error:
        row["error"] = str(error)
    except MemoryError:
        row["error"] = "not enough memory to read it"
    return row


FACTS = ("format", "mode", "width", "height", "frames", "orientation", "icc", "taken", "camera")
