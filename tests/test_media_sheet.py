"""A contact sheet shows every picture whole, in its place, with a caption that fits."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from visanda.errors import InputError, MediaError
from visanda.media import contact_sheet, save, thumbnail
from visanda.media.sheet import _elided, _font

GAP = 14


def plain(colour: tuple[int, int, int], width: int = 60, height: int = 60) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def test_pictures_lie_in_reading_order():
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]
    sheet = contact_sheet([plain(colour) for colour in colours], columns=2, cell=100)
    assert sheet.size == (GAP + 2 * (100 + GAP), GAP + 2 * (100 + GAP))
    middles = [(GAP + 50, GAP + 50), (2 * GAP + 150, GAP + 50), (GAP + 50, 2 * GAP + 150)]
    assert [sheet.getpixel(middle) for middle in middles] == colours
    assert sheet.getpixel((2 * GAP + 150, 2 * GAP + 150)) == (255, 255, 255)


def test_proportions_are_kept():
    sheet = np.asarray(contact_sheet([plain((0, 0, 0), 400, 100)], cell=100))
    dark = np.argwhere(sheet.sum(axis=2) == 0)
    assert (np.ptp(dark, axis=0) + 1).tolist() == [25, 100]


def test_a_missing_and_an_unreadable_picture_are_grey_cells(tmp_path: Path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"<html></html>")
    sheet = contact_sheet([None, broken, plain((0, 0, 0))], ["a", "b", "c"], cell=100)
    corners = [sheet.getpixel((GAP + 3 + n * (100 + GAP), GAP + 3)) for n in range(3)]
    assert corners == [(236, 236, 238), (236, 236, 238), (0, 0, 0)]
    words = np.asarray(sheet.crop((GAP, GAP + 40, GAP + 100, GAP + 60)))
    assert words.min() < 180


def test_files_are_read(tmp_path: Path):
    path = save(plain((0, 120, 0), 500, 500), tmp_path / "green.png")
    assert contact_sheet([path], cell=100).getpixel((GAP + 50, GAP + 50)) == (0, 120, 0)


@pytest.mark.parametrize(
    "caption",
    [
        "a very long name " * 20,
        "Фото с митинга",
        "日本の写真",
        "line\nbreak\ttab",
        "undecodable \udcff byte",
        "🙂",
        "",
    ],
)
def test_captions_of_any_text_stay_inside_their_cell(caption):
    sheet = np.asarray(contact_sheet([plain((255, 255, 255))] * 2, [caption, ""], cell=100))
    beyond = sheet[GAP + 100 :, GAP + 100 + 2 :]
    assert (beyond == 255).all()
    drawn = bool((sheet[GAP + 100 :, : GAP + 100] < 255).any())
    assert drawn == bool(caption)


def test_a_long_caption_keeps_both_ends():
    font = _font(12)
    short = _elided("IMG_20210512_protest_in_front_of_the_town_hall_0042.jpg", font, 120)
    assert font.getlength(short) <= 120
    assert short.startswith("IMG_")
    assert "…" in short
    assert short.endswith("2.jpg")
    assert _elided("short.jpg", font, 120) == "short.jpg"


def test_cyrillic_is_drawn_as_letters_not_as_boxes():
    def drawn(text: str) -> bytes:
        canvas = Pillow.new("L", (30, 30))
        ImageDraw.Draw(canvas).text((5, 5), text, fill=255, font=_font(12))
        return canvas.tobytes()

    assert drawn("Ж") != drawn("\uffff")


def test_a_title_goes_above():
    bare = contact_sheet([plain((0, 0, 0))], cell=200)
    titled = contact_sheet([plain((0, 0, 0))], cell=200, title="Cluster 3")
    assert titled.height > bare.height
    assert np.asarray(titled)[: titled.height - bare.height].min() < 100


def test_bad_arguments():
    with pytest.raises(InputError, match="1 pictures but 2 captions"):
        contact_sheet([None], ["a", "b"])
    with pytest.raises(InputError, match="columns must be"):
        contact_sheet([None], columns=0)
    with pytest.raises(InputError, match="cell at least 32"):
        contact_sheet([None], cell=10)


def test_no_pictures_are_an_empty_sheet():
    assert np.asarray(contact_sheet([])).min() == 255


class TestThumbnail:
    @pytest.mark.parametrize(
        ("width", "height", "expected"), [(640, 320, (160, 80)), (100, 400, (40, 160)), (50, 20, (50, 20))]
    )
    def test_the_longer_side_fits_and_small_ones_stay(self, width, height, expected):
        data = thumbnail(plain((10, 200, 30), width, height))
        picture = Pillow.open(io.BytesIO(data))
        assert (picture.format, picture.size) == ("JPEG", expected)
        assert np.abs(np.array(picture.getpixel((5, 5))) - (10, 200, 30)).max() <= 5

    def test_of_a_file(self, tmp_path: Path):
        path = save(plain((0, 0, 0), 800, 400), tmp_path / "a.jpg")
        assert Pillow.open(io.BytesIO(thumbnail(path, 100))).size == (100, 50)
        with pytest.raises(MediaError, match="no such file"):
            thumbnail(tmp_path / "gone.jpg")

    def test_bad_side(self):
        with pytest.raises(InputError, match="side must be"):
            thumbnail(plain((0, 0, 0)), 0)
