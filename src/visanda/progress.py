"""Progress of long work: a bar with rate and time left; where there is no terminal, a line every 30 seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

LINE_EVERY = 30.0  # seconds


class Advance(Protocol):
    """Call it with how many units were done."""

    def __call__(self, done: int = 1) -> None:
        """Count ``done`` more."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "")


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """Show how far long work has come, on standard error; safe to advance from several threads."""
    console = Console(stderr=True)
    if total == 0:
        yield lambda done=1: None
    elif console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate())
        with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
            task = bar.add_task(what, total=total)
            yield lambda done=1: bar.advance(task, done)
    else:
        yield _Lines(what, total)


class _Lines:
    """Progress for log files."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0
        self.start = self.last = time.monotonic()
        self.lock = threading.Lock()

    def __call__(self, done: int = 1) -> None:
        with self.lock:
            self.done += done
            now = time.monotonic()
            if now - self.last < LINE_EVERY:
                return
            self.last = now
            rate = self.done / (now - self.start)
            left = (self.total - self.done) / rate
            print(
                f"{self.what}: {self.done:,} of {self.total:,}, {rate:,.1f}/s, {left / 60:.1f} min left",
                file=sys.stderr,
                flush=True,
            )
