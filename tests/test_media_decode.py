"""Pictures of every format, depth, orientation and size become the right upright pixels."""

from __future__ import annotations

import io
import struct
import threading
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_pictures import HEIC, assert_quarters, encoded, exif_with, landscape, quarters, turned
from PIL import Image as Pillow
from PIL import ImageOps

from visanda.errors import InputError, MediaError
from visanda.media import Image, decode, decode_at, read_header


class TestFormats:
    @pytest.mark.parametrize(
        ("name", "format", "options", "tolerance"),
        [
            ("JPEG", "JPEG", {"quality": 95, "subsampling": 0}, 6),
            ("JPEG", "JPEG", {"quality": 95, "progressive": True, "subsampling": 0}, 6),
            ("PNG", "PNG", {}, 0),
            ("WebP", "WEBP", {"lossless": True}, 0),
            ("WebP", "WEBP", {"quality": 95}, 12),
            ("TIFF", "TIFF", {}, 0),
            ("TIFF", "TIFF", {"compression": "tiff_lzw"}, 0),
            ("BMP", "BMP", {}, 0),
            ("PNM", "PPM", {}, 0),
            ("AVIF", "AVIF", {"quality": 95}, 12),
            ("JPEG 2000", "JPEG2000", {}, 2),
        ],
    )
    def test_colours_and_places_are_right(self, name, format, options, tolerance):
        data = encoded(quarters(), format, **options)
        header = read_header(data)
        assert (header.format, header.width, header.height, header.frames) == (name, 48, 32, 1)
        image = decode(data)
        assert (image.width, image.height, image.pixels.shape) == (48, 32, (32, 48, 3))
        assert_quarters(image, tolerance)

    def test_heic(self):
        header = read_header(HEIC)
        assert (header.format, header.width, header.height) == ("HEIC", 48, 32)
        assert_quarters(decode(HEIC), 12)

    @pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
    def test_of_an_animation_the_first_frame_is_taken(self, format):
        options = {"lossless": True} if format == "WEBP" else {}
        frames = [ImageOps.invert(quarters())] * 1 + [landscape(48, 32)]
        data = encoded(quarters(), format, save_all=True, append_images=frames, **options)
        assert read_header(data).frames == 3
        assert_quarters(decode(data))

    def test_of_a_tiff_with_pages_the_first_is_taken(self):
        data = encoded(quarters(), "TIFF", save_all=True, append_images=[ImageOps.invert(quarters())])
        assert read_header(data).frames == 2
        assert_quarters(decode(data))

    def test_palette(self):
        assert_quarters(decode(encoded(quarters().quantize(8), "PNG")))

    def test_one_bit(self):
        picture = Pillow.new("1", (10, 10), 1)
        picture.putpixel((2, 3), 0)
        pixels = decode(encoded(picture, "PNG")).pixels
        assert pixels[3, 2].tolist() == [0, 0, 0]
        assert pixels.sum() == 99 * 3 * 255

    def test_grey_jpeg_has_three_equal_channels(self):
        pixels = decode(encoded(landscape().convert("L"), "JPEG")).pixels
        assert pixels.shape == (427, 640, 3)
        assert (pixels == pixels[:, :, :1]).all()

    def test_transparent_is_white_and_half_transparent_half_white(self):
        picture = Pillow.new("RGBA", (3, 1), (0, 0, 0, 255))
        picture.putpixel((1, 0), (0, 0, 0, 0))
        picture.putpixel((2, 0), (255, 0, 0, 51))
        assert decode(encoded(picture, "PNG")).pixels[0].tolist() == [[0] * 3, [255] * 3, [255, 204, 204]]

    def test_transparency_of_grey_palette_and_key_colour(self):
        grey = Pillow.new("LA", (2, 1), (0, 255))
        grey.putpixel((1, 0), (0, 0))
        assert decode(encoded(grey, "PNG")).pixels[0].tolist() == [[0] * 3, [255] * 3]
        palette = Pillow.new("P", (2, 1))
        palette.putpalette([10, 20, 30, 200, 0, 0])
        palette.putpixel((1, 0), 1)
        for format in ("PNG", "GIF"):
            held = decode(encoded(palette, format, transparency=1)).pixels[0].tolist()
            assert held == [[10, 20, 30], [255] * 3]
        keyed = Pillow.new("RGB", (2, 1), (1, 2, 3))
        keyed.putpixel((1, 0), (9, 9, 9))
        pixels = decode(encoded(keyed, "PNG", transparency=(1, 2, 3))).pixels
        assert pixels[0].tolist() == [[255] * 3, [9] * 3]


