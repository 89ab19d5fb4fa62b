"""Heat: a map over a picture that is read in print without colours, too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import visanda
from visanda.media import Image, contact_sheet
from visanda.media.heat import overlay, with_scale

GREY = np.full((80, 120, 3), 128, np.uint8)
PHOTO = Path(visanda.__file__).parent / "sample" / "photos" / "expl_farm__cow.webp"


def lightness(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Pillow.fromarray(pixels).convert("L"), float)


def test_more_heat_is_lighter_in_grey():
    heat = np.linspace(0, 1, 12)[None].repeat(8, axis=0)
    light = lightness(overlay(GREY, heat).pixels).mean(axis=0)
    assert light[5] < light[60] < light[115]
    assert (np.diff(light[::10]) > 0).all()
    assert light[115] - light[5] > 80


def test_what_speaks_against_is_as_dark_as_what_says_nothing():
    heat = np.array([[-5.0, 0.0, 2.0]])
    light = lightness(overlay(GREY, heat).pixels)
    assert light[40, 5] == light[40, 50] < light[40, 115]
    nothing = overlay(GREY, np.array([[-1.0, -2.0], [0.0, -1.0]])).pixels
    assert len(np.unique(nothing.reshape(-1, 3), axis=0)) == 1


def test_a_map_with_less_than_another_stays_darker_on_its_scale():
    heat = np.ones((3, 3))
    own, shared = (lightness(overlay(GREY, heat, most=most).pixels).mean() for most in (None, 4.0))
    assert shared < own - 40


def test_what_was_not_seen_is_hatched_and_pale():
    drawn = overlay(GREY, np.ones((2, 2)), (20, 0, 80, 80)).pixels
    outside = lightness(drawn)[:, :20]
    assert outside.min() < 160 < outside.max()
    assert len(np.unique(drawn[:, 25:95].reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (700, 5)])
def test_pictures_of_any_shape_keep_it(shape: tuple[int, int]):
    image = Image(np.zeros((*shape, 3), np.uint8), shape[1] * 2, shape[0] * 2)
    drawn = overlay(image, np.eye(7))
    assert drawn.pixels.shape == (*shape, 3)
    assert (drawn.width, drawn.height) == (image.width, image.height)
    part = overlay(image, np.eye(7), (0, 0, shape[1] * 0.875, shape[0] * 0.875))
    assert part.pixels.shape == (*shape, 3)


def test_the_scale_stands_below_the_sheet():
    sheet = contact_sheet([PHOTO, PHOTO], columns=2, cell=300)
    whole = with_scale(sheet, "says nothing", "speaks for 'yes'", "a note")
    assert whole.width == sheet.width and whole.height > sheet.height
    assert (np.asarray(whole)[: sheet.height] == np.asarray(sheet)).all()
    foot = lightness(np.asarray(whole)[sheet.height :])
    assert foot.min() < 60 and foot.max() == 255
