"""Colour: how bright, how colourful, how warm, and which colours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np

from visanda.measure import measure
from visanda.media import Image

NAMES = ("black", "white", "grey", "red", "orange", "brown", "yellow", "green", "blue", "purple", "pink")
CHROMATIC = 0.1  # chroma (saturation × value) below which a pixel has no hue worth naming

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
    **{f"share_{name}": float for name in NAMES},
}


@measure(
    columns=COLUMNS,
    size=256,
    source="Hasler & Süsstrunk (2003) for colourfulness; Berlin & Kay (1969) for the eleven basic colours; "
    "Fisher (1993) for circular means",
)
def colour(images: Sequence[Image], *, colours: int = 5) -> dict[str, list[Any]]:
    """Brightness, contrast, saturation, hue, colourfulness, warmth, palette and named colours of a picture.

    Args:
        images: n pictures.
        colours: how many dominant colours the palette holds, at least 1.

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
    rows = [_measure(image.pixels, max(1, colours)) for image in images]
    return {name: [row[name] for row in rows] for name in COLUMNS}


def _measure(pixels: np.ndarray, colours: int) -> dict[str, Any]:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    mean, spread = cv2.meanStdDev(grey)
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV_FULL)
    hue, saturation, value = cv2.split(hsv)
    chroma = cv2.multiply(saturation, value, scale=1 / 255)
    palette, shares = _palette(pixels, colours)
    named = np.bincount(_name_table()[_cells(pixels)], minlength=len(NAMES)) / grey.size
    return {
        "brightness": mean.item() / 255,
        "contrast": spread.item() / 255,
        "saturation": cv2.mean(saturation)[0] / 255,
        **_hue(hue.ravel(), chroma.ravel()),
        "colourfulness": _colourfulness(pixels),
        "palette": palette,
        "palette_shares": shares,
        **{f"share_{name}": share for name, share in zip(NAMES, named.tolist(), strict=True)},
    }


def _colourfulness(pixels: np.ndarray) -> float:
    """M3: spread and mean of the opponent axes red–green and yellow–blue."""
    red, green, blue = (cv2.split(pixels.astype(np.float32)))
    (rg_mean, rg_sd), (yb_mean, yb_sd) = (
        (value.item() for value in cv2.meanStdDev(axis)) for axis in (red - green, 0.5 * (red + green) - blue)
    )
    return float(np.hypot(rg_sd, yb_sd) + 0.3 * np.hypot(rg_mean, yb_mean))


def _hue(hue: np.ndarray, chroma: np.ndarray) -> dict[str, float]:
    """Circular mean and variance of hue, and the share of warm pixels, through a histogram of 256 hues."""
    angle = np.arange(256) * (2 * np.pi / 256)
    weight = np.bincount(hue, weights=chroma, minlength=256)
    chromatic = np.bincount(hue[chroma >= CHROMATIC * 255], minlength=256)
    warm = chromatic[np.cos(angle) > 1e-9].sum() / hue.size
    if weight.sum() == 0:
        return {"hue": np.nan, "hue_variance": np.nan, "warm_share": float(warm)}
    x, y = (weight * np.cos(angle)).sum() / weight.sum(), (weight * np.sin(angle)).sum() / weight.sum()
    mean = np.degrees(np.arctan2(y, x)) % 360
    return {
        "hue": float(0.0 if mean > 359.9999 else mean),
        "hue_variance": float(min(1, max(0, 1 - np.hypot(x, y)))),
        "warm_share": float(warm),
    }


def _palette(pixels: np.ndarray, colours: int) -> tuple[list[str], list[float]]:
    """k-means in CIELAB over at most 48 × 48 pixels, started from quantiles of lightness: no chance in it."""
    height, width = pixels.shape[:2]
    # Nearest neighbour, not averaging: a palette must hold colours that are in the picture.
    small = cv2.resize(pixels, (min(width, 48), min(height, 48)), interpolation=cv2.INTER_NEAREST_EXACT)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    distinct = np.unique(small.reshape(-1, 3), axis=0)
    k = min(colours, len(distinct))
    rank = np.lexsort((lab[:, 2], lab[:, 1], lab[:, 0]))
    start = np.empty((len(lab), 1), np.int32)
    start[rank, 0] = np.arange(len(lab)) * k // len(lab)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 15, 0.5)
    _, labels, centres = cv2.kmeans(lab, k, start, stop, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    count = np.bincount(labels.ravel(), minlength=k)
    order = np.argsort(-count, kind="stable")
    rgb = cv2.cvtColor(centres[None, order].astype(np.float32), cv2.COLOR_LAB2RGB)[0]
    text = ["#{:02x}{:02x}{:02x}".format(*row) for row in np.clip(np.rint(rgb * 255), 0, 255).astype(int)]
    return text, (count[order] / count.sum()).tolist()


def _cells(pixels: np.ndarray) -> np.ndarray:
    """Each pixel's cell in a cube of 32 × 32 × 32 colours."""
    red, green, blue = (channel.ravel().astype(np.uint16) >> 3 for channel in cv2.split(pixels))
    return (red << 10) | (green << 5) | blue


@cache
def _name_table() -> np.ndarray:
    """The basic colour name (index into NAMES) of each cell of the cube, by rules in CIELAB's LCh.

    Grey, black and white are what has little chroma; brown is dark orange or dark yellow, pink is light red or
    purple. Borders lie half-way between the focal colours that Sturges & Whitfield (1995) report.
    """
    levels = (np.arange(32, dtype=np.float32) * 8 + 3.5) / 255
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(1, -1, 3)
    lightness, a, b = cv2.cvtColor(cube, cv2.COLOR_RGB2LAB)[0].T
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    index = {name: position for position, name in enumerate(NAMES)}
    names = np.full(len(hue), index["red"])
    for name, low, high in (
        ("orange", 48, 78),
        ("yellow", 78, 108),
        ("green", 108, 200),
        ("blue", 200, 304),
        ("purple", 304, 340),
        ("pink", 340, 360),
    ):
        names[(hue >= low) & (hue < high)] = index[name]
    names[((hue >= 48) & (hue < 100) & (lightness < 55)) | ((hue >= 30) & (hue < 48) & (lightness < 38))] = index[
        "brown"
    ]
    reddish = (hue < 48) | (hue >= 304)
    names[reddish & (lightness > 62) & (chroma < 75)] = index["pink"]
    names[((hue >= 340) | (hue < 10)) & (lightness <= 45)] = index["purple"]
    names[((hue >= 350) | (hue < 10)) & (lightness <= 30)] = index["red"]
    names[chroma < 12] = index["grey"]
    names[(chroma < 12) & (lightness > 88)] = index["white"]
    names[(lightness < 16) & (chroma < 25)] = index["black"]
    return names