class TestDeepColours:
    @pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG2000", "PPM"])
    def test_16_bit_greys_keep_their_shades(self, format):
        grey = np.array([[0, 0x1234, 0x8000, 0xFFFF]], np.uint16)
        picture = Pillow.fromarray(grey)
        data = b"P5 4 1 65535 " + grey.astype(">u2").tobytes() if format == "PPM" else encoded(picture, format)
        assert decode(data).pixels[0, :, 0].tolist() == [0, 0x12, 0x80, 0xFF]

    @pytest.mark.parametrize("suffix", [".png", ".tiff"])
    def test_16_bit_colours_keep_their_high_byte_and_their_order(self, suffix):
        bgr = np.array([[[0x1111, 0x2222, 0xFEFF], [0x3333, 0xFFFF, 0x0100]]], np.uint16)
        assert bgr.dtype == np.uint16
        data = cv2.imencode(suffix, bgr)[1].tobytes()
        assert decode(data).pixels[0].tolist() == [[0xFE, 0x22, 0x11], [0x01, 0xFF, 0x33]]

    @pytest.mark.parametrize("kind", [np.float32, np.int32])
    def test_32_bit_numbers_are_refused_with_advice(self, kind):
        data = encoded(Pillow.fromarray(np.ones((4, 4), kind)), "TIFF")
        with pytest.raises(MediaError, match=r"32-bit numbers.*save the picture with 8 or 16 bits"):
            decode(data)


