"""skin_tone: the angle of known colours, the Monk scale's own tones, real portraits, and how far light moves it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import visanda
from visanda.errors import MediaError
from visanda.measures.skin_tone import MONK, skin_tone
from visanda.media import Detail, Image
from visanda.models.facemesh import ANCHORS, mesh
from visanda.models.yunet import detect

SAMPLE = Path(visanda.__file__).parent / "sample" / "faces"


def portrait(name: str) -> Detail:
    """The surest face of a picture, with its landmarks."""
    pixels = Image.of(SAMPLE / name).pixels
    found = detect(pixels)
    points, _ = mesh(pixels, found.boxes[0], found.points[0])
    x, y, width, height = (round(float(number)) for number in found.boxes[0])
    return Detail(Image.of(pixels), (x, y, width, height), points[list(ANCHORS), :2].ravel().tolist())


@pytest.fixture(scope="module")
def astronaut() -> Detail:
    return portrait("astronaut.jpg")


@pytest.fixture(scope="module")
def admiral() -> Detail:
    return portrait("admiral.jpg")


def lit(face: Detail, factor: float | tuple[float, float, float]) -> Detail:
    """The same face under so many times as much light, in each channel."""
    linear = (face.whole.pixels / 255.0) ** 2.2 * np.asarray(factor)
    pixels = np.clip(255 * linear ** (1 / 2.2), 0, 255).round().astype(np.uint8)
    return Detail(Image.of(pixels), face.box, face.points)


def plain(colour: str, side: int = 80) -> Detail:
    """A face that is nothing but one colour."""
    pixels = np.full((side, side, 3), tuple(bytes.fromhex(colour)), np.uint8)
    return Detail(Image.of(pixels), (0, 0, side, side))


def one(face: Detail) -> dict[str, float]:
    return {name: values[0] for name, values in skin_tone()([face]).items()}


@pytest.mark.parametrize(("place", "tone"), list(enumerate(MONK, start=1)))
def test_each_monk_tone_is_its_own_nearest(place: int, tone: str):
    found = one(plain(tone))
    assert found["monk_tone"] == place
    assert found["monk_distance"] == pytest.approx(0, abs=1e-6)


def cielab(colour: str) -> tuple[float, float]:
    """L* and b* of an sRGB colour by the formulas of CIE 15 and IEC 61966-2-1, under D65."""
    share = np.array(list(bytes.fromhex(colour))) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    relative = to_xyz @ linear / [0.95047, 1.0, 1.08883]
    root = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29)
    return 116 * root[1] - 16, 200 * (root[1] - root[2])


@pytest.mark.parametrize("colour", ["d7bd96", "a07e56", "604134", "3a312a"])
def test_the_angle_of_known_colours(colour: str):
    lightness, yellow = cielab(colour)
    found = one(plain(colour))
    assert found["ita"] == pytest.approx(np.degrees(np.arctan((lightness - 50) / yellow)), abs=0.01)
    assert found["face_lightness"] == pytest.approx(lightness, abs=0.001)
    assert found["skin_share"] == 1


def test_lighter_tones_have_larger_angles():
    angles = [one(plain(tone))["ita"] for tone in MONK]
    assert angles == sorted(angles, reverse=True)


def test_real_portraits_are_lit_and_mostly_skin(astronaut, admiral):
    for face in (astronaut, admiral):
        found = one(face)
        assert 10 < found["ita"] < 65
        assert found["monk_tone"] in (4, 5, 6)
        assert found["skin_share"] > 0.7
        assert found["face_black_share"] < 0.05


@pytest.mark.parametrize("name", ["astronaut", "admiral"])
def test_the_limit_the_same_face_in_less_light_is_another_tone(name, request):
    """What the docstring warns of: a quarter of the light moves one person by more than two classes of the angle."""
    face = request.getfixturevalue(name)
    angles, tones = zip(
        *[(found["ita"], found["monk_tone"]) for found in (one(lit(face, f)) for f in (1, 0.5, 0.25))], strict=True
    )
    assert angles[0] > angles[1] + 10
    assert angles[1] > angles[2] + 10
    assert angles[0] - angles[2] > 40
    assert tones[2] > tones[0]
    assert one(lit(face, 0.25))["face_lightness"] < one(face)["face_lightness"] - 20


def test_the_limit_white_balance_moves_it_too(astronaut):
    warm, cold = (one(lit(astronaut, light))["ita"] for light in ((1.1, 1.0, 0.75), (0.95, 1.0, 1.15)))
    assert abs(warm - cold) > 10


def test_blown_light_is_seen(astronaut):
    bright = one(lit(astronaut, 3))
    assert bright["face_blown_share"] > 0.3 > one(astronaut)["face_blown_share"]


def test_grey_dark_and_small_faces_have_no_tone(astronaut):
    grey = cv2.cvtColor(cv2.cvtColor(astronaut.whole.pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    dark, small = lit(astronaut, 0.004), plain("a07e56", 23)
    for face in (Detail(Image.of(grey), astronaut.box, astronaut.points), dark, small, plain("2040a0")):
        found = one(face)
        assert (found["ita"], found["monk_tone"], found["monk_distance"]) == (None, None, None)
        assert 0 <= found["face_lightness"] <= 100
    assert one(plain("a07e56", 24))["monk_tone"] == 6
    assert one(dark)["face_black_share"] > one(astronaut)["face_black_share"]


def test_without_landmarks_the_middle_of_the_box_is_taken(astronaut):
    there, without = one(astronaut), one(Detail(astronaut.whole, astronaut.box))
    assert abs(there["ita"] - without["ita"]) < 10
    with pytest.raises(MediaError, match="landmarks"):
        one(Detail(astronaut.whole, astronaut.box, [1.0, 2.0]))


def test_it_says_what_it_is_not():
    text = " ".join(skin_tone.__doc__.split())
    for said in ("not a person's race", "Camera, light and white balance move it more than skin", "hand codes"):
        assert said in text, said
