"""Pictures taken out of one video, for measures of pictures: measured a batch at a time, written in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa

from visanda.media import Damage, Detail, Image
from visanda.media.frames import Decoded as Frame
from visanda.run.jobs import Job, Run
from visanda.run.pictures import BATCH, BATCH_BYTES, SHARD, Decoded, Item, measure_batch, see
from visanda.run.tasks import Count


class Album:
    """What measures of pictures want of one video.

    Args:
        run: what it belongs to.
        job: the video.
        counts: where rows are counted.

    Attributes:
        times: when the pictures are shown, in seconds, in order.
    """

    def __init__(self, run: Run, job: Job, counts: dict[str, Count]) -> None:
        self.run, self.job, self.counts = run, job, counts
        self.left: dict[float, list[Item]] = {}
        lacking: set[str] = set()
        for time, item in job.items(list(run.seeing)):
            self.left.setdefault(time, []).append(item)
            lacking |= item.tables
        self.times = sorted(self.left)
        self.tasks = [task for task in run.seeing.values() if task.table in lacking]
        self.wanted = {task.view for task in self.tasks}
        self.pool = ThreadPoolExecutor(run.threads)
        self.batch: list[Decoded] = []
        self.held = 0
        self.measured: deque[Future] = deque()
        self.made: dict[str, list[pa.Table]] = {table: [] for task in self.tasks for table in task.tables}
        self.units = self.parts = 0

    def take(self, time: float, frame: Frame) -> None:
        """The frame that is shown at a time."""
        items = self.left.pop(time)
        try:
            whole = frame.image()
            seen = [see(item, whole, self.wanted) for item in items]
        except Exception as error:  # whatever a decoder lets escape concerns this picture only
            why = f"cannot be decoded: {type(error).__name__}: {error}"
            seen = [Decoded(item, {}, why) for item in items]
        self.batch += seen
        self.held += sum(view.pixels.nbytes for one in seen for view in one.views.values() if isinstance(view, Image))
        if any(isinstance(view, Detail) for one in seen for view in one.views.values()):
            self.held += whole.pixels.nbytes
        if len(self.batch) >= BATCH or self.held > BATCH_BYTES:
            self._send()

    def end(self, damage: Sequence[Damage]) -> None:
        """Write what there is; times at which nothing could be decoded become rows that say so."""
        for time, items in self.left.items():
            self.batch += [Decoded(item, {}, _why(time, damage)) for item in items]
        self.left = {}
        self.stop()

    def stop(self) -> None:
        """Write what there is."""
        try:
            if self.batch:
                self._send()
            while self.measured:
                self._collect()
            self._write()
        finally:
            self.close()

    def close(self) -> None:
        """Forget what is not written."""
        self.pool.shutdown(cancel_futures=True)

    def _send(self) -> None:
        self.measured.append(self.pool.submit(self._measure, self.batch))
        self.batch, self.held = [], 0
        while len(self.measured) > self.run.threads:
            self._collect()

    def _measure(self, batch: list[Decoded]) -> list[tuple[str, pa.Table]]:
        lists: dict[tuple, list[Image | Detail]] = {}
        return [rows for task in self.tasks for rows in measure_batch(task, batch, lists)]

    def _collect(self) -> None:
        for table, rows in self.measured.popleft().result():
            self.made[table].append(rows)
        self.units += BATCH
        if self.units >= SHARD:
            self._write()

    def _write(self) -> None:
        for table, tables in self.made.items():
            if tables:
                part = f"{self.job.number:06d}-{self.parts:06d}"
                self.run.write(table, part, pa.concat_tables(tables), self.counts[table])
        self.made = {table: [] for table in self.made}
        self.units = 0
        self.parts += 1


def _why(time: float, damage: Sequence[Damage]) -> str:
    here = [one for one in damage if one.start <= time and (one.stop is None or time < one.stop)]
    return "no frame can be decoded at this time" + (f": {here[0].why}" if here else "")
