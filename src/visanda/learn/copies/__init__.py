"""Copies between videos: which stretch of which video is also in another, by their signatures.

Seed and extend, as with sequences of genes. Pairs of samples with nearly the same hash are seeds, if their
neighbours in time agree as well. Each seed says that one video lies so many seconds before the other; at that
offset the two are compared sample by sample, and what agrees without a long gap is a stretch.
"""

from visanda.learn.copies.groups import groups
from visanda.learn.copies.search import copies

__all__ = ["copies", "groups"]