class TestCmyk:
    def test_inks_come_out_as_the_colours_they_were_made_from(self):
        data = encoded(quarters(64, 64).convert("CMYK"), "JPEG", quality=98, subsampling=0)
        assert read_header(data).mode == "CMYK"
        assert_quarters(decode(data), 8)

    def test_as_pillow_converts_them(self):
        data = encoded(landscape().convert("CMYK"), "JPEG", quality=90)
        expected = np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))
        assert np.abs(decode(data).pixels.astype(int) - expected).max() <= 2

    def test_reduced(self):
        data = encoded(quarters(320, 240).convert("CMYK"), "JPEG", quality=98)
        image = decode(data, 50)
        assert image.pixels.shape == (50, 67, 3)
        assert_quarters(image, 8)

    def test_damage_is_noticed(self):
        data = encoded(landscape().convert("CMYK"), "JPEG")
        with pytest.raises(MediaError, match="truncated or corrupt JPEG"):
            decode(data[: len(data) // 2] + b"\xff\xd9")


@pytest.mark.parametrize("orientation", range(1, 9))
class TestOrientation:
    @pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
    @pytest.mark.parametrize("size", [None, 40])
    def test_is_applied_to_pixels_and_to_the_header(self, orientation, format, size):
        exif = exif_with(_274=orientation)
        stored = turned(orientation, 320, 192)
        data = encoded(stored, format, exif=exif, **({"lossless": True} if format == "WEBP" else {}))
        header = read_header(data)
        assert (header.width, header.height, header.orientation) == (320, 192, orientation)
        image = decode(data, size)
        assert (image.width, image.height) == (320, 192)
        assert image.pixels.shape == ((192, 320, 3) if size is None else (40, 67, 3))
        assert_quarters(image, 12)

    def test_of_a_picture_opened_with_pillow(self, orientation):
        for format in ("PNG", "TIFF"):
            data = encoded(turned(orientation, 48, 32), format, exif=exif_with(_274=orientation))
            assert_quarters(Image.of(Pillow.open(io.BytesIO(data))))


def test_orientation_that_a_png_writes_after_its_pixels():
    data = encoded(turned(6, 48, 32), "PNG")
    tags = exif_with(_274=6).tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(tags)) + b"eXIf" + tags + struct.pack(">I", zlib.crc32(b"eXIf" + tags))
    end = data.rindex(b"IEND") - 4
    late = data[:end] + chunk + data[end:]
    assert (read_header(late).width, read_header(late).height) == (48, 32)
    assert_quarters(decode(late))


class TestSizes:
    @pytest.mark.parametrize(
        ("width", "height", "size", "expected"),
        [
            (640, 427, 224, (336, 224)),
            (427, 640, 224, (224, 336)),
            (640, 427, 427, (640, 427)),
            (640, 427, 1000, (640, 427)),
            (1000, 10, 5, (500, 5)),
            (641, 641, 64, (64, 64)),
            (3000, 1, 1, (3000, 1)),
        ],
    )
    @pytest.mark.parametrize("format", ["JPEG", "PNG"])
    def test_the_shorter_side_is_exact_and_nothing_is_enlarged(self, format, width, height, size, expected):
        image = decode(encoded(landscape(width, height), format), size)
        assert image.pixels.shape == (expected[1], expected[0], 3)
        assert (image.width, image.height) == (width, height)

    @pytest.mark.parametrize("size", [300, 224, 100, 50])
    def test_a_reduced_jpeg_looks_like_the_full_one_reduced(self, size):
        data = encoded(landscape(), "JPEG", quality=95)
        image = decode(data, size)
        height, width = image.pixels.shape[:2]
        expected = cv2.resize(decode(data).pixels, (width, height), interpolation=cv2.INTER_AREA)
        assert np.abs(image.pixels.astype(int) - expected).mean() < 1.5

    @pytest.mark.parametrize("size", [100, 128, 160, 200, 224, 256])
    def test_a_reduced_jpeg_stays_as_sharp_whatever_the_size_of_the_original(self, size):
        noise = np.random.default_rng(2).integers(0, 256, (300, 400), dtype=np.uint8)
        picture = Pillow.fromarray(cv2.GaussianBlur(cv2.resize(noise, (1600, 1200)), (0, 0), 2))
        data = encoded(picture, "JPEG", quality=95)
        image = decode(data, size)
        height, width = image.pixels.shape[:2]
        expected = cv2.resize(decode(data).pixels, (width, height), interpolation=cv2.INTER_AREA)
        reduced, full = (cv2.Laplacian(p[:, :, 0], cv2.CV_64F).var() for p in (image.pixels, expected))
        assert 0.72 < reduced / full < 1.05

    @settings(max_examples=60, deadline=None)
    @given(
        side=st.tuples(st.integers(1, 300), st.integers(1, 300)),
        sizes=st.lists(st.none() | st.integers(1, 320), min_size=1, max_size=5),
        kind=st.sampled_from(["JPEG", "CMYK", "PNG", "WEBP"]),
        orientation=st.sampled_from([1, 6]),
    )
    def test_pixels_of_a_size_are_the_same_bits_alone_or_with_others(self, side, sizes, kind, orientation):
        picture = landscape(*side).convert("CMYK") if kind == "CMYK" else landscape(*side)
        format = "JPEG" if kind == "CMYK" else kind
        data = encoded(picture, format, exif=exif_with(_274=orientation))
        together = decode_at(data, sizes)
        assert set(together) == set(sizes)
        for size, image in together.items():
            alone = decode(data, size)
            assert (alone.pixels == image.pixels).all()
            upright = side if orientation == 1 else side[::-1]
            assert (image.width, image.height) == upright
            short = min(image.pixels.shape[:2])
            assert short == (min(side) if size is None else min(size, min(side)))

    @pytest.mark.parametrize("size", [0, -3, 2.5])
    def test_senseless_sizes_are_refused(self, size):
        with pytest.raises(InputError, match="size must be"):
            decode(encoded(quarters(), "PNG"), size)

    def test_the_same_bits_whatever_the_number_of_threads(self):
        data = encoded(landscape(1600, 1200), "JPEG")
        before = cv2.getNumThreads()
        try:
            cv2.setNumThreads(1)
            alone = decode(data, 224).pixels
            cv2.setNumThreads(4)
            results: list[np.ndarray] = []
            threads = [threading.Thread(target=lambda: results.append(decode(data, 224).pixels)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            cv2.setNumThreads(before)
        assert len(results) == 8
        assert all((pixels == alone).all() for pixels in results)
