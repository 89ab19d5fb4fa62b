import os
import struct
import unicodedata
import zlib

import pytest
from media_pictures import HEIC, encoded, quarters

from visanda.collect.folder import Found, class_columns, describe, find
from visanda.errors import InputError
from visanda.units import parse

JPEG = encoded(quarters(), "JPEG")


def put(folder, *names, data=JPEG):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def ids(*sources, prefix=None):
    return [item.id for item in find(sources, prefix).found]


def test_folders_are_searched_to_the_bottom_and_hidden_files_are_left(tmp_path):
    photos = put(
        tmp_path / "photos", "b.JPG", "2019/x/a.png", ".hidden.jpg", "__MACOSX/b.jpg", ".git/c.jpg", "notes.txt"
    )
    search = find([photos])
    assert [item.id for item in search.found] == ["photos/b.JPG", "photos/2019/x/a.png"]
    assert dict(search.other_files) == {".txt": 1}


def test_ids_are_the_same_for_a_folder_its_files_and_globs(tmp_path, monkeypatch):
    put(tmp_path / "photos", "a.jpg", "b.jpg", "2019/c.jpg")
    monkeypatch.chdir(tmp_path)
    assert ids("photos") == ["photos/a.jpg", "photos/b.jpg", "photos/2019/c.jpg"]
    assert ids("photos/a.jpg", "photos/b.jpg") == ids("photos/[ab].jpg") == ids("photos/?.jpg")
    assert sorted(ids("photos/**/*.jpg")) == sorted(ids("photos")) == sorted(ids("photos/*"))
    monkeypatch.chdir(tmp_path / "photos")
    assert ids(".") == ids("../photos") == ids(str(tmp_path / "photos"))


def test_a_name_that_looks_like_a_pattern_is_a_name_first(tmp_path):
    put(tmp_path, "[ab].jpg", "a.jpg")
    assert ids(tmp_path / "[ab].jpg", prefix="") == ["[ab].jpg"]


def test_a_prefix_stands_for_the_folder(tmp_path):
    put(tmp_path / "photos", "a.jpg")
    assert ids(tmp_path / "photos", prefix="wave1/") == ["wave1/a.jpg"]
    assert ids(tmp_path / "photos", prefix="") == ["a.jpg"]
    with pytest.raises(InputError, match="leads upwards"):
        ids(tmp_path / "photos", prefix="../x")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("nowhere", "there is no file or folder .*nowhere"),
        ("*.jpg", "nothing matches"),
        ("**.jpg", "no pattern|nothing"),
    ],
)
def test_a_source_that_is_not_there(tmp_path, source, says):
    with pytest.raises(InputError, match=says):
        find([str(tmp_path / source)])


def test_links_to_files_are_files_and_links_to_folders_are_reported(tmp_path):
    put(tmp_path / "store", "abc123.bin")
    put(tmp_path / "photos", "b.jpg")
    (tmp_path / "photos" / "a.jpg").symlink_to(tmp_path / "store" / "abc123.bin")
    (tmp_path / "photos" / "more").symlink_to(tmp_path / "store")
    search = find([tmp_path / "photos"])
    assert [item.id for item in search.found] == ["photos/a.jpg", "photos/b.jpg"]
    assert "more: a link; add that folder itself" in search.unreadable[0]
    assert ids(tmp_path / "photos" / "a.jpg") == ids(str(tmp_path / "photos" / "a*.jpg")) == ["photos/a.jpg"]
    assert describe(search.found[0])["error"] is None


@pytest.mark.parametrize(
    "name",
    [
        "with space.jpg",
        unicodedata.normalize("NFD", "für.jpg"),
        "🦋🏽.jpg",
        "a#b.jpg",
        "100%.jpg",
        "%23.jpg",
        "x" * 196 + ".jpg",
        'it\'s "q".jpg',
        "new\nline.jpg",
    ],
)
def test_any_name_reads_back_from_its_id(tmp_path, name):
    put(tmp_path / "p", name)
    (found,) = find([tmp_path / "p"]).found
    assert parse(found.id).name == f"p/{name}"
    row = describe(found)
    assert row["error"] is None and row["path"] == str(tmp_path / "p" / name)


