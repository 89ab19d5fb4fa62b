"""Text in pictures: what is read, where and in which order; and when the optional package is missing."""

from __future__ import annotations

import socket
import threading
from importlib.util import find_spec
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

import visanda
from visanda.errors import InputError, MissingExtra
from visanda.measure import Found, find_in
from visanda.measures.text import _loaded, count_words, read_lines, text
from visanda.media import Image

reads = pytest.mark.skipif(find_spec("rapidocr") is None, reason="the extra ocr (rapidocr) is not installed")
FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
SAMPLE = Path(visanda.__file__).parent / "sample" / "photos"


def drawn(*rows: tuple[str, int, int], size: int = 24, width: int = 640, height: int = 320, ink: str = "black"):
    """Rows of text at places."""
    picture = Pillow.new("RGB", (width, height), "white")
    for said, x, y in rows:
        ImageDraw.Draw(picture).text((x, y), said, ink, ImageFont.truetype(FONT, size))
    return np.array(picture)


def found(pixels: np.ndarray, **arguments) -> Found:
    return find_in(text(**arguments), [Image.of(pixels)])[0]


def said(pixels: np.ndarray) -> str:
    return found(pixels).picture["text"]


# without the package


@pytest.mark.skipif(find_spec("rapidocr") is not None, reason="rapidocr is installed")
def test_the_error_names_the_extra():
    with pytest.raises(MissingExtra, match="ocr"):
        text()([drawn(("Text", 20, 20))])


@pytest.mark.parametrize("arguments", [{"score": 1.5}, {"score": -0.1}, {"longest": 0}])
def test_arguments_that_make_no_sense_are_refused(arguments):
    with pytest.raises(InputError):
        text(**arguments)([drawn()])


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("", 0),
        ("No parking!", 2),
        ("at one o'clock", 3),
        ("禁止停车", 4),
        ("停车 P 2", 4),
        ("- • -", 0),
        ("well-known", 1),
    ],
)
def test_words_are_counted(said, number):
    assert count_words(said) == number


# with it


@reads
def test_umlauts_accents_and_figures_are_read():
    rows = ["Über die Straße zogen größere Züge", "Où étaient passés les élèves ?", "¿Quién pidió más pan? 12,50 €"]
    assert said(drawn(*((row, 40, 40 + 40 * number) for number, row in enumerate(rows)))) == "\n".join(rows)


@reads
@pytest.mark.parametrize("size", [14, 20, 48])
def test_every_line_has_its_place_in_the_original(size):
    picture = drawn(("Demonstration", 60, 50), ("today at noon", 60, 50 + 2 * size), size=size, height=50 + 5 * size)
    one, two = found(picture).things
    assert (one["text"], one["number"], two["text"], two["number"]) == ("Demonstration", 1, "today at noon", 2)
    ink = np.argwhere((picture[: 50 + 2 * size] < 128).all(axis=2))
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0)
    x, y, width, height = one["box"]
    near = 0.4 * size
    assert x == pytest.approx(left, abs=near)
    assert y == pytest.approx(top, abs=near)
    assert x + width == pytest.approx(right, abs=near)
    assert y + height == pytest.approx(bottom, abs=near)
    assert one["share"] == pytest.approx(width * height / picture[:, :, 0].size, rel=0.05)
    assert one["angle"] == pytest.approx(0, abs=2)
    assert one["score"] > 0.9


@reads
def test_a_reduced_picture_has_places_in_the_original():
    picture = drawn(("Demonstration", 300, 250), size=120, width=2400, height=800)
    whole, small = found(picture).things[0], found(picture, longest=600).things[0]
    held = Image(picture[::4, ::4], width=2400, height=800)
    (held_back,) = find_in(text(), [held])[0].things
    for one in (small, held_back):
        assert one["text"] == "Demonstration"
        assert np.allclose(one["box"], whole["box"], atol=24)


@reads
def test_columns_are_read_one_after_the_other():
    left, right = (
        ("The square was", "full by noon", "and nobody left"),
        ("Trains stood", "still until the", "evening came"),
    )
    rows = [(row, x, 100 + 32 * n) for x, rows in ((30, left), (340, right)) for n, row in enumerate(rows)]
    assert said(drawn(("A day in the old town of the north", 30, 30), *rows)).split("\n\n") == [
        "A day in the old town of the north",
        "\n".join(left),
        "\n".join(right),
    ]


