"""Sharpness: is the picture in focus, and how much is drawn in it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from visanda.measure import measure
from visanda.media import Image


@measure(
    columns={"sharpness": float, "edge_density": float},
    size=512,
    source="Pech-Pacheco et al. (2000), variance of the Laplacian; Canny (1986)",
)
def sharpness(images: Sequence[Image]) -> dict[str, list[float]]:
    """Variance of the Laplacian and edge density, at a shorter side of 512 pixels.

    Returns:
        ``sharpness`` variance of the 3 × 3 Laplacian of luma (0–255); 0 for a flat picture, below about 100 for
        a blurred photograph; ``edge_density`` share of pixels on a Canny edge (thresholds 100 and 200), 0 to 1.

    Both depend on resolution, so larger pictures are reduced to one size first. Smaller ones are not enlarged:
    do not compare pictures of less than 512 pixels with others.
    """
    grey = [cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY) for image in images]
    return {
        "sharpness": [float(np.square(cv2.meanStdDev(cv2.Laplacian(g, cv2.CV_32F))[1].item())) for g in grey],
        "edge_density": [cv2.countNonZero(cv2.Canny(g, 100, 200)) / g.size for g in grey],
    }