def test_names_that_are_not_utf8_are_errors_that_say_so(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / os.fsdecode(b"f\xfcr.jpg")).write_bytes(JPEG)
    (found,) = find([tmp_path / "p"]).found
    assert found.id == r"p/f\xfcr.jpg"
    assert "not valid UTF-8: rename it" in describe(found)["error"]


def test_two_names_that_differ_in_case_only_are_two_pictures(tmp_path):
    assert ids(put(tmp_path / "p", "a.jpg", "A.JPG")) == ["p/A.JPG", "p/a.jpg"]


@pytest.mark.parametrize(
    ("paths", "columns"),
    [
        (["train/yes/a.jpg", "test/no/b.jpg"], {"split": ["train", "test"], "class": ["yes", "no"]}),
        (["Training/yes/a.jpg", "val/no/b.jpg"], {"split": ["train", "validation"], "class": ["yes", "no"]}),
        (["yes/a.jpg", "no/b.jpg"], {"class": ["yes", "no"]}),
        (["train/a.jpg", "test/b.jpg"], {"split": ["train", "test"]}),
        (["a/x/a.jpg", "b.jpg"], {"folder": ["a/x", None]}),
        (["a.jpg", "b.jpg"], {}),
    ],
)
def test_folders_of_classes_become_columns(tmp_path, paths, columns):
    found = [Found(path, tmp_path / path, tuple(path.split("/")[:-1])) for path in paths]
    assert class_columns(found) == columns


# what a file is


def bomb() -> bytes:
    """A PNG of some hundred bytes that says it has 30,000 × 30,000 pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )


def described(tmp_path, data, name="x.jpg"):
    return describe(Found("x", put(tmp_path, name, data=data) / name, ()))


FORMATS = [(encoded(quarters(), name), name) for name in ("JPEG", "PNG", "WebP", "GIF", "TIFF", "BMP", "AVIF")]


@pytest.mark.parametrize(("data", "format"), [*FORMATS, (HEIC, "HEIC")], ids=[name for _, name in FORMATS] + ["HEIC"])
def test_every_format_is_told_by_its_content_whatever_the_name_says(tmp_path, data, format):
    row = described(tmp_path, data)
    assert (row["error"], row["format"], row["width"], row["height"], row["frames"]) == (None, format, 48, 32, 1)
    assert row["bytes"] == len(data) and len(row["sha256"]) == 64


def test_an_animation_says_how_many_frames_it_has(tmp_path):
    data = encoded(quarters(), "GIF", save_all=True, append_images=[quarters().rotate(90), quarters().rotate(180)])
    assert described(tmp_path, data, "x.gif")["frames"] == 3


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><title>404</title>", "HTML"),
        (bomb(), "30000 × 30000"),
        (encoded(quarters(640, 480), "JPEG")[:-500], "truncated JPEG"),
        (encoded(quarters(), "JPEG")[:30], "truncated"),
        (encoded(quarters(), "PNG")[:20], "truncated or corrupt PNG"),
        (bytes(5000), "not a picture"),
        (os.urandom(32) * 50, "not a picture|truncated"),
    ],
    ids=["empty", "html", "bomb", "cut", "header", "png header", "zeros", "noise"],
)
def test_what_is_no_picture_is_a_row_that_says_why(tmp_path, data, says):
    row = described(tmp_path, data)
    assert row["error"] and any(word in row["error"] for word in says.split("|"))
    assert row.get("width") is None


def test_a_pipe_does_not_hold_up_the_search(tmp_path):
    os.mkfifo(tmp_path / "x.jpg")
    assert "a pipe" in describe(Found("x", tmp_path / "x.jpg", ()))["error"]


def test_a_link_into_nowhere(tmp_path):
    (tmp_path / "x.jpg").symlink_to(tmp_path / "gone.jpg")
    assert "no such file" in describe(Found("x", tmp_path / "x.jpg", ()))["error"]
