"""Runs: what every command did, as one JSON file each, from which methods can be written and work repeated."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import visanda
from visanda.errors import CorpusError
from visanda.parts import write_bytes

PACKAGES = (
    "numpy",
    "pandas",
    "pyarrow",
    "opencv-python-headless",
    "simplejpeg",
    "pillow",
    "onnxruntime",
    "scikit-learn",
    "scipy",
    "formulaic",
)


def versions() -> dict[str, str]:
    """The versions of visanda, Python and the packages that numbers depend on."""
    found = {"visanda": visanda.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "missing"
    return found


@dataclass
class Run:
    """One command under way: what it was asked, what it counted."""

    path: Path
    verb: str
    arguments: dict[str, Any]
    started: str
    outcome: str = "running"
    counts: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def stem(self) -> str:
        """A name for files that this run writes: unique, and sorted by time."""
        return self.path.stem

    def write(self) -> None:
        """Put the run's file in place."""
        described = {
            "verb": self.verb,
            "arguments": self.arguments,
            "started": self.started,
            "outcome": self.outcome,
            "seconds": round(self.seconds, 3),
            "counts": self.counts,
            "versions": versions(),
            "machine": platform.platform(),
        }
        text = json.dumps(described, indent=2, ensure_ascii=False, default=str)
        write_bytes(self.path, text.encode("utf-8", "backslashreplace"))


@contextmanager
def record(folder: Path, verb: str, arguments: dict[str, Any]) -> Iterator[Run]:
    """Record a command in ``folder``: there from its start, so that even a killed one leaves a trace.

    Raises:
        CorpusError: the record cannot be written.
    """
    now = datetime.now().astimezone()
    given = {name: value for name, value in arguments.items() if not _left_out(value)}
    run = Run(_claim(folder, verb), verb, given, now.isoformat(timespec="seconds"))
    run.write()
    start = time.monotonic()
    try:
        yield run
    except BaseException as error:
        run.outcome = "interrupted" if isinstance(error, KeyboardInterrupt) else f"failed: {error}"
        run.seconds = time.monotonic() - start
        with suppress(CorpusError):  # on a full disk, what went wrong first is what must be said
            run.write()
        raise
    run.outcome, run.seconds = "done", time.monotonic() - start
    run.write()


def _left_out(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, (tuple, list, dict)) and not value)


def _claim(folder: Path, verb: str) -> Path:
    """A new file's name that sorts by time (UTC, so that no hour comes twice) and that no other command has."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            stem = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3] + "Z"
            path = folder / f"{stem}-{verb}.json"
            with suppress(FileExistsError):
                path.touch(exist_ok=False)
                return path
            time.sleep(0.001)
    except OSError as error:
        raise CorpusError(f"cannot write in {folder}: {error.strerror or error}") from error


def read(folder: Path) -> list[dict[str, Any]]:
    """All recorded runs, oldest first.

    Raises:
        CorpusError: a file there is no record of a run; says which.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            text = path.read_text("utf-8")
            if text:  # a command that was killed while it claimed its name wrote nothing
                found.append(json.loads(text))
        except (ValueError, OSError) as error:
            raise CorpusError(f"{path} is damaged: {error}. Restore it, or delete it") from error
    return found
