"""What a camera wrote is read; rubbish in a tag means no value."""

from __future__ import annotations

from datetime import datetime

import pytest
from media_pictures import assert_quarters, encoded, exif_with, quarters
from PIL import ImageCms

from visanda.media import decode, read_header


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
