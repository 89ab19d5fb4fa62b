import json
import os
import shutil
import tempfile
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from media_pictures import encoded, landscape, quarters
from PIL import Image as Pillow

from visanda import Corpus
from visanda.corpus import collecting
from visanda.errors import InputError

JPEG = encoded(quarters(), "JPEG")


def put(folder, *names, data=JPEG):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.fixture
def corpus(tmp_path):
    return Corpus.init(tmp_path / "study")


@pytest.fixture
def photos(tmp_path):
    return put(tmp_path / "photos", "a.jpg", "b.jpg", "c.jpg")


def counts(result):
    return dict(zip(result.table["what"], result.table["count"], strict=True))


def column(corpus, name):
    frame = corpus.query(f'SELECT id, "{name}" AS v FROM media ORDER BY id')
    return dict(zip(frame["id"].to_pylist(), frame["v"].to_pylist(), strict=True))


def test_adding_again_adds_what_is_new(corpus, photos):
    assert counts(corpus.add(photos))["new"] == 3
    put(photos, "d.jpg")
    again = counts(corpus.add(photos))
    assert (again["pictures found"], again["new"], again["already there"]) == (4, 1, 3)
    assert list(column(corpus, "error")) == ["photos/a.jpg", "photos/b.jpg", "photos/c.jpg", "photos/d.jpg"]
    run = json.loads(sorted((corpus.folder / "runs").glob("*-add.json"))[-1].read_text())
    assert run["counts"] == {"new": 1, "failed": 0, "looked at again": 0}


def test_a_table_is_joined_and_its_types_are_kept(corpus, photos, tmp_path):
    (tmp_path / "x.csv").write_text(
        "filename,zip,n,flag,day,post,share\n"
        "a.jpg,01069,1,TRUE,2024-05-01,1234567890123456789,0.5\n"
        "b.jpg,10117,,false,,1234567890123456788,1\n"
        "nobody.jpg,1,2,TRUE,2024-05-02,3,2\n"
    )
    result = corpus.add(photos, metadata=tmp_path / "x.csv")
    assert column(corpus, "zip") == {"photos/a.jpg": "01069", "photos/b.jpg": "10117", "photos/c.jpg": None}
    assert column(corpus, "n") == {"photos/a.jpg": 1, "photos/b.jpg": None, "photos/c.jpg": None}
    assert column(corpus, "flag") == {"photos/a.jpg": True, "photos/b.jpg": False, "photos/c.jpg": None}
    assert column(corpus, "day")["photos/a.jpg"].isoformat() == "2024-05-01T00:00:00"
    assert column(corpus, "post")["photos/b.jpg"] == "1234567890123456788"
    found = counts(result)
    assert (found["rows matched"], found["rows without a picture"], found["pictures without a row"]) == (2, 1, 1)
    assert result.extra["rows without a picture"]["key"].tolist() == ["nobody.jpg"]
    assert result.extra["pictures without a row"]["id"].tolist() == ["photos/c.jpg"]
    assert any("nobody.jpg" in text for text in result.warnings)


def test_a_table_can_come_later_and_be_mended(corpus, tmp_path):
    photos = put(tmp_path / "photos", "yes/a.jpg", "no/b.jpg")
    corpus.add(photos)
    corpus.add(metadata=pd.DataFrame({"filename": ["a.jpg"], "party": ["x"]}))
    corpus.add(photos, metadata=pd.DataFrame({"filename": ["a.jpg", "b.jpg"], "party": ["y", None], "n": [1.5, 2]}))
    assert column(corpus, "party") == {"photos/no/b.jpg": None, "photos/yes/a.jpg": "y"}
    assert column(corpus, "n") == {"photos/no/b.jpg": 2.0, "photos/yes/a.jpg": 1.5}
    assert column(corpus, "class") == {"photos/no/b.jpg": "no", "photos/yes/a.jpg": "yes"}


