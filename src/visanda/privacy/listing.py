"""A folder of redacted copies: the list of what was hidden in each, how they were made, and what its readers must know.

The list grows by a line a file as they are done, so that a killed command loses at most the file it was at. It says
nothing of where originals lie, what bytes they have, or which of them were chosen.
"""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from visanda.errors import CorpusError, InputError

LIST, MADE, ABOUT = "redactions.csv", "redactions.json", "README.txt"
UNFINISHED = ".*.part*"  # what a killed command leaves of the file it was at


@dataclass(frozen=True)
class Redaction:
    """What became of one picture or video.

    Attributes:
        id: in the corpus.
        file: the copy, below the folder, with ``/``; empty if there is none.
        kind: ``image`` or ``video``.
        faces: hidden; in a video, stretches in which one was followed.
        people: hidden, likewise.
        text: lines hidden, likewise.
        again: how many things were found again in each round of looking at the copy (in a video: frames with any), as
            ``2 0``; empty if nobody looked.
        remaining: how many are still found in the copy.
        seconds: that it took.
        error: why there is no copy; empty if there is one.
    """

    id: str
    file: str
    kind: str
    faces: int = 0
    people: int = 0
    text: int = 0
    again: str = ""
    remaining: int = 0
    seconds: float = 0.0
    error: str = ""

    @property
    def hidden(self) -> int:
        """Faces, people and lines of text."""
        return self.faces + self.people + self.text

    @property
    def found_again(self) -> int:
        """In the first look at the copy."""
        return int(self.again.split()[0]) if self.again else 0


_COLUMNS = [field.name for field in fields(Redaction)]
_READ = {"int": int, "float": float, "str": str}


class Listing:
    """The list of a folder that is being filled; safe to add to from several threads.

    Args:
        folder: of redacted copies; see :meth:`open`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._rows = {row.id: row for row in _read(folder / LIST)}

    @classmethod
    def open(cls, folder: Path, made: Mapping[str, Any], about: str, replace: bool) -> Self:
        """The list of a new or empty folder, or of one that was filled in the same way.

        Args:
            folder: made if it is not there.
            made: how copies are made, as JSON can hold it.
            about: text for those who get the folder.
            replace: delete copies that were made in another way.

        Raises:
            InputError: the folder holds something else, or copies made in another way.
            CorpusError: it cannot be written.
        """
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file: name a folder")
        before = how_made(folder) if folder.exists() else None
        if before is None and folder.exists() and any(folder.iterdir()):
            raise InputError(f"{folder} holds something that 'visanda redact' did not write: name a new folder")
        if before is not None and before != made and not replace:
            said = ", ".join(f"{name}={value}" for name, value in before.items())
            raise InputError(
                f"{folder} holds copies made by {said}. Make them anew with --replace, or name "
                "another folder with --out"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if before is not None and before != made:
                _delete(folder)
            for left in folder.rglob(UNFINISHED):
                left.unlink()
            (folder / MADE).write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", "utf-8")
            (folder / ABOUT).write_text(about, "utf-8")
            found = cls(folder)
            found.write()
        except OSError as error:
            raise _cannot_write(folder, error) from error
        return found

    def rows(self) -> list[Redaction]:
        """All that is listed, by id."""
        return [self._rows[id] for id in sorted(self._rows)]

    def has(self, id: str) -> bool:
        """Whether the copy of this picture or video is listed and there."""
        row = self._rows.get(id)
        return row is not None and _copy(self.folder, row) is not None

    def add(self, row: Redaction) -> None:
        """Add a line; of two for one id, the last counts.

        Raises:
            CorpusError: it cannot be written.
        """
        with self._lock:
            self._rows[row.id] = row
            try:
                with (self.folder / LIST).open("a", encoding="utf-8", newline="") as file:
                    file.write(_lines([row]))
            except OSError as error:
                raise _cannot_write(self.folder, error) from error

    def write(self) -> None:
        """Write the whole list anew, a line an id, in their order."""
        aside = self.folder / f".{LIST}.part"
        try:
            aside.write_text(",".join(_COLUMNS) + "\n" + _lines(self.rows()), "utf-8", newline="")
            aside.replace(self.folder / LIST)
        except OSError as error:
            raise _cannot_write(self.folder, error) from error


def how_made(folder: Path) -> dict[str, Any] | None:
    """How the copies in a folder were made; ``None`` where 'visanda redact' wrote none.

    Raises:
        InputError: what says so is damaged.
    """
    try:
        found = json.loads((folder / MADE).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / MADE} cannot be read: {error}. Name a new folder") from error
    return dict(found)


def clean(folder: Path) -> dict[str, Path]:
    """The copies in which nothing is found any more, by id.

    Raises:
        InputError: this is no folder of redacted copies, or its list is damaged.
    """
    if how_made(folder) is None:
        raise InputError(f"{folder} is no folder of redacted copies: name one that 'visanda redact' wrote")
    copies = {row.id: _copy(folder, row) for row in _read(folder / LIST) if not row.remaining}
    return {id: path for id, path in copies.items() if path is not None}


def _copy(folder: Path, row: Redaction) -> Path | None:
    """The file of a copy, if it is there; never one outside of the folder, whatever the list says."""
    path = folder / row.file
    if row.error or not row.file or not path.resolve().is_relative_to(folder.resolve()):
        return None
    return path if path.is_file() else None


def _delete(folder: Path) -> None:
    """Delete the copies that are listed, and their list; nothing else."""
    listed = [path for row in _read(folder / LIST) if (path := _copy(folder, row)) is not None]
    for path in listed:
        path.unlink()
    for parent in sorted({parent for path in listed for parent in path.parents if folder in parent.parents})[::-1]:
        with suppress(OSError):  # it holds something else
            parent.rmdir()
    (folder / LIST).unlink(missing_ok=True)


def _read(path: Path) -> list[Redaction]:
    """The lines of a list, the last for each id; a last one without its end, of a killed command, does not count."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    rows = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1], newline="")))
    if rows and rows[0] != _COLUMNS:
        raise InputError(f"{path} is damaged: its columns should be {', '.join(_COLUMNS)}")
    try:
        found = [
            Redaction(**{f.name: _READ[str(f.type)](value) for f, value in zip(fields(Redaction), row, strict=True)})
            for row in rows[1:]
        ]
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}. Restore it, or name a new folder") from error
    return list({row.id: row for row in found}.values())


def _lines(rows: Iterable[Redaction]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(list(asdict(row).values()) for row in rows)
    return text.getvalue()


def _cannot_write(folder: Path, error: OSError) -> CorpusError:
    return CorpusError(
        f"cannot write in {folder}: {error.strerror or error}. What was finished is kept: make room or mend the "
        "permissions, and run the same command again."
    )
