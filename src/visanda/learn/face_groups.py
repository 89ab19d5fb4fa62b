"""Groups of faces that are probably one person each, found without a gallery."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from visanda.errors import InputError

Array = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

THRESHOLD = 0.5
_MOST_DISTANCES = 1 << 24  # at a time: 64 MB


def group(
    embeddings: np.ndarray, threshold: float = THRESHOLD, *, progress: Callable[[float], None] | None = None
) -> Numbers:
    """Put faces together that are probably the same person: average linkage, exact, at any number of faces.

    Two groups are joined, the nearest first, while the root of the mean squared distance between the faces of the one
    and those of the other is at most ``threshold`` (Sokal & Michener 1958, on squared distances). In the end no two
    groups are that near. It joins groups and not just pairs: rules that join by links between faces (connected
    components, DBSCAN, Chinese whispers) run different people together through faces that lie between them, and the
    more so the more faces there are. It rather splits a person (front and profile, years apart) than joins two;
    names given to groups by hand put the parts together.

    The mean squared distance between two groups is that between their means plus the scatter within each (Huygens'
    theorem), so that means and scatters are all that is kept. All pairs of groups that are each other's nearest are
    joined at once, which gives the same groups as one at a time (Bruynooghe 1977; Sumengen et al. 2021). Time grows
    with the square of the number of faces, memory with the number: 100,000 faces take minutes.

    Args:
        embeddings: (n, d) of faces; a row with NaN is a face without an embedding.
        threshold: the largest distance within which two groups are one person; as in ``identify``.
        progress: called now and then with the share of faces that are settled, 0–1.

    Returns:
        (n,) the group of each face from 1, the largest first, equally large ones by their first face; 0 for faces
        without an embedding. Another order of the faces gives the same groups, if two distances are not equal to
        the last digit.

    Raises:
        InputError: embeddings that are no table of numbers, or a threshold that is not above 0.

    >>> group(np.array([[0.0, 0.9], [0.1, 0.0], [0.0, 0.0]]))
    array([2, 1, 1])
    """
    faces = np.asarray(embeddings, dtype=np.float32)
    if faces.ndim != 2:
        raise InputError(f"embeddings have the shape {faces.shape}: give one row a face")
    if not threshold > 0:
        raise InputError(f"threshold={threshold}: it is a distance above 0, such as {THRESHOLD}")
    labels = np.zeros(len(faces), dtype=np.int64)
    there = np.flatnonzero(np.isfinite(faces).all(axis=1))
    if len(there):
        # in an order of their own, and equal faces once: their order in the input has no influence
        different, which, counts = np.unique(faces[there], axis=0, return_inverse=True, return_counts=True)
        merged = _Merging(different, counts).run(threshold, progress)
        labels[there] = _by_size(merged[which.ravel()])
    return labels


class _Merging:
    """Groups that grow: the mean, size and scatter of each, and which is its nearest."""

    def __init__(self, faces: Array, counts: Numbers) -> None:
        self.means = faces.copy()
        self.sizes = counts.astype(float)
        self.scatters = np.zeros(len(faces))  # mean squared distance from the group's mean
        self.joined = np.arange(len(faces))  # the group that a group went into, or itself
        self.nearest = np.zeros(len(faces), dtype=np.int64)
        self.squared = np.full(len(faces), np.inf)  # mean squared distance to the nearest

    def run(self, threshold: float, progress: Callable[[float], None] | None) -> Numbers:
        """Join all that is to be joined; (n,) a number that faces of one group share."""
        open_ = np.arange(len(self.means))
        stale = open_
        while len(open_) > 1:
            self._find_nearest(stale, open_)
            # A group that grows comes no nearer to a third than its parts were: who is alone now stays alone.
            open_ = open_[self.squared[open_] <= threshold**2]
            kept, gone = self._pairs(open_)
            self._join(kept, gone)
            changed = np.zeros(len(self.means), dtype=bool)
            changed[kept] = changed[gone] = True
            open_ = open_[self.joined[open_] == open_]
            stale = open_[changed[open_] | changed[self.nearest[open_]]]
            if progress:
                progress(1 - len(open_) / len(self.means) if len(open_) > 1 else 1.0)
        return self._roots()

    def _find_nearest(self, those: Numbers, among: Numbers) -> None:
        """Find each one's nearest, in blocks of bounded size; of equally near ones the first."""
        means = self.means[among]
        added = (means * means).sum(axis=1) + self.scatters[among].astype(np.float32)
        place = np.searchsorted(among, those)
        step = max(1, _MOST_DISTANCES // len(among))
        for first in range(0, len(those), step):
            some = those[first : first + step]
            distances = self.means[some] @ means.T
            distances *= -2
            distances += added
            distances[np.arange(len(some)), place[first : first + step]] = np.inf
            self.nearest[some] = among[distances.argmin(axis=1)]
        self.squared[those] = self._between(those, self.nearest[those])

    def _between(self, a: Numbers, b: Numbers) -> npt.NDArray[np.float64]:
        apart = self.means[a].astype(float) - self.means[b]
        return (apart * apart).sum(axis=1) + self.scatters[a] + self.scatters[b]

    def _pairs(self, open_: Numbers) -> tuple[Numbers, Numbers]:
        """Groups that are each other's nearest; where rounding leaves none, the nearest pair of all."""
        mutual = open_[(self.nearest[self.nearest[open_]] == open_) & (open_ < self.nearest[open_])]
        if not len(mutual) and len(open_):
            mutual = open_[[self.squared[open_].argmin()]]
        return mutual, self.nearest[mutual]

    def _join(self, kept: Numbers, gone: Numbers) -> None:
        apart = self._between(kept, gone) - self.scatters[kept] - self.scatters[gone]
        size = self.sizes[kept] + self.sizes[gone]
        a, b = self.sizes[kept] / size, self.sizes[gone] / size
        self.scatters[kept] = a * self.scatters[kept] + b * self.scatters[gone] + a * b * apart
        self.means[kept] = a[:, None] * self.means[kept] + b[:, None] * self.means[gone]
        self.sizes[kept] = size
        self.joined[gone] = kept

    def _roots(self) -> Numbers:
        roots = self.joined
        while not np.array_equal(roots, further := roots[roots]):
            roots = further
        return roots


def _by_size(groups: Numbers) -> Numbers:
    """Numbers from 1, the largest group first, equally large ones by their first face."""
    _, first, number, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(1, len(sizes) + 1)
    return rank[number]
