"""Whatever holds a picture becomes an Image, and an Image becomes a file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from media_pictures import assert_quarters, encoded, exif_with, landscape, quarters, turned
from PIL import Image as Pillow

from visanda.errors import InputError, MediaError
from visanda.media import Image, load, read_file, read_header, save


class TestFiles:
    def test_load_is_decode_of_the_file(self, tmp_path: Path):
        path = tmp_path / "a.png"
        quarters().save(path)
        assert_quarters(load(path))
        assert_quarters(load(str(path), size=16))
        assert read_file(path) == path.read_bytes()

    def test_missing_folder_and_forbidden_files_are_named(self, tmp_path: Path):
        with pytest.raises(MediaError, match=r"gone\.jpg: there is no such file"):
            load(tmp_path / "gone.jpg")
        with pytest.raises(MediaError, match="this is a folder"):
            load(tmp_path)
        with pytest.raises(MediaError, match="cannot be read"):
            load("a\0b.jpg")

    def test_no_permission(self, tmp_path: Path, monkeypatch):
        def refuse(self):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", refuse)  # the tests may run as root, whom chmod does not stop
        with pytest.raises(MediaError, match="no permission"):
            load(tmp_path / "secret.jpg")

    def test_errors_of_the_content_name_the_file(self, tmp_path: Path):
        path = tmp_path / "page.jpg"
        path.write_bytes(b"<html></html>")
        for read in (load, Image.of):
            with pytest.raises(MediaError, match=r"page\.jpg: not a picture: the file holds HTML"):
                read(path)

    @pytest.mark.parametrize(("name", "format"), [("a.jpg", "JPEG"), ("a.PNG", "PNG"), ("a.webp", "WebP")])
    def test_save_follows_the_suffix(self, tmp_path: Path, name, format):
        path = save(quarters(), tmp_path / name, quality=95)
        assert read_header(path.read_bytes()).format == format
        assert_quarters(load(path), 25)
        assert [file.name for file in tmp_path.iterdir()] == [name]

    def test_save_refuses_what_it_cannot_do(self, tmp_path: Path):
        with pytest.raises(InputError, match="must end in one of"):
            save(quarters(), tmp_path / "a.gif")
        with pytest.raises(InputError, match="quality"):
            save(quarters(), tmp_path / "a.jpg", quality=0)
        with pytest.raises(InputError, match="cannot be written"):
            save(quarters(), tmp_path / "no such folder" / "a.jpg")
        with pytest.raises(InputError, match="17000 × 1 cannot be WEBP"):
            save(np.zeros((1, 17_000), np.uint8), tmp_path / "long.webp")


class TestImageOf:
    def test_arrays(self):
        array = np.asarray(quarters())
        assert_quarters(Image.of(array))
        grey = Image.of(np.full((4, 6), 7, np.uint8))
        assert (grey.width, grey.height, grey.pixels[3, 5].tolist()) == (6, 4, [7, 7, 7])

    def test_an_image_stays_itself(self):
        image = Image.of(quarters())
        assert Image.of(image) is image

    def test_pillow_pictures_of_other_modes(self):
        assert_quarters(Image.of(quarters().convert("RGBA")))

    def test_an_edited_pillow_picture_is_not_turned_again(self):
        data = encoded(turned(6, 48, 32), "JPEG", exif=exif_with(_274=6), quality=95, subsampling=0)
        edited = Pillow.open(io.BytesIO(data)).rotate(-90, expand=True)
        assert edited.getexif()[274] == 6
        assert_quarters(Image.of(edited), 12)

    def test_pixels_cannot_be_changed_and_the_users_array_can(self):
        array = np.array(quarters())
        image = Image.of(array)
        with pytest.raises(ValueError, match="read-only"):
            image.pixels[0, 0] = 0
        array[0, 0] = 0

    @pytest.mark.parametrize(
        ("thing", "message"),
        [
            (np.zeros((4, 4, 3)), "uint8"),
            (np.zeros((4, 4, 4), np.uint8), r"\(height, width, 3\)"),
            (np.zeros((0, 4, 3), np.uint8), r"\(height, width, 3\)"),
            (42, "not int"),
        ],
    )
    def test_what_is_no_picture_is_refused(self, thing, message):
        with pytest.raises(InputError, match=message):
            Image.of(thing)

    def test_a_truncated_pillow_picture_is_a_media_error(self):
        data = encoded(landscape(), "PNG")
        with pytest.raises(MediaError, match="truncated or corrupt PNG"):
            Image.of(Pillow.open(io.BytesIO(data[: len(data) // 2])))
