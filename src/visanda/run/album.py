"""Pictures taken out of one video, for measures of pictures: measured a batch at a time, written in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa

from visanda.media import Damage, at_sizes
from visanda.media.frames import Decoded as Frame
from visanda.run.jobs import Job, Run
from visanda.run.pictures import BATCH, BATCH_BYTES, SHARD, Decoded, Item, measure_batch
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
        self.sizes = {task.measure.size for task in self.tasks}
        self.pool = ThreadPoolExecutor(run.threads)
        self.batch: list[Decoded] = []
        self.held = 0
        self.measured: deque[Future] = deque()
        self.made: dict[str, list[pa.Table]] = {task.table: [] for task in self.tasks}
        self.units = self.parts = 0

    def take(self, time: float, frame: Frame) -> None:
        """The frame that is shown at a time."""
        try:
            images, why = at_sizes(frame.image(), self.sizes), None
        except Exception as error:  # whatever a decoder lets escape concerns this picture only
            images, why = {}, f"cannot be decoded: {type(error).__name__}: {error}"
        for item in self.left.pop(time):
            self.batch.append(Decoded(item, images, why))
        self.held += sum(image.pixels.nbytes for image in images.values())
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

    def _measure(self, batch: list[Decoded]) -> dict[str, list[pa.Table]]:
        lists: dict[tuple, list] = {}
        return {task.table: measure_batch(task, batch, lists) for task in self.tasks}

    def _collect(self) -> None:
        for table, tables in self.measured.popleft().result().items():
            self.made[table] += tables
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
