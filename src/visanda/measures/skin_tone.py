"""Skin tone: how light the skin of a face looks in a picture, as an angle and on the Monk scale; and its light."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from visanda.measure import measure
from visanda.media import Detail
from visanda.models.chips import aligned, upright

MONK = ("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420")
"""The ten tones of the Monk scale, from the lightest, as sRGB (Monk 2019)."""

ITA_CLASSES = {
    "1 very light": (55, 90),
    "2 light": (41, 55),
    "3 intermediate": (28, 41),
    "4 tan": (10, 28),
    "5 brown": (-30, 10),
    "6 dark": (-90, -30),
}
"""Names of readings, with the angles in degrees that they lie between (Chardon, Cretois & Hourseau 1991)."""

SMALLEST = 24  # pixels of the shorter side of a face's box, below which compression and light decide
DARKEST = 10.0  # median L* of the places that are looked at, below which skin has no colour that can be told
LEAST_SKIN = 0.25  # share of the pixels looked at that must look like skin
CHIP, PADDING = 96, 0.25  # side of the aligned face in pixels; what is added around the mean face, as a share of it

# Where skin is, as left, top, right and bottom in shares of dlib's mean face (see models.chips): just above the brows,
# for what is higher is often hair or a hat; both cheeks, near the nose, for profiles; the nose, between eyes and tip.
PLACES = ((0.38, -0.10, 0.62, 0.0), (0.16, 0.42, 0.34, 0.62), (0.66, 0.42, 0.84, 0.62), (0.42, 0.30, 0.58, 0.50))
MIDDLE = (0.28, 0.30, 0.72, 0.72)  # of the box, where no landmarks are known

BLACK, BLOWN = 12, 250  # of 255: all channels at or below, one or more at or above
CHROMA = 3.0  # in Lab, below which a pixel is grey; the darkest Monk tone has 3.8
HUES = (20.0, 95.0)  # degrees of a* and b*, from pink to yellow; Monk tones have 49 to 89

# Of red, green and blue: X, Y and Z (IEC 61966-2-1), as shares of those of white.
TO_XYZ = np.array(
    [[0.4124564, 0.2126729, 0.0193339], [0.3575761, 0.7151522, 0.1191920], [0.1804375, 0.0721750, 0.9503041]]
) / [0.95047, 1.0, 1.08883]

COLUMNS = {
    "ita": float,
    "monk_tone": int,
    "monk_distance": float,
    "skin_share": float,
    "face_lightness": float,
    "face_blown_share": float,
    "face_black_share": float,
}


@measure(
    on="face",
    columns=COLUMNS,
    source="Chardon, Cretois & Hourseau (1991) for the individual typology angle; Monk (2019) for the ten tones; "
    "Buolamwini & Gebru (2018) for audits by skin; Howard et al. (2021) on readings from pictures",
)
def skin_tone(faces: Sequence[Detail]) -> dict[str, list[Any]]:
    """How light the skin of a face looks in this picture: not a person's race, nor the colour of their skin.

    Camera, light and white balance move it more than skin does: a quarter of the light takes the same face from light
    to brown by its angle, and down one to three tones of the scale. Readings from pictures of one person vary a lot
    against those of an instrument, unless camera and light are controlled (Howard et al. 2021). Never give it as a
    person's race or ethnicity, and say nothing of a single face. Its use is to audit other measures: whether they err
    more on faces that look dark, which may be skin or light. Look at ``face_lightness`` and both shares beside it;
    compare frontal faces of one source and light only (where a face is turned or covered, the background may stand
    where a cheek should be); check against hand codes of your own. Make-up, beards, glasses and hair are taken for
    skin where they have its colour.

    Args:
        faces: n faces; cheeks, nose and brow are found by the landmarks, else the middle of the box is taken.

    Returns:
        ``ita`` the individual typology angle in degrees, arctan((L* − 50) / b*) of the medians of pixels that look
        like skin, −90 to 90: above 55 very light, 41 to 55 light, 28 to 41 intermediate, 10 to 28 tan, −30 to 10
        brown, below dark; ``monk_tone`` the tone of the Monk scale that is nearest to their medians in CIELAB, 1
        (lightest) to 10 (darkest); ``monk_distance`` how far that is (ΔE*ab 1976; above 10 the light is coloured or
        the scale does not fit); ``skin_share`` the share of the pixels looked at that look like skin, 0 to 1;
        ``face_lightness`` their mean L*, skin or not, 0 to 100; ``face_blown_share`` and ``face_black_share`` the
        shares of them without detail, 0 to 1. The first three are null where the face is less than 24 pixels wide or
        high in the picture, too dark, or in grey, so that fewer than a quarter of the pixels look like skin.

    Raises:
        MediaError: landmarks that lie in one place; in a corpus, the ``error`` of its row.
    """
    rows = [_measure(face) for face in faces]
    return {name: [row[name] for row in rows] for name in COLUMNS}


def _measure(face: Detail) -> dict[str, Any]:
    pixels = _looked_at(face)
    lab = _lab(pixels)
    blown = pixels.max(axis=1) >= BLOWN
    black = pixels.max(axis=1) <= BLACK
    skin = _like_skin(lab) & ~blown & ~black
    row: dict[str, Any] = {
        "ita": None,
        "monk_tone": None,
        "monk_distance": None,
        "skin_share": float(skin.mean()),
        "face_lightness": float(lab[:, 0].mean()),
        "face_blown_share": float(blown.mean()),
        "face_black_share": float(black.mean()),
    }
    small = min(face.image().pixels.shape[:2]) < SMALLEST
    if small or skin.mean() < LEAST_SKIN or np.median(lab[:, 0]) < DARKEST:
        return row
    colour = np.median(lab[skin], axis=0)
    apart = np.linalg.norm(TONES - colour, axis=1)
    nearest = int(apart.argmin())
    angle = float(np.degrees(np.arctan2(colour[0] - 50, colour[2])))
    return row | {"ita": angle, "monk_tone": nearest + 1, "monk_distance": float(apart[nearest])}


def _looked_at(face: Detail) -> np.ndarray:
    """(k, 3) RGB uint8 of brow, cheeks and nose, or of the middle of the box."""
    if not face.points:
        chip = upright(face, CHIP)
        return _cut(chip, MIDDLE)
    chip = aligned(face, CHIP, PADDING)
    places = (np.array(PLACES) + PADDING) / (1 + 2 * PADDING)
    return np.concatenate([_cut(chip, place) for place in places])


def _cut(chip: np.ndarray, place: Sequence[float]) -> np.ndarray:
    left, top, right, bottom = (round(float(share) * len(chip)) for share in place)
    return chip[top:bottom, left:right].reshape(-1, 3)


def _lab(pixels: np.ndarray) -> np.ndarray:
    """(k, 3) CIELAB of (k, 3) sRGB, D65: L* 0 to 100. By the formulas: OpenCV's is off by up to 0.1, and by machine."""
    share = pixels / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = linear[:, :1] * TO_XYZ[0] + linear[:, 1:2] * TO_XYZ[1] + linear[:, 2:] * TO_XYZ[2]
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def _like_skin(lab: np.ndarray) -> np.ndarray:
    """(k,) which pixels have a hue of skin, of whatever lightness; grey has none.

    No threshold on lightness or brightness, as usual rules have it: those leave out dark skin.
    """
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1]))
    return np.asarray((np.hypot(lab[:, 1], lab[:, 2]) >= CHROMA) & (hue >= HUES[0]) & (hue <= HUES[1]))


TONES = _lab(np.array([tuple(bytes.fromhex(tone)) for tone in MONK], np.uint8))
