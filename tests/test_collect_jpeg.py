import io

import pytest
from media_pictures import encoded, landscape
from PIL import Image as Pillow

from visanda.collect.jpeg import is_whole


def thumbnailed() -> bytes:
    """A JPEG with a thumbnail, itself a whole JPEG, in a segment before the picture."""
    thumbnail = encoded(landscape(64, 48), "JPEG")
    exif = Pillow.Exif()
    exif[270] = "x"
    tiff = exif.tobytes()
    segment = tiff + thumbnail
    data = encoded(landscape(), "JPEG")
    return data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]


KINDS = {
    "baseline": encoded(landscape(), "JPEG"),
    "progressive": encoded(landscape(), "JPEG", progressive=True),
    "restarts": encoded(landscape(), "JPEG", restart_marker_blocks=4),
    "grey": encoded(landscape().convert("L"), "JPEG"),
    "thumbnail": thumbnailed(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_jpeg_is_told_from_every_shorter_one(kind):
    data = KINDS[kind]
    assert is_whole(data)
    for cut in [1, 2, 3, 50, *range(100, len(data), 997)]:
        assert not is_whole(data[:-cut]), cut


@pytest.mark.parametrize("after", [b"\0" * 100, b"trailing", encoded(landscape(), "JPEG"), b"\xff"])
def test_what_stands_behind_the_end_does_not_matter(after):
    assert is_whole(KINDS["baseline"] + after)


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xda"]
)
def test_nothing_much_is_not_whole(data):
    assert not is_whole(data)


def test_bytes_between_segments_are_passed_over():
    data = KINDS["baseline"]
    assert is_whole(data[:2] + b"\xff\xff\xff" + data[3:])
    assert Pillow.open(io.BytesIO(data)).size == (640, 427)
