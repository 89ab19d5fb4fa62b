"""The runner: pending units → one decode for all measures → Parquet parts."""

from visanda.run.pictures import Item, measure_shard
from visanda.run.runner import measure
from visanda.run.tasks import Task

__all__ = ["Item", "Task", "measure", "measure_shard"]