def test_a_tables_own_class_column_is_joined_and_mended_like_any_other(corpus, tmp_path):
    photos = put(tmp_path / "photos", "yes/a.jpg")
    corpus.add(photos, metadata=pd.DataFrame({"filename": ["a.jpg"], "class": ["one"]}))
    corpus.add(metadata=pd.DataFrame({"filename": ["a.jpg"], "class": ["two"]}))
    assert column(corpus, "class") == {"photos/yes/a.jpg": "two"}


def test_folders_of_classes_and_splits(corpus, tmp_path):
    corpus.add(put(tmp_path / "photos", "train/positive/x.jpg", "test/negative/y.jpg"))
    put(tmp_path / "photos", "train/negative/z.jpg")
    corpus.add(tmp_path / "photos")
    assert list(column(corpus, "split").values()) == ["test", "train", "train"]
    assert list(column(corpus, "class").values()) == ["negative", "negative", "positive"]


def test_columns_named_like_ours_are_kept_beside_them(corpus, photos, tmp_path):
    (tmp_path / "x.csv").write_text("filename,id,Path,WIDTH,error,width_given\na.jpg,7,p,w,e,g\n")
    said = corpus.add(photos, metadata=tmp_path / "x.csv").words
    assert any("'Path' is called 'Path_given' here" in text for text in said)
    row = corpus.query("SELECT * FROM media WHERE id = 'photos/a.jpg'").to_pylist()[0]
    assert (row["id"], row["width"], row["error"]) == ("photos/a.jpg", 48, None)
    assert (row["id_given"], row["Path_given"], row["error_given"], row["width_given"]) == (7, "p", "e", "g")
    assert "w" in row.values()


def test_a_column_keeps_its_type(corpus, photos):
    corpus.add(photos, metadata=pd.DataFrame({"filename": ["a.jpg"], "zip": ["01069"], "n": [1]}))
    corpus.add(metadata=pd.DataFrame({"filename": ["b.jpg"], "ZIP": [10117], "n": [1.5]}))
    assert column(corpus, "zip") == {"photos/a.jpg": "01069", "photos/b.jpg": "10117", "photos/c.jpg": None}
    assert column(corpus, "n") == {"photos/a.jpg": 1, "photos/b.jpg": 1.5, "photos/c.jpg": None}
    with pytest.raises(InputError, match=r"the column 'n' holds double in the corpus and string in this table"):
        corpus.add(metadata=pd.DataFrame({"filename": ["c.jpg"], "n": ["many"]}))


def test_umlauts_match_between_a_mac_and_others(corpus, tmp_path):
    put(tmp_path / "photos", unicodedata.normalize("NFD", "für #1 🦋.jpg"))
    table = pd.DataFrame({"filename": [unicodedata.normalize("NFC", "für #1 🦋.jpg")], "n": [1]})
    assert counts(corpus.add(tmp_path / "photos", metadata=table))["rows matched"] == 1


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (pd.DataFrame({"image": ["a.jpg"]}), "'image' names 1 of the pictures: --key image"),
        (pd.DataFrame({"filename": ["a.jpg", "a.jpg"]}), "repeat, such as 'a.jpg'"),
    ],
)
def test_a_table_that_does_not_fit_adds_nothing(corpus, photos, table, says):
    with pytest.raises(InputError, match=says):
        corpus.add(photos, metadata=table)
    assert corpus.tables() == []


def test_nothing_to_add_says_what_there_is_instead(corpus, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"there are no pictures or videos in .*empty"):
        corpus.add(tmp_path / "empty")
    put(tmp_path / "notes", "a.txt", "b.txt", "c")
    with pytest.raises(InputError, match=r"no pictures or videos in .* \(other files: 2 .txt, 1 no suffix\)"):
        corpus.add(tmp_path / "notes")
    with pytest.raises(InputError, match="name folders, globs or files to add"):
        corpus.add()


