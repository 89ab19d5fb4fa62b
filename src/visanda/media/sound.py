"""Sound of a video: its samples, a second at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Sound:
    """A stretch of sound: what a measure of sound is fed with.

    Attributes:
        time: seconds from the start of the file.
        samples: mono, (n,), float32, from −1 to 1.
        rate: samples a second.
    """

    time: float
    samples: np.ndarray
    rate: int
