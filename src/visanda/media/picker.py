"""Picking the frames of a video that are shown at given times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from visanda.media.facts import DIGITS
from visanda.media.frames import Decoded

MICRO = 10**-DIGITS


class Picker:
    """Picks, from frames in order, those that are shown at given times; what is damaged is left out.

    Args:
        times: seconds, in any order.

    Attributes:
        left: the times that are still to come, the next one last.
    """

    def __init__(self, times: Sequence[float]) -> None:
        self.left = sorted(set(times), reverse=True)
        self._held: Decoded | None = None

    def push(self, frame: Decoded) -> Iterator[tuple[float, Decoded]]:
        """What a further frame settles: times at which it, or the one before it, is shown."""
        while self.left and self.left[-1] <= frame.time + MICRO:
            time = self.left.pop()
            exact = self._held is None or time >= frame.time - MICRO
            shown = frame if exact or self._held is None else self._held
            lost = not exact and frame.damaged is not None and time >= frame.damaged - MICRO
            if shown.whole and not lost:
                yield time, shown
        self._held = frame

    def end(self) -> Iterator[tuple[float, Decoded]]:
        """No more frames: the last one is shown for its duration."""
        held, self._held = self._held, None
        while held is not None and held.whole and self.left and self.left[-1] < held.time + held.duration + MICRO:
            yield self.left.pop(), held
