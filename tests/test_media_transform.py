"""Cutting, scaling and turning give the pixels one can work out by hand."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

import visanda.media.image
import visanda.media.sheet
import visanda.media.transform
from visanda.errors import InputError
from visanda.media import Image, crop, crop_centre, equalise, flip, greyscale, resize, rotate
from visanda.media.transform import STEPS


def numbered(width: int, height: int) -> Image:
    """Red says the column, green the row."""
    array = np.zeros((height, width, 3), np.uint8)
    array[:, :, 0] = np.arange(width)
    array[:, :, 1] = np.arange(height)[:, None]
    return Image.of(array)


def at(image: Image, x: int, y: int) -> list[int]:
    return image.pixels[y, x, :2].tolist()


@pytest.mark.parametrize("module", [visanda.media.image, visanda.media.sheet, visanda.media.transform])
def test_the_examples_of_the_documentation(module):
    result = doctest.testmod(module)
    assert result.failed == 0
    assert result.attempted > 0


class TestCrop:
    @pytest.mark.parametrize(
        "box",
        ["20,10,50,40", (20, 10, 50, 40), "pixel:20,10,50,40", "percent:10,10,25,40", " 20, 10, 50, 40"],
    )
    def test_every_way_of_saying_a_box(self, box):
        part = crop(numbered(200, 100), box)
        assert (part.width, part.height, part.pixels.shape) == (50, 40, (40, 50, 3))
        assert at(part, 0, 0) == [20, 10]
        assert at(part, 49, 39) == [69, 49]

    def test_boxes_are_in_pixels_of_the_original(self):
        reduced = Image(numbered(200, 100).pixels, width=2000, height=1000)
        part = crop(reduced, (200, 100, 500, 400))
        assert (part.width, part.height, part.pixels.shape) == (500, 400, (40, 50, 3))
        assert at(part, 0, 0) == [20, 10]
        assert at(crop(reduced, (206, 104, 500, 400)), 0, 0) == [21, 10]

    def test_a_box_below_one_held_pixel_is_one_pixel(self):
        reduced = Image(numbered(20, 10).pixels, width=2000, height=1000)
        assert at(crop(reduced, (1999, 999, 1, 1)), 0, 0) == [19, 9]

    @pytest.mark.parametrize("box", ["0,0,200,100", "percent:0,0,100,100", "percent:66.7,66.7,33.3,33.3"])
    def test_boxes_that_reach_the_edge(self, box):
        part = crop(numbered(200, 100), box)
        assert at(part, -1, -1) == [199, 99]

    @pytest.mark.parametrize(
        ("box", "message"),
        [
            ("151,0,50,10", "outside"),
            ("-1,0,50,10", "outside"),
            ("0,0,10,101", "outside"),
            ("percent:50,50,51,50", "outside"),
            ("0,0,0,10", "empty"),
            ("0,0,10,-5", "empty"),
            ("nan,0,10,10", "outside"),
            ("0,0,nan,10", "empty"),
            ("1,2,3", "four numbers"),
            ("a,b,c,d", "four numbers"),
            ((1, 2, 3, 4, 5), "four numbers"),
            ("seconds:1,2,3,4", "seconds"),
            (None, "four numbers"),
        ],
    )
    def test_bad_boxes(self, box, message):
        with pytest.raises(InputError, match=message):
            crop(numbered(200, 100), box)

    @settings(max_examples=200, deadline=None)
    @given(data=st.data(), held=st.tuples(st.integers(1, 40), st.integers(1, 40)), factor=st.integers(1, 30))
    def test_any_box_inside_gives_pixels(self, data, held, factor):
        image = Image(numbered(*held).pixels, held[0] * factor, held[1] * factor)
        x, y = data.draw(st.integers(0, image.width - 1)), data.draw(st.integers(0, image.height - 1))
        width = data.draw(st.integers(1, image.width - x))
        height = data.draw(st.integers(1, image.height - y))
        part = crop(image, (x, y, width, height))
        assert (part.width, part.height) == (width, height)
        assert min(part.pixels.shape) >= 1


class TestCropCentre:
    def test_of_a_size(self):
        part = crop_centre(numbered(200, 100), 60, 40)
        assert (part.width, part.height) == (60, 40)
        assert at(part, 0, 0) == [70, 30]

    @pytest.mark.parametrize(
        ("aspect", "size", "corner"),
        [
            ("1:1", (100, 100), [50, 0]),
            ("4:1", (200, 50), [0, 25]),
            (0.5, (50, 100), [75, 0]),
            ("2", (200, 100), [0, 0]),
        ],
    )
    def test_of_proportions(self, aspect, size, corner):
        part = crop_centre(numbered(200, 100), aspect=aspect)
        assert (part.width, part.height) == size
        assert at(part, 0, 0) == corner

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({}, "give width and height"),
            ({"width": 10}, "give width and height"),
            ({"width": 10, "height": 10, "aspect": "1:1"}, "give width and height"),
            ({"width": 201, "height": 10}, "outside"),
            ({"aspect": "wide"}, "aspect"),
            ({"aspect": "1:0"}, "aspect"),
            ({"aspect": -1}, "aspect"),
        ],
    )
    def test_bad_arguments(self, arguments, message):
        with pytest.raises(InputError, match=message):
            crop_centre(numbered(200, 100), **arguments)


class TestResize:
    @pytest.mark.parametrize(
        ("width", "height", "how", "expected"),
        [
            (50, 50, "fit", (50, 25)),
            (None, 50, "fit", (100, 50)),
            (50, None, "fit", (50, 25)),
            (400, 400, "fit", (400, 200)),
            (50, 50, "fill", (50, 50)),
            (300, 90, "fill", (300, 90)),
            (30, 70, "exact", (30, 70)),
            (1, 1, "fit", (1, 1)),
        ],
    )
    def test_sizes(self, width, height, how, expected):
        image = resize(numbered(200, 100), width, height, how)
        assert (image.width, image.height) == expected
        assert image.pixels.shape == (expected[1], expected[0], 3)

    def test_shrinking_averages(self):
        image = resize(np.array([[0, 100, 200, 40]], np.uint8), width=2, height=1)
        assert image.pixels[0, :, 0].tolist() == [50, 120]

    def test_fill_cuts_both_sides_alike(self):
        image = resize(numbered(200, 100), 100, 100, "fill")
        assert at(image, 0, 0) == [50, 0]
        assert at(image, 99, 99) == [149, 99]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({}, "at least 1 pixel"),
            ({"width": 0, "height": 5}, "at least 1 pixel"),
            ({"width": 5, "how": "fill"}, "both width and height"),
            ({"width": 5, "height": 5, "how": "stretch"}, 'how must be "fit"'),
        ],
    )
    def test_bad_arguments(self, arguments, message):
        with pytest.raises(InputError, match=message):
            resize(numbered(20, 10), **arguments)


class TestRotate:
    def test_a_quarter_turn_counter_clockwise(self):
        turned = rotate(numbered(200, 100), 90)
        assert (turned.width, turned.height) == (100, 200)
        assert at(turned, 0, 0) == [199, 0]
        assert at(turned, 0, 199) == [0, 0]

    @pytest.mark.parametrize("degrees", [0, 90, 180, 270, -90, 450])
    def test_quarter_turns_are_those_of_pillow(self, degrees):
        image = numbered(200, 100)
        expected = Pillow.fromarray(image.pixels).rotate(degrees, expand=True)
        assert (rotate(image, degrees).pixels == np.asarray(expected)).all()

    def test_four_quarters_are_none(self):
        image = numbered(20, 10)
        turned = image
        for _ in range(4):
            turned = rotate(turned, 90)
        assert (turned.pixels == image.pixels).all()

    def test_corners_become_white_and_the_frame_grows(self):
        turned = rotate(np.zeros((100, 100), np.uint8), 45)
        assert turned.pixels.shape[0] in (141, 142, 143)
        assert turned.pixels[0, 0].tolist() == [255] * 3
        assert turned.pixels[70, 70].tolist() == [0] * 3

    @pytest.mark.parametrize("degrees", [30, 90])
    def test_without_expansion_the_frame_stays(self, degrees):
        turned = rotate(numbered(200, 100), degrees, expand=False)
        assert (turned.width, turned.height, turned.pixels.shape) == (200, 100, (100, 200, 3))
        assert turned.pixels[0, 0].tolist() == [255] * 3

    def test_a_reduced_picture_keeps_track_of_its_original(self):
        reduced = Image(numbered(200, 100).pixels, width=2000, height=1000)
        unevenly = rotate(Image(numbered(150, 100).pixels, width=641, height=427), 90)
        assert (unevenly.width, unevenly.height) == (427, 641)
        tilted = rotate(reduced, 45)
        assert tilted.width == pytest.approx(3000 * 2**-0.5, rel=0.01)
        assert tilted.width == tilted.pixels.shape[1] * 10

    def test_bad_degrees(self):
        with pytest.raises(InputError, match="finite"):
            rotate(numbered(20, 10), float("nan"))


class TestFlip:
    def test_each_axis(self):
        assert at(flip(numbered(20, 10)), 0, 0) == [19, 0]
        assert at(flip(numbered(20, 10), "vertical"), 0, 0) == [0, 9]

    def test_bad_axis(self):
        with pytest.raises(InputError, match="axis must be"):
            flip(numbered(20, 10), "diagonal")


class TestTones:
    def test_greys_of_pure_colours(self):
        colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
        pixels = greyscale(colours).pixels
        assert pixels[0, :, 0].tolist() == [76, 150, 29, 255]
        assert (pixels == pixels[:, :, :1]).all()

    def test_equalise_spreads_dull_greys_over_the_range(self):
        pixels = equalise(np.arange(100, 164, dtype=np.uint8).reshape(8, 8)).pixels
        assert (pixels.min(), pixels.max()) == (0, 255)
        assert np.diff(pixels[:, :, 0].ravel().astype(int)).min() >= 3

    def test_equalise_keeps_a_red_picture_red(self):
        array = np.zeros((1, 64, 3), np.uint8)
        array[0, :, 0] = np.arange(100, 164)
        middle = equalise(array).pixels[0, 32].astype(int)
        assert middle[0] - middle[1:].max() > 80


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("crop", {"box": "0,0,10,10"}),
        ("crop_centre", {"aspect": "1:1"}),
        ("resize", {"width": 10}),
        ("rotate", {"degrees": 90}),
        ("rotate", {"degrees": 7}),
        ("flip", {}),
        ("greyscale", {}),
        ("equalise", {}),
    ],
)
def test_every_step_leaves_its_input_alone_and_gives_sound_pixels(name, arguments):
    array = np.array(numbered(40, 30).pixels)
    before = array.copy()
    image = STEPS[name](array, **arguments)
    assert (array == before).all()
    assert image.pixels.dtype == np.uint8
    assert image.pixels.flags.c_contiguous
    assert image.pixels.shape[2] == 3


def test_every_step_is_listed():
    assert set(STEPS) == {"crop", "crop_centre", "resize", "rotate", "flip", "greyscale", "equalise"}
    assert all(step is getattr(visanda.media, name) for name, step in STEPS.items())
