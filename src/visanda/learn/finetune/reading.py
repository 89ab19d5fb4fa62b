"""Reading: pictures decoded once, in threads, and kept as squares; one that cannot be read is left out and named."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from visanda.errors import MediaError
from visanda.media import Image, at_sizes, load
from visanda.media.image import ImageLike
from visanda.models.squares import Crop, held, held_side
from visanda.progress import progress

ROOM = 2 * 10**9  # bytes of squares that are kept in memory; pictures beyond are read again whenever they are needed

Source = ImageLike  # a path, a moment of a video, a part of a picture, an array


class Squares:
    """All pictures, as squares.

    Args:
        pictures: n of them.
        side: pixels of the network's square.
        crop: ``square`` or ``squash``.
        workers: threads that read.

    Attributes:
        failed: what is wrong with pictures that cannot be read, by number.
    """

    def __init__(self, pictures: Sequence[Source], side: int, crop: Crop, workers: int) -> None:
        self._pictures, self.side, self.crop = pictures, side, crop
        self.failed: dict[int, str] = {}
        self._kept: list[np.ndarray | None] = [None] * len(pictures)
        rooms = ROOM // (3 * held_side(side, crop) ** 2)
        with ThreadPoolExecutor(workers) as pool, progress("Reading pictures", len(pictures)) as advance:
            for number, square in enumerate(pool.map(self._tried, range(len(pictures)))):
                if number < rooms:
                    self._kept[number] = square
                advance()

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, number: int) -> np.ndarray:
        """(h, h, 3) uint8: what is held of a picture, see `visanda.models.squares.held`."""
        kept = self._kept[number]
        return self._read(number) if kept is None else kept

    def _tried(self, number: int) -> np.ndarray | None:
        try:
            return self._read(number)
        except MediaError as error:
            self.failed[number] = str(error)
            return None

    def _read(self, number: int) -> np.ndarray:
        picture, size = self._pictures[number], held_side(self.side, self.crop)
        image = load(picture, size) if isinstance(picture, str | Path) else at_sizes(Image.of(picture), [size])[size]
        return held(image.pixels, self.side, self.crop)
