"""Shots: where a video is cut, and how."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Annotated

import cv2
import numpy as np

from visanda.arguments import Between
from visanda.errors import InputError
from visanda.measure import Row, Stream, stream
from visanda.measures import transnet
from visanda.measures.cuts import Boundary, Thumbnail, hard_cuts, thumbnail
from visanda.measures.dissolves import gradual_transitions

DETECTORS = ("mixture", "transnet")
USUAL_RATE = 25.0  # frames a second where a file does not say
AROUND = 3.0  # seconds on either side of a boundary that decide about it
AT_ONCE = 5.0  # seconds whose boundaries are looked for together
LATEST = 15.0  # seconds: 75 frames, what TransNetV2 looks ahead, at 5 frames a second


@stream(
    columns={"transition": str, "transition_seconds": float, "ending": str, "ending_seconds": float},
    of="rgb",
    size=36,
    before=LATEST,
    behind=LATEST,
    source="visanda: changes that movement cannot explain, and windows that are mixtures of their ends, as production "
    "models have them (Hampapur, Jain & Weymouth, 1995); or TransNetV2 (Souček & Lokoč, 2020)",
)
def shots(
    stream: Stream,
    *,
    cut: Annotated[float, Between(1, 100)] = 3.0,
    gradual: Annotated[float, Between(0, 1)] = 0.3,
    shortest: Annotated[float, Between(0, 3600)] = 0.25,
    detector: str = "mixture",
) -> Iterator[Row]:
    """Shots: their times, and whether they begin with a cut, a dissolve or a fade.

    Args:
        stream: frames in colour.
        cut: how many times a cut's change must outdo the changes before and after it. Less finds more cuts.
        gradual: how far a dissolve or fade may be from a perfect mixture of two unrelated pictures, 0 to 1; 0 finds
            none. More finds more, and takes some movements of the camera for dissolves.
        shortest: seconds that a shot lasts at least; a boundary sooner after another is left out.
        detector: ``mixture``, visanda's own; or ``transnet``, the network TransNetV2, which needs the extra
            ``shots`` and many times the time, and takes no notice of ``cut`` and ``gradual``.

    Returns:
        A row a shot; together they cover the video. ``start`` is the time of a cut's first new frame, or of the
        middle frame of a dissolve or fade. ``transition`` is ``start``, ``cut``, ``dissolve`` or ``fade``: how the
        shot begins, in ``transition_seconds`` (0 for a cut, else what is measured from how fast the pictures change
        places; of a fade, both halves and what is between). ``ending`` is ``cut``, ``dissolve``, ``fade`` or
        ``end``, in ``ending_seconds``. A dark stretch between two fades is a shot of its own if it lasts more than
        0.64 seconds.

    Raises:
        InputError: there is no such detector.
        MissingExtra: the package of TransNetV2 is not installed.
    """
    if detector not in DETECTORS:
        raise InputError(f"there is no detector {detector!r} of shots: take {' or '.join(DETECTORS)}")
    rate = stream.video.frame_rate or USUAL_RATE
    seen = Seen(stream)
    found = transnet.watched(seen, rate) if detector == "transnet" else watched(seen, rate, cut, gradual)
    begin = Boundary(stream.video.first, "start")
    if stream.last:
        begin = Boundary(stream.last["stop"], stream.last["ending"], stream.last["ending_seconds"])
    for boundary in found:
        known = boundary.time < seen.first + AROUND if seen.first > stream.video.first else False
        if not known and boundary.time >= begin.time + max(shortest, 1e-6):
            yield _row(begin, boundary)
            begin = boundary
    if seen.end > begin.time:
        yield _row(begin, Boundary(seen.end, "end"))


def _row(begin: Boundary, end: Boundary) -> Row:
    return {
        "start": begin.time,
        "stop": end.time,
        "transition": begin.kind,
        "transition_seconds": begin.seconds,
        "ending": end.kind,
        "ending_seconds": end.seconds,
    }


class Seen:
    """Times and pixels of a stream's frames, all of one size; remembers when the first began and the last ended."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.first = self.end = -math.inf
        self.size: tuple[int, int] | None = None

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        for frame in self.stream:
            if self.first < 0:
                self.first = frame.time
            self.end = round(frame.time + frame.duration, 6)
            height, width = frame.pixels.shape[:2]
            self.size = self.size or (width, height)
            same = self.size == (width, height)
            yield frame.time, frame.pixels if same else cv2.resize(frame.pixels, self.size)


def watched(frames: Iterable[tuple[float, np.ndarray]], rate: float, cut: float, gradual: float) -> Iterator[Boundary]:
    """The boundaries in a video, in order, each at most ``AROUND`` + ``AT_ONCE`` seconds late.

    Each is decided by the frames of ``AROUND`` seconds on either side and by nothing else, so that a video of any
    length is seen through a window, and any part of it has the boundaries of the whole.

    Args:
        frames: times in seconds, and pixels, (about 36, width, 3) RGB uint8.
        rate: frames a second, on average.
        cut: as for :func:`shots`.
        gradual: as for :func:`shots`.
    """
    held: list[Thumbnail] = []
    known = -math.inf  # the time up to which boundaries were given
    for time, pixels in frames:
        held.append(thumbnail(time, pixels, held[-1] if held else None))
        if time >= max(known, held[0].time) + AROUND + AT_ONCE:
            settled = time - AROUND
            yield from (one for one in boundaries(held, rate, cut, gradual) if known < one.time <= settled)
            known = settled
            held = [one for one in held if one.time > known - AROUND]
    yield from (one for one in boundaries(held, rate, cut, gradual) if known < one.time)


def boundaries(frames: list[Thumbnail], rate: float, cut: float, gradual: float) -> list[Boundary]:
    """The boundaries in a stretch of video; within ``AROUND`` seconds of its ends, what lies beyond may change them."""
    if not frames:
        return []
    cuts = hard_cuts(frames, rate, cut)
    found = [Boundary(frames[i].time, "cut") for i in cuts]
    if gradual:
        found += gradual_transitions(frames, cuts, gradual)
    return sorted(found, key=lambda boundary: boundary.time)
