"""Collect: what there is on the disk and in people's tables, before it becomes rows of a corpus."""
