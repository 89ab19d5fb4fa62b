"""Runs: what every command did, as one JSON file each, from which methods can be written and work repeated."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import visanda
from visanda.parts import write_bytes

PACKAGES = ("numpy", "pandas", "pyarrow", "opencv-python-headless", "simplejpeg", "pillow", "onnxruntime")
PACKAGES += ("scikit-learn", "statsmodels", "formulaic")


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
    """Record a command in ``folder``: there from its start, so that even a killed one leaves a trace."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now().astimezone()
    stem = now.strftime("%Y%m%dT%H%M%S%f")[:-3]
    given = {name: value for name, value in arguments.items() if value not in (None, False, (), [], {})}
    run = Run(folder / f"{stem}-{verb}.json", verb, given, now.isoformat(timespec="seconds"))
    run.write()
    start = time.monotonic()
    try:
        yield run
        run.outcome = "done"
    except KeyboardInterrupt:
        run.outcome = "interrupted"
        raise
    except BaseException as error:
        run.outcome = f"failed: {error}"
        raise
    finally:
        run.seconds = time.monotonic() - start
        run.write()


def read(folder: Path) -> list[dict[str, Any]]:
    """All recorded runs, oldest first."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]
