"""Motion: how much of the picture changes from frame to frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import cv2
import numpy as np

from visanda.arguments import Between
from visanda.measure import Row, Stream, stream
from visanda.measures.region import area_of_interest
from visanda.media import Frame

SIZE = 180  # of the pictures, and what the width of the blur refers to
LONGEST = 10.0  # seconds that two compared frames may lie apart, and
BEFORE = LONGEST + 2.0  # what must be seen again for that, at frames that are shown for up to two seconds
MICROSECONDS = 1_000_000


@stream(
    columns={"changed": float, "difference": float, "brightness": float},
    of="grey",
    size=SIZE,
    before=BEFORE,
    pairs=True,
    source="Dietrich (2021), Political Analysis 29(2), for frame differencing as a measure; grey, blur and threshold "
    "as in the recipe of Rosebrock (2015), Basic motion detection and tracking with Python and OpenCV",
)
def motion(
    stream: Stream,
    *,
    threshold: Annotated[int, Between(0, 254)] = 25,
    blur: Annotated[float, Between(0, 90)] = 11,
    every: Annotated[float, Between(0, LONGEST)] = 0.0,
    region: str = "",
    mask: str = "",
) -> Iterator[Row]:
    """Share of pixels that change between two frames, and by how much.

    Args:
        stream: grey frames.
        threshold: grey levels, of 255, by which a blurred pixel must differ to count as changed.
        blur: width of the Gaussian kernel in pixels of a picture whose shorter side is 180; 0 for no blur. The
            usual recipe, 21 pixels at a width of 500, is 10 here in 4:3 and 13 in 16:9. (Done as two box blurs, at
            a sixth of the cost.)
        every: seconds; of each such span of time the first frame is compared with that of the span before. 0: each
            frame with the one before it. Above 0, results of videos of different frame rates can be compared.
        region: ``x,y,width,height`` of the part that counts, as shares of the picture from 0 to 1.
        mask: path of a picture; the part of the video counts where it is brighter than 127.

    Returns:
        A row for each pair of frames, ``start`` the time of the earlier and ``stop`` that of the later one, so that
        the rows of a video lie end to end. ``changed`` share of pixels that changed, 0 to 1; ``difference`` mean
        absolute difference of the pixels, not blurred, 0 to 1; ``brightness`` mean of the later frame, 0 (black)
        to 1 (white).

    Raises:
        InputError: the region is none, the mask cannot be read, or nothing is left to measure.

    Between two shots nearly everything changes: leave out rows across a cut, as binning by shots does. Movement of
    the camera counts like that of what it films; ``flow`` tells them apart.
    """
    area = area_of_interest(region, mask)
    before: tuple[float, np.ndarray, np.ndarray] | None = None
    for frame in steps(stream, every):
        now = frame.time, frame.pixels, _blurred(frame.pixels, blur)
        if before and before[1].shape == now[1].shape:
            inside = area(*frame.pixels.shape)
            start, stop = before[0], now[0]
            apart, blurred_apart = cv2.absdiff(before[1], now[1]), cv2.absdiff(before[2], now[2])
            changed = cv2.threshold(blurred_apart, threshold, 255, cv2.THRESH_BINARY)[1]
            yield {
                "start": start,
                "stop": stop,
                "changed": cv2.mean(changed, inside)[0] / 255,
                "difference": cv2.mean(apart, inside)[0] / 255,
                "brightness": cv2.mean(frame.pixels, inside)[0] / 255,
            }
        before = now


def steps(frames: Iterable[Frame], every: float) -> Iterator[Frame]:
    """The first frame of each span of ``every`` seconds, or every frame where that is 0.

    Spans are counted from the start of the video: where a run goes on in the middle, they are the same ones, but for
    the first, of which it may see only the rest.
    """
    span = round(every * MICROSECONDS)
    previous = None
    for frame in frames:
        moment = round(frame.time * MICROSECONDS)
        number = moment // span if span else moment
        if number != previous:
            yield frame
        previous = number


def _blurred(grey: np.ndarray, blur: float) -> np.ndarray:
    """Two box blurs that together have the variance of OpenCV's Gaussian kernel of the width asked for."""
    kernel = blur * min(grey.shape) / SIZE
    if kernel <= 1:
        return grey
    variance = (
        12 * (0.3 * ((kernel - 1) / 2 - 1) + 0.8) ** 2
    )  # OpenCV's sigma for a kernel; of a box: (width² − 1) / 12
    first = _odd(np.sqrt(variance / 2 + 1))
    second = _odd(np.sqrt(max(1, variance - first**2 + 2)))
    return cv2.blur(cv2.blur(grey, (first, first)), (second, second))


def _odd(width: float) -> int:
    """The nearest odd whole number."""
    return 2 * round((width - 1) / 2) + 1