def test_two_folders_of_one_name_need_a_prefix(corpus, tmp_path):
    put(tmp_path / "x" / "photos", "a.jpg")
    put(tmp_path / "y" / "photos", "a.jpg", data=encoded(quarters(), "PNG"))
    with pytest.raises(InputError, match=r"would share the id 'photos/a.jpg'.*--prefix"):
        corpus.add(tmp_path / "x" / "photos", tmp_path / "y" / "photos")
    assert corpus.tables() == []
    corpus.add(tmp_path / "x" / "photos")
    with pytest.raises(InputError, match=r"would get the id 'photos/a.jpg', which .*x/photos/a.jpg has.*--prefix"):
        corpus.add(tmp_path / "y" / "photos")
    corpus.add(tmp_path / "y" / "photos", prefix="y")
    assert list(column(corpus, "format").items()) == [("photos/a.jpg", "JPEG"), ("y/a.jpg", "PNG")]


def test_a_picture_is_in_a_corpus_once(corpus, tmp_path):
    put(tmp_path / "photos", "2019/a.jpg", "b.jpg")
    corpus.add(tmp_path / "photos", tmp_path / "photos")
    again = corpus.add(tmp_path / "photos" / "2019")
    assert counts(again)["new"] == 0
    assert any("there under other ids, such as 'photos/2019/a.jpg'" in text for text in again.words)
    assert len(column(corpus, "id")) == 2


def test_files_that_moved_are_found_again_with_all_that_is_known(corpus, photos, tmp_path):
    corpus.add(photos, metadata=pd.DataFrame({"filename": ["a.jpg"], "n": [1]}))
    photos.rename(tmp_path / "x")
    (tmp_path / "disk").mkdir()
    (tmp_path / "x").rename(tmp_path / "disk" / "photos")
    corpus.add(tmp_path / "disk" / "photos")
    assert column(corpus, "path")["photos/a.jpg"] == str(tmp_path / "disk" / "photos" / "a.jpg")
    assert column(corpus, "n")["photos/a.jpg"] == 1


def test_a_corpus_with_its_pictures_inside_can_be_moved(corpus, tmp_path):
    put(corpus.folder / "media", "a.jpg")
    corpus.add(corpus.folder / "media")
    corpus.folder.rename(tmp_path / "elsewhere")
    moved = Corpus(tmp_path / "elsewhere")
    assert moved.paths(["media/a.jpg"]) == {"media/a.jpg": tmp_path / "elsewhere" / "media" / "a.jpg"}
    assert counts(moved.add(moved.folder / "media"))["new"] == 0
    assert moved.measure("sharpness")["failed"].tolist() == [0]


