"""Signatures: two hashes a second of a video, by which copies of its pieces are found."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

import cv2
import numpy as np

from visanda.arguments import Between
from visanda.measure import Row, Stream, stream
from visanda.measures.hash import phash_of

BLACK = 24.0  # of 255: rows and columns nowhere brighter are bars; encoders leave some noise in black
WIDEST_BAR = 0.3  # of the height or width, on each side: 2.39:1 inside 4:3 has 0.22
UNEVEN = 0.03  # of the height or width: by which two bars may differ
ROUNDING = 1e-6  # of a step: 0.3 / 0.1 is less than 3


@stream(
    columns={"hash": str, "detail": float},
    of="grey",
    size=90,
    before=2.0,
    behind=2.5,
    source="Esmaeili, Fatourechi & Ward (2011), temporally informative images; Zauner (2010), DCT perceptual hash",
)
def signature(stream: Stream, *, every: Annotated[float, Between(0.1, 2.0)] = 0.5) -> Iterator[Row]:
    """A 64-bit hash of each half-second of a video, for finding copies (``visanda.learn.copies``).

    What is hashed is the mean of a half-second's frames, without black bars: means of two encodings whose
    half-seconds do not begin at the same moment still agree, where single frames often do not.

    Args:
        stream: the video.
        every: seconds of video in each row. Steps begin at 0, every, 2 · every, ..., whatever the frame rate.

    Returns:
        A row for each step with a frame in it; ``start`` and ``stop`` are the time of its first frame.
        ``hash`` 16 hexadecimal digits, as ``phash`` of the measure ``hash``; copies differ in few of its 64 bits
        (12 is a usual limit), unrelated pictures in about 32. ``detail`` standard deviation of brightness, from
        0 (one colour) to 1 (half black, half white); below 0.04 a picture is so flat that its hash says nothing.

    It survives re-encoding, resizing, other frame rates, changes of brightness and contrast, bars above and below
    or left and right, squeezing to another shape, a channel's logo, and cropping by some 5 %; cropping by a tenth
    for the most part; a ticker over a seventh of the picture in about half of the rows; cropping by a fifth or
    from 16:9 to 4:3 hardly, and mirroring never.
    """
    for start, mean in _means(stream, every):
        picture = _without_bars(mean)
        detail = round(float(picture.std()) / 127.5, 6)
        yield {"start": start, "stop": start, "hash": phash_of(picture), "detail": detail}


def _means(stream: Stream, every: float) -> Iterator[tuple[float, np.ndarray]]:
    """The time of the first frame in each step, and the mean of all, (height, width) float32.

    A step is given as soon as no more frames can lie in it, so that a picture shown for a minute delays nothing.
    """
    done, count, start, total = -1, 0, 0.0, np.zeros((0, 0), np.float32)
    for frame in stream:
        step = _step(frame.time, every)
        if count and step > done + 1 and step > _step(start, every):
            yield start, total / count
            done, count = _step(start, every), 0
        if step <= done:
            continue
        if count == 0:
            start, total = frame.time, np.zeros(frame.pixels.shape, np.float32)
        height, width = total.shape
        pixels = frame.pixels if frame.pixels.shape == total.shape else cv2.resize(frame.pixels, (width, height))
        cv2.accumulate(pixels, total)
        count += 1
        if _step(frame.time + frame.duration, every) > step:
            yield start, total / count
            done, count = step, 0
    if count:
        yield start, total / count


def _step(time: float, every: float) -> int:
    return math.floor(time / every + ROUNDING)


def _without_bars(picture: np.ndarray) -> np.ndarray:
    """The picture without equal black bars above and below, and left and right."""
    return picture[_between_bars(picture.max(axis=1) > BLACK), _between_bars(picture.max(axis=0) > BLACK)]


def _between_bars(lit: np.ndarray) -> slice:
    """What lies between the dark rows or columns at both ends; all, where they are no two bars of one width."""
    size = len(lit)
    if not lit.any():
        return slice(0, size)
    before, after = int(lit.argmax()), int(lit[::-1].argmax())
    if abs(before - after) > UNEVEN * size:
        before = after = min(before, after)
    return slice(before, size - after) if max(before, after) <= WIDEST_BAR * size else slice(0, size)
