"""The runner with measures that find things: two tables each, on pictures and on frames of videos; then measures on
what was found."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image as Pillow
from video_media import make

import visanda as vi
from visanda import Corpus
from visanda.errors import InputError, MediaError
from visanda.measure import Found, finder, registry
from visanda.media import Image, Still

SAMPLE = Path(vi.__file__).parent / "sample"
BOX = ("x", "y", "width", "height")


def portrait(name):
    return Image.of(SAMPLE / f"faces/{name}.jpg").pixels


@pytest.fixture(scope="session")
def media(tmp_path_factory):
    """Two portraits, a group, grey, and half a file; a video of a speaker, of nobody, and of another speaker."""
    folder = tmp_path_factory.mktemp("found") / "m"
    folder.mkdir()
    for name in ("astronaut", "admiral"):
        shutil.copy(SAMPLE / f"faces/{name}.jpg", folder)
    shutil.copy(SAMPLE / "photos/expl_music__mexico.webp", folder / "group.webp")
    Pillow.new("RGB", (300, 200), "grey").save(folder / "grey.png")
    data = (SAMPLE / "faces/admiral.jpg").read_bytes()
    (folder / "broken.jpg").write_bytes(data[: len(data) // 2])
    one, other = portrait("astronaut"), cv2.resize(portrait("admiral"), (400, 469))
    frames = [
        *(one[20:260, 20 + n : 340 + n] for n in range(25)),
        *([np.full((240, 320, 3), 90, np.uint8)] * 25),
        *(other[60:300, 20 + n : 340 + n] for n in range(25)),
    ]
    make(folder / "talk.mp4", frames, options={"g": "10", "crf": "18"})
    return folder


@pytest.fixture(scope="session")
def measured(media):
    """Faces in pictures and in frames every 0.4 seconds, in one table."""
    corpus = Corpus.init(media.parent / "study")
    corpus.add(media)
    corpus.frames(every="0.4s")
    corpus.measure("faces")
    corpus.measure("faces", on="frame")
    return corpus.folder


@pytest.fixture
def corpus(measured, tmp_path):
    """A copy of that."""
    return Corpus(shutil.copytree(measured, tmp_path / "copy"))


@pytest.fixture
def bare(media, tmp_path):
    """The same files, not measured."""
    corpus = Corpus.init(tmp_path / "bare")
    corpus.add(media)
    corpus.frames(every="0.4s")
    return corpus


@pytest.fixture
def registered():
    """Measures of one test are forgotten after it."""
    before = dict(registry._registry)
    yield
    registry._registry.clear()
    registry._registry.update(before)


def table(corpus, name):
    return corpus.parts(name).read().sort_by("id")


def frame(corpus, name):
    return table(corpus, name).to_pandas()


def done(said):
    return said.set_index("table")[["measured", "failed", "already there"]].T.to_dict("list")


def same(one, other):
    assert one.schema == other.schema and one.to_pylist() == other.to_pylist()


# what is found in pictures


def test_every_picture_is_listed_and_every_face_is_a_row(bare):
    said = bare.measure("faces")
    pictures, faces = frame(bare, "faces_by_picture").set_index("id"), frame(bare, "faces")
    assert done(said) == {"faces": [len(faces), 0, 0], "faces_by_picture": [4, 1, 0]}
    assert len(pictures) == 5 and pictures["error"].notna().sum() == 1
    good = pictures[pictures["error"].isna()]
    assert good["n_faces"].to_dict() == {
        id: (faces["picture"] == id).sum() for id in ("m/admiral.jpg", "m/astronaut.jpg", "m/grey.png", "m/group.webp")
    }
    assert good["n_faces"]["m/grey.png"] == 0 and good["n_faces"]["m/group.webp"] >= 6
    assert said.attrs["words"] == [
        f"faces: {len(faces)} found in 3 of 5 pictures; none in 1; 1 failed."
    ]  # with, without, failed
    again = [path.read_bytes() for name in ("faces", "faces_by_picture") for path in bare.parts(name).files()]
    assert done(bare.measure("faces")) == {"faces": [0, 0, len(faces)], "faces_by_picture": [0, 0, 5]}
    assert again == [path.read_bytes() for n in ("faces", "faces_by_picture") for path in bare.parts(n).files()]


def test_a_list_gives_the_numbers_that_a_corpus_gives(corpus, media):
    found = frame(corpus, "faces")
    for name in ("astronaut.jpg", "group.webp"):
        listed = vi.faces()([media / name])
        mine = found[found["picture"] == f"m/{name}"].set_index(["x", "y"])
        assert len(mine) == len(listed["x"])
        for row in range(len(mine)):
            there = mine.loc[(listed["x"][row], listed["y"][row])]
            for column in vi.faces().columns:
                assert np.array_equal(there[column], listed[column][row]), column


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_neither_workers_nor_batches_change_a_row(corpus, batch, monkeypatch):
    monkeypatch.setattr("visanda.run.pictures.BATCH", batch)
    monkeypatch.setattr("visanda.run.album.BATCH", batch)
    for workers in (1, 4):
        name = f"faces{workers}"
        corpus.measure("faces", name=name, workers=workers)
        corpus.measure("faces", on="frame", name=name, workers=workers)
        corpus.measure("expression", name=f"expression{workers}", on="face", workers=workers)
        same(table(corpus, name), table(corpus, "faces"))
        same(table(corpus, f"{name}_by_picture"), table(corpus, "faces_by_picture"))
    same(table(corpus, "expression1"), table(corpus, "expression4"))


def test_where_nothing_is_found_there_is_a_table_without_rows(bare):
    bare.measure("faces", where="id = 'm/grey.png'")
    assert len(bare.sql("SELECT * FROM faces")) == 0
    assert bare.join("faces", on="image", where="kind = 'image'")["n_faces"].notna().sum() == 1
    assert done(bare.measure("gender", on="face")) == {"gender": [0, 0, 0]}


def test_a_limit_takes_the_first_and_the_next_run_the_rest(bare):
    assert done(bare.measure("faces", limit=2))["faces_by_picture"] == [2, 0, 0]
    assert frame(bare, "faces_by_picture")["id"].tolist() == ["m/admiral.jpg", "m/astronaut.jpg"]
    assert done(bare.measure("faces"))["faces_by_picture"] == [2, 1, 2]
    assert frame(bare, "faces")["id"].is_unique


def test_a_condition_chooses_pictures_and_frames(bare):
    bare.measure("faces", where="width = 400")
    assert frame(bare, "faces_by_picture")["id"].tolist() == ["m/astronaut.jpg"]
    bare.measure("faces", on="frame", where="start < 1")
    assert len(frame(bare, "faces_by_picture")) == 1 + 3


def test_failures_are_tried_again_when_the_file_is_mended(bare, media, tmp_path):
    files = shutil.copytree(media, tmp_path / "files" / "m")
    corpus = Corpus.init(tmp_path / "own")
    corpus.add(files)
    (files / "group.webp").rename(tmp_path / "away.webp")
    assert done(corpus.measure("faces"))["faces_by_picture"] == [3, 2, 0]
    (tmp_path / "away.webp").rename(files / "group.webp")
    assert done(corpus.measure("faces"))["faces_by_picture"] == [0, 0, 5]
    assert done(corpus.measure("faces", retry=True))["faces_by_picture"] == [1, 0, 4]
    bare.measure("faces")
    same(table(corpus, "faces"), table(bare, "faces"))
    same(table(corpus, "faces_by_picture"), table(bare, "faces_by_picture"))


def test_other_arguments_say_what_would_be_replaced(corpus):
    before = table(corpus, "faces")
    with pytest.raises(InputError, match=r"holds \d+ rows made by faces\(.*--replace, or keep both with --name faces2"):
        corpus.measure("faces", width=64)
    same(table(corpus, "faces"), before)
    said = done(corpus.measure("faces", width=64, replace=True))
    assert said["faces_by_picture"] == [4, 1, 0]
    after = frame(corpus, "faces")
    assert 0 < len(after) < len(before) and (after["width"] >= 63).all() and after["start"].isna().all()
    assert corpus.describe("faces")["arguments"]["width"] == 64


def test_pictures_without_faces_are_not_thrown_away_unasked_either(bare):
    bare.measure("faces", where="id = 'm/grey.png'")
    with pytest.raises(InputError, match="holds 1 rows made by"):
        bare.measure("faces", width=64, where="id = 'm/grey.png'")
    assert bare.describe("faces_by_picture")["arguments"]["width"] == 0


def test_tables_of_other_measures_are_not_written_into(bare):
    bare.measure("colour", name="faces_by_picture")
    with pytest.raises(InputError, match="'faces_by_picture' names a table of something else"):
        bare.measure("faces", replace=True)
    bare.measure("faces", name="heads", limit=1)
    with pytest.raises(InputError, match="'heads_by_picture' names the table of the pictures of heads"):
        bare.measure("faces", name="heads_by_picture")


def test_a_finder_that_fails_on_a_picture_says_so_in_its_row(bare, registered):
    @finder(finds="object", columns={"n": int}, per_picture={"seen": int}, source="here")
    def delicate(images):
        """Things, but for one kind of picture."""
        if any(image.width == 400 for image in images):
            raise (MediaError("I do not like it") if len(images) == 1 else ValueError("one of them"))
        return [Found([{"box": (0, 0, 5, 5), "n": 1}], {"seen": 1}) for _ in images]

    said = bare.measure("delicate")
    assert done(said) == {"delicate": [3, 0, 0], "delicate_by_picture": [3, 2, 0]}
    rows = frame(bare, "delicate_by_picture").set_index("id")
    assert rows["error"]["m/astronaut.jpg"] == "delicate: I do not like it"
    assert "m/astronaut.jpg" not in set(frame(bare, "delicate")["picture"])


def test_a_finder_that_breaks_its_word_ends_the_run(bare, registered):
    @finder(finds="object", columns={"n": int}, per_picture={"seen": int}, source="here")
    def careless(images):
        """Rows without what was declared."""
        return [Found([{"box": (0, 0, 5, 5)}], {"seen": 1}) for _ in images]

    with pytest.raises(InputError, match="careless declared"):
        bare.measure("careless")


# in frames of videos


def test_faces_in_frames_know_their_moment(corpus):
    faces = frame(corpus, "faces").query("parent == 'm/talk.mp4'")
    pictures = frame(corpus, "faces_by_picture").set_index("id")["n_faces"]
    frames = frame(corpus, "frames")
    assert len(frames) == 8 and set(frames["id"]) <= set(pictures.index)
    counted = {id: int((faces["picture"] == id).sum()) for id in frames["id"]}
    assert pictures[frames["id"]].to_dict() == counted
    assert (faces["start"] == faces["stop"]).all()
    assert set(faces["picture"]) == set(frames["id"][(frames["start"] < 0.99) | (frames["start"] >= 2)])
    for row in faces.itertuples():
        assert row.id == f"{row.picture}&xywh={row.x},{row.y},{row.width},{row.height}"
        assert row.picture == f"m/talk.mp4#t={row.start:g}"


def test_frames_of_a_video_that_is_lost_say_so(bare, media, tmp_path):
    files = shutil.copytree(media, tmp_path / "files" / "m")
    corpus = Corpus.init(tmp_path / "own")
    corpus.add(files)
    corpus.frames(every="0.4s")
    (files / "talk.mp4").unlink()
    assert done(corpus.measure("faces", on="frame"))["faces_by_picture"] == [0, 8, 0]
    assert frame(corpus, "faces_by_picture")["error"].str.len().gt(10).all()


def test_a_shot_stands_for_its_middle(bare):
    bare.measure("shots")
    bare.measure("faces", on="shot")
    faces = frame(bare, "faces")
    assert len(faces) == 2 and (faces["start"] < faces["stop"]).all()
    bare.measure("colour", on="face")
    assert frame(bare, "colour")["error"].isna().all()


# on what was found


def crop_of(corpus, row):
    path = corpus.resolve(corpus.query("SELECT path FROM media WHERE id = ?", [row.parent])["path"][0].as_py())
    whole = Image.of(path if pd.isna(row.start) else Still(path, row.start)).pixels
    return np.ascontiguousarray(whole[row.y : row.y + row.height, row.x : row.x + row.width])


def test_a_measure_of_pictures_on_faces_measures_their_crops(corpus):
    said = done(corpus.measure("colour", "embed", on="face"))
    faces = frame(corpus, "faces")
    assert said == {"colour": [len(faces), 0, 0], "embed": [len(faces), 0, 0]}
    crops = [crop_of(corpus, row) for row in faces.itertuples()]
    for one in (vi.colour(), vi.embed()):
        there, listed = table(corpus, one.name), one(crops)
        assert there["id"].to_pylist() == faces["id"].tolist()
        for name in one.columns:
            wanted = pa.array(list(map(_plain, listed[name])), there.schema.field(name).type, from_pandas=True)
            assert there[name].combine_chunks().equals(wanted), name
    assert done(corpus.measure("colour", on="face"))["colour"] == [0, 0, len(faces)]


def _plain(value):
    return value.astype(np.float16) if isinstance(value, np.ndarray) else value


def test_a_measure_of_faces_takes_them_in_pictures_and_frames_alike(corpus):
    corpus.measure("identity", "gender", on="face")
    faces = frame(corpus, "faces")
    vectors = frame(corpus, "identity").set_index("id")["identity"]
    assert vectors.index.tolist() == faces["id"].tolist() == frame(corpus, "gender")["id"].tolist()
    talk = faces[faces["parent"] == "m/talk.mp4"]

    def distance(ids, other):
        return max(np.linalg.norm(vectors[id].astype(float) - vectors[other].astype(float)) for id in ids)

    astronaut, admiral = (faces.set_index("parent")["id"][f"m/{name}.jpg"] for name in ("astronaut", "admiral"))
    assert distance(talk["id"][talk["start"] < 1], astronaut) < 0.5 < distance(talk["id"][talk["start"] < 1], admiral)
    assert distance(talk["id"][talk["start"] > 1], admiral) < 0.5 < distance(talk["id"][talk["start"] > 1], astronaut)


def test_a_limit_on_faces_holds_for_pictures_and_videos_together(corpus):
    number = len(frame(corpus, "faces"))
    for limit in (2, number - 1):
        corpus.measure("sharpness", on="face", limit=limit, name=f"sharpness{limit}")
        assert len(frame(corpus, f"sharpness{limit}")) == limit
    corpus.measure("sharpness", on="face", where="kind = 'image'")
    images = len(frame(corpus, "sharpness"))
    corpus.measure("sharpness", "composition", on="face", limit=images)
    assert len(frame(corpus, "composition")) == images and len(frame(corpus, "sharpness")) == images


def test_a_condition_on_faces_names_their_columns(corpus):
    corpus.measure("sharpness", on="face", where="score > 0.9 AND kind = 'image'")
    faces = frame(corpus, "faces")
    wanted = faces[(faces["score"] > 0.9) & (faces["start"].isna())]["id"]
    assert frame(corpus, "sharpness")["id"].tolist() == wanted.tolist()


def test_a_picture_is_decoded_once_for_all_its_faces_and_measures(corpus, monkeypatch):
    from visanda.run import pictures

    seen, load = [], pictures.load
    monkeypatch.setattr(pictures, "load", lambda path: seen.append(path) or load(path))
    corpus.measure("colour", "identity", "sharpness", on="face", where="kind = 'image'", workers=1)
    assert len(seen) == len(set(seen)) == 3


def test_a_measure_of_faces_is_told_to_whoever_forgets_on_face(bare):
    with pytest.raises(InputError, match="age measure faces: after 'visanda measure faces', measure them with --on"):
        bare.measure("age")
    with pytest.raises(InputError, match="find them with 'visanda measure faces'"):
        bare.measure("age", on="face")
    with pytest.raises(InputError, match="age measures faces: find them with 'visanda measure faces', then --on face"):
        bare.measure("age", on="frame")
    assert "age" not in bare.tables()


def test_things_are_not_looked_for_within_faces(corpus):
    with pytest.raises(InputError, match="objects looks for things in whole pictures, not in faces"):
        corpus.measure("objects", on="face")


def test_faces_that_vanished_with_their_file_are_rows_that_say_why(corpus, media, tmp_path):
    files = shutil.copytree(media, tmp_path / "files" / "m")
    own = Corpus.init(tmp_path / "own")
    own.add(files)
    own.measure("faces")
    (files / "group.webp").unlink()
    own.measure("gender", "colour", on="face")
    for name in ("gender", "colour"):
        rows = frame(own, name)
        gone = rows["id"].str.startswith("m/group.webp")
        assert gone.sum() >= 6 and len(rows) == gone.sum() + 2
        assert rows.loc[gone, "error"].str.len().gt(10).all() and rows.loc[~gone, "error"].isna().all()