def test_what_could_not_be_read_is_a_row_and_is_looked_at_again(corpus, photos):
    whole = encoded(landscape(), "JPEG")
    put(photos, "cut.jpg", data=whole[: len(whole) // 2])
    put(photos, "page.jpg", data=b"<html>not found</html>")
    put(photos, "zero.png", data=b"")
    put(photos, "png.jpg", data=encoded(quarters(), "PNG"))
    put(photos, os.fsdecode(b"\xff.jpg"))
    table = pd.DataFrame({"filename": ["cut.jpg", "a.jpg"], "party": ["x", "y"]})
    first = corpus.add(photos, metadata=table)
    assert (counts(first)["new"], counts(first)["of these with an error"]) == (8, 4)
    assert column(corpus, "format")["photos/png.jpg"] == "PNG"
    corpus.measure("sharpness")
    put(photos, "cut.jpg", data=whole)
    second = corpus.add(photos)
    assert (counts(second)["new"], counts(second)["looked at again"]) == (0, 4)
    assert any("1 of 4 pictures looked at again can be read now" in text for text in second.words)
    assert column(corpus, "error")["photos/cut.jpg"] is None
    assert column(corpus, "width")["photos/cut.jpg"] == 640
    assert column(corpus, "party")["photos/cut.jpg"] == "x"
    assert len(column(corpus, "id")) == 8
    assert corpus.measure("sharpness")["measured"].tolist() == [0]
    assert corpus.measure("sharpness", retry=True)[["measured", "failed"]].values.tolist() == [[1, 0]]
    assert corpus.sql("select count(*) as n, count(distinct id) as d from sharpness").values.tolist() == [[8, 8]]


@pytest.fixture
def nobody():
    """A folder that everybody may read, and we nothing more than everybody: tests may run as root."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    us = os.geteuid()
    yield folder, (lambda: os.seteuid(65534)) if us == 0 else lambda: None
    os.seteuid(us)
    for path in folder.rglob("*"):
        path.chmod(0o777)
    shutil.rmtree(folder)


def test_what_may_not_be_read_is_reported(nobody):
    folder, become = nobody
    put(folder / "photos", "a.jpg", "b.jpg", "closed/c.jpg")
    put(folder / "shut", "a.jpg")
    (folder / "photos" / "b.jpg").chmod(0)
    (folder / "photos" / "closed").chmod(0)
    (folder / "shut").chmod(0)
    (folder / "table.csv").write_text("filename\na.jpg\n")
    (folder / "table.csv").chmod(0)
    become()
    corpus = Corpus.init(folder / "study")
    result = corpus.add(folder / "photos")
    assert "no permission" in column(corpus, "error")["photos/b.jpg"]
    assert counts(result)["new"] == 2
    assert any("closed: Permission denied" in text for text in result.warnings)
    with pytest.raises(InputError, match=r"no pictures or videos in .*shut; cannot be searched: .*Permission denied"):
        corpus.add(folder / "shut")
    with pytest.raises(InputError, match="cannot be looked into: Permission denied"):
        corpus.add(folder / "shut" / "a.jpg")
    with pytest.raises(InputError, match=r"table.csv cannot be read as a table: .*Permission denied"):
        corpus.add(folder / "photos", metadata=folder / "table.csv")


def test_time_and_camera_are_kept_and_the_place_only_when_asked_for(corpus, tmp_path):
    exif = Pillow.Exif()
    exif[271], exif[272] = "Canon", "EOS 5D"
    exif.get_ifd(0x8769)[36867] = "2020:05:17 12:30:01"
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 3.0, 0.0), 3: "E", 4: (13.0, 44.0, 24.0)})
    put(tmp_path / "p", "a.jpg", data=encoded(quarters(), "JPEG", exif=exif))
    corpus.add(tmp_path / "p")
    row = corpus.query("SELECT * FROM media").to_pylist()[0]
    assert (row["taken"].isoformat(), row["camera"]) == ("2020-05-17T12:30:01", "Canon EOS 5D")
    assert row["latitude"] is None
    located = Corpus.init(tmp_path / "located")
    located.add(tmp_path / "p", gps=True)
    assert located.query("SELECT latitude, longitude FROM media").to_pylist() == [
        {"latitude": pytest.approx(51.05), "longitude": pytest.approx(13.74)}
    ]


def test_stopped_half_way_it_goes_on_from_there(corpus, photos, monkeypatch):
    monkeypatch.setattr(collecting, "CHUNK", 2)
    table = pd.DataFrame({"filename": ["a.jpg", "b.jpg", "c.jpg"], "n": [1, 2, 3]})
    real, calls = collecting.inspect, []

    def stopped(*args, **options):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **options)

    monkeypatch.setattr(collecting, "inspect", stopped)
    with pytest.raises(KeyboardInterrupt):
        corpus.add(photos, metadata=table)
    assert list(column(corpus, "n").values()) == [1, 2]
    assert counts(corpus.add(photos, metadata=table))["new"] == 1
    assert list(column(corpus, "n").values()) == [1, 2, 3]
    assert len(corpus.parts("media").files()) == 1


def test_metadata_finds_originals_beside_what_was_made_from_them(corpus, photos, tmp_path):
    corpus.add(photos)
    corpus.process("resize", out=tmp_path / "small", width=10)
    result = corpus.add(metadata=pd.DataFrame({"filename": ["a.jpg"], "n": [1]}))
    assert counts(result)["rows matched"] == 1
    assert counts(result)["pictures without a row"] == 2
    assert column(corpus, "n")["photos/a.jpg"] == 1


def test_status_counts(corpus, photos):
    assert "Nothing is here yet" in corpus.status().words[0]
    put(photos, "zero.jpg", data=b"")
    corpus.add(photos)
    corpus.measure("sharpness")
    assert corpus.status().table[["table", "rows", "failed"]].values.tolist() == [["media", 4, 1], ["sharpness", 4, 1]]
