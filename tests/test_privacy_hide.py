"""What is hidden in a picture cannot be seen, found or read back, and the file tells nothing else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_pictures import encoded, exif_with, landscape, turned
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from visanda.errors import InputError, MediaError
from visanda.media import load
from visanda.privacy import hide, metadata_left, redact_picture
from visanda.privacy import still as still_room
from visanda.privacy.hide import CELLS, HOW, mean_colours

DISC = (40, 30, 60, 80)  # x, y, width, height of what the finder below finds


def noise(width=160, height=140, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def with_discs(*centres, width=320, height=240, radius=20):
    """Red discs on a grey wall."""
    pixels = np.full((height, width, 3), 130, np.uint8)
    for centre in centres:
        cv2.circle(pixels, centre, radius, (220, 20, 20), -1)
    return pixels


def find_red(pixels, least=60):
    """Boxes of red things of some size: a detector without weights."""
    red = (pixels[:, :, 0].astype(int) - pixels[:, :, 1] > least).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(red)
    return {"face": np.array([row[:4] for row in stats[1:] if row[4] > 100], float).reshape(-1, 4)}


def png(pixels):
    return encoded(Pillow.fromarray(pixels), "PNG")


@settings(max_examples=60)
@given(
    box=st.tuples(*[st.floats(-80, 200)] * 2, *[st.floats(0, 200)] * 2),
    oval=st.booleans(),
    grow=st.floats(1, 1.5),
)
def test_fill_leaves_no_pixel_of_the_box_wherever_it_lies(box, oval, grow):
    pixels = np.full((100, 120, 3), 255, np.uint8)
    hidden = hide(pixels, np.array([box]), "fill", oval=oval, grow=grow)
    left, top, width, height = box
    columns = slice(max(0, int(np.floor(left))), max(0, int(np.ceil(left + width))))
    rows = slice(max(0, int(np.floor(top))), max(0, int(np.ceil(top + height))))
    if width > 0 and height > 0:
        assert hidden[rows, columns].max(initial=0) == 0
    assert (pixels == 255).all()


@pytest.mark.parametrize("how", ["blur", "pixelate"])
def test_the_hidden_part_is_made_of_the_few_colours_alone(how):
    """Two pictures that differ in the box only come out alike when they have the same mean colours."""
    first, second = noise(seed=1), noise(seed=1)
    second[30:110, 40:100] = noise(seed=2)[30:110, 40:100]
    box = np.array([DISC], float)
    kept = [mean_colours(first, box[0])]
    assert kept[0].shape == (CELLS, CELLS, 3)
    one, other = (hide(pixels, box, how, colours=kept) for pixels in (first, second))
    assert (one == other).all() and not (one[30:110, 40:100] == first[30:110, 40:100]).all()


def test_the_noise_is_another_at_each_call():
    pixels = noise()
    assert not (mean_colours(pixels, np.array(DISC)) == mean_colours(pixels, np.array(DISC))).all()


def test_a_box_of_a_few_pixels_is_not_shown_pixel_by_pixel():
    colours = mean_colours(noise(), np.array([50, 50, 7, 7]), oval=False, grow=1)
    assert len(colours) == 1


@pytest.mark.parametrize("how", HOW)
def test_what_is_far_from_the_box_is_not_touched(how):
    pixels = noise()
    hidden = hide(pixels, np.array([[60, 50, 20, 20]]), how)
    assert (hidden[:20] == pixels[:20]).all() and (hidden[:, :30] == pixels[:, :30]).all()
    assert (hide(pixels, np.empty((0, 4)), how) == pixels).all()


@pytest.mark.parametrize(
    ("boxes", "how"),
    [([[0, 0, 5]], "fill"), ([[0, 0, np.nan, 5]], "fill"), ([[0, 0, -5, 5]], "fill"), ([[0, 0, 5, 5]], "smear")],
)
def test_what_cannot_be_hidden_is_said(boxes, how):
    with pytest.raises(InputError):
        hide(noise(), np.array(boxes), how)


class TestPictures:
    @pytest.mark.parametrize("how", HOW)
    def test_found_again_it_is_hidden_harder_until_it_is_not_found(self, tmp_path, how):
        pixels = with_discs((80, 100), (220, 120), radius=40)
        seen = find_red(pixels)["face"]
        small = seen.copy()
        small[0] += (25, 25, -50, -50)  # a detector that saw but a part of one, and not the other
        done = redact_picture(png(pixels), {"face": small[:1]}, how, tmp_path / "a.png", find=find_red)
        assert done.again[0] > 0 and done.again[-1] == 0 and not done.remaining
        assert len(find_red(load(done.path).pixels)["face"]) == 0
        assert done.hidden["face"] > 1

    def test_what_is_found_whatever_is_done_is_reported(self, tmp_path):
        places = iter(range(5, 200, 30))

        def restless(pixels):
            return {"face": np.array([[next(places), 5.0, 20, 20]])}

        done = redact_picture(png(noise(240)), {"face": [[5, 80, 20, 20]]}, "blur", tmp_path / "a.png", find=restless)
        assert done.again == (1,) * 6 and done.remaining["face"].tolist() == [
            [185, 5, 20, 20]
        ]  # the first look is at the original
        assert done.hidden == {"face": 6}

    @pytest.mark.parametrize(("how", "looks"), [("fill", (0,)), ("blur", (1, 1, 0))])
    def test_a_mask_that_is_taken_for_a_face_is_none(self, tmp_path, how, looks):
        def stubborn(pixels):
            return {"face": np.array([[5.0, 5, 20, 20]])}

        done = redact_picture(png(noise()), {"face": [[5, 5, 20, 20]]}, how, tmp_path / "a.png", find=stubborn)
        assert done.again == looks and not done.remaining and done.hidden == {"face": 1}
        assert load(done.path).pixels[5:25, 5:25].max() == 0

    def test_a_picture_lying_on_its_side_is_hidden_where_it_is_upright(self, tmp_path):
        data = encoded(turned(6, 48, 32), "JPEG", exif=exif_with(_274=6), quality=95)
        done = redact_picture(data, {"text": [[0, 0, 24, 16]]}, "fill", tmp_path / "a.jpg")
        pixels = load(done.path).pixels
        assert pixels.shape == (32, 48, 3)
        assert pixels[4:12, 4:20].max() < 20 and pixels[20:28, 30:44].mean(axis=(0, 1)).round(-1).tolist() == [
            250,
            250,
            0,
        ]

    @pytest.mark.parametrize(
        ("name", "format", "written"),
        [
            ("a.jpg", "JPEG", "a.jpg"),
            ("a.webp", "WEBP", "a.webp"),
            ("a.gif", "GIF", "a.gif.png"),
            ("a.tif", "TIFF", "a.tif.png"),
            ("a.avif", "AVIF", "a.avif.jpg"),
        ],
    )
    def test_the_copy_has_the_format_of_its_name_and_no_picture_takes_the_name_of_another(
        self, tmp_path, name, format, written
    ):
        done = redact_picture(encoded(landscape(64, 48), format), {}, "fill", tmp_path / name)
        assert done.path == tmp_path / written and load(done.path).width == 64

    @pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
    def test_nothing_but_pixels_is_written(self, tmp_path, format):
        tags = exif_with(_271="Maker", _306="2020:01:01 00:00:00")
        tags.get_ifd(0x8825).update({1: "N", 2: (50.0, 0.0, 0.0), 3: "E", 4: (8.0, 0.0, 0.0)})
        options = {"exif": tags.tobytes(), "icc_profile": srgb()}
        if format == "PNG":
            options["pnginfo"] = PngInfo()
            options["pnginfo"].add_text("Author", "somebody")
        else:
            options["xmp"] = b"<x:xmpmeta>somebody</x:xmpmeta>"
        if format == "JPEG":
            options["comment"] = b"somebody"
        source = tmp_path / f"a.{format.lower()}"
        source.write_bytes(encoded(landscape(64, 48), format, **options) + b"a film of three seconds")
        told = metadata_left(source)
        assert {"EXIF", "GPS", "colour profile", "after the end"} < set(told) and {"XMP", "text"} & set(told)
        done = redact_picture(source, {}, "fill", tmp_path / f"b.{format.lower()}")
        assert metadata_left(done.path) == []
        assert b"somebody" not in done.path.read_bytes()

    def test_a_truncated_picture_is_an_error_and_leaves_no_file(self, tmp_path):
        with pytest.raises(MediaError, match="truncated"):
            redact_picture(encoded(landscape(), "JPEG")[:-4000], {}, "blur", tmp_path / "a.jpg")
        assert list(tmp_path.iterdir()) == []

    def test_a_full_disk_is_said_and_leaves_no_file(self, tmp_path, monkeypatch):
        def full(path, data):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("pathlib.Path.write_bytes", full)
        with pytest.raises(InputError, match="No space left on device"):
            redact_picture(png(noise()), {}, "blur", tmp_path / "a.png")
        assert list(tmp_path.iterdir()) == []

    def test_interrupted_while_it_is_checked_it_leaves_no_file(self, tmp_path):
        def interrupted(pixels):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            redact_picture(png(noise()), {}, "blur", tmp_path / "a.png", find=interrupted)
        assert list(tmp_path.iterdir()) == []


def srgb():
    return still_room.ImageCms.ImageCmsProfile(still_room.ImageCms.createProfile("sRGB")).tobytes()
