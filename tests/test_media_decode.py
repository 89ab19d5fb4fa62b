"""Files of every kind become the right upright pixels, or a MediaError that says what is wrong."""

from __future__ import annotations

import base64
import io
import struct
import threading
import warnings
import zlib
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps

from visanda.errors import InputError, MediaError
from visanda.media import Image, decode, decode_at, load, read_file, read_header, save
from visanda.media.formats import MAX_PIXELS

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)

# 48 × 32 in four quarters, made once with pillow-heif: nothing installed here can write HEIC.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJp"
    "bG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAHEAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAAB"
    "AAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEA"
    "AQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAA"
    "FGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAADAAAAABAAAAIAAAAAH////wAAAAAv///+AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhp"
    "cG1hAAAAAAAAAAEAAQWBAgMFhAAAAHltZGF0AAAAbSgBrwng4wycI//wT7/+/w0PtHS3uUHm76x+pL/+Eef9g5V7XsP6hDbkB/4aEcez"
    "5H/i/akzK3/U1l8YiLYPkKDShzPcBPxpD5Jv7rPnOpTRNJdI8n+1U/p/3rDWrf9KWxqty9PaZUvPqwT+k94="
)


def quarters(width: int = 48, height: int = 32) -> Pillow.Image:
    """Red, green / blue, yellow: every turn and every mirroring of it looks different."""
    array = np.zeros((height, width, 3), np.uint8)
    top, left = height // 2, width // 2
    array[:top, :left], array[:top, left:] = RED, GREEN
    array[top:, :left], array[top:, left:] = BLUE, YELLOW
    return Pillow.fromarray(array)


def landscape(width: int = 640, height: int = 427) -> Pillow.Image:
    """Smooth colours without symmetry, as photographs have."""
    seed = np.random.default_rng(1).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    return Pillow.fromarray(cv2.resize(seed, (width, height), interpolation=cv2.INTER_CUBIC))


def encoded(picture: Pillow.Image, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def corners(image: Image) -> list[tuple[int, int, int]]:
    """The colours at the middle of the four quarters: upper left, upper right, lower left, lower right."""
    height, width = image.pixels.shape[:2]
    return [
        tuple(int(value) for value in image.pixels[y, x])
        for y in (height // 4, 3 * height // 4)
        for x in (width // 4, 3 * width // 4)
    ]


def assert_quarters(image: Image, tolerance: int = 0) -> None:
    difference = np.abs(np.array(corners(image), int) - np.array([RED, GREEN, BLUE, YELLOW]))
    assert difference.max() <= tolerance, corners(image)


def exif_with(**tags) -> Pillow.Exif:
    exif = Pillow.Exif()
    for tag, value in tags.items():
        exif[int(tag[1:])] = value
    return exif


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
        if format == "PPM":
            data = b"P5 4 1 65535 " + grey.astype(">u2").tobytes()
        else:
            data = encoded(picture, format)
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


def turned(orientation: int, width: int, height: int) -> Pillow.Image:
    """The picture as a camera stores it so that EXIF ``orientation`` shows `quarters` upright."""
    undo = {
        1: None,
        2: Pillow.Transpose.FLIP_LEFT_RIGHT,
        3: Pillow.Transpose.ROTATE_180,
        4: Pillow.Transpose.FLIP_TOP_BOTTOM,
        5: Pillow.Transpose.TRANSPOSE,
        6: Pillow.Transpose.ROTATE_90,
        7: Pillow.Transpose.TRANSVERSE,
        8: Pillow.Transpose.ROTATE_270,
    }[orientation]
    picture = quarters(width, height)
    return picture if undo is None else picture.transpose(undo)


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

    @pytest.mark.parametrize("size", [300, 224, 100, 50, 20])
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
        assert 0.85 < reduced / full < 1.05

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
            threads = [
                threading.Thread(target=lambda: results.append(decode(data, 224).pixels)) for _ in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            cv2.setNumThreads(before)
        assert len(results) == 8
        assert all((pixels == alone).all() for pixels in results)


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
        whole = bytearray(
            encoded(quarters(), format, exif=exif_with(_271="Maker", _306="2020:01:01 00:00:00"))
        )
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
        for length in sorted(
            {*range(0, len(data), max(1, len(data) // 150)), *range(len(data) - 40, len(data))}
        ):
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
            decode(data[: data.index(b"\xff\x93") + 2])

    def test_heic_that_says_another_size_than_it_holds(self):
        wrong = HEIC.replace(struct.pack(">II", 48, 1), struct.pack(">II", 47, 1))
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


class TestHeader:
    def test_camera_time_and_place(self):
        exif = exif_with(_271="Canon\0\0\0", _272="Canon EOS 5D  ", _306="2001:01:01 00:00:00")
        exif.get_ifd(0x8769)[36867] = "2019:07:14 18:30:05"
        exif.get_ifd(0x8825).update({1: "S", 2: (33.0, 51.0, 36.0), 3: "E", 4: (151.0, 12.0, 54.0)})
        header = read_header(encoded(quarters(), "JPEG", exif=exif))
        assert header.taken == datetime(2019, 7, 14, 18, 30, 5)
        assert header.camera == "Canon EOS 5D"
        assert header.gps == pytest.approx((-33.86, 151.215))

    def test_make_and_model_are_joined(self):
        exif = exif_with(_271="SONY", _272="DSC-T10")
        assert read_header(encoded(quarters(), "JPEG", exif=exif)).camera == "SONY DSC-T10"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0000:00:00 00:00:00", None),
            ("2019:13:45 00:00:00", None),
            ("    :  :     :  :  ", None),
            ("yesterday", None),
            ("2019-07-14T18:30:05+02:00", datetime(2019, 7, 14, 18, 30, 5)),
        ],
    )
    def test_rubbish_times(self, text, expected):
        header = read_header(encoded(quarters(), "JPEG", exif=exif_with(_306=text)))
        assert header.taken == expected

    def test_a_rubbish_time_of_taking_gives_way_to_the_next_best(self):
        exif = exif_with(_306="2001:01:01 00:00:00")
        exif.get_ifd(0x8769)[36867] = "0000:00:00 00:00:00"
        assert read_header(encoded(quarters(), "JPEG", exif=exif)).taken == datetime(2001, 1, 1)

    @pytest.mark.parametrize(
        "gps",
        [
            {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)},
            {1: "N", 2: (95.0, 0.0, 0.0), 3: "E", 4: (10.0, 0.0, 0.0)},
            {1: "N", 2: (50.0, 0.0, 0.0)},
            {1: "N", 2: (50.0,), 3: "E", 4: (10.0,)},
        ],
    )
    def test_rubbish_places(self, gps):
        exif = exif_with()
        exif.get_ifd(0x8825).update(gps)
        assert read_header(encoded(quarters(), "JPEG", exif=exif)).gps is None

    def test_damaged_exif_costs_the_tags_only(self):
        data = encoded(quarters(64, 48), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff rubbish", quality=95)
        assert read_header(data).orientation == 1
        assert_quarters(decode(data), 12)

    def test_profile_is_noted_and_not_applied(self):
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        data = encoded(quarters(), "PNG", icc_profile=profile.tobytes())
        assert "sRGB" in read_header(data).icc
        assert_quarters(decode(data))
        assert read_header(encoded(quarters(), "PNG", icc_profile=b"rubbish")).icc == "unreadable"
        assert read_header(encoded(quarters(), "PNG")).icc is None


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
