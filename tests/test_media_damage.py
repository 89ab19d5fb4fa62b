"""A file that is no picture, or not a whole one, is a MediaError that says what is wrong."""

from __future__ import annotations

import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_pictures import HEIC, encoded, exif_with, landscape, quarters
from PIL import Image as Pillow

from visanda.errors import MediaError
from visanda.media import decode, read_header
from visanda.media.formats import MAX_PIXELS


class TestBadFiles:
    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", "the file is empty"),
            (b"<!DOCTYPE html><html><body>Not found</body></html>", "holds HTML"),
            (b"\xef\xbb\xbf\n <html lang='en'>", "holds HTML"),
            (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
            (b'{"error": "the picture is gone"}', "holds text"),
            (b"%PDF-1.7 ...", "a PDF"),
            (b"\0\0\0\x20ftypisom" + bytes(50), "a video"),
            (bytes(1000), "not a picture in a format that is read"),
            (b"\xff\xd8\xff", "truncated or corrupt JPEG"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "truncated or corrupt PNG"),
            (b"GIF89a\x01", "truncated or corrupt GIF"),
            (b"II*\0\xff\xff\xff\xff", "truncated or corrupt TIFF"),
            (HEIC[:200], "truncated or corrupt HEIC"),
        ],
    )
    def test_say_what_they_are(self, data, message):
        for read in (read_header, decode):
            with pytest.raises(MediaError, match=message):
                read(data)

    def test_a_bomb_is_refused_unopened_and_without_warnings(self):
        side = 100_000
        ihdr = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        chunk = struct.pack(">I", len(ihdr)) + b"IHDR" + ihdr + struct.pack(">I", zlib.crc32(b"IHDR" + ihdr))
        bomb = b"\x89PNG\r\n\x1a\n" + chunk + encoded(quarters(), "PNG")[33:]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(MediaError, match="refused: 100000 × 100000 pixels"):
                read_header(bomb)

    def test_a_large_picture_below_the_limit_gives_no_warning(self):
        picture = Pillow.new("1", (12_000, 9_000))
        assert Pillow.MAX_IMAGE_PIXELS < picture.width * picture.height < MAX_PIXELS
        data = encoded(picture, "PNG")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert read_header(data).width == 12_000

    @settings(max_examples=300, deadline=None)
    @given(
        start=st.sampled_from(
            [
                *(b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"MM\0*", b"BM", b"P6 "),
                *(
                    b"RIFF\x40\0\0\0WEBPVP8 ",
                    b"\0\0\0\x1cftypavif",
                    b"\0\0\0\x1cftypheic",
                    b"\xff\x4f\xff\x51",
                ),
            ]
        ),
        rest=st.binary(max_size=200),
    )
    def test_any_bytes_give_a_picture_or_a_media_error(self, start, rest):
        try:
            image = decode(start + rest)
        except MediaError:
            return
        assert image.pixels.shape == (image.height, image.width, 3)

    @settings(max_examples=150, deadline=None)
    @given(data=st.data(), format=st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "WEBP"]))
    def test_flipped_bytes_give_a_picture_or_a_media_error(self, data, format):
        whole = bytearray(encoded(quarters(), format, exif=exif_with(_271="Maker", _306="2020:01:01 00:00:00")))
        for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=8)):
            whole[at] ^= 0xFF
        try:
            header = read_header(bytes(whole))
            image = decode(bytes(whole), 10)
        except MediaError:
            return
        assert (image.width, image.height) == (header.width, header.height)


class TestTruncated:
    """Cut anywhere, a file is an error or gives every pixel it should (bytes after the last were lost)."""

    @pytest.mark.parametrize(
        ("format", "options"),
        [
            ("JPEG", {}),
            ("JPEG", {"progressive": True}),
            ("PNG", {}),
            ("WEBP", {}),
            ("WEBP", {"lossless": True}),
            ("GIF", {}),
            ("TIFF", {}),
            ("TIFF", {"compression": "tiff_lzw"}),
            ("BMP", {}),
            ("AVIF", {}),
            ("JPEG2000", {}),
        ],
    )
    def test_is_never_half_a_picture(self, format, options):
        data = encoded(landscape(60, 41), format, **options)
        full = decode(data).pixels
        refused = 0
        for length in sorted({*range(0, len(data), max(1, len(data) // 150)), *range(len(data) - 40, len(data))}):
            try:
                pixels = decode(data[:length]).pixels
            except MediaError:
                refused += 1
            else:
                assert length > len(data) - 40
                assert (pixels == full).all()
        assert refused > 100

    def test_a_jpeg_2000_cut_before_its_first_tile(self):
        data = encoded(landscape(60, 41), "JPEG2000")
        with pytest.raises(MediaError, match="the end is missing"):
            decode(data[: data.index(b"\xff\x90") + 2])

    def test_heic_that_says_another_size_than_it_holds(self):
        wrong = HEIC.replace(struct.pack(">II", 48, 1), struct.pack(">II", 255, 1))
        assert wrong != HEIC
        with pytest.raises(MediaError, match="corrupt HEIC"):
            decode(wrong)

    def test_heic(self):
        for length in range(0, len(HEIC), 5):
            with pytest.raises(MediaError):
                decode(HEIC[:length])

    @pytest.mark.parametrize("size", [None, 30])
    @pytest.mark.parametrize("progressive", [False, True])
    def test_a_jpeg_closed_after_half_its_data_is_noticed(self, size, progressive):
        data = encoded(landscape(), "JPEG", progressive=progressive)
        with pytest.raises(MediaError, match="truncated or corrupt JPEG"):
            decode(data[: len(data) // 2] + b"\xff\xd9", size)

    def test_a_jpeg_with_a_hole_is_noticed(self):
        data = bytearray(encoded(landscape(), "JPEG", quality=95))
        data[len(data) // 2 : len(data) // 2 + 300] = bytes(300)
        with pytest.raises(MediaError, match="truncated or corrupt JPEG"):
            decode(bytes(data))

    @pytest.mark.parametrize("size", [None, 60])
    def test_padding_before_the_end_of_a_jpeg_loses_nothing(self, size):
        data = encoded(landscape(), "JPEG")
        padded = data[:-2] + bytes(8) + data[-2:]  # libjpeg swallows the first few
        assert np.abs(decode(padded, size).pixels.astype(int) - decode(data, size).pixels).mean() < 1

    def test_bytes_after_the_end_of_a_jpeg_lose_nothing(self):
        data = encoded(landscape(), "JPEG")
        assert (decode(data + b"appended by a camera").pixels == decode(data).pixels).all()
