"""A video at a look: its pictures, shots and curves over time; and its shots as a filmstrip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from visanda.media import Image
from visanda.timecode import Timecode

SLOTS = 14  # pictures in the strip
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)  # seconds between labels
BINS = 700  # points of a curve, at most
BAND = ("#3d5a80", "#98b4d4")  # shots, in turns
GRADUAL = "#e07a1f"
INK = "#2d2d30"
MARK = "#b3262e"
WIDTH = 14.0  # inches
CURVES = {
    "motion": ("changed", "share changed"),
    "loudness": ("loudness", "loudness, dB"),
    "flow": ("magnitude", "flow"),
}


@dataclass(frozen=True)
class Curve:
    """A measure over time: a value a stretch."""

    name: str
    start: np.ndarray
    stop: np.ndarray
    value: np.ndarray


def slots(start: float, stop: float) -> list[float]:
    """The moments whose pictures stand in the strip: the middles of equal parts."""
    return [start + (stop - start) * (number + 0.5) / SLOTS for number in range(SLOTS)]


def draw_timeline(
    title: str,
    span: tuple[float, float],
    pictures: Sequence[Image | None],
    shots: pd.DataFrame | None,
    curves: Sequence[Curve],
    marks: pd.DataFrame | None = None,
) -> Figure:
    """The figure: a strip of pictures, a band of shots, a curve a measure; all over one axis of time.

    Args:
        title: above it.
        span: from when to when, in seconds.
        pictures: one a slot, in order; None where there is none.
        shots: columns start, stop and transition; None where shots were not measured.
        curves: measures over time.
        marks: columns time and label: events to be drawn through all of it.
    """
    curves = [curve for curve in curves if np.isfinite(curve.value).any()]
    heights = [_strip_height(pictures), 0.28 if shots is not None else 0.05] + [1.25] * len(curves)
    height = sum(heights) + 0.12 * (len(heights) - 1) + 0.85
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    share = 0.12 / (sum(heights) / len(heights))
    figure.subplots_adjust(left=0.06, right=0.99, top=1 - 0.45 / height, bottom=0.4 / height, hspace=share)
    figure.suptitle(title, x=0.01, y=1 - 0.12 / height, ha="left", va="top", fontsize=13, color=INK)
    _draw_strip(axes[0], span, pictures)
    _draw_band(axes[1], shots)
    for area, curve in zip(axes[2:], curves, strict=True):
        _draw_curve(area, curve, span, shots)
    for time, label in [] if marks is None else zip(marks["time"], marks["label"], strict=True):
        for area in axes[1:]:
            area.axvline(time, color=MARK, linewidth=1.2)
        axes[-1].annotate(
            f" {label}", (time, 0.97), xycoords=("data", "axes fraction"), va="top", fontsize=8, color=MARK
        )
    bottom = axes[-1]
    bottom.set_xlim(*span)
    step = next((one for one in STEPS if (span[1] - span[0]) / one <= 12), 3600 * round((span[1] - span[0]) / 36000))
    bottom.xaxis.set_major_locator(MultipleLocator(step))
    bottom.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value, span[1] - span[0])))
    for area in axes[:-1]:
        area.tick_params(axis="x", length=0, labelbottom=False)
    return figure


def _short(time: float, span: float) -> str:
    """A time as short as the axis allows."""
    text = str(Timecode(max(0.0, time)))
    text = text if span < 20 else text.split(".")[0]
    return text.removeprefix("00:")


def _strip_height(pictures: Sequence[Image | None]) -> float:
    """Inches at which pictures fill the strip from side to side."""
    shapes = [picture.pixels.shape for picture in pictures if picture is not None]
    tallest = max((shape[0] / shape[1] for shape in shapes), default=0.5)
    return min(2.0, 0.9 * WIDTH / max(1, len(pictures)) * tallest)


def _draw_strip(area: Axes, span: tuple[float, float], pictures: Sequence[Image | None]) -> None:
    area.set_axis_off()
    area.set_ylim(0, 1)
    width = (span[1] - span[0]) / max(1, len(pictures))
    for number, picture in enumerate(pictures):
        if picture is not None:
            left = span[0] + (number + 0.02) * width
            box = area.inset_axes((left, 0, width * 0.96, 1), transform=area.transData)
            box.imshow(picture.pixels, interpolation="antialiased")
            box.set_axis_off()


def _draw_band(area: Axes, shots: pd.DataFrame | None) -> None:
    area.set_yticks([])
    area.spines[:].set_visible(False)
    if shots is None:
        return
    area.set_ylim(0, 1)
    colours = [BAND[number % 2] for number in range(len(shots))]
    area.barh([0.5] * len(shots), shots["stop"] - shots["start"], left=shots["start"], height=1, color=colours)
    gradual = shots[~shots["transition"].isin(["start", "cut"])] if "transition" in shots else shots.iloc[:0]
    area.plot(gradual["start"], [0.5] * len(gradual), "D", color=GRADUAL, markersize=5, clip_on=False)
    area.set_ylabel(f"{len(shots)} shots", rotation=0, ha="right", va="center", fontsize=9)


def _draw_curve(area: Axes, curve: Curve, span: tuple[float, float], shots: pd.DataFrame | None) -> None:
    edges = np.linspace(*span, min(BINS, max(10, len(curve.value))) + 1)
    middle = (curve.start + curve.stop) / 2
    inside = np.isfinite(curve.value) & (middle >= span[0]) & (middle <= span[1])
    place = np.clip(np.searchsorted(edges, middle[inside], side="right") - 1, 0, len(edges) - 2)
    total = np.bincount(place, curve.value[inside], len(edges) - 1)
    count = np.bincount(place, minlength=len(edges) - 1)
    known = count > 0
    centre = (edges[:-1] + edges[1:]) / 2
    if shots is not None and len(shots) <= 200:
        for start in shots["start"].iloc[1:]:
            area.axvline(start, color="#c9c9ce", linewidth=0.7, zorder=0)
    area.plot(centre[known], total[known] / count[known], color=BAND[0], linewidth=1.0)
    area.set_ylabel(curve.name, fontsize=9)
    area.spines[["top", "right"]].set_visible(False)
    area.tick_params(labelsize=8)
