"""Jobs: one video each, with all that tables lack of it; and what the jobs of one run share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from visanda.measure import Row
from visanda.run.pictures import Item
from visanda.run.tasks import Count, Task, add, count
from visanda.store import Store

PROGRESS = pa.schema({"id": pa.string(), "until": pa.float64(), "finished": pa.bool_()})


@dataclass(frozen=True)
class Resume:
    """Where a measure goes on in a video: from when, and the last row that is kept."""

    until: float = 0.0
    last: Row | None = None


@dataclass
class Job:
    """A video, and what tables lack of it.

    Attributes:
        id: of the video.
        path: of its file.
        error: why it cannot be read, where that is known.
        duration: seconds.
        number: of the job in its run.
        watched: tables of measures that watch it → where they go on.
        units: moments and stretches of it, and parts of its frames, that measures of pictures lack, in order of
            time, as :func:`visanda.run.orders.pending` gives them; ``None`` for none.
    """

    id: str
    path: str
    error: str | None
    duration: float
    number: int = 0
    watched: dict[str, Resume] = field(default_factory=dict)
    units: pa.Table | None = None

    @property
    def pictures(self) -> int:
        """How many pictures are to be taken out of it."""
        return 0 if self.units is None else len(self.units)

    @property
    def keys(self) -> bool:
        """Whether all of these are key frames."""
        return self.units is not None and all(self.units["key"].to_pylist())

    def items(self, tables: Sequence[str]) -> Iterator[tuple[float, Item]]:
        """When each picture is shown, and what it is for.

        Args:
            tables: of measures of pictures, in the order of the columns of ``units``.
        """
        for row in [] if self.units is None else self.units.to_pylist():
            yield row["middle"], Item.of(row, self.path, tables)


class Run:
    """What all jobs of one run share.

    Args:
        store: the corpus.
        watching: measures that watch videos, and their tables.
        seeing: measures of pictures, and theirs.
        stem: the run's name.
        threads: that decode one video.

    Attributes:
        stop: set where the run is to end; jobs write what they have and return.
        written: how many parts were written.
    """

    def __init__(self, store: Store, watching: Sequence[Task], seeing: Sequence[Task], stem: str, threads: int) -> None:
        self.store, self.stem, self.threads = store, stem, threads
        self.watching = {task.table: task for task in watching}
        self.seeing = {task.table: task for task in seeing}
        self.stop = threading.Event()
        self.written = 0

    @property
    def tables(self) -> list[str]:
        """The tables that the run fills."""
        return [table for task in (*self.watching.values(), *self.seeing.values()) for table in task.tables]

    def write(self, table: str, part: str, rows: pa.Table, into: Count) -> None:
        """Write rows as one part, and count them."""
        if len(rows):
            self.store.parts(table).append(rows, f"{self.stem}-{part}")
            self.written += 1
            add({"": into}, {"": count(rows)})

    def said(self, table: str, part: str, video: str, until: float, *, finished: bool) -> None:
        """Write how far a video was watched."""
        row = pa.table({"id": [video], "until": [until], "finished": [finished]}, schema=PROGRESS)
        self.store.progress(table).append(row, f"{self.stem}-{part}")
        self.written += 1


class Meter:
    """How far a video has come, for the bar.

    Args:
        advance: of the bar.
        total: what the whole video counts.
        in_seconds: seconds of video are counted, and not pictures.

    Attributes:
        time: seconds that are decoded.
    """

    def __init__(self, advance: Callable[[int], None], total: int, in_seconds: bool) -> None:
        self.advance, self.total, self.in_seconds = advance, total, in_seconds
        self.done = 0
        self.time = 0.0

    def at(self, time: float) -> None:
        """So many seconds are decoded; or one more picture."""
        self.time = time
        now = min(self.total, int(time) if self.in_seconds else self.done + 1)
        if now > self.done:
            self.advance(now - self.done)
            self.done = now

    def end(self) -> None:
        """What was left out counts as done."""
        self.advance(self.total - self.done)
        self.done = self.total