@reads
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_picture_on_its_side_or_head_is_read(quarters):
    rows = ("We are here to stay", "and to be heard", "tomorrow as well")
    picture = drawn(*((row, 40, 40 + 34 * n) for n, row in enumerate(rows)))
    there = found(np.rot90(picture, -quarters))
    assert there.picture["text"] == "\n".join(rows)
    turned = np.array([thing["angle"] for thing in there.things])
    assert np.allclose((turned - 90 * quarters + 180) % 360 - 180, 0, atol=3)
    first = np.array(there.things[0]["polygon"]).reshape(4, 2)[0]
    height, width = picture.shape[:2]
    corner = {1: (height - 40, 40), 2: (width - 40, height - 40), 3: (40, width - 40)}[quarters]
    assert np.allclose(first, corner, atol=20)


@reads
def test_pale_and_bright_letters_are_read():
    assert said(drawn(("Parking prohibited", 40, 40), ink="#bbbbbb")) == "Parking prohibited"
    assert said(255 - drawn(("Parking prohibited", 40, 40))) == "Parking prohibited"
    assert said(drawn(("Rouge et noir", 40, 40), ink="red")) == "Rouge et noir"


@reads
@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (7, 7), (15, 40), (33, 64)])
def test_tiny_pictures_and_strips_have_no_text(shape):
    for value in (0, 255):
        assert found(np.full((*shape, 3), value, np.uint8)) == Found(
            [], {"text": "", "n_lines": 0, "n_words": 0, "text_share": 0.0, "score": None}
        )


@reads
def test_a_strip_of_text_is_read():
    strip = drawn(("Breaking news: parliament votes tonight", 10, 2), width=560, height=34)
    assert said(strip) == "Breaking news: parliament votes tonight"


@reads
def test_uncertain_lines_are_left_out():
    noise = np.random.default_rng(1).normal(0, 60, (320, 640, 1))
    picture = np.clip(drawn(("Parking prohibited", 40, 40), size=14) + noise, 0, 255).astype(np.uint8)
    scores = [thing["score"] for thing in found(picture, score=0).things]
    assert scores, "something is seen"
    least = min(scores)
    assert len(found(picture, score=min(1.0, least + 1e-6)).things) < len(scores)


@reads
def test_the_pictures_row_sums_up():
    one = found(drawn(("No parking", 40, 40), ("at any time", 40, 80)))
    assert one.picture["n_lines"] == len(one.things) == 2
    assert one.picture["n_words"] == 5
    assert one.picture["text_share"] == pytest.approx(sum(thing["share"] for thing in one.things))
    assert min(t["score"] for t in one.things) <= one.picture["score"] <= max(t["score"] for t in one.things)


@reads
def test_rows_of_several_pictures():
    rows = text()([drawn(("first", 40, 40)), drawn(), drawn(("second", 40, 40), ("third", 40, 100))])
    assert (rows["picture"], rows["text"], rows["number"]) == ([0, 2, 2], ["first", "second", "third"], [1, 1, 2])


@reads
def test_photographs_have_little_text():
    photos = sorted(SAMPLE.iterdir())[::20]
    assert photos
    there = find_in(text(), [Image.of(photo) for photo in photos])
    assert sum(one.picture["n_lines"] for one in there) < len(photos)


@reads
def test_nothing_is_downloaded_and_nothing_said(monkeypatch, capfd):
    def no_network(*_):
        raise AssertionError("reached for the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    _loaded.cache_clear()
    assert said(drawn(("Quiet", 40, 40))) == "Quiet"
    assert said(drawn()) == ""
    assert capfd.readouterr() == ("", "")


@reads
def test_threads_read_what_one_reads():
    images = [Image.of(drawn((f"Sign number {n}", 40, 40), (f"{n * 37}", 40, 100))) for n in range(4)]
    alone = [[line.text for line in read_lines(image, 2000)] for image in images]
    _loaded.cache_clear()  # so that they load it together, too
    there: dict[int, list[str]] = {}

    def read(number: int) -> None:
        there[number] = [line.text for line in read_lines(images[number % 4], 2000)]

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert there == {number: alone[number % 4] for number in range(8)}
