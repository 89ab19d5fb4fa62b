"""Composition: order, balance and where the eye goes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from visanda.measure import measure
from visanda.media import Image

SALIENCE_SIDE = 64  # Hou & Zhang's scale: larger maps find texture, not objects
ROUNDING = 18  # amplitude that rounding to 256 levels (0.29 each) gives a frequency of 64 × 64 pixels


@measure(
    columns={"entropy": float, "symmetry": float, "thirds": float, "aspect": float},
    size=256,
    source="Shannon (1948); Hou & Zhang (2007), spectral residual; Datta et al. (2006), rule of thirds",
)
def composition(images: Sequence[Image]) -> dict[str, list[float]]:
    """Entropy, left–right symmetry, rule of thirds and aspect ratio of a picture.

    Returns:
        ``entropy`` Shannon entropy of the 256 luma levels in bits, 0 (flat) to 8; ``symmetry`` 1 − the mean
        absolute difference between the luma and its mirror image over the largest possible, 1 for a
        symmetrical picture; ``thirds`` how near salience (spectral residual) lies to the four crossings of the
        thirds, 1 when all of it is on them, 0 when all is in the corners, null for a flat picture; ``aspect``
        width over height of the original.
    """
    grey = [cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY) for image in images]
    return {
        "entropy": [_entropy(g) for g in grey],
        "symmetry": [1 - float(cv2.absdiff(g, cv2.flip(g, 1)).mean()) / 255 for g in grey],
        "thirds": [_thirds(g) for g in grey],
        "aspect": [image.width / image.height for image in images],
    }


def _entropy(grey: np.ndarray) -> float:
    share = np.bincount(grey.ravel(), minlength=256) / grey.size
    share = share[share > 0]
    return float(abs(-(share * np.log2(share)).sum()))


def _thirds(grey: np.ndarray) -> float:
    salience = _salience(grey)
    if salience is None:
        return float("nan")
    middle = (np.arange(SALIENCE_SIDE) + 0.5) / SALIENCE_SIDE
    from_line = np.minimum(abs(middle - 1 / 3), abs(middle - 2 / 3))
    distance = np.hypot(from_line[:, None], from_line[None, :])
    return float(1 - (salience * distance).sum() / salience.sum() / np.hypot(1 / 3, 1 / 3))


def _salience(grey: np.ndarray) -> np.ndarray | None:
    """Spectral residual (64 × 64): what the picture's spectrum has beyond its own smooth trend."""
    small = cv2.resize(grey, (SALIENCE_SIDE, SALIENCE_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    if small.std() < 0.5:
        return None
    spectrum = np.fft.fft2(small)
    # Below the noise of rounding, a logarithm would make structure out of nothing.
    amplitude = np.log(np.abs(spectrum) + ROUNDING).astype(np.float32)
    residual = amplitude - cv2.blur(amplitude, (3, 3), borderType=cv2.BORDER_REPLICATE)
    back = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    return cv2.GaussianBlur(back.astype(np.float32), (0, 0), 2.5)
