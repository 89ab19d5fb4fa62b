"""Colour: how bright, how colourful, how warm, and which colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import cv2
import numpy as np

from visanda.arguments import Between
from visanda.measure import measure
from visanda.measures.basic_colours import NAMED, name_shares
from visanda.media import Image

CHROMATIC = 26  # chroma (saturation × value, 0–255) below which a pixel has no hue worth counting

COLUMNS = {
    "brightness": float,
    "contrast": float,
    "saturation": float,
    "hue": float,
    "hue_variance": float,
    "colourfulness": float,
    "warm_share": float,
    "palette": list[str],
    "palette_shares": list[float],
    **{f"share_{name}": float for name in NAMED},
}


@measure(
    columns=COLUMNS,
    size=256,
    source="Hasler & Süsstrunk (2003) for colourfulness; Fisher (1993) for circular means; Berlin & Kay (1969) and "
    "Munroe (2010), the xkcd colour survey, for the eleven basic colours",
)
def colour(images: Sequence[Image], *, colours: Annotated[int, Between(1, 32)] = 5) -> dict[str, list[Any]]:
    """Brightness, contrast, saturation, hue, colourfulness, warmth, palette and named colours of a picture.

    Args:
        images: n pictures.
        colours: how many dominant colours the palette holds, 1 to 32; fewer where a picture has fewer.

    Returns:
        ``brightness`` mean luma, 0 (black) to 1 (white); ``contrast`` standard deviation of luma (RMS contrast),
        0 to 0.5; ``saturation`` mean HSV saturation, 0 to 1; ``hue`` circular mean in degrees, 0 to 360 (0 red,
        120 green, 240 blue), pixels weighted by chroma; ``hue_variance`` 1 − the mean resultant length, 0 (one
        hue) to 1 (spread around the wheel); both null where the picture has no colour; ``colourfulness`` M3 of
        Hasler & Süsstrunk, 0 (grey) to about 110 (extreme); ``warm_share`` share of all pixels that are
        chromatic with a hue within 90° of red; ``palette`` the dominant colours (k-means in CIELAB) as
        ``#rrggbb``, most frequent first, with ``palette_shares``, 0 to 1; ``share_black`` … ``share_pink`` share
        of pixels of each basic colour, which add up to 1.
    """
    rows = [_measure(image.pixels, colours) for image in images]
    return {name: [row[name] for row in rows] for name in COLUMNS}


def _measure(pixels: np.ndarray, colours: int) -> dict[str, Any]:
    mean, spread = cv2.meanStdDev(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV_FULL)
    palette, shares = _palette(pixels, colours)
    return {
        "brightness": mean.item() / 255,
        "contrast": spread.item() / 255,
        "saturation": min(1.0, cv2.mean(hsv)[1] / 255),
        **_hue(hsv),
        "colourfulness": _colourfulness(pixels),
        "palette": palette,
        "palette_shares": shares,
        **{f"share_{name}": share for name, share in name_shares(pixels).items()},
    }


def _colourfulness(pixels: np.ndarray) -> float:
    """M3: spread and mean of the opponent axes red–green and yellow–blue, in whole numbers up to the end."""
    red, green, blue = cv2.split(pixels)
    red_green = cv2.subtract(red, green, dtype=cv2.CV_16S)
    yellow_blue_twice = cv2.subtract(
        cv2.add(red, green, dtype=cv2.CV_16S), cv2.add(blue, blue, dtype=cv2.CV_16S), dtype=cv2.CV_16S
    )
    rg_mean, rg_sd = (value.item() for value in cv2.meanStdDev(red_green))
    yb_mean, yb_sd = (value.item() / 2 for value in cv2.meanStdDev(yellow_blue_twice))
    return float(np.hypot(rg_sd, yb_sd) + 0.3 * np.hypot(rg_mean, yb_mean))


def _hue(hsv: np.ndarray) -> dict[str, float]:
    """Circular mean and variance of hue, and the share of warm pixels, from counts of 256 hues by 256 chromas."""
    hue, saturation, value = cv2.split(hsv)
    chroma = cv2.multiply(saturation, value, scale=1 / 255)
    counts = cv2.calcHist([hue, chroma], [0, 1], None, [256, 256], [0, 256, 0, 256])
    angle = np.arange(256) * (2 * np.pi / 256)
    weight = counts @ np.arange(256.0)
    warm = counts[np.cos(angle) > 1e-9, CHROMATIC:].sum(dtype=float) / hue.size
    if weight.sum() == 0:
        return {"hue": np.nan, "hue_variance": np.nan, "warm_share": warm}
    x, y = (weight @ np.cos(angle)) / weight.sum(), (weight @ np.sin(angle)) / weight.sum()
    mean = np.degrees(np.arctan2(y, x)) % 360
    return {
        "hue": float(0.0 if mean > 359.9999 else mean),
        "hue_variance": float(min(1, max(0, 1 - np.hypot(x, y)))),
        "warm_share": warm,
    }


def _palette(pixels: np.ndarray, colours: int) -> tuple[list[str], list[float]]:
    """k-means in CIELAB over at most 48 × 48 pixels; no chance in it."""
    height, width = pixels.shape[:2]
    # Nearest neighbour, not averaging: a palette must hold colours that are in the picture.
    small = cv2.resize(pixels, (min(width, 48), min(height, 48)), interpolation=cv2.INTER_NEAREST_EXACT)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    start = _first_clusters(small, lab, colours)
    k = int(start.max()) + 1
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 15, 0.5)
    # As (n, 1, 3): one row of three numbers would be taken for three points.
    _, labels, centres = cv2.kmeans(lab[:, None], k, start, stop, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    count = np.bincount(labels.ravel(), minlength=k)
    order = np.argsort(-count, kind="stable")
    rgb = cv2.cvtColor(centres[None, order].astype(np.float32), cv2.COLOR_LAB2RGB)[0]
    text = ["#{:02x}{:02x}{:02x}".format(*row) for row in np.clip(np.rint(rgb * 255), 0, 255).astype(int)]
    return text, (count[order] / count.sum()).tolist()


def _first_clusters(small: np.ndarray, lab: np.ndarray, colours: int) -> np.ndarray:
    """(n, 1) int32, the cluster that k-means starts each pixel in: as many as asked for, or as there are colours.

    Colours are counted in cells of 8 × 8 × 8 RGB levels. The most frequent cell is the first centre; each further
    one is both frequent and far from those before (k-means++ of Arthur & Vassilvitskii 2007, its most probable
    draw), so that neither a rare pixel nor a shade of the same colour takes a place.
    """
    packed = (small.reshape(-1, 3) >> 3) @ np.array([1 << 10, 1 << 5, 1])
    _, cell, count = np.unique(packed, return_inverse=True, return_counts=True)
    mean = np.stack([np.bincount(cell, weights=axis) for axis in lab.T], axis=1) / count[:, None]
    centre, distance = int(count.argmax()), np.full(len(count), np.inf)
    nearest = np.zeros(len(count), np.int32)
    for cluster in range(min(colours, len(count))):
        to_centre = np.square(mean - mean[centre]).sum(axis=1)
        nearest[to_centre < distance] = cluster
        distance = np.minimum(distance, to_centre)
        centre = int((count * distance).argmax())
    return nearest[cell][:, None]
