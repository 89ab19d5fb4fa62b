"""Shots: where a video is cut, and how."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from visanda.measures.cuts import Boundary, Thumbnail, hard_cuts, thumbnail
from visanda.measures.dissolves import gradual_transitions

AROUND = 3.0  # seconds on either side of a boundary that decide about it
AT_ONCE = 2.0  # seconds whose boundaries are looked for together


def watched(
    frames: Iterable[tuple[float, np.ndarray]], rate: float, *, cut: float, gradual: float
) -> Iterator[Boundary]:
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
    cuts = hard_cuts(frames, rate, cut)
    found = [Boundary(frames[i].time, "cut") for i in cuts]
    if gradual:
        found += gradual_transitions(frames, cuts, gradual)
    return sorted(found, key=lambda boundary: boundary.time)
