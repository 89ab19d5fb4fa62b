"""Folders of pictures and videos: which files there are, and what each one is."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, fields
from glob import has_magic
from pathlib import Path
from typing import Any

from visanda.collect.jpeg import is_whole
from visanda.errors import InputError, MediaError
from visanda.media import Facts, probe, read_file, read_header
from visanda.units import Unit

PICTURES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".heic"}
PICTURES |= {".heif", ".avif"}
VIDEOS = {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".vob", ".wmv"}
VIDEOS |= {".flv", ".ogv", ".ogg", ".3gp", ".mxf"}
SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
SPLITS |= {"val": "validation", "valid": "validation", "validation": "validation"}


@dataclass(frozen=True)
class Found:
    """A picture or video on the disk: its id, its path, and the folders between it and where the search began."""

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
    """Find pictures and videos in folders (recursively), by globs, or as single files.

    An id is the name of the folder given and the path inside it, ``photos/2019/a.jpg``; ``prefix`` stands in
    for the folder's name.

    Raises:
        InputError: a source does not exist or may not be looked into, or a glob matches nothing.
    """
    search = Search()
    for source in sources:
        path = _home(Path(source))
        try:
            base, paths = _reach(path, search)
        except OSError as error:
            raise InputError(f"{printable(str(path))} cannot be looked into: {error.strerror}") from error
        _collect(base, paths, prefix, search)
    return search


def _home(path: Path) -> Path:
    with suppress(RuntimeError):  # a name such as ~a.jpg is nobody's home
        return path.expanduser()
    return path


def _reach(path: Path, search: Search) -> tuple[Path, Iterator[Path]]:
    """Where the search begins, and the files from there on."""
    if path.is_dir():
        return path.resolve(), _walk(path.resolve(), search)
    if path.is_file():
        return path.parent.resolve(), iter([path.parent.resolve() / path.name])
    if not has_magic(str(path)):
        raise InputError(f"there is no file or folder {printable(str(path))}")
    fixed = next(number for number, part in enumerate(path.parts) if has_magic(part))
    base = Path(*path.parts[:fixed]).resolve()
    try:
        matches = sorted(base.glob("/".join(path.parts[fixed:])))
    except ValueError as error:
        raise InputError(f"{path} is no pattern: {error}") from error
    if not matches:
        raise InputError(f"nothing matches {printable(str(path))}")
    return base, _each(matches, search)


def _each(matches: Iterable[Path], search: Search) -> Iterator[Path]:
    """The files that a pattern matches, and those in the folders that it matches."""
    seen = set()
    for match in matches:
        for path in _walk(match, search) if match.is_dir() else [match]:
            if path not in seen and not path.name.startswith("."):
                seen.add(path)
                yield path


def _walk(base: Path, search: Search) -> Iterator[Path]:
    def note(error: OSError) -> None:
        search.unreadable.append(f"{printable(str(error.filename))}: {error.strerror}")

    for folder, folders, files in os.walk(base, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        for name in folders:
            if Path(folder, name).is_symlink():  # following them can lead in circles
                search.unreadable.append(f"{printable(str(Path(folder, name)))}: a link; add that folder itself")
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(folder) / name


def _collect(base: Path, paths: Iterable[Path], prefix: str | None, search: Search) -> None:
    top = base.name if prefix is None else prefix.strip("/")
    if ".." in top.split("/"):
        raise InputError(f"the prefix {prefix!r} leads upwards: begin ids with a plain name")
    for path in paths:
        if path.suffix.lower() not in PICTURES | VIDEOS:
            search.other_files[printable(path.suffix.lower()) or "no suffix"] += 1
            continue
        inside = path.relative_to(base)
        name = "/".join(([top] if top else []) + list(inside.parts))
        search.found.append(Found(Unit(printable(name)).id, path, inside.parts[:-1]))


def printable(name: str) -> str:
    r"""A name as Unicode: bytes that are not UTF-8 are written as ``\xNN``."""
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
        columns["class"] = [printable(folders[0]) for folders in rest]
    elif any(rest):
        columns["folder"] = [printable("/".join(folders)) or None for folders in rest]
    return columns


def inspect(
    found: Sequence[Found], *, gps: bool = False, advance: Callable[[], None] = lambda: None
) -> list[dict[str, Any]]:
    """What each file is: a row of the media table, in order; what cannot be read says why in ``error``."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:

        def look(item: Found) -> dict[str, Any]:
            row = describe(item, gps=gps)
            advance()
            return row

        return list(pool.map(look, found))


def describe(item: Found, *, gps: bool = False) -> dict[str, Any]:
    """One file's row of the media table."""
    kind = "video" if item.path.suffix.lower() in VIDEOS else "image"
    row: dict[str, Any] = {"id": item.id, "kind": kind, "path": printable(str(item.path)), "error": None}
    if row["path"] != str(item.path):
        return row | {"error": "the file's name is not valid UTF-8: rename it"}
    try:
        if item.path.exists() and not item.path.is_file():  # reading a pipe would wait for ever
            raise MediaError("not a file but a pipe, a socket or a device")
        (_add_video if kind == "video" else _add_picture)(row, item.path, gps)
    except MediaError as error:
        row["error"] = str(error)
    except MemoryError:
        row["error"] = "not enough memory to read it"
    except Exception as error:  # whatever a reader lets escape concerns this file only
        row["error"] = f"cannot be read: {type(error).__name__}: {error}"
    return row


def _add_picture(row: dict[str, Any], path: Path, gps: bool) -> None:
    data = read_file(path)
    row |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    header = read_header(data)
    if header.format == "JPEG" and not is_whole(data):
        raise MediaError("truncated JPEG: the end of the picture is missing")
    row |= {name: getattr(header, name) for name in PICTURE_FACTS}
    if gps and header.gps:
        row["latitude"], row["longitude"] = header.gps


def _add_video(row: dict[str, Any], path: Path, gps: bool) -> None:
    try:
        with path.open("rb") as file:
            row["bytes"], row["sha256"] = path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MediaError(f"cannot be read: {error.strerror}") from error
    if not row["bytes"]:
        raise MediaError("the file is empty")
    facts = probe(path)
    row |= {name: getattr(facts, name) for name in VIDEO_FACTS}


PICTURE_FACTS = ("format", "mode", "width", "height", "frames", "orientation", "icc", "taken", "camera")
VIDEO_FACTS = tuple(field.name for field in fields(Facts))
